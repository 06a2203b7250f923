"""Captions: short, in time, and nothing of a word gets lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bot.media import Word
from integrations.clips.captions import LINE, cues, webvtt

spoken = st.lists(st.text("abcdefgh.,?", min_size=1, max_size=12), min_size=1, max_size=60)


def timed(words: list[str]) -> list[Word]:
    return [Word(word, i * 9_600, 8_000) for i, word in enumerate(words)]


@given(spoken)
def test_every_word_is_shown_once_in_order(words: list[str]) -> None:
    assert " ".join(cue.text.replace("\n", " ") for cue in cues(timed(words))) == " ".join(words)


@given(spoken)
def test_cues_do_not_overlap_and_are_two_lines_at_most(words: list[str]) -> None:
    made = cues(timed(words))
    assert all(one.end <= two.start for one, two in itertools.pairwise(made))
    for cue in made:
        lines = cue.text.split("\n")
        assert len(lines) <= 2
        assert all(len(line) <= LINE + 13 for line in lines)


def test_a_cue_ends_with_its_clause() -> None:
    made = cues(timed(["That", "was", "a", "whole", "clause,", "then.", "And", "this", "comes", "after", "it."]))
    assert [cue.text for cue in made] == ["That was a whole clause, then.", "And this comes after it."]


def test_markup_is_escaped() -> None:
    assert "&lt;b&gt; &amp;" in webvtt(cues(timed(["<b>", "&"])))
