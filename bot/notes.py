"""Notes as an answer uses them: as citations, and as sentences that can be quoted."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from bot.messages import Citation
from bot.personas import Note
from bot.sentences import split
from bot.words import content_words

LONGEST_QUOTE = 320


def citation(note: Note, question: str) -> Citation:
    """This note as a reader sees it under an answer, with the sentence that meets the question best."""
    return Citation(note.id, note.title, note.source, note.date, best_sentences(note.text, question, 1))


def citations(notes: Iterable[Note], question: str) -> tuple[Citation, ...]:
    """One citation a note, in order."""
    return tuple(citation(note, question) for note in notes)


def best_sentences(text: str, question: str, count: int, apart_from: str = "") -> str:
    """The `count` neighbouring sentences of a note that share most with the question, and least with `apart_from`."""
    sentences = split(text)
    asked, told = content_words(question), content_words(apart_from)
    windows = [sentences[i : i + count] for i in range(max(1, len(sentences) - count + 1))]

    def worth(window: Iterable[str]) -> float:
        words = content_words(" ".join(window))
        return len(words & asked) - len(words & told - asked) / 3

    best = " ".join(max(windows, key=worth)) if windows else text.strip()
    return best if len(best) <= LONGEST_QUOTE else _shortened(best)


def quoted(note: Note, question: str = "", apart_from: str = "") -> str:
    """The sentence that stands in for an answer that was not safe to give: the note itself, in quotation marks."""
    quote = best_sentences(note.text, question, 2, apart_from)
    opening = pick(_OPENINGS, question + note.id)
    return f"{opening} “{_inner(quote)}”"


def pick(variants: Sequence[str], key: str) -> str:
    """One of the variants: always the same for the same key, different ones for different keys."""
    digest = hashlib.blake2b(key.strip().lower().encode(), digest_size=4).digest()
    return variants[int.from_bytes(digest, "big") % len(variants)]


_OPENINGS = (
    "Let me give you that exactly as my notes have it:",
    "I would rather quote than misremember. My notes say:",
    "Here is what my notes say about that:",
    "On this I stay close to the page. It reads:",
)


def _inner(quote: str) -> str:
    """Double quotation marks become single ones inside a quotation."""
    return re.sub(r'"([^"]*)"', r"‘\1’", quote).replace("“", "‘").replace("”", "’")


def _shortened(text: str) -> str:
    cut = text[:LONGEST_QUOTE].rfind(" ")
    return text[:cut].rstrip(" ,;:") + " …"
