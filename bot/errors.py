"""Everything that can go wrong, as the core sees it.

    UnderstudyError
    ├── Refused            a polite sentence for the person; never an alarm
    │   ├── ConsentDenied  the person portrayed has not agreed to this
    │   ├── NotAllowed     this person may not do that
    │   ├── NotFound       there is no such persona, turn or file
    │   ├── BadInput       what was given cannot be used; says what would do
    │   └── Busy           try again in a moment
    ├── PartFailed         model, voice, face, ear, clip or surface did not do its work
    └── Expired            the deadline passed before an answer was ready

Adapters translate their vendor's errors into these at their own edge.
"""

from typing import Literal

Part = Literal["model", "voice", "face", "ear", "clip", "surface", "store", "queue"]


class UnderstudyError(Exception):
    """The root of every error that Understudy raises on purpose."""


class Refused(UnderstudyError):
    """A polite no. `str(error)` is a sentence that may be shown to the person who asked."""


class ConsentDenied(Refused):
    """No live consent covers what was asked."""


class NotAllowed(Refused):
    """The person lacks the right to do this."""


class NotFound(Refused):
    """The thing asked for does not exist, or not for this person."""


class BadInput(Refused):
    """The input cannot be used. The sentence names the place and what was expected."""


class Busy(Refused):
    """No capacity right now."""


class PartFailed(UnderstudyError):
    """One part of the pipeline failed; the next best medium should go out instead."""

    def __init__(self, part: Part, why: str, *, retryable: bool = False) -> None:
        super().__init__(f"{part}: {why}")
        self.part: Part = part
        self.why = why
        self.retryable = retryable


class Expired(UnderstudyError):
    """The deadline of a job passed."""
