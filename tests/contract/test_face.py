"""What every Face promises, asked of the plain one and of the portrait."""

import asyncio
import itertools

import numpy as np
import pytest

from bot.media import SAMPLES_PER_FRAME, AudioChunk, Phoneme, VideoFrame
from integrations.faces.portrait import Enrolled, PortraitFace, enrol
from tests.fakes.performers import PlainFace


@pytest.fixture(scope="session")
def enrolled(model_store) -> Enrolled:
    return enrol(model_store.path("grace-hopper-portrait"), None, model_store)


@pytest.fixture(params=["plain", pytest.param("portrait", marks=pytest.mark.models)])
def face(request):
    if request.param == "plain":
        return PlainFace()
    return PortraitFace(request.getfixturevalue("enrolled"), seed=1)


@pytest.fixture
def portrait(enrolled):
    return PortraitFace(enrolled, seed=1)


def chunks(*lengths):
    """Noise cut into pieces of these many samples, with a sound in each."""
    at = 0
    for length in lengths:
        sound = np.random.default_rng(length).normal(0, 2000, length).astype("<i2").tobytes()
        yield AudioChunk(sound, at, (Phoneme("ɑ", at, length),))
        at += length


async def speech(*lengths, wait=0.0):
    for chunk in chunks(*lengths):
        await asyncio.sleep(wait)
        yield chunk


async def shown(face, *lengths):
    return [item async for item in face.animate(speech(*lengths))]


async def test_sound_passes_untouched_and_in_order(face):
    items = await shown(face, 5000, 1, 7001, 12000)
    assert [each for each in items if isinstance(each, AudioChunk)] == list(chunks(5000, 1, 7001, 12000))


async def test_frames_cover_the_speech_one_every_960_samples(face):
    frames = [each for each in await shown(face, 5000, 7000, 12123) if isinstance(each, VideoFrame)]
    assert [each.at for each in frames] == [number * SAMPLES_PER_FRAME for number in range(len(frames))]
    assert frames[-1].at + SAMPLES_PER_FRAME >= 24123
    assert len(frames) <= 24123 // SAMPLES_PER_FRAME + 1 + 12
    assert {(each.pixels.dtype, each.pixels.ndim, each.pixels.shape[2]) for each in frames} == {
        (np.dtype(np.uint8), 3, 3)
    }


async def test_a_frame_never_comes_before_its_sound(face):
    heard = 0
    for item in await shown(face, 3000, 3000, 9600):
        if isinstance(item, AudioChunk):
            heard = item.end
        else:
            assert item.at < heard or heard == 15600


async def test_nothing_said_is_nothing_shown(face):
    assert await shown(face) == []


async def test_it_can_be_stopped_at_any_moment(face):
    async def endless():
        at = 0
        while True:
            yield AudioChunk(bytes(4800), at)
            at += 2400
            await asyncio.sleep(0)

    async def watch():
        async for _ in face.animate(endless()):
            pass

    task = asyncio.create_task(watch())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_idling_goes_on(face):
    frames = face.idle()
    found = [await anext(frames) for _ in range(20)]
    await frames.aclose()
    assert all(isinstance(each, VideoFrame) for each in found)


@pytest.mark.models
async def test_frames_follow_within_the_look_ahead(portrait):
    """When a second of sound is there, all but its last 140 ms are shown before more is asked for."""
    shown_before_second = 0
    async for item in portrait.animate(speech(24000, 24000)):
        if isinstance(item, AudioChunk) and item.at > 0:
            break
        shown_before_second += isinstance(item, VideoFrame)
    assert shown_before_second >= 22


@pytest.mark.models
async def test_the_loop_stays_free_while_frames_are_drawn(portrait):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    await shown(portrait, 48000)
    ticking.cancel()
    assert ticks > 20


@pytest.mark.models
async def test_how_the_sound_is_cut_changes_no_picture(enrolled):
    whole = next(chunks(24000))

    async def cut(*bounds):
        for start, end in itertools.pairwise(bounds):
            yield AudioChunk(whole.pcm[2 * start : 2 * end], start, whole.phonemes if start == 0 else ())

    async def frames(*bounds):
        face = PortraitFace(enrolled, seed=4)
        return [each.pixels async for each in face.animate(cut(*bounds)) if isinstance(each, VideoFrame)]

    one, many = await frames(0, 24000), await frames(0, 1000, 2000, 9999, 10000, 24000)
    assert len(one) == len(many) == 35
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True))


@pytest.mark.models
async def test_idle_never_freezes_and_joins_speech_without_a_jump(portrait):
    frames = portrait.idle()
    before = [(await anext(frames)).pixels for _ in range(60)]
    await frames.aclose()
    steps = [np.abs(a.astype(int) - b).mean() for a, b in itertools.pairwise(before)]
    assert min(steps) > 0.005

    async def quiet():
        yield AudioChunk(bytes(9600), 0)

    frames = [each.pixels async for each in portrait.animate(quiet()) if isinstance(each, VideoFrame)]
    assert np.abs(frames[0].astype(int) - before[-1]).mean() < 2 * max(steps)


@pytest.mark.models
async def test_afterwards_the_mouth_is_closed(portrait, enrolled):
    frames = [each.pixels for each in await shown(portrait, 24000) if isinstance(each, VideoFrame)]
    x, y, _, _, width = enrolled.mouth
    part = (slice(int(y - 0.3 * width), int(y + 0.4 * width)), slice(int(x - 0.4 * width), int(x + 0.4 * width)))
    rest = enrolled.portrait[part].astype(int)
    assert np.abs(frames[-1][part] - rest).mean() < 0.5 * np.abs(frames[12][part] - rest).mean()
