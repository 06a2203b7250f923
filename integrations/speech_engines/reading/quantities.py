"""Money, percentages, measures, fractions, ranges, telephone and version numbers, plain numbers."""

import re

from integrations.speech_engines.reading.normalise import Rule
from integrations.speech_engines.reading.numbers import cardinal, decimal, digits, ordinal

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_DASH = r"\s?[-–—]\s?"
_CURRENCIES = {
    "$": ("dollar", "cent"), "US$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"),
    "¥": ("yen", ""), "₹": ("rupee", "paisa"),
}  # fmt: skip
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_SCALES = {
    "k": "thousand", "m": "million", "mm": "million", "mn": "million", "b": "billion", "bn": "billion",
    "t": "trillion", "tn": "trillion",
}  # fmt: skip
_SCALE = r"(?P<scale>\s?(?:thousand|million|billion|trillion)\b|\s?(?:mm|mn|bn|tn)\b|[kKmMbBtT]\b)"
_UNITS = {  # singular, plural
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "µm": "micrometer", "nm": "nanometer",
    "mi": "mile", "ft": "foot|feet", "yd": "yard", "kg": "kilogram", "g": "gram", "mg": "milligram",
    "lb": "pound", "lbs": "pound", "oz": "ounce", "l": "liter", "L": "liter", "ml": "milliliter", "mL": "milliliter",
    "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte",
    "Kbps": "kilobit per second|kilobits per second", "Mbps": "megabit per second|megabits per second",
    "Gbps": "gigabit per second|gigabits per second", "Hz": "hertz|hertz", "kHz": "kilohertz|kilohertz",
    "MHz": "megahertz|megahertz", "GHz": "gigahertz|gigahertz", "W": "watt", "kW": "kilowatt", "MW": "megawatt",
    "kWh": "kilowatt hour", "V": "volt", "mA": "milliamp", "ns": "nanosecond", "µs": "microsecond",
    "ms": "millisecond", "sec": "second", "min": "minute", "mins": "minute", "h": "hour", "hr": "hour",
    "hrs": "hour", "yr": "year", "yrs": "year", "mph": "mile per hour|miles per hour",
    "km/h": "kilometer per hour|kilometers per hour", "kph": "kilometer per hour|kilometers per hour",
    "rpm": "R P M|R P M", "fps": "frame per second|frames per second", "dB": "decibel", "px": "pixel",
    "°C": "degree Celsius|degrees Celsius", "°F": "degree Fahrenheit|degrees Fahrenheit", "°": "degree",
    "m²": "square meter", "km²": "square kilometer", "ft²": "square foot|square feet", "m³": "cubic meter",
    "sq ft": "square foot|square feet", "ppm": "part per million|parts per million",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_DENOMINATORS = {"2": "half", "3": "third", "4": "quarter", "5": "fifth", "8": "eighth", "10": "tenth"}
_GLYPHS = {"½": "one half", "⅓": "one third", "⅔": "two thirds", "¼": "one quarter", "¾": "three quarters"}
_SIGN = r"(?P<sign>(?<![\w.)])[-−–])?"


def _signed(match: re.Match[str], words: str) -> str:
    return f"minus {words}" if match.groupdict().get("sign") else words


def _scale(text: str) -> str:
    return _SCALES.get(text.strip().lower(), text.strip())


def _money(match: re.Match[str]) -> str:
    found = match.groupdict()
    name, small = _CURRENCIES[_CODES.get(found["currency"], found["currency"])]
    amount = found["amount"].replace(",", "")
    if found.get("scale"):
        words = f"{decimal(amount)} {_scale(found['scale'])} {_many(name)}"
    else:
        words = _amount(amount, name, small)
    if found.get("per"):
        words += f" per {found['per']}"
    return _signed(match, words)


def _amount(amount: str, name: str, small: str) -> str:
    whole, _, cents = amount.partition(".")
    if not cents or not small or len(cents) > 2:
        return f"{decimal(amount)} {name if amount == '1' else _many(name)}"
    part = int(cents.ljust(2, "0"))
    change = f"{cardinal(part)} {small if part == 1 else _many(small)}"
    if int(whole or 0) == 0 and part:
        return change
    words = f"{cardinal(int(whole or 0))} {name if int(whole or 0) == 1 else _many(name)}"
    return f"{words} and {change}" if part else words


def _many(name: str) -> str:
    return {"yen": "yen", "penny": "pence", "paisa": "paise"}.get(name, name + "s")


def _money_range(match: re.Match[str]) -> str:
    name = _many(_CURRENCIES[match["currency"]][0])
    scale = f" {_scale(match['scale'])}" if match["scale"] else ""
    return f"{decimal(match[2])} to {decimal(match[3])}{scale} {name}"


def _percent(match: re.Match[str]) -> str:
    first = _signed(match, decimal(match["a"]))
    return f"{first} to {decimal(match['b'])} percent" if match["b"] else f"{first} percent"


def _measure(match: re.Match[str]) -> str:
    singular, _, plural = _UNITS[match["unit"]].partition("|")
    first = _signed(match, decimal(match["a"]))
    count = f"{first} to {decimal(match['b'])}" if match["b"] else first
    one = match["a"] == "1" and not match["b"]
    attribute = match["joint"] == "-"  # "a 5-km run"
    return f"{count} {singular if one or attribute else plural or singular + 's'}"


def _fraction(match: re.Match[str]) -> str | None:
    top, bottom = int(match["top"]), match["bottom"]
    if bottom not in _DENOMINATORS or top == 0 or top >= int(bottom):
        return None
    name = _DENOMINATORS[bottom]
    words = f"{cardinal(top)} {name if top == 1 else 'halves' if bottom == '2' else name + 's'}"
    return f"{cardinal(int(match['whole']))} and {words.replace('one ', 'a ', 1)}" if match["whole"] else words


def _phone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(digits(group) for group in groups)


def _version(match: re.Match[str]) -> str:
    parts = match[2].split(".")
    name = {"v": "version ", "V": "version "}.get(match[1], match[1])
    return name + " point ".join(cardinal(int(part)) if len(part) < 4 else digits(part) for part in parts)


def _plain(match: re.Match[str]) -> str | None:
    """A long number without commas is somebody's account or serial number, unless it is round."""
    text = match["a"]
    serial = text.isdigit() and ((len(text) > 1 and text[0] == "0") or (len(text) > 6 and not text.endswith("000")))
    return _signed(match, digits(text) if serial else decimal(text))


def _range(match: re.Match[str]) -> str:
    return f"{decimal(match[1])} to {decimal(match[2])}"


def _scaled(match: re.Match[str]) -> str:
    return f"{_signed(match, decimal(match['a']))} {_scale(match['scale'])}"


_FRACTION = re.compile(r"(?<![\d/.])(?:(?P<whole>\d+)\s)?(?P<top>\d{1,2})/(?P<bottom>\d{1,2})(?![\d/])")
_MONEY = "|".join(map(re.escape, sorted(_CURRENCIES, key=len, reverse=True)))
_CODE = "|".join(_CODES)
_PER = r"(?:\s?/\s?(?P<per>[a-z]{2,})\b)?"

RULES: tuple[Rule, ...] = (
    (re.compile(rf"(?P<currency>{_MONEY})({_NUMBER}){_DASH}(?:{_MONEY})?({_NUMBER}){_SCALE}?"), _money_range),
    (re.compile(rf"{_SIGN}(?P<currency>{_MONEY})\s?(?P<amount>{_NUMBER}){_SCALE}?{_PER}"), _money),
    (re.compile(rf"\b(?P<currency>{_CODE})\s(?P<amount>{_NUMBER}){_SCALE}?{_PER}"), _money),
    (re.compile(rf"(?<![\w.])(?P<amount>{_NUMBER}){_SCALE}?\s?(?P<currency>{_CODE}|[€£])(?!\w)"), _money),
    (re.compile(r"(?<![\w.])(\d+)\s?¢"), lambda m: f"{cardinal(int(m[1]))} cent{'' if m[1] == '1' else 's'}"),
    (re.compile(rf"{_SIGN}(?<![\w.])(?P<a>{_NUMBER})(?:\s?%?{_DASH}(?P<b>{_NUMBER}))?\s?%"), _percent),
    (re.compile(r"(?<![\w+])\+?\d{1,3}[ .-]\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"), _phone),
    (re.compile(r"(?<![\w+])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"), _phone),
    (re.compile(r"(?<![\w-])\d{3}-\d{4}(?![\d-])"), _phone),
    (re.compile(r"\b(v|V|[A-Za-z]+ )?(\d+(?:\.\d+){2,})\b"), lambda m: _version(m) if m[1] else _dotted(m[2])),
    (re.compile(r"\b([vV]|(?:[Vv]ersion|[Rr]elease|Python|Java|Postgres|Ubuntu) )(\d+(?:\.\d+)*)\b"), _version),
    (re.compile(r"\b24/7\b"), lambda m: "twenty-four seven"),
    (_FRACTION, _fraction),
    (re.compile(r"(?<![\d:])(\d+):(\d+)(?![\d:])"), lambda m: f"{cardinal(int(m[1]))} to {cardinal(int(m[2]))}"),
    (re.compile(r"\^(\d+)\b"), lambda m: f" to the {ordinal(int(m[1]))}"),
    (re.compile(r"(?:(\d+)\s?)?([½⅓⅔¼¾])"), lambda m: (f"{cardinal(int(m[1]))} and " if m[1] else "") + _GLYPHS[m[2]]),
    (re.compile(r"(?<![\w.])(\d+)'(\d{1,2})(?:\"|”)"), lambda m: f"{cardinal(int(m[1]))} foot {cardinal(int(m[2]))}"),
    (
        re.compile(
            rf"{_SIGN}(?<![\w.,])(?P<a>{_NUMBER})(?:{_DASH}(?P<b>{_NUMBER}))?(?P<joint>\s|-)?(?P<unit>{_UNIT})(?![\w²³/])"
        ),
        _measure,
    ),
    (re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b"), lambda m: ordinal(int(m[1].replace(",", "")))),
    (re.compile(rf"{_SIGN}(?<![\w.])(?P<a>{_NUMBER})(?P<scale>[kKmMbB]|bn)\b"), _scaled),
    (re.compile(r"(?<![\w.])(\d+)\s?[xX×]\s?(\d+)(?!\w)"), lambda m: f"{cardinal(int(m[1]))} by {cardinal(int(m[2]))}"),
    (re.compile(rf"(?<![\w.])({_NUMBER})[xX×](?!\w)"), lambda m: f"{decimal(m[1])} times"),
    (re.compile(r"(?:\b[Nn]os?\.\s?|#)(\d+)\b"), lambda m: f"number {cardinal(int(m[1]))}"),
    (re.compile(rf"(?<![\w.-])({_NUMBER})\s?[-–—]\s?({_NUMBER})(?![\w-]|[.,]\d)"), _range),
    (re.compile(r"(?<=[A-Za-z])-(?P<a>\d+)(?![\w-]|\.\d)"), lambda m: f" {_plain(m)}"),
    (re.compile(rf"{_SIGN}(?<![\d.,])(?P<a>{_NUMBER})(?!\d)"), lambda m: _spaced(m, _plain(m))),
)


def _dotted(text: str) -> str:
    """1.2.3 or an internet address."""
    return " dot ".join(cardinal(int(part)) for part in text.split("."))


def _spaced(match: re.Match[str], words: str | None) -> str | None:
    """A number inside a word ("B2B", "MP3") is said on its own."""
    if words is None:
        return None
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    return (" " if before.isalpha() else "") + words + (" " if after.isalpha() else "")
