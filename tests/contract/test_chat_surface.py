"""What every ChatSurface must do, asked of the one in memory, of Slack, and of the one that publishes events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from bot.messages import Address, Answer, Author, Citation, Clip, Medium
from bot.ports import ChatSurface, Stage
from integrations.blobs import FolderBlobs
from integrations.slack.client import make_client
from integrations.slack.surface import SlackSurface
from integrations.web.surface import EventSurface
from tests.fakes.slack import TEAM, FakeSlack
from tests.fakes.surface import MemorySurface

STAGES: tuple[Stage, ...] = ("received", "waiting", "thinking", "writing", "speaking", "filming", "done")
NOTE = Citation("n1", "The first bug", "Log book", "1947-09-09", "A moth was found in a relay.")
# A stream that is over cannot be stopped again, and some places know no streaming; nothing else may be refused.
EXPECTED_REFUSALS = {"message_not_in_streaming_state", "channel_type_not_supported"}
WORDS = ("The moth was found ", "in relay 70 ", "of panel F, ", "on 9 September 1947.")


class Seen(Protocol):
    """What one can see of a surface: every answer's words and whole text, the number of recordings, what was said."""

    surface: ChatSurface
    address: Address
    author: Author

    async def answers(self) -> list[str]: ...
    async def details(self) -> str: ...
    async def recordings(self) -> int: ...
    async def said(self) -> list[str]: ...


@dataclass
class InMemory:
    surface: MemorySurface
    address: Address
    author: Author

    async def answers(self) -> list[str]:
        return [each.text for each in self.surface.answers.values()]

    async def details(self) -> str:
        final = [each.final for each in self.surface.answers.values()]
        return " ".join(f"{a.disclosure} {a.notice} {[c.title for c in a.citations]}" for a in final if a)

    async def recordings(self) -> int:
        return len(self.surface.clips)

    async def said(self) -> list[str]:
        return [text for _, _, text in self.surface.said]


@dataclass
class InSlack:
    surface: SlackSurface
    address: Address
    author: Author
    slack: FakeSlack

    async def answers(self) -> list[str]:
        return [m.answer for m in self._replies() if not m.files and m.finished]

    async def details(self) -> str:
        return " ".join(m.shown for m in self._replies())

    async def recordings(self) -> int:
        return sum(1 for file in self.slack.files if file.name.endswith((".mp4", ".m4a")))

    async def said(self) -> list[str]:
        return [m.text for m in self._replies() if not m.finished]

    def _replies(self) -> list[Any]:
        return [m for m in self.slack.thread(self.address.channel, self.address.thread) if m.by_bot]


class Published:
    """Stands where Valkey stands: the events of each turn in order."""

    def __init__(self) -> None:
        self.events: list[tuple[UUID, str, dict[str, Any]]] = []

    async def publish(self, turn_id: UUID, kind: str, data: dict[str, Any]) -> None:
        self.events.append((turn_id, kind, data))


@dataclass
class InEvents:
    """Reads the events as a page does."""

    surface: EventSurface
    address: Address
    author: Author
    published: Published

    async def answers(self) -> list[str]:
        shown: dict[UUID, str] = {}
        for turn, kind, data in self.published.events:
            if kind == "reset":
                shown[turn] = ""
            elif kind == "delta":
                shown[turn] = shown.get(turn, "") + data["text"]
            elif kind == "final":
                shown[turn] = data["text"]
        return list(shown.values())

    async def details(self) -> str:
        return " ".join(str(data) for _, kind, data in self.published.events if kind == "final")

    async def recordings(self) -> int:
        clips = {(turn, data["medium"]) for turn, kind, data in self.published.events if kind == "clip"}
        return len(clips)

    async def said(self) -> list[str]:
        return [data["text"] for _, kind, data in self.published.events if kind == "say"]


@asynccontextmanager
async def in_slack(folder: Path, *, channel: str = "", streaming: bool = True) -> AsyncIterator[InSlack]:
    async with FakeSlack() as slack:
        slack.no_streaming = not streaming
        asked = await (slack.mention("U1", channel, "Who?") if channel else slack.dm("U1", "Who?"))
        surface = SlackSurface(make_client(slack.bot_token, slack.api_url), FolderBlobs(folder), stoppable=True)
        address = Address("slack", TEAM, asked.channel, asked.ts)
        try:
            yield InSlack(surface, address, Author("slack", TEAM, "U1"), slack)
        finally:
            await surface.close()


@pytest.fixture(params=["memory", "slack", "slack in a channel", "slack without streaming", "events"])
async def seen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Seen]:
    if request.param.startswith("slack"):
        channel = "C1" if request.param.endswith("channel") else ""
        async with in_slack(tmp_path, channel=channel, streaming=not request.param.endswith("streaming")) as found:
            yield found
            assert {code for _, code, _ in found.slack.refusals} <= EXPECTED_REFUSALS
        return
    address, author = Address("web", "t", "c", "th"), Author("web", "t", "u1")
    if request.param == "memory":
        yield InMemory(MemorySurface(), address, author)
    else:
        published = Published()
        yield InEvents(EventSurface(published), address, author, published)


def answer(question: UUID, text: str = "".join(WORDS), **more: Any) -> Answer:
    disclosure = "I am an AI; I am not the admiral."
    return Answer(
        **{"turn_id": uuid4(), "question_id": question, "persona_id": "grace", "persona_name": "Grace"},
        **{"text": text, "disclosure": disclosure, "citations": (NOTE,), "offers": (Medium.VOICE, Medium.VIDEO)},
        **more,
    )


async def test_an_answer_is_written_into_one_message(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    ref = stream.ref
    for piece in WORDS:
        await stream.append(piece)
    await stream.finish(answer(question))
    assert [text.strip() for text in await seen.answers()] == ["".join(WORDS)]
    assert stream.ref == ref


async def test_the_label_and_the_notes_stand_beside_the_answer(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.append("".join(WORDS))
    await stream.finish(answer(question, notice="I could not film this."))
    details = await seen.details()
    assert "I am an AI; I am not the admiral." in details
    assert "The first bug" in details
    assert "I could not film this." in details


async def test_words_that_did_not_hold_are_replaced(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.append("It was a beetle, in 1951.")
    await stream.finish(answer(question, "It was a moth."))
    assert await seen.answers() == ["It was a moth."]


async def test_an_answer_may_come_all_at_once(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.finish(answer(question, "I don't know. Ask the archive."))
    assert await seen.answers() == ["I don't know. Ask the archive."]


async def test_a_late_notice_changes_the_same_message(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.append("".join(WORDS))
    await stream.finish(answer(question))
    await stream.finish(answer(question, notice="The film failed."))
    assert [text.strip() for text in await seen.answers()] == ["".join(WORDS)]
    assert "The film failed." in await seen.details()


async def test_a_second_attempt_writes_into_the_message_of_the_first(seen: Seen) -> None:
    question = uuid4()
    first = await seen.surface.stream(seen.address, question, seen.author, None)
    await first.append("The moth was")
    second = await seen.surface.stream(seen.address, question, seen.author, first.ref)
    await second.append("".join(WORDS))
    await second.finish(answer(question))
    assert second.ref == first.ref
    assert [text.strip() for text in await seen.answers()] == ["".join(WORDS)]


async def test_a_finished_answer_opened_by_a_later_attempt_stays_as_it_is(seen: Seen) -> None:
    question = uuid4()
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.append("".join(WORDS))
    await stream.finish(answer(question))
    again = await seen.surface.stream(seen.address, question, seen.author, stream.ref)
    assert again.ref == stream.ref
    assert [text.strip() for text in await seen.answers()] == ["".join(WORDS)]


async def test_two_questions_get_two_messages(seen: Seen) -> None:
    for text in ("One.", "Two."):
        question = uuid4()
        stream = await seen.surface.stream(seen.address, question, seen.author, None)
        await stream.append(text)
        await stream.finish(answer(question, text))
    assert await seen.answers() == ["One.", "Two."]


async def test_every_stage_can_be_shown(seen: Seen) -> None:
    question = uuid4()
    for stage in STAGES:
        await seen.surface.status(seen.address, question, stage)
    await seen.surface.status(seen.address, question, "filming", 0.4)


@pytest.mark.parametrize("medium", [Medium.VOICE, Medium.VIDEO])
async def test_a_recording_is_shown_once(seen: Seen, medium: Medium, tmp_path: Path) -> None:
    question = uuid4()
    final = answer(question)
    stream = await seen.surface.stream(seen.address, question, seen.author, None)
    await stream.finish(final)
    clip = await stored_clip(FolderBlobs(tmp_path), final, medium, tmp_path)
    await seen.surface.show(seen.address, clip, final)
    await seen.surface.show(seen.address, clip, final)
    assert await seen.recordings() == 1


async def test_a_sentence_is_said(seen: Seen) -> None:
    ref = await seen.surface.say(seen.address, seen.author, "Please ask in fewer words.")
    assert ref
    assert await seen.said() == ["Please ask in fewer words."]


async def stored_clip(blobs: FolderBlobs, final: Answer, medium: Medium, folder: Path) -> Clip:
    """A recording that nobody could play, where a real one would be."""
    key = f"turns/{final.turn_id}/answer"
    source = folder / "source"
    source.write_bytes(b"bytes" * 1000)
    kinds = {Medium.VOICE: ("m4a", "audio/mp4"), Medium.VIDEO: ("mp4", "video/mp4")}
    suffix, kind = kinds[medium]
    clip = Clip(final.turn_id, medium, f"{key}.{suffix}", kind, 7.2, width=512, height=512)
    await blobs.put(clip.media_key, str(source), kind)
    if medium is Medium.VIDEO:
        clip = replace(clip, captions_key=f"{key}.vtt", poster_key=f"{key}.jpg")
        await blobs.put(f"{key}.vtt", str(source), "text/vtt")
    return clip
