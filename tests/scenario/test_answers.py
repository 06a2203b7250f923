"""A question goes in at one end of the running product, and a written, spoken or filmed answer comes out at the other.

Real Postgres, Valkey, Celery, chat model, speech and face; the recordings are decoded, heard and looked at.
"""

import itertools
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from integrations.slack import translate
from tests.scenario.conftest import Running
from tests.scenario.hearing import heard, likeness, pictures, sound
from tests.scenario.people import Visitor

pytestmark = [pytest.mark.models, pytest.mark.timeout(400)]

ASKED = {
    "grace-hopper": "How long is a nanosecond of wire?",
    "jory-halvander": "When is the next town hall?",
}
PERSONAS = list(ASKED)


@pytest.fixture(scope="module")
def whisper(model_store: Any) -> Path:
    return Path(model_store.path("whisper-base"))


# --- the lobby ---


@pytest.mark.parametrize("persona", PERSONAS)
async def test_the_lobby_gets_a_written_answer_with_its_notes(understudy: Running, persona: str) -> None:
    async with Visitor(understudy.url) as visitor:
        told = await visitor.ask(ASKED[persona], persona=persona)
    assert told.answer["text"] and not told.answer["failed"]
    assert told.answer["citations"], "an answer says what it rests on"
    assert "AI" in told.answer["disclosure"]
    assert told.kinds.index("delta") < told.kinds.index("final") < told.kinds.index("done")
    assert told.streamed.split()[:3] == told.answer["text"].split()[:3]


@pytest.mark.parametrize("persona", PERSONAS)
async def test_the_lobby_gets_a_spoken_answer(understudy: Running, persona: str, whisper: Path) -> None:
    async with Visitor(understudy.url) as visitor:
        told = await visitor.ask(ASKED[persona], "voice", persona)
        assert told.clip and told.clip["medium"] == "voice", (told.answer, told.kinds)
        status, media = await visitor.get(told.clip["media"])
    assert status == 200
    assert likeness(told.answer["text"], heard(media, whisper)) > 0.75


@pytest.mark.parametrize("persona", PERSONAS)
async def test_the_lobby_gets_a_filmed_answer(understudy: Running, persona: str, whisper: Path) -> None:
    async with Visitor(understudy.url) as visitor:
        told = await visitor.ask(ASKED[persona], "video", persona)
        assert told.clip and told.clip["medium"] == "video", (told.answer, told.kinds)
        _, media = await visitor.get(told.clip["media"])
        _, poster = await visitor.get(told.clip["poster"])
        _, captions = await visitor.get(told.clip["captions"])
    assert likeness(told.answer["text"], heard(media, whisper)) > 0.75
    assert likeness(told.answer["text"], captions.decode()) == 1.0
    assert poster[:3] == b"\xff\xd8\xff"
    assert "filming" in told.stages
    frames = pictures(media)
    assert abs(len(frames) / 25 - len(sound(media, 24_000)) / 24_000) < 0.6
    moving = np.mean([np.abs(b.astype(int) - a).mean() for a, b in itertools.pairwise(frames)])
    assert moving > 0.05, "somebody moves"


async def test_an_answer_can_be_heard_and_seen_afterwards(understudy: Running) -> None:
    async with Visitor(understudy.url) as visitor:
        told = await visitor.ask("Who was Howard Aiken?")
        assert told.clip is None and told.answer["offers"] == ["voice", "video"]
        seen = await visitor.again(told, "video")
        assert seen.clip and seen.clip["medium"] == "video"


async def test_a_follow_up_is_understood_from_the_conversation(understudy: Running) -> None:
    async with Visitor(understudy.url) as visitor:
        await visitor.ask("Where did you earn your doctorate?")
        told = await visitor.ask("And when was that?")
    assert "1934" in " ".join([told.answer["text"], *(each["quote"] for each in told.answer["citations"])])


async def test_nobody_opens_what_was_made_for_another(understudy: Running) -> None:
    async with Visitor(understudy.url) as one, Visitor(understudy.url) as other:
        told = await one.ask("How long is a nanosecond of wire?", "voice")
        assert told.clip
        assert (await one.get(told.clip["media"]))[0] == 200
        assert (await other.get(told.clip["media"]))[0] == 404
        assert (await other.get(f"/api/turns/{told.turn_id}/events"))[0] == 404
        wanted = {"medium": "video", "mark": str(uuid4())}
        assert (await other.post(f"/api/turns/{told.answer['turn_id']}/again", wanted))[0] == 404


# --- Slack ---


async def test_slack_gets_a_written_answer_in_the_thread(understudy: Running) -> None:
    asked = await understudy.slack.dm("U1", ASKED["grace-hopper"])
    answer = await understudy.slack.answered(asked, within=90)
    assert answer.answer.strip() and answer.thread_ts == asked.ts
    assert "AI" in answer.shown
    assert {translate.HEAR, translate.SEE, translate.FEEDBACK} <= set(answer.actions)


@pytest.mark.parametrize(("user", "persona"), [("U2", "grace-hopper"), ("U3", "jory-halvander")])
async def test_slack_gets_a_spoken_and_a_filmed_answer(
    understudy: Running, user: str, persona: str, whisper: Path
) -> None:
    slack = understudy.slack
    assert "talk to" in await slack.command(user, f"with {persona}")
    assert "video" in await slack.command(user, "reply video")
    asked = await slack.dm(user, ASKED[persona])
    answer = await slack.answered(asked, within=90)
    clip = (await slack.uploaded(asked, within=240)).files[0]
    assert clip.name.endswith(".mp4") and pictures(clip.content)
    assert likeness(answer.answer, heard(clip.content, whisper)) > 0.75
    await slack.command(user, "reply voice")
    asked = await slack.dm(user, ASKED[persona])
    spoken = (await slack.uploaded(asked, within=240)).files[0]
    assert not spoken.name.endswith(".mp4") and len(sound(spoken.content, 16_000)) > 16_000


async def test_slack_see_it_uploads_the_clip_under_the_answer(understudy: Running) -> None:
    asked = await understudy.slack.dm("U4", "What did you do at Vassar?")
    answer = await understudy.slack.answered(asked, within=90)
    await understudy.slack.press(answer, translate.SEE, user="U4")
    clip = await understudy.slack.uploaded(asked, within=240)
    assert clip.files[0].name.endswith(".mp4")


async def test_slack_home_says_what_this_is(understudy: Running) -> None:
    await understudy.slack.open_home("U5")
    await understudy.slack.until(lambda: "U5" in understudy.slack.homes)
    shown = str(understudy.slack.homes["U5"])
    assert "AI" in shown and "Grace Hopper" in shown


# --- the shell ---


async def test_the_shell_gets_a_video_file(understudy: Running, tmp_path: Path) -> None:
    out = tmp_path / "answer.mp4"
    told = await understudy.asked(ASKED["grace-hopper"], "--medium", "video", "--out", str(out), "--as", "ada")
    assert told["clip"]["medium"] == "video" and pictures(out.read_bytes())
    assert told["citations"]


async def test_what_people_wrote_is_in_no_log(understudy: Running) -> None:
    canary = "flibbertigibbet"
    async with Visitor(understudy.url) as visitor:
        told = await visitor.ask(f"How long is a nanosecond of wire, you {canary}?")
    logs = [understudy.output, *understudy.data_dir.rglob("*.log")]
    assert len(logs) > 3
    for log in logs:
        text = log.read_text(errors="replace")
        assert canary not in text, log
        assert told.answer["text"][:60] not in text, log
