"""Where a reader would breathe: a text in pieces that can be spoken one after the other, the first one short."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

FIRST = 48
"""A first sentence longer than this is cut at its first clause, so that sound comes early."""

LONGEST = 200
"""No piece is longer than this many characters, if it has a place to be cut."""

_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)\s*|\n+\s*")
_CLAUSE = re.compile(r"(?:[,;:][\"'”’)\]]*|—|–)\s+")
_JOINT = re.compile(r"\s+(?=(?:and|but|or|because|which|that|when|while|where|who|so|to|with|for|from|in|on|at)\s)")
_SPACE = re.compile(r"\s+")

_PAUSES = (  # what a piece ends with, and the seconds of silence after it
    (re.compile(r"\n\s*\n\s*$"), 0.60),
    (re.compile(r"[.!?…][\"'”’)\]]*\s*$|\n\s*$"), 0.34),
    (re.compile(r"[;:—–][\"'”’)\]]*\s*$"), 0.20),
    (re.compile(r",[\"'”’)\]]*\s*$"), 0.12),
)


@dataclass(frozen=True, slots=True)
class Clause:
    """text[start:end], and the seconds of silence that belong after it."""

    start: int
    end: int
    pause: float


def clauses(text: str, solid: Sequence[tuple[int, int]] = ()) -> list[Clause]:
    """Cut `text`, but never within a `solid` stretch; the clauses cover it without gaps.

    Empty for a text without a letter or a digit.
    """
    edges = [0]
    whole = _Text(text, tuple(solid))
    for index, (start, end) in enumerate(_sentences(text)):
        edges += _cuts(whole, start, end, early=index == 0)
    spans = [(a, b) for a, b in pairwise(edges) if a < b]
    return [Clause(a, b, _pause(text[a:b])) for a, b in _voiced(text, spans)]


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE.finditer(text):
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    solid: tuple[tuple[int, int], ...]

    def ends(self, kind: re.Pattern[str], start: int, end: int) -> list[int]:
        """Where this kind of joint ends, outside of what is solid."""
        places = (match.end() for match in kind.finditer(self.text, start, end))
        return [place for place in places if not self._within(place)]

    def _within(self, place: int) -> bool:
        index = bisect_left(self.solid, (place, 0)) - 1
        return index >= 0 and self.solid[index][0] < place < self.solid[index][1]


def _cuts(text: _Text, start: int, end: int, *, early: bool) -> list[int]:
    """Ends of the pieces of one sentence."""
    if early and end - start > FIRST:
        places = text.ends(_CLAUSE, start + 8, end - 8)
        first = next((place for place in places if _sayable(text.text[start:place])), end)
        if first - start <= LONGEST and first < end:
            return [first, *_cuts(text, first, end, early=False)]
    if end - start <= LONGEST:
        return [end]
    middle = _nearest_to_the_middle(text, start, end)
    return [*_cuts(text, start, middle, early=False), *_cuts(text, middle, end, early=False)] if middle else [end]


def _sayable(clause: str) -> bool:
    """Two words or more: a single short word sounds clipped when it is spoken on its own."""
    return len(clause.split()) >= 2


def _nearest_to_the_middle(text: _Text, start: int, end: int) -> int | None:
    middle = (start + end) // 2
    for kind, reach in ((_CLAUSE, 0.4), (_JOINT, 0.4), (_SPACE, 0.5)):
        places = text.ends(kind, start + 20, end - 20)
        near = [place for place in places if abs(place - middle) < (end - start) * reach]
        if near:
            return min(near, key=lambda place: abs(place - middle))
    return None


def _voiced(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join what has nothing to say in it to its neighbour."""

    def silent(start: int, end: int) -> bool:
        return not any(character.isalnum() for character in text[start:end])

    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and (silent(start, end) or silent(*joined[-1])):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [span for span in joined if not silent(*span)]


def _pause(clause: str) -> float:
    return next((seconds for ending, seconds in _PAUSES if ending.search(clause)), 0.03)
