"""The portrait as the pipeline's Face: sound in, the same sound and its frames out."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np

from bot.errors import PartFailed
from bot.media import FRAME_RATE, SAMPLES_PER_FRAME, AudioChunk, Pixels, VideoFrame, samples
from integrations.faces.portrait.enrolled import Enrolled
from integrations.faces.portrait.loudness import Loudness
from integrations.faces.portrait.mesh import Floats
from integrations.faces.portrait.motion import Motion
from integrations.faces.portrait.render import Expression, Renderer
from integrations.faces.portrait.rig import Base
from integrations.faces.portrait.visemes import LOOK_AHEAD, Channel, Segment, segments, shape

CLOSING_FRAMES = 10
_ONSET = 3
"""Frames in which the mouth gets going, whatever the first sound: a face that idled a moment ago must not jump."""
_BATCH = 6
_MOMENT = SAMPLES_PER_FRAME // 2 + samples(0.016)
"""A picture stands for 40 ms and shows the mouth of their middle, a touch early: lips lead the sound they make."""
_CHANNEL_BASES = (
    (Channel.JAW, Base.JAW),
    (Channel.WIDE, Base.WIDE),
    (Channel.ROUND, Base.ROUND),
    (Channel.UPPER, Base.UPPER),
    (Channel.LOWER, Base.LOWER),
    (Channel.PRESS, Base.PRESS),
    (Channel.TEETH, Base.TEETH),
)
_KEPT = 24_000
"""Samples after which a spoken sound is forgotten."""


class PortraitFace:
    """Implements bot.ports.Face for one enrolled portrait. Frames are uint8[512, 512, 3], BGR, 25 a second.

    Its own time runs through idling and speaking alike, so that head and lids never jump between the two.
    """

    def __init__(self, enrolled: Enrolled, seed: int = 0) -> None:
        self._enrolled = enrolled
        self._motion = Motion(seed)
        self._shown = 0

    async def animate(self, speech: AsyncIterator[AudioChunk]) -> AsyncIterator[AudioChunk | VideoFrame]:
        """See bot.ports.Face. A frame follows as soon as the sound 100 ms beyond it is known."""
        take = _Take(self._enrolled, self._motion, self._shown)
        try:
            async for chunk in speech:
                yield chunk
                take.hear(chunk)
                while pictures := await self._drawn(take, take.ready()):
                    for frame in pictures:
                        yield frame
            take.finish()
            while pictures := await self._drawn(take, take.ready()):
                for frame in pictures:
                    yield frame
        finally:
            self._shown = max(self._shown, take.time)

    async def idle(self) -> AsyncIterator[VideoFrame]:
        """Endless; `at` counts from 0."""
        renderer = Renderer(self._enrolled)
        start = self._shown
        number = 0
        while True:
            pictures = await asyncio.to_thread(self._idle_batch, renderer, start + number)
            for picture in pictures:
                self._shown = max(self._shown, start + number + 1)
                yield VideoFrame(picture, number * SAMPLES_PER_FRAME)
                number += 1

    def _idle_batch(self, renderer: Renderer, first: int) -> list[Pixels]:
        rest = np.zeros(len(Channel), np.float32)
        return [
            renderer.draw(express(self._motion, (first + step) / FRAME_RATE, rest, 1.0, 0.0, 0.0))
            for step in range(_BATCH)
        ]

    async def _drawn(self, take: "_Take", numbers: Sequence[int]) -> list[VideoFrame]:
        if not numbers:
            return []
        try:
            return await asyncio.to_thread(take.draw, numbers)
        except (ValueError, IndexError, FloatingPointError) as error:
            raise PartFailed("face", f"a frame could not be drawn: {error}") from error


class _Take:
    """One spoken turn being filmed: what was heard, and which frame is next."""

    def __init__(self, enrolled: Enrolled, motion: Motion, shown: int) -> None:
        self._renderer = Renderer(enrolled)
        self._motion = motion
        self._start = shown
        self._loudness = Loudness()
        self._segments: list[Segment] = []
        self._end = 0
        self._next = 0
        self._last: int | None = None
        self._talking = 0.0
        self._stress = 0.0

    @property
    def time(self) -> int:
        """Frames shown by this face before the next one."""
        return self._start + self._next

    def hear(self, chunk: AudioChunk) -> None:
        """Take in a chunk; silence fills a gap before it."""
        if chunk.at > self._end:
            self._loudness.hear(bytes(2 * (chunk.at - self._end)))
        self._loudness.hear(chunk.pcm)
        self._end = max(self._end, chunk.end)
        self._segments = [each for each in self._segments if each.end > self._next * SAMPLES_PER_FRAME - _KEPT]
        self._segments += segments(chunk.phonemes)

    def finish(self) -> None:
        """No more sound: frames up to its end, then the mouth closes."""
        spoken = -(-self._end // SAMPLES_PER_FRAME)
        self._last = spoken + CLOSING_FRAMES if self._end else 0

    def ready(self) -> range:
        """The next few frames that can be drawn now."""
        known = self._last
        if known is None:
            known = max(0, (self._end - LOOK_AHEAD - _MOMENT) // SAMPLES_PER_FRAME + 1)
        return range(self._next, min(known, self._next + _BATCH))

    def draw(self, numbers: Sequence[int]) -> list[VideoFrame]:
        """Draw these frames, in order. Runs in a thread."""
        return [VideoFrame(self._one(number), number * SAMPLES_PER_FRAME) for number in numbers]

    def _one(self, number: int) -> Pixels:
        at = number * SAMPLES_PER_FRAME
        speaking = at < self._end
        self._talking += 0.07 * ((1.0 if speaking else 0.0) - self._talking)
        self._stress += 0.3 * ((self._loudness.stress(number) if speaking else 0.0) - self._stress)
        channels = shape(self._segments, at + _MOMENT) * np.float32(min(1.0, (number + 1) / _ONSET))
        expression = express(
            self._motion, (self._start + number) / FRAME_RATE, channels, self._loudness.opening(number), self._talking,
            self._stress,
        )  # fmt: skip
        self._next = number + 1
        return self._renderer.draw(expression)


def express(motion: Motion, time: float, channels: Floats, opening: float, talking: float, stress: float) -> Expression:
    """Join mouth shape and manner to what one frame shows."""
    manner = motion.at(time, talking=talking, stress=stress)
    weights = np.zeros(len(Base), np.float32)
    for channel, base in _CHANNEL_BASES:
        weights[base] = channels[channel]
    weights[[Base.JAW, Base.LOWER]] *= opening
    shut = max(float(channels[Channel.PRESS]), float(channels[Channel.TEETH]))
    weights[Base.SMILE] = manner.smile * (1 - 0.5 * shut)
    weights[Base.BROW] = manner.brow
    return Expression(
        weights, float(channels[Channel.TONGUE]), manner.blink, manner.gaze, manner.turn, manner.shift, manner.breath
    )


__all__ = ["CLOSING_FRAMES", "PortraitFace", "express"]
