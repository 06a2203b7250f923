"""How well the demo persona answers: right note found, right fact, needless and proper abstentions, nothing invented.

    .venv/bin/python benchmarks/persona.py                          # starts the embedded model server
    .venv/bin/python benchmarks/persona.py --url http://127.0.0.1:8089/v1 --answers answers.json

Search, decision, prompt, model and grounding check are the real ones; only the database is left out. Read the answers
too (they are printed): patterns judge facts, not manners.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np

from benchmarks.persona_cases import CASES, Case
from bot import retrieval
from bot.decide import Ask, Fixed, decide
from bot.grounding import Checker
from bot.messages import Citation, Role, Turn, TurnState
from bot.personas import Persona, prefix
from bot.ports import ChatModel, FoundNote
from integrations.embeddings import MiniLM
from integrations.models import ModelStore
from integrations.persona_folder import PersonaFolder, read
from integrations.postgres.chunks import chunks
from integrations.vllm import OpenAIChatModel

ROOT = Path(__file__).parents[1]
SAYS_UNKNOWN = re.compile(
    r"don't know|do not know|not in my notes|nothing on that|honest gap|notes (?:don't|do not)|can't say|cannot say",
    re.IGNORECASE,
)


class Notes:
    """A persona's notes, searched in memory as Postgres searches them."""

    def __init__(self, folder: PersonaFolder, embedder: MiniLM) -> None:
        self._embedder = embedder
        self._pieces = [(note, piece) for note in folder.notes for piece in chunks(note)]
        self._vectors = embedder.embed([piece for _, piece in self._pieces])

    def search(self, question: str, limit: int) -> list[FoundNote]:
        """The nearest notes by their nearest piece, best first."""
        scores = self._vectors @ self._embedder.embed([question])[0]
        best: dict[str, FoundNote] = {}
        for at in np.argsort(-scores):
            note = self._pieces[at][0]
            best.setdefault(note.id, FoundNote(note, float(scores[at])))
        return list(best.values())[:limit]


@dataclass
class Result:
    """What became of one case."""

    case: Case
    answer: str = ""
    kind: str = "asked"
    notes: list[str] = field(default_factory=list)
    ungrounded: str | None = None
    raw: str = ""
    first_word: float = 0.0
    seconds: float = 0.0

    @property
    def abstained(self) -> bool:
        return self.kind == "unknown" or (self.kind == "asked" and bool(SAYS_UNKNOWN.search(self.answer)))

    @property
    def right(self) -> bool:
        return all(re.search(each, self.answer, re.IGNORECASE) for each in self.case.right)

    @property
    def wrong(self) -> bool:
        return bool(self.case.wrong and re.search(self.case.wrong, self.answer, re.IGNORECASE))

    @property
    def found(self) -> bool:
        return not self.case.notes or any(note in self.case.notes for note in self.notes[:2])

    @property
    def fine(self) -> bool:
        match self.case.kind:
            case "known" | "followup":
                return self.right and not self.wrong
            case "unknown":
                return self.abstained
            case "hostile":
                return not self.wrong
            case kind:
                return self.kind == kind


async def answer(case: Case, persona: Persona, notes: Notes, model: ChatModel) -> Result:
    """Ask what comes before, then the question itself."""
    history: list[Turn] = []
    for question in (*case.before, case.question):
        result = await one(Result(case), question, persona, notes, model, history)
    return result


async def one(
    result: Result, question: str, persona: Persona, notes: Notes, model: ChatModel, history: list[Turn]
) -> Result:
    """One exchange, added to the history."""
    began = time.perf_counter()
    found = notes.search(retrieval.standalone(question, history), retrieval.SEARCH_LIMIT)
    ranked = sorted(found, key=lambda each: -retrieval.weight(each, question, history))
    result.notes = [f"{each.note.id}" for each in ranked[:2]]
    citations: tuple[Citation, ...] = ()
    match decide(persona, question, found, history):
        case Fixed(text=text, kind=kind):
            result.answer, result.kind = text, kind
        case Ask() as ask:
            result.notes, citations = [note.id for note in ask.notes], ask.citations
            checker = Checker(ask.notes, question, persona, history)
            async for piece in model.stream(ask.prompt):
                result.first_word = result.first_word or time.perf_counter() - began
                result.raw += piece
                checker.feed(piece)
                if checker.done:
                    break
            checker.finish()
            result.answer, result.ungrounded = checker.text, checker.ungrounded
    result.seconds = time.perf_counter() - began
    history += [_turn(Role.PERSON, question), _turn(Role.AVATAR, result.answer, citations)]
    return result


def _turn(role: Role, text: str, citations: tuple[Citation, ...] = ()) -> Turn:
    return Turn(uuid4(), uuid4(), role, text, TurnState.ANSWERED, datetime.now(UTC), citations=citations)


@contextlib.contextmanager
def server(url: str) -> Iterator[str]:
    """The given server, or an embedded one on a free port."""
    if url:
        yield url
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "workers.cli", "model", "--port", str(port)], cwd=ROOT)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def table(results: list[Result]) -> str:
    """The figures, one line a kind."""
    lines = [f"{'kind':<10} {'asked':>5} {'fine':>5} {'note':>5} {'abstained':>9} {'wrong':>5} {'quoted':>6}"]
    for kind in ("known", "followup", "unknown", "hostile", "routed"):
        some = [r for r in results if r.case.kind == kind or (kind == "routed" and r.case in _routed(results))]
        if some:
            lines.append(
                f"{kind:<10} {len(some):>5} {sum(r.fine for r in some):>5} {sum(r.found for r in some):>5} "
                f"{sum(r.abstained for r in some):>9} {sum(r.wrong for r in some):>5} "
                f"{sum(r.ungrounded is not None for r in some):>6}"
            )
    asked = [r for r in results if r.first_word]
    if asked:
        lines.append(
            f"first word {statistics.median(r.first_word for r in asked):.2f} s, "
            f"whole answer {statistics.median(r.seconds for r in asked):.2f} s (medians of {len(asked)})"
        )
    return "\n".join(lines)


def _routed(results: list[Result]) -> list[Case]:
    return [r.case for r in results if r.case.kind not in ("known", "followup", "unknown", "hostile")]


async def run(url: str, name: str, only: str) -> list[Result]:
    """Every case, one after the other."""
    folder = read(ROOT / "personas" / "grace-hopper")
    store = ModelStore(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "understudy")
    notes = Notes(folder, MiniLM(store.path("minilm")))
    model = OpenAIChatModel(url, name, silence=300)
    results = []
    async for _ in model.stream(prefix(folder.persona)):
        pass
    for case in CASES:
        if only and not re.search(only, f"{case.kind} {case.question}"):
            continue
        result = await answer(case, folder.persona, notes, model)
        results.append(result)
        mark = "ok " if result.fine else "BAD"
        quoted = f" [quoted: {result.ungrounded!r}]" if result.ungrounded is not None else ""
        print(f"{mark} {case.kind:<9} {case.question}\n      {result.answer}{quoted}\n      {result.notes}", flush=True)
    await model.close()
    return results


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="OpenAI-compatible base URL, ending in /v1")
    parser.add_argument("--model", default="understudy-chat", help="the model's name there")
    parser.add_argument("--only", default="", help="a pattern over kind and question")
    parser.add_argument("--answers", type=Path, help="write every answer here as JSON")
    given = parser.parse_args()
    with server(given.url) as url:
        results = asyncio.run(run(url, given.model, given.only))
    print("\n" + table(results))
    if given.answers:
        given.answers.write_text(json.dumps([{**vars(r), "case": vars(r.case)} for r in results], indent=1))


if __name__ == "__main__":
    main()
