"""Dates, years and times of day."""

import re

from integrations.speech_engines.reading.normalise import Rule
from integrations.speech_engines.reading.numbers import cardinal, decade, ordinal, year

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORT = {name[:3]: name for name in _MONTHS} | {"Sept": "September"}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|(?:{'|'.join(_SHORT)})\b\.?)"
_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>1[0-9]{3}|20\d\d)"
_DASH = r"\s?[-–—]\s?"
_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_HALF = r"(?P<half>\s?(?:[AaPp]\.[Mm]\.|[AaPp][Mm]\b))"


def _month(name: str) -> str:
    name = name.rstrip(".")
    return _SHORT.get(name, name)


def _date(match: re.Match[str]) -> str:
    """ "Dec. 5, 2026", with the year or without it, and "December 5-7"."""
    found = match.groupdict()
    words = f"{_month(found['month'])} {ordinal(int(found['day']))}"
    if found.get("until"):
        words += f" to {ordinal(int(found['until']))}"
    return words + (f", {year(int(found['year']))}" if found.get("year") else "")


def _day_first(match: re.Match[str]) -> str:
    words = f"the {ordinal(int(match['day']))} of {_month(match['month'])}"
    return words + (f", {year(int(match['year']))}" if match["year"] else "")


def _numeric(match: re.Match[str]) -> str | None:
    """American order; a first number over 12 can only be a day."""
    first, second, full = int(match[1]), int(match[2]), match[3]
    month, day = (second, first) if first > 12 else (first, second)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    written = int(full) if len(full) == 4 else 2000 + int(full)
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(written)}"


def _iso(match: re.Match[str]) -> str | None:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(int(match[1]))}"


def _years(match: re.Match[str]) -> str:
    first, second = match[1], match[2]
    return f"{year(int(first))} to {year(int(second)) if len(second) == 4 else cardinal(int(second))}"


def _clock(hour: int, minute: int, half: str | None) -> str:
    if half:
        spoken = cardinal(hour) if minute == 0 else f"{cardinal(hour)} {_minutes(minute)}"
        return f"{spoken} {half.strip().replace('.', '').upper()}"
    if minute == 0:
        return f"{cardinal(hour)} o'clock" if 1 <= hour <= 12 else f"{cardinal(hour)} hundred"
    return f"{cardinal(hour)} {_minutes(minute)}"


def _minutes(minute: int) -> str:
    return f"oh {cardinal(minute)}" if minute < 10 else cardinal(minute)


def _time(match: re.Match[str]) -> str | None:
    found = match.groupdict()
    hour, minute = int(found["hour"]), int(found.get("minute") or 0)
    if hour > 24 or (found.get("half") and not 1 <= hour <= 12):
        return None
    words = _clock(hour, minute, found.get("half"))
    if found.get("second"):
        words += f" and {cardinal(int(found['second']))} seconds"
    if found["half"] and _ends_sentence(match):
        words += "."
    return words


def _ends_sentence(match: re.Match[str]) -> bool:
    """A dotted "p.m." that also ends its sentence keeps that end."""
    return match["half"].endswith(".") and bool(re.match(r"\s*$|\s+[A-Z]|\n", match.string[match.end() :]))


def _span_of_time(match: re.Match[str]) -> str:
    def one(text: str) -> str:
        hour, _, minute = text.partition(":")
        return cardinal(int(hour)) + (f" {_minutes(int(minute))}" if int(minute or 0) else "")

    half = (match["half"] or "").strip().replace(".", "").upper()
    first = re.match(r"[\d:]+\s?([AaPp])\.?[Mm]", match[0])
    earlier = f" {first[1].upper()}M" if first and f"{first[1].upper()}M" != half else ""
    return f"{one(match[1])}{earlier} to {one(match[2])} {half}".strip()


def _decade(match: re.Match[str]) -> str:
    return decade(int(match[1]))


def _weekday(match: re.Match[str]) -> str:
    return _DAYS[match[1]]


RULES: tuple[Rule, ...] = (
    (re.compile(r"(?<![\d/-])(\d{4})-(\d\d)-(\d\d)(?![\d/-])"), _iso),
    (re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(\d{4}|\d\d)(?![\d/])"), _numeric),
    (re.compile(rf"\b{_MONTH}\s+{_DAY}{_DASH}(?P<until>3[01]|[12]?\d)(?!\d)(?:,?\s+{_YEAR}\b)?"), _date),
    (re.compile(rf"\b{_MONTH}\s+{_DAY}(?!\d|:\d)(?:,?\s+{_YEAR}\b)?"), _date),
    (re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}(?!\w)(?:,?\s+{_YEAR}\b)?"), _day_first),
    (re.compile(rf"\b{_MONTH}\s+{_YEAR}\b"), lambda m: f"{_month(m['month'])} {year(int(m['year']))}"),
    (re.compile(rf"\b((?:{'|'.join(n for n in _SHORT if n != 'May')}))\.(?=\s)"), lambda m: _month(m[1])),
    (re.compile(rf"\b({'|'.join(_DAYS)})\.(?=,?\s)"), _weekday),
    (
        re.compile(
            rf"(?<![\d:])(\d{{1,2}}(?::\d\d)?)(?:\s?[AaPp]\.?[Mm]\b\.?)?{_DASH}(\d{{1,2}}(?::\d\d)?)(?!\d){_HALF}"
        ),
        _span_of_time,
    ),
    (re.compile(rf"(?<![\d:])(\d{{1,2}}:\d\d){_DASH}(\d{{1,2}}:\d\d)(?![\d:])(?P<half>)"), _span_of_time),
    (
        re.compile(rf"(?<![\d:.])(?P<hour>\d{{1,2}}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:]){_HALF}?"),
        _time,
    ),
    (re.compile(rf"(?<![\d:.,$])(?P<hour>1[0-2]|0?[1-9]){_HALF}(?!\w)"), _time),
    (re.compile(r"\b(1[1-9]\d0|20\d0)'?s\b"), _decade),
    (re.compile(r"(?<!\w)['’]?([2-9]0)'?s\b"), _decade),
    (re.compile(rf"(?<![\d$€£#.,-])(1[1-9]\d\d|20\d\d){_DASH}(1[1-9]\d\d|20\d\d|\d\d)(?![\d-]|[.,]\d)"), _years),
    (re.compile(r"(?<![\d$€£#.,:/-])(1[1-9]\d\d|20\d\d)(?![\d%:/]|[.,]\d|\w)"), lambda m: year(int(m[1]))),
)
