"""Streamed tokens become pieces that can be spoken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sentences import LONGEST, Sentences, speakable, split

LONG = (
    "Well, the moth was real, and Dr. Aiken of the U.S. Navy saw it at 3.5 volts. It cost $1,000.50! “Did it?” he "
    "asked. 1. first\n2. **second** item, see [our page, x](http://a.b/c) or https://www.example.com/x?y. I met J. P. "
    "Eckert, Jr. He was 3 ft. tall at 5 p.m. We left 🙂 happily... and so on. In 5.\nI was No. 1. No. I was not"
)


def pieces(text: str, cuts: list[int]) -> list[str]:
    """The pieces of a text that comes in tokens of these lengths, in turn."""
    sentences, out, at = Sentences(), [], 0
    while at < len(text):
        step = cuts[at % len(cuts)] if cuts else 1
        out += sentences.feed(text[at : at + step])
        at += step
    return out + sentences.finish()


def test_the_first_clause_comes_before_its_sentence_is_whole() -> None:
    sentences = Sentences()
    assert sentences.feed("When I was seven, I took") == ["When I was seven,"]
    assert sentences.feed(" a clock apart, you see. It") == ["I took a clock apart, you see."]
    assert sentences.feed(" rang") == []
    assert sentences.finish() == ["It rang"]


def test_a_first_clause_of_two_words_waits() -> None:
    assert Sentences().feed("In 1952, I had a compiler. Then") == ["In 1952, I had a compiler."]


def test_the_first_sentence_may_be_one_word() -> None:
    assert Sentences().feed("No. I did not") == ["No."]


@pytest.mark.parametrize(
    "whole",
    [
        "Dr. Aiken met Lt. Hopper.",
        "It ran at 3.5 volts.",
        "It cost 1,000.50 dollars.",
        "The U.S. Navy called.",
        "J. Presper Eckert was there.",
        "See fig. 3 for that.",
        "It is, e.g. in tables, common.",
        "“Where have you been?” he asked.",
        "She left at 5 p.m. on Monday.",
    ],
)
def test_marks_inside_a_sentence_do_not_end_it(whole: str) -> None:
    assert split(whole + " Then we went on.") == [whole, "Then we went on."]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
@settings(max_examples=60)
def test_pieces_do_not_depend_on_where_the_tokens_are_cut(cuts: list[int]) -> None:
    assert pieces(LONG, cuts) == pieces(LONG, [len(LONG)])


@given(st.text(st.sampled_from("ab .,!?\n1*:"), max_size=200))
def test_no_word_is_lost_and_none_said_twice(text: str) -> None:
    said = "".join(character for character in "".join(pieces(text, [3, 1, 4])) if character in "ab")
    assert said == "".join(character for character in text if character in "ab")


def test_a_sentence_without_end_is_cut_at_a_clause() -> None:
    text = ", ".join(["and then we went on with the next problem"] * 12)
    cut = pieces(text, [5])
    assert all(len(piece) <= LONGEST for piece in cut)
    assert all(piece.endswith(",") for piece in cut[:-1])
    assert len("".join(["x" * 1_000])) > LONGEST and all(len(piece) <= LONGEST for piece in pieces("x" * 1_000, [7]))


def test_what_cannot_be_said_is_left_out() -> None:
    assert speakable("## The **moth** 🦋 is at [the museum](https://museum.org/x), `relay` 70") == (
        "The moth is at the museum, relay 70"
    )
    assert speakable("see https://www.example.com/a/b?c=d for it") == "see example.com for it"
    assert Sentences().feed("🙂 … \n\n") == []


def test_after_finish_it_is_as_new() -> None:
    sentences = Sentences()
    assert sentences.feed("One two three, four") + sentences.finish() == ["One two three,", "four"]
    assert sentences.feed("Five six seven, eight") == ["Five six seven,"]
