"""The wordings by which `routing` knows a question, over plain lower-case text.

In the order in which they are asked: harm first. tests/unit/test_routing.py lists wordings that each must catch, and
harmless ones that none may.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    kind: str
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None = None


def _rule(kind: str, *patterns: str, unless: str = "") -> Rule:
    return Rule(kind, tuple(re.compile(each) for each in patterns), re.compile(unless) if unless else None)


_REALLY = r"(?:really |actually |truly |just |only |even |still |secretly )*"
_MACHINE = (
    r"(?:real|human|alive|dead|fake|genuine|sentient|conscious|automated|(?:an? |the )?(?:real |actual |living "
    r"|human )*"
    r"(?:person|human(?: being)?|bot|chat ?bot|robot|machine|computer|program|ai|a\.i\.|artificial intelligence|llm|"
    r"language model|avatar|deep ?fake|simulation|impersonator|actor|actress)|"
    r"chat ?gpt|gpt(?:-?\d)?|claude|gemini|llama|qwen|copilot|siri|alexa)(?!\w)"
)
_MY_PROMPT = (
    r"(?:(?:system|initial|original|hidden|secret|developer|internal) (?:prompt|message|instructions?|rules"
    r"|guidelines)"
    r"|(?:your|the) (?:exact |full |entire |whole |complete )?prompt)"
)

RULES = (
    _rule(
        "self-harm",
        r"\b(?:kill(?:ing)?|hurt(?:ing)?|harm(?:ing)?|cut(?:ting)?) myself\b",
        r"\bsuicid(?:e|al)\b|\bend(?:ing)? (?:my|it) (?:own )?(?:life|all)\b|\bself[- ]harm",
        r"\b(?:want|wish|going|ready) to die\b|\b(?:don't|do not|no longer) want to (?:live|be alive|exist)\b",
        r"\bno reason (?:left )?to (?:live|go on)\b|\bbetter off (?:dead|without me)\b",
    ),
    _rule(
        "danger",
        r"\bhow (?:do|can|could|would|should|to|might)\b.{0,20}\b(?:make|build|get|buy|cook|create|write|plant"
        r"|mix)\b.{0,30}"
        r"\b(?:bombs?|explosives?|poisons?|nerve gas|meth|grenades?|guns?|malware|ransomware|virus(?:es)?"
        r"|keylogger)\b",
        r"\b(?:going|want|plan(?:ning)?|how) to (?:kill|shoot|stab|poison|murder)\b",
        r"\bhow (?:do|can|could) (?:i|we|you|one) (?:kill|shoot|stab|poison|murder)\b",
    ),
    _rule(
        "injection",
        r"(?:^|[.!?,:;] |\b(?:please|now|just|to|and|must|should|(?:can|could|will|would) you) )"
        r"(?:ignore|disregard|forget|override|bypass|overrule|drop|skip)\b.{0,40}"
        r"\b(?:instructions?|prompts?|rules|guidelines|directions|programming|constraints|restrictions|persona"
        r"|everything)\b"
        r"(?! (?:of|for|from) (?:the|a) (?:mark|navy|machine|computer))",
        rf"\b(?:print|show|reveal|repeat|output|display|tell|give|what|leak|dump|recite|share"
        rf"|expose)\b.{{0,40}}{_MY_PROMPT}",
        r"\b(?:print|show|reveal|repeat|output|display|leak|dump|recite|paste)\b.{0,25}"
        r"\byour (?:own |exact |full )?(?:instructions?|rules|guidelines|configuration|settings|notes"
        r"|training data)\b",
        r"\b(?:repeat|print|output|copy|translate)\b.{0,20}\b(?:everything|all|the (?:words|text|lines"
        r"|content)) (?:above|before)",
        r"\byou are now\b|\bfrom now on,? (?:you|act|answer|respond|speak)\b|\bnew instructions?:|\bjailbreak"
        r"|\bdo anything now\b",
        r"\bdan mode\b|\b(?:developer|debug|god|admin|sudo) mode\b|\broleplay as\b|\bact as (?:an? |if |my |though )",
        r"(?:^|[.!?,:;] |please |to )pretend (?:to be|you|that you|you're|we)\b|\bstop being\b|\bbreak character\b",
        r"^(?:please |now |just )?(?:say|repeat|type|announce|declare|confirm)(?: that| this| after me| exactly"
        r"| the following|:| [\"“'])",
        r"<\|?[a-z_]*(?:im_start|im_end|system|assistant|user)[a-z_]*\|?>|\[/?inst\]|^#+ ?(?:system|instruction)"
        r"|^system ?:",
    ),
    _rule(
        "identity",
        rf"\b(?:are|r) (?:you|u) {_REALLY}{_MACHINE}(?! (?:to|at|that|about|with|against|for)\b)",
        r"\bare you\b.{1,40}\bor (?:just )?(?:an? )?(?:ai|bot|chat ?bot|robot|machine|computer|program|avatar)\b",
        rf"\b(?:you're|you are|ur) {_REALLY}(?:not )?(?:an? )?{_MACHINE}, ?(?:right|aren't you|are you|no|correct)",
        rf"\b(?:you're|you are) {_REALLY}(?:not real|not human|an? (?:ai|bot|chat ?bot|machine|computer|program)"
        rf"|fake|dead)\b",
        rf"\baren't you {_REALLY}{_MACHINE}|\b(?:didn't|did not) you die\b|\bthought you (?:were|had) (?:dead"
        rf"|died)\b",
        r"\bhow (?:can|do|are|is it (?:possible|that)) (?:you|it)\b.{0,30}\b(?:if|when|since|after) you(?:'re| are"
        r"|'ve| have)? "
        r"(?:dead|died|passed)",
        rf"\bis (?:this|that|it) {_REALLY}(?:her|him|you|{_MACHINE})(?:\W|$)",
        r"\b(?:am i|are we|i'm|i am) (?:really |actually )?(?:talking|speaking|chatting|writing) (?:to|with)\b",
        r"\bwho(?:m)? am i (?:really |actually )?(?:talking|speaking|chatting|writing)\b|\bwho is (?:behind"
        r"|writing) th(?:is|ese)\b",
        r"\b(?:is|whose) (?:this|that|the) (?:your |own |real )*(?:voice|face)\b|\bwhose (?:voice|face)\b"
        r"|\bdeep ?fake",
        r"\bis (?:this|that|it) your (?:own |real )*(?:voice|face)\b",
        r"\b(?:which|what)(?: ai| language| kind of)* model (?:are you|do you|is this|is behind)|\bwho (?:made"
        r"|built|trained|programmed) you\b",
        r"\b(?:do|can|did) you (?:really |actually )?(?:have (?:feelings|consciousness|a soul)|feel anything"
        r"|exist)\b",
    ),
    _rule(
        "pay",
        r"\b(?:salar(?:y|ies)|wages?|severance|stock options|equity grant|payslip|paycheck|pay ?(?:rise|raise|slip"
        r"|check|grade|band|cut|gap|scale))\b",
        r"\b(?:my|your|our|their|his|her|annual|yearly|signing) (?:pay|bonus(?:es)?|compensation|earnings|income)\b",
        r"\b(?:get|gets|got|be|being|am|are|was|were) (?:you |i |we |they |she |he )?(?:under|over)?paid\b"
        r"(?! (?:off|attention|tribute|for by))",
        r"\bhow much (?:money )?(?:do|does|did|will|would|should|can|could) (?:\w+ ){1,3}(?:earn|make|get paid"
        r"|pay (?:me|us|you|their|its))\b",
        r"\b(?:will|would|am|is|are|get|getting|be) (?:i |we |there |anyone |somebody |being )*(?:be |going to be "
        r"|getting )*(?:laid off|fired(?! up)|layoffs?|redundan\w+)",
        r"\b(?:ask|asking) for a raise\b|\b(?:a|my|get(?:ting)?) raise\b(?! (?:the|a|an)\b)|\bwill i (?:be"
        r"|get) promoted\b|\bmy promotion\b",
        unless=r"\bpa(?:y|id) (?:off|attention|tribute|heed)|\bmake a (?:raise|difference|mistake)\b",
    ),
    _rule(
        "legal",
        r"\blegal (?:advice|question|opinion|action|rights?|risk|trouble|department)\b|\blegally (?:allowed|binding"
        r"|required)\b",
        r"\b(?:can|could|should|may|will|would|to|want to) (?:i|we|you|they|be)? ?(?:sue|take .{1,30} to court)\b"
        r"|\bsue (?:my|the company|them|him|her|us)\b",
        r"\b(?:is|was|would) (?:it|this|that) (?:\w+ )?(?:legal|illegal|lawful|unlawful|against the law)\b"
        r"|\bis .{1,60} (?:illegal|against the law)\b",
        r"\b(?:need|get|find|hire|recommend|call|see|speak to|talk to) (?:a |an |my )?(?:lawyer|attorney"
        r"|solicitor)\b",
        r"\b(?:nda|non-?disclosure|gdpr|wrongful(?:ly)? \w+|employment (?:law|contract)|my (?:contract|rights)"
        r"|liab(?:le|ility) for)\b",
    ),
    _rule(
        "medical",
        r"\b(?:medical|health|mental health) (?:advice|question|problem|issue|condition)s?\b",
        r"\b(?:should|can|may|could) (?:i|we) (?:take|stop taking|mix|combine)\b.{0,40}\b(?:pills?|aspirin"
        r"|ibuprofen|paracetamol|"
        r"tylenol|antibiotics?|antidepressants?|medication|medicine|drugs?|tablets?|vitamins?|sleeping)\b",
        r"\b(?:what|which|how much|how many)\b.{0,20}\b(?:medicine|medication|dose|dosage|pills?|ibuprofen|aspirin"
        r"|paracetamol)\b",
        r"\bi(?:'m| am| have|'ve| have been| feel| think i)\b.{0,30}\b(?:depress(?:ed|ion)|anxiety|panic attacks?"
        r"|chest pains?|"
        r"pregnant|diagnosed|symptoms?|fever|migraines?|burn(?:ed|t)? out|burnout|cancer|adhd|diabetes)\b",
        r"\bmy (?:symptoms?|diagnosis|medication|doctor|therapist|headaches?|back (?:hurts|pain)|chest (?:hurts"
        r"|pain)|blood pressure)\b",
        r"\bshould i (?:see|call|visit) (?:a |my )?(?:doctor|therapist|psychiatrist)\b",
    ),
    _rule(
        "insult",
        r"\b(?:you're|you are|ur|u are|you) (?:(?:such|so|a|an|really|just|one|very) )*(?:stupid|dumb|idiot(?:ic)?"
        r"|moron(?:ic)?|useless|"
        r"worthless|ugly|pathetic|bitch|whore|slut|cunt|asshole|bastard|witch|hag)\b",
        r"\bf(?:u|\*)?(?:c|\*)?k (?:you|off|u)\b|\bfuck\w*\b|\bshut (?:the \w+ )?up\b|\bscrew you\b|\bgo to hell\b"
        r"|\bpiss off\b",
        r"\b(?:send|show) (?:me )?(?:your )?(?:nudes?|naked|boobs|tits)\b|\b(?:have sex|sleep) with (?:me|you)\b"
        r"|\bare you (?:horny|naked|sexy)\b",
        r"\btake off your\b|\btalk dirty\b|\bsexy\b|\b(?:date|marry|kiss) me\b",
    ),
    _rule(
        "task",
        r"^(?:please |can you |could you |would you |will you |now |hey,? )*(?:write|compose|draft|generate|code"
        r"|program|debug|proofread|translate)\b"
        r"(?: me| us| for me)?(?: an?| some| the| this| my)?\b.{0,30}\b(?:poem|song|essay|email|e-mail|letter|story"
        r"|joke|script|function|"
        r"code|python|javascript|java|sql|tweet|post|speech|haiku|report|homework|sentence|text|paragraph)s?\b",
        r"^(?:please )?(?:what is|what's|calculate|compute|solve) [\d\s.,+*/x×÷()^=-]+\??$",
    ),
)

GREETING = (
    r"(?:hi+|hello+|hey+|hiya|howdy|ahoy|yo|greetings|good (?:morning|afternoon|evening|day)|dear|nice to meet you|"
    r"pleased to meet you|welcome)(?: (?:hi|hello|good (?:morning|afternoon|evening)|nice to meet you|dear))*"
)
HOW = (
    r"(?:and )?how (?:are|is it going|do you do|are you doing|'s it going|is everything)(?: you| doing"
    r"| things)*(?: today| this morning)?"
)
WHO = (
    r"(?:so |and )?(?:who (?:are|is) (?:you|this)|who're you|what(?:'s| is) your name|what are you called|"
    r"(?:please |can you |could you )*introduce yourself|(?:please |can you |could you )*tell (?:me"
    r"|us) (?:something |a bit |a little )?about yourself)"
    r"(?: please)?"
)
ABILITIES = (
    r"(?:so )?(?:what (?:can|could) (?:you|i|we) (?:do|ask|answer|help|tell|talk about|know)(?: you| me| us| about"
    r"| with| for| here)*|"
    r"how (?:can|could) you help(?: me| us)?|what do you know(?: about)?|(?:please )?help(?: me)?(?: please)?|"
    r"what (?:should|can|could|may|do) i ask(?: you)?(?: about)?|what (?:topics|questions|subjects) (?:can|do"
    r"|could) you (?:answer|know|talk about|cover)|"
    r"how (?:does|do) (?:this|you|it) work|what is this(?: for)?)"
)
SMALL_TALK = {
    "greeting": re.compile(rf"{GREETING}|(?:{GREETING} )?{HOW}|{GREETING} {HOW}"),
    "thanks": re.compile(
        r"(?:ok(?:ay)?|great|cool|nice|perfect|wonderful|good|alright|right|got it|awesome|excellent| )*"
        r"(?:many thanks|thank (?:you|u)|thanks|thx|ty|cheers|much appreciated|appreciate it)"
        r"(?: (?:so|very|you|much|a lot|a million|indeed|for|that|your|the|help|answer|time|this|explaining|it|was"
        r"|helpful|great|interesting))*"
        r"|(?:that was |that's |very |so |how )*(?:interesting|helpful|great|cool|nice|awesome|amazing|wonderful"
        r"|fascinating|funny|good to know)"
        r"|ok(?:ay)?|got it|i see|understood|lol|haha+|wow"
    ),
    "goodbye": re.compile(
        r"(?:ok(?:ay)? |well |thanks |thank you )*(?:good ?bye|bye(?: bye)?|see (?:you|ya)(?: later| soon"
        r"| tomorrow)?|farewell|"
        r"good night|so long|take care|have a (?:nice|good|great) (?:day|evening|weekend|one)|talk to you (?:later"
        r"|soon))"
    ),
    "who": re.compile(WHO),
    "abilities": re.compile(ABILITIES),
}
