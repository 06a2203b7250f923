"""What to search the notes for, and which of the found notes an answer may rest on."""

import re
from collections.abc import Sequence

from bot.claims import claims, vocabulary
from bot.messages import Role, Turn
from bot.personas import Note
from bot.ports import FoundNote
from bot.words import content_words, listed

SEARCH_LIMIT = 6
"""How many notes to ask the store for; the choice among them is made here."""
NOTES_BESIDE = 2
NEAR_ENOUGH = 0.37
"""Cosine similarity (all-MiniLM-L6-v2) from which on a note counts as being about the question."""
UNSAID = 0.25
"""Taken off for the words of a question that stand in neither of the two best notes: all of them, or their share."""
SECOND_WITHIN = 0.08
LEANING_WITHIN = 0.2
"""A follow-up is searched with what it leans on, which drowns its own words: look at both notes."""
CITED_BONUS = 0.08
WORD_BONUS = 0.04
NAME_BONUS = 0.08
"""For a name or a number of the question that stands in the note."""

_LEANING = listed(
    "it that this those these they them their he she him her his hers there then one ones same former latter"
)
_GOES_ON = re.compile(
    r"^\s*(?:and|but|so|or|also|then|what about|how about|how so|how come|really|go on|tell me more|more|like what|"
    r"for example|such as|in what|since when|until when|what else|anything else|who else|where else)\b",
    re.IGNORECASE,
)
_EMPTY_IT = re.compile(r"\b(?:is|was) it (?:like|true|possible|better|worth|hard|easy|easier|fun)\b", re.IGNORECASE)


def standalone(question: str, history: Sequence[Turn]) -> str:
    """What to search with: the question, or, when it leans on the conversation, the question with what it leans on.

    Decided in code (pronouns, a bare "why?", very few words), so that a follow-up costs no model call.
    """
    before = [turn for turn in history if turn.role is Role.PERSON][-1:]
    if not before or not leans(question):
        return question
    titles = [cited.title for turn in history[-1:] for cited in turn.citations[:1]]
    earlier = before[0].text if not leans(before[0].text) or len(history) < 3 else _two_back(history)
    return " ".join([earlier, *titles, question])[:600]


def leans(question: str) -> bool:
    """Whether a question can only be understood from what was said before it."""
    words = re.findall(r"[a-z']+", _EMPTY_IT.sub(" ", question).lower())
    meaning = content_words(question)
    if not words:
        return False
    if not meaning or (_GOES_ON.match(question) and len(meaning) <= 2):
        return True
    return len(meaning) <= 3 and bool(_LEANING & set(words))


def chosen(found: Sequence[FoundNote], question: str, history: Sequence[Turn]) -> list[Note]:
    """The one or two notes to answer from, best first; none when nothing found is near enough."""
    ranked = sorted(found, key=lambda each: -weight(each, question, history))
    best = ranked[:NOTES_BESIDE]
    if not best:
        return []
    top = weight(best[0], question, history)
    if top - UNSAID * _unsaid(best, question) < NEAR_ENOUGH:
        return []
    floor = max(NEAR_ENOUGH, top - (LEANING_WITHIN if leans(question) else SECOND_WITHIN))
    return [each.note for each in best if weight(each, question, history) >= floor or each is best[0]]


def _unsaid(best: Sequence[FoundNote], question: str) -> float:
    """Which share of the question's own words stands in none of these notes (0 for a question that leans)."""
    asked = content_words(question)
    if not asked or leans(question):
        return 0.0
    told = content_words(" ".join(f"{each.note.title}. {each.note.text}" for each in best))
    return len(asked - told) / len(asked)


def weight(found: FoundNote, question: str, history: Sequence[Turn] = ()) -> float:
    """How well a note meets the question: its similarity, and a little for words and names that both have."""
    text = f"{found.note.title}. {found.note.text}"
    shared = content_words(question) & content_words(text)
    named = sum(all(key.lower() in vocabulary(text) for key in claim.keys) for claim in claims(question))
    cited = {cited.note_id for turn in history[-2:] for cited in turn.citations}
    leaning = leans(question)
    bonus = CITED_BONUS if leaning and found.note.id in cited else 0.0
    return found.score + WORD_BONUS * (3 if leaning else 1) * min(len(shared), 3) + NAME_BONUS * min(named, 2) + bonus


def _two_back(history: Sequence[Turn]) -> str:
    """The last two questions, when the last one leaned itself."""
    return " ".join(turn.text for turn in [turn for turn in history if turn.role is Role.PERSON][-2:])
