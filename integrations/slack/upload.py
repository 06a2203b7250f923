"""A clip into a thread, once.

Slack's upload has three steps: ask for an address, send the bytes there, share the files. Only the last is seen. The
file ids are noted in the blob store beside the clip before the files are shared, so that whoever repeats the job asks
Slack whether they are there already.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientTimeout
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotFound, PartFailed
from bot.messages import Address, Answer, Clip, Medium
from bot.ports import BlobStore
from integrations.slack import translate
from integrations.slack.client import SlackRefused, failing_as_surface, session

SENDING = ClientTimeout(total=120)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a clip. `alt` is what a screen reader says instead."""

    key: str
    name: str
    title: str
    alt: str | None = None


class Uploads:
    """Shares clips; knows which ones it has shared."""

    def __init__(self, client: AsyncWebClient, blobs: BlobStore) -> None:
        self._client = client
        self._blobs = blobs

    async def share(self, address: Address, clip: Clip, answer: Answer) -> None:
        """Put the clip, with its captions when it has some, into the thread. Raises PartFailed."""
        session(self._client)
        mark = f"turns/{clip.turn_id}/slack-{address.channel}-{clip.medium.value}.json"
        if any([await self._is_shared(file_id, address.channel) for file_id in await self._noted(mark)]):
            return
        files = [{"id": await self._send(piece), "title": piece.title} for piece in pieces(clip, answer)]
        await self._note(mark, [file["id"] for file in files])
        with failing_as_surface("files.completeUploadExternal"):
            await self._client.files_completeUploadExternal(
                files=files,  # type: ignore[arg-type]
                channel_id=address.channel,
                thread_ts=address.thread or None,
                initial_comment=translate.clip_comment(clip, answer),
            )

    async def _send(self, piece: Piece) -> str:
        """Send one file's bytes; returns its file id. Nobody sees it yet."""
        try:
            path = await self._blobs.fetch(piece.key)
        except NotFound as gone:
            raise PartFailed("store", f"{piece.key} is not there") from gone
        content = await asyncio.to_thread(Path(path).read_bytes)
        with failing_as_surface("files.getUploadURLExternal"):
            place = await self._client.files_getUploadURLExternal(
                filename=piece.name, length=len(content), alt_txt=piece.alt
            )
        with failing_as_surface("upload"):
            async with session(self._client).post(
                place["upload_url"], data=content, timeout=SENDING, proxy=self._client.proxy
            ) as sent:
                if sent.status != 200:
                    raise PartFailed("surface", f"upload: http_{sent.status}", retryable=sent.status >= 500)
        return str(place["file_id"])

    async def _is_shared(self, file_id: str, channel: str) -> bool:
        try:
            with failing_as_surface("files.info"):
                info = (await self._client.files_info(file=file_id))["file"]
        except SlackRefused as refused:
            if refused.retryable:
                raise
            return False
        return channel in [*info.get("channels", ()), *info.get("groups", ()), *info.get("ims", ())]

    async def _noted(self, mark: str) -> list[str]:
        try:
            path = await self._blobs.fetch(mark)
        except NotFound:
            return []
        return list(json.loads(await asyncio.to_thread(Path(path).read_text)))

    async def _note(self, mark: str, file_ids: list[str]) -> None:
        async with _written(json.dumps(file_ids)) as path:
            await self._blobs.put(mark, path, "application/json")


def pieces(clip: Clip, answer: Answer) -> list[Piece]:
    """The files of a clip as Slack is to show them."""
    kind = "mp4" if clip.medium is Medium.VIDEO else "m4a"
    title = translate.clip_title(clip, answer)
    found = [Piece(clip.media_key, f"{answer.persona_id}.{kind}", title, translate.clip_alt(clip, answer))]
    if clip.captions_key:
        found.append(Piece(clip.captions_key, f"{answer.persona_id}.vtt", f"{title}: captions"))
    return found


@asynccontextmanager
async def _written(text: str) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        path = Path(folder, "mark.json")
        await asyncio.to_thread(path.write_text, text)
        yield str(path)
