"""The check that stands between a model and a reader: nothing is shown that the notes do not bear out.

Every number and every name of an answer has to stand in the notes beside the question, in what was already answered,
or in the persona's own name. What stands in the question alone may be said only to deny it. A sentence most of whose
words stand in none of them is made up, and one that speaks of the persona as somebody else has lost its way. Markup,
role labels and other debris of a model is taken out, a model that goes round in circles is stopped, and an answer that
its token limit cuts off ends at its last whole sentence.

The first sentence is released word by word, later ones when they are whole. What was released is never taken back: when
a sentence fails in the middle, the answer goes on with the note, quoted.
"""

import re
from collections.abc import Sequence

from bot import notes as notes_
from bot.claims import Claim, claims, name_known, number_known, numbers, settled, vocabulary
from bot.messages import Role, Turn
from bot.personas import Note, Persona
from bot.sentences import sentence_end
from bot.words import content_words

_FENCE = re.compile(r"```\w*|`|\*\*|__|^\s*#{1,6}\s*|^\s*>\s*", re.MULTILINE)
_MACHINE = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model|assistant)\b"
    r"|\blanguage model\b|\bknowledge cutoff\b|\bmy training data\b"
    r"|\bI(?:'m| am) (?:an? )?(?:AI|assistant|Qwen|chatbot)\b",
    re.IGNORECASE,
)
_POSES = (
    r"\b(?:this is|it is|it['’]s|i am|i['’]m|you are (?:talking|speaking) (?:to|with)) "
    r"(?:(?:really|indeed|actually|the|real|rear|admiral|human|person) )*(?:{names})\b(?!['’]s)"
    r"|\b(?:i am|i['’]m) (?:(?:really|indeed|actually) )*(?:a )?(?:real|human|alive|no (?:machine|computer))\b"
)
"""A claim to be the person. Nobody is to be deceived about what this is, whatever was asked."""
_STAGE = re.compile(r"^\s*\((?:smil|laugh|chuckl|paus|wink|sigh)\w*[^)]*\)\s*", re.IGNORECASE)
_DENIES = re.compile(r"\b(?:not|no|never|nothing|none|nor|neither|cannot|without)\b|n['’]t\b", re.IGNORECASE)
ENOUGH_WORDS = 45
ENOUGH_SENTENCES = 4
"""An answer that has so many words, or sentences, ends there: a small model that goes on recites its notes."""
SAID_BEFORE = 0.45
"""The share of a sentence's words that its notes and question must have. Measured on 140 sentences of the 1.5B model:
what it made up had 0 to 0.2, what it drew from the notes 0.5 and more."""
_PLAIN = "yes no not because know notes say ask answer guess place myself"
_CONTRACTED = re.compile(r"\b\w+['’]\w+")
_AGREES = re.compile(
    r"(?:yes|yeah|indeed|correct|right|exactly|sure|of course|certainly|that is|that's)\b", re.IGNORECASE
)
"""What an answer must not begin with when the question has a number in it that stands in no note."""
_YOU = re.compile(r"you|your", re.IGNORECASE)
_DONE_TO_YOU = re.compile(
    r"\b(?:\w+ed|gave|told|made|sent|took|let) you\b|\byou (?:were|had|did|\w+ed)\b", re.IGNORECASE
)
_OURS = re.compile(r"\b(?:I|me|[Mm]y|[Ww]e|us|[Oo]ur)\b")
_KIN = "mother|sister|daughter|wife|aunt|woman|girl|father|brother|son|husband|uncle|man|boy|boss"
_UNDECIDED_HEAD = 40
"""Characters of a beginning that may still turn out to be a label such as `Grace Hopper:`."""


class Checker:
    """Feed it what a model writes; show what it returns.

    `done` says that reading on is of no use (failed, or in circles). `ungrounded` is the term that failed, or None.
    `text` is the answer as it should be kept: whole sentences that passed, then the quotation where one failed.
    """

    def __init__(self, notes: Sequence[Note], question: str, persona: Persona, history: Sequence[Turn] = ()) -> None:
        self._notes = notes
        self._question = question
        self._names = english_names(persona.language)
        self._sources = _sources(notes, persona, history)
        self._known = vocabulary(" ".join(self._sources))
        self._numbers = numbers(" ".join(self._sources))
        self._asked = vocabulary(question), numbers(question)
        self._person = _Person(notes, question, persona)
        self._false_premise = any(
            claim.kind == "number" and not self._stands(claim) for claim in claims(question, names=False)
        )
        self._english = persona.language.lower().startswith("en")
        self._told = content_words(" ".join([*self._sources, question, _PLAIN]))
        self._poses = re.compile(_POSES.format(names=_called(persona)), re.IGNORECASE)
        self._label = re.compile(rf"^\s*(?:{_label_names(persona)})\s*:\s*", re.IGNORECASE)
        self._waiting = ""
        self._shown = 0
        self._headed = False
        self._sentences: list[str] = []
        self._quote = ""
        self.done = False
        self.ungrounded: str | None = None

    @property
    def text(self) -> str:
        """The answer as it should be kept."""
        parts = [*self._sentences, self._quote] if self._quote else self._sentences
        return " ".join(part.strip() for part in parts if part.strip())

    def feed(self, text: str) -> str:
        """Take more of the model's text; return what may be shown now (may be empty)."""
        if self.done:
            return ""
        self._waiting += text
        if not self._head_is_clean():
            return ""
        released = ""
        while not self.done and (end := sentence_end(self._waiting)) is not None:
            released += self._sentence(end)
        return released if self.done else released + self._beginning()

    def finish(self) -> str:
        """The model has ended (or was cut off): return the rest that may be shown."""
        if self.done:
            return ""
        self.done = True
        self._head_is_clean(ended=True)
        whole = bool(re.search(r"[.!?…][\"'”’)\]]*\s*$", self._waiting))
        released = ""
        if self._waiting.strip() and (whole or not self._sentences):
            released = self._sentence(len(self._waiting), ended=True, cut=not whole)
        if not self.text:
            released += self._fail("", "nothing")
        return released

    def _head_is_clean(self, ended: bool = False) -> bool:
        """Take a role label off the beginning; False while it cannot be told whether there is one."""
        if self._headed:
            return True
        begun = self._waiting.lstrip()
        if not ended and len(begun) < _UNDECIDED_HEAD and ":" not in begun and not re.search(r"[,.!?;]\s", begun):
            return False
        self._waiting = self._label.sub("", begun)
        self._headed = True
        return True

    def _sentence(self, end: int, ended: bool = False, cut: bool = False) -> str:
        """Judge the whole sentence `waiting[:end]` and release what of it was not shown yet."""
        raw, rest = self._waiting[:end], self._waiting[end:]
        sentence = tidy(raw)
        strays = self._person.missed(sentence, not self._sentences) or self._made_up(sentence)
        wrong = self._wrong(sentence, whole=True) or (strays if not self._says_enough else None)
        if wrong is not None:
            return self._fail(tidy(self._waiting[: self._shown]), wrong)
        if strays or self._in_circles(sentence):
            self.done = True
            return ""
        released = raw[self._shown :]
        if not self._shown and self._sentences:
            released = " " + sentence if sentence else ""
        elif not self._shown:
            released = sentence
        if cut and sentence:
            released, sentence = released.rstrip(" ,;:-–—") + " …", sentence.rstrip(" ,;:-–—") + " …"
        if sentence:
            self._sentences.append(sentence)
        self._waiting, self._shown = rest.lstrip(), 0
        self.done = len(self._sentences) >= ENOUGH_SENTENCES or len(self.text.split()) >= ENOUGH_WORDS
        return released.rstrip() if not ended else released.rstrip("\n ")

    def _beginning(self) -> str:
        """Release the safe words of an unfinished first sentence."""
        if self._sentences or _held_back(self._waiting):
            return ""
        end = settled(self._waiting)
        safe = self._waiting[:end]
        wrong = self._wrong(safe, whole=False) or self._person.missed(safe, not self._sentences)
        if wrong is not None:
            return self._fail(self._waiting[: self._shown], wrong)
        doubtful = [claim.start for claim in claims(safe, self._names) if not self._stands(claim)]
        end = min([end, *doubtful])
        released = self._waiting[self._shown : end].rstrip()
        if not released.strip():
            return ""
        self._shown += len(released)
        return released

    def _wrong(self, text: str, whole: bool) -> str | None:
        """The first thing in `text` that must not be said; what is only asked about is left until the end."""
        machine = _MACHINE.search(text) or self._poses.search(text)
        if machine:
            return machine.group()
        if self._false_premise and not self._sentences and (agrees := _AGREES.match(text)):
            return agrees.group()
        for claim in claims(text, self._names):
            if self._stands(claim):
                continue
            if not self._in_question(claim) or (whole and not _DENIES.search(text)):
                return claim.term
        return None

    def _made_up(self, sentence: str) -> str | None:
        """Whether most of what a sentence says is said nowhere else: fluent talk that names nothing."""
        for claim in reversed(claims(sentence)):
            sentence = sentence[: claim.start] + sentence[claim.end :]  # was looked up already
        meaning = content_words(_CONTRACTED.sub(" ", sentence))
        new = meaning - self._told
        return " ".join(sorted(new)) if self._english and len(new) > max(2, (1 - SAID_BEFORE) * len(meaning)) else None

    @property
    def _says_enough(self) -> bool:
        """Whether what passed so far can stand as the answer, without a quotation after it."""
        return self.text.count(" ") > 10

    def _stands(self, claim: Claim) -> bool:
        if claim.kind == "number":
            return all(number_known(key, self._numbers) for key in claim.keys)
        return all(name_known(key, self._known) for key in claim.keys)

    def _in_question(self, claim: Claim) -> bool:
        words, figures = self._asked
        if claim.kind == "number":
            return all(number_known(key, figures | self._numbers) for key in claim.keys)
        return all(name_known(key, words | self._known) for key in claim.keys)

    def _in_circles(self, sentence: str) -> bool:
        """Whether this sentence was said before, or says little but what one before it said."""
        words = sentence.lower().split()
        if len(words) < 4:
            return sentence in self._sentences[-2:]
        runs = {tuple(words[i : i + 4]) for i in range(len(words) - 3)}
        before = [said.lower().split() for said in self._sentences]
        earlier = {tuple(said[i : i + 4]) for said in before for i in range(len(said) - 3)}
        repeats_itself = len(words) >= 16 and len(runs) < (len(words) - 3) * 0.6
        return repeats_itself or len(runs & earlier) > 0.7 * len(runs)

    def _fail(self, shown: str, term: str) -> str:
        """Stop here and quote the best note in place of what was to come."""
        self.done, self.ungrounded = True, term
        if not self._notes:
            return ""
        self._quote = notes_.quoted(self._notes[0], self._question, " ".join(self._sentences))
        if shown.strip():
            return " … " + self._quote
        return f" {self._quote}" if self._sentences else self._quote


def english_names(language: str) -> bool:
    """Whether a capital letter inside a sentence marks a name in this language (in German every noun has one)."""
    return language.split("-")[0].lower() not in {"de", "lb"}


def tidy(text: str) -> str:
    """One sentence without code fences, emphasis, headings, stage directions, on one line."""
    return re.sub(r"\s+", " ", _STAGE.sub("", _FENCE.sub("", text))).strip()


def _held_back(text: str) -> bool:
    """Whether the beginning has markup in it, so that it is shown only when the sentence is whole."""
    return bool(re.search(r"[`*_#(\[\n]", text))


def _sources(notes: Sequence[Note], persona: Persona, history: Sequence[Turn]) -> list[str]:
    """What an answer may draw on: the notes, who the persona is, what it answered last."""
    said = [turn.text for turn in history if turn.role is Role.AVATAR][-1:]
    about = f"{persona.name}. {persona.title}. {persona.ask_instead}"
    return [f"{note.title}. {note.text} {note.date}" for note in notes] + [about, *said]


def _called(persona: Persona) -> str:
    """What somebody who poses as the person would call themselves."""
    words = re.findall(r"[^\W\d]{3,}", persona.name)
    return "|".join(re.escape(each) for each in [persona.name, *words, f"{persona.title} {persona.name}"])


def _label_names(persona: Persona) -> str:
    names = [persona.name, *persona.name.split(), persona.title, f"{persona.title} {persona.name}"]
    return "|".join([re.escape(name) for name in names if name] + ["assistant", "answer", "a", "reply", "response"])


class _Person:
    """Notices an answer that speaks of the persona as `she`, by name, or as `you`, where it should say I."""

    def __init__(self, notes: Sequence[Note], question: str, persona: Persona) -> None:
        told = " ".join(note.text for note in notes)
        he, she = (len(re.findall(rf"\b(?:{words})\b", told, re.IGNORECASE)) for words in ("he|him|his", "she|her"))
        hers = "she|her|hers" if she >= he else "he|him|his"
        self._pronoun = re.compile(hers if max(he, she) > 1 else "(?!)", re.IGNORECASE)
        self._last = persona.name.split()[-1]
        addressed = re.search(r"\b(?:you|your|u|ur)\b", question, re.IGNORECASE)
        another = re.search(rf"\b(?:{hers}|{_KIN})\b", question, re.IGNORECASE)
        subject = hers.split("|")[0] if addressed and not another and max(he, she) > 1 else "(?!)"
        self._subject = re.compile(rf"\b{subject}\b", re.IGNORECASE)
        about = re.compile(rf"{re.escape(self._last)}|{self._pronoun.pattern}", re.IGNORECASE)
        self._runs = _runs(told, about)
        titles = "|".join(re.escape(word) for word in re.findall(r"[^\W\d]+", f"{persona.name} {persona.title}"))
        self._named = re.compile(rf"((?:\w+ )?)\b{re.escape(self._last)}(?:['’]s)? [a-z]+")
        self._opens = re.compile(rf"(?:(?:{titles}) )*{re.escape(self._last)}(?:['’]s)? [a-z]+")

    def missed(self, text: str, first: bool) -> str | None:
        """The words that give it away, or None. `first`: nothing was said yet that a pronoun could stand for."""
        opening = self._opens.match(text)
        if opening:
            return opening.group()
        for found in self._named.finditer(text):
            if found.group(1) and not found.group(1)[0].isupper() and found.group(1) != "name ":
                return found.group()
        if self._runs & (_runs(text, self._pronoun) | _runs(text, _YOU)):
            return "she, he or you"
        aside = _DONE_TO_YOU.search(text) or (self._subject.search(text) if first else None)
        return aside.group() if aside and not _OURS.search(text) else None


def _runs(text: str, who: re.Pattern[str]) -> set[tuple[str, ...]]:
    """Every five words in a row that speak of `who`, with a blank in their place."""
    words = ["" if who.fullmatch(word) else word.lower() for word in re.findall(r"[\w-]+", text)]
    return {run for i in range(len(words) - 4) if "" in (run := tuple(words[i : i + 5]))}
