"""From the network's sound to what is heard: trimmed, faded, every sample accounted for. No model needed."""

import numpy as np
import pytest

from bot.errors import BadInput, NotAllowed, NotFound
from integrations.speech_engines.kokoro import KokoroEngine
from integrations.speech_engines.kokoro.model import Utterance
from integrations.speech_engines.kokoro.phonemes import pronounce
from integrations.speech_engines.kokoro.symbols import LONGEST, NUMBERS, ipa
from integrations.speech_engines.kokoro.trim import trim
from integrations.speech_engines.kokoro.voices import VOICES
from integrations.speech_engines.letters import rough_phonemes
from integrations.speech_engines.xtts import XttsEngine


def utterance(*, before: int = 10_000, sounding: int = 12_000, after: int = 8_000, symbols: int = 4) -> Utterance:
    """A tone between silences; the symbols share its time, the last one has the silence too."""
    tone = np.sin(np.arange(sounding) / 10).astype(np.float32) * 0.3
    sound = np.concatenate([np.zeros(before, np.float32), tone, np.zeros(after, np.float32)])
    bounds = before + np.arange(symbols + 1) * sounding // symbols
    bounds[-1] = len(sound)
    return Utterance(sound, bounds)


def test_silence_around_the_words_is_cut_and_the_pause_added() -> None:
    heard = trim(utterance(), "hˈI.", 0.0, 0.3)
    assert len(heard.pcm) // 2 == pytest.approx(12_000 + 0.025 * 24_000 + 0.3 * 24_000, abs=300)


@pytest.mark.parametrize("symbols", ["hˈI.", "ə ˈm", "s,t.", "ˈIəs", "m. ,"])
@pytest.mark.parametrize("after", [0, 300, 8_000])
def test_phonemes_cover_every_sample_once(symbols: str, after: int) -> None:
    heard = trim(utterance(after=after), symbols, 3.0, 0.2)
    at = 0
    for phoneme in heard.phonemes:
        assert phoneme.at == at
        assert phoneme.duration > 0
        at += phoneme.duration
    assert at == len(heard.pcm) // 2


def test_a_stress_mark_belongs_to_its_vowel_and_a_trailing_sound_ends_in_silence() -> None:
    heard = trim(utterance(), "hˈIm", 0.0, 0.3)
    assert [p.symbol for p in heard.phonemes] == ["", "h", "aɪ", "m", ""]
    _, h, ai, m, _ = heard.phonemes
    assert ai.duration == pytest.approx(2 * h.duration, abs=240)
    assert m.duration == pytest.approx(3000, abs=400)


def test_nothing_clicks_and_nothing_clips() -> None:
    loud = utterance(before=0, after=0)
    heard = np.frombuffer(trim(loud, "hˈI.", 20.0, 0.1).pcm, "<i2").astype(float) / 32767
    assert abs(heard[0]) < 0.01
    assert abs(heard[11_999]) < 0.05
    assert 0.8 < np.abs(heard).max() <= 0.9


def test_a_silent_utterance_is_no_error() -> None:
    quiet = Utterance(np.zeros(24_000, np.float32), np.array([0, 6000, 24_000]))
    heard = trim(quiet, "s.", 0.0, 0.2)
    assert {p.symbol for p in heard.phonemes} <= {"", "s"}
    assert sum(p.duration for p in heard.phonemes) == len(heard.pcm) // 2


def test_every_symbol_has_its_own_number() -> None:
    assert len(set(NUMBERS.values())) == len(NUMBERS)
    assert {symbol: NUMBERS[symbol] for symbol in ";aɡzɑðŋʃˈᵻ"} == {
        ";": 1, "a": 43, "ɡ": 92, "z": 68, "ɑ": 69, "ð": 81, "ŋ": 112, "ʃ": 131, "ˈ": 156, "ᵻ": 177,
    }  # fmt: skip
    assert (ipa("A"), ipa("ʧ"), ipa("m"), ipa(","), ipa(" ")) == ("eɪ", "tʃ", "m", "", "")


def test_words_become_symbols_and_know_where_from() -> None:
    said = pronounce("Hello, moth.")
    assert said.symbols == "həlˈO, mˈɔθ."
    letters, symbols = zip(*said.knots, strict=True)
    assert list(letters) == sorted(letters)
    assert list(symbols) == sorted(symbols)
    assert (7, said.symbols.index("m")) in said.knots
    assert said.knots[-1] == (12, len(said.symbols))


@pytest.mark.parametrize("text", ["", "   ", "...", "— ,", "☃"])
def test_nothing_to_say_is_no_symbols(text: str) -> None:
    assert pronounce(text).symbols == ""


def test_a_very_long_clause_stays_within_the_model() -> None:
    assert 400 < len(pronounce("unprecedented " * 100).symbols) <= LONGEST


def test_kokoro_refuses_before_it_loads(tmp_path) -> None:  # type: ignore[no-untyped-def]
    engine = KokoroEngine(tmp_path / "no.onnx", tmp_path)
    assert engine.voices() == []
    with pytest.raises(NotFound):
        engine.synthesize("Hello.", "nobody", "en", 1.0)
    with pytest.raises(BadInput):
        engine.synthesize("Hallo.", "af_heart", "de", 1.0)
    with pytest.raises(BadInput):
        engine.synthesize("...", "af_heart", "en", 1.0)
    with pytest.raises(NotAllowed):
        engine.clone("me", [b""])
    with pytest.raises(NotAllowed):
        engine.forget("af_heart")
    assert len(VOICES) == 28


def test_xtts_does_not_start_unless_its_licence_was_accepted(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotAllowed, match="UNDERSTUDY_COQUI_LICENCE_ACCEPTED"):
        XttsEngine(tmp_path, tmp_path, licence_accepted=False)
    engine = XttsEngine(tmp_path, tmp_path / "voices", licence_accepted=True)
    assert engine.voices() == []
    with pytest.raises(NotFound):
        engine.forget("../../etc/passwd")


def test_rough_phonemes_take_two_letters_for_one_sound() -> None:
    letters = [(letter, 1200 * i, 1200) for i, letter in enumerate("The 7 ships")]
    sounds = rough_phonemes(letters)
    assert "".join(sound.symbol or "_" for sound in sounds) == "θɛəʃɪps"
    assert sounds[0].duration == 2400
