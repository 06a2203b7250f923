"""Which implementation stands behind which port. Everything is made on first use, so a process pays for what it uses.

One Wiring belongs to one process and one event loop: make it after any fork, close it at the end.
"""

import os
import secrets
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import Refused
from workers.settings import Settings

if TYPE_CHECKING:
    from celery import Celery

    from bot.commands import Commands
    from bot.ports import ChatSurface
    from bot.receive import Receive
    from bot.reply import Reply
    from integrations.blobs import FolderBlobs
    from integrations.elevenlabs import ElevenLabsVoice
    from integrations.events import TurnEvents
    from integrations.faces.gallery import Gallery
    from integrations.leases import Leases
    from integrations.models import ModelStore
    from integrations.postgres import Database, PostgresConversations, PostgresPersonas
    from integrations.queue import CeleryJobQueue
    from integrations.slack.surface import SlackSurface
    from integrations.vllm import OpenAIChatModel

NOT_RUNNING = "Understudy is not running here. Start it with `make run`, or set UNDERSTUDY_DATABASE_URL and _QUEUE_URL."


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)


def located(settings: Settings) -> Settings:
    """The settings with every address filled in: what is not set is the embedded server of this data directory.

    Raises Refused when an embedded server is meant but does not run.
    """
    from workers.embedded import running_postgres, running_valkey

    database = settings.database_url or running_postgres(settings.data_dir)
    queue = settings.queue_url or running_valkey(settings.data_dir)
    if not database or not queue:
        raise Refused(NOT_RUNNING)
    return settings.model_copy(
        update={
            "database_url": database,
            "queue_url": queue,
            "model_url": settings.model_url or f"http://127.0.0.1:{settings.model_port}/v1",
            "speech_url": settings.speech_url or f"http://127.0.0.1:{settings.speech_port}",
            "public_url": settings.public_url or f"http://{_in_url(settings.host)}:{settings.port}",
        }
    )


def _in_url(host: str) -> str:
    """An IPv6 address stands in brackets, else its colons would be taken for the port's."""
    return f"[{host}]" if ":" in host else host


def kept_secret(path: Path) -> bytes:
    """The key in this file, made when there is none: whole or not at all, readable for its owner only."""
    if path.exists() and (known := path.read_bytes().strip()):
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".secret-", dir=path.parent)  # with mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
    return path.read_bytes()


class Wiring:
    """The parts of one process, made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = located(settings)
        self.clock = SystemClock()

    @cached_property
    def models(self) -> "ModelStore":
        from integrations.models import ModelStore

        return ModelStore(self.settings.cache_dir)

    @cached_property
    def database(self) -> "Database":
        from integrations.postgres import Database

        return Database(self.settings.database_url)

    @cached_property
    def conversations(self) -> "PostgresConversations":
        from integrations.postgres import PostgresConversations

        return PostgresConversations(self.database)

    @cached_property
    def personas(self) -> "PostgresPersonas":
        from integrations.embeddings import MiniLM
        from integrations.postgres import PostgresPersonas

        return PostgresPersonas(self.database, MiniLM(self.models.path("minilm")))

    @cached_property
    def celery(self) -> "Celery":
        from integrations.queue import make_celery

        return make_celery(self.settings.queue_url)

    @cached_property
    def queue(self) -> "CeleryJobQueue":
        from integrations.queue import CeleryJobQueue

        return CeleryJobQueue(self.celery)

    @cached_property
    def events(self) -> "TurnEvents":
        from integrations.events import TurnEvents

        return TurnEvents(self.settings.queue_url)

    @cached_property
    def leases(self) -> "Leases":
        from integrations.leases import Leases

        return Leases(self.settings.queue_url)

    @cached_property
    def blobs(self) -> "FolderBlobs":
        from integrations.blobs import FolderBlobs

        return FolderBlobs(self.settings.blob_dir or self.settings.data_dir / "blobs")

    @cached_property
    def model(self) -> "OpenAIChatModel":
        from integrations.vllm import OpenAIChatModel

        settings = self.settings
        return OpenAIChatModel(settings.model_url, settings.model_name, settings.model_key.get_secret_value())

    @cached_property
    def voice(self) -> "ElevenLabsVoice":
        from integrations.elevenlabs import ElevenLabsVoice

        return ElevenLabsVoice(self.settings.speech_url, self.settings.speech_key.get_secret_value())

    @cached_property
    def surfaces(self) -> "Mapping[str, ChatSurface]":
        """By the surface's name in an Address."""
        from integrations.web.surface import EventSurface

        page = EventSurface(self.events)
        found: dict[str, ChatSurface] = {"web": page, "shell": page}
        if self.settings.slack_bot_token.get_secret_value():
            found["slack"] = self.slack_surface
        return found

    @cached_property
    def slack_client(self) -> Any:
        from integrations.slack.client import make_client

        return make_client(self.settings.slack_bot_token.get_secret_value(), self.settings.slack_api_url)

    @cached_property
    def slack_surface(self) -> "SlackSurface":
        from integrations.slack.surface import SlackSurface

        return SlackSurface(self.slack_client, self.blobs)

    @cached_property
    def receive(self) -> "Receive":
        from bot.receive import Receive

        return Receive(
            self.personas,
            self.conversations,
            self.queue,
            self.clock,
            self.settings.default_persona,
            timedelta(seconds=self.settings.reply_seconds),
        )

    @cached_property
    def commands(self) -> "Commands":
        from bot.commands import Commands

        return Commands(self.personas, self.conversations, self.clock, self.settings.default_persona)

    @cached_property
    def gallery(self) -> "Gallery":
        from integrations.faces.gallery import Gallery

        return Gallery(self.blobs)

    @cached_property
    def reply(self) -> "Reply":
        from bot.filming import Studio
        from bot.reply import Parts, Reply
        from bot.writing import Writer
        from integrations.clips import ClipRecorder

        studio = Studio(self.voice, self.gallery, ClipRecorder(self.blobs))
        writer = Writer(self.personas, self.model)
        return Reply(Parts(self.personas, self.conversations, writer, studio, self.surfaces, self.clock))

    @cached_property
    def secret(self) -> bytes:
        """What signs cookies: the setting, or a key made once in the data directory."""
        if given := self.settings.secret_key.get_secret_value():
            return given.encode()
        return kept_secret(self.settings.data_dir / "secret")

    async def close(self) -> None:
        """Let go of every connection that was made."""
        for name in ("model", "voice", "events", "leases", "database"):
            if part := self.__dict__.get(name):
                await part.close()
