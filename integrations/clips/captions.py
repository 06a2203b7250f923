"""Spoken words to WebVTT, a readable line or two at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.media import Word, seconds

LINE = 38
LONGEST_CUE = 4.0
LINGER = 0.25
_ENDS = (".", "!", "?", "…", ":", ";")


@dataclass(frozen=True, slots=True)
class Cue:
    """Text shown from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def cues(words: Iterable[Word]) -> list[Cue]:
    """Group words into cues of at most two short lines that end where a clause ends."""
    groups: list[list[Word]] = []
    for word in words:
        if not groups or _full(groups[-1], word):
            groups.append([])
        groups[-1].append(word)
    starts = [seconds(group[0].at) for group in groups] + [float("inf")]
    return [
        Cue(starts[i], min(seconds(group[-1].at + group[-1].duration) + LINGER, starts[i + 1]), _wrap(group))
        for i, group in enumerate(groups)
    ]


def webvtt(every: Sequence[Cue]) -> str:
    """The sidecar file's text."""
    blocks = (f"{_stamp(cue.start)} --> {_stamp(cue.end)}\n{_escape(cue.text)}\n" for cue in every)
    return "WEBVTT\n\n" + "\n".join(blocks)


def _full(group: Sequence[Word], word: Word) -> bool:
    length = sum(len(each.text) + 1 for each in group)
    lasts = seconds(word.at + word.duration - group[0].at)
    ended = group[-1].text.endswith(_ENDS) and length > LINE // 2
    return ended or length + len(word.text) > 2 * LINE or lasts > LONGEST_CUE


def _wrap(group: Sequence[Word]) -> str:
    """One line, or two of about the same length."""
    text = " ".join(word.text for word in group)
    if len(text) <= LINE:
        return text
    breaks = [i for i, char in enumerate(text) if char == " "]
    middle = min(breaks, key=lambda i: abs(i - len(text) / 2), default=None)
    return text if middle is None else f"{text[:middle]}\n{text[middle + 1 :]}"


def _stamp(time: float) -> str:
    ms = round(time * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
