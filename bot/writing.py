"""From a question to the words of its answer: find notes, decide, ask the model, check what it says."""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bot import retrieval
from bot.decide import Ask, Fixed, decide
from bot.errors import PartFailed
from bot.grounding import Checker
from bot.messages import Citation, Turn
from bot.notes import quoted
from bot.personas import Persona
from bot.ports import ChatModel, Personas
from bot.script import Script

MODEL_SILENT = "The language model did not answer, so this is what my notes say."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A finished answer. `replaced` says that `text` stands in place of what was streamed."""

    text: str
    citations: tuple[Citation, ...] = ()
    notice: str = ""
    replaced: bool = False


class Writer:
    """Writes answers in a persona's manner, and nothing that its notes do not carry."""

    def __init__(self, personas: Personas, model: ChatModel) -> None:
        self._personas = personas
        self._model = model

    async def write(self, question: str, history: Sequence[Turn], persona: Persona, script: Script) -> Written:
        """Stream the answer into `script` and close it. A model that fails is stood in for by the best note."""
        search = retrieval.standalone(question, history)
        found = await self._personas.search(persona.id, search, retrieval.SEARCH_LIMIT)
        match decide(persona, question, found, history):
            case Fixed(text=text, citations=citations):
                script.add(text)
                written = Written(text, citations)
            case Ask() as ask:
                checker = Checker(ask.notes, question, persona, history)
                written = await self._ask(ask, question, checker, script)
        script.close()
        return written

    async def _ask(self, ask: Ask, question: str, checker: Checker, script: Script) -> Written:
        try:
            await self._stream(ask, checker, script)
        except PartFailed as error:
            log.exception("the model failed; a note stands in", extra={"part": error.part})
            return Written(quoted(ask.notes[0], question), ask.citations, MODEL_SILENT, replaced=True)
        if checker.ungrounded is not None:
            log.info("an answer left its notes and goes on with a quotation")
        return Written(checker.text, ask.citations, replaced=checker.ungrounded is not None)

    async def _stream(self, ask: Ask, checker: Checker, script: Script) -> None:
        async with aclosing(self._model.stream(ask.prompt)) as pieces:  # type: ignore[type-var]
            async for piece in pieces:
                if released := checker.feed(piece):
                    script.add(released)
                if checker.done:
                    break
        if rest := checker.finish():
            script.add(rest)
