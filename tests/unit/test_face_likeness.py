"""The face as somebody else's landmark detector sees it: lips, sync, lids, and who it is."""

import asyncio

import cv2
import numpy as np
import pytest

from bot.media import SAMPLES_PER_FRAME, AudioChunk, Phoneme, VideoFrame
from integrations.faces.portrait import Enrolled, PortraitFace, enrol
from integrations.faces.portrait.motion import Motion
from integrations.faces.portrait.render import Expression, Renderer
from integrations.faces.portrait.sheet import spoken
from integrations.faces.portrait.visemes import VISEMES
from tests.unit.face_observer import Observer, aperture, expected_opening, lag, lid_gap, mouth_width, syllables
from tests.unit.face_pictures import astronaut

pytestmark = pytest.mark.models


@pytest.fixture(scope="session")
def hopper(model_store) -> Enrolled:
    return enrol(model_store.path("grace-hopper-portrait"), None, model_store)


@pytest.fixture(scope="session")
def observer() -> Observer:
    return Observer()


@pytest.fixture(scope="session")
def take(hopper):
    """One filmed utterance: (phonemes, frames)."""
    phonemes, length = syllables(seed=3)
    return phonemes, film(hopper, phonemes, length)


def film(enrolled, phonemes, length, seed=5):
    rng = np.random.default_rng(0)
    sound = (rng.normal(0, 0.07, length) * 32767).clip(-32768, 32767).astype("<i2").tobytes()

    async def spoken_once():
        yield AudioChunk(sound, 0, tuple(phonemes))

    async def collect():
        face = PortraitFace(enrolled, seed)
        return [each.pixels async for each in face.animate(spoken_once()) if isinstance(each, VideoFrame)]

    return asyncio.run(collect())


def look(observer, pictures):
    """Landmarks in each picture; the face is searched for once a second, as it hardly moves."""
    found = []
    for number, picture in enumerate(pictures):
        if number % 25 == 0:
            box = observer.box(picture)
        found.append(observer.points(picture, box))
    return found


@pytest.fixture(scope="session")
def seen(observer, take):
    return look(observer, take[1])


def test_the_mouth_moves_with_the_sounds(take, seen):
    openings = np.array([aperture(points) for points in seen])
    offset, likeness = lag(openings, expected_opening(take[0], len(seen)))
    assert abs(offset) <= 0.04
    assert likeness > 0.6


def test_a_shifted_timeline_is_noticed(take, seen):
    late = [Phoneme(each.symbol, each.at + 2880, each.duration) for each in take[0]]
    openings = np.array([aperture(points) for points in seen])
    offset, _ = lag(openings, expected_opening(late, len(seen)))
    assert offset == pytest.approx(-0.12, abs=0.04)


def test_lips_meet_on_p_b_and_m(take, seen, observer, hopper):
    shut = aperture(observer.points(hopper.portrait, observer.box(hopper.portrait)))
    openings = np.array([aperture(points) for points in seen])
    wide = np.percentile(openings, 95)
    closures = [each for each in take[0] if each.symbol in "pbm"]
    frames = [(each.at + each.duration // 2) // SAMPLES_PER_FRAME for each in closures]
    closed = [openings[frame] < shut + 0.25 * (wide - shut) for frame in frames]
    assert len(closed) > 4
    assert np.mean(closed) >= 0.95


def test_mouth_shapes_differ_as_sounds_do(smiling, observer):
    renderer = Renderer(smiling)
    box = observer.box(smiling.portrait)
    seen = {name: observer.points(renderer.draw(spoken(name)), box) for name in VISEMES}
    assert (
        aperture(seen["aa"]) > aperture(seen["O"]) > aperture(seen["I"]) > aperture(seen["SS"]) > aperture(seen["PP"])
    )
    assert mouth_width(seen["U"]) < mouth_width(seen["sil"]) - 0.05
    assert mouth_width(seen["I"]) > mouth_width(seen["sil"]) + 0.03


def test_f_shows_teeth_on_the_lip(hopper):
    """Upper teeth are paler than the lips and brighter than the seam they appear at."""
    x, y, _, _, width = hopper.mouth
    rows, columns = slice(int(y - 0.06 * width), int(y + 0.03 * width)), slice(int(x - 8), int(x + 9))
    renderer = Renderer(hopper)
    closed, teeth = (renderer.draw(spoken(name))[rows, columns].astype(float) for name in ("PP", "FF"))
    redness = [float((part[..., 2] / part.sum(2)).min(1).mean()) for part in (closed, teeth)]
    assert redness[1] < redness[0] - 0.03


def test_it_stays_the_same_person(hopper, take, observer):
    photo = observer.embedding(hopper.portrait)
    distances = [np.linalg.norm(observer.embedding(picture) - photo) for picture in take[1][::17]]
    assert max(distances) < 0.6
    assert np.mean(distances) < 0.4


def test_another_person_is_told_apart(observer, hopper, smiling):
    """The control: the measure above can fail."""
    assert np.linalg.norm(observer.embedding(smiling.portrait) - observer.embedding(hopper.portrait)) > 0.6


@pytest.fixture(scope="session")
def smiling(tmp_path_factory, model_store) -> Enrolled:
    """Somebody whose photo smiles: parted lips, teeth, lashes with make-up."""
    return enrol(astronaut(tmp_path_factory.mktemp("astronaut"), scale=2), None, model_store)


@pytest.mark.parametrize("who", ["hopper", "smiling"])
def test_blinks_are_seen(who, request, observer):
    face = request.getfixturevalue(who)
    renderer = Renderer(face)
    box = observer.box(face.portrait)
    motion = Motion(7)
    scripted, found = [], []
    for frame in range(0, 250):
        blink = motion.blink(frame / 25)
        if blink in (0.0, 1.0):
            scripted.append(blink == 1.0)
            found.append(lid_gap(observer.points(renderer.draw(Expression(blink=blink)), box)) if blink else None)
    rest = lid_gap(observer.points(renderer.draw(Expression()), box))
    assert any(scripted)
    assert all(gap < 0.72 * rest for gap in found if gap is not None)


def test_rest_is_the_photo(hopper, model_store):
    """With nothing to do, the picture is the portrait itself, but for rounding."""
    photo = cv2.resize(hopper.source[..., :3], (512, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(hopper.portrait.astype(int) - photo).mean() < 1.5


def test_the_background_never_moves(hopper, take):
    behind = cv2.erode((hopper.source[::2, ::2, 3] == 0).astype(np.uint8), np.ones((31, 31))) > 0
    assert behind.mean() > 0.1
    assert all(np.array_equal(picture[behind], hopper.plate[behind]) for picture in take[1][::10])


def test_speech_leaves_hat_and_glasses_alone(hopper):
    """Without head motion, nothing above the tip of the nose differs between one sound and another."""
    renderer = Renderer(hopper)
    pictures = [renderer.draw(spoken(name)) for name in ("sil", "aa", "U", "FF")]
    above = slice(0, int(hopper.landmarks[4, 1]) - 6)
    assert all(np.abs(each[above].astype(int) - pictures[0][above]).max() <= 1 for each in pictures)


@pytest.mark.parametrize("turn", [(8, 0, 0), (-8, 0, 0), (0, 5, 0), (0, -5, 0), (0, 0, 5)])
def test_a_turned_head_is_still_the_same_face(hopper, observer, turn):
    picture = Renderer(hopper).draw(Expression(turn=turn))
    assert np.linalg.norm(observer.embedding(picture) - observer.embedding(hopper.portrait)) < 0.3
