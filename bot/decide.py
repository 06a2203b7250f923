"""What is done with a question, decided in code: a fixed answer, or the model with one or two notes.

A small model is asked only what its notes can answer. Whatever must not go wrong is not left to it: who it is, pay,
law, health, harm, attempts to talk it out of its role, and the admission that nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot import retrieval, routing
from bot.messages import Citation, Turn
from bot.notes import citations
from bot.personas import Note, Persona, Prompt, compose
from bot.ports import FoundNote


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer that needs no model. `kind` says why: a routing.Kind, or "unknown"."""

    text: str
    citations: tuple[Citation, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the model; check what it writes with `grounding.Checker(notes, question, persona, history)`."""

    prompt: Prompt
    notes: tuple[Note, ...]
    citations: tuple[Citation, ...]


def decide(persona: Persona, question: str, found: Sequence[FoundNote], history: Sequence[Turn]) -> Fixed | Ask:
    """Answer at once, or say what to ask the model.

    `found` are the notes nearest to `retrieval.standalone(question, history)`, `retrieval.SEARCH_LIMIT` of them.
    """
    routed = routing.route(persona, question, history)
    if routed is not None:
        return Fixed(routed.text, (), routed.kind)
    notes = tuple(retrieval.chosen(found, question, history))
    if not notes or routing.names_a_stranger(persona, question, found, history):
        return Fixed(routing.unknown(persona, question, history), (), "unknown")
    return Ask(compose(persona, notes, history, question), notes, citations(notes, question))
