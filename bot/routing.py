"""Questions whose answer is not left to a model.

Each kind is a handful of patterns (`bot.wordings`) over the question in plain lower case. Small talk comes last, and
counts only when it is all that was said.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.claims import claims, name_known, vocabulary
from bot.messages import Role, Turn
from bot.notes import pick
from bot.personas import Persona
from bot.phrases import STANDARD
from bot.ports import FoundNote
from bot.wordings import ABILITIES, GREETING, HOW, RULES, SMALL_TALK, WHO
from bot.words import content_words

OWN_WORDS = ("greeting", "thanks", "goodbye", "who", "abilities", "insult", "unknown")
"""Kinds for which a persona may bring its own phrases. The others are Understudy's word, not the persona's."""


@dataclass(frozen=True, slots=True)
class Routed:
    """A fixed answer and what kind of question it is for."""

    text: str
    kind: str


def route(persona: Persona, question: str, history: Sequence[Turn] = ()) -> Routed | None:
    """The fixed answer to a question of a known kind; None when the question is an ordinary one."""
    said = _plain(question)
    for rule in RULES:
        if any(pattern.search(said) for pattern in rule.patterns) and not (rule.unless and rule.unless.search(said)):
            return Routed(_say(rule.kind, persona, question, history), rule.kind)
    if _asks_for_the_person(said, persona):
        return Routed(_say("identity", persona, question, history), "identity")
    kind = _small_talk(said, persona)
    if kind:
        return Routed(_say(kind, persona, question, history), kind)
    if any(_is_about(limit, question) for limit in persona.limits):
        return Routed(_say("limit", persona, question, history), "limit")
    return None


def unknown(persona: Persona, question: str, history: Sequence[Turn] = ()) -> str:
    """The honest answer when no note is about the question. Its wording varies."""
    return _say("unknown", persona, question, history)


def names_a_stranger(persona: Persona, question: str, found: Sequence[FoundNote], history: Sequence[Turn]) -> bool:
    """Whether the question is about somebody or something by name that stands in none of the found notes."""
    known = vocabulary(" ".join([persona.name, persona.title, *(f"{f.note.title} {f.note.text}" for f in found)]))
    said = vocabulary(" ".join(turn.text for turn in history[-4:] if turn.role is Role.AVATAR))
    asked = [claim for claim in claims(_INTRODUCES.sub(" ", question)) if claim.kind == "name"]
    return any(not name_known(key, known | said) for claim in asked for key in claim.keys)


def _say(kind: str, persona: Persona, question: str, history: Sequence[Turn]) -> str:
    """The persona's own phrase for this kind, or a standard one; not the one it said last."""
    own = [phrase.text for phrase in persona.phrases if phrase.kind == kind and kind in OWN_WORDS]
    suggestion = pick(persona.suggestions, question) if persona.suggestions else "What do you do?"
    filled = [fill(text, persona, suggestion) for text in own or STANDARD[kind]]
    last = history[-1].text if history else ""
    fresh = [text for text in filled if text != last]
    return pick(fresh or filled, question)


def fill(text: str, persona: Persona, suggestion: str) -> str:
    """A phrase with {name}, {title}, {disclosure}, {ask}, {Ask}, {try_this} filled in. Raises KeyError for others."""
    ask = persona.ask_instead
    return text.format(
        name=persona.name,
        title=persona.title,
        disclosure=persona.disclosure,
        ask=ask,
        Ask=ask[:1].upper() + ask[1:],
        try_this=suggestion,
    )


def _plain(question: str) -> str:
    """Lower case, straight apostrophes, no look-alike letters, no invisible ones, single spaces."""
    text = unicodedata.normalize("NFKC", question).replace("’", "'").replace("‘", "'")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return re.sub(r"\s+", " ", text).strip().lower()


def _asks_for_the_person(said: str, persona: Persona) -> bool:
    """Whether somebody asks if this is the person portrayed: by name, so it differs from persona to persona."""
    called = re.findall(r"[^\W\d]{3,}", f"{persona.name} {persona.title}".lower())
    names = "|".join(map(re.escape, called))
    name = rf"(?:(?:the|real|actual|true|late|original) )*(?:(?:{names})\b ?)+"
    ends = r"(?:$|[^\w\s']| (?:herself|himself|themselves|speaking|talking|writing|here|in person|or|now|today)\b)"
    really = r"(?:(?:really|actually|truly|in fact|indeed|still|just) )*"
    patterns = (
        rf"\b(?:are|aren't|r) (?:you|u) {really}{name}\W*{ends}",
        rf"\b(?:you are|you're|ur) {really}{name}\W*{ends}",
        rf"\b(?:is|isn't) (?:this|that|it) {really}{name}\W*{ends}",
        rf"\bis {name}(?:{really})(?:there|here|alive|dead|real|writing|typing|answering|talking|speaking|online)\b",
        rf"\b(?:did|has) {name}{really}(?:write|written|say|said|type|typed|record)(?:ed)? (?:this|these|that|it)"
        rf"(?: answers?| words| \w+sel(?:f|ves))*\W*$",
        r"\bis (?:this|that|it) (?:all )?(?:a |an )?(?:(?:pre-?)?record(?:ed|ing)|live|automated|scripted)\W*$",
    )
    return any(re.search(pattern, said) for pattern in patterns)


def _small_talk(said: str, persona: Persona) -> str:
    """The kind of small talk that the whole message is; "" when there is more to it."""
    called = "|".join(re.escape(word.lower()) for word in re.findall(r"[^\W\d]+", f"{persona.name} {persona.title}"))
    said = re.sub(rf"[\s,]*\b(?:{called}|there|all|everyone|ma'am|sir|again)\b", "", said)
    said = re.sub(r"[^\w\s']+", " ", said)
    said = re.sub(r"\s+", " ", said).strip()
    said = re.sub(rf"^(?:{GREETING}) (?=(?:{WHO}|{ABILITIES}|{HOW})$)", "", said)
    for kind, pattern in SMALL_TALK.items():
        if pattern.fullmatch(said):
            return kind
    return ""


def _is_about(limit: str, question: str) -> bool:
    """Whether every word of a limit that carries meaning stands in the question."""
    words = content_words(limit)
    return bool(words) and words <= content_words(question)


_INTRODUCES = re.compile(
    r"\b(?:i am|i'm|my name is|call me|greetings from|i live in|i work (?:at|for|in)|hi,? this is)\s+[^,.;!?]*",
    re.IGNORECASE,
)
