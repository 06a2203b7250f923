"""The pipeline: stages overlap, one clock, the first error comes out as it is, cancelling stops everything."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from bot.errors import PartFailed
from bot.media import AudioChunk, VideoFrame
from bot.perform import Cast, perform
from bot.script import Script
from tests.fakes.performers import PERSONA, PlainFace, PlainRecording, PlainVoice

TEXT = "The first sentence is this one. Here is the second sentence. And finally, a third."


async def test_speech_is_stamped_on_one_clock_without_gap_or_overlap() -> None:
    sink = PlainRecording()
    await perform(aiter(Script.of(TEXT)), Cast(PERSONA, PlainVoice(), PlainFace()), sink)
    chunks = [item for item in sink.items if isinstance(item, AudioChunk)]
    assert chunks[0].at == 0
    assert all(one.end == two.at for one, two in itertools.pairwise(chunks))
    assert all(chunk.at <= p.at < chunk.end for chunk in chunks for p in chunk.phonemes)
    assert len([item for item in sink.items if isinstance(item, VideoFrame)]) >= chunks[-1].end // 960
    assert sink.finished


async def test_every_word_is_spoken_once_and_in_order() -> None:
    voice = PlainVoice()
    await perform(aiter(Script.of(TEXT)), Cast(PERSONA, voice), PlainRecording())
    assert "".join(" ".join(voice.spoken).split()) == "".join(TEXT.split())


async def test_without_a_face_only_sound_is_written() -> None:
    sink = PlainRecording()
    await perform(aiter(Script.of(TEXT)), Cast(PERSONA, PlainVoice()), sink)
    assert sink.items and all(isinstance(item, AudioChunk) for item in sink.items)


async def test_speaking_begins_while_the_words_are_still_being_written() -> None:
    script, voice = Script(), PlainVoice()
    task = asyncio.create_task(perform(aiter(script), Cast(PERSONA, voice), PlainRecording()))
    script.add("The first sentence is this one. And")
    for _ in range(50):
        await asyncio.sleep(0)
    assert voice.spoken and not task.done()
    script.add(" now the rest.")
    script.close()
    await task


@pytest.mark.parametrize(
    ("cast", "part"),
    [
        (Cast(PERSONA, PlainVoice(fails_at="second"), PlainFace()), "voice"),
        (Cast(PERSONA, PlainVoice(), PlainFace(fails=True)), "face"),
    ],
)
async def test_the_error_of_a_stage_comes_out_as_it_is(cast: Cast, part: str) -> None:
    with pytest.raises(PartFailed) as failed:
        await perform(aiter(Script.of(TEXT)), cast, PlainRecording())
    assert failed.value.part == part


async def test_a_failed_source_stops_the_stages() -> None:
    async def words() -> AsyncIterator[str]:
        yield "One sentence is here. "
        raise PartFailed("model", "gone")

    sink = PlainRecording()
    with pytest.raises(PartFailed, match="gone"):
        await perform(words(), Cast(PERSONA, PlainVoice(), PlainFace()), sink)
    assert not sink.finished


async def test_nothing_to_say_is_an_error_not_an_empty_clip() -> None:
    with pytest.raises(PartFailed) as failed:
        await perform(aiter(Script.of("   ")), Cast(PERSONA, PlainVoice()), PlainRecording())
    assert failed.value.part == "voice"


async def test_cancelling_stops_every_stage() -> None:
    script = Script()
    before = len(asyncio.all_tasks())
    task = asyncio.create_task(perform(aiter(script), Cast(PERSONA, PlainVoice(), PlainFace()), PlainRecording()))
    script.add("The first sentence is this one. And")
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) > before + 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == before


async def test_a_script_is_read_from_the_start_by_everybody() -> None:
    script = Script()
    script.add("one ")

    async def read() -> str:
        return "".join([piece async for piece in script])

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0)
    script.add("two")
    script.close()
    assert await asyncio.gather(*readers) == ["one two"] * 3
