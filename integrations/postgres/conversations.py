"""History in Postgres: `bot.ports.Conversations`. Every method is one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot.errors import BadInput, NotFound
from bot.jobs import ReplyJob
from bot.messages import Address, Author, Citation, Clip, Conversation, Inbound, Medium, Person, Role, Turn, TurnState
from integrations.postgres.database import Database
from integrations.postgres.rows import clean, from_citation, no_turn, to_clip, to_conversation, to_person, to_turn
from integrations.postgres.tables import UNSETTLED, ClipRow, ConversationRow, PersonRow, RatingRow, TurnRow


class PostgresConversations:
    """Implements `bot.ports.Conversations`. Raises PartFailed("store") when the database does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accept(self, inbound: Inbound, persona_id: str, medium: Medium, deadline: datetime) -> Turn | None:
        """Store a question once; None when its event is known. Raises NotFound when there is no such persona."""
        event = (inbound.address.surface, inbound.address.tenant, inbound.event_id)
        try:
            async with self._database.transaction() as session:
                if await _known(session, event):
                    return None
                person = await _person(session, inbound.author)
                conversation_id = await _conversation(session, person.id, persona_id, inbound.address)
                statement = (
                    insert(TurnRow)
                    .values(
                        id=uuid4(),
                        conversation_id=conversation_id,
                        role=Role.PERSON,
                        text=clean(inbound.text),
                        state=TurnState.ASKED,
                        medium=medium,
                        event_surface=event[0],
                        event_tenant=event[1],
                        event_id=event[2],
                        deadline=deadline,
                    )
                    .on_conflict_do_nothing(index_elements=["event_surface", "event_tenant", "event_id"])
                    .returning(TurnRow)
                )
                row = (await session.execute(statement)).scalar_one_or_none()
                return to_turn(row) if row else None
        except IntegrityError as error:
            raise NotFound(f"There is no persona “{persona_id}”.") from error

    async def person(self, author: Author) -> Person:
        """The person of this author, made when new."""
        async with self._database.transaction() as session:
            return to_person(await _person(session, author))

    async def prefer(self, author: Author, *, medium: Medium | None = None, persona_id: str | None = None) -> Person:
        """Remember what this person prefers. Raises NotFound when there is no such persona."""
        wanted = {"medium": medium, "persona_id": persona_id}
        changes = {key: value for key, value in wanted.items() if value is not None}
        try:
            async with self._database.transaction() as session:
                person = await _person(session, author)
                if not changes:
                    return to_person(person)
                statement = update(PersonRow).where(PersonRow.id == person.id).values(changes).returning(PersonRow)
                fresh = statement.execution_options(populate_existing=True)
                return to_person((await session.execute(fresh)).scalar_one())
        except IntegrityError as error:
            raise NotFound(f"There is no persona “{persona_id}”.") from error

    async def turn(self, turn_id: UUID) -> tuple[Turn, Conversation]:
        """Raises NotFound."""
        statement = (
            select(TurnRow, ConversationRow, PersonRow)
            .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
            .join(PersonRow, PersonRow.id == ConversationRow.person_id)
            .where(TurnRow.id == turn_id)
        )
        async with self._database.transaction() as session:
            found = (await session.execute(statement)).one_or_none()
            if found is None:
                raise NotFound(no_turn(turn_id))
            return to_turn(found[0]), to_conversation(found[1], found[2])

    async def history(self, conversation_id: UUID, before: UUID, limit: int) -> list[Turn]:
        """Whole exchanges before that turn, oldest first, at most `limit` turns: a question is never cut off."""
        question, answer, edge, its = aliased(TurnRow), aliased(TurnRow), aliased(TurnRow), aliased(TurnRow)
        asked = select(func.coalesce(its.reply_to, its.id)).where(its.id == before).scalar_subquery()
        number = select(edge.number).where(edge.id == asked, edge.conversation_id == conversation_id).scalar_subquery()
        statement = (
            select(question, answer)
            .join(answer, answer.reply_to == question.id)
            .where(
                question.conversation_id == conversation_id,
                question.state == TurnState.ANSWERED,
                answer.state == TurnState.ANSWERED,
                question.number < number,
            )
            .order_by(question.number.desc())
            .limit(limit // 2)
        )
        async with self._database.transaction() as session:
            pairs = (await session.execute(statement)).all()
            return [to_turn(row) for pair in reversed(pairs) for row in pair]

    async def answer_to(self, question_id: UUID) -> Turn | None:
        """The answer turn of this question, if one was begun."""
        async with self._database.transaction() as session:
            row = (await session.execute(select(TurnRow).where(TurnRow.reply_to == question_id))).scalar_one_or_none()
            return to_turn(row) if row else None

    async def begin(self, question_id: UUID) -> Turn:
        """The one answer turn of this question, made when missing. Raises NotFound."""
        async with self._database.transaction() as session:
            question = await _locked(session, TurnRow.id == question_id)
            answer = (
                await session.execute(select(TurnRow).where(TurnRow.reply_to == question_id))
            ).scalar_one_or_none()
            if answer is None:
                answer = await _first_answer(session, question)
            if question.state in (TurnState.ASKED, TurnState.ANSWERING):
                await _change(session, question_id, state=TurnState.ANSWERING, handed_at=func.clock_timestamp())
            return to_turn(answer)

    async def posted(self, answer_id: UUID, ref: str) -> None:
        """Keep what names the answer on its surface. Raises NotFound."""
        statement = update(TurnRow).where(TurnRow.id == answer_id).values(posted_ref=ref).returning(TurnRow.id)
        async with self._database.transaction() as session:
            if (await session.execute(statement)).scalar_one_or_none() is None:
                raise NotFound(no_turn(answer_id))

    async def settle(self, answer_id: UUID, text: str, citations: Sequence[Citation], *, failed: bool = False) -> Turn:
        """The first settling stays; a later one gives back what was settled. Raises NotFound."""
        asked = select(TurnRow.reply_to).where(TurnRow.id == answer_id).scalar_subquery()
        state = TurnState.FAILED if failed else TurnState.ANSWERED
        async with self._database.transaction() as session:
            question = await _locked(session, TurnRow.id == asked)
            answer = (await session.execute(select(TurnRow).where(TurnRow.id == answer_id))).scalar_one()
            if answer.state == TurnState.ANSWERING:
                done = {"state": state, "settled_at": func.clock_timestamp()}
                await _change(session, question.id, **done)
                kept = [from_citation(each) for each in citations]
                answer = await _change(session, answer_id, **done, text=clean(text), citations=kept)
            return to_turn(answer)

    async def add_clip(self, clip: Clip) -> None:
        """Keep a recording; one made again for the same medium takes its place. Raises NotFound."""
        fields = ("medium", "media_key", "media_type", "duration", "captions_key", "poster_key", "width", "height")
        values = {name: getattr(clip, name) for name in fields}
        statement = insert(ClipRow).values(turn_id=clip.turn_id, **values)
        statement = statement.on_conflict_do_update(index_elements=["turn_id", "medium"], set_=values)
        try:
            async with self._database.transaction() as session:
                await session.execute(statement)
        except IntegrityError as error:
            raise NotFound(no_turn(clip.turn_id)) from error

    async def clips(self, answer_id: UUID) -> list[Clip]:
        """The recordings of this answer, plain first."""
        async with self._database.transaction() as session:
            rows = (await session.execute(select(ClipRow).where(ClipRow.turn_id == answer_id))).scalars()
            return sorted(map(to_clip, rows), key=lambda clip: clip.medium.rank)

    async def rate(self, answer_id: UUID, author: Author, value: int) -> None:
        """+1, -1, or 0 to take it back. Raises NotFound when this author was not given that answer."""
        if value not in (-1, 0, 1):
            raise BadInput("A rating is +1, -1, or 0 to take it back.")
        asker = (
            select(PersonRow.id)
            .join(ConversationRow, ConversationRow.person_id == PersonRow.id)
            .join(TurnRow, TurnRow.conversation_id == ConversationRow.id)
            .where(TurnRow.id == answer_id, TurnRow.role == Role.AVATAR, *_is(author))
        )
        async with self._database.transaction() as session:
            person_id = (await session.execute(asker)).scalar_one_or_none()
            if person_id is None:
                raise NotFound("That answer is not in a conversation of yours.")
            await _rate(session, answer_id, person_id, value)

    async def recent(self, author: Author, persona_id: str, address: Address, limit: int) -> list[Turn]:
        """What this person and this persona said to each other here, oldest first, unfinished answers too."""
        question = aliased(TurnRow)
        place = func.coalesce(question.number, TurnRow.number)
        statement = (
            select(TurnRow)
            .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
            .join(PersonRow, PersonRow.id == ConversationRow.person_id)
            .outerjoin(question, question.id == TurnRow.reply_to)
            .where(ConversationRow.persona_id == persona_id, *_is(author), *_at(address))
            .order_by(place.desc(), TurnRow.number.desc())
            .limit(limit)
        )
        async with self._database.transaction() as session:
            rows = (await session.execute(statement)).scalars().all()
            return [to_turn(row) for row in reversed(rows)]

    async def stranded(self, older_than: datetime, limit: int) -> list[ReplyJob]:
        """Unsettled questions untouched since then whose time still runs; each is handed to one caller."""
        due = (
            select(TurnRow.id)
            .where(UNSETTLED, TurnRow.handed_at < older_than, TurnRow.deadline > func.clock_timestamp())
            .order_by(TurnRow.handed_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        statement = (
            update(TurnRow)
            .where(TurnRow.id.in_(select(due.c.id)))
            .values(handed_at=func.clock_timestamp())
            .returning(TurnRow.id, TurnRow.medium, TurnRow.deadline, TurnRow.number)
        )
        async with self._database.transaction() as session:
            found = (await session.execute(statement)).all()
            return [_job(row) for row in sorted(found, key=lambda row: row.number)]

    async def overdue(self, now: datetime, limit: int) -> list[ReplyJob]:
        """Unsettled questions whose deadline had passed at `now`, longest overdue first."""
        statement = (
            select(TurnRow.id, TurnRow.medium, TurnRow.deadline)
            .where(UNSETTLED, TurnRow.deadline <= now)
            .order_by(TurnRow.deadline)
            .limit(limit)
        )
        async with self._database.transaction() as session:
            return [_job(row) for row in (await session.execute(statement)).all()]


def _is(author: Author) -> tuple[ColumnElement[bool], ...]:
    return (
        PersonRow.surface == author.surface,
        PersonRow.tenant == author.tenant,
        PersonRow.external_id == author.external_id,
    )


def _at(address: Address) -> tuple[ColumnElement[bool], ...]:
    return (
        ConversationRow.surface == address.surface,
        ConversationRow.tenant == address.tenant,
        ConversationRow.channel == address.channel,
        ConversationRow.thread == address.thread,
    )


def _job(row: Any) -> ReplyJob:
    return ReplyJob(turn_id=row.id, medium=Medium(row.medium), deadline=row.deadline, trace_id=row.id.hex)


async def _known(session: AsyncSession, event: tuple[str, str, str]) -> bool:
    columns = (TurnRow.event_surface, TurnRow.event_tenant, TurnRow.event_id)
    statement = select(TurnRow.id).where(*(column == value for column, value in zip(columns, event, strict=True)))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def _person(session: AsyncSession, author: Author) -> PersonRow:
    """The row of this author; written only when it is new or the name has changed."""
    found = (await session.execute(select(PersonRow).where(*_is(author)))).scalar_one_or_none()
    if found and (not author.name or found.name == clean(author.name)):
        return found
    key = {"surface": author.surface, "tenant": author.tenant, "external_id": author.external_id}
    statement = insert(PersonRow).values(id=uuid4(), **key, name=clean(author.name))
    new = statement.excluded.name
    statement = statement.on_conflict_do_update(
        index_elements=list(key), set_={"name": case((new != "", new), else_=PersonRow.name)}
    )
    fresh = statement.returning(PersonRow).execution_options(populate_existing=True)
    return (await session.execute(fresh)).scalar_one()


async def _conversation(session: AsyncSession, person_id: UUID, persona_id: str, address: Address) -> UUID:
    mine = (ConversationRow.person_id == person_id, ConversationRow.persona_id == persona_id, *_at(address))
    statement = select(ConversationRow.id).where(*mine)
    found = (await session.execute(statement)).scalar_one_or_none()
    if found:
        return found
    values = {
        "person_id": person_id,
        "persona_id": persona_id,
        "surface": address.surface,
        "tenant": address.tenant,
        "channel": address.channel,
        "thread": address.thread,
    }
    made = insert(ConversationRow).values(id=uuid4(), **values).on_conflict_do_nothing(constraint="uq_conversations")
    await session.execute(made)
    return (await session.execute(statement)).scalar_one()


async def _locked(session: AsyncSession, which: ColumnElement[bool]) -> TurnRow:
    """A question, held until the end of the transaction. Always taken before its answer."""
    statement = select(TurnRow).where(which, TurnRow.role == Role.PERSON).with_for_update()
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound("There is no such question.")
    return row


async def _first_answer(session: AsyncSession, question: TurnRow) -> TurnRow:
    statement = (
        insert(TurnRow)
        .values(
            id=uuid4(),
            conversation_id=question.conversation_id,
            role=Role.AVATAR,
            state=TurnState.ANSWERING,
            medium=question.medium,
            reply_to=question.id,
        )
        .returning(TurnRow)
    )
    return (await session.execute(statement)).scalar_one()


async def _change(session: AsyncSession, turn_id: UUID, **values: Any) -> TurnRow:
    statement = update(TurnRow).where(TurnRow.id == turn_id).values(values).returning(TurnRow)
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()


async def _rate(session: AsyncSession, answer_id: UUID, person_id: UUID, value: int) -> None:
    if not value:
        mine = (RatingRow.turn_id == answer_id, RatingRow.person_id == person_id)
        await session.execute(delete(RatingRow).where(*mine))
        return
    statement = insert(RatingRow).values(turn_id=answer_id, person_id=person_id, value=value)
    changed = {"value": value, "rated_at": func.clock_timestamp()}
    await session.execute(statement.on_conflict_do_update(index_elements=["turn_id", "person_id"], set_=changed))
