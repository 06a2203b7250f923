"""One answer being written into Slack: streamed where Slack streams, edited in place where it does not.

The words are gathered and sent by a task of their own, so that a slow Slack never holds up who writes them.
"""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PartFailed
from bot.messages import Address, Answer, Author
from integrations.slack import translate
from integrations.slack.client import SlackRefused, failing_as_surface, session

# appendStream may be called about a hundred times a minute, chat.update about fifty.
APPEND_EVERY = 0.6
EDIT_EVERY = 1.3
PLACEHOLDER = "…"
STOPPED = "You stopped this answer."

# The place itself is out of reach: posting there in another way would fail just so.
_UNREACHABLE = {
    *("account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"),
    *("channel_not_found", "is_archived", "no_permission", "not_in_channel", "restricted_action"),
}

log = logging.getLogger(__name__)


class SlackStream(ABC):
    """An answer in one Slack message, which `ref` (its timestamp) names."""

    every: float

    def __init__(self, client: AsyncWebClient, channel: str, ts: str) -> None:
        self._client = client
        self._channel = channel
        self._ts = ts
        self._written = ""
        self._sent = ""
        self._intact = True
        self._stopped = False
        self._sender: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    @property
    def ref(self) -> str:
        return self._ts

    async def append(self, text: str) -> None:
        """Add words; they appear within `every` seconds."""
        self._written += text
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send_along())

    async def finish(self, answer: Answer) -> None:
        """Give the message its final form; a second time, another one (a notice that came late)."""
        if self._ending.is_set():
            await self._replace(answer)
            return
        self._ending.set()
        if self._sender is not None:
            await self._sender
        await self._conclude(answer)

    async def _send_along(self) -> None:
        """Send what is new, rest, look again. One failure ends it: `finish` will set the message right."""
        while self._intact and self._fresh() and not self._ending.is_set():
            try:
                await self._send()
            except PartFailed as failure:
                log.warning("an answer can no longer be streamed", extra={"reason": failure.why})
                self._intact = False
                self._stopped = _by_person(failure)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), self.every)

    def _fresh(self) -> str:
        """What was written and not sent. A "<" at the end waits for what follows: together they may be a mention."""
        ready = self._written[: translate.LONGEST_MARKDOWN]
        return (ready[:-1] if ready.endswith("<") else ready)[len(self._sent) :]

    @abstractmethod
    async def _send(self) -> None:
        """Send what is fresh."""

    @abstractmethod
    async def _conclude(self, answer: Answer) -> None:
        """Send the final form."""

    async def _replace(self, answer: Answer) -> None:
        """The final form over whatever stands there. Whoever pressed stop keeps what they had read by then."""
        if self._stopped:
            answer = replace(answer, text=self._sent or PLACEHOLDER, notice=STOPPED, citations=(), offers=())
        await self._edit(answer.text, translate.answer_blocks(answer))

    async def _edit(self, text: str, blocks: list[translate.Block]) -> None:
        """Put this over whatever stands in the message."""
        with failing_as_surface("chat.update"):
            await self._client.chat_update(channel=self._channel, ts=self._ts, text=_fallback(text), blocks=blocks)


class Streamed(SlackStream):
    """Slack's own streaming: startStream, appendStream, stopStream."""

    every = APPEND_EVERY

    async def _send(self) -> None:
        fresh = self._fresh()
        with failing_as_surface("chat.appendStream"):
            await self._client.chat_appendStream(
                channel=self._channel, ts=self._ts, markdown_text=translate.harmless(fresh)
            )
        self._sent += fresh

    async def _conclude(self, answer: Answer) -> None:
        if self._stands_as_streamed(answer) and await self._stop(self._written[len(self._sent) :], answer):
            return
        await self._stop()
        await self._replace(answer)

    def _stands_as_streamed(self, answer: Answer) -> bool:
        fits = 0 < len(self._written) <= translate.LONGEST_MARKDOWN
        return self._intact and fits and self._written.strip() == answer.text.strip()

    async def _stop(self, rest: str = "", answer: Answer | None = None) -> bool:
        """End the stream, with the rest of the words and what stands below them when given.

        False when it was over already: Slack ends a stream after some minutes, and when the person presses stop.
        """
        try:
            with failing_as_surface("chat.stopStream"):
                await self._client.chat_stopStream(
                    channel=self._channel,
                    ts=self._ts,
                    markdown_text=translate.harmless(rest) or None,
                    blocks=translate.tail_blocks(answer) if answer else None,
                )
        except SlackRefused as refused:
            if refused.retryable:
                raise
            self._stopped = self._stopped or _by_person(refused)
            return False
        return True


class Edited(SlackStream):
    """A message that is edited as it grows: where Slack refuses to stream, and on a second attempt."""

    every = EDIT_EVERY

    async def _send(self) -> None:
        fresh = self._fresh()
        await self._edit(self._sent + fresh, [translate.written(self._sent + fresh)])
        self._sent += fresh

    async def _conclude(self, answer: Answer) -> None:
        await self._replace(answer)


def _by_person(failure: PartFailed) -> bool:
    return isinstance(failure, SlackRefused) and failure.code == "stopped_by_user"


async def open_stream(client: AsyncWebClient, address: Address, author: Author) -> SlackStream:
    """A new message for an answer in this thread, streamed to the person who asked."""
    session(client)
    try:
        with failing_as_surface("chat.startStream"):
            started = await client.chat_startStream(
                channel=address.channel,
                thread_ts=address.thread,
                recipient_user_id=author.external_id,
                recipient_team_id=author.tenant,
            )
    except SlackRefused as refused:
        if refused.retryable or refused.code in _UNREACHABLE:
            raise
        log.info("no streaming here; the message will be edited", extra={"reason": refused.code})
        return Edited(client, address.channel, await post(client, address, PLACEHOLDER))
    return Streamed(client, address.channel, str(started["ts"]))


async def reopen_stream(client: AsyncWebClient, address: Address, ref: str) -> SlackStream:
    """The message that an earlier attempt has opened. It may still be streaming: that is ended first, or no edit
    would be accepted."""
    session(client)
    with contextlib.suppress(SlackRefused), failing_as_surface("chat.stopStream"):
        await client.chat_stopStream(channel=address.channel, ts=ref)
    return Edited(client, address.channel, ref)


async def post(client: AsyncWebClient, address: Address, text: str) -> str:
    """A plain message in this thread; returns its timestamp."""
    session(client)
    with failing_as_surface("chat.postMessage"):
        posted = await client.chat_postMessage(
            channel=address.channel,
            thread_ts=address.thread or None,
            text=_fallback(text),
            unfurl_links=False,
            unfurl_media=False,
        )
    return str(posted["ts"])


def _fallback(text: str) -> str:
    """Plain text as mrkdwn: a message of its own, or what notifications and screen readers get beside blocks."""
    return translate.shorten(translate.escape(text), translate.LONGEST_SECTION) or PLACEHOLDER
