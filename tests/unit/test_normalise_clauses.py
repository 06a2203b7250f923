"""Where a text is cut before it is spoken."""

from hypothesis import given
from hypothesis import strategies as st

from integrations.speech_engines.reading import clauses, read


def spoken(text: str) -> list[str]:
    reading = read(text)
    return [reading.spoken[clause.start : clause.end] for clause in clauses(reading.spoken, reading.solid)]


def test_a_long_first_sentence_gives_its_first_clause_early() -> None:
    assert spoken("When I was young, there were no computers at all in this country. Then came one.") == [
        "When I was young, ",
        "there were no computers at all in this country. ",
        "Then came one.",
    ]


def test_a_short_first_sentence_stays_whole() -> None:
    assert spoken("Yes, I do. Why?") == ["Yes, I do. ", "Why?"]


def test_a_date_is_not_cut_in_two() -> None:
    pieces = spoken("She was born on December 9, 1906 in New York City, and grew up there with two younger siblings.")
    assert pieces[0] == "She was born on December ninth, nineteen oh six in New York City, "


def test_abbreviations_do_not_end_sentences() -> None:
    assert spoken("Dr. Smith met Lt. Jones at 3.5 km.") == [
        "Doctor Smith met Lieutenant Jones at three point five kilometers."
    ]


def test_no_piece_is_long() -> None:
    text = "and then we wrote another program that nobody had asked for " * 30
    assert all(len(piece) <= 200 for piece in spoken(text))


def test_a_text_without_words_has_no_clauses() -> None:
    assert spoken("... — !") == []


def test_pauses_grow_with_the_mark() -> None:
    text = "One two three, four five six; seven eight nine. Ten."
    by_end = {text[c.start : c.end].strip()[-1]: c.pause for c in clauses(text)}
    assert by_end["."] > by_end.get(";", 0.15) > 0
    first, second = clauses("One of the first machines was built here in this town, two more in the next. End.")[:2]
    assert first.pause < second.pause


@given(st.text(alphabet="ab ,.;:!?—\n\"19$%-'", max_size=300))
def test_clauses_follow_each_other_and_cover_every_word(text: str) -> None:
    reading = read(text)
    cuts = clauses(reading.spoken, reading.solid)
    covered = "".join(reading.spoken[cut.start : cut.end] for cut in cuts)
    assert [c for c in covered if c.isalnum()] == [c for c in reading.spoken if c.isalnum()]
    written = "".join(
        reading.written[slice(*reading.written_span(cut.start, cut.end, last=cut is cuts[-1]))] for cut in cuts
    )
    assert not cuts or text.endswith(written)
