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
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp
import yaml
from aiohttp import web

from tests.fakes.slack_rules import LONGEST_MARKDOWN, METHODS, No, check_home, check_message_blocks, read_arguments

MANIFEST = Path(__file__).parents[2] / "integrations" / "slack" / "manifest.yaml"
TEAM, APP, BOT_USER, BOT = "T0FAKE", "A0FAKE", "U0BOT", "B0BOT"
ACK_WITHIN = 3.0


@dataclass
class Message:
    """A message as people see it now. `only_for` names the one person who sees an ephemeral one."""

    channel: str
    ts: str
    user: str
    text: str = ""
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] = field(default_factory=list)
    streamed: str = ""
    streaming: bool = False
    appended: int = 0
    edits: int = 0
    only_for: str | None = None
    files: list["File"] = field(default_factory=list)

    @property
    def by_bot(self) -> bool:
        return self.user == BOT_USER

    @property
    def shown(self) -> str:
        """Every word one sees: what was streamed, then the blocks; without either, the text."""
        return "\n".join(filter(None, [self.streamed, *_words(self.blocks)])) or self.text

    @property
    def answer(self) -> str:
        """The words of the answer alone: streamed, or in markdown blocks."""
        return self.streamed or "\n".join(b["text"] for b in self.blocks if b["type"] == "markdown") or self.text

    @property
    def actions(self) -> dict[str, dict[str, Any]]:
        """What can be pressed, by action id."""
        return {e["action_id"]: e for b in self.blocks for e in b.get("elements", ()) if "action_id" in e}


@dataclass
class File:
    """An upload. It is seen once it is `shared`."""

    id: str
    name: str
    length: int
    alt: str | None
    content: bytes = b""
    title: str = ""
    channel: str = ""
    thread_ts: str | None = None
    comment: str = ""
    shared: int = 0


@dataclass
class Failure:
    """What a method answers instead, `times` times."""

    error: str
    status: int
    retry_after: int | None
    times: int


@dataclass(frozen=True)
class Delivery:
    """What the app answered to one delivery; status 0 is no answer in three seconds."""

    status: int
    body: str

    @property
    def ok(self) -> bool:
        return self.status == 200


class FakeSlack:
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
        self.signing_secret, self.bot_token, self.app_token = signing_secret, bot_token, app_token
        self.request_url = ""
        self.retry_delays = tuple(retry_delays)
        self.manifest = yaml.safe_load(manifest.read_text())
        self.scopes = set(self.manifest["oauth_config"]["scopes"]["bot"])
        self.subscribed = set(self.manifest["settings"]["event_subscriptions"]["bot_events"])
        self.messages: dict[tuple[str, str], Message] = {}
        self.files: list[File] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.prompts: dict[str, list[dict[str, str]]] = {}
        self.statuses: list[tuple[str, str, str]] = []
        self.sessions: dict[tuple[str, str], str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[tuple[str, str, str]] = []
        self.deliveries: list[tuple[dict[str, Any], Delivery]] = []
        self.not_in: set[str] = set()
        self.no_streaming = False
        self._failures: dict[str, list[Failure]] = {}
        self._uploads: dict[str, File] = {}
        self._responses: dict[str, list[dict[str, Any]]] = {}
        self._sockets: list[web.WebSocketResponse] = []
        self._envelopes: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._number = itertools.count(1)
        self._echoes: set[asyncio.Task[Any]] = set()

    # --- life ---------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "FakeSlack":
        app = web.Application(client_max_size=256 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_post("/response/{id}", self._response)
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

    @property
    def api_url(self) -> str:
        return f"{self._base}/api/"

    def fail(
        self, method: str, error: str = "", *, status: int = 200, retry_after: int | None = None, times: int = 1
    ) -> None:
        """Let the next calls of a method fail: with an error code, or with an HTTP status (429 takes retry_after)."""
        self._failures.setdefault(method, []).append(Failure(error, status, retry_after, times))

    # --- what people do -----------------------------------------------------------------------------------------

    async def dm(self, user: str, text: str, *, thread: str | None = None) -> Message:
        """Write to the bot in a direct message."""
        message = self._said(self.dm_channel(user), user, text, thread)
        await self._event("message.im", {**_event_of(message), "type": "message", "channel_type": "im"})
        return message

    async def mention(self, user: str, channel: str, text: str, *, thread: str | None = None) -> Message:
        """Mention the bot in a channel."""
        message = self._said(channel, user, f"<@{BOT_USER}> {text}", thread)
        await self._event("app_mention", {**_event_of(message), "type": "app_mention"})
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
        """Press Slack's own stop button, which is there while the session is processing."""
        assert self.sessions.get((channel, thread)) == "processing", "there is no stop button"
        live = [m for m in self.messages.values() if m.streaming and (m.channel, m.thread_ts) == (channel, thread)]
        for message in live:
            message.streaming = False
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
            message={"type": "message", **_event_of(message), "bot_id": BOT, "blocks": message.blocks},
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
        """The finished answer to a question: the bot's message in its thread that carries feedback buttons."""
        found: list[Message] = []

        def there() -> bool:
            replies = self.thread(question.channel, question.thread_ts or question.ts)
            found[:] = [m for m in replies if m.by_bot and m.ts > question.ts and "feedback" in m.actions]
            return bool(found)

        await self.until(there, within=within)
        return found[0]

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
        self._envelopes[envelope_id] = asyncio.get_running_loop().create_future()
        takes = kind != "events_api"
        await socket.send_json(
            {"type": kind, "envelope_id": envelope_id, "payload": payload, "accepts_response_payload": takes}
        )
        try:
            answer = await asyncio.wait_for(self._envelopes.pop(envelope_id), ACK_WITHIN)
        except TimeoutError:
            return Delivery(0, "")
        return Delivery(200, (answer.get("payload") or {}).get("text", ""))

    async def _event(self, subscription: str, event: dict[str, Any]) -> None:
        if subscription in self.subscribed:
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

    def _keep(self, message: Message) -> Message:
        self.messages[message.channel, message.ts] = message
        if message.by_bot and message.channel.startswith("D") and message.only_for is None:
            self._echo(message)
        return message

    def _echo(self, message: Message) -> None:
        """Slack tells the app of the messages it wrote itself, too."""
        event = {**_event_of(message), "type": "message", "channel_type": "im", "bot_id": BOT, "app_id": APP}
        if self.request_url or self._sockets:
            task = asyncio.create_task(self._event("message.im", event))
            self._echoes.add(task)
            task.add_done_callback(self._echoes.discard)

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._number):06d}"

    def _response_url(self) -> str:
        url = f"{self._base}/response/{uuid4().hex}"
        self._responses[url] = []
        return url

    # --- the Web API --------------------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if failure := self._next_failure(method):
            headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
            body = {"ok": False, "error": failure.error or "ratelimited"}
            return web.json_response(body, status=failure.status, headers=headers)
        try:
            raw = await _raw(request)
            self._authorize(method, request, raw)
            arguments = read_arguments(method, raw)
            answer = self._do(method, arguments)
        except No as no:
            self.refusals.append((method, no.code, no.detail))
            return web.json_response({"ok": False, "error": no.code, "detail": no.detail})
        self.calls.append((method, arguments))
        return web.json_response({"ok": True, **answer})

    def _next_failure(self, method: str) -> Failure | None:
        for failure in self._failures.get(method, []):
            if failure.times > 0:
                failure.times -= 1
                return failure
        return None

    def _authorize(self, method: str, request: web.Request, raw: dict[str, Any]) -> None:
        if method not in METHODS:
            raise No("unknown_method", method)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or raw.get("token", "")
        wanted = self.app_token if METHODS[method].token == "app" else self.bot_token
        if token != wanted:
            raise No("invalid_auth" if token else "not_authed")
        scopes = METHODS[method].scopes
        if scopes and not self.scopes & set(scopes):
            raise No("missing_scope", f"{method} needs one of {scopes}")

    def _do(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = arguments.get("channel") or arguments.get("channel_id") or ""
        if channel and channel[0] not in "CDG":
            raise No("channel_not_found", channel)
        if channel in self.not_in and method.startswith(("chat.", "files.complete")):
            raise No("not_in_channel", channel)
        name = "_" + method.replace(".", "_")
        return getattr(self, name)(**arguments)  # type: ignore[no-any-return]

    def _auth_test(self) -> dict[str, Any]:
        return {"team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT, "user": "understudy", "team": "Fake", "url": ""}

    def _apps_connections_open(self) -> dict[str, Any]:
        return {"url": f"{self._base.replace('http', 'ws', 1)}/socket"}

    def _chat_postMessage(self, channel: str, **said: Any) -> dict[str, Any]:  # noqa: N802
        message = self._new(channel, **said)
        return {"channel": channel, "ts": message.ts, "message": _event_of(message)}

    def _chat_postEphemeral(self, channel: str, user: str, **said: Any) -> dict[str, Any]:  # noqa: N802
        return {"message_ts": self._new(channel, only_for=user, **said).ts}

    def _new(self, channel: str, only_for: str | None = None, **said: Any) -> Message:
        thread = said.get("thread_ts")
        if thread is not None and (channel, thread) not in self.messages:
            raise No("thread_not_found", thread)
        if not any(said.get(key) for key in ("text", "blocks", "markdown_text")):
            raise No("no_text")
        _check_text(said)
        text, blocks = said.get("text", ""), said.get("blocks", [])
        return self._keep(Message(channel, self._ts(), BOT_USER, text, thread, blocks, only_for=only_for))

    def _chat_update(self, channel: str, ts: str, **said: Any) -> dict[str, Any]:
        message = self._own(channel, ts)
        if message.streaming:
            raise No("streaming_state_conflict", "stop the stream first")
        _check_text(said)
        message.text, message.blocks, message.streamed = said.get("text", ""), said.get("blocks", []), ""
        message.edits += 1
        return {"channel": channel, "ts": ts, "text": message.text}

    def _chat_startStream(self, channel: str, thread_ts: str = "", **said: Any) -> dict[str, Any]:  # noqa: N802
        if self.no_streaming:
            raise No("channel_type_not_supported")
        if not thread_ts or (channel, thread_ts) not in self.messages:
            raise No("invalid_thread_ts", thread_ts)
        for name in ("recipient_user_id", "recipient_team_id"):
            if not channel.startswith("D") and not said.get(name):
                raise No(f"missing_{name}")
        message = Message(channel, self._ts(), BOT_USER, thread_ts=thread_ts, streaming=True)
        self._keep(message).streamed = _markdown(said)
        return {"channel": channel, "ts": message.ts}

    def _chat_appendStream(self, channel: str, ts: str, **said: Any) -> dict[str, Any]:  # noqa: N802
        message = self._streaming(channel, ts)
        if not said.get("markdown_text"):
            raise No("no_text")
        message.streamed += _markdown(said)
        message.appended += 1
        return {"channel": channel, "ts": ts}

    def _chat_stopStream(self, channel: str, ts: str, **said: Any) -> dict[str, Any]:  # noqa: N802
        message = self._streaming(channel, ts)
        check_message_blocks(said.get("blocks", []))
        message.streamed += _markdown(said)
        message.blocks, message.streaming = said.get("blocks", []), False
        return {"channel": channel, "ts": ts}

    def _own(self, channel: str, ts: str) -> Message:
        message = self.messages.get((channel, ts))
        if message is None or message.only_for is not None:
            raise No("message_not_found", ts)
        if not message.by_bot:
            raise No("cant_update_message", ts)
        return message

    def _streaming(self, channel: str, ts: str) -> Message:
        message = self._own(channel, ts)
        if not message.streaming:
            raise No("message_not_in_streaming_state", ts)
        return message

    def _assistant_threads_setStatus(  # noqa: N802
        self, channel_id: str, thread_ts: str, status: str, **_: Any
    ) -> dict[str, Any]:
        if (channel_id, thread_ts) not in self.messages:
            raise No("invalid_thread_ts", thread_ts)
        self.statuses.append((channel_id, thread_ts, status))
        return {}

    def _assistant_threads_setSuggestedPrompts(  # noqa: N802
        self, channel_id: str, prompts: list[dict[str, str]], title: str = "", thread_ts: str | None = None
    ) -> dict[str, Any]:
        if thread_ts is not None or not 1 <= len(prompts) <= 4 or any(set(p) != {"title", "message"} for p in prompts):
            raise No("invalid_arguments", "an agent app sets one to four prompts, in no thread")
        self.prompts[channel_id] = prompts
        return {}

    def _agents_sessions_setStatus(  # noqa: N802
        self, status: str, channel_id: str = "", thread_ts: str = "", **_: Any
    ) -> dict[str, Any]:
        if status not in ("active", "processing", "suspended", "closed"):
            raise No("invalid_arguments", status)
        self.sessions[channel_id, thread_ts] = status
        return {"status": status}

    def _files_getUploadURLExternal(  # noqa: N802
        self, filename: str, length: int, alt_txt: str | None = None, snippet_type: str | None = None
    ) -> dict[str, Any]:
        if length < 1:
            raise No("invalid_arguments", "length")
        if alt_txt and len(alt_txt) > 1000:
            raise No("alt_txt_too_large")
        file = File(f"F{next(self._number):08d}", filename, length, alt_txt)
        self._uploads[file.id] = file
        return {"file_id": file.id, "upload_url": f"{self._base}/upload/{file.id}"}

    def _files_completeUploadExternal(  # noqa: N802
        self,
        files: list[dict[str, str]],
        channel_id: str = "",
        thread_ts: str | None = None,
        initial_comment: str = "",
    ) -> dict[str, Any]:
        if thread_ts is not None and (channel_id, thread_ts) not in self.messages:
            raise No("thread_not_found", thread_ts)
        found = []
        for each in files:
            file = self._uploads.get(each["id"])
            if file is None or len(file.content) != file.length:
                raise No("file_not_found", each["id"])
            if file.shared:
                raise No("file_already_completed", file.id)
            file.title, file.channel, file.thread_ts = each.get("title", file.name), channel_id, thread_ts
            file.comment, file.shared = initial_comment, 1
            found.append(file)
        self.files += found
        self._keep(Message(channel_id, self._ts(), BOT_USER, initial_comment, thread_ts, files=found))
        return {"files": [{"id": file.id, "title": file.title} for file in found]}

    def _files_info(self, file: str) -> dict[str, Any]:
        known = self._uploads.get(file)
        if known is None or not known.shared:
            raise No("file_not_found", file)
        place = "ims" if known.channel.startswith("D") else "channels"
        return {"file": {"id": file, "title": known.title, "channels": [], "groups": [], place: [known.channel]}}

    def _views_publish(self, user_id: str, view: dict[str, Any], **_: Any) -> dict[str, Any]:
        check_home(view)
        self.homes[user_id] = view
        return {"view": view}

    def _users_info(self, user: str) -> dict[str, Any]:
        return {"user": {"id": user, "team_id": TEAM, "name": user.lower(), "is_bot": user == BOT_USER}}

    def _conversations_info(self, channel: str) -> dict[str, Any]:
        return {"channel": {"id": channel, "is_im": channel.startswith("D"), "is_member": channel not in self.not_in}}

    # --- beside the Web API -------------------------------------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.Response:
        file = self._uploads.get(request.match_info["file"])
        content = await request.read()
        if failure := self._next_failure("upload"):
            return web.Response(status=failure.status, text="failed")
        if file is None or len(content) != file.length:
            return web.Response(status=400, text="no such upload, or not its length")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _response(self, request: web.Request) -> web.Response:
        self._responses[f"{self._base}{request.path}"].append(await request.json())
        return web.Response(text="ok")

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


async def _raw(request: web.Request) -> dict[str, Any]:
    """Arguments may come in the query, in a form or as JSON."""
    raw: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return raw | json.loads(await request.text() or "{}")
    if request.method == "POST":
        raw |= dict(await request.post())
    return raw


def _check_text(said: dict[str, Any]) -> None:
    if len(said.get("text", "")) > 40_000:
        raise No("msg_too_long")
    _markdown(said)
    check_message_blocks(said.get("blocks", []))


def _markdown(said: dict[str, Any]) -> str:
    text: str = said.get("markdown_text", "")
    if len(text) > LONGEST_MARKDOWN:
        raise No("msg_too_long")
    return text


def _event_of(message: Message) -> dict[str, Any]:
    event = {"user": message.user, "text": message.text, "ts": message.ts, "channel": message.channel, "team": TEAM}
    return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {}) | {"event_ts": message.ts}


def _words(blocks: list[dict[str, Any]]) -> Iterable[str]:
    for block in blocks:
        text = block.get("text")
        if text:
            yield text if isinstance(text, str) else text["text"]
        for element in block.get("elements", ()):
            inner = element.get("text")
            if inner:
                yield inner if isinstance(inner, str) else inner["text"]


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
