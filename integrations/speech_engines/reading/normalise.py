"""Applies the rules of reading aloud, and remembers which letters became which words."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1000

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]
"""A pattern and what is said instead; None leaves the match as it is written."""


@dataclass(frozen=True)
class Reading:
    """A text as written and as spoken.

    `knots` are pairs (offset in written, offset in spoken), both rising. `solid` are the stretches of `spoken` that
    were written otherwise (a date, a sum) and should be said in one breath.
    """

    written: str
    spoken: str
    knots: tuple[tuple[int, int], ...]
    solid: tuple[tuple[int, int], ...] = ()
    _columns: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_columns", np.array(self.knots, dtype=float).T)

    def spoken_at(self, offset: int) -> float:
        """Where in `spoken` the written text up to `offset` ends."""
        return float(np.interp(offset, *self._columns))

    def spoken_between(self, first: int, end: int) -> NDArray[np.float64]:
        """`spoken_at` of every offset from `first` to `end`, both included."""
        return np.interp(np.arange(first, end + 1), *self._columns)

    def written_span(self, start: int, end: int, *, last: bool) -> tuple[int, int]:
        """The written characters that begin within spoken[start:end]; consecutive spans leave nothing out."""
        first = 0 if start == 0 else self._written_from(start)
        return first, len(self.written) if last else self._written_from(end)

    def _written_from(self, spoken: int) -> int:
        low, high = 0, len(self.written)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.spoken_at(middle) >= spoken else (middle + 1, high)
        return low


def read(text: str) -> Reading:
    """`text` as somebody would read it out in American English."""
    from integrations.speech_engines.reading import calendar, quantities, symbols

    rules = (*symbols.ADDRESSES, *calendar.RULES, *quantities.RULES, *symbols.RULES)
    readings = [apply(text[start:end], rules) for start, end in _blocks(text)]
    return readings[0] if len(readings) == 1 else _chained(text, readings)


def _blocks(text: str) -> list[tuple[int, int]]:
    """Cut at white space: some rules take time that grows with the square of the length."""
    blocks: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > _BLOCK:
        window = text[start : start + _BLOCK]
        cut = max(window.rfind("\n"), window.rfind(". ")) + 1 or window.rfind(" ") + 1 or _BLOCK
        blocks.append((start, start + cut))
        start += cut
    return [*blocks, (start, len(text))]


def _chained(text: str, readings: list[Reading]) -> Reading:
    knots: list[tuple[int, int]] = []
    solid: list[tuple[int, int]] = []
    written = spoken = 0
    for reading in readings:
        knots += [(a + written, b + spoken) for a, b in reading.knots]
        solid += [(a + spoken, b + spoken) for a, b in reading.solid]
        written += len(reading.written)
        spoken += len(reading.spoken)
    return Reading(text, "".join(r.spoken for r in readings), tuple(dict.fromkeys(knots)), tuple(solid))


def apply(text: str, rules: Iterable[Rule]) -> Reading:
    """Earlier rules win; what one rule has replaced, no other sees, but each sees the whole text around its match."""
    taken: list[tuple[int, int, str]] = []
    covered = bytearray(len(text))
    for pattern, say in rules:
        at = 0
        while match := pattern.search(text, at):
            start, end = match.span()
            clash = covered.find(1, start, end)
            words = None if clash >= 0 or start == end else say(match)
            if words is not None:
                taken.append((start, end, words))
                covered[start:end] = b"\1" * (end - start)
            free = covered.find(0, clash) if clash >= 0 else end
            at = max(free if free >= 0 else len(text), start + 1)
    return _joined(text, sorted(taken))


def _joined(text: str, taken: list[tuple[int, int, str]]) -> Reading:
    parts: list[str] = []
    knots = [(0, 0)]
    solid: list[tuple[int, int]] = []
    at = length = 0
    for start, end, words in [*taken, (len(text), len(text), "")]:
        length += start - at
        knots.append((start, length))
        knots += [(start + a, length + b) for a, b in _anchors(text[start:end], words)]
        solid.append((length, length + len(words)))
        length += len(words)
        knots.append((end, length))
        parts += [text[at:start], words]
        at = end
    return Reading(text, "".join(parts), tuple(dict.fromkeys(knots)), tuple(solid))


def _anchors(written: str, words: str) -> list[tuple[int, int]]:
    """Places within a rewritten stretch that are the same in both: a word at its beginning or end, its commas."""
    found = []
    head = re.match(r"[A-Za-z]{2,}(?= )", words)
    if head and written.lower().startswith(head[0].lower()):
        found.append((head.end(), head.end()))
    commas = [[match.end() for match in re.finditer(", ", text)] for text in (written, words)]
    if len(commas[0]) == len(commas[1]):
        found += list(zip(*commas, strict=True))
    tail = re.search(r"(?<= )[A-Za-z]{2,}$", words)
    if tail and written.lower().endswith(tail[0].lower()) and len(written) > len(tail[0]):
        found.append((len(written) - len(tail[0]), tail.start()))
    return sorted(set(found))
