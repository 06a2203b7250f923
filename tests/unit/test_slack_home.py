"""The App Home, whatever stands behind it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.consent import Consent, Scope
from bot.messages import Author, Medium, Person
from bot.personas import Persona
from bot.ports import Published
from integrations.slack.home import chosen_persona, home_view
from tests.fakes.slack_rules import check_home

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ME = Author("slack", "T1", "U1")


def published(
    persona_id: str, *scopes: Scope, name: str = "Ada", audience: str = "everyone", days: int = 9
) -> Published:
    persona = Persona(persona_id, name, "Countess", "", (), "v", "", "en", "I am an AI.", "the archive")
    given_ = Consent(frozenset(scopes), "She signed.", frozenset({audience}), NOW, NOW + timedelta(days=days))
    return Published(persona, (given_,))


def person(medium: Medium = Medium.TEXT, persona_id: str | None = None) -> Person:
    return Person(uuid4(), ME, medium, persona_id)


def menus(view: dict[str, Any]) -> dict[str, Any]:
    return {b["accessory"]["action_id"]: b["accessory"] for b in view["blocks"] if "accessory" in b}


def test_it_offers_what_was_agreed_to_for_this_person() -> None:
    view = home_view([published("ada", Scope.TEXT, Scope.VOICE)], person(Medium.VIDEO), ME, "ada", NOW)
    check_home(view)
    medium = menus(view)["choose_medium"]
    assert [option["value"] for option in medium["options"]] == ["text", "voice"]
    assert medium["initial_option"]["value"] == "voice", "the nearest to what was wished"


def test_it_says_on_what_basis_and_until_when() -> None:
    text = str(home_view([published("ada", Scope.TEXT)], person(), ME, "ada", NOW))
    assert "She signed. (until 03 December 2026)" in text
    assert "made by an AI" in text


def test_a_consent_that_is_over_is_no_basis() -> None:
    view = home_view([published("ada", Scope.TEXT, days=9)], person(), ME, "ada", NOW + timedelta(days=10))
    assert "She signed." not in str(view)
    assert "has not agreed to answer you here" in str(view)


def test_nobody_to_talk_to() -> None:
    view = home_view([], person(), ME, "ada", NOW)
    check_home(view)
    assert "no persona has been loaded" in str(view)


def test_whom_one_talks_to() -> None:
    everyone = [published("ada"), published("bob")]
    assert chosen_persona(everyone, person(persona_id="bob"), "ada") is everyone[1]
    assert chosen_persona(everyone, person(persona_id="gone"), "ada") is everyone[0]
    assert chosen_persona(everyone, person(), "gone") is everyone[0]
    assert chosen_persona([], person(), "ada") is None


def test_somebody_far_down_the_list_can_be_chosen() -> None:
    everyone = [published(f"p{i}", Scope.TEXT) for i in range(120)]
    view = home_view(everyone, person(persona_id="p119"), ME, "p0", NOW)
    check_home(view)
    assert menus(view)["choose_persona"]["initial_option"]["value"] == "p119"


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=120), st.sampled_from(Medium))
def test_slack_takes_it_whatever_the_names(names: list[str], medium: Medium) -> None:
    everyone = [published(f"p{i}", *Scope, name=name) for i, name in enumerate(names)]
    last = everyone[-1].persona.id
    check_home(home_view(everyone, person(medium, last), ME, "p0", NOW))
