"""What Slack's Web API accepts: methods, arguments, scopes, and the limits of blocks. Says no with Slack's own codes.

Taken from https://docs.slack.dev/reference; stricter than Slack in one thing: an argument that Slack does not know is
an error here, where Slack would ignore it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class No(Exception):
    """Slack's answer `{"ok": false, "error": code}`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Method:
    """A Web API method: the scopes of which one is needed, and its arguments; a `*` marks the required ones."""

    scopes: tuple[str, ...]
    required: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, type] = field(default_factory=dict)
    token: str = "bot"


_POST = {"text": str, "blocks": list, "markdown_text": str, "thread_ts": str, "metadata": dict, "unfurl_links": bool}
_LOOKS = {"icon_emoji": str, "icon_url": str, "username": str}

METHODS: dict[str, Method] = {
    "auth.test": Method(()),
    "apps.connections.open": Method((), token="app"),
    "chat.postMessage": Method(
        ("chat:write",), {"channel": str}, {**_POST, "unfurl_media": bool, "reply_broadcast": bool, "mrkdwn": bool}
    ),
    "chat.postEphemeral": Method(("chat:write",), {"channel": str, "user": str}, _POST),
    "chat.update": Method(("chat:write",), {"channel": str, "ts": str}, _POST),
    "chat.delete": Method(("chat:write",), {"channel": str, "ts": str}),
    "chat.startStream": Method(
        ("chat:write",),
        {"channel": str},
        {
            **{"thread_ts": str, "markdown_text": str, "chunks": list, "task_display_mode": str},
            **{"recipient_user_id": str, "recipient_team_id": str},
        },
    ),
    "chat.appendStream": Method(("chat:write",), {"channel": str, "ts": str}, {"markdown_text": str, "chunks": list}),
    "chat.stopStream": Method(
        ("chat:write",),
        {"channel": str, "ts": str},
        {"markdown_text": str, "chunks": list, "blocks": list, "metadata": dict, "session_status": str},
    ),
    "assistant.threads.setStatus": Method(
        ("chat:write", "assistant:write"),
        {"channel_id": str, "thread_ts": str, "status": str},
        {"loading_messages": list, **_LOOKS},
    ),
    "assistant.threads.setSuggestedPrompts": Method(
        ("assistant:write",), {"channel_id": str, "prompts": list}, {"thread_ts": str, "title": str}
    ),
    "agents.sessions.setStatus": Method(
        ("chat:write",),
        {"status": str},
        {"channel_id": str, "thread_ts": str, "title": str, "initiator_user_id": str, **_LOOKS},
    ),
    "files.getUploadURLExternal": Method(
        ("files:write",), {"filename": str, "length": int}, {"alt_txt": str, "snippet_type": str}
    ),
    "files.completeUploadExternal": Method(
        ("files:write",), {"files": list}, {"channel_id": str, "thread_ts": str, "initial_comment": str}
    ),
    "files.info": Method(("files:read",), {"file": str}),
    "views.publish": Method((), {"user_id": str, "view": dict}, {"hash": str}),
    "users.info": Method(("users:read",), {"user": str}),
    "conversations.info": Method(("channels:read", "groups:read", "im:read"), {"channel": str}),
    "conversations.open": Method(("im:write",), {"users": str}),
    "conversations.replies": Method(("channels:history", "im:history"), {"channel": str, "ts": str}),
}


def read_arguments(method: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in their types; raises No as Slack would."""
    rule, read = METHODS[method], {}
    known = {**rule.required, **rule.optional}
    for name, value in raw.items():
        if name == "token":
            continue
        if name not in known:
            raise No("invalid_arguments", f"{method} has no argument {name}")
        read[name] = _typed(name, value, known[name])
    for name in rule.required:
        if read.get(name) in (None, ""):
            # the one required string that may be empty: it clears the status
            if name == "status" and read.get(name) == "":
                continue
            raise No("invalid_arguments", f"{method} needs {name}")
    return read


def _typed(name: str, value: Any, wanted: type) -> Any:
    if wanted in (list, dict) and isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise No("invalid_arguments", f"{name} is no JSON") from None
    if wanted is int and isinstance(value, str) and value.isdigit():
        value = int(value)
    if wanted is bool and value in ("0", "1", "true", "false"):
        value = value in ("1", "true")
    if not isinstance(value, wanted):
        raise No("invalid_arguments", f"{name} is a {type(value).__name__}, not a {wanted.__name__}")
    return value


# --- blocks -----------------------------------------------------------------------------------------------------

_IN_MESSAGES = {"actions", "context", "context_actions", "divider", "header", "image", "markdown", "section"}
_IN_HOME = {"actions", "context", "divider", "header", "image", "section"}
MOST_IN_MESSAGE, MOST_IN_HOME, LONGEST_MARKDOWN = 50, 100, 12_000


def check_message_blocks(blocks: list[Any]) -> None:
    """Raises No("invalid_blocks") unless a message may carry these."""
    _check(blocks, _IN_MESSAGES, MOST_IN_MESSAGE)
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > LONGEST_MARKDOWN:
        _wrong("the markdown blocks of a message hold 12,000 characters together")


def check_home(view: Mapping[str, Any]) -> None:
    """Raises No unless this can be published as an App Home."""
    if view.get("type") != "home" or set(view) - {"type", "blocks", "private_metadata", "callback_id", "external_id"}:
        raise No("invalid_arguments", "no home view")
    _check(view.get("blocks"), _IN_HOME, MOST_IN_HOME)


def _check(blocks: Any, allowed: set[str], most: int) -> None:
    if not isinstance(blocks, list) or len(blocks) > most:
        _wrong(f"at most {most} blocks")
    ids = [block.get("block_id") for block in blocks if block.get("block_id")]
    if len(ids) != len(set(ids)):
        _wrong("a block_id stands twice")
    for block in blocks:
        if block.get("type") not in allowed:
            _wrong(f"unsupported type {block.get('type')}")
        _BLOCKS[block["type"]](block)


def _wrong(why: str) -> None:
    raise No("invalid_blocks", why)


def _keys(thing: Any, required: set[str], optional: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    if not isinstance(thing, dict):
        _wrong(f"{thing!r} is no object")
    missing, unknown = required - set(thing), set(thing) - required - set(optional) - {"type", "block_id"}
    if missing or unknown:
        _wrong(f"{thing.get('type')}: missing {missing or '{}'}, unknown {unknown or '{}'}")


def _text(thing: Any, longest: int, kinds: tuple[str, ...] = ("plain_text",)) -> None:
    _keys(thing, {"text"}, {"emoji", "verbatim"})
    if thing.get("type") not in kinds:
        _wrong(f"a text of type {thing.get('type')}")
    if not isinstance(thing["text"], str) or not 1 <= len(thing["text"]) <= longest:
        _wrong(f"a text of 1 to {longest} characters, not {len(thing['text'])}")


def _string(value: Any, longest: int) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        _wrong(f"{value!r} must be 1 to {longest} characters")


def _section(block: dict[str, Any]) -> None:
    _keys(block, set(), {"text", "fields", "accessory", "expand"})
    if "text" not in block and "fields" not in block:
        _wrong("a section needs text or fields")
    if "text" in block:
        _text(block["text"], 3000, ("mrkdwn", "plain_text"))
    if "accessory" in block:
        _element(block["accessory"], {"button", "static_select", "image"})


def _markdown(block: dict[str, Any]) -> None:
    _keys(block, {"text"})
    _string(block["text"], LONGEST_MARKDOWN)


def _header(block: dict[str, Any]) -> None:
    _keys(block, {"text"})
    _text(block["text"], 150)


def _context(block: dict[str, Any]) -> None:
    _keys(block, {"elements"})
    if not 1 <= len(block["elements"]) <= 10:
        _wrong("a context holds 1 to 10 elements")
    for element in block["elements"]:
        if element.get("type") != "image":
            _text(element, 3000, ("mrkdwn", "plain_text"))


def _elements(block: dict[str, Any], most: int, allowed: set[str]) -> None:
    _keys(block, {"elements"})
    if not 1 <= len(block["elements"]) <= most:
        _wrong(f"{block['type']} holds 1 to {most} elements")
    ids = [element.get("action_id") for element in block["elements"]]
    if len(ids) != len(set(ids)):
        _wrong("an action_id stands twice in one block")
    for element in block["elements"]:
        _element(element, allowed)


def _element(element: dict[str, Any], allowed: set[str]) -> None:
    if element.get("type") not in allowed:
        _wrong(f"unsupported element {element.get('type')}")
    if "action_id" in element:
        _string(element["action_id"], 255)
    match element["type"]:
        case "button":
            _button(element, {"text"}, {"action_id", "value", "url", "style", "confirm", "accessibility_label"})
        case "feedback_buttons":
            _keys(element, {"positive_button", "negative_button"}, {"action_id"})
            for side in ("positive_button", "negative_button"):
                _button(element[side], {"text", "value"}, {"accessibility_label"})
        case "static_select":
            _select(element)


def _button(button: dict[str, Any], required: set[str], optional: set[str]) -> None:
    _keys(button, required, optional)
    _text(button["text"], 75)
    for name, longest in (("value", 2000), ("accessibility_label", 75)):
        if name in button:
            _string(button[name], longest)


def _select(element: dict[str, Any]) -> None:
    _keys(element, {"options"}, {"action_id", "initial_option", "placeholder", "confirm", "focus_on_load"})
    if not 1 <= len(element["options"]) <= 100:
        _wrong("a select holds 1 to 100 options")
    for option in element["options"]:
        _keys(option, {"text", "value"}, {"description"})
        _text(option["text"], 75)
        _string(option["value"], 150)
    if "initial_option" in element and element["initial_option"] not in element["options"]:
        _wrong("the initial option is none of the options")


_BLOCKS = {
    "actions": lambda block: _elements(block, 25, {"button", "static_select"}),
    "context": _context,
    "context_actions": lambda block: _elements(block, 5, {"feedback_buttons", "icon_button"}),
    "divider": lambda block: _keys(block, set()),
    "header": _header,
    "image": lambda block: _keys(block, {"image_url", "alt_text"}, {"title"}),
    "markdown": _markdown,
    "section": _section,
}
