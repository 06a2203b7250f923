"""What the fake Slack's Web API remembers and does. Who uses it stands in slack.py."""

import asyncio
import itertools
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web

from tests.fakes.slack_rules import LONGEST_MARKDOWN, METHODS, No, check_home, check_message_blocks, read_arguments

TEAM, APP, BOT_USER, BOT = "T0FAKE", "A0FAKE", "U0BOT", "B0BOT"


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
    stopped_by_user: bool = False
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
    def finished(self) -> bool:
        """Whether it has what stands below an answer; one that is still being edited has words only."""
        return not self.streaming and any(block["type"] == "context" for block in self.blocks)

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
    after: bool


class WebApi:
    """The methods of the Web API, the upload address and the response addresses, as aiohttp handlers."""

    def __init__(self, scopes: Iterable[str], bot_token: str, app_token: str) -> None:
        self.scopes, self.bot_token, self.app_token = set(scopes), bot_token, app_token
        self.messages: dict[tuple[str, str], Message] = {}
        self.files: list[File] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.prompts: dict[str, list[dict[str, str]]] = {}
        self.statuses: list[tuple[str, str, str]] = []
        self.sessions: dict[tuple[str, str], str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[tuple[str, str, str]] = []
        self.not_in: set[str] = set()
        self.no_streaming = False
        self.held: dict[str, asyncio.Event] = {}
        self._base = ""
        self._failures: dict[str, list[Failure]] = {}
        self._uploads: dict[str, File] = {}
        self._responses: dict[str, list[dict[str, Any]]] = {}
        self._number = itertools.count(1)

    def routes(self, app: web.Application) -> None:
        """Put the Web API on an aiohttp application."""
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_post("/response/{id}", self._response)

    @property
    def api_url(self) -> str:
        return f"{self._base}/api/"

    def fail(
        self,
        method: str,
        error: str = "",
        *,
        status: int = 200,
        retry_after: int | None = None,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """Let the next calls of a method fail: with an error code, or with an HTTP status (429 takes retry_after).

        With `after`, what was asked is done first, and the failure is the answer.
        """
        self._failures.setdefault(method, []).append(Failure(error, status, retry_after, times, after))

    def hold(self, method: str) -> asyncio.Event:
        """Answer this method only once the event is set."""
        self.held[method] = asyncio.Event()
        return self.held[method]

    def echo(self, message: Message) -> None:
        """Called for every message the bot posts in a direct message."""

    def _keep(self, message: Message) -> Message:
        self.messages[message.channel, message.ts] = message
        if message.by_bot and message.channel.startswith("D") and message.only_for is None:
            self.echo(message)
        return message

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._number):06d}"

    def _response_url(self) -> str:
        url = f"{self._base}/response/{uuid4().hex}"
        self._responses[url] = []
        return url

    # --- the Web API --------------------------------------------------------------------------------------------

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method in self.held:
            await self.held[method].wait()
        failure = self._next_failure(method)
        if failure and not failure.after:
            return _failed(failure)
        try:
            raw = await _raw(request)
            self._authorize(method, request, raw)
            arguments = read_arguments(method, raw)
            answer = self._do(method, arguments)
        except No as no:
            self.refusals.append((method, no.code, no.detail))
            return web.json_response({"ok": False, "error": no.code, "detail": no.detail})
        self.calls.append((method, arguments))
        return _failed(failure) if failure else web.json_response({"ok": True, **answer})

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

    def _chat_postMessage(self, channel: str, **said: Any) -> dict[str, Any]:
        message = self._new(channel, **said)
        return {"channel": channel, "ts": message.ts, "message": event_of(message)}

    def _chat_postEphemeral(self, channel: str, user: str, **said: Any) -> dict[str, Any]:
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

    def _chat_startStream(self, channel: str, thread_ts: str = "", **said: Any) -> dict[str, Any]:
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

    def _chat_appendStream(self, channel: str, ts: str, **said: Any) -> dict[str, Any]:
        message = self._streaming(channel, ts)
        if not said.get("markdown_text"):
            raise No("no_text")
        message.streamed += _markdown(said)
        message.appended += 1
        return {"channel": channel, "ts": ts}

    def _chat_stopStream(self, channel: str, ts: str, **said: Any) -> dict[str, Any]:
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
        if message.stopped_by_user:
            raise No("stopped_by_user", ts)
        if not message.streaming:
            raise No("message_not_in_streaming_state", ts)
        return message

    def _assistant_threads_setStatus(self, channel_id: str, thread_ts: str, status: str, **_: Any) -> dict[str, Any]:
        if (channel_id, thread_ts) not in self.messages:
            raise No("invalid_thread_ts", thread_ts)
        self.statuses.append((channel_id, thread_ts, status))
        return {}

    def _assistant_threads_setSuggestedPrompts(
        self, channel_id: str, prompts: list[dict[str, str]], title: str = "", thread_ts: str | None = None
    ) -> dict[str, Any]:
        if thread_ts is not None or not 1 <= len(prompts) <= 4 or any(set(p) != {"title", "message"} for p in prompts):
            raise No("invalid_arguments", "an agent app sets one to four prompts, in no thread")
        self.prompts[channel_id] = prompts
        return {}

    def _agents_sessions_setStatus(
        self, status: str, channel_id: str = "", thread_ts: str = "", **_: Any
    ) -> dict[str, Any]:
        if status not in ("active", "processing", "suspended", "closed"):
            raise No("invalid_arguments", status)
        self.sessions[channel_id, thread_ts] = status
        return {"status": status}

    def _files_getUploadURLExternal(
        self, filename: str, length: int, alt_txt: str | None = None, snippet_type: str | None = None
    ) -> dict[str, Any]:
        if length < 1:
            raise No("invalid_arguments", "length")
        if alt_txt and len(alt_txt) > 1000:
            raise No("alt_txt_too_large")
        file = File(f"F{next(self._number):08d}", filename, length, alt_txt)
        self._uploads[file.id] = file
        return {"file_id": file.id, "upload_url": f"{self._base}/upload/{file.id}"}

    def _files_completeUploadExternal(
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


def _failed(failure: Failure) -> web.Response:
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    body = {"ok": False, "error": failure.error or "ratelimited"}
    return web.json_response(body, status=failure.status, headers=headers)


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


def event_of(message: Message) -> dict[str, Any]:
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
