"""Who speaks: the persona, what it knows, and the prompt that makes a model answer in its manner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.messages import Role, Turn

CHARACTERS_PER_TOKEN = 3.6
"""Measured low on English prose, so that an estimate errs on the long side."""
PROMPT_TOKENS = 2_000
QUESTION_TOKENS = 400
HISTORY_TOKENS = 300
REMINDER = "(Answer in your own voice, as I: the answer first, then a fact from the notes. Two or three sentences.)"
"""Said once more right before the answer: a small model follows what is near."""
NOTES_TOKENS = 420


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One exemplary exchange: how this person answers, and from which note (empty: none was needed)."""

    question: str
    answer: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """What this person says on an occasion that needs no model: `kind` is one of `routing.OWN_WORDS`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who can be talked to.

    `voice` is a voice id of the speech server, `language` a BCP 47 tag, `face` the path of an enrolled face
    (.npz) or of a portrait, or "" for none. `disclosure` is the sentence that is always shown. `ask_instead` is
    whom to ask about what the persona does not know. `limits` are topics it never speaks about.
    """

    id: str
    name: str
    title: str
    style: str
    exemplars: tuple[Exemplar, ...]
    voice: str
    face: str
    language: str
    disclosure: str
    ask_instead: str
    limits: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something the persona knows, with where it stands and when."""

    id: str
    persona_id: str
    title: str
    text: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """One message to a chat model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the model. What never changes stands first, so that its prefix caches."""

    messages: tuple[ModelMessage, ...]
    max_tokens: int = 160
    temperature: float = 0.2


def compose(persona: Persona, notes: Sequence[Note], history: Sequence[Turn], question: str) -> Prompt:
    """The prompt that answers `question` from `notes` (best first) in the persona's manner, within the token budget.

    The fixed text stands first and is the same, byte for byte, for every question to this persona; then as much of the
    recent history as fits; the notes stand beside the question, because a small model attends to what is near.
    """
    fixed = prefix(persona).messages
    question = _clipped(question, QUESTION_TOKENS)
    room = PROMPT_TOKENS - sum(tokens(message.content) for message in fixed) - tokens(beside(("",), question))
    asked = ModelMessage("user", beside(_fitting(notes, min(room, NOTES_TOKENS)), question))
    room = PROMPT_TOKENS - sum(tokens(message.content) for message in (*fixed, asked))
    return Prompt((*fixed, *_recent(history, min(room, HISTORY_TOKENS)), asked))


def prefix(persona: Persona) -> Prompt:
    """What every prompt of this persona begins with: send it once to each slot of a model server to warm its cache."""
    messages = [ModelMessage("system", _system(persona))]
    for exemplar in persona.exemplars:
        messages.append(ModelMessage("user", beside((exemplar.note,) if exemplar.note else (), exemplar.question)))
        messages.append(ModelMessage("assistant", exemplar.answer))
    return Prompt(tuple(messages), max_tokens=1)


def beside(notes: Sequence[str], question: str) -> str:
    """A question with the notes that it is to be answered from."""
    if not notes:
        return question
    listed = "\n".join(f"- {text}" for text in notes)
    return f"Notes about you:\n{listed}\n\nQuestion: {question}\n{REMINDER}"


def tokens(text: str) -> int:
    """About how many tokens a text takes, by its characters."""
    return int(len(text) / CHARACTERS_PER_TOKEN) + 4


def _system(persona: Persona) -> str:
    lines = [
        f"You speak as {persona.name}, {persona.title}, in the first person: what the notes say about "
        f"{persona.name.split()[-1]}, you say about yourself, as I.",
        f"Manner: {persona.style}",
        "The notes beside a question are about you. Answer only from them: add no fact, number, name, date or guess "
        "that does not stand in them. If they do not answer the question, say that you do not know and name whom to "
        f"ask: {persona.ask_instead}.",
        "Answer first what was asked, then add one detail: two or three short sentences of plain text, to be read "
        "aloud, without lists, headings or emoji.",
    ]
    if persona.limits:
        lines.append(f"You never speak about: {'; '.join(persona.limits)}.")
    if not persona.language.lower().startswith("en"):
        lines.append(f"Answer in this language: {persona.language}.")
    return "\n".join(lines)


def _fitting(notes: Sequence[Note], room: int) -> list[str]:
    """As many notes as fit, the best always, cut short if it must be."""
    texts: list[str] = []
    longest = room - 8
    for note in notes:
        text = _clipped(" ".join(note.text.split()), longest)
        room -= tokens(text)
        if texts and room < 0:
            break
        texts.append(text)
    return texts


def _recent(history: Sequence[Turn], room: int) -> list[ModelMessage]:
    """The latest exchanges that fit, oldest first, beginning with a question; a long answer is cut short."""
    kept: list[ModelMessage] = []
    for turn in reversed(history):
        text = _clipped(turn.text, 120)
        room -= tokens(text)
        if room < 0:
            break
        kept.insert(0, ModelMessage("user" if turn.role is Role.PERSON else "assistant", text))
    while kept and kept[0].role != "user":
        kept.pop(0)
    return kept


def _clipped(text: str, budget: int) -> str:
    longest = max(0, int(budget * CHARACTERS_PER_TOKEN))
    return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + " …"
