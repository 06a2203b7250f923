"""A message came: check it, store it once, then queue its answer.

The order is the safety: what is stored is answered sooner or later (`upkeep` submits what a crash left behind), and
what a platform sends twice is stored once.
"""

import logging
from datetime import timedelta
from uuid import UUID, uuid4

from bot import consent
from bot.errors import BadInput, Busy, NotAllowed, NotFound, PartFailed
from bot.jobs import ReplyJob
from bot.messages import Author, Inbound, Medium, Role, Turn, TurnState
from bot.ports import Clock, Conversations, JobQueue, Personas

LONGEST_QUESTION = 4_000
WORDS_FIRST = 1.0
"""Seconds after which somebody else writes the words of an answer that is still waiting to be filmed."""

log = logging.getLogger(__name__)


class Receive:
    """What a surface hands its messages and presses to."""

    def __init__(
        self,
        personas: Personas,
        conversations: Conversations,
        queue: JobQueue,
        clock: Clock,
        default_persona: str,
        patience: timedelta,
    ) -> None:
        self._personas = personas
        self._conversations = conversations
        self._queue = queue
        self._clock = clock
        self._default_persona = default_persona
        self._patience = patience

    async def message(self, inbound: Inbound) -> Turn | None:
        """Accept one question and queue its answer. None when this event was accepted before.

        Raises Refused with a sentence for the person; then nothing was stored.
        """
        _check(inbound.text)
        person = await self._conversations.person(inbound.author)
        published = await self._personas.get(inbound.persona_id or person.persona_id or self._default_persona)
        now = self._clock.now()
        consent.require(published.consents, Medium.TEXT, inbound.author, now, published.persona.name)
        asked = inbound.medium or person.medium
        deadline = now + self._patience
        turn = await self._conversations.accept(inbound, published.persona.id, asked, deadline)
        if turn is not None:
            await self._queue_answer(turn.id, consent.best(published.consents, asked, inbound.author, now))
        return turn

    async def _queue_answer(self, question_id: UUID, medium: Medium | None) -> None:
        """A recording may wait behind other people's; its words must not."""
        try:
            await self._submit(question_id, medium or Medium.TEXT)
            if medium not in (None, Medium.TEXT):
                await self._submit(question_id, Medium.TEXT, after=WORDS_FIRST)
        except PartFailed:
            log.warning("the queue did not take a job; upkeep will submit it again", extra={"turn_id": question_id})

    async def again(self, answer_id: UUID, author: Author, medium: Medium) -> None:
        """Give an answer once more, in another medium: the same words, now heard or seen.

        Raises NotFound when there is no such answer, NotAllowed when it was given to somebody else, ConsentDenied,
        Busy when the queue does not take it.
        """
        turn, conversation = await self._conversations.turn(answer_id)
        if turn.role is not Role.AVATAR or turn.reply_to is None or turn.state is TurnState.FAILED:
            raise NotFound("That is not an answer that can be spoken.")
        if not conversation.person.author.same(author):
            raise NotAllowed("Only the person who asked can have this answer spoken. Ask me yourself, and I will.")
        published = await self._personas.get(conversation.persona_id)
        consent.require(published.consents, medium, author, self._clock.now(), published.persona.name)
        try:
            await self._submit(turn.reply_to, medium)
        except PartFailed:
            raise Busy("I cannot record anything at this moment. Please press again in a minute.") from None

    async def _submit(self, question_id: UUID, medium: Medium, after: float = 0.0) -> None:
        deadline = self._clock.now() + self._patience
        job = ReplyJob(turn_id=question_id, medium=medium, deadline=deadline, trace_id=uuid4().hex)
        await self._queue.submit(job, after)


def _check(text: str) -> None:
    if not text.strip():
        raise BadInput("Your message was empty. Write me a question.")
    if len(text) > LONGEST_QUESTION:
        raise BadInput(
            f"Your message has {len(text):,} characters; I can read {LONGEST_QUESTION:,}. Please ask in fewer words."
        )
