"""The stores in memory, for tests that are about something else. The contract suites hold them to the real ones."""

import asyncio
import hashlib
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from bot.consent import Consent
from bot.errors import BadInput, NotFound
from bot.jobs import ReplyJob
from bot.messages import (
    Address,
    Author,
    Citation,
    Clip,
    Conversation,
    Inbound,
    Medium,
    Person,
    Role,
    Turn,
    TurnState,
)
from bot.personas import Note, Persona
from bot.ports import Clock, FoundNote, Published
from integrations.events import Event


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> None:
        self._now += by


class WordVectors:
    """An embedder for which texts are near when they share words."""

    def embed(self, texts: Sequence[str]) -> Any:
        rows = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                row[int.from_bytes(digest[:4], "big") % 384] += 1.0
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.maximum(lengths, 1e-9)


class MemoryPersonas:
    """`bot.ports.Personas`."""

    def __init__(self, embedder: Any = None) -> None:
        self._embedder = embedder or WordVectors()
        self._published: dict[str, Published] = {}
        self._notes: dict[str, list[Note]] = {}

    def knows(self, persona_id: str) -> bool:
        return persona_id in self._published

    async def publish(self, persona: Persona, consents: Sequence[Consent], notes: Sequence[Note]) -> None:
        ids = [note.id for note in notes]
        if len(set(ids)) != len(ids) or any(note.persona_id != persona.id for note in notes):
            raise BadInput("Every note needs an id of its own, and this persona.")
        if any(not note.text.strip() for note in notes):
            raise BadInput("A note says nothing.")
        self._published[persona.id] = Published(persona, tuple(sorted(consents, key=lambda each: each.since)))
        self._notes[persona.id] = list(notes)

    async def get(self, persona_id: str) -> Published:
        if persona_id not in self._published:
            raise NotFound(f"There is no persona “{persona_id}”.")
        return self._published[persona_id]

    async def all(self) -> list[Published]:
        return [self._published[key] for key in sorted(self._published)]

    async def withdraw(self, persona_id: str) -> None:
        known, now = await self.get(persona_id), datetime.now(UTC)
        ended = tuple(replace(each, revoked_at=each.revoked_at or now) for each in known.consents)
        self._published[persona_id] = replace(known, consents=ended)

    async def search(self, persona_id: str, question: str, limit: int) -> list[FoundNote]:
        notes = self._notes.get(persona_id, [])
        if not notes or limit < 1:
            return []
        vectors = self._embedder.embed([f"{note.title}. {note.text}" for note in notes])
        scores = vectors @ self._embedder.embed([question])[0]
        best = sorted(zip(notes, scores, strict=True), key=lambda pair: -pair[1])[:limit]
        return [FoundNote(note, float(score)) for note, score in best]


class MemoryConversations:
    """`bot.ports.Conversations`. With `personas`, an unknown persona is NotFound as it is in the database."""

    def __init__(self, clock: Clock | None = None, personas: MemoryPersonas | None = None) -> None:
        self._clock = clock or SystemClock()
        self._personas = personas
        self._people: dict[tuple[str, str, str], Person] = {}
        self._conversations: dict[UUID, Conversation] = {}
        self._turns: dict[UUID, Turn] = {}  # in the order in which they were stored
        self._events: dict[tuple[str, str, str], UUID] = {}
        self._deadlines: dict[UUID, datetime] = {}
        self._handed: dict[UUID, datetime] = {}
        self._clips: dict[tuple[UUID, Medium], Clip] = {}
        self.ratings: dict[tuple[UUID, UUID], int] = {}

    async def accept(self, inbound: Inbound, persona_id: str, medium: Medium, deadline: datetime) -> Turn | None:
        event = (inbound.address.surface, inbound.address.tenant, inbound.event_id)
        if event in self._events:
            return None
        self._check_persona(persona_id)
        conversation = self._conversation(self._person(inbound.author), persona_id, inbound.address)
        now = self._clock.now()
        turn = Turn(uuid4(), conversation.id, Role.PERSON, inbound.text, TurnState.ASKED, now, medium)
        self._turns[turn.id] = turn
        self._events[event] = turn.id
        self._deadlines[turn.id] = deadline
        self._handed[turn.id] = now
        return turn

    async def person(self, author: Author) -> Person:
        return self._person(author)

    async def prefer(self, author: Author, *, medium: Medium | None = None, persona_id: str | None = None) -> Person:
        if persona_id is not None:
            self._check_persona(persona_id)
        person = self._person(author)
        changed = replace(person, medium=medium or person.medium, persona_id=persona_id or person.persona_id)
        return self._keep(changed)

    async def turn(self, turn_id: UUID) -> tuple[Turn, Conversation]:
        turn = self._found(turn_id)
        return turn, self._conversations[turn.conversation_id]

    async def history(self, conversation_id: UUID, before: UUID, limit: int) -> list[Turn]:
        edge = self._turns.get(before)
        if edge is None or edge.conversation_id != conversation_id:
            return []
        edge_id = edge.reply_to or edge.id
        pairs: list[tuple[Turn, Turn]] = []
        for turn in self._questions(conversation_id):
            if turn.id == edge_id:
                break
            answer = self._answer(turn.id)
            if turn.state is TurnState.ANSWERED and answer:
                pairs.append((turn, answer))
        kept = pairs[-(limit // 2) :] if limit >= 2 else []
        return [turn for pair in kept for turn in pair]

    async def answer_to(self, question_id: UUID) -> Turn | None:
        return self._answer(question_id)

    async def begin(self, question_id: UUID) -> Turn:
        question = self._turns.get(question_id)
        if question is None or question.role is not Role.PERSON:
            raise NotFound("There is no such question.")
        if question.state in (TurnState.ASKED, TurnState.ANSWERING):
            self._turns[question_id] = replace(question, state=TurnState.ANSWERING)
            self._handed[question_id] = self._clock.now()
        answer = self._answer(question_id)
        if answer is None:
            state, now = TurnState.ANSWERING, self._clock.now()
            answer = Turn(uuid4(), question.conversation_id, Role.AVATAR, "", state, now, question.medium, question_id)
            self._turns[answer.id] = answer
        return answer

    async def posted(self, answer_id: UUID, ref: str) -> None:
        self._turns[answer_id] = replace(self._found(answer_id), posted_ref=ref)

    async def settle(self, answer_id: UUID, text: str, citations: Sequence[Citation], *, failed: bool = False) -> Turn:
        answer = self._found(answer_id)
        if answer.reply_to is None:
            raise NotFound("There is no such question.")
        if answer.state is TurnState.ANSWERING:
            state = TurnState.FAILED if failed else TurnState.ANSWERED
            answer = replace(answer, text=text, citations=tuple(citations), state=state)
            self._turns[answer_id] = answer
            self._turns[answer.reply_to] = replace(self._turns[answer.reply_to], state=state)
        return answer

    async def add_clip(self, clip: Clip) -> None:
        self._found(clip.turn_id)
        self._clips[clip.turn_id, clip.medium] = clip

    async def clips(self, answer_id: UUID) -> list[Clip]:
        mine = [clip for (turn_id, _), clip in self._clips.items() if turn_id == answer_id]
        return sorted(mine, key=lambda clip: clip.medium.rank)

    async def rate(self, answer_id: UUID, author: Author, value: int) -> None:
        if value not in (-1, 0, 1):
            raise BadInput("A rating is +1, -1, or 0 to take it back.")
        turn = self._turns.get(answer_id)
        person = self._people.get(_key(author))
        mine = turn and person and self._conversations[turn.conversation_id].person.id == person.id
        if not turn or not person or not mine or turn.role is not Role.AVATAR:
            raise NotFound("That answer is not in a conversation of yours.")
        self.ratings.pop((answer_id, person.id), None)
        if value:
            self.ratings[answer_id, person.id] = value

    async def recent(self, author: Author, persona_id: str, address: Address, limit: int) -> list[Turn]:
        person = self._people.get(_key(author))
        said: list[Turn] = []
        for each in self._conversations.values():
            if person and (each.person.id, each.persona_id, each.address) == (person.id, persona_id, address):
                for question in self._questions(each.id):
                    answer = self._answer(question.id)
                    said += [question, answer] if answer else [question]
        return said[-limit:]

    async def stranded(self, older_than: datetime, limit: int) -> list[ReplyJob]:
        now = self._clock.now()
        found = [key for key in self._unsettled() if self._handed[key] < older_than and self._deadlines[key] > now]
        found = sorted(found, key=lambda key: self._handed[key])[:limit]
        self._handed.update(dict.fromkeys(found, now))
        return [self._job(key) for key in found]

    async def overdue(self, now: datetime, limit: int) -> list[ReplyJob]:
        found = [key for key in self._unsettled() if self._deadlines[key] <= now]
        return [self._job(key) for key in sorted(found, key=lambda key: self._deadlines[key])[:limit]]

    def _check_persona(self, persona_id: str) -> None:
        if self._personas is not None and not self._personas.knows(persona_id):
            raise NotFound(f"There is no persona “{persona_id}”.")

    def _person(self, author: Author) -> Person:
        known = self._people.get(_key(author)) or Person(uuid4(), author)
        named = replace(known.author, name=author.name or known.author.name)
        return self._keep(replace(known, author=named))

    def _keep(self, person: Person) -> Person:
        self._people[_key(person.author)] = person
        for key, each in self._conversations.items():
            if each.person.id == person.id:
                self._conversations[key] = replace(each, person=person)
        return person

    def _conversation(self, person: Person, persona_id: str, address: Address) -> Conversation:
        for each in self._conversations.values():
            if (each.person.id, each.persona_id, each.address) == (person.id, persona_id, address):
                return each
        made = Conversation(uuid4(), persona_id, person, address)
        self._conversations[made.id] = made
        return made

    def _found(self, turn_id: UUID) -> Turn:
        if turn_id not in self._turns:
            raise NotFound(f"There is no such message ({turn_id}).")
        return self._turns[turn_id]

    def _questions(self, conversation_id: UUID) -> list[Turn]:
        turns = self._turns.values()
        return [each for each in turns if each.conversation_id == conversation_id and each.role is Role.PERSON]

    def _answer(self, question_id: UUID) -> Turn | None:
        return next((each for each in self._turns.values() if each.reply_to == question_id), None)

    def _unsettled(self) -> list[UUID]:
        open_states = (TurnState.ASKED, TurnState.ANSWERING)
        return [key for key in self._deadlines if self._turns[key].state in open_states]

    def _job(self, turn_id: UUID) -> ReplyJob:
        deadline = self._deadlines[turn_id]
        return ReplyJob(turn_id=turn_id, medium=self._turns[turn_id].medium, deadline=deadline, trace_id=turn_id.hex)


class MemoryJobQueue:
    """`bot.ports.JobQueue`; what was submitted stands in `jobs`. Set `error` to make the next submissions fail."""

    def __init__(self) -> None:
        self.jobs: list[ReplyJob] = []
        self.error: Exception | None = None

    async def submit(self, job: ReplyJob, after: float = 0.0) -> None:
        if self.error:
            raise self.error
        self.jobs.append(job)


class MemoryBlobs:
    """`bot.ports.BlobStore` that keeps the bytes, and lends them out as files of a temporary folder."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.media_types: dict[str, str] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="understudy-blobs-"))

    async def put(self, key: str, path: str, media_type: str) -> None:
        self._check(key)
        self.blobs[key] = Path(path).read_bytes()
        self.media_types[key] = media_type

    async def fetch(self, key: str) -> str:
        self._check(key)
        if key not in self.blobs:
            raise NotFound(f"There is no file “{key}”.")
        path = self._folder / hashlib.sha256(key.encode()).hexdigest()
        path.write_bytes(self.blobs[key])
        return str(path)

    async def delete(self, prefix: str) -> None:
        self._check(prefix.rstrip("/"))
        under = prefix.rstrip("/")
        for key in [key for key in self.blobs if key == under or key.startswith(under + "/")]:
            del self.blobs[key]

    def clear(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def _check(key: str) -> None:
        parts = key.split("/")
        if not key or any(not part or part.startswith(".") for part in parts) or "\\" in key or min(key) < " ":
            raise BadInput("That cannot be the key of a file.")


class MemoryEvents:
    """What `integrations.events.TurnEvents` does, in one process."""

    def __init__(self) -> None:
        self.events: dict[UUID, list[Event]] = {}
        self._changed = asyncio.Condition()

    async def publish(self, turn_id: UUID, kind: str, data: dict[str, Any]) -> str:
        async with self._changed:
            events = self.events.setdefault(turn_id, [])
            events.append(Event(f"{len(events) + 1}-0", kind, data))
            self._changed.notify_all()
            return events[-1].id

    async def follow(self, turn_id: UUID, after: str = "0") -> AsyncIterator[Event]:
        seen = int(after.partition("-")[0]) if after.partition("-")[0].isdigit() else 0
        done = False
        while True:
            events = self.events.get(turn_id, [])
            if seen >= len(events):
                if done:
                    return
                async with self._changed:
                    while len(self.events.get(turn_id, [])) <= seen:
                        await self._changed.wait()
                continue
            event = events[seen]
            seen, done = seen + 1, event.kind == "done"
            yield event

    async def close(self) -> None:
        return None


def _key(author: Author) -> tuple[str, str, str]:
    return author.surface, author.tenant, author.external_id
