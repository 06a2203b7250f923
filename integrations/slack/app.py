"""Listening to Slack, over HTTP or Socket Mode. Listeners translate and hand over; nothing is decided here.

A question is stored *before* Slack gets its acknowledgement (tens of milliseconds; the limit is three seconds): if
we fall over in between, Slack sends the event again and the event id keeps it single. Presses, orders and the App Home
are acknowledged first and done in the background, for Slack never repeats those.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Refused
from bot.messages import Address, Author, Inbound, Medium, Turn
from bot.ports import BlobStore, Clock, Conversations, Personas
from integrations.slack import home, translate
from integrations.slack.client import failing_as_surface, make_client, session, wordless
from integrations.slack.identity import Identity
from integrations.slack.surface import SlackSurface

STORE_WITHIN = 2.5
FINISH_WITHIN = 10.0
MOST_PROMPTS = 4
COMMAND = "/understudy"
UNWELL = "Something went wrong on my side. Please try again in a minute."
STOPPED = "Stopped. Ask me again whenever you like."

Listener = Callable[..., Awaitable[None]]

log = logging.getLogger(__name__)


class Receiving(Protocol):
    """What messages and presses are handed to: bot.receive.Receive."""

    async def message(self, inbound: Inbound) -> Turn | None: ...

    async def again(self, answer_id: UUID, author: Author, medium: Medium) -> None: ...


class Commanding(Protocol):
    """What orders are handed to: bot.commands.Commands."""

    async def run(self, author: Author, address: Address, text: str) -> str: ...


Stop = Callable[[Address, Author], Awaitable[bool]]
"""Ends the answer that is being made for this person in this thread; whether there was one."""


class Slack:
    """One Slack app in one workspace.

    `handler` serves POST /slack/events (events, presses and orders alike); `socket_mode` listens without a public
    address instead. `close` waits for what was begun.
    """

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        signing_secret: str,
        surface: SlackSurface,
        receive: Receiving,
        commands: Commanding,
        conversations: Conversations,
        personas: Personas,
        clock: Clock,
        default_persona: str,
        stop: Stop | None = None,
    ) -> None:
        self._client = client
        self.surface = surface
        self._receive = receive
        self._commands = commands
        self._conversations = conversations
        self._personas = personas
        self._clock = clock
        self._default_persona = default_persona
        self._stop = stop
        self._identity = Identity(client)
        self._listens = bool(signing_secret)
        self._socket: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._begun: set[asyncio.Task[None]] = set()
        self.events: dict[str, Listener] = {
            "message.im": self._message,
            "app_mention": self._message,
            "app_home_opened": self._home_opened,
            "agent_session_stopped": self._stopped,
        }
        self.actions: dict[str, Listener] = {
            translate.HEAR: self._again,
            translate.SEE: self._again,
            translate.FEEDBACK: self._feedback,
            home.CHOOSE_MEDIUM: self._chosen,
            home.CHOOSE_PERSONA: self._chosen,
        }
        self.app = self._bolt(signing_secret)

    def _bolt(self, signing_secret: str) -> AsyncApp:
        app = AsyncApp(
            name="understudy",
            logger=wordless(f"{__name__}.bolt"),
            signing_secret=signing_secret,
            client=AsyncWebClient(base_url=self._client.base_url),
            authorize=self._identity,
            process_before_response=True,
        )
        for name, listener in self.events.items():
            app.event(name.partition(".")[0])(listener)
        for action_id, listener in self.actions.items():
            app.action(action_id)(listener)
        app.action(re.compile(".*"))(_ignored)  # a button of an older version
        app.command(COMMAND)(self._ordered)
        return app

    async def handler(self, request: web.Request) -> web.Response:
        """aiohttp handler of POST /slack/events. Bolt checks signature and timestamp: 401 when they are wrong.

        What Bolt itself would trip over, before it knows who sent it, is refused here; and without a signing secret
        (Socket Mode needs none) everything is, for anybody can sign with an empty one.
        """
        if not self._listens:
            return web.Response(status=404)
        if not request.headers.get("X-Slack-Request-Timestamp", "").isdecimal():
            return web.Response(status=401)
        try:
            received = await to_bolt_request(request)
        except ValueError:
            return web.Response(status=400)
        return await to_aiohttp_response(await self.app.async_dispatch(received))

    async def socket_mode(self, app_token: str) -> AsyncSocketModeHandler:
        """Listen by Socket Mode until `close`. It connects in the background, and again when the line breaks."""
        session(self._client)
        self._socket = AsyncSocketModeHandler(
            self.app, app_token, logger=wordless(f"{__name__}.socket"), web_client=self._client
        )
        self._connecting = asyncio.create_task(self._socket.client.connect())  # type: ignore[no-untyped-call]
        return self._socket

    async def close(self) -> None:
        """Hear nothing more, let what was begun come to its end, then let the connections go."""
        if self._connecting is not None and self._socket is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
            await self._socket.client.close()  # type: ignore[no-untyped-call]
        if self._begun:
            await asyncio.wait(self._begun, timeout=FINISH_WITHIN)
        await self.surface.close()

    # --- events ---

    async def _message(self, body: dict[str, Any]) -> None:
        inbound = translate.to_inbound(body, self._identity.bot_user_id)
        if inbound is None:
            return
        try:
            async with asyncio.timeout(STORE_WITHIN):
                turn = await self._receive.message(inbound)
        except Refused as refused:
            self._later(self._say(inbound.address, inbound.author, str(refused)))
            return
        if turn is not None:
            self._later(self.surface.status(inbound.address, turn.id, "received"))

    async def _home_opened(self, body: dict[str, Any]) -> None:
        author = translate.event_author(body)
        if body["event"].get("tab") == "home":
            self._later(self._publish_home(author))
        else:
            self._later(self._suggest(author, body["event"]["channel"]))

    async def _stopped(self, body: dict[str, Any]) -> None:
        """Slack has ended the stream itself; the rest of the work is ended by `stop`, where there is one."""
        address, author = translate.event_address(body), translate.event_author(body)
        self._later(self.surface.rest(address))
        if self._stop is not None and await self._stop(address, author):
            self._later(self._say(address, author, STOPPED))

    # --- presses and orders: Slack never repeats them, so acknowledge first ---

    async def _again(self, ack: Listener, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        medium = next(
            medium for medium, (action_id, _) in translate.ASK_AGAIN.items() if action_id == action["action_id"]
        )

        async def ask(answer_id: UUID, author: Author) -> None:
            await self._receive.again(answer_id, author, medium)

        self._later(self._under_answer(body, action["value"], ask))

    async def _feedback(self, ack: Listener, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()

        async def rate(answer_id: UUID, author: Author) -> None:
            await self._conversations.rate(answer_id, author, translate.to_rating(action["value"]))

        self._later(self._under_answer(body, action["value"], rate))

    async def _under_answer(
        self, body: dict[str, Any], value: str, do: Callable[[UUID, Author], Awaitable[None]]
    ) -> None:
        """Do what was pressed under an answer; a refusal, or that it failed, is said to who pressed."""
        author, address = translate.to_author(body), translate.action_address(body)
        answer_id = translate.to_answer_id(value)
        if answer_id is None:
            return
        try:
            await do(answer_id, author)
        except Refused as refused:
            await self._say(address, author, str(refused))
        except Exception:
            await self._say(address, author, UNWELL)
            raise

    async def _chosen(self, ack: Listener, body: dict[str, Any], action: dict[str, Any]) -> None:
        await ack()
        self._later(self._prefer(translate.to_author(body), action["action_id"], action["selected_option"]["value"]))

    async def _ordered(self, ack: Listener, respond: Listener, body: dict[str, Any]) -> None:
        await ack()
        author, address = translate.to_author(body), translate.command_address(body)

        async def obey() -> None:
            try:
                answer = await self._commands.run(author, address, body.get("text") or "")
            except Exception:
                await respond(UNWELL)
                raise
            await respond(translate.escape(answer))

        self._later(obey())

    # --- in the background ---

    async def _prefer(self, author: Author, action_id: str, value: str) -> None:
        if action_id == home.CHOOSE_MEDIUM:
            await self._conversations.prefer(author, medium=Medium(value))
        else:
            await self._conversations.prefer(author, persona_id=value)
        await self._publish_home(author)

    async def _publish_home(self, author: Author) -> None:
        person, personas = await self._conversations.person(author), await self._personas.all()
        view = home.home_view(personas, person, author, self._default_persona, self._clock.now())
        session(self._client)
        with failing_as_surface("views.publish"):
            await self._client.views_publish(user_id=author.external_id, view=view)

    async def _suggest(self, author: Author, channel: str) -> None:
        """What one might ask, in the empty conversation."""
        person, personas = await self._conversations.person(author), await self._personas.all()
        chosen = home.chosen_persona(personas, person, self._default_persona)
        if chosen is None or not chosen.persona.suggestions:
            return
        prompts = [{"title": each, "message": each} for each in chosen.persona.suggestions[:MOST_PROMPTS]]
        session(self._client)
        with failing_as_surface("assistant.threads.setSuggestedPrompts"):
            await self._client.assistant_threads_setSuggestedPrompts(
                channel_id=channel, title=f"Ask the AI avatar of {chosen.persona.name}", prompts=prompts
            )

    async def _say(self, address: Address, author: Author, text: str) -> None:
        await self.surface.say(address, author, text)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it after the acknowledgement; what goes wrong is logged."""
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._begun.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("work for Slack failed", exc_info=error)


async def _ignored(ack: Listener) -> None:
    await ack()


def make_slack(
    *,
    token: str,
    signing_secret: str,
    api_url: str,
    blobs: BlobStore,
    receive: Receiving,
    commands: Commanding,
    conversations: Conversations,
    personas: Personas,
    clock: Clock,
    default_persona: str,
    stop: Stop | None = None,
) -> Slack:
    """A Slack over the bot token's workspace. `stop`, when given, makes Slack show its stop button."""
    client = make_client(token, api_url)
    return Slack(
        client=client,
        signing_secret=signing_secret,
        surface=SlackSurface(client, blobs, stoppable=stop is not None),
        receive=receive,
        commands=commands,
        conversations=conversations,
        personas=personas,
        clock=clock,
        default_persona=default_persona,
        stop=stop,
    )
