"""The lobby's routes. Rules of the business are in `bot`; here requests become calls and results become JSON."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import web

from bot import consent
from bot.commands import Commands
from bot.errors import NotFound
from bot.messages import Author, Conversation, Medium, Role, Turn
from bot.ports import BlobStore, Clock, Conversations, Personas, Published
from bot.receive import Receive
from integrations.web import translate
from integrations.web.following import Events, Following
from integrations.web.guard import Guard, NoSession
from integrations.web.sessions import Sessions
from integrations.web.translate import Json

STATIC = Path(__file__).parent / "static"
STATIC_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
REVALIDATE = "no-cache"
REMEMBERED = 60
NOT_HERE = "There is nothing here for you."


def make_web(
    receive: Receive,
    conversations: Conversations,
    personas: Personas,
    events: Events,
    blobs: BlobStore,
    secret: bytes,
    commands: Commands,
    clock: Clock,
    public_url: str,
    default_persona: str = "",
) -> "Lobby":
    """The lobby: add its `routes` to an application, and `close` it on shutdown."""
    sessions = Sessions(secret, secure=urlsplit(public_url).scheme == "https")
    parts = (receive, conversations, personas, events, blobs)
    return Lobby(*parts, sessions, Following(events), commands, clock, public_url, default_persona)


class Lobby:
    """Everything the page asks for. Each handler answers for the person of the cookie, and for nobody else."""

    def __init__(
        self,
        receive: Receive,
        conversations: Conversations,
        personas: Personas,
        events: Events,
        blobs: BlobStore,
        sessions: Sessions,
        following: Following,
        commands: Commands,
        clock: Clock,
        public_url: str,
        default_persona: str,
    ) -> None:
        self._receive = receive
        self._conversations = conversations
        self._personas = personas
        self._events = events
        self._blobs = blobs
        self._sessions = sessions
        self._following = following
        self._commands = commands
        self._clock = clock
        self._guard = Guard(public_url)
        self._default_persona = default_persona

    @property
    def routes(self) -> list[web.RouteDef]:
        """The routes, each behind the guard."""
        guarded = self._guard
        return [
            web.get("/", guarded(self.page)),
            web.get("/static/{file}", guarded(self.static)),
            web.get("/api/me", guarded(self.me)),
            web.put("/api/me", guarded(self.prefer)),
            web.post("/api/me", guarded(self.prefer)),
            web.get("/api/history", guarded(self.history)),
            web.post("/api/messages", guarded(self.message)),
            web.post("/api/commands", guarded(self.command)),
            web.get("/api/turns/{id}/events", guarded(self.follow)),
            web.post("/api/turns/{id}/again", guarded(self.again)),
            web.post("/api/turns/{id}/rating", guarded(self.rate)),
            web.get("/media/turns/{id}/{file}", guarded(self.media)),
            web.get("/personas/{persona}/portrait.jpg", guarded(self.portrait)),
        ]

    async def close(self) -> None:
        """End the open event streams, so that the server can stop."""
        await self._following.close()

    async def page(self, request: web.Request) -> web.StreamResponse:
        """GET / : the page.

        It sets no cookie: who follows a link from elsewhere comes without theirs (SameSite=Strict), and is not new.
        """
        response = _file(STATIC / "index.html")
        response.headers["Cache-Control"] = REVALIDATE
        return response

    async def static(self, request: web.Request) -> web.StreamResponse:
        """GET /static/<file> : one flat folder; nothing outside it has a name that matches."""
        path = STATIC / request.match_info["file"]
        if path.parent != STATIC or path.suffix not in STATIC_TYPES or not path.is_file():
            raise NotFound(NOT_HERE)
        response = _file(path)
        response.headers["Cache-Control"] = REVALIDATE
        return response

    async def me(self, request: web.Request) -> web.StreamResponse:
        """GET /api/me : the personas and what this person prefers; the first visit gives the browser its cookie."""
        author = self._sessions.author(request) or self._sessions.new()
        response = web.json_response(await self._me(author))
        self._sessions.remember(response, author)
        return response

    async def prefer(self, request: web.Request) -> web.StreamResponse:
        """PUT /api/me {medium?, persona?}"""
        author, sent = self._author(request), translate.body(await request.read())
        medium = translate.one_of(Medium, sent, "medium") if "medium" in sent else None
        persona = translate.words(sent, "persona") if "persona" in sent else None
        if persona is not None:
            await self._personas.get(translate.persona_id(persona))
        await self._conversations.prefer(author, medium=medium, persona_id=persona)
        return web.json_response(await self._me(author))

    async def history(self, request: web.Request) -> web.StreamResponse:
        """GET /api/history?persona= : what this person and this persona said here, oldest first."""
        author = self._author(request)
        asked = request.query.get("persona")
        published = await self._personas.get(translate.persona_id(asked) if asked else self._default_persona)
        turns = await self._conversations.recent(author, published.persona.id, translate.address(author), REMEMBERED)
        shown = [await self._exchange(*pair, published, author) for pair in translate.exchanges(turns)]
        return web.json_response({"persona": published.persona.id, "exchanges": shown})

    async def message(self, request: web.Request) -> web.StreamResponse:
        """POST /api/messages {id, persona, text, medium} : 202 with where to follow the answer."""
        author, sent = self._author(request), translate.body(await request.read())
        inbound = translate.to_inbound(sent, author, self._clock.now())
        turn = await self._receive.message(inbound)
        turn_id = turn.id if turn else await self._sent_before(inbound.text, author, inbound.persona_id)
        return _follow(turn_id)

    async def command(self, request: web.Request) -> web.StreamResponse:
        """POST /api/commands {text} : an order in words, e.g. `reply video`; the answer is plain text."""
        author, sent = self._author(request), translate.body(await request.read())
        said = await self._commands.run(author, translate.address(author), translate.words(sent, "text")[:200])
        return web.json_response({"text": said})

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """GET /api/turns/<question>/events : Server-Sent Events."""
        author = self._author(request)
        question, conversation = await self._own(request, author, Role.PERSON)

        async def settled() -> Json | None:
            answer = await self._conversations.answer_to(question.id)
            published = await self._personas.get(conversation.persona_id)
            exchange = await self._exchange(question, answer, published, author)
            return exchange if exchange["answer"] else None

        return await self._following.serve(request, question.id, settled)

    async def again(self, request: web.Request) -> web.StreamResponse:
        """POST /api/turns/<answer>/again {medium, mark} : the same words, heard or seen; follow the question again.

        An event `again` {medium, mark} goes ahead of everything that happens because of it.
        """
        author, sent = self._author(request), translate.body(await request.read())
        medium, mark = translate.one_of(Medium, sent, "medium"), translate.one_of(UUID, sent, "mark")
        answer, _ = await self._own(request, author, Role.AVATAR)
        assert answer.reply_to
        await self._events.publish(answer.reply_to, "again", {"medium": medium.value, "mark": str(mark)})
        await self._receive.again(answer.id, author, medium)
        return _follow(answer.reply_to)

    async def rate(self, request: web.Request) -> web.StreamResponse:
        """POST /api/turns/<answer>/rating {value} : 1, -1, or 0 to take it back."""
        author, sent = self._author(request), translate.body(await request.read())
        value = translate.rating(sent)
        answer, _ = await self._own(request, author, Role.AVATAR)
        await self._conversations.rate(answer.id, author, value)
        return web.json_response({"value": value})

    async def media(self, request: web.Request) -> web.StreamResponse:
        """GET /media/turns/<answer>/<file> : a recording, with ranges, for the person it was made for.

        Consent that has ended ends the showing of what was made under it.
        """
        name = request.match_info["file"]
        if name not in translate.MEDIA_FILES:
            raise NotFound(NOT_HERE)
        author = self._author(request)
        answer, conversation = await self._own(request, author, Role.AVATAR)
        published, medium = await self._personas.get(conversation.persona_id), translate.SHOWN_IN[name]
        consent.require(published.consents, medium, author, self._clock.now(), published.persona.name)
        path = Path(await self._blobs.fetch(f"turns/{answer.id}/{name}"))
        return web.FileResponse(path, headers={"Content-Type": translate.MEDIA_FILES[name]})

    async def portrait(self, request: web.Request) -> web.StreamResponse:
        """GET /personas/<id>/portrait.jpg : for those whom the person portrayed has agreed to be shown to."""
        author = self._author(request)
        published = await self._personas.get(translate.persona_id(request.match_info["persona"]))
        if not consent.allowed(published.consents, consent.Scope.FACE, author, self._clock.now()):
            raise NotFound(NOT_HERE)
        path = Path(await self._blobs.fetch(f"personas/{published.persona.id}/portrait.jpg"))
        return web.FileResponse(path, headers={"Content-Type": "image/jpeg", "Cache-Control": f"private, {REVALIDATE}"})

    def _author(self, request: web.Request) -> Author:
        if author := self._sessions.author(request):
            return author
        raise NoSession("I do not know this browser yet. Please load the page again.")

    async def _me(self, author: Author) -> Json:
        person, everyone = await self._conversations.person(author), await self._personas.all()
        return translate.me_json(person, everyone, self._default_persona, self._clock.now())

    async def _own(self, request: web.Request, author: Author, role: Role) -> tuple[Turn, Conversation]:
        """The turn in the address, if it is this person's; else it is as if it did not exist."""
        try:
            turn, conversation = await self._conversations.turn(UUID(request.match_info["id"]))
        except ValueError:
            raise NotFound(NOT_HERE) from None
        if turn.role is not role or not conversation.person.author.same(author):
            raise NotFound(NOT_HERE)
        return turn, conversation

    async def _exchange(self, question: Turn, answer: Turn | None, published: Published, author: Author) -> Json:
        clips = await self._conversations.clips(answer.id) if answer else []
        return translate.exchange_json(question, answer, clips, published, author, self._clock.now())

    async def _sent_before(self, text: str, author: Author, persona_id: str | None) -> UUID:
        """The page sent a question again because it never heard that it had arrived."""
        persona = persona_id or self._default_persona
        turns = await self._conversations.recent(author, persona, translate.address(author), REMEMBERED)
        for turn in reversed(turns):
            if turn.role is Role.PERSON and turn.text == text:
                return turn.id
        raise NotFound("I had this question before, and cannot find it any more. Please ask it anew.")


def _file(path: Path) -> web.FileResponse:
    return web.FileResponse(path, headers={"Content-Type": STATIC_TYPES[path.suffix]})


def _follow(turn_id: UUID) -> web.Response:
    return web.json_response({"turn_id": str(turn_id), "events": f"/api/turns/{turn_id}/events"}, status=202)
