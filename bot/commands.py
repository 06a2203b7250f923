"""What people can order in words, whatever surface carried it. Each command is defined once; help is made from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches

from bot import consent
from bot.errors import BadInput, Refused
from bot.messages import Address, Author, Medium
from bot.ports import Clock, Conversations, Personas, Published

MEDIA = "|".join(Medium)


@dataclass(frozen=True, slots=True)
class Command:
    """One order: its name, what stands behind it, what it does."""

    name: str
    arguments: str
    help: str
    run: Callable[[Author, str], Awaitable[str]]


class Commands:
    """The orders an employee can give."""

    def __init__(self, personas: Personas, conversations: Conversations, clock: Clock, default_persona: str) -> None:
        self._personas = personas
        self._conversations = conversations
        self._clock = clock
        self._default_persona = default_persona
        every = (
            Command("help", "", "what you can order here", self._help),
            Command("status", "", "who answers you, how, and what they agreed to", self._status),
            Command("reply", MEDIA, "how I answer you from now on", self._reply),
            Command("with", "NAME", "whom you talk to from now on", self._with),
        )
        self.every: dict[str, Command] = {command.name: command for command in every}

    async def run(self, author: Author, address: Address, text: str) -> str:
        """Carry out one order; the answer is a sentence or a short list for the person. Never raises Refused."""
        name, _, rest = text.strip().partition(" ")
        command = self.every.get(name.lower() or "help")
        if command is None:
            return self._unknown(name)
        try:
            return await command.run(author, rest.strip())
        except Refused as refusal:
            return str(refusal)

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name.lower(), self.every, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "`help` lists what I know."
        return f"I do not know the order `{name[:40]}`. {hint}"

    async def _help(self, author: Author, rest: str) -> str:
        lines = (f"`{c.name}{' ' if c.arguments else ''}{c.arguments}`: {c.help}" for c in self.every.values())
        return "You can order:\n" + "\n".join(f"• {line}" for line in lines)

    async def _status(self, author: Author, rest: str) -> str:
        person = await self._conversations.person(author)
        published = await self._published(person.persona_id)
        media = consent.offered(published.consents, author, self._clock.now())
        return (
            f"You talk to the AI avatar of {published.persona.name}, {published.persona.title}.\n"
            f"You get answers by {person.medium.value}. Available to you: {', '.join(media) or 'nothing at present'}.\n"
            f"Basis: {'; '.join(c.basis for c in published.consents) or 'none'}.\n"
            f"{published.persona.disclosure}"
        )

    async def _reply(self, author: Author, rest: str) -> str:
        try:
            medium = Medium(rest.lower())
        except ValueError:
            raise BadInput(f"Say how I should answer: `reply {MEDIA}`.") from None
        person = await self._conversations.person(author)
        published = await self._published(person.persona_id)
        consent.require(published.consents, medium, author, self._clock.now(), published.persona.name)
        await self._conversations.prefer(author, medium=medium)
        return f"From now on I answer you by {medium.value}."

    async def _with(self, author: Author, rest: str) -> str:
        everyone = [published.persona for published in await self._personas.all()]
        names = ", ".join(f"`{persona.id}` ({persona.name})" for persona in everyone)
        wanted = rest.lower()
        found = [p for p in everyone if wanted and (wanted == p.id or wanted in p.name.lower())]
        if len(found) != 1:
            raise BadInput(f"Say with whom: {names}.")
        await self._conversations.prefer(author, persona_id=found[0].id)
        return f"From now on you talk to the AI avatar of {found[0].name}."

    async def _published(self, preferred: str | None) -> Published:
        return await self._personas.get(preferred or self._default_persona)
