"""Questions whose answer is not left to a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.claims import claims, name_known, vocabulary
from bot.messages import Turn
from bot.notes import pick
from bot.personas import Persona
from bot.ports import FoundNote


@dataclass(frozen=True, slots=True)
class Routed:
    """A fixed answer and what kind of question it is for."""

    text: str
    kind: str


def route(persona: Persona, question: str, history: Sequence[Turn] = ()) -> Routed | None:
    """The fixed answer to a question of a known kind; None when the question is an ordinary one."""
    return None


def unknown(persona: Persona, question: str) -> str:
    """The honest answer when no note is about the question. Its wording varies with the question."""
    return pick(_UNKNOWN, question).format(ask=persona.ask_instead)


def names_a_stranger(persona: Persona, question: str, found: Sequence[FoundNote], history: Sequence[Turn]) -> bool:
    """Whether the question is about somebody or something by name that stands in none of the found notes."""
    known = vocabulary(" ".join([persona.name, persona.title, *(f"{f.note.title} {f.note.text}" for f in found)]))
    said = vocabulary(" ".join(turn.text for turn in history[-4:]))
    asked = [claim for claim in claims(_INTRODUCES.sub(" ", question)) if claim.kind == "name"]
    return any(not name_known(key, known | said) for claim in asked for key in claim.keys)


_INTRODUCES = re.compile(
    r"\b(?:i am|i'm|my name is|this is|it's|call me|greetings from|here is|i live in|i work (?:at|for|in))\s+[^,.;!?]*",
    re.IGNORECASE,
)

_UNKNOWN = (
    "I don't know that, and I will not guess. {ask} would be the right place to ask.",
    "That is not in my notes, so I would only be guessing. Ask {ask}.",
    "I have nothing on that, I'm afraid. {ask} could tell you.",
    "I don't know. Better an honest gap than an invented answer: try {ask}.",
)
