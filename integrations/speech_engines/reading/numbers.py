"""Numbers in English words, American manner: no "and", no commas."""

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ["", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion"]
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LARGEST = 10 ** (3 * len(_SCALES))


def cardinal(value: int) -> str:
    """1234 is "one thousand two hundred thirty-four". Beyond LARGEST, digit by digit."""
    if value < 0:
        return f"minus {cardinal(-value)}"
    if value >= LARGEST:
        return digits(str(value))
    if value < 1000:
        return _below_thousand(value)
    groups = []
    for scale in _SCALES:
        value, group = divmod(value, 1000)
        if group:
            groups.append(_below_thousand(group) + scale)
    return " ".join(reversed(groups))


def _below_thousand(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    if hundreds:
        return f"{_ONES[hundreds]} hundred" + (f" {_below_thousand(rest)}" if rest else "")
    if rest < 20:
        return _ONES[rest]
    tens, ones = divmod(rest, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def ordinal(value: int) -> str:
    """21 is "twenty-first"."""
    words = cardinal(value)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[cut:]
    if last in _ORDINALS:
        return words[:cut] + _ORDINALS[last]
    return words[:cut] + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(value: int) -> str:
    """1906 is "nineteen oh six", 2026 "twenty twenty-six", 2005 "two thousand five"."""
    century, rest = divmod(value, 100)
    if not 1000 <= value <= 9999 or (century % 10 == 0 and rest < 10):
        return cardinal(value)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def decade(value: int) -> str:
    """1940 is "nineteen forties", 90 is "nineties"."""
    words = year(value) if value >= 1000 else cardinal(value)
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def digits(text: str) -> str:
    """ "007" is "zero zero seven"."""
    return " ".join(_ONES[int(digit)] for digit in text if digit.isdigit())


def decimal(text: str) -> str:
    """ "1,234.50" is "one thousand two hundred thirty-four point five zero"; ".5" is "point five"."""
    whole, point, rest = text.replace(",", "").partition(".")
    if not whole:
        words = ""
    elif len(whole) > 1 and whole.startswith("0"):
        words = digits(whole)
    else:
        words = cardinal(int(whole))
    return f"{words} point {digits(rest)}".strip() if point and rest else words
