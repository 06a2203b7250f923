"""The shape of a speech engine: text in, pieces of timed sound out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.media import Phoneme


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """One voice as it is offered to people. `id` is what a request names; `labels` are plain words about it."""

    id: str
    name: str
    description: str
    language: str = "en"
    category: str = "premade"
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """One character of a text, and when it sounds: samples at 24 kHz from the piece's first sample."""

    character: str
    at: int
    duration: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A clause or a sentence, spoken. The pieces of one text follow each other without a gap.

    `pcm` is s16le mono at 24 kHz and ends with the pause that belongs after the clause. Times are samples from the
    piece's first sample. The durations of `phonemes` add up to exactly the length of `pcm`. `written` holds the
    characters of the text as it was given, `spoken` those of the text as it was read out ("3 PM" is "three PM");
    joined over all pieces, `written` is the whole given text.
    """

    pcm: bytes
    phonemes: tuple[Phoneme, ...]
    written: tuple[Mark, ...]
    spoken: tuple[Mark, ...]

    @property
    def length(self) -> int:
        """Samples in this piece."""
        return len(self.pcm) // 2


class Engine(Protocol):
    """Speaks. Everything here blocks and may be called from several threads; the server keeps the threads."""

    @property
    def name(self) -> str:
        """What `model_id` calls it, e.g. `kokoro-82m`."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def languages(self) -> Sequence[str]:
        """ISO 639-1 codes."""
        ...

    @property
    def clones(self) -> bool:
        """Whether it can learn a voice from recordings."""
        ...

    def warm(self) -> None:
        """Load everything and speak once, so that the first request is as fast as the rest."""
        ...

    def voices(self) -> Sequence[VoiceInfo]: ...

    def synthesize(self, text: str, voice: str, language: str, speed: float) -> Iterator[Piece]:
        """Speak `text`, the first clause early. `speed` 1.0 is natural, 0.7 slower, 1.2 faster.

        Raises NotFound for an unknown voice and BadInput for a language or a text it cannot speak, both before
        the first piece.
        """
        ...

    def clone(self, name: str, recordings: Sequence[bytes]) -> VoiceInfo:
        """Learn a voice from recordings (any common sound file). Raises NotAllowed when `clones` is False."""
        ...

    def forget(self, voice: str) -> None:
        """Remove a cloned voice. Raises NotFound; NotAllowed for a voice that is built in."""
        ...
