"""What a request for speech says, checked."""

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from integrations.speech_engines import Engine
from integrations.speech_server.formats import DEFAULT, FORMATS, Format
from integrations.speech_server.problems import Problem, voice_not_found
from integrations.speech_server.speaking import Order

LONGEST_TEXT = 40_000


class VoiceSettings(BaseModel):
    """Only the speed has a meaning for our engines; the rest is accepted, as clients always send it."""

    model_config = ConfigDict(extra="ignore")

    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None
    use_speaker_boost: bool | None = None
    speed: float | None = None


class SpeechRequest(BaseModel):
    """The body of all four routes. What is not named here (seed, previous_text, ...) is accepted and not used."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    text: str
    model_id: Annotated[str | None, Field(max_length=100)] = None
    language_code: Annotated[str | None, Field(max_length=20)] = None
    voice_settings: VoiceSettings | None = None


async def order_of(request: web.Request, engine: Engine) -> Order:
    """Raises Problem and ValidationError."""
    body = SpeechRequest.model_validate_json(await request.read())
    check_model(engine, body.model_id)
    check_text(body.text)
    voice = request.match_info["voice"]
    check_voice(engine, voice)
    return Order(body.text, voice, language_of(engine, body.language_code), speed_of(body.voice_settings))


def format_of(request: web.Request) -> Format:
    """The `output_format` that was asked for."""
    name = request.query.get("output_format", DEFAULT)
    if name not in FORMATS:
        known = ", ".join(FORMATS)
        raise Problem(400, "invalid_output_format", f"There is no output_format {name[:40]!r}. There are: {known}.")
    return FORMATS[name]


def check_voice(engine: Engine, voice: str) -> None:
    """Raises their answer to an unknown voice."""
    if all(voice != known.id for known in engine.voices()):
        raise voice_not_found(voice)


def check_text(text: str) -> None:
    """Not empty, not too long."""
    if not text.strip():
        raise Problem(400, "input_text_empty", "The text is empty.")
    if len(text) > LONGEST_TEXT:
        message = f"The text has {len(text):,} characters; {LONGEST_TEXT:,} are allowed in one request."
        raise Problem(400, "max_character_limit_exceeded", message)


def check_model(engine: Engine, model: str | None) -> None:
    """Ours by name; ElevenLabs' own names too, because stock clients send them by default."""
    if model and model != engine.name and not model.startswith("eleven_"):
        raise Problem(400, "model_not_found", f"A model with the model_id {model[:80]} does not exist.")


def language_of(engine: Engine, code: str | None) -> str:
    """An engine's language."""
    language = (code or engine.languages[0]).lower()
    if language.split("-")[0] not in engine.languages:
        known = ", ".join(engine.languages)
        raise Problem(400, "unsupported_language", f"{engine.title} speaks {known}; {language[:20]!r} was asked for.")
    return language


def speed_of(settings: VoiceSettings | None) -> float:
    """0.7 to 1.2, as there."""
    speed = 1.0 if settings is None or settings.speed is None else settings.speed
    if not 0.7 <= speed <= 1.2:
        raise Problem(400, "invalid_voice_settings", f"voice_settings.speed must be from 0.7 to 1.2, not {speed:g}.")
    return speed
