"""The pipeline: words become sentences, sentences sound, sound moves a face, all at once.

Three stages run side by side in one TaskGroup, joined by two short queues: while a sentence is spoken the next is
being written, and while it is filmed the next is being spoken. Cancelling `perform` stops every stage.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import PartFailed, UnderstudyError
from bot.media import AudioChunk, stamp
from bot.personas import Persona
from bot.ports import Face, MediaSink, Voice
from bot.sentences import Sentences

SENTENCES_AHEAD = 64  # a whole answer: writing must never wait for the voice
CHUNKS_AHEAD = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who performs: the persona with its voice and, when it is to be seen, its face."""

    persona: Persona
    voice: Voice
    face: Face | None = None


async def perform(words: AsyncIterator[str], cast: Cast, sink: MediaSink) -> None:
    """Speak the words as they come, move the face, write both to the sink and finish it.

    Raises the first error of any stage as it is, never an ExceptionGroup.
    """
    sentences: asyncio.Queue[str | None] = asyncio.Queue(SENTENCES_AHEAD)
    speech: asyncio.Queue[AudioChunk | None] = asyncio.Queue(CHUNKS_AHEAD)
    try:
        async with asyncio.TaskGroup() as stages:
            stages.create_task(_split(words, sentences))
            stages.create_task(_speak(sentences, speech, cast))
            stages.create_task(_show(speech, cast.face, sink))
    except BaseExceptionGroup as group:
        raise _first(group) from group
    await sink.finish()


async def _split(words: AsyncIterator[str], sentences: "asyncio.Queue[str | None]") -> None:
    splitter = Sentences()
    async for piece in words:
        for sentence in splitter.feed(piece):
            await sentences.put(sentence)
    for sentence in splitter.finish():
        await sentences.put(sentence)
    await sentences.put(None)


async def _speak(
    sentences: "asyncio.Queue[str | None]", speech: "asyncio.Queue[AudioChunk | None]", cast: Cast
) -> None:
    """The one place where the turn's clock is stamped."""
    at = 0
    async for sentence in _drain(sentences):
        origin = at
        async for chunk in cast.voice.speak(sentence, cast.persona.voice, cast.persona.language):
            stamped = stamp(chunk, origin, at)
            at = stamped.end
            await speech.put(stamped)
    if not at:
        raise PartFailed("voice", "nothing was spoken")
    await speech.put(None)


async def _show(speech: "asyncio.Queue[AudioChunk | None]", face: Face | None, sink: MediaSink) -> None:
    chunks = _drain(speech)
    async for item in face.animate(chunks) if face else chunks:
        await sink.write(item)


async def _drain(queue: "asyncio.Queue[T | None]") -> AsyncIterator[T]:
    while (item := await queue.get()) is not None:
        yield item


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to report: one of ours if there is one, else whatever came first."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, UnderstudyError)), leaves[0])


def _leaves(error: BaseException) -> "list[BaseException]":
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
