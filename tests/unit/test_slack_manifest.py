"""The app manifest says what the code does: no event unheard, no scope too many, no method without its scope."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import integrations.slack
from integrations.slack.app import COMMAND, Slack
from integrations.slack.client import make_client
from integrations.slack.surface import SlackSurface
from tests.fakes.memory import MemoryBlobs
from tests.fakes.slack import MANIFEST
from tests.fakes.slack_rules import METHODS

# What an event or a feature needs besides the methods that are called.
NEEDED_FOR = {"message.im": "im:history", "app_mention": "app_mentions:read", "commands": "commands"}


@pytest.fixture
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return loaded


@pytest.fixture
def app() -> Slack:
    client, nothing = make_client("xoxb-x", "http://127.0.0.1:9/api/"), object()
    parts: dict[str, Any] = dict.fromkeys(("receive", "commands", "conversations", "personas", "clock"), nothing)
    surface = SlackSurface(client, MemoryBlobs())
    return Slack(client=client, signing_secret="s", surface=surface, default_persona="ada", **parts)


def called_methods() -> set[str]:
    """Every Web API method that the room calls, read from its source."""
    source = "\n".join(path.read_text() for path in Path(integrations.slack.__file__).parent.glob("*.py"))
    names = {name.replace(".", "_"): name for name in METHODS}
    called = set(re.findall(r"\b_?client\.([a-z]+_\w+)", source)) - {"base_url"}
    unknown = called - set(names)
    assert not unknown, f"the fake Slack does not know {unknown}"
    return {names[name] for name in called}


def test_every_event_that_is_heard_is_subscribed_and_no_other(manifest: dict[str, Any], app: Slack) -> None:
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(app.events)


def test_the_scopes_are_those_that_are_needed(manifest: dict[str, Any], app: Slack) -> None:
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    for method in called_methods():
        needed = METHODS[method].scopes
        assert not needed or scopes & set(needed), f"{method} needs one of {needed}"
    used = {NEEDED_FOR[event] for event in app.events if event in NEEDED_FOR} | {NEEDED_FOR["commands"]}
    used |= {METHODS[method].scopes[0] for method in called_methods() if METHODS[method].scopes}
    assert scopes == used


def test_the_order_and_the_addresses(manifest: dict[str, Any]) -> None:
    [command] = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    settings = manifest["settings"]
    addresses = {
        command["url"],
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
    }
    assert addresses == {"https://understudy.example.com/slack/events"}
    assert settings["interactivity"]["is_enabled"]
    assert settings["socket_mode_enabled"] is False


def test_it_is_an_agent_with_a_home_and_a_writable_messages_tab(manifest: dict[str, Any]) -> None:
    features = manifest["features"]
    assert features["agent_view"]["agent_description"]
    assert "assistant_view" not in features
    assert features["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_slack_takes_its_texts(manifest: dict[str, Any]) -> None:
    display = manifest["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert 174 <= len(display["long_description"]) <= 4000
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
