"""A Slack on this machine: its Web API over real HTTP, and the people who use it.

    async with FakeSlack() as slack:
        slack.request_url = "http://127.0.0.1:8088/slack/events"    # or let the app connect by Socket Mode
        asked = await slack.dm("U1", "Who are you?")                # signed, delivered, retried, as Slack does it
        answer = await slack.answered(asked)                        # waits for a finished answer in the thread
        await slack.press(answer, "hear")

The app is installed as its manifest says: what it did not subscribe to is not delivered, what it has no scope for is
refused. Everything the app did can be read from `messages`, `thread()`, `files`, `homes`, `statuses` and `calls`.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import yaml
from aiohttp import web

from tests.fakes.slack_api import APP, BOT, BOT_USER, TEAM, Message, WebApi, event_of

MANIFEST = Path(__file__).parents[2] / "integrations" / "slack" / "manifest.yaml"
ACK_WITHIN = 3.0


@dataclass(frozen=True)
class Delivery:
    """What the app answered to one delivery; status 0 is no answer in three seconds."""

    status: int
    body: str

    @property
    def ok(self) -> bool:
        return self.status == 200


class FakeSlack(WebApi):
    """See the module. `retry_delays` are the pauses before Slack sends an unacknowledged event again (really 0, 1 and
    5 minutes)."""

    def __init__(
        self,
        *,
        manifest: Path = MANIFEST,
        signing_secret: str = "fake-signing-secret",
        bot_token: str = "xoxb-fake",
        app_token: str = "xapp-fake",
        retry_delays: Iterable[float] = (0.0, 0.1, 0.2),
    ) -> None:
        self.manifest = yaml.safe_load(manifest.read_text())
        super().__init__(self.manifest["oauth_config"]["scopes"]["bot"], bot_token, app_token)
        self.signing_secret = signing_secret
        self.request_url = ""
        self.retry_delays = tuple(retry_delays)
        self.subscribed = set(self.manifest["settings"]["event_subscriptions"]["bot_events"])
        self.deliveries: list[tuple[dict[str, Any], Delivery]] = []
        self._sockets: list[web.WebSocketResponse] = []
        self._envelopes: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._echoes: set[asyncio.Task[Any]] = set()

    # --- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "FakeSlack":
        app = web.Application(client_max_size=256 * 2**20)
        self.routes(app)
        app.router.add_get("/socket", self._socket)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ACK_WITHIN))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._echoes:
            task.cancel()
        await asyncio.gather(*self._echoes, return_exceptions=True)
        for socket in self._sockets:
            await socket.close()
        await self._http.close()
        await self._runner.cleanup()

    # --- what people do -----------------------------------------------------------------------------------------

    async def dm(self, user: str, text: str, *, thread: str | None = None) -> Message:
        """Write to the bot in a direct message."""
        message = self._said(self.dm_channel(user), user, text, thread)
        await self._event("message.im", {**event_of(message), "type": "message", "channel_type": "im"})
        return message

    async def mention(
        self, user: str, channel: str, text: str, *, thread: str | None = None, team: str = TEAM
    ) -> Message:
        """Mention the bot in a channel; `team` is the workspace the person comes from."""
        message = self._said(channel, user, f"<@{BOT_USER}> {text}", thread)
        guest = {} if team == TEAM else {"user_team": team}
        await self._event("app_mention", {**event_of(message), "type": "app_mention", "team": team, **guest})
        return message

    async def edit(self, message: Message, text: str) -> None:
        """Change one's own message; Slack tells the app of it with a subtype."""
        message.text = text
        inner = {"type": "message", "user": message.user, "text": text, "ts": message.ts}
        event = {"type": "message", "subtype": "message_changed", "message": inner, "channel": message.channel}
        await self._event("message.im", {**event, "channel_type": "im", "ts": self._ts(), "hidden": True})

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app; `tab` is home or messages."""
        event = {"type": "app_home_opened", "user": user, "channel": self.dm_channel(user), "tab": tab}
        await self._event("app_home_opened", {**event, "event_ts": self._ts()})

    async def press_stop(self, user: str, channel: str, thread: str) -> None:
        """Press Slack's own stop button, which is there while the session is processing or a message streams."""
        live = [m for m in self.messages.values() if m.streaming and (m.channel, m.thread_ts) == (channel, thread)]
        assert live or self.sessions.get((channel, thread)) == "processing", "there is no stop button"
        for message in live:
            message.streaming, message.stopped_by_user = False, True
        event = {"type": "agent_session_stopped", "channel": channel, "thread_ts": thread, "user": user}
        event |= {"streaming_message_ts": [m.ts for m in live], "event_ts": self._ts()}
        await self._event("agent_session_stopped", event)

    async def press(self, message: Message, action_id: str, *, user: str = "U1", positive: bool = True) -> Delivery:
        """Press a button under a message; the feedback buttons have a positive and a negative side."""
        assert action_id in message.actions, f"there is no {action_id} among {sorted(message.actions)}"
        element = message.actions[action_id]
        if element["type"] == "feedback_buttons":
            element = {**element["positive_button" if positive else "negative_button"], "type": "feedback_buttons"}
        action = {"type": element["type"], "action_id": action_id, "block_id": "b1", "action_ts": self._ts()}
        action |= {key: element[key] for key in ("value", "text") if key in element}
        place = {"message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": False}
        return await self._interaction(
            user,
            action,
            container={"type": "message", **place, "thread_ts": message.thread_ts},
            channel={"id": message.channel, "name": "somewhere"},
            message={"type": "message", **event_of(message), "bot_id": BOT, "blocks": message.blocks},
        )

    async def choose(self, user: str, action_id: str, value: str) -> Delivery:
        """Choose from a menu in the App Home."""
        view = self.homes[user]
        menu = next(b["accessory"] for b in view["blocks"] if b.get("accessory", {}).get("action_id") == action_id)
        option = next(option for option in menu["options"] if option["value"] == value)
        action = {"type": "static_select", "action_id": action_id, "block_id": "b1", "selected_option": option}
        container = {"type": "view", "view_id": "V1"}
        return await self._interaction(user, action, container=container, view={**view, "id": "V1", "team_id": TEAM})

    async def command(self, user: str, text: str, *, channel: str = "C1", name: str = "/understudy") -> str:
        """Type an order; returns what the app answered to the person."""
        assert name in {each["command"] for each in self.manifest["features"]["slash_commands"]}
        payload = {"command": name, "text": text, "user_id": user, "user_name": user.lower(), "channel_id": channel}
        payload |= {"channel_name": "somewhere", "team_id": TEAM, "team_domain": "fake", "api_app_id": APP}
        payload |= {"trigger_id": uuid4().hex, "response_url": (url := self._response_url())}
        payload |= {"token": "x", "is_enterprise_install": "false"}
        delivery = await self._deliver("slash_commands", payload, urlencode(payload), form=True)
        assert delivery.ok, delivery
        if delivery.body:
            return delivery.body
        await self.until(lambda: bool(self._responses[url]))
        return str(self._responses[url][0]["text"])

    @property
    def connected(self) -> bool:
        """Whether an app listens by Socket Mode."""
        return any(not socket.closed for socket in self._sockets)

    # --- what people see ----------------------------------------------------------------------------------------

    def dm_channel(self, user: str) -> str:
        return f"D{user}"

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The root and its replies, in order; ephemeral ones among them."""
        return [m for (c, _), m in sorted(self.messages.items()) if c == channel and ts in (m.ts, m.thread_ts)]

    def said(self, channel: str) -> list[Message]:
        """Everything the bot wrote in a channel."""
        return [m for (c, _), m in sorted(self.messages.items()) if c == channel and m.by_bot]

    async def answered(self, question: Message, *, within: float = 60.0) -> Message:
        """The finished answer to a question: the bot's message in its thread that says whose avatar it is."""
        found: list[Message] = []

        def there() -> bool:
            replies = self.thread(question.channel, question.thread_ts or question.ts)
            found[:] = [m for m in replies if m.by_bot and m.ts > question.ts and m.finished]
            return bool(found)

        await self.until(there, within=within)
        return found[0]

    async def uploaded(self, question: Message, *, within: float = 120.0) -> "Message":
        """The message in a question's thread that carries a recording."""
        root = question.thread_ts or question.ts
        await self.until(lambda: any(m.files for m in self.thread(question.channel, root)), within=within)
        return next(m for m in self.thread(question.channel, root) if m.files)

    async def until(self, true: Callable[[], bool], *, within: float = 20.0) -> None:
        """Wait until something is so."""
        end = time.monotonic() + within
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"not within {within} s; refused: {self.refusals}; last: {self.calls[-5:]}")
            await asyncio.sleep(0.02)

    async def settled(self) -> None:
        """Wait until the app has been told of everything it has done itself."""
        while self._echoes:
            await asyncio.gather(*self._echoes, return_exceptions=True)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of a method that Slack took."""
        return [arguments for name, arguments in self.calls if name == method]

    # --- delivering ---------------------------------------------------------------------------------------------

    def envelope(self, event: dict[str, Any], event_id: str = "") -> dict[str, Any]:
        """An Events API envelope around an event."""
        return {
            **{"token": "x", "team_id": TEAM, "api_app_id": APP, "type": "event_callback", "event": event},
            **{"event_id": event_id or f"Ev{uuid4().hex[:10].upper()}", "event_time": int(time.time())},
            "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            "is_ext_shared_channel": False,
        }

    async def deliver_event(self, envelope: dict[str, Any]) -> list[Delivery]:
        """Deliver until it is acknowledged: once, then three more times, as Slack does."""
        tries: list[Delivery] = []
        for number, delay in enumerate((0.0, *self.retry_delays)):
            await asyncio.sleep(delay)
            reason = "http_timeout" if tries and not tries[-1].status else "http_error"
            retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason} if number else {}
            tries.append(await self._deliver("events_api", envelope, json.dumps(envelope), headers=retry))
            if tries[-1].ok:
                break
        return tries

    async def post(
        self, body: str, *, form: bool = False, headers: dict[str, str] | None = None, **sign: Any
    ) -> Delivery:
        """One signed request to the app; `at` and `secret` make a bad one."""
        assert self.request_url, "no request_url, and nobody is connected by Socket Mode"
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        signed = {"Content-Type": kind, **self.signature(body, **sign), **(headers or {})}
        try:
            async with self._http.post(self.request_url, data=body.encode(), headers=signed) as answer:
                return Delivery(answer.status, await answer.text())
        except (TimeoutError, aiohttp.ClientError):
            return Delivery(0, "")

    def signature(self, body: str, *, at: float | None = None, secret: str = "") -> dict[str, str]:
        """Slack's two headers over a body."""
        stamp = str(int(at or time.time()))
        key = (secret or self.signing_secret).encode()
        digest = hmac.new(key, f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def _deliver(self, kind: str, payload: dict[str, Any], body: str, **how: Any) -> Delivery:
        live = [socket for socket in self._sockets if not socket.closed]
        delivery = await (self._through(live[-1], kind, payload) if live else self.post(body, **how))
        self.deliveries.append((payload, delivery))
        return delivery

    async def _through(self, socket: web.WebSocketResponse, kind: str, payload: dict[str, Any]) -> Delivery:
        envelope_id = uuid4().hex
        acknowledged = self._envelopes[envelope_id] = asyncio.get_running_loop().create_future()
        takes = kind != "events_api"
        await socket.send_json(
            {"type": kind, "envelope_id": envelope_id, "payload": payload, "accepts_response_payload": takes}
        )
        try:
            answer = await asyncio.wait_for(acknowledged, ACK_WITHIN)
        except TimeoutError:
            return Delivery(0, "")
        finally:
            del self._envelopes[envelope_id]
        return Delivery(200, (answer.get("payload") or {}).get("text", ""))

    async def _event(self, subscription: str, event: dict[str, Any]) -> None:
        """Tell the app, if it subscribed and anybody listens."""
        if subscription in self.subscribed and (self.request_url or self._sockets):
            await self.deliver_event(self.envelope(event))

    async def _interaction(self, user: str, action: dict[str, Any], **where: Any) -> Delivery:
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            **{"api_app_id": APP, "token": "x", "trigger_id": uuid4().hex, "is_enterprise_install": False},
            **{"team": {"id": TEAM, "domain": "fake"}, "enterprise": None, "state": {"values": {}}},
            **where,
            "response_url": self._response_url(),
            "actions": [action],
        }
        return await self._deliver("interactive", payload, urlencode({"payload": json.dumps(payload)}), form=True)

    def _said(self, channel: str, user: str, text: str, thread: str | None) -> Message:
        escaped = text.replace("&", "&amp;") if "&" in text and ";" not in text else text
        return self._keep(Message(channel, self._ts(), user, escaped, thread))

    def echo(self, message: Message) -> None:
        """Slack tells the app of the messages it wrote itself, too."""
        event = {**event_of(message), "type": "message", "channel_type": "im", "bot_id": BOT, "app_id": APP}
        task = asyncio.create_task(self._event("message.im", event))
        self._echoes.add(task)
        task.add_done_callback(self._echoes.discard)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}})
        self._sockets.append(socket)
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT and "envelope_id" in (answer := json.loads(frame.data)):
                waiting = self._envelopes.get(answer["envelope_id"])
                if waiting and not waiting.done():
                    waiting.set_result(answer)
        self._sockets.remove(socket)
        return socket


@contextlib.asynccontextmanager
async def serving(handler: Any, path: str = "/slack/events") -> AsyncIterator[str]:
    """An aiohttp handler on a free port; yields its URL."""
    app = web.Application()
    app.router.add_post(path, handler)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    finally:
        await runner.cleanup()
