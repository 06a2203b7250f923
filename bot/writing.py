"""From a question to the words of its answer: find notes, decide, ask the model, check what it says."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.decide import Ask, Fixed, decide
from bot.errors import PartFailed
from bot.grounding import Checker, Ungrounded, quoted
from bot.messages import Citation, Turn
from bot.personas import Persona
from bot.ports import ChatModel, Personas
from bot.retrieval import standalone
from bot.script import Script

NOTES = 2
MODEL_SILENT = "The language model did not answer, so this is what my notes say."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A finished answer. `text` may differ from what was streamed: then it replaces it."""

    text: str
    citations: tuple[Citation, ...] = ()
    notice: str = ""


class Writer:
    """Writes answers in a persona's manner, and nothing that its notes do not carry."""

    def __init__(self, personas: Personas, model: ChatModel) -> None:
        self._personas = personas
        self._model = model

    async def write(self, question: str, history: Sequence[Turn], persona: Persona, script: Script) -> Written:
        """Stream the answer into `script` and close it. Raises PartFailed("model") only when no note can stand in."""
        found = await self._personas.search(persona.id, standalone(question, history), NOTES)
        match decide(persona, question, found, history):
            case Fixed(text, citations):
                script.add(text)
                written = Written(text, citations)
            case Ask() as ask:
                written = await self._ask(ask, question, persona, script)
        script.close()
        return written

    async def _ask(self, ask: Ask, question: str, persona: Persona, script: Script) -> Written:
        checker = Checker(ask.notes, question, persona)
        try:
            async for piece in self._model.stream(ask.prompt):
                if released := checker.feed(piece):
                    script.add(released)
            if rest := checker.finish():
                script.add(rest)
        except Ungrounded:
            log.info("an answer left its notes and was replaced by a quotation", extra={"persona": persona.id})
            return Written(quoted(ask.notes[0]), ask.citations)
        except PartFailed:
            log.exception("the model failed; a note stands in", extra={"persona": persona.id})
            return Written(quoted(ask.notes[0]), ask.citations, MODEL_SILENT)
        return Written(script.text, ask.citations)
