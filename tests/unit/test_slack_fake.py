"""The fake Slack says no where Slack says no; else the tests that rest on it would prove nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import TEAM, FakeSlack
from tests.fakes.slack_rules import METHODS

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as started:
        yield started


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url)


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


async def test_it_signs_as_slack_does(slack: FakeSlack) -> None:
    signed = slack.signature("a=b")
    assert SignatureVerifier(slack.signing_secret).is_valid_request("a=b", signed)
    assert not SignatureVerifier("another").is_valid_request("a=b", signed)


async def test_a_wrong_token(slack: FakeSlack) -> None:
    stranger = AsyncWebClient("xoxb-stranger", base_url=slack.api_url)
    assert await refused(stranger.auth_test()) == "invalid_auth"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "C1"}, "no_text"),
        ({"channel": "nowhere", "text": "x"}, "channel_not_found"),
        ({"channel": "C1", "text": "x", "thread_ts": "1.0"}, "thread_not_found"),
        ({"channel": "C1", "text": "x", "txet": "x"}, "invalid_arguments"),
        ({"channel": "C1", "text": 7}, "invalid_arguments"),
        ({"channel": "C1", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "C1", "markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"channel": "C1", "text": "x", "blocks": [SECTION] * 51}, "invalid_blocks"),
        ({"channel": "C1", "text": "x", "blocks": [{"type": "carton"}]}, "invalid_blocks"),
        ({"channel": "C1", "text": "x", "blocks": [{**SECTION, "colour": "red"}]}, "invalid_blocks"),
        ({"channel": "C1", "text": "x", "blocks": [{"type": "markdown", "text": "x" * 12_001}]}, "invalid_blocks"),
        ({"channel": "C1", "text": "x", "blocks": [{"type": "markdown", "text": "x" * 7000}] * 2}, "invalid_blocks"),
        (
            {"channel": "C1", "text": "x", "blocks": [{**SECTION, "text": {"type": "mrkdwn", "text": "x" * 3001}}]},
            "invalid_blocks",
        ),
    ],
)
async def test_messages_that_slack_does_not_take(client: AsyncWebClient, arguments: dict[str, Any], code: str) -> None:
    assert await refused(client.api_call("chat.postMessage", json=arguments)) == code


async def test_a_channel_it_is_not_in(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.not_in.add("C1")
    assert await refused(client.chat_postMessage(channel="C1", text="x")) == "not_in_channel"


async def test_what_it_has_no_scope_for(client: AsyncWebClient) -> None:
    assert "users:read" in METHODS["users.info"].scopes
    assert await refused(client.users_info(user="U1")) == "missing_scope"


async def test_a_method_it_does_not_know(client: AsyncWebClient) -> None:
    assert await refused(client.admin_users_list()) == "unknown_method"


async def test_streams(slack: FakeSlack, client: AsyncWebClient) -> None:
    asked = await slack.mention("U1", "C1", "Who?")
    nobody = client.chat_startStream(channel="C1", thread_ts=asked.ts)
    assert await refused(nobody) == "missing_recipient_user_id"
    known = {"recipient_user_id": "U1", "recipient_team_id": TEAM}
    started = await client.chat_startStream(channel="C1", thread_ts=asked.ts, **known)
    here = {"channel": "C1", "ts": str(started["ts"])}
    assert await refused(client.chat_update(**here, text="x")) == "streaming_state_conflict"
    assert await refused(client.chat_appendStream(**here, markdown_text="x" * 12_001)) == "msg_too_long"
    await client.chat_appendStream(**here, markdown_text="Me.")
    await client.chat_stopStream(**here)
    assert await refused(client.chat_appendStream(**here, markdown_text="x")) == "message_not_in_streaming_state"
    assert await refused(client.chat_stopStream(**here)) == "message_not_in_streaming_state"
    await client.chat_update(**here, text="Me!")


async def test_other_peoples_messages(slack: FakeSlack, client: AsyncWebClient) -> None:
    asked = await slack.dm("U1", "Who?")
    assert await refused(client.chat_update(channel=asked.channel, ts=asked.ts, text="x")) == "cant_update_message"


async def test_files(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert await refused(client.files_getUploadURLExternal(filename="a.mp4", length=0)) == "invalid_arguments"
    too_long = client.files_getUploadURLExternal(filename="a.mp4", length=1, alt_txt="x" * 1001)
    assert await refused(too_long) == "alt_txt_too_large"
    place = await client.files_getUploadURLExternal(filename="a.mp4", length=1)
    file: list[dict[str, str | None]] = [{"id": str(place["file_id"]), "title": "A"}]
    assert await refused(client.files_completeUploadExternal(files=file, channel_id="C1")) == "file_not_found"
    await client.files_upload_v2(channel="C1", content=b"moving", filename="b.mp4", title="B")
    assert [(each.title, each.content) for each in slack.files] == [("B", b"moving")]


async def test_failures_are_given_as_often_as_they_were_ordered(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.fail("auth.test", "internal_error", times=2)
    assert [await refused(client.auth_test()) for _ in range(2)] == ["internal_error"] * 2
    await client.auth_test()


async def test_an_app_that_does_not_answer_is_asked_again(slack: FakeSlack) -> None:
    slack.request_url = "http://127.0.0.1:9/slack/events"
    await slack.dm("U1", "Who?")
    assert [delivery.status for _, delivery in slack.deliveries] == [0, 0, 0, 0]


async def test_what_the_app_did_not_subscribe_to_is_not_delivered(slack: FakeSlack) -> None:
    slack.request_url = "http://127.0.0.1:9/slack/events"
    slack.subscribed.remove("app_mention")
    await slack.mention("U1", "C1", "Who?")
    assert slack.deliveries == []
