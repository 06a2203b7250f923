"""Who speaks: the persona, what it knows, and the prompt that makes a model answer in its manner."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One exemplary exchange: how this person answers."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody who can be talked to.

    `voice` is a voice id of the speech server, `language` a BCP 47 tag, `face` the path of an enrolled face
    (.npz) or of a portrait, or "" for none. `disclosure` is the sentence that is always shown. `ask_instead` is
    whom to ask about what the persona does not know. `limits` are topics it never speaks about.
    """

    id: str
    name: str
    title: str
    style: str
    exemplars: tuple[Exemplar, ...]
    voice: str
    face: str
    language: str
    disclosure: str
    ask_instead: str
    limits: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something the persona knows, with where it stands and when."""

    id: str
    persona_id: str
    title: str
    text: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """One message to a chat model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the model. What never changes stands first, so that its prefix caches."""

    messages: tuple[ModelMessage, ...]
    max_tokens: int = 220
    temperature: float = 0.2
