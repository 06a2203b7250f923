"""Slack's words to ours and back."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from bot.messages import Address, Answer, Author, Citation, Clip, Medium
from integrations.slack import translate
from tests.fakes.slack_rules import check_message_blocks

BOT = "U0BOT"


def body(**event: Any) -> dict[str, Any]:
    """An envelope around a direct message."""
    message = {"type": "message", "channel": "D1", "user": "U1", "text": "Hello", "ts": "1790000000.000100"}
    return {"event_id": "Ev1", "team_id": "T1", "event": {**message, **event}}


def answer(**more: Any) -> Answer:
    plain = {"turn_id": uuid4(), "question_id": uuid4(), "persona_id": "ada", "persona_name": "Ada", "text": "Yes."}
    return Answer(**{**plain, "disclosure": "I am an AI.", **more})


def test_a_direct_message() -> None:
    inbound = translate.to_inbound(body(), BOT)
    assert inbound is not None
    assert inbound.event_id == "Ev1"
    assert inbound.address == Address("slack", "T1", "D1", "1790000000.000100")
    assert inbound.author == Author("slack", "T1", "U1")
    assert inbound.text == "Hello"
    assert inbound.sent_at.isoformat() == "2026-09-21T14:13:20.000100+00:00"


def test_an_answer_in_a_thread_stays_in_the_thread() -> None:
    inbound = translate.to_inbound(body(thread_ts="1780000000.000001"), BOT)
    assert inbound is not None
    assert inbound.address.thread == "1780000000.000001"


@pytest.mark.parametrize(
    "event",
    [
        {"user": BOT},
        {"bot_id": "B1"},
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"text": "   "},
        {"text": None},
        {"user": None},
        {"text": f"<@{BOT}>", "type": "app_mention", "channel": "C1"},
        {"type": "message", "channel": "C1"},
        {"type": "app_mention", "channel": "D1"},
    ],
)
def test_what_is_no_question(event: dict[str, Any]) -> None:
    assert translate.to_inbound(body(**event), BOT) is None


@pytest.mark.parametrize(
    ("event", "enterprise", "tenant"),
    [
        ({"team": "T1"}, None, "T1"),
        ({"team": "T1", "user_team": "T9"}, None, "T9"),
        ({"user_team": "E1"}, "E1", "T1"),
        ({"user_team": "E9", "team": "E9"}, "E1", "E9"),
        ({}, None, "T1"),
    ],
)
def test_a_guest_belongs_to_the_workspace_they_come_from(
    event: dict[str, Any], enterprise: str | None, tenant: str
) -> None:
    inbound = translate.to_inbound({**body(**event), "enterprise_id": enterprise}, BOT)
    assert inbound is not None
    assert inbound.author.tenant == tenant
    assert inbound.address.tenant == "T1"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"<@{BOT}>: what is a compiler?", "what is a compiler?"),
        (f"<@{BOT}|understudy>, what?", "what?"),
        (f"Hey <@{BOT}> who are you?", "Hey who are you?"),
        ("Ask <@U2|ada> or <@U3>", "Ask @ada or @U3"),
        ("In <#C1|general>, not <#C2>", "In #general, not #C2"),
        (
            "See <https://example.com|the page> and <https://example.org>",
            "See the page (https://example.com) and https://example.org",
        ),
        ("<mailto:a@example.com|a@example.com>", "a@example.com"),
        ("<!here> and <!subteam^S1|@team>", "@here and @team"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        (":wave: hello", ":wave: hello"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_text_is_read_as_a_person_reads_it(text: str, read: str) -> None:
    assert translate.plain(text, BOT) == read


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_was_escaped_reads_as_it_was_written(text: str) -> None:
    assert translate.plain(translate.escape(text)) == translate.plain(translate.escape(text.strip()))
    if not any(each in text for each in ("  ", "\t")):
        assert translate.plain(translate.escape(text)) == text.strip()


@pytest.mark.parametrize("call", ["<!channel>", "<!everyone>", "<@U1>", "<#C1>"])
def test_a_model_cannot_call_anybody(call: str) -> None:
    assert call not in translate.harmless(f"Hello {call}!")
    assert call not in str(translate.answer_blocks(answer(text=call, notice=call, disclosure=call, persona_name=call)))


def test_the_label_is_always_there() -> None:
    for each in (answer(), answer(failed=True), answer(offers=tuple(Medium), notice="Sorry.")):
        text = str(translate.answer_blocks(each))
        assert "AI-generated" in text
        assert "I am an AI." in text


def test_buttons_are_what_is_offered() -> None:
    found = str(translate.tail_blocks(answer(offers=(Medium.VIDEO,))))
    assert "See it" in found
    assert "Hear it" not in found


def test_a_failure_offers_nothing() -> None:
    kinds = [block["type"] for block in translate.tail_blocks(answer(failed=True, offers=tuple(Medium)))]
    assert kinds == ["context"]


def test_a_button_leads_back_to_its_answer() -> None:
    mine = answer(offers=(Medium.VOICE,))
    values = [e["value"] for b in translate.tail_blocks(mine) if b["type"] == "actions" for e in b["elements"]]
    assert [translate.to_answer_id(value) for value in values] == [mine.turn_id]


@pytest.mark.parametrize(("value", "rating"), [("+1:", 1), ("-1:", -1)])
def test_a_rating_leads_back_to_its_answer(value: str, rating: int) -> None:
    turn_id = UUID(int=7)
    assert translate.to_answer_id(f"{value}{turn_id}") == turn_id
    assert translate.to_rating(f"{value}{turn_id}") == rating


def test_a_value_of_somebody_else_leads_nowhere() -> None:
    assert translate.to_answer_id("rm -rf") is None


citations = st.builds(Citation, *[st.text(max_size=3000)] * 5)
answers = st.builds(
    Answer,
    turn_id=st.uuids(),
    question_id=st.uuids(),
    persona_id=st.text(max_size=20),
    persona_name=st.text(max_size=4000),
    text=st.text(max_size=200) | st.text(min_size=1, max_size=10).map(lambda t: t * 3000),
    disclosure=st.text(max_size=4000),
    citations=st.lists(citations, max_size=60).map(tuple),
    offers=st.sets(st.sampled_from(Medium)).map(tuple),
    notice=st.text(max_size=4000),
    failed=st.booleans(),
)


@settings(deadline=None)
@given(answers)
def test_whatever_the_answer_slack_takes_its_blocks(final: Answer) -> None:
    blocks = translate.answer_blocks(final)
    check_message_blocks(blocks)
    for parsed in Block.parse_all(blocks):
        parsed.validate_json()


def test_who_pressed_where() -> None:
    payload = {
        "user": {"id": "U1", "team_id": "T1", "name": "ada"},
        "team": {"id": "T1"},
        "channel": {"id": "C1"},
        "container": {"channel_id": "C1", "thread_ts": "1.0"},
        "message": {"ts": "2.0", "thread_ts": "1.0"},
    }
    assert translate.to_author(payload) == Author("slack", "T1", "U1", "ada")
    assert translate.action_address(payload) == Address("slack", "T1", "C1", "1.0")


def test_who_ordered_where() -> None:
    payload = {"user_id": "U1", "user_name": "ada", "team_id": "T1", "channel_id": "C1"}
    assert translate.to_author(payload) == Author("slack", "T1", "U1", "ada")
    assert translate.command_address(payload) == Address("slack", "T1", "C1", "")


def test_a_clip_has_words_for_those_who_cannot_see_it() -> None:
    clip = Clip(uuid4(), Medium.VIDEO, "k", "video/mp4", 7.4)
    alt = translate.clip_alt(clip, answer(text="word " * 500))
    assert alt.startswith("A video of the AI avatar of Ada, 7 seconds, saying: word")
    assert len(alt) <= 1000
    assert "AI-generated" in translate.clip_title(clip, answer())
    assert "AI-generated" in translate.clip_comment(clip, answer())
