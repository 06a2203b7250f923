"""Between what the browser sends and shows, and the core's types. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from bot import consent
from bot.errors import BadInput, ConsentDenied, NotFound
from bot.messages import Address, Answer, Author, Clip, Inbound, Medium, Person, Role, Turn, TurnState
from bot.ports import Published
from bot.receive import LONGEST_QUESTION
from integrations.web.guard import TooLong
from integrations.web.sessions import SURFACE, TENANT

Json = dict[str, Any]
T = TypeVar("T", UUID, Medium)

MEDIA_FILES: Mapping[str, str] = {
    "answer.mp4": "video/mp4",
    "answer.m4a": "audio/mp4",
    "answer.vtt": "text/vtt; charset=utf-8",
    "poster.jpg": "image/jpeg",
}
RATINGS = (-1, 0, 1)

SHOWN_IN: Mapping[str, Medium] = {
    "answer.mp4": Medium.VIDEO,
    "answer.m4a": Medium.VOICE,
    "answer.vtt": Medium.VOICE,
    "poster.jpg": Medium.VIDEO,
}
"""The medium to which each file belongs; captions belong to sound with and without pictures."""

_PERSONA_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def body(raw: bytes) -> Json:
    """The JSON object of a request. Raises BadInput."""
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadInput("That was not JSON that I can read.") from None
    if not isinstance(parsed, dict):
        raise BadInput("Send a JSON object.")
    return parsed


def to_inbound(sent: Json, author: Author, now: datetime) -> Inbound:
    """A question from the page. Raises BadInput, TooLong."""
    text = words(sent, "text")
    if not text.strip():
        raise BadInput("Your message was empty. Write me a question.")
    if len(text) > LONGEST_QUESTION:
        raise TooLong(
            f"Your message has {len(text):,} characters; I can read {LONGEST_QUESTION:,}. Please ask in fewer words."
        )
    persona = sent.get("persona")
    if persona is not None and not isinstance(persona, str):
        raise BadInput("`persona` must be the id of a persona.")
    return Inbound(
        # the person stands in it, so that nobody can use up an id of somebody else
        event_id=f"web:{author.external_id}:{one_of(UUID, sent, 'id')}",
        address=address(author),
        author=author,
        text=text,
        sent_at=now,
        persona_id=persona_id(persona) if persona else None,
        medium=one_of(Medium, sent, "medium") if sent.get("medium") is not None else None,
    )


def persona_id(sent: str) -> str:
    """The same, when it can be the id of a persona at all. Raises NotFound."""
    if not _PERSONA_ID.fullmatch(sent):
        raise NotFound("There is no persona of this name.")
    return sent


def words(sent: Json, name: str) -> str:
    """A text field, without what can be neither stored nor shown (control characters, halves of characters)."""
    value = sent.get(name)
    if not isinstance(value, str):
        raise BadInput(f"`{name}` must be text.")
    return _CONTROL.sub("", value.replace("\r\n", "\n")).encode("utf-8", "replace").decode()


def one_of(kind: type[T], sent: Json, name: str) -> T:
    """A field that is an id or a medium."""
    value = sent.get(name)
    try:
        return kind(value)  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError):
        what = "an id (UUID)" if kind is UUID else "text, voice or video"
        raise BadInput(f"`{name}` must be {what}.") from None


def rating(sent: Json) -> int:
    """Thumbs up 1, down -1, taken back 0."""
    value = sent.get("value")
    if isinstance(value, bool) or value not in RATINGS:
        raise BadInput("`value` must be 1, -1 or 0.")
    return int(value)


def address(author: Author) -> Address:
    """Where this person talks: one lobby each."""
    return Address(SURFACE, TENANT, "lobby", author.external_id)


def persona_json(published: Published, author: Author, now: datetime) -> Json:
    """A persona as the page shows it, with the media this person may ask for, or why not."""
    persona = published.persona
    shown = consent.allowed(published.consents, consent.Scope.FACE, author, now)
    return {
        "id": persona.id,
        "name": persona.name,
        "title": persona.title,
        "language": persona.language,
        "disclosure": persona.disclosure,
        "suggestions": list(persona.suggestions),
        "portrait": f"/personas/{persona.id}/portrait.jpg" if shown else None,
        "media": [{"medium": medium.value, "why_not": _why_not(published, medium, author, now)} for medium in Medium],
    }


def me_json(person: Person, personas: Sequence[Published], default: str, now: datetime) -> Json:
    """The person at the browser: what they prefer, and whom they may talk to."""
    personas = sorted(personas, key=lambda published: published.persona.id != default)
    ids = [published.persona.id for published in personas]
    chosen = next((each for each in (person.persona_id, default) if each in ids), ids[0] if ids else None)
    return {
        "medium": person.medium.value,
        "persona": chosen,
        "longest": LONGEST_QUESTION,
        "personas": [persona_json(published, person.author, now) for published in personas],
    }


def answer_json(answer: Answer) -> Json:
    """An answer in its final form."""
    return {
        "turn_id": str(answer.turn_id),
        "question_id": str(answer.question_id),
        "persona_id": answer.persona_id,
        "persona_name": answer.persona_name,
        "text": answer.text,
        "disclosure": answer.disclosure,
        "citations": [asdict(citation) for citation in answer.citations],
        "offers": [medium.value for medium in answer.offers],
        "notice": answer.notice,
        "failed": answer.failed,
    }


def clip_json(clip: Clip) -> Json:
    """A recording, as the page plays it; addresses are on this server."""
    return {
        "turn_id": str(clip.turn_id),
        "medium": clip.medium.value,
        "media": media_url(clip.media_key),
        "poster": media_url(clip.poster_key) if clip.poster_key else None,
        "captions": media_url(clip.captions_key) if clip.captions_key else None,
        "duration": clip.duration,
        "width": clip.width,
        "height": clip.height,
    }


def exchange_json(
    question: Turn, answer: Turn | None, clips: Iterable[Clip], published: Published, author: Author, now: datetime
) -> Json:
    """A question with its answer, as history shows it; `answer` is None while none is final.

    Recordings in a medium whose consent has ended are left out.
    """
    final = answer if answer and answer.state in (TurnState.ANSWERED, TurnState.FAILED) else None
    offered = consent.offered(published.consents, author, now)
    kept = [clip for clip in clips if clip.medium in offered]
    return {
        "turn_id": str(question.id),
        "persona_id": published.persona.id,
        "text": question.text,
        "medium": question.medium.value,
        "asked_at": question.created_at.isoformat(),
        "answer": answer_json(_answer(final, kept, published, author, now)) if final else None,
        "clips": [clip_json(clip) for clip in kept],
    }


def exchanges(turns: Sequence[Turn]) -> list[tuple[Turn, Turn | None]]:
    """Questions in their order, each with its answer."""
    answers = {turn.reply_to: turn for turn in turns if turn.role is Role.AVATAR}
    return [(turn, answers.get(turn.id)) for turn in turns if turn.role is Role.PERSON]


def media_url(key: str) -> str:
    """The address of a blob, e.g. `/media/turns/<id>/answer.mp4`; only the person it was made for can open it."""
    return f"/media/{key}"


def media_key(url: str) -> str:
    """The blob key behind such an address."""
    return url.removeprefix("/media/")


def _answer(turn: Turn, clips: Sequence[Clip], published: Published, author: Author, now: datetime) -> Answer:
    richest = max((clip.medium.rank for clip in clips), default=0)
    offered = consent.offered(published.consents, author, now)
    failed = turn.state is TurnState.FAILED
    return Answer(
        turn_id=turn.id,
        question_id=turn.reply_to or turn.id,
        persona_id=published.persona.id,
        persona_name=published.persona.name,
        text=turn.text,
        disclosure=published.persona.disclosure,
        citations=turn.citations,
        offers=() if failed else tuple(medium for medium in offered if medium.rank > richest),
        failed=failed,
    )


def _why_not(published: Published, medium: Medium, author: Author, now: datetime) -> str:
    try:
        consent.require(published.consents, medium, author, now, published.persona.name)
    except ConsentDenied as denied:
        return str(denied)
    return ""
