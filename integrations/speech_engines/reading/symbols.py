"""Web addresses, abbreviations, initials, Roman numerals, and signs that are words."""

import re

from integrations.speech_engines.reading.normalise import Rule
from integrations.speech_engines.reading.numbers import cardinal, digits, ordinal

_DOMAINS = "com|org|net|edu|gov|mil|int|io|ai|dev|app|co|info|biz|me|tv|uk|de|fr|eu|us|ca|au|jp|ch|nl|se"
_SIGNS = {".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon", "?": "question mark",
          "=": "equals", "&": "and", "#": "hash", "~": "tilde", "+": "plus", "%": "percent"}  # fmt: skip

_TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Dr": "Doctor", "Prof": "Professor", "Rev": "Reverend",
    "Gen": "General", "Col": "Colonel", "Maj": "Major", "Lt": "Lieutenant", "Capt": "Captain", "Cmdr": "Commander",
    "Adm": "Admiral", "Sgt": "Sergeant", "Sen": "Senator", "Rep": "Representative", "Gov": "Governor",
    "Pres": "President", "St": "Saint", "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
_ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "approx.": "approximately",
    "dept.": "department", "est.": "established", "ca.": "circa", "cf.": "compare", "al.": "al", "ext.": "extension",
    "Inc.": "Incorporated", "Corp.": "Corporation", "Ltd.": "Limited", "Co.": "Company", "Bros.": "Brothers",
    "Ave.": "Avenue", "Blvd.": "Boulevard", "Rd.": "Road", "St.": "Street", "Dr.": "Drive", "Dept.": "Department",
    "Jr.": "Junior", "Sr.": "Senior", "Fig.": "Figure", "fig.": "figure", "Vol.": "Volume", "vol.": "volume",
    "pp.": "pages", "p.": "page", "Ph.D.": "PhD", "a.m.": "AM", "p.m.": "PM", "U.S.": "U.S.", "max.": "maximum",
    "min.": "minimum", "hrs.": "hours", "mins.": "minutes", "ft.": "feet", "lbs.": "pounds", "oz.": "ounces",
}  # fmt: skip
_NOUNS = "Mark|World War|Part|Chapter|Volume|Phase|Act|Type|Class|Title|Level|Section|Book|Appendix|Stage|Apollo|Tier"
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10, "XI": 11,
          "XII": 12, "XIII": 13, "XIV": 14, "XV": 15, "XVI": 16}  # fmt: skip
_NUMERAL = "|".join(sorted(_ROMAN, key=len, reverse=True))
_REIGN = "King|Queen|Pope|Emperor|Tsar|Louis|Henry|Elizabeth|George|Charles|William|Edward|James|Philip|John Paul"
_SPELLED = frozenset(["www", "ftp", "io", "ai", "uk", "tv", "html", "php"])


def _address(match: re.Match[str]) -> str:
    """ "https://example.com/pricing" is "example dot com slash pricing"."""
    text = re.sub(r"^\w+://|^mailto:", "", match[0])
    text = text.rstrip("/")
    said: list[str] = []
    for part in re.findall(r"[A-Za-z]+|\d+|[^\w\s]|_", text):
        if part.isdigit():
            said.append(cardinal(int(part)) if len(part) < 3 and not part.startswith("0") else digits(part))
        elif part.lower() in _SPELLED:
            said.append(" ".join(part.upper()) if part.lower() != "www" else "double-u double-u double-u")
        else:
            said.append(_SIGNS.get(part, part if part.isalpha() else ""))
    return " ".join(filter(None, said))


def _title(match: re.Match[str]) -> str | None:
    """ "Dr. Smith", but "5 Main St. He": after a capitalised word it is a street."""
    street = match[1] in ("St", "Dr", "Ft", "Mt") and re.search(r"(?:[A-Z]\w*|\d\w*)\s$", match.string[: match.start()])
    return None if street else _TITLES[match[1]]


def _abbreviation(match: re.Match[str]) -> str:
    words = _ABBREVIATIONS[match[0]]
    rest = match.string[match.end() :]
    final = not rest.strip() or rest.startswith("\n")
    if match[0] in ("etc.", "Inc.", "Corp.", "Ltd.", "Co.", "Jr.", "Sr.", "a.m.", "p.m.", "Ph.D.", "St.", "Ave."):
        final = final or bool(re.match(r"\s+[A-Z]", rest))
    return words + ("." if final and not words.endswith(".") else "")


def _regnal(match: re.Match[str]) -> str:
    return f"{match[1]} the {ordinal(_ROMAN[match[2]])}"


def _numbered(match: re.Match[str]) -> str:
    return f"{match[1]} {cardinal(_ROMAN[match[2]])}"


def _country(match: re.Match[str]) -> str:
    """ "US" would be read as the word "us"; the last point stays when it ends the sentence."""
    return ".".join(match[0].rstrip(".")) + "."


def _initials(match: re.Match[str]) -> str:
    return match[0].replace(".", "")


ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"!?\[([^\]\n]*)\]\((?:[^()\s]+)\)"), lambda m: m[1]),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), _address),
    (re.compile(r"\b(?:https?|ftp)://[^\s<>\"'”’)\]]*[^\s<>\"'”’)\].,;:!?]"), _address),
    (
        re.compile(
            rf"\b(?:www\.)?(?:[A-Za-z0-9][\w-]*\.)+(?:{_DOMAINS})\b(?:/[^\s<>\"'”’)\]]*[^\s<>\"'”’)\].,;:!?]|/)?"
        ),
        _address,
    ),
)
"""What must be seen whole before anything else is looked at."""

RULES: tuple[Rule, ...] = (
    # Markdown and typography
    (re.compile(r"\*+|__+|`+|^#{1,6}\s+|^\s*[-•·]\s+(?=\S)|^>\s?", re.MULTILINE), lambda m: ""),
    (re.compile(r"\s*(?:---?|[—―])\s*"), lambda m: " — "),
    (re.compile(r"(?<=\s)–(?=\s)"), lambda m: "—"),
    (re.compile(r"(?<=[A-Za-z])–(?=[A-Za-z])"), lambda m: " to "),
    (re.compile(r"\.{3,}"), lambda m: "…"),
    (re.compile(r"[“”„«»\"]"), lambda m: ""),
    (re.compile(r"[’‘ʼ]"), lambda m: "'"),
    (
        re.compile(r"[()\[\]{}]"),
        lambda m: ", " if m[0] in "([{" and re.search(r"\w\s*$", m.string[: m.start()]) else _close(m),
    ),
    # Abbreviations and names
    (re.compile(rf"\b({'|'.join(_TITLES)})\.(?=\s+(?:[A-Z]|and\s+(?:Mr|Mrs|Ms|Dr)\b))"), _title),
    (re.compile(rf"\b({_REIGN})\s+({_NUMERAL})\b(?!\.)"), _regnal),
    (re.compile(rf"\b({_NOUNS})\s+({_NUMERAL})\b(?!['’.]\w)"), _numbered),
    (re.compile(r"(?<=[a-z]\s)(?:II|III|IV|VI|VII|VIII|IX|XI|XII|XIII)\b"), lambda m: cardinal(_ROMAN[m[0]])),
    (
        re.compile("|".join(rf"(?<!\w){re.escape(a)}(?!\w)" for a in sorted(_ABBREVIATIONS, key=len, reverse=True))),
        _abbreviation,
    ),
    (re.compile(r"\b(?:[A-Z]\.\s?)+(?=[A-Z][a-z])"), _initials),
    (re.compile(r"\b(?:US|USA|UK)\b\.?"), _country),
    (re.compile(r"\b[wW]/o\b"), lambda m: "without"),
    (re.compile(r"\b[wW]/(?=\s|[a-z])"), lambda m: "with "),
    (re.compile(r"\band/or\b"), lambda m: "and or"),
    # Signs
    (re.compile(r"\s*&\s*"), lambda m: " and "),
    (re.compile(r"(?<=\w)\s?\+\s?(?=\w)"), lambda m: " plus "),
    (re.compile(r"\b([CF])#(?!\w)"), lambda m: f"{m[1]} sharp"),
    (re.compile(r"(?<=\w)\+\+"), lambda m: " plus plus"),
    (re.compile(r"(?<=\w)\+(?!\w)"), lambda m: " plus"),
    (re.compile(r"(?<![\w])\+(?=\d)"), lambda m: "plus "),
    (re.compile(r"\s*(?:=>|->|→|⇒)\s*"), lambda m: " to "),
    (re.compile(r"(?<=\d)\s*[×*]\s*(?=\d)"), lambda m: " times "),
    (re.compile(r"\s*÷\s*"), lambda m: " divided by "),
    (re.compile(r"\s*±\s*"), lambda m: " plus or minus "),
    (re.compile(r"\s*≈\s*|(?<!\w)~(?=\d|\$)"), lambda m: " about "),
    (re.compile(r"\s*(?:<=|≤)\s*"), lambda m: " at most "),
    (re.compile(r"\s*(?:>=|≥)\s*"), lambda m: " at least "),
    (re.compile(r"\s*==?\s*"), lambda m: " equals "),
    (re.compile(r"\s*<\s*(?=\d)"), lambda m: " less than "),
    (re.compile(r"\s*>\s*(?=\d)"), lambda m: " more than "),
    (re.compile(r"(?<=\s)@(?=\s)"), lambda m: "at"),
    (re.compile(r"@(?=\w)"), lambda m: "at "),
    (re.compile(r"#(?=[A-Za-z])"), lambda m: "hashtag "),
    (re.compile(r"§\s?"), lambda m: "section "),
    (re.compile(r"(?<=\w)\s?/\s?(?=\w)"), lambda m: " " if len(m[0]) == 1 else ", "),
    (re.compile(r"_"), lambda m: " "),
    (re.compile(r"[^\w\s.,;:!?…—'%-]"), lambda m: ""),
)
"""What is left when numbers, dates and measures have been read."""


def _close(match: re.Match[str]) -> str:
    """A closing bracket is a comma where the sentence goes on."""
    return "," if match[0] in ")]}" and re.match(r"\s+\w", match.string[match.end() :]) else ""
