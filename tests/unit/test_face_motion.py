"""What the face does by itself."""

import numpy as np

from integrations.faces.portrait.loudness import Loudness
from integrations.faces.portrait.motion import Motion

TIMES = np.arange(0, 120, 0.04)


def turns(motion):
    return np.array([motion.at(time).turn for time in TIMES])


def test_the_same_seed_moves_alike_and_another_does_not():
    assert np.array_equal(turns(Motion(3)), turns(Motion(3)))
    assert np.abs(turns(Motion(3)) - turns(Motion(4))).max() > 0.5


def test_nothing_repeats():
    """No shift of the sway looks like itself again."""
    yaw = turns(Motion(1))[:, 0]
    yaw = (yaw - yaw.mean()) / yaw.std()
    alike = [np.mean(yaw[lag:] * yaw[:-lag]) for lag in range(250, 1500)]
    assert max(alike) < 0.6


def test_heads_turn_gently_and_never_far():
    found = np.array([Motion(2).at(time, talking=1, stress=1).turn for time in TIMES])
    assert np.abs(found).max() < 4.5
    assert np.abs(np.diff(found, axis=0)).max() < 0.35


def test_blinks_come_at_uneven_intervals_and_close_fully():
    closed = np.array([Motion(9).blink(time) for time in TIMES])
    starts = TIMES[1:][(closed[1:] > 0) & (closed[:-1] == 0)]
    gaps = np.diff(starts)
    assert closed.max() == 1.0
    assert 15 <= len(starts) <= 60
    assert gaps.std() > 0.4
    assert gaps.max() < 8


def test_the_gaze_holds_the_viewer_unless_thinking():
    def away(thinking):
        return np.mean([abs(Motion(5).at(time, thinking=thinking).gaze[0]) > 0.6 for time in TIMES])

    assert away(0.0) < 0.1 < away(1.0)


def test_louder_speech_opens_wider_and_silence_least():
    def opening(level):
        heard = Loudness()
        sound = np.sin(np.arange(24000) * 0.05) * level * 32767
        heard.hear(sound.astype("<i2").tobytes())
        return heard.opening(10)

    assert opening(0.4) > opening(0.1) > opening(0.03)


def test_loudness_does_not_depend_on_the_cuts():
    sound = (np.random.default_rng(0).normal(0, 3000, 24000)).astype("<i2").tobytes()
    whole, pieces = Loudness(), Loudness()
    whole.hear(sound)
    for at in range(0, len(sound), 1234):
        pieces.hear(sound[at : at + 1234])
    assert [whole.opening(frame) for frame in range(20)] == [pieces.opening(frame) for frame in range(20)]
