"""The App Home: what this is, who stands behind it, what it keeps, and how a person wants their answers. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot import consent
from bot.messages import Author, Medium, Person
from bot.ports import Published
from integrations.slack.translate import LONGEST_SECTION, Block, escape, shorten

CHOOSE_MEDIUM, CHOOSE_PERSONA = "choose_medium", "choose_persona"
MOST_PERSONAS = 40
LONGEST_OPTION = 75

NAMES = {Medium.TEXT: "Text", Medium.VOICE: "Voice", Medium.VIDEO: "Video"}

WHAT = (
    "Understudy answers questions on behalf of people who have agreed to it: in writing, and where they agreed to "
    "that too, in their voice and as a short film.\n"
    "*Everything it says is made by an AI.* It answers from notes that were written for it, names the notes under "
    "every answer, and says so when it does not know. It is not the person, and the person does not read along."
)
HOW = (
    "Write to it under *Messages*, or mention it in a channel it has been invited to; a follow-up in a channel thread "
    "needs the mention again. `/understudy help` lists what you can order."
)
KEEPS = (
    "*What it keeps*, on your company's own machines: your questions to it and its answers, the recordings of those "
    "answers, your thumbs up and down, and the two choices above. Nobody is answered from somebody else's "
    "conversation. *What it does not read:* anything that was not written to it. Slack keeps its own copy of what is "
    "said in Slack."
)


def home_view(
    personas: Sequence[Published], person: Person, author: Author, default_persona: str, now: datetime
) -> dict[str, Any]:
    """The view of this person's App Home tab."""
    chosen = chosen_persona(personas, person, default_persona)
    blocks = [_header("Talk to an avatar"), _section(WHAT), _section(HOW), {"type": "divider"}]
    blocks += [_header("Your answers"), *_choices(personas, chosen, person, author, now), {"type": "divider"}]
    blocks += [_header("Who stands behind it"), *(_who(each, author, now) for each in personas[:MOST_PERSONAS])]
    blocks += [{"type": "divider"}, _section(KEEPS)]
    return {"type": "home", "blocks": blocks}


def chosen_persona(personas: Sequence[Published], person: Person, default_persona: str) -> Published | None:
    """The persona this person talks to: the preferred one while it is there, else the default, else the first."""
    by_id = {each.persona.id: each for each in personas}
    return by_id.get(person.persona_id or "") or by_id.get(default_persona) or next(iter(personas), None)


def _choices(
    personas: Sequence[Published], chosen: Published | None, person: Person, author: Author, now: datetime
) -> list[Block]:
    if chosen is None:
        return [_section("Nobody can be talked to yet: no persona has been loaded.")]
    media = consent.offered(chosen.consents, author, now)
    others = [each for each in personas if each is not chosen][: MOST_PERSONAS - 1]
    names = [(each.persona.id, each.persona.name) for each in (chosen, *others)]
    blocks = [_select("*Whom* you talk to", CHOOSE_PERSONA, names, chosen.persona.id)]
    if media:
        options = [(medium.value, NAMES[medium]) for medium in media]
        current = max((each for each in media if each.rank <= person.medium.rank), default=media[0])
        blocks.append(_select("*How* it answers you", CHOOSE_MEDIUM, options, current.value))
    else:
        blocks.append(_section(f"{escape(chosen.persona.name)} has not agreed to answer you here."))
    return blocks


def _who(published: Published, author: Author, now: datetime) -> Block:
    """One persona: whose, on what basis, for what, until when."""
    persona = published.persona
    lines = [f"*{escape(persona.name)}*, {escape(persona.title)}", escape(persona.disclosure)]
    lines += [f"_Basis:_ {escape(each.basis)}{_until(each)}" for each in published.consents if each.live(now)]
    media = ", ".join(medium.value for medium in consent.offered(published.consents, author, now))
    lines.append(f"_Agreed to for you:_ {media or 'nothing at present'}")
    return _section("\n".join(lines))


def _until(given: consent.Consent) -> str:
    return f" (until {given.until:%d %B %Y})" if given.until else ""


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _section(mrkdwn: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": shorten(mrkdwn, LONGEST_SECTION)}}


def _select(mrkdwn: str, action_id: str, options: Sequence[tuple[str, str]], current: str) -> Block:
    shown = {
        value: {"text": {"type": "plain_text", "text": shorten(name, LONGEST_OPTION)}, "value": value}
        for value, name in options
    }
    choice = {
        "type": "static_select",
        "action_id": action_id,
        "options": list(shown.values()),
        "initial_option": shown[current],
    }
    return {**_section(mrkdwn), "accessory": choice}
