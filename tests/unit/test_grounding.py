"""Nothing is shown that the notes do not bear out."""

import pytest

from bot.claims import claims
from bot.grounding import ENOUGH_SENTENCES, Checker
from bot.notes import quoted
from bot.personas import Note
from tests.unit.persona_samples import GRACE, NOTES, turn

MOTH = NOTES["the-moth"]
QUESTION = "What was the moth?"


def run(text: str, question: str = QUESTION, notes: tuple[Note, ...] = (MOTH,), step: int = 3) -> tuple[str, Checker]:
    """What was shown while `text` came in, and the checker at the end."""
    checker = Checker(notes, question, GRACE)
    shown = ""
    for at in range(0, len(text), step):
        shown += checker.feed(text[at : at + step])
        if checker.done:
            break
    return shown + checker.finish(), checker


@pytest.mark.parametrize(
    "text",
    [
        "Operators of the Mark II found it in relay 70, on panel F.",
        "That was on the ninth of September, nineteen forty-seven.",
        "It was at Harvard in September 1947, in the forties.",
        "I did not find it myself. I only told the story, for decades.",
        "The logbook is in the Smithsonian now, in the National Museum of American History.",
        "Well, I loved that story! They wrote “First actual case of bug being found”.",
        "It's a good one. I'd tell it to anybody.",
    ],
)
def test_what_stands_in_the_notes_passes_whole(text: str) -> None:
    shown, checker = run(text)
    assert shown == text == checker.text
    assert checker.ungrounded is None


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("It was found in 1945.", "1945"),
        ("We found it in relay 71 of the Mark II.", "71"),
        ("That was in nineteen forty-six, I believe.", "nineteen forty-six"),
        ("There were twenty-three moths.", "twenty-three"),
        ("It took a millionth of a second.", "millionth"),
        ("It was found on the Mark III.", "Mark III"),
        ("It flew in from Boston that night.", "Boston"),
        ("I showed it to Alan Turing himself.", "Alan Turing"),
        ("UNIVAC had it first.", "UNIVAC"),
        ("John Mauchly found it.", "John Mauchly"),
        ("It happened in the 1950s.", "1950s"),
        ("As an AI language model, I cannot say.", "As an AI"),
        ("Hopper told the story for decades.", "Hopper told"),
    ],
)
@pytest.mark.parametrize("step", [1, 4, 1_000])
def test_what_does_not_is_never_shown_and_the_note_is_quoted(text: str, term: str, step: int) -> None:
    shown, checker = run(text, step=step)
    assert checker.ungrounded is not None and checker.ungrounded.startswith(term)
    assert term.split()[0] not in shown.split("“")[0]
    assert checker.text == quoted(MOTH, QUESTION)
    assert shown.endswith(checker.text)


def test_a_later_sentence_that_fails_gives_way_to_the_quotation() -> None:
    shown, checker = run("It was caught in relay 70. Bill Gates took it out. That was funny.")
    assert shown == checker.text
    assert shown.startswith("It was caught in relay 70. ") and "Gates" not in shown and "“" in shown


def test_a_beginning_is_shown_word_by_word_as_soon_as_it_is_safe() -> None:
    checker = Checker((MOTH,), QUESTION, GRACE)
    assert checker.feed("They taped the insect into the logbook, beside the wor") == (
        "They taped the insect into the logbook, beside the"
    )
    assert checker.feed("ds of Sept") == " words of"
    assert checker.feed("ember ") == ""
    assert checker.feed("1947 so") == " September 1947"


def test_what_only_the_question_says_may_be_denied_but_not_affirmed() -> None:
    question = "Did you find the moth with Alan Turing in 1950?"
    shown, checker = run("No, Turing was not there, and it was not in 1950.", question)
    assert checker.ungrounded is None and "Turing" in shown
    shown, checker = run("I found it with Turing.", question)
    assert checker.ungrounded == "Turing" and "Turing" not in shown


def test_an_earlier_answer_may_be_drawn_on() -> None:
    history = [turn("person", "Who?"), turn("avatar", "That was Richard Bloch.", NOTES["third-programmer"])]
    checker = Checker((MOTH,), "Was he there?", GRACE, history)
    assert (checker.feed("I do not know whether Richard Bloch was there.") + checker.finish()).endswith("there.")
    assert checker.ungrounded is None


def test_a_note_told_to_the_reader_as_if_about_the_reader_is_quoted_instead() -> None:
    aiken = (NOTES["reporting-to-aiken"],)
    told = "He pointed at the machine, and gave you a week to learn how to program it."
    assert run(told, "What did Aiken say?", aiken)[1].ungrounded is not None
    assert run(told.replace("you", "me"), "What did Aiken say?", aiken)[1].ungrounded is None
    assert run("You see, he gave me a week to learn it.", "What did Aiken say?", aiken)[1].ungrounded is None
    assert run("They asked you to return for six months.", notes=(NOTES["retired-and-recalled"],))[1].ungrounded
    assert run("It was a language that Hopper and her team began.", notes=(NOTES["flow-matic"],))[1].ungrounded
    young = "Training young people. They came to her and asked whether she thought that they could do something."
    assert "came to her" not in run(young, notes=(NOTES["young-people"],))[1].text.split("“")[0]
    assert run("I kept the name Hopper for the rest of my life.", notes=(NOTES["marriage"],))[1].ungrounded is None
    assert run("I became Rear Admiral Hopper in 1985.", notes=(NOTES["promotions"],))[1].ungrounded is None


@pytest.mark.parametrize(
    "claim",
    ["Yes, this is Admiral Hopper.", "I am Grace Hopper, in person.", "I'm a real person.", "I am really alive."],
)
def test_nobody_claims_to_be_the_person(claim: str) -> None:
    shown, checker = run(claim)
    assert checker.ungrounded is not None
    assert claim.rstrip(".") not in shown


def test_irregular_verbs_are_told_to_the_reader_too() -> None:
    told = "She taught mathematics at Vassar for twelve years, and she liked it."
    note = Note("n", "grace-hopper", "Vassar", told, "a book", "1931")
    _, checker = run("You taught mathematics at Vassar for twelve years.", "What did you do?", (note,))
    assert checker.ungrounded is not None
    back = (NOTES["retired-and-recalled"],)
    assert run("Because she was too old.", "Why did the Navy call you back?", back)[1].text == quoted(
        back[0], "Why did the Navy call you back?"
    )
    assert run("She was commissioned in 1997.", "When was she commissioned?", (NOTES["uss-hopper"],))[0].startswith(
        "She"
    )


def test_a_false_number_in_the_question_is_not_agreed_to() -> None:
    wire = (NOTES["nanosecond"],)
    shown, checker = run("Yes, it was. It was cut from a telephone cable.", "It was 25 inches long, wasn't it?", wire)
    assert "Yes" not in shown and checker.text == quoted(wire[0], "It was 25 inches long, wasn't it?")
    assert run("No, it was 11.8 inches long.", "It was 25 inches long, wasn't it?", wire)[1].ungrounded is None
    assert run("Yes, it was.", "It was 11.8 inches long, wasn't it?", wire)[0] == "Yes, it was."


def test_fluent_talk_that_rests_on_nothing_is_made_up() -> None:
    oxen, asked = (NOTES["ox-teams"],), "Why do you compare computers with oxen?"
    made_up = "Because they are both machines that do work, and they both need to be kept moving."
    assert run(made_up, asked, oxen)[1].text == quoted(NOTES["ox-teams"], asked)
    begun = "When one ox could not budge a log they did not try to grow a larger ox; they used two."
    assert run(f"{begun} It is a fundamental principle of modern technology.", asked, oxen)[0] == begun
    assert run("I don't know that. Ask the Naval History and Heritage Command.", asked, oxen)[1].ungrounded is None


def test_debris_of_a_model_is_taken_out() -> None:
    assert run("Grace Hopper: It was in relay 70.")[0] == "It was in relay 70."
    assert run("**It** was in `relay` 70.\n\n## More")[1].text.startswith("It was in relay 70.")
    assert run("Answer: (smiling) It was in relay 70.")[1].text == "It was in relay 70."


def test_a_model_in_circles_is_stopped() -> None:
    shown, checker = run("I told that story often. " * 9)
    assert shown == "I told that story often." and checker.done
    assert run("It was a moth and it was a moth and it was a moth and it was a moth and it was a moth.")[1].text != ""


def test_an_answer_that_is_cut_off_ends_at_its_last_whole_sentence() -> None:
    assert run("It was caught in relay 70. They taped it into the")[0] == "It was caught in relay 70."
    assert run("They taped the insect into")[0] == "They taped the insect into …"


def test_an_answer_does_not_go_on_reciting() -> None:
    shown, checker = run("I saw it. I liked it. They taped it. We kept it. You know it. The end.")
    assert shown.count(".") == ENOUGH_SENTENCES and checker.done


def test_silence_becomes_a_quotation() -> None:
    shown, checker = run("")
    assert "“" in shown and checker.text == shown


def test_a_quotation_is_the_part_that_meets_the_question() -> None:
    assert "logbook" in quoted(MOTH, "What did they write in the logbook?")
    assert "Smithsonian" in quoted(MOTH, "In which museum is it now, at the Smithsonian?")


def test_german_nouns_are_not_taken_for_names() -> None:
    from dataclasses import replace

    checker = Checker((MOTH,), "Was war das?", replace(GRACE, language="de"))
    assert checker.feed("Das war eine Motte in einem Relais, im Jahr 1947. ") + checker.finish()
    assert checker.ungrounded is None


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("one hundred and five", ["105"]),
        ("seventy-nine years", ["79"]),
        ("two thousand", ["2000"]),
        ("nineteen fifty-two", ["1952"]),
        ("11.8 inches, 1,000 feet", ["11.8", "1000"]),
        ("the 9th and the 1940s", ["9", "1940s"]),
        ("no one", []),
    ],
)
def test_numbers_are_read_in_figures_and_in_words(text: str, keys: list[str]) -> None:
    assert [key for claim in claims(text) for key in claim.keys] == keys
