"""Slack's words to ours and back. Pure: no request is made here.

Shapes of events, payloads and blocks: https://docs.slack.dev/reference
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bot.messages import Address, Answer, Author, Citation, Clip, Inbound, Medium

SURFACE = "slack"

LONGEST_MARKDOWN = 12_000
LONGEST_SECTION = 3_000
LONGEST_CONTEXT = 2_000
LONGEST_ALT = 1_000
MOST_BLOCKS = 50
MOST_NOTES = 8

HEAR, SEE, FEEDBACK = "hear", "see", "feedback"
ASK_AGAIN = {Medium.VOICE: (HEAR, "Hear it"), Medium.VIDEO: (SEE, "See it")}

Block = dict[str, Any]
Json = Mapping[str, Any]

# What a person can send that is a question; every other subtype is an edit, a join, a bot's message and so on.
_ASKING = (None, "file_share", "thread_broadcast", "me_message")

_ENTITY = re.compile(r"<([^<>]*)>")
_CONTROL = re.compile(r"<(?=[@#!])")


# --- from Slack -------------------------------------------------------------------------------------------------


def to_inbound(body: Json, bot_user_id: str) -> Inbound | None:
    """A question out of an `event_callback` envelope (`message.im` or `app_mention`), or None when it is none.

    Edits, deletions, joins, empty messages and whatever a bot wrote (this one too) are no questions.
    """
    event = body["event"]
    user, channel = event.get("user"), event.get("channel")
    if event.get("subtype") not in _ASKING or event.get("bot_id") or not user or user == bot_user_id or not channel:
        return None
    if not _meant_for_us(event, channel):
        return None
    text = plain(event.get("text") or "", bot_user_id)
    if not text:
        return None
    return Inbound(
        event_id=body["event_id"],
        address=Address(SURFACE, body["team_id"], channel, event.get("thread_ts") or event["ts"]),
        author=Author(SURFACE, _tenant(event, body), user),
        text=text,
        sent_at=datetime.fromtimestamp(float(event["ts"]), UTC),
    )


def _meant_for_us(event: Json, channel: str) -> bool:
    """In a direct message everything is; elsewhere only a mention. One message never counts as both."""
    direct = channel.startswith("D")
    return direct if event.get("type") == "message" else not direct


def _tenant(event: Json, body: Json) -> str:
    """The workspace of the person who wrote, which in a shared channel is not the workspace we are installed in.

    Consent may be given to one workspace only, so a guest from another company must not pass as one of ours.
    """
    home: str = body["team_id"]
    team: str = event.get("user_team") or event.get("team") or home
    return home if team == body.get("enterprise_id") else team


def plain(text: str, bot_user_id: str = "") -> str:
    """Message text as a person reads it: without the bot's mention, links and names spelt out, entities decoded."""
    if bot_user_id:
        text = re.sub(rf"<@{re.escape(bot_user_id)}(\|[^>]*)?>[,:]?", " ", text)
    text = _ENTITY.sub(lambda match: _spelt(match[1]), text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _spelt(inside: str) -> str:
    target, _, label = inside.partition("|")
    kind, rest = target[:1], target[1:]
    if kind == "@":
        return f"@{label or rest}"
    if kind == "#":
        return f"#{label or rest}"
    if kind == "!":
        return label or f"@{rest.partition('^')[0]}"
    address = target.removeprefix("mailto:")
    return address if not label or label == address else f"{label} ({address})"


def to_author(payload: Json) -> Author:
    """Who pressed or ordered: from an interaction (`user` is an object) or a slash command (`user_id`)."""
    user = payload.get("user")
    if isinstance(user, Mapping):
        tenant = user.get("team_id") or _team(payload)
        return Author(SURFACE, tenant, user["id"], user.get("name") or user.get("username") or "")
    return Author(SURFACE, payload["team_id"], payload["user_id"], payload.get("user_name") or "")


def event_author(body: Json) -> Author:
    """Who an event is about that is not a message (`app_home_opened`, `agent_session_stopped`)."""
    return Author(SURFACE, _tenant(body["event"], body), body["event"]["user"])


def event_address(body: Json) -> Address:
    """Where such an event happened; the thread is empty where there is none."""
    event = body["event"]
    return Address(SURFACE, body["team_id"], event["channel"], event.get("thread_ts") or "")


def action_address(payload: Json) -> Address:
    """Where the pressed button stands."""
    container, message = payload.get("container") or {}, payload.get("message") or {}
    channel = (payload.get("channel") or {}).get("id") or container.get("channel_id") or ""
    thread = message.get("thread_ts") or container.get("thread_ts") or message.get("ts") or ""
    return Address(SURFACE, _team(payload), channel, thread)


def command_address(payload: Json) -> Address:
    """Where an order was typed. Slack knows no orders in threads."""
    return Address(SURFACE, payload["team_id"], payload["channel_id"], "")


def _team(payload: Json) -> str:
    team = payload.get("team") or {}
    return team.get("id") or payload.get("team_id") or payload["user"].get("team_id") or ""


def to_answer_id(value: str) -> UUID | None:
    """The answer a button was put under."""
    try:
        return UUID(value.rpartition(":")[2])
    except ValueError:
        return None


def to_rating(value: str) -> int:
    """+1 or -1 out of a feedback button's value."""
    return 1 if value.startswith("+") else -1


# --- to Slack ---------------------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Plain words inside mrkdwn: the three characters that Slack gives a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def harmless(text: str) -> str:
    """Markdown that cannot call a person, a channel or everyone, whatever a model has written into it."""
    return _CONTROL.sub("<\u200b", text)


def shorten(text: str, longest: int) -> str:
    """At most `longest` characters, cut at a word."""
    if len(text) <= longest:
        return text
    return text[: longest - 1].rsplit(" ", 1)[0].rstrip() + "…"


def answer_blocks(answer: Answer) -> list[Block]:
    """The whole message: the words, and what stands below them."""
    return [written(answer.text), *tail_blocks(answer)]


def written(text: str) -> Block:
    """Words as Slack's markdown block."""
    return {"type": "markdown", "text": shorten(harmless(text), LONGEST_MARKDOWN) or "…"}


def tail_blocks(answer: Answer) -> list[Block]:
    """What stands below the words: a notice, whose avatar it is, the notes, what else may be asked of it."""
    blocks = []
    if answer.notice:
        blocks.append(_context(f":information_source: {escape(answer.notice)}"))
    blocks.append(_context(label(answer)))
    blocks += [_context(note(citation)) for citation in answer.citations[:MOST_NOTES]]
    if not answer.failed:
        blocks += [*_buttons(answer), _feedback(answer.turn_id)]
    return blocks[:MOST_BLOCKS]


def label(answer: Answer) -> str:
    """Whose avatar this is and that it is one; always shown."""
    return f":robot_face: *{escape(answer.persona_name)}* · *AI-generated* · {escape(answer.disclosure)}"


def note(citation: Citation) -> str:
    """One note an answer rests on, as mrkdwn."""
    origin = ", ".join(escape(part) for part in (citation.source, citation.date) if part)
    return f":page_facing_up: *{escape(citation.title)}*" + (f" ({origin})" if origin else "")


def _context(mrkdwn: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": shorten(mrkdwn, LONGEST_CONTEXT)}]}


def _buttons(answer: Answer) -> Iterable[Block]:
    elements = [
        {
            "type": "button",
            "action_id": ASK_AGAIN[medium][0],
            "text": {"type": "plain_text", "text": ASK_AGAIN[medium][1], "emoji": True},
            "value": str(answer.turn_id),
            "accessibility_label": f"{ASK_AGAIN[medium][1]}: this answer by {medium.value}",
        }
        for medium in answer.offers
        if medium in ASK_AGAIN
    ]
    return [{"type": "actions", "elements": elements}] if elements else []


def _feedback(answer_id: UUID) -> Block:
    def button(text: str, rating: str, spoken: str) -> dict[str, Any]:
        return {
            "text": {"type": "plain_text", "text": text},
            "value": f"{rating}:{answer_id}",
            "accessibility_label": spoken,
        }

    element = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": button("Good", "+1", "This was a good answer"),
        "negative_button": button("Bad", "-1", "This was a bad answer"),
    }
    return {"type": "context_actions", "elements": [element]}


def clip_title(clip: Clip, answer: Answer) -> str:
    """What the file is called in Slack."""
    return f"{answer.persona_name}, AI-generated {'video' if clip.medium is Medium.VIDEO else 'voice'}"


def clip_alt(clip: Clip, answer: Answer) -> str:
    """The file for somebody who cannot see or hear it: what it is, and the words that are spoken in it."""
    kind = "A video of the AI avatar of" if clip.medium is Medium.VIDEO else "The AI-generated voice of"
    return shorten(f"{kind} {answer.persona_name}, {clip.duration:.0f} seconds, saying: {answer.text}", LONGEST_ALT)


def clip_comment(clip: Clip, answer: Answer) -> str:
    """The line above the file, as mrkdwn."""
    kind = ":clapper: Filmed" if clip.medium is Medium.VIDEO else ":sound: Spoken"
    return f"{kind} by the AI avatar of {escape(answer.persona_name)} · *AI-generated*"
