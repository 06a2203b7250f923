"""Kokoro's alphabet: which number each phoneme symbol has in the model, and which IPA it stands for."""

_LETTERS = "abcdef hijklmnopqrstuvwxyz"  # 43..68; there is no "g", which is written "ɡ"

NUMBERS: dict[str, int] = {
    **{mark: number for number, mark in enumerate(";:,.!?", start=1)},
    **{"—": 9, "…": 10, '"': 11, "(": 12, ")": 13, "“": 14, "”": 15, " ": 16},
    **{"A": 24, "I": 25, "O": 31, "Q": 33, "S": 35, "T": 36, "W": 39, "Y": 41, "ᵊ": 42},
    **{letter: number for number, letter in enumerate(_LETTERS, start=43) if letter != " "},
    **{"ɑ": 69, "ɐ": 70, "ɒ": 71, "æ": 72, "β": 75, "ɔ": 76, "ɕ": 77, "ç": 78, "ɖ": 80, "ð": 81, "ʤ": 82, "ə": 83},
    **{"ɚ": 85, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92, "ɥ": 99, "ɨ": 101, "ɪ": 102, "ʝ": 103, "ɯ": 110, "ɰ": 111},
    **{"ŋ": 112, "ɳ": 113, "ɲ": 114, "ɴ": 115, "ø": 116, "ɸ": 118, "θ": 119, "œ": 120, "ɹ": 123, "ɾ": 125},
    **{"ɻ": 126, "ʁ": 128, "ɽ": 129, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136, "ʌ": 138},
    **{"ɣ": 139, "ɤ": 140, "χ": 142, "ʎ": 143, "ʒ": 147, "ʔ": 148, "ˈ": 156, "ˌ": 157, "ː": 158, "ʰ": 162},
    **{"ʲ": 164, "↓": 169, "→": 171, "↗": 172, "↘": 173, "ᵻ": 177},
}
"""Symbol to token. Token 0 pads both ends."""

LONGEST = 510
"""Symbols the model takes at once."""

STRESS = frozenset("ˈˌː")
SILENT = frozenset(' ;:,.!?—…"()“”')

_IPA = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "ʤ": "dʒ", "ʧ": "tʃ", "T": "ɾ",
    "ᵊ": "ə", "ᵻ": "ɪ",
}  # fmt: skip


def ipa(symbol: str) -> str:
    """The IPA of one symbol without stress; a diphthong or an affricate is one sound of two letters."""
    return "" if symbol in SILENT else _IPA.get(symbol, symbol)
