"""The prompt: what never changes first, what matters most beside the question, all of it within the budget."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.personas import PROMPT_TOKENS, REMINDER, Persona, Prompt, compose, prefix, tokens
from tests.unit.persona_samples import GRACE, NOTES, turn

MOTH, COBOL = NOTES["the-moth"], NOTES["cobol"]


def size(prompt: Prompt) -> int:
    """The estimated tokens of a whole prompt."""
    return sum(tokens(message.content) for message in prompt.messages)


def test_every_prompt_begins_with_the_same_bytes() -> None:
    fixed = prefix(GRACE).messages
    history = [turn("person", "Hello?"), turn("avatar", "Good day.")]
    for prompt in (compose(GRACE, [MOTH], [], "What moth?"), compose(GRACE, [COBOL, MOTH], history, "And COBOL?")):
        assert prompt.messages[: len(fixed)] == fixed


def test_the_notes_stand_beside_the_question_at_the_very_end() -> None:
    last = compose(GRACE, [MOTH, COBOL], [], "What moth?").messages[-1]
    assert last.role == "user"
    assert last.content.index("relay 70") < last.content.index("CODASYL") < last.content.index("What moth?")
    assert last.content.endswith(f"Question: What moth?\n{REMINDER}")


def test_exemplars_are_chat_turns_with_their_notes() -> None:
    messages = prefix(GRACE).messages
    assert [message.role for message in messages] == ["system", *["user", "assistant"] * len(GRACE.exemplars)]
    assert GRACE.exemplars[0].note in messages[1].content and messages[2].content == GRACE.exemplars[0].answer


def test_history_is_the_latest_that_fits_and_begins_with_a_question() -> None:
    history = [turn(("person", "avatar")[i % 2], f"{i}: " + "word " * 60) for i in range(20)]
    between = compose(GRACE, [MOTH], history, "And then?").messages[len(prefix(GRACE).messages) : -1]
    assert between and between[0].role == "user" and between[-1].content.startswith("19:")
    assert len(between) < len(history)


@given(st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 4_000), st.integers(0, 9))
def test_the_budget_holds_whatever_comes(note: int, answer: int, question: int, turns: int) -> None:
    notes = [replace(MOTH, text="fact " * (note // 5)), replace(COBOL, text="fact " * (note // 5))]
    history = [turn(("person", "avatar")[i % 2], "word " * (answer // 5)) for i in range(turns)]
    assert size(compose(GRACE, notes, history, "why " * (question // 4))) <= PROMPT_TOKENS


def test_the_persona_itself_leaves_room() -> None:
    assert size(prefix(GRACE)) < 1_000


def test_a_persona_without_exemplars_or_limits_has_a_prompt_too() -> None:
    bare = Persona("x", "Ann Other", "Head of Tea", "Calm", (), "v", "", "de", "AI", "the office")
    system = compose(bare, [], [], "Hm?").messages[0].content
    assert "Ann Other" in system and "the office" in system and "de" in system
    assert len(compose(bare, [], [], "Hm?").messages) == 2
