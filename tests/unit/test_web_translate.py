"""What the page sends becomes the core's types, or a sentence; what the core has becomes JSON."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent import Consent, Scope
from bot.errors import BadInput, NotFound
from bot.messages import Answer, Author, Citation, Clip, Medium, Person, Role, Turn, TurnState
from bot.personas import Persona
from bot.ports import Published
from integrations.web import translate
from integrations.web.guard import TooLong

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ME = Author("web", "local", "abc")
ID = "0b8e1d5c-5e3c-4d70-9f57-3d9a44c3b1aa"
PERSONA = Persona("ada", "Ada Example", "Chief", "", (), "v", "", "en-GB", "An AI.", "nobody", suggestions=("Why?",))


def published(*scopes: Scope) -> Published:
    return Published(PERSONA, (Consent(frozenset(scopes), "a test", frozenset({"everyone"}), NOW),))


def test_a_question_is_scoped_to_its_person() -> None:
    sent = {"id": ID, "persona": "ada", "text": "Why?\r\nSay it.", "medium": "video"}
    inbound = translate.to_inbound(sent, ME, NOW)
    other = translate.to_inbound(sent, replace(ME, external_id="xyz"), NOW)
    assert inbound.text == "Why?\nSay it."
    assert (inbound.persona_id, inbound.medium, inbound.author, inbound.sent_at) == ("ada", Medium.VIDEO, ME, NOW)
    assert inbound.event_id != other.event_id
    assert inbound.address != other.address


def test_what_was_not_chosen_is_left_to_the_preference() -> None:
    inbound = translate.to_inbound({"id": ID, "text": "Why?"}, ME, NOW)
    assert (inbound.persona_id, inbound.medium) == (None, None)


@pytest.mark.parametrize(
    "sent",
    [
        {"id": ID, "text": ""},
        {"id": ID, "text": " \n\x00 "},
        {"id": ID, "text": 7},
        {"id": ID},
        {"id": "1", "text": "Why?"},
        {"id": 5, "text": "Why?"},
        {"id": None, "text": "Why?"},
        {"text": "Why?"},
        {"id": ID, "text": "Why?", "medium": "smell"},
        {"id": ID, "text": "Why?", "medium": ["text"]},
        {"id": ID, "text": "Why?", "persona": 3},
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(sent: translate.Json) -> None:
    with pytest.raises(BadInput) as refused:
        translate.to_inbound(sent, ME, NOW)
    assert str(refused.value).endswith(".")


def test_too_long_says_how_long() -> None:
    translate.to_inbound({"id": ID, "text": "x" * 4_000}, ME, NOW)
    with pytest.raises(TooLong, match="4,001 characters; I can read 4,000"):
        translate.to_inbound({"id": ID, "text": "x" * 4_001}, ME, NOW)


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
def test_every_text_becomes_one_that_can_be_stored(text: str) -> None:
    kept = translate.words({"text": text}, "text")
    kept.encode("utf-8")
    assert "\x00" not in kept


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"null", b"\xff\xfe{}", b"[" * 100_000])
def test_a_body_that_is_no_object(raw: bytes) -> None:
    with pytest.raises(BadInput):
        translate.body(raw)


@pytest.mark.parametrize(("value", "fine"), [(1, True), (0, True), (-1, True), (2, False), (True, False), ("1", False)])
def test_ratings(value: object, fine: bool) -> None:
    if fine:
        assert translate.rating({"value": value}) == value
    else:
        with pytest.raises(BadInput):
            translate.rating({"value": value})


def test_a_persona_says_what_it_has_not_agreed_to() -> None:
    shown = translate.persona_json(published(Scope.TEXT, Scope.VOICE), ME, NOW)
    why = {each["medium"]: each["why_not"] for each in shown["media"]}
    assert why["text"] == why["voice"] == ""
    assert "Ada Example has not agreed to be shown" in why["video"]
    assert shown["portrait"] is None
    assert translate.persona_json(published(Scope.FACE), ME, NOW)["portrait"] == "/personas/ada/portrait.jpg"


def test_the_default_stands_first_and_a_persona_that_left_is_not_chosen() -> None:
    first = published(Scope.TEXT)
    second = Published(replace(PERSONA, id="grace"), first.consents)
    me = translate.me_json(Person(uuid4(), ME, persona_id="gone"), [first, second], "grace", NOW)
    assert me["persona"] == "grace"
    assert [each["id"] for each in me["personas"]] == ["grace", "ada"]
    assert translate.me_json(Person(uuid4(), ME), [], "grace", NOW)["persona"] is None


def test_an_answer_and_its_recording() -> None:
    answer_id, note = uuid4(), Citation("n", "Title", "Source", "1947", "Quote")
    shown = translate.answer_json(Answer(answer_id, uuid4(), "ada", "Ada", "Because.", "An AI.", (note,)))
    assert shown["citations"][0] == {
        "note_id": "n", "title": "Title", "source": "Source", "date": "1947", "quote": "Quote",
    }  # fmt: skip
    clip = Clip(answer_id, Medium.VOICE, f"turns/{answer_id}/answer.m4a", "audio/mp4", 2.5)
    sound = translate.clip_json(clip)
    assert sound["media"] == f"/media/turns/{answer_id}/answer.m4a"
    assert sound["poster"] is sound["captions"] is None
    assert translate.media_key(sound["media"]) == clip.media_key


def test_history_pairs_questions_with_their_answers() -> None:
    conversation = uuid4()
    question = Turn(uuid4(), conversation, Role.PERSON, "Why?", TurnState.ANSWERED, NOW)
    waiting = Turn(uuid4(), conversation, Role.PERSON, "And?", TurnState.ANSWERING, NOW, Medium.VIDEO)
    answer = Turn(uuid4(), conversation, Role.AVATAR, "So.", TurnState.ANSWERED, NOW, reply_to=question.id)
    half = Turn(uuid4(), conversation, Role.AVATAR, "", TurnState.ANSWERING, NOW, reply_to=waiting.id)
    pairs = translate.exchanges([question, answer, waiting, half])
    assert pairs == [(question, answer), (waiting, half)]
    done = translate.exchange_json(*pairs[0], [], published(*Scope), ME, NOW)
    assert done["answer"]["text"] == "So."
    assert UUID(done["answer"]["question_id"]) == question.id
    assert done["answer"]["offers"] == ["voice", "video"]
    assert translate.exchange_json(*pairs[1], [], published(*Scope), ME, NOW)["answer"] is None


def test_a_question_whose_answer_fell_out_of_the_window() -> None:
    answer = Turn(uuid4(), uuid4(), Role.AVATAR, "So.", TurnState.ANSWERED, NOW, reply_to=uuid4())
    assert translate.exchanges([answer]) == []


def test_history_leaves_out_what_is_no_longer_agreed_to() -> None:
    question = Turn(uuid4(), uuid4(), Role.PERSON, "Why?", TurnState.ANSWERED, NOW)
    answer = Turn(uuid4(), question.conversation_id, Role.AVATAR, "So.", TurnState.ANSWERED, NOW, reply_to=question.id)
    clips = [
        Clip(answer.id, Medium.VOICE, f"turns/{answer.id}/answer.m4a", "audio/mp4", 2.5),
        Clip(answer.id, Medium.VIDEO, f"turns/{answer.id}/answer.mp4", "video/mp4", 2.5),
    ]
    for scopes, media in ((set(Scope), ["voice", "video"]), ({Scope.TEXT, Scope.VOICE}, ["voice"]), ({Scope.TEXT}, [])):
        shown = translate.exchange_json(question, answer, clips, published(*scopes), ME, NOW)
        assert [clip["medium"] for clip in shown["clips"]] == media
        assert shown["answer"]["text"] == "So."


@pytest.mark.parametrize("sent", ["\x00", "ada\x00", "ada\n", "Ada", "-ada", "a/b", "..", "\ud800", "é", "a" * 65])
def test_what_cannot_be_the_id_of_a_persona(sent: str) -> None:
    with pytest.raises(NotFound):
        translate.persona_id(sent)
    with pytest.raises(NotFound):
        translate.to_inbound({"id": ID, "text": "Why?", "persona": sent}, ME, NOW)
    assert translate.persona_id("grace-hopper") == "grace-hopper"
