"""What a sentence claims that can be checked by looking: its numbers, written in figures or in words, and its names.

A name is a capitalised word that does not merely begin a sentence, or a run of them ("Howard Aiken", "Mark I").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.words import listed

TOKEN = re.compile(r"\w+(?:[.,'’/\-–]\w+)*")
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?…:\n]['\"”’)*\]]*\s+|[“\"(‘*•]\s*|\s[-–—]\s+|—\s*)$")
_POSSESSIVE = re.compile(r"['’]s?$")
_FIGURES = re.compile(r"^(\d+(?:,\d{3})*(?:\.\d+)?)(st|nd|rd|th|s)?([a-z%]*)$", re.IGNORECASE)
_ROMAN = re.compile(r"^(?:II|III|IV|V|VI|VII|VIII|IX|X)$")

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
WORDS_TO_VALUE = (
    {word: value for value, word in enumerate(_SMALL.split())}
    | {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
    | {word: value for value, word in enumerate(_ORDINALS.split(), 3)}
    | {"twentieth": 20, "thirtieth": 30, "dozen": 12, "millionth": 1_000_000, "billionth": 1_000_000_000}
)
_DECADES = {word[:-1] + "ies": 1900 + 10 * value for value, word in enumerate(_TENS.split(), 2)}

NEVER_A_NAME = listed("i ai mr mrs ms miss dr sir madam ok english god tv earth internet a an the")

_OPENERS = listed(
    """
    a about after again ah all also although always an and another any anyway as at back because before both but by
    dear did do does down during each early either even every first for from given had have he hello her here hi his
    how however i if imagine in indeed instead it its last late later let like look many maybe more most much my
    never nearly no none nor not now of oh on once one only or our out over perhaps please remember right said
    second see she since so some sometimes soon still such take that the their them then there these they think this
    those though through thus till to today together tomorrow too two under until up us very was we well were what
    whatever when where whether which while who why with within without yes yesterday yet you young your
    """
)
"""Words that often begin a sentence right before a name: `When Aiken ...`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a name, `text[start:end]`. `keys` must all be known; for a number it is its value."""

    kind: str
    term: str
    keys: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int
    begins: bool
    gap: str

    @property
    def parts(self) -> list[str]:
        """Lower-case pieces of a hyphenated number word."""
        return self.word.lower().split("-")

    @property
    def counts(self) -> bool:
        """Whether it is a number word, as in `seventy-nine`."""
        return all(part in WORDS_TO_VALUE or part in _SCALES for part in self.parts)

    @property
    def capital(self) -> bool:
        return self.word[0].isupper() and not self.counts


def claims(text: str, names: bool = True) -> list[Claim]:
    """Every number and (with `names`) every name of `text`, in order."""
    tokens = list(_tokens(text))
    found: list[Claim] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        run = _run(tokens, at)
        if token.counts:
            found += _counted(tokens[at : at + run], text)
        elif token.word[0].isdigit():
            found += _figures(token)
        elif token.word.lower() in _DECADES:
            found.append(Claim("number", token.word, (f"{_DECADES[token.word.lower()]}s",), token.start, token.end))
        elif names and token.capital:
            found += _named(tokens[at : at + run], text)
        at += run
    return found


def settled(text: str) -> int:
    """How much of a growing text can be judged: up to the run of number words or capitals that may still go on."""
    end = max(text.rfind(" "), text.rfind("\n")) + 1
    tokens = list(_tokens(text[:end]))
    while tokens:
        token = tokens[-1]
        if text[token.end : end].strip() or not (token.capital or token.counts):
            break
        end = token.start
        tokens.pop()
    return end


def vocabulary(text: str) -> frozenset[str]:
    """Every word of `text`, lower-case, hyphenated words also in parts: what makes a name known."""
    words: set[str] = set()
    for token in TOKEN.findall(text):
        words |= _forms(token)
    return frozenset(words)


def numbers(text: str) -> frozenset[str]:
    """The keys of every number in `text`."""
    return frozenset(key for claim in claims(text, names=False) for key in claim.keys)


def number_known(key: str, known: frozenset[str]) -> bool:
    """A number is known when it stands there; a decade also when a year of it does."""
    if key in known:
        return True
    return key.endswith("s") and any(other.startswith(key[:-2]) and len(other) == 4 for other in known)


@lru_cache(maxsize=4096)
def _forms(token: str) -> frozenset[str]:
    word = _POSSESSIVE.sub("", token).lower().strip(".")
    return frozenset([word, word.replace(".", ""), *re.split(r"[-–/']", word)]) - {""}


def name_known(word: str, known: frozenset[str]) -> bool:
    """A name is known when it stands there, or a form of it does (America, American, Americans)."""
    forms = _forms(word)
    whole = _POSSESSIVE.sub("", word).lower()
    if whole in known or whole.replace(".", "") in known:
        return True
    parts = [part for part in re.split(r"[-–/]", whole) if part]
    return all(_form_known(part, known) for part in parts) if parts else bool(forms & known)


def _form_known(word: str, known: frozenset[str]) -> bool:
    if word in known or word in NEVER_A_NAME:
        return True
    if len(word) < 4:
        return False
    return any(
        abs(len(word) - len(other)) <= 3 and (word.startswith(other) or other.startswith(word))
        for other in known
        if len(other) >= 4
    )


def _tokens(text: str) -> Iterator[_Token]:
    before = 0
    for match in TOKEN.finditer(text):
        begins = bool(_SENTENCE_BEGINS.search(text[max(0, match.start() - 12) : match.start()])) or match.start() == 0
        yield _Token(match.group(), match.start(), match.end(), begins, text[before : match.start()])
        before = match.end()


def _run(tokens: list[_Token], at: int) -> int:
    """How many tokens belong together from `at` on."""
    first, length = tokens[at], 1
    while at + length < len(tokens):
        following = tokens[at + length]
        joined = not following.gap.strip() and not following.begins
        and_so = first.counts and following.word.lower() == "and" and tokens[at + length - 1].word.lower() in _SCALES
        if and_so and at + length + 1 < len(tokens) and tokens[at + length + 1].counts:
            length += 2
        elif joined and ((first.counts and following.counts) or (first.capital and following.capital)):
            length += 1
        else:
            break
    return length


def _counted(run: list[_Token], text: str) -> list[Claim]:
    values = [part for token in run for part in token.parts if part != "and"]
    if values in (["one"], ["zero"]):
        return []
    start, end = run[0].start, run[-1].end
    return [Claim("number", text[start:end], (str(value),), start, end) for value in _values(values)]


def _values(words: list[str]) -> list[int]:
    """The numbers that a run of number words says: `nineteen forty-seven` is 1947, `seventy nine` is 79."""
    total = current = 0
    for word in words:
        if word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
        else:
            value = WORDS_TO_VALUE[word]
            if 10 <= current <= 20 and value >= 10:
                current = current * 100 + value
            else:
                current += value
    return [total + current]


def _figures(token: _Token) -> list[Claim]:
    claims_: list[Claim] = []
    for part in re.split(r"[-–/]", _POSSESSIVE.sub("", token.word)):
        match = _FIGURES.match(part)
        if match is None:
            digits = re.sub(r"\D", "", part)
            if digits:
                claims_.append(Claim("number", token.word, (digits,), token.start, token.end))
            continue
        value = match.group(1).replace(",", "")
        if "." in value:
            value = value.rstrip("0").rstrip(".")
        decade = match.group(2) == "s" and value.endswith("0") and len(value) == 4
        claims_.append(Claim("number", token.word, (value + "s" if decade else value,), token.start, token.end))
    return claims_


def _named(run: list[_Token], text: str) -> list[Claim]:
    if run[0].begins and not _part_of_name(run):
        run = run[1:]
    run = [token for token in run if token.word.lower() not in NEVER_A_NAME and not _contracted(token.word)]
    if not run:
        return []
    start, end = run[0].start, run[-1].end
    return [Claim("name", text[start:end], tuple(token.word for token in run), start, end)]


def _part_of_name(run: list[_Token]) -> bool:
    first = run[0].word.lower()
    followed = len(run) > 1 and not _contracted(run[1].word)
    return _surely_a_name(run[0].word) or (followed and first not in _OPENERS and not first.endswith("ly"))


def _surely_a_name(word: str) -> bool:
    """A word that is a name even where a sentence begins: COBOL, UNIVAC's, McCarthy, A-0."""
    bare = _POSSESSIVE.sub("", word)
    letters = [c for c in bare if c.isalpha()]
    inner = sum(c.isupper() for c in letters[1:])
    return inner > 0 or any(c.isdigit() for c in bare) or bool(_ROMAN.match(bare) and len(bare) > 1)


def _contracted(word: str) -> bool:
    """I'm, I'd, I've."""
    return word.lower().replace("’", "'").split("'")[0] == "i"
