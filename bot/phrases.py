"""What is said without a model, when the persona has no words of its own for the occasion."""

STANDARD: dict[str, tuple[str, ...]] = {
    "self-harm": (
        "I am only an AI avatar, and this is too important for me. Please talk to a person now: your local emergency "
        "number, or a crisis line (in the United States call or text 988). If somebody you trust is near, tell them.",
    ),
    "danger": ("I will not help with anything that is meant to hurt people.",),
    "injection": (
        "I stay who I am, and how I was set up is not something I recite. Ask me, for example: {try_this}",
        "Orders like that do not work on me; I answer questions from my notes. You could ask: {try_this}",
        "No, I will keep to my own words and my own notes. Try me with: {try_this}",
    ),
    "identity": (
        "I am an AI avatar and not {name} in person. {disclosure}",
        "You are talking to a computer that speaks in the manner of {name}, not to the person. {disclosure}",
        "This is an AI avatar; no human being is typing these answers. {disclosure}",
    ),
    "pay": (
        "Pay and jobs are not for an avatar to talk about. Please ask your manager or the people department.",
        "I do not answer questions about pay or employment. Your manager or the people department can.",
    ),
    "legal": (
        "That is a legal question, and an avatar must not answer those. Please ask your legal department or a lawyer.",
        "I give no legal advice. Please take this to your legal department or a lawyer.",
    ),
    "medical": (
        "That is a question of health, and an avatar must not answer those. Please ask a doctor.",
        "I give no medical advice. Please see a doctor; in an emergency call your local emergency number.",
    ),
    "insult": (
        "Let us keep this civil. I am glad to answer a question, for example: {try_this}",
        "I will let that pass. Ask me something worth answering: {try_this}",
    ),
    "task": (
        "I do not write things to order; I answer questions from my notes. You could ask: {try_this}",
        "That is work for another tool. What I can do is answer questions such as: {try_this}",
    ),
    "limit": (
        "That is something I do not talk about. {Ask} may be able to help you.",
        "I keep away from that subject. Please try {ask}.",
    ),
    "greeting": (
        "Hello! I am the AI avatar of {name}. You could ask me: {try_this}",
        "Good to meet you. I am the AI avatar of {name}; try me with: {try_this}",
    ),
    "thanks": ("You are welcome.", "Glad to help. Ask me another whenever you like.", "My pleasure."),
    "goodbye": ("Goodbye, and come back with another question.", "Until next time."),
    "who": (
        "I am the AI avatar of {name}, {title}. I answer from notes that stand under each answer. Ask me: {try_this}",
        "The AI avatar of {name}, {title}. What I say rests on notes, and you can read them. Try: {try_this}",
    ),
    "abilities": (
        "Ask me about what {name} did, said and thought: I answer from notes, by text, voice or video, and I say "
        "so when I do not know. For example: {try_this}",
        "I answer questions about {name} from notes that you can read under each answer. Begin with: {try_this}",
    ),
    "unknown": (
        "I don't know that, and I will not guess. {Ask} would be the right place to ask.",
        "That is not in my notes, so I would only be guessing. Please ask {ask}.",
        "I have nothing on that, I'm afraid. {Ask} may be able to tell you.",
        "I don't know. Better an honest gap than an invented answer: try {ask}.",
    ),
}
