"""A ChatSurface in memory: everything that was shown can be read from it."""

from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from bot.errors import PartFailed
from bot.messages import Address, Answer, Author, Clip
from bot.ports import Stage


@dataclass
class ShownAnswer:
    """An answer's message: what was streamed into it, and its final form."""

    ref: str
    address: Address
    question_id: UUID
    text: str = ""
    pieces: list[str] = field(default_factory=list)
    final: Answer | None = None


class MemorySurface:
    """Implements bot.ports.ChatSurface. `fails` names calls that raise PartFailed("surface"); `retryable` says how."""

    def __init__(self, *, fails: set[str] | None = None, retryable: bool = False) -> None:
        self.fails = fails or set()
        self.retryable = retryable
        self.answers: dict[str, ShownAnswer] = {}
        self.statuses: list[tuple[UUID, Stage, float | None]] = []
        self.clips: list[tuple[Address, Clip, Answer]] = []
        self.said: list[tuple[Address, Author, str]] = []
        self._number = count(1)

    async def status(self, address: Address, turn_id: UUID, stage: Stage, progress: float | None = None) -> None:
        self.statuses.append((turn_id, stage, progress))

    async def stream(self, address: Address, turn_id: UUID, author: Author, ref: str | None) -> "MemoryStream":
        self._may("stream")
        if ref is None:
            ref = f"m{next(self._number)}"
            self.answers[ref] = ShownAnswer(ref, address, turn_id)
        return MemoryStream(self, self.answers[ref])

    async def show(self, address: Address, clip: Clip, answer: Answer) -> None:
        self._may("show")
        if not any(clip == each for _, each, _ in self.clips):
            self.clips.append((address, clip, answer))

    async def say(self, address: Address, author: Author, text: str) -> str:
        self._may("say")
        self.said.append((address, author, text))
        return f"s{len(self.said)}"

    def stages(self, turn_id: UUID) -> list[Stage]:
        """The stages of a turn, without repetition."""
        mine = [stage for turn, stage, _ in self.statuses if turn == turn_id]
        return [stage for i, stage in enumerate(mine) if i == 0 or stage != mine[i - 1]]

    def _may(self, call: str) -> None:
        if call in self.fails:
            raise PartFailed("surface", f"{call} fails", retryable=self.retryable)


class MemoryStream:
    """An answer being written into a MemorySurface. A new attempt begins with an empty message."""

    def __init__(self, surface: MemorySurface, shown: ShownAnswer) -> None:
        self._surface = surface
        self._shown = shown
        self._fresh = True

    @property
    def ref(self) -> str:
        return self._shown.ref

    async def append(self, text: str) -> None:
        self._surface._may("append")
        if self._fresh:
            self._fresh, self._shown.text = False, ""
        self._shown.text += text
        self._shown.pieces.append(text)

    async def finish(self, answer: Answer) -> None:
        self._surface._may("finish")
        self._shown.text, self._shown.final = answer.text, answer
