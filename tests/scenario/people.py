"""An employee at the lobby, with nothing but HTTP."""

import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import aiohttp


@dataclass
class Told:
    """Everything the page was told about one question."""

    turn_id: str
    kinds: list[str] = field(default_factory=list)
    streamed: str = ""
    stages: list[str] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    clip: dict[str, Any] | None = None


class Visitor:
    """One browser: its cookie is one person."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = aiohttp.ClientSession(
            url, cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Origin": url}, timeout=aiohttp.ClientTimeout(240)
        )

    async def __aenter__(self) -> Self:
        for path in ("/", "/api/me"):
            async with self._http.get(path) as response:
                assert response.status == 200
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def get(self, path: str) -> tuple[int, bytes]:
        async with self._http.get(path) as response:
            return response.status, await response.read()

    async def post(self, path: str, sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        async with self._http.post(path, json=sent) as response:
            return response.status, await response.json() if response.content_type == "application/json" else {}

    async def ask(self, text: str, medium: str = "text", persona: str = "grace-hopper") -> Told:
        """Ask and wait until everything is there."""
        sent = {"id": str(uuid4()), "text": text, "medium": medium, "persona": persona}
        status, taken = await self.post("/api/messages", sent)
        assert status == 202, taken
        return await self.follow(Told(taken["turn_id"]))

    async def again(self, told: Told, medium: str) -> Told:
        """Press Hear it or See it."""
        status, said = await self.post(
            f"/api/turns/{told.answer['turn_id']}/again", {"medium": medium, "mark": str(uuid4())}
        )
        assert status == 202, said
        return await self.follow(Told(told.turn_id), until="clip")

    async def follow(self, told: Told, until: str = "done") -> Told:
        kind = ""
        async with self._http.get(f"/api/turns/{told.turn_id}/events") as response:
            assert response.status == 200
            async for line in response.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    _take(told, kind, json.loads(value))
                elif not name and kind == until:
                    return told
        return told


def _take(told: Told, kind: str, data: dict[str, Any]) -> None:
    told.kinds.append(kind)
    if kind == "delta":
        told.streamed += data["text"]
    elif kind == "status":
        told.stages.append(data["stage"])
    elif kind == "final":
        told.answer = data
    elif kind == "clip":
        told.clip = data
