"""Rough phonemes from letters, for a speech server that times characters only: enough for a mouth to move."""

from collections.abc import Sequence

from bot.media import Phoneme, samples

_PAIRS = {
    "sh": "ʃ", "ch": "tʃ", "th": "θ", "ph": "f", "wh": "w", "ng": "ŋ", "ck": "k", "qu": "kw", "ee": "i", "ea": "i",
    "oo": "u", "ou": "aʊ", "ow": "oʊ", "ai": "eɪ", "ay": "eɪ", "oi": "ɔɪ", "oy": "ɔɪ", "au": "ɔ", "aw": "ɔ",
    "er": "ɜ", "ir": "ɜ", "ur": "ɜ",
}  # fmt: skip
_SINGLE = {
    "a": "æ", "b": "b", "c": "k", "d": "d", "e": "ɛ", "f": "f", "g": "ɡ", "h": "h", "i": "ɪ", "j": "dʒ", "k": "k",
    "l": "l", "m": "m", "n": "n", "o": "ɑ", "p": "p", "q": "k", "r": "ɹ", "s": "s", "t": "t", "u": "ʌ", "v": "v",
    "w": "w", "x": "k", "y": "i", "z": "z",
}  # fmt: skip
_PAUSE = samples(0.06)


def rough_phonemes(letters: Sequence[tuple[str, int, int]]) -> list[Phoneme]:
    """`letters` are (character, at, duration) in samples. Digits move the mouth like a vowel; a pause is ""."""
    found: list[Phoneme] = []
    index = 0
    while index < len(letters):
        letter, at, length = letters[index]
        following = letters[index + 1] if index + 1 < len(letters) else ("", at + length, 0)
        pair = _PAIRS.get((letter + following[0]).lower())
        if pair:
            found.append(Phoneme(pair, at, following[1] + following[2] - at))
            index += 2
            continue
        symbol = _SINGLE.get(letter.lower(), "ə" if letter.isalnum() else "")
        if length and (symbol or length >= _PAUSE):
            found.append(Phoneme(symbol, at, length))
        index += 1
    return found
