"""Streamed tokens to pieces that can be spoken: the first clause early, then sentence by sentence.

A mark ends a piece only when what follows it has been seen, so that `3.5`, `Dr. Aiken` and `U.S. Navy` stay whole
however the tokens happen to be cut.
"""

import re

from bot.words import listed

FIRST_CLAUSE_WORDS = 3
LONGEST = 240


ABBREVIATIONS = listed(
    "adm approx apr aug capt cf cmdr col dec dept dr e.g est feb fr gen gov hon i.e jan jr lt maj messrs mr mrs ms mt "
    "nov oct prof rep rev sen sept sgt sr st u.n vs"
)
BEFORE_A_NUMBER = listed("fig no p pp vol")
ENDS_OR_NOT = listed("a.m p.m etc inc co jr sr ltd corp u.s u.k")
"""Abbreviations that may also close a sentence; most of them need a word after them that begins one."""

_STARTERS = listed("a an and but he her his i if in it my no she so that the then there they this we when yes you")
_MARK = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s)|[。！？]+[」』”]*|\n+")
_CLAUSE = re.compile(r"[,;:](?=\s)|\s[-–—](?=\s)|—")
_LAST_WORD = re.compile(r"([\w.]+)\.$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)")
_URL = re.compile(r"https?://(?:www\.)?([^\s/)>\]]+)[^\s)>\]]*", re.IGNORECASE)
_LINE_MARK = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+•]\s+|\d+[.)]\s+)", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\w)[*_~]{1,3}(?=\S)|(?<=\S)[*_~]{1,3}(?!\w)|`+")
_PICTURES = re.compile("[\U0001f000-\U0001faff\U00002600-\U000027bf\U0001f1e6-\U0001f1ff\ufe0f\u200d\u20e3]")


class Sentences:
    """Feed it text as it comes; it gives back what may be spoken now, in order, nothing twice."""

    def __init__(self, first_clause_words: int = FIRST_CLAUSE_WORDS, longest: int = LONGEST) -> None:
        self._first_clause_words = first_clause_words
        self._longest = longest
        self._waiting = ""
        self._begun = False

    def feed(self, text: str) -> list[str]:
        """Take more text; return the pieces (plain words, no markup) that are complete by now."""
        self._waiting += text
        pieces: list[str] = []
        while (cut := self._cut()) is not None:
            self._take(cut, pieces)
        return pieces

    def finish(self) -> list[str]:
        """The text has ended: return what is left. Afterwards it is as new."""
        pieces: list[str] = []
        self._waiting += "\n"
        while (cut := self._cut()) is not None:
            self._take(cut, pieces)
        self._waiting, self._begun = "", False
        return pieces

    def _take(self, cut: int, pieces: list[str]) -> None:
        piece = speakable(self._waiting[:cut])
        self._waiting = self._waiting[cut:].lstrip(" \t\r\n")
        if any(character.isalnum() for character in piece):
            self._begun = True
            pieces.append(piece)

    def _cut(self) -> int | None:
        end = _sentence_end(self._waiting)
        if not self._begun:
            clause = self._first_clause(end)
            end = clause if clause is not None else end
        if end is not None and end <= self._longest:
            return end
        return self._too_long() if len(self._waiting) > self._longest else end

    def _first_clause(self, before: int | None) -> int | None:
        for mark in _CLAUSE.finditer(self._waiting, 0, before if before is not None else len(self._waiting)):
            if _inside_brackets(self._waiting[: mark.end()]):
                continue
            if len(self._waiting[: mark.start()].split()) >= self._first_clause_words:
                return mark.end()
        return None

    def _too_long(self) -> int:
        window = self._waiting[: self._longest]
        clauses = [mark.end() for mark in _CLAUSE.finditer(window) if mark.end() > self._longest // 3]
        if clauses:
            return clauses[-1]
        space = window.rfind(" ")
        return space if space > 0 else self._longest


def split(text: str) -> list[str]:
    """A finished text as whole sentences (no early clause)."""
    sentences = Sentences(first_clause_words=10_000, longest=100_000)
    return sentences.feed(text) + sentences.finish()


def sentence_end(text: str) -> int | None:
    """Where the first complete sentence of `text` ends; None while that cannot be known."""
    return _sentence_end(text)


def speakable(text: str) -> str:
    """Without what can be seen but not said: markup, link targets, emoji. A bare address becomes its host name."""
    text = _LINK.sub(r"\1", text)
    text = _URL.sub(r"\1", text)
    text = _LINE_MARK.sub("", text)
    text = _EMPHASIS.sub("", text)
    text = _PICTURES.sub("", text)
    return re.sub(r"\s+", " ", text).strip()


def _sentence_end(text: str) -> int | None:
    for mark in _MARK.finditer(text):
        gap = re.match(r"\s*", text[mark.end() :])
        rest = text[mark.end() + (gap.end() if gap else 0) :]
        if mark.group()[0] in "\n。！？" or (gap and "\n" in gap.group()):
            return mark.end()
        if not rest:
            return None
        if not rest[0].islower() and _ends(text[: mark.start() + 1], rest):
            return mark.end()
    return None


def _short(head: str) -> str:
    """The abbreviation, initial or list number that `head` ends with, lower-case without its last dot; or ""."""
    found = _LAST_WORD.search(head)
    if not found:
        return ""
    word = found.group(1)
    line = head[head.rfind("\n") + 1 :].strip()
    if (word.isdigit() and line == word + ".") or (len(word) == 1 and word.isupper() and word != "I"):
        return word
    return word.lower() if word.lower() in ABBREVIATIONS | BEFORE_A_NUMBER | ENDS_OR_NOT else ""


def _ends(head: str, rest: str) -> bool:
    """Whether the mark that `head` ends with closes a sentence, seeing what follows it on the same line."""
    word = _short(head) if head.endswith(".") else ""
    if not word:
        return True
    following = re.match(r"[\"'“‘(]*(\w+)", rest)
    if word in BEFORE_A_NUMBER:
        return not rest[0].isdigit()
    if word not in ENDS_OR_NOT or following is None:
        return False
    return word in {"a.m", "p.m", "etc"} or following.group(1).lower() in _STARTERS


def _inside_brackets(text: str) -> bool:
    return text.count("(") > text.count(")") or text.count("[") > text.count("]")
