"""A note in pieces that one vector can stand for: pure."""

import re

from bot.personas import Note

WORDS = 40  # measured: two or three sentences keep what is known apart from what is not better than a whole note

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n{2,}")


def chunks(note: Note, words: int = WORDS) -> list[str]:
    """The note in pieces of about `words` words, cut between sentences where there are any, each under its title."""
    pieces: list[list[str]] = [[]]
    for sentence in _SENTENCE.split(note.text):
        for part in _parts(sentence.split(), words):
            if pieces[-1] and len(pieces[-1]) + len(part) > words:
                pieces.append([])
            pieces[-1] += part
    return [f"{note.title}. {' '.join(piece)}" for piece in pieces if piece]


def _parts(tokens: list[str], words: int) -> list[list[str]]:
    """A sentence that is longer than a piece is cut where it must be."""
    return [tokens[at : at + words] for at in range(0, len(tokens), words)]
