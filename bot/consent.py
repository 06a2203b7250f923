"""The one gate: what the person portrayed has agreed to, for whom, until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.errors import ConsentDenied
from bot.messages import Author, Medium


class Scope(StrEnum):
    """What can be agreed to, each on its own."""

    TEXT = "text"
    VOICE = "voice"
    FACE = "face"
    LIVE = "live"


NEEDED: dict[Medium, tuple[Scope, ...]] = {
    Medium.TEXT: (Scope.TEXT,),
    Medium.VOICE: (Scope.TEXT, Scope.VOICE),
    Medium.VIDEO: (Scope.TEXT, Scope.VOICE, Scope.FACE),
}
"""The scopes each medium needs: a video shows the face and carries the voice."""

_MISSING = {
    Scope.TEXT: "has not agreed to be answered for here",
    Scope.VOICE: "has not agreed to be given a voice here",
    Scope.FACE: "has not agreed to be shown here",
    Scope.LIVE: "has not agreed to live calls here",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """One statement of consent.

    `audience` holds entries of the forms `everyone`, `surface:slack`, `tenant:T0123`, `person:slack/T0123/U0456`.
    `until` None means until it is revoked.
    """

    scopes: frozenset[Scope]
    basis: str
    audience: frozenset[str]
    since: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        """Whether it is in force at `now`."""
        return self.since <= now and (self.until is None or now < self.until) and self.revoked_at is None

    def covers(self, author: Author) -> bool:
        """Whether this person is among those it was given for."""
        names = {
            "everyone",
            f"surface:{author.surface}",
            f"tenant:{author.tenant}",
            f"person:{author.surface}/{author.tenant}/{author.external_id}",
        }
        return bool(names & self.audience)


def allowed(consents: Iterable[Consent], scope: Scope, author: Author, now: datetime) -> bool:
    """Whether a live consent gives this scope to this person."""
    return any(scope in each.scopes and each.live(now) and each.covers(author) for each in consents)


def require(consents: Iterable[Consent], medium: Medium, author: Author, now: datetime, name: str) -> None:
    """The gate. Raises ConsentDenied with a sentence that says what `name` has not agreed to."""
    consents = list(consents)
    for scope in NEEDED[medium]:
        if not allowed(consents, scope, author, now):
            raise ConsentDenied(f"{name} {_MISSING[scope]}, so I cannot answer by {medium.value}.")


def offered(consents: Iterable[Consent], author: Author, now: datetime) -> tuple[Medium, ...]:
    """The media this person may ask for now, plain first."""
    consents = list(consents)
    return tuple(medium for medium in Medium if all(allowed(consents, scope, author, now) for scope in NEEDED[medium]))


def best(consents: Iterable[Consent], asked: Medium, author: Author, now: datetime) -> Medium | None:
    """What was asked for, or the next best medium that is consented to; None when not even text is."""
    media = [medium for medium in offered(consents, author, now) if medium.rank <= asked.rank]
    return media[-1] if media else None
