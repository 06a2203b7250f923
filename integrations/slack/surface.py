"""Slack as a ChatSurface: shows what is happening, writes answers, uploads clips, says sentences."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PartFailed
from bot.messages import Address, Answer, Author, Clip
from bot.ports import AnswerStream, BlobStore, Stage
from integrations.slack import client as connection
from integrations.slack import translate
from integrations.slack.client import SlackRefused, failing_as_surface, session
from integrations.slack.stream import open_stream, post, reopen_stream
from integrations.slack.upload import Uploads

STATUS_EVERY = 1.5
STATUS_PATIENCE = 4.0
REMEMBERED = 256

_DOING: dict[Stage, str] = {
    "received": "has your question…",
    "waiting": "will be with you in a moment…",
    "thinking": "is looking through the notes…",
    "writing": "is writing…",
    "speaking": "is recording the voice…",
    "filming": "is filming the answer…",
    "done": "",
}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Shown:
    """The status a turn shows now, and since when."""

    stage: Stage
    text: str
    at: float


class SlackSurface:
    """Implements bot.ports.ChatSurface over one workspace's bot token.

    `stoppable` says that somebody listens to Slack's stop button, so that the button may be shown.
    """

    def __init__(self, client: AsyncWebClient, blobs: BlobStore, *, stoppable: bool = False) -> None:
        self._client = client
        self._uploads = Uploads(client, blobs)
        self._stoppable = stoppable
        self._shown: OrderedDict[UUID, _Shown] = OrderedDict()
        self._unavailable: set[str] = set()

    async def status(self, address: Address, turn_id: UUID, stage: Stage, progress: float | None = None) -> None:
        """The line beside the bot's name. Slack has it in threads only; a hiccup is nobody's concern."""
        if not address.thread or not self._news(turn_id, stage, text := _doing(stage, progress)):
            return
        if self._stoppable and stage in ("received", "thinking", "done"):
            await self._session(address, "active" if stage == "done" else "processing")
        await self._line(address, text)

    async def rest(self, address: Address) -> None:
        """Show that nothing is being done in this thread. Slack leaves that to the app when its stop is pressed."""
        await self._session(address, "active")
        await self._line(address, "")

    async def _session(self, address: Address, state: str) -> None:
        method = self._client.agents_sessions_setStatus
        await self._try("agents.sessions.setStatus", method, status=state, **_thread(address))

    async def _line(self, address: Address, text: str) -> None:
        method = self._client.assistant_threads_setStatus
        await self._try("assistant.threads.setStatus", method, status=text, **_thread(address))

    async def stream(self, address: Address, turn_id: UUID, author: Author, ref: str | None) -> AnswerStream:
        """A new message, or the one that `ref` names: then it is edited, and nothing is posted."""
        if ref is not None:
            return await reopen_stream(self._client, address, ref)
        return await open_stream(self._client, address, author)

    async def show(self, address: Address, clip: Clip, answer: Answer) -> None:
        """Upload the clip into the thread, where it plays in place. A second call for the same clip does nothing."""
        await self._uploads.share(address, clip, answer)

    async def say(self, address: Address, author: Author, text: str) -> str:
        """A sentence in a direct message; in a channel only the person it is for sees it."""
        if address.channel.startswith("D"):
            return await post(self._client, address, text)
        session(self._client)
        with failing_as_surface("chat.postEphemeral"):
            posted = await self._client.chat_postEphemeral(
                channel=address.channel,
                user=author.external_id,
                thread_ts=address.thread or None,
                text=translate.escape(text),
            )
        return str(posted["message_ts"])

    async def close(self) -> None:
        """Let the connections go."""
        await connection.close(self._client)

    def _news(self, turn_id: UUID, stage: Stage, text: str) -> bool:
        """Whether this is worth a request: a new stage always is, progress only now and then."""
        if stage == "done":
            self._shown.pop(turn_id, None)
            return True
        now, shown = time.monotonic(), self._shown.get(turn_id)
        if shown and (shown.text == text or (shown.stage == stage and now - shown.at < STATUS_EVERY)):
            return False
        self._shown[turn_id] = _Shown(stage, text, now)
        while len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)
        return True

    async def _try(self, method: str, call: Callable[..., Awaitable[Any]], **arguments: Any) -> None:
        """Call it if this workspace has it; forget it for good when the workspace has not."""
        if method in self._unavailable:
            return
        session(self._client)
        try:
            async with asyncio.timeout(STATUS_PATIENCE):
                with failing_as_surface(method):
                    await call(**arguments)
        except SlackRefused as refused:
            if refused.code in ("unknown_method", "missing_scope", "not_allowed_token_type", "feature_not_enabled"):
                self._unavailable.add(method)
            log.info("a status was not shown", extra={"reason": refused.why})
        except (PartFailed, TimeoutError):
            log.info("a status was not shown", extra={"reason": f"{method}: no answer"})


def _thread(address: Address) -> dict[str, str]:
    return {"channel_id": address.channel, "thread_ts": address.thread}


def _doing(stage: Stage, progress: float | None) -> str:
    """The sentence for a stage; Slack puts the bot's name before it."""
    text = _DOING[stage]
    if progress is None or not text:
        return text
    return f"{text.rstrip('…')}, {round(min(max(progress, 0.0), 1.0) * 10) * 10} %"
