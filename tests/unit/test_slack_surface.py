"""Slack as a surface on its bad days: slow, refusing, ending streams by itself."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bot.errors import PartFailed
from bot.messages import Address, Answer, Author, Clip, Medium
from integrations.blobs import FolderBlobs
from integrations.slack import stream as slack_stream
from integrations.slack import surface as slack_surface
from integrations.slack.client import make_client
from integrations.slack.surface import SlackSurface
from tests.fakes.slack import TEAM, FakeSlack, Message

ME = Author("slack", TEAM, "U1")
WORDS = "An engine that weaves algebraical patterns."


@dataclass
class Place:
    slack: FakeSlack
    surface: SlackSurface
    address: Address
    blobs: FolderBlobs
    folder: Path

    def replies(self) -> list[Message]:
        return [m for m in self.slack.thread(self.address.channel, self.address.thread) if m.by_bot]

    async def stream(self, ref: str | None = None) -> Any:
        return await self.surface.stream(self.address, uuid4(), ME, ref)


@pytest.fixture(params=["DU1", "C1"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with FakeSlack() as slack:
        asked = await (slack.dm("U1", "Who?") if request.param == "DU1" else slack.mention("U1", "C1", "Who?"))
        blobs = FolderBlobs(tmp_path / "blobs")
        surface = SlackSurface(make_client(slack.bot_token, slack.api_url), blobs)
        yield Place(slack, surface, Address("slack", TEAM, asked.channel, asked.ts), blobs, tmp_path)
        await surface.close()


def answer(text: str = WORDS, turn_id: UUID | None = None) -> Answer:
    return Answer(turn_id or uuid4(), uuid4(), "ada", "Ada", text, "I am an AI.")


# --- streaming --------------------------------------------------------------------------------------------------


async def test_many_pieces_are_few_requests(place: Place) -> None:
    stream = await place.stream()
    for letter in WORDS:
        await stream.append(letter)
    await stream.finish(answer())
    [message] = place.replies()
    assert message.answer == WORDS
    assert message.appended <= 1
    assert place.slack.refusals == []


async def test_words_appear_while_they_are_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_stream.Streamed, "every", 0.01)
    stream = await place.stream()
    await stream.append("An engine ")
    await place.slack.until(lambda: place.replies()[0].streamed == "An engine ")
    await stream.append("that weaves.")
    await place.slack.until(lambda: place.replies()[0].streamed == "An engine that weaves.")
    await stream.finish(answer("An engine that weaves."))


async def test_a_slow_slack_does_not_hold_up_who_writes(place: Place) -> None:
    answered = place.slack.hold("chat.appendStream")
    stream = await place.stream()
    for word in re.findall(r"\S+\s*", WORDS):
        await stream.append(word)
        await asyncio.sleep(0.01)
    assert place.replies()[0].streamed == ""
    answered.set()
    await stream.finish(answer())
    assert place.replies()[0].answer == WORDS


async def test_told_to_slow_down_it_waits_and_goes_on(place: Place) -> None:
    place.slack.fail("chat.startStream", status=429, retry_after=0)
    place.slack.fail("chat.stopStream", status=429, retry_after=0)
    stream = await place.stream()
    await stream.append(WORDS)
    await stream.finish(answer())
    [message] = place.replies()
    assert message.answer == WORDS
    assert message.finished


async def test_a_stream_that_slack_ended_is_set_right_by_an_edit(place: Place) -> None:
    stream = await place.stream()
    await stream.append("An engine ")
    await place.slack.until(lambda: place.replies()[0].appended == 1)
    place.replies()[0].streaming = False
    await stream.append("that weaves algebraical patterns.")
    await stream.finish(answer())
    [message] = place.replies()
    assert message.answer == WORDS
    assert message.finished


async def test_whoever_presses_stop_keeps_what_they_had_read(place: Place) -> None:
    stream = await place.stream()
    await stream.append("An engine ")
    await place.slack.until(lambda: place.replies()[0].appended == 1)
    await place.slack.press_stop("U1", place.address.channel, place.address.thread)
    await stream.append("that weaves algebraical patterns.")
    await stream.finish(answer())
    await stream.finish(answer())
    [message] = place.replies()
    assert message.answer == "An engine "
    assert "I am an AI." in message.shown


async def test_a_failed_append_is_set_right_by_an_edit(place: Place) -> None:
    place.slack.fail("chat.appendStream", "fatal_error")
    stream = await place.stream()
    await stream.append(WORDS)
    await place.slack.until(lambda: place.slack._failures["chat.appendStream"][0].times == 0)
    await stream.finish(answer())
    [message] = place.replies()
    assert (message.answer, message.edits) == (WORDS, 1)


async def test_words_that_slack_may_have_are_not_sent_twice(place: Place) -> None:
    place.slack.fail("chat.appendStream", "internal_error", status=500, after=True)
    stream = await place.stream()
    await stream.append("An engine ")
    await place.slack.until(lambda: place.replies()[0].appended == 1)
    await stream.append("that weaves algebraical patterns.")
    await stream.finish(answer())
    assert place.replies()[0].answer == WORDS
    assert len(place.slack.called("chat.appendStream")) == 1


@pytest.mark.parametrize("method", ["chat.startStream", "chat.postMessage"])
async def test_a_message_that_slack_may_have_posted_is_not_posted_twice(place: Place, method: str) -> None:
    place.slack.no_streaming = method == "chat.postMessage"
    place.slack.fail(method, "internal_error", status=500, after=True)
    with pytest.raises(PartFailed) as failed:
        await place.stream()
    assert failed.value.retryable
    assert len(place.replies()) == 1


async def test_what_does_no_harm_twice_is_tried_again(place: Place) -> None:
    place.slack.fail("chat.stopStream", status=503)
    stream = await place.stream()
    await stream.append(WORDS)
    await stream.finish(answer())
    assert place.replies()[0].finished


async def test_where_slack_does_not_stream_a_message_is_edited(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_stream.Edited, "every", 0.01)
    place.slack.no_streaming = True
    stream = await place.stream()
    await stream.append("An engine ")
    await place.slack.until(lambda: place.replies()[0].answer == "An engine ")
    await stream.finish(answer())
    [message] = place.replies()
    assert message.answer == WORDS
    assert message.finished


async def test_a_second_attempt_ends_the_stream_that_a_dead_worker_left_open(place: Place) -> None:
    left = await place.stream()
    await left.append("An eng")
    await place.slack.until(lambda: place.replies()[0].appended == 1)
    again = await place.stream(left.ref)
    await again.append(WORDS)
    await again.finish(answer())
    [message] = place.replies()
    assert message.answer == WORDS
    assert not message.streaming
    assert place.slack.refusals == []


async def test_a_mention_that_is_split_over_two_pieces_calls_nobody(place: Place) -> None:
    stream = await place.stream()
    await stream.append("Hello <")
    await place.slack.until(lambda: place.replies()[0].appended == 1)
    assert place.replies()[0].streamed == "Hello "
    await stream.append("!channel>")
    await stream.finish(answer("Hello <!channel>"))
    assert "<!channel>" not in str(place.slack.calls)


async def test_a_very_long_answer_is_cut_at_slacks_limit(place: Place) -> None:
    long = "word " * 4000
    stream = await place.stream()
    await stream.append(long)
    await stream.finish(answer(long))
    [message] = place.replies()
    assert 11_000 < len(message.answer) <= 12_000
    assert place.slack.refusals == []


@pytest.mark.parametrize(("error", "retryable"), [("not_in_channel", False), ("internal_error", True)])
async def test_what_slack_refuses_is_a_failure_of_the_surface(place: Place, error: str, retryable: bool) -> None:
    place.slack.fail("chat.startStream", error)
    with pytest.raises(PartFailed) as failed:
        await place.stream()
    assert (failed.value.part, failed.value.retryable) == ("surface", retryable)
    assert place.replies() == [], "nothing is posted in another way"


async def test_a_slack_that_is_away_is_a_failure_that_may_pass(tmp_path: Path) -> None:
    surface = SlackSurface(make_client("xoxb-x", "http://127.0.0.1:9/api/"), FolderBlobs(tmp_path))
    address = Address("slack", TEAM, "D1", "1.0")
    with pytest.raises(PartFailed) as failed:
        await surface.stream(address, uuid4(), ME, None)
    assert failed.value.retryable
    await surface.status(address, uuid4(), "thinking")
    await surface.close()


# --- status -----------------------------------------------------------------------------------------------------


async def test_progress_is_shown_now_and_then_only(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_surface, "STATUS_EVERY", 3600)
    turn = uuid4()
    for percent in range(100):
        await place.surface.status(place.address, turn, "filming", percent / 100)
    await place.surface.status(place.address, turn, "done")
    shown = [status for _, _, status in place.slack.statuses]
    assert shown == ["is filming the answer, 0 %", ""]


async def test_progress_goes_on_in_tens(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_surface, "STATUS_EVERY", 0)
    turn = uuid4()
    for percent in range(101):
        await place.surface.status(place.address, turn, "filming", percent / 100)
    assert [status.split()[-2] for _, _, status in place.slack.statuses] == [str(ten) for ten in range(0, 101, 10)]


async def test_a_workspace_without_statuses_is_asked_once(place: Place) -> None:
    place.slack.fail("assistant.threads.setStatus", "missing_scope", times=99)
    for stage in ("received", "thinking", "writing"):
        await place.surface.status(place.address, uuid4(), stage)  # type: ignore[arg-type]
    assert place.slack._failures["assistant.threads.setStatus"][0].times == 98


async def test_a_status_that_hangs_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_surface, "STATUS_PATIENCE", 0.1)
    answered = place.slack.hold("assistant.threads.setStatus")
    await place.surface.status(place.address, uuid4(), "thinking")
    answered.set()


async def test_the_stop_button_is_shown_only_when_somebody_listens(place: Place) -> None:
    await place.surface.status(place.address, uuid4(), "received")
    assert place.slack.sessions == {}


# --- clips ------------------------------------------------------------------------------------------------------


async def clip(place: Place, final: Answer, medium: Medium = Medium.VIDEO) -> Clip:
    key = f"turns/{final.turn_id}/answer"
    suffix = "mp4" if medium is Medium.VIDEO else "m4a"
    for name in (suffix, "vtt"):
        source = place.folder / name
        source.write_bytes(name.encode() * 500)
        await place.blobs.put(f"{key}.{name}", str(source), "video/mp4")
    captions = f"{key}.vtt" if medium is Medium.VIDEO else None
    return Clip(final.turn_id, medium, f"{key}.{suffix}", f"video/{suffix}", 6.0, captions)


async def test_a_clip_is_uploaded_into_the_thread_with_everything_it_needs(place: Place) -> None:
    final = answer()
    await place.surface.show(place.address, await clip(place, final), final)
    video, captions = place.slack.files
    assert (video.name, captions.name) == ("ada.mp4", "ada.vtt")
    assert (video.channel, video.thread_ts) == (place.address.channel, place.address.thread)
    assert video.content == b"mp4" * 500
    assert WORDS in (video.alt or "")
    assert "AI-generated" in video.title
    assert "AI-generated" in video.comment
    assert len({id(file) for message in place.replies() for file in message.files}) == 2
    assert len(place.replies()) == 1, "film and captions are one message"


async def test_voice_and_film_of_one_answer_are_both_shown(place: Place) -> None:
    final = answer()
    for medium in (Medium.VOICE, Medium.VIDEO):
        await place.surface.show(place.address, await clip(place, final, medium), final)
    assert [file.name for file in place.slack.files] == ["ada.m4a", "ada.mp4", "ada.vtt"]


async def test_a_worker_that_died_before_sharing_leaves_the_clip_to_the_next(place: Place) -> None:
    final = answer()
    place.slack.fail("files.completeUploadExternal", "internal_error")
    mine = await clip(place, final)
    with pytest.raises(PartFailed) as failed:
        await place.surface.show(place.address, mine, final)
    assert failed.value.retryable
    await place.surface.show(place.address, mine, final)
    assert [file.name for file in place.slack.files] == ["ada.mp4", "ada.vtt"]


async def test_a_clip_that_slack_may_have_shared_is_not_shared_twice(place: Place) -> None:
    final = answer()
    mine = await clip(place, final)
    place.slack.fail("files.completeUploadExternal", "internal_error", status=500, after=True)
    with pytest.raises(PartFailed):
        await place.surface.show(place.address, mine, final)
    await place.surface.show(place.address, mine, final)
    assert len([m for m in place.replies() if m.files]) == 1


async def test_a_worker_that_died_after_sharing_does_not_share_twice(place: Place) -> None:
    final = answer()
    mine = await clip(place, final)
    await place.surface.show(place.address, mine, final)
    fresh = SlackSurface(make_client(place.slack.bot_token, place.slack.api_url), place.blobs)
    await fresh.show(place.address, mine, final)
    await fresh.close()
    assert [file.shared for file in place.slack.files] == [1, 1]
    assert len([m for m in place.replies() if m.files]) == 1


@pytest.mark.parametrize(("status", "retryable"), [(503, True), (413, False)])
async def test_an_upload_that_fails_is_a_failure_of_the_surface(place: Place, status: int, retryable: bool) -> None:
    final = answer()
    place.slack.fail("upload", status=status)
    with pytest.raises(PartFailed) as failed:
        await place.surface.show(place.address, await clip(place, final), final)
    assert (failed.value.part, failed.value.retryable) == ("surface", retryable)
    assert place.replies() == []


async def test_a_clip_whose_file_is_gone_is_a_failure_of_the_store(place: Place) -> None:
    final = answer()
    with pytest.raises(PartFailed) as failed:
        await place.surface.show(place.address, Clip(final.turn_id, Medium.VOICE, "gone.m4a", "audio/mp4", 1.0), final)
    assert (failed.value.part, failed.value.retryable) == ("store", False)


# --- sentences --------------------------------------------------------------------------------------------------


async def test_a_sentence_in_a_channel_is_for_one_person(place: Place) -> None:
    await place.surface.say(place.address, ME, "Please ask <again> & again.")
    [message] = place.replies()
    assert message.text == "Please ask &lt;again&gt; &amp; again."
    assert message.only_for == ("U1" if place.address.channel == "C1" else None)
