"""What is written, and how it is read out."""

import pytest

from integrations.speech_engines.reading import read

CASES = {
    # numbers
    "7 relays": "seven relays",
    "21 of 100": "twenty-one of one hundred",
    "1,234 people": "one thousand two hundred thirty-four people",
    "1,234,567.89": "one million two hundred thirty-four thousand five hundred sixty-seven point eight nine",
    "3.14": "three point one four",
    "0.5 or .5": "zero point five or point five",
    "-5 and minus": "minus five and minus",
    "1000000": "one million",
    "agent 007": "agent zero zero seven",
    "account 123456789": "account one two three four five six seven eight nine",
    "1st, 2nd, 3rd, 11th, 22nd, 100th": "first, second, third, eleventh, twenty-second, one hundredth",
    "#1 and No. 5": "number one and number five",
    "10k users": "ten thousand users",
    "2.5x faster": "two point five times faster",
    "512x512": "five hundred twelve by five hundred twelve",
    "1.5 million": "one point five million",
    "10^3": "ten to the third",
    # years and dates
    "in 1947": "in nineteen forty-seven",
    "in 1906, 1900, 2000, 2005 and 2026": "in nineteen oh six, nineteen hundred, two thousand, two thousand five and "
    "twenty twenty-six",
    "1906-1992": "nineteen oh six to nineteen ninety-two",
    "1906–1992, then": "nineteen oh six to nineteen ninety-two, then",
    "1941-45": "nineteen forty-one to forty-five",
    "the 1940s": "the nineteen forties",
    "the '90s": "the nineties",
    "December 9, 1906": "December ninth, nineteen oh six",
    "Dec. 9, 1906": "December ninth, nineteen oh six",
    "September 9": "September ninth",
    "December 5-7, 2026": "December fifth to seventh, twenty twenty-six",
    "9 September 1947": "the ninth of September, nineteen forty-seven",
    "March 2001": "March two thousand one",
    "12/05/2026": "December fifth, twenty twenty-six",
    "25/12/2026": "December twenty-fifth, twenty twenty-six",
    "2026-11-24": "November twenty-fourth, twenty twenty-six",
    "Sat. and Sun. are free": "Saturday and Sunday are free",
    # times
    "3:45 PM": "three forty-five PM",
    "9am": "nine AM",
    "9:00": "nine o'clock",
    "10:05": "ten oh five",
    "14:30": "fourteen thirty",
    "12:30 p.m. today": "twelve thirty PM today",
    "at 5 p.m. Then": "at five PM. Then",
    "9:30-11:00": "nine thirty to eleven",
    "9am-5pm": "nine AM to five PM",
    "23:59:59": "twenty-three fifty-nine and fifty-nine seconds",
    # money
    "$5": "five dollars",
    "$1": "one dollar",
    "$1,234.56": "one thousand two hundred thirty-four dollars and fifty-six cents",
    "$0.99": "ninety-nine cents",
    "$3.5M": "three point five million dollars",
    "€4 billion": "four billion euros",
    "£2.50": "two pounds and fifty pence",
    "20 EUR": "twenty euros",
    "-$5": "minus five dollars",
    "$5/month": "five dollars per month",
    "$5-10": "five to ten dollars",
    # shares, measures, fractions, ranges
    "12.5%": "twelve point five percent",
    "10-20%": "ten to twenty percent",
    "5 kg": "five kilograms",
    "1 kg": "one kilogram",
    "-20°C": "minus twenty degrees Celsius",
    "3.5 GHz": "three point five gigahertz",
    "60 mph": "sixty miles per hour",
    "a 5-km run": "a five kilometer run",
    "5'10\"": "five foot ten",
    "1/2": "one half",
    "3/4": "three quarters",
    "1 1/2 cups": "one and a half cups",
    "2½": "two and one half",
    "pages 3–5": "pages three to five",
    "a ratio of 3:1": "a ratio of three to one",
    "24/7": "twenty-four seven",
    # telephone, versions, addresses
    "555-1234": "five five five, one two three four",
    "(555) 123-4567": "five five five, one two three, four five six seven",
    "v2.0.1": "version two point zero point one",
    "Python 3.11": "Python three point eleven",
    "127.0.0.1": "one hundred twenty-seven dot zero dot zero dot one",
    "see example.com.": "see example dot com.",
    "https://example.org/pricing": "example dot org slash pricing",
    "grace@navy.mil": "grace at navy dot mil",
    "www.navy.mil": "double-u double-u double-u dot navy dot mil",
    # names and abbreviations
    "Dr. Hopper": "Doctor Hopper",
    "5 Main St. He left": "five Main Street. He left",
    "St. Louis": "Saint Louis",
    "Mr. and Mrs. Smith": "Mister and Missus Smith",
    "Lt. Cmdr. Hopper": "Lieutenant Commander Hopper",
    "J. R. R. Tolkien": "J R R Tolkien",
    "Grace B. Hopper": "Grace B Hopper",
    "e.g. this, i.e. that": "for example this, that is that",
    "pens, ink, etc.": "pens, ink, et cetera.",
    "the US Navy": "the U.S. Navy",
    "the Mark II and the Mark I": "the Mark two and the Mark one",
    "World War II": "World War two",
    "Henry VIII": "Henry the eighth",
    # signs
    "R&D": "R and D",
    "C++ and C#": "C plus plus and C sharp",
    "2+2=4": "two plus two equals four",
    "and/or": "and or",
    "well...": "well…",
    "yes -- no": "yes — no",
    "**Bold** and `code`": "Bold and code",
    "[the docs](https://example.com/a)": "the docs",
    "“Hello,” she said": "Hello, she said",
    "Hi 👋 there": "Hi there",
    "F-14 and COVID-19": "F fourteen and COVID nineteen",
    "state-of-the-art": "state-of-the-art",
}


@pytest.mark.parametrize("written", CASES, ids=lambda written: written[:30])
def test_it_is_read_as_somebody_would_read_it(written: str) -> None:
    assert " ".join(read(written).spoken.split()) == CASES[written]


@pytest.mark.parametrize("written", CASES, ids=lambda written: written[:30])
def test_nothing_but_words_is_left(written: str) -> None:
    assert not any(character.isdigit() or character in "$€£%@#&*/_<>" for character in read(written).spoken)


def test_letters_keep_their_places() -> None:
    reading = read("In 1947, a moth.")
    assert reading.spoken == "In nineteen forty-seven, a moth."
    at = {word: reading.spoken_at(reading.written.index(word)) for word in ("In", "1947", "a moth")}
    assert at == {"In": 0, "1947": 3, "a moth": reading.spoken.index("a moth")}


def test_a_date_keeps_its_month_and_its_comma_in_place() -> None:
    reading = read("on December 9, 1906 in")
    for word in ("December", "in"):
        assert reading.spoken_at(reading.written.rindex(word)) == reading.spoken.rindex(word)
    assert reading.spoken_at(reading.written.index("1906")) == reading.spoken.index("nineteen")


@pytest.mark.parametrize(
    "text", ["", "   ", "👋", "—", "1", "a" * 5000, "1" * 400, "é ü ñ 漢字", "\x00\n\t", "$", "10%%", "((("]
)
def test_odd_texts_are_read_too(text: str) -> None:
    reading = read(text)
    assert reading.knots[-1] == (len(text), len(reading.spoken))


def test_a_long_text_is_read_like_a_short_one() -> None:
    text = "In 1947 it cost $5. " * 200
    reading = read(text)
    assert reading.spoken == "In nineteen forty-seven it cost five dollars. " * 200
    assert reading.spoken_at(text.rindex("$5")) == reading.spoken.rindex("five dollars")


@pytest.mark.parametrize("unit", ["1", "a", "1 ", "$1,", "-", "( ", "a.b@", "1/2 ", "\n", "A. ", "http://"])
def test_no_text_takes_forever(unit: str) -> None:
    """The pytest timeout would end a rule whose time explodes."""
    text = (unit * 40_000)[:40_000]
    assert read(text).written == text
