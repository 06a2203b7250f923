"""Sounds to mouth shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.media import Phoneme, samples
from integrations.faces.portrait.visemes import LOOK_AHEAD, VISEMES, Channel, segments, shape


def said(*symbols, length=0.1):
    """The sounds one after the other, each as long."""
    each = samples(length)
    return segments([Phoneme(symbol, number * each, each) for number, symbol in enumerate(symbols)])


def middle(number, length=0.1):
    return samples(length * (number + 0.5))


@pytest.mark.parametrize(
    ("symbol", "viseme"),
    [
        ("p", "PP"),
        ("m", "PP"),
        ("f", "FF"),
        ("v", "FF"),
        ("θ", "TH"),
        ("d", "DD"),
        ("ɾ", "DD"),
        ("k", "kk"),
        ("ʤ", "CH"),
        ("z", "SS"),
        ("l", "nn"),
        ("ɹ", "RR"),
        ("ɚ", "RR"),
        ("æ", "aa"),
        ("ᵊ", "E"),
        ("iː", "I"),
        ("ɔ", "O"),
        ("w", "U"),
    ],
)
def test_each_sound_has_its_shape(symbol, viseme):
    assert [each.viseme for each in segments([Phoneme(symbol, 0, 100)])] == [viseme]


@pytest.mark.parametrize(
    ("symbol", "first", "last"), [("I", "aa", "I"), ("W", "aa", "U"), ("Y", "O", "I"), ("O", "O", "U")]
)
def test_a_diphthong_glides(symbol, first, last):
    found = segments([Phoneme(symbol, 10, 100)])
    assert [each.viseme for each in found] == [first, last]
    assert (found[0].start, found[0].end, found[1].end) == (10, found[1].start, 110)


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 10**6), st.integers(0, 10**5)), max_size=8))
def test_nothing_that_a_voice_may_send_is_too_strange(sounds):
    found = segments([Phoneme(*each) for each in sounds])
    values = shape(found, 500)
    assert all(each.viseme in VISEMES for each in found)
    assert np.isfinite(values).all() and (values >= 0).all() and (values <= 1.0001).all()


@pytest.mark.parametrize("sound", list("pbm"))
@pytest.mark.parametrize("vowel", list("ɑiu"))
def test_lips_close_between_any_vowels(sound, vowel):
    values = shape(said(vowel, sound, vowel, length=0.06), middle(1, 0.06))
    assert values[Channel.PRESS] > 0.7
    assert values[[Channel.JAW, Channel.UPPER, Channel.LOWER]].max() < 0.02


def test_teeth_meet_the_lip_on_f():
    assert shape(said("ɑ", "f", "ɑ"), middle(1))[Channel.TEETH] > 0.95
    assert shape(said("ɑ", "s", "ɑ"), middle(1))[Channel.TEETH] == 0


def test_lips_round_before_the_vowel_that_needs_it():
    """The same S, before OO and before EE."""
    before_oo, before_ee = (shape(said("s", vowel), samples(0.07)) for vowel in "ui")
    assert before_oo[Channel.ROUND] > 0.2 > before_ee[Channel.ROUND]
    assert before_ee[Channel.WIDE] > before_oo[Channel.WIDE]


def test_sounds_beyond_the_look_ahead_change_nothing():
    near = said("ɑ")
    late = segments([Phoneme("u", samples(0.05) + LOOK_AHEAD + 1, 2400)])
    assert np.array_equal(shape(near, samples(0.05)), shape(near + late, samples(0.05)))


def test_the_mouth_is_shut_when_nothing_is_said():
    assert not shape([], 0).any()
    assert not shape(said("ɑ"), samples(0.5)).any()


def test_the_mouth_never_jumps():
    """At a thousand steps a second no channel moves by more than a twentieth."""
    known = said("h", "ə", "l", "O", "w", "ɜ", "ɹ", "l", "d", "p", "f", "i", length=0.07)
    values = np.array([shape(known, at) for at in range(0, samples(1.2), 24)])
    assert np.abs(np.diff(values, axis=0)).max() < 0.05
