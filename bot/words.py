"""English words, roughly: which carry meaning, and which of them are the same word."""

import re


def listed(text: str) -> frozenset[str]:
    """A set of words written as running text."""
    return frozenset(text.split())


STOP_WORDS = listed(
    """
    a about an and any are as at be been but by can could did do does done for from had has have he her hers him his
    how i if in into is it its just me mine my of on or our she should so some tell than that the their them then
    there these they this those to up us was we were what when where which who whom whose why will with would you
    your yours please thing things much many really ever say said know like think get got make made also
    go goes went give gave stand stands happen happened people
    """
)
"""Words that carry no meaning of their own."""
_WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
_ENDINGS = re.compile(r"(?:'s|’s|ies|ing|ed|es|s|ly|ment|(?<=\w{5})er|e|y)$")

_SHORT = {"died": "die", "dies": "die", "dying": "die", "lied": "lie", "tied": "tie"}


def stem(word: str) -> str:
    """A rough common form: `computers`, `computing` and `computer` meet. Enough to compare, not to show."""
    word = word.lower()
    if word in _SHORT:
        return _SHORT[word]
    for _ in range(2):
        shorter = _ENDINGS.sub("", word)
        if len(shorter) < 4:
            break
        word = shorter
    return word


def content_words(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning."""
    found: set[str] = set()
    for word in _WORD.findall(text):
        parts = [word, *word.split("-")] if "-" in word else [word]
        found |= {stem(part) for part in parts if part.lower() not in STOP_WORDS and len(part) > 1}
    return frozenset(found)
