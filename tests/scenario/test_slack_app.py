"""The Slack app behind a real HTTP server and over Socket Mode, with a Slack that signs, retries and looks closely."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.commands import Commands
from bot.consent import Consent, Scope
from bot.errors import PartFailed
from bot.filming import Studio
from bot.messages import Address, Author, Clip, Medium, Role
from bot.personas import Note, Persona
from bot.receive import Receive
from bot.reply import Parts, Reply
from bot.writing import Writer
from integrations.blobs import FolderBlobs
from integrations.slack import app as slack_app
from integrations.slack.app import Slack, make_slack
from tests.fakes.chat_model import ScriptedModel
from tests.fakes.memory import MemoryConversations, MemoryJobQueue, MemoryPersonas, SystemClock
from tests.fakes.performers import PlainFace, PlainFaces, PlainRecorder, PlainRecording, PlainVoice
from tests.fakes.slack import TEAM, FakeSlack, Message, serving

ADA = Persona(
    **{"id": "ada", "name": "Ada Lovelace", "title": "Countess", "style": "", "exemplars": (), "voice": "v"},
    **{"face": "", "language": "en", "disclosure": "I am an AI, not Ada.", "ask_instead": "the archive"},
    suggestions=("What is the engine?", "Who was Babbage?"),
)
WORDS = "The engine weaves algebraical patterns."
NOTE = Note("engine", "ada", "The engine", WORDS, "Ada's notes", "1843")
BOB = Persona("bob", "Bob <Engineer>", "CEO", "", (), "v", "", "en", "I am an AI, not Bob.", "his office")
FULL = frozenset({Scope.TEXT, Scope.VOICE, Scope.FACE})


class StoringRecorder(PlainRecorder):
    """Recordings whose file is where a real one would be."""

    def __init__(self, blobs: FolderBlobs, folder: Path) -> None:
        super().__init__()
        self.blobs, self.source = blobs, folder / "recorded"
        self.source.write_bytes(b"moving and talking")

    def open(self, answer_id: UUID, medium: Medium, persona: Persona) -> PlainRecording:
        recording = super().open(answer_id, medium, persona)
        keep = recording.keep

        async def stored() -> Clip:
            clip = await keep()
            await self.blobs.put(clip.media_key, str(self.source), clip.media_type)
            return clip

        recording.keep = stored  # type: ignore[method-assign]
        return recording


class House:
    """The app with everything behind it in memory, and a Slack in front of it."""

    def __init__(
        self,
        slack: FakeSlack,
        app: Slack,
        parts: Parts,
        conversations: MemoryConversations,
        queue: MemoryJobQueue,
        stops: list[tuple[Address, Author]],
    ) -> None:
        self.slack, self.app, self.parts = slack, app, parts
        self.conversations, self.queue, self.stops = conversations, queue, stops

    async def quiet(self) -> None:
        """Wait until the app does nothing and Slack has told it everything."""
        while self.app._begun or self.slack._echoes:
            await asyncio.gather(*self.app._begun, return_exceptions=True)
            await self.slack.settled()

    async def work(self) -> Message:
        """Do the newest job as a worker does; the message of its answer."""
        job = self.queue.jobs[-1]
        await Reply(self.parts).answer(job)
        _, conversation = await self.conversations.turn(job.turn_id)
        answer = await self.conversations.answer_to(job.turn_id)
        assert answer is not None
        return self.slack.messages[conversation.address.channel, answer.posted_ref or ""]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeSlack() as slack, built(slack, tmp_path) as house, serving(house.app.handler) as url:
        slack.request_url = url
        yield house
        await house.quiet()


@asynccontextmanager
async def built(slack: FakeSlack, folder: Path) -> AsyncIterator[House]:
    """A House whose app is closed in the end."""
    clock, personas = SystemClock(), MemoryPersonas()
    since = clock.now() - timedelta(days=1)
    await personas.publish(ADA, [Consent(FULL, "Ada signed.", frozenset({"everyone"}), since)], [NOTE])
    text_only = Consent(frozenset({Scope.TEXT}), "Bob wrote.", frozenset({f"tenant:{TEAM}"}), since)
    await personas.publish(BOB, [text_only], [])
    conversations, queue = MemoryConversations(clock, personas), MemoryJobQueue()
    stops: list[tuple[Address, Author]] = []
    blobs = FolderBlobs(folder / "blobs")

    async def stop(address: Address, author: Author) -> bool:
        stops.append((address, author))
        return True

    app = make_slack(
        token=slack.bot_token,
        signing_secret=slack.signing_secret,
        api_url=slack.api_url,
        blobs=blobs,
        receive=Receive(personas, conversations, queue, clock, "ada", timedelta(minutes=3)),
        commands=Commands(personas, conversations, clock, "ada"),
        conversations=conversations,
        personas=personas,
        clock=clock,
        default_persona="ada",
        stop=stop,
    )
    writer = Writer(personas, ScriptedModel(re.findall(r"\S+\s*", WORDS)))
    studio = Studio(PlainVoice(), PlainFaces(PlainFace()), StoringRecorder(blobs, folder))
    parts = Parts(personas, conversations, writer, studio, {"slack": app.surface}, clock)
    try:
        yield House(slack, app, parts, conversations, queue, stops)
    finally:
        await app.close()


async def questions(house: House) -> list[str]:
    return [(await house.conversations.turn(job.turn_id))[0].text for job in house.queue.jobs]


# --- what may come in -------------------------------------------------------------------------------------------


async def test_slack_verifies_the_address(house: House) -> None:
    got = await house.slack.post(json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}))
    assert got.ok
    assert json.loads(got.body) == {"challenge": "abc"}


@pytest.mark.parametrize(
    "wrong", [{"secret": "someone else's"}, {"at": time.time() - 600}, {"headers": {"X-Slack-Signature": "v0=00"}}]
)
async def test_a_bad_signature_or_an_old_timestamp_is_refused(house: House, wrong: dict[str, Any]) -> None:
    event = {"type": "message", "channel_type": "im", "channel": "DU1", "user": "U1", "text": "Hi", "ts": "1.2"}
    got = await house.slack.post(json.dumps(house.slack.envelope(event)), **wrong)
    assert got.status == 401
    assert house.queue.jobs == []


async def test_an_unsigned_request_is_refused(house: House) -> None:
    empty = {"X-Slack-Signature": "", "X-Slack-Request-Timestamp": ""}
    assert (await house.slack.post("{}", headers=empty)).status == 401
    assert (await house.slack.post("{not json", secret="someone else's")).status in (400, 401)


# --- questions --------------------------------------------------------------------------------------------------


async def test_a_direct_message_is_stored_and_queued_before_slack_is_answered(house: House) -> None:
    asked = await house.slack.dm("U1", "What is the engine?")
    assert house.slack.deliveries[0][1].ok
    assert await questions(house) == ["What is the engine?"]
    _, conversation = await house.conversations.turn(house.queue.jobs[0].turn_id)
    assert conversation.address == Address("slack", TEAM, "DU1", asked.ts)
    assert conversation.person.author.same(Author("slack", TEAM, "U1"))


async def test_the_person_sees_at_once_that_something_happens(house: House) -> None:
    asked = await house.slack.dm("U1", "What is the engine?")
    await house.quiet()
    assert [status for channel, thread, status in house.slack.statuses if (channel, thread) == ("DU1", asked.ts)]
    assert house.slack.sessions["DU1", asked.ts] == "processing"


async def test_a_mention_is_answered_in_its_thread(house: House) -> None:
    asked = await house.slack.mention("U1", "C1", "what is the engine &amp; who built it?")
    assert await questions(house) == ["what is the engine & who built it?"]
    answer = await house.work()
    assert answer.thread_ts == asked.ts
    assert answer.answer.strip() == WORDS
    assert "Ada's notes" in answer.shown
    assert "I am an AI, not Ada." in answer.shown
    started = house.slack.called("chat.startStream")[0]
    assert (started["recipient_user_id"], started["recipient_team_id"]) == ("U1", TEAM)


async def test_a_follow_up_in_the_thread_belongs_to_the_same_conversation(house: House) -> None:
    first = await house.slack.dm("U1", "What is the engine?")
    await house.slack.dm("U1", "And who built it?", thread=first.ts)
    one, two = [(await house.conversations.turn(job.turn_id))[1].id for job in house.queue.jobs]
    assert one == two


async def test_two_people_in_one_thread_have_two_conversations(house: House) -> None:
    first = await house.slack.mention("U1", "C1", "What is the engine?")
    await house.slack.mention("U2", "C1", "And who built it?", thread=first.ts)
    one, two = [(await house.conversations.turn(job.turn_id))[1].id for job in house.queue.jobs]
    assert one != two


async def test_what_slack_sends_again_is_answered_once(house: House) -> None:
    event = {"type": "message", "channel_type": "im", "channel": "DU1", "user": "U1", "text": "Hi", "ts": "1.2"}
    envelope = house.slack.envelope(event)
    for _ in range(3):
        assert (await house.slack.deliver_event(envelope))[-1].ok
    assert len(house.queue.jobs) == 1


async def test_an_event_that_could_not_be_stored_is_sent_again_and_not_lost(house: House) -> None:
    whole, tries = house.conversations.accept, []

    async def accept(*arguments: Any) -> Any:
        tries.append(1)
        if len(tries) < 3:
            raise PartFailed("store", "the database is away")
        return await whole(*arguments)

    house.conversations.accept = accept  # type: ignore[method-assign]
    await house.slack.dm("U1", "What is the engine?")
    assert [delivery.status for _, delivery in house.slack.deliveries[:3]] == [500, 500, 200]
    assert await questions(house) == ["What is the engine?"]


async def test_a_slow_store_is_given_up_in_time_for_slack_to_send_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_app, "STORE_WITHIN", 0.5)
    whole, tries = house.conversations.accept, []

    async def accept(*arguments: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            await asyncio.sleep(60)
        return await whole(*arguments)

    house.conversations.accept = accept  # type: ignore[method-assign]
    await house.slack.dm("U1", "What is the engine?")
    assert [delivery.status for _, delivery in house.slack.deliveries[:2]] == [500, 200]
    assert len(house.queue.jobs) == 1


async def test_while_slack_itself_stumbles_no_event_is_lost(house: House) -> None:
    house.slack.fail("auth.test", "internal_error")
    await house.slack.dm("U1", "What is the engine?")
    assert [delivery.status for _, delivery in house.slack.deliveries[:2]] == [500, 200]
    assert await questions(house) == ["What is the engine?"]


async def test_its_own_messages_and_edits_are_no_questions(house: House) -> None:
    asked = await house.slack.dm("U1", "What is the engine?")
    await house.work()
    await house.app.surface.say(Address("slack", TEAM, "DU1", asked.ts), Author("slack", TEAM, "U1"), "Hello.")
    await house.slack.edit(asked, "What is the other engine?")
    await house.quiet()
    own = [payload for payload, _ in house.slack.deliveries if payload.get("event", {}).get("bot_id")]
    assert len(own) >= 2, "Slack did not tell the app of its own messages"
    assert all(delivery.ok for _, delivery in house.slack.deliveries)
    assert await questions(house) == ["What is the engine?"]


async def test_a_refusal_is_a_sentence_in_a_direct_message(house: House) -> None:
    asked = await house.slack.dm("U1", "x" * 5000)
    await house.quiet()
    [said] = [m for m in house.slack.thread("DU1", asked.ts) if m.by_bot]
    assert "5,000 characters" in said.text
    assert house.queue.jobs == []


async def test_a_refusal_in_a_channel_is_seen_by_who_asked_only(house: House) -> None:
    asked = await house.slack.mention("U1", "C1", "x" * 5000)
    await house.quiet()
    [said] = [m for m in house.slack.thread("C1", asked.ts) if m.by_bot]
    assert said.only_for == "U1"


async def test_a_guest_from_another_company_does_not_pass_as_one_of_ours(house: House) -> None:
    await house.conversations.prefer(Author("slack", "T9OTHER", "U9"), persona_id="bob")
    await house.slack.mention("U9", "C1", "Hello", team="T9OTHER")
    await house.quiet()
    assert house.queue.jobs == []
    assert "has not agreed" in house.slack.called("chat.postEphemeral")[0]["text"]


async def test_nobodys_words_stand_in_the_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    house.slack.fail("chat.appendStream", "fatal_error")
    await house.slack.dm("U1", "What about my rhubarb?")
    await house.work()
    await house.slack.mention("U1", "C1", "rhubarb " * 1000)
    await house.quiet()
    assert caplog.records
    assert "rhubarb" not in caplog.text
    assert "algebraical" not in caplog.text


# --- presses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("button", "medium"), [("hear", Medium.VOICE), ("see", Medium.VIDEO)])
async def test_hear_it_and_see_it_queue_the_same_answer(house: House, button: str, medium: Medium) -> None:
    await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    assert (await house.slack.press(answer, button)).ok
    await house.quiet()
    assert [job.medium for job in house.queue.jobs] == [Medium.TEXT, medium]
    assert house.queue.jobs[0].turn_id == house.queue.jobs[1].turn_id
    for _ in range(2):  # a worker may be given the same job twice
        await house.work()
    [file] = house.slack.files
    assert (file.thread_ts, file.content) == (answer.thread_ts, b"moving and talking")
    assert answer.answer.strip() == WORDS
    assert answer.finished


async def test_only_what_was_agreed_to_can_be_pressed(house: House) -> None:
    await house.slack.command("U1", "with bob")
    await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    assert set(answer.actions) == {"feedback"}


async def test_somebody_elses_answer_is_not_spoken(house: House) -> None:
    await house.slack.mention("U1", "C1", "What is the engine?")
    answer = await house.work()
    await house.slack.press(answer, "hear", user="U2")
    await house.quiet()
    assert len(house.queue.jobs) == 1
    told = house.slack.called("chat.postEphemeral")[-1]
    assert told["user"] == "U2"
    assert "Only the person who asked" in told["text"]


async def test_feedback_is_kept(house: House) -> None:
    rated: list[tuple[UUID, str, int]] = []

    async def rate(answer_id: UUID, author: Author, value: int) -> None:
        rated.append((answer_id, author.external_id, value))

    house.conversations.rate = rate  # type: ignore[method-assign]
    await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    await house.slack.press(answer, "feedback", positive=True)
    await house.slack.press(answer, "feedback", positive=False)
    await house.quiet()
    mine = (await house.conversations.answer_to(house.queue.jobs[0].turn_id)) or pytest.fail("no answer")
    assert mine.role is Role.AVATAR
    assert rated == [(mine.id, "U1", 1), (mine.id, "U1", -1)]


async def test_a_press_that_fails_says_so(house: House) -> None:
    async def again(*_: Any) -> None:
        raise PartFailed("store", "gone")

    await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    house.app._receive.again = again  # type: ignore[method-assign]
    assert (await house.slack.press(answer, "hear")).ok
    await house.quiet()
    assert house.slack.said("DU1")[-1].text == slack_app.UNWELL


async def test_a_press_is_acknowledged_before_the_work(house: House) -> None:
    never = asyncio.Event()

    async def again(*_: Any) -> None:
        await never.wait()

    await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    house.app._receive.again = again  # type: ignore[method-assign]
    assert (await house.slack.press(answer, "hear")).ok, "the acknowledgement waited for the work"
    never.set()


async def test_the_stop_button_stops(house: House) -> None:
    asked = await house.slack.dm("U1", "What is the engine?")
    await house.quiet()
    await house.slack.press_stop("U1", "DU1", asked.ts)
    await house.quiet()
    assert house.stops == [(Address("slack", TEAM, "DU1", asked.ts), Author("slack", TEAM, "U1"))]
    assert house.slack.said("DU1")[-1].text == slack_app.STOPPED
    assert house.slack.sessions["DU1", asked.ts] == "active"


# --- orders and the App Home ------------------------------------------------------------------------------------


async def test_orders(house: House) -> None:
    assert "`reply text|voice|video`" in await house.slack.command("U1", "help")
    assert await house.slack.command("U1", "reply voice") == "From now on I answer you by voice."
    assert (await house.conversations.person(Author("slack", TEAM, "U1"))).medium is Medium.VOICE
    assert "by voice" in await house.slack.command("U1", "status")


async def test_an_order_cannot_smuggle_a_mention(house: House) -> None:
    assert "<!channel>" not in await house.slack.command("U1", "<!channel>")


async def test_the_app_home_says_what_this_is(house: House) -> None:
    await house.slack.open_home("U1")
    await house.quiet()
    text = json.dumps(house.slack.homes["U1"])
    for part in ("made by an AI", "Ada Lovelace", "Ada signed.", "Bob &lt;Engineer&gt;", "What it keeps"):
        assert part in text


async def test_choices_in_the_app_home_are_kept_and_shown(house: House) -> None:
    await house.slack.open_home("U1")
    await house.quiet()
    await house.slack.choose("U1", "choose_medium", "video")
    await house.quiet()
    await house.slack.choose("U1", "choose_persona", "bob")
    await house.quiet()
    person = await house.conversations.person(Author("slack", TEAM, "U1"))
    assert (person.medium, person.persona_id) == (Medium.VIDEO, "bob")
    menus = {b["accessory"]["action_id"]: b["accessory"] for b in house.slack.homes["U1"]["blocks"] if "accessory" in b}
    assert menus["choose_persona"]["initial_option"]["value"] == "bob"
    assert [option["value"] for option in menus["choose_medium"]["options"]] == ["text"], "Bob agreed to text only"


async def test_an_empty_conversation_suggests_questions(house: House) -> None:
    await house.slack.open_home("U1", tab="messages")
    await house.quiet()
    assert [each["message"] for each in house.slack.prompts["DU1"]] == list(ADA.suggestions)


async def test_slack_refused_nothing_that_the_app_asked(house: House) -> None:
    """The long way through, after which the strict Slack has no complaint."""
    asked = await house.slack.dm("U1", "What is the engine?")
    answer = await house.work()
    await house.slack.press(answer, "see")
    await house.slack.open_home("U1")
    await house.slack.open_home("U1", tab="messages")
    await house.slack.command("U1", "status")
    await house.app.surface.status(Address("slack", TEAM, "DU1", asked.ts), house.queue.jobs[0].turn_id, "done")
    await house.quiet()
    assert house.slack.refusals == []
    assert house.slack.sessions["DU1", asked.ts] == "active"


# --- Socket Mode ------------------------------------------------------------------------------------------------


@pytest.fixture
async def by_socket(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeSlack(retry_delays=(0.0,)) as slack, built(slack, tmp_path) as house:
        await house.app.socket_mode(slack.app_token)
        await slack.until(lambda: slack.connected)
        yield house
        await house.quiet()


async def test_socket_mode_carries_the_same(by_socket: House) -> None:
    slack = by_socket.slack
    await slack.dm("U1", "What is the engine?")
    assert await questions(by_socket) == ["What is the engine?"]
    answer = await by_socket.work()
    assert (await slack.press(answer, "hear")).ok
    assert "by text" in await slack.command("U1", "status")
    await by_socket.quiet()
    assert [job.medium for job in by_socket.queue.jobs] == [Medium.TEXT, Medium.VOICE]
    assert slack.refusals == []


async def test_socket_mode_sends_again_what_could_not_be_stored(by_socket: House) -> None:
    by_socket.slack.fail("auth.test", "internal_error")
    await by_socket.slack.dm("U1", "What is the engine?")
    assert [delivery.ok for _, delivery in by_socket.slack.deliveries] == [False, True]
    assert await questions(by_socket) == ["What is the engine?"]


async def test_a_line_that_breaks_is_made_again_and_closing_twice_is_harmless(by_socket: House) -> None:
    [line] = by_socket.slack._sockets
    await line.close()
    await by_socket.slack.until(lambda: by_socket.slack.connected and by_socket.slack._sockets[-1] is not line)
    await by_socket.slack.dm("U1", "What is the engine?")
    assert await questions(by_socket) == ["What is the engine?"]
    await by_socket.app.close()


async def test_without_a_signing_secret_nothing_is_taken_over_http(tmp_path: Path) -> None:
    async with (
        FakeSlack(signing_secret="") as slack,
        built(slack, tmp_path) as house,
        serving(house.app.handler) as url,
    ):
        slack.request_url = url
        assert (await slack.post(json.dumps({"type": "url_verification", "challenge": "x"}))).status == 404
