"""ChatModel over an OpenAI-compatible server: vLLM in production, the embedded llama.cpp server by default."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    AsyncStream,
    AuthenticationError,
    PermissionDeniedError,
)
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from bot.errors import PartFailed
from bot.personas import Prompt

log = logging.getLogger(__name__)

_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Waits between tries while a server refuses connections or still loads its weights, in seconds."""

_FIRST_TOKEN_SECONDS = 60.0
"""The longest silence: a long prompt, read by a small machine that answers others at the same time."""

_WARM_SECONDS = 300.0


class OpenAIChatModel:
    """Streams completions. `base_url` ends in `/v1`; `key` may be empty where the server asks for none."""

    def __init__(self, base_url: str, model: str, key: str = "", *, silence: float = _FIRST_TOKEN_SECONDS) -> None:
        self._model = model
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=key or "none",
            max_retries=0,
            timeout=httpx.Timeout(silence, connect=3.0),
        )

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """The answer, in pieces as they are written. Raises PartFailed("model").

        Closing the iterator closes the connection, and the server stops writing.
        """
        response = await self._open(prompt)
        try:
            async for chunk in response:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield text
        except (APIError, httpx.HTTPError) as error:
            raise _translated(error) from error
        finally:
            await response.close()

    async def read(self, prompt: Prompt, slot: int | None = None) -> None:
        """Have the server read a prompt into its cache; `slot` says which one, on a server of ours.

        A failure is only logged: the first answer will be slower.
        """
        extra: dict[str, object] | None = None if slot is None else {"cache_prompt": True, "id_slot": slot}
        try:
            await self._request(prompt, 1, stream=False, extra_body=extra)
        except (APIError, httpx.HTTPError) as error:
            log.warning("a prompt was not read ahead", extra={"slot": slot, "error": type(error).__name__})

    async def check(self) -> None:
        """Raises PartFailed("model") unless the server is there and has its model loaded."""
        try:
            await self._client.models.list()
        except (APIError, httpx.HTTPError) as error:
            raise _translated(error) from error

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _open(self, prompt: Prompt) -> AsyncStream[ChatCompletionChunk]:
        for pause in (*_PAUSES, None):
            try:
                response = await self._request(prompt, prompt.max_tokens, stream=True)
                return cast("AsyncStream[ChatCompletionChunk]", response)
            except (APIError, httpx.HTTPError) as error:
                if pause is None or not _passing(error):
                    raise _translated(error) from error
            await asyncio.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def _request(self, prompt: Prompt, tokens: int, *, stream: bool, **more: Any) -> Any:
        return await self._client.chat.completions.create(
            model=self._model,
            messages=cast(
                "list[ChatCompletionMessageParam]", [{"role": m.role, "content": m.content} for m in prompt.messages]
            ),
            max_tokens=tokens,
            temperature=prompt.temperature,
            stream=stream,
            **more,
        )


def _passing(error: Exception) -> bool:
    """Whether another try in a moment may succeed: nobody listens yet, weights are loading, too many at once."""
    if isinstance(error, APITimeoutError):
        return False  # waiting was long enough already
    if isinstance(error, APIStatusError):
        return error.status_code in (429, 502, 503)
    return isinstance(error, APIConnectionError)


def _translated(error: Exception) -> PartFailed:
    """A vendor's error as ours. Its message is not passed on: it may quote the prompt."""
    if isinstance(error, APITimeoutError | httpx.TimeoutException):
        return PartFailed("model", "the model server was silent for too long", retryable=True)
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return PartFailed("model", "the model server does not accept the key (UNDERSTUDY_MODEL_KEY)")
    if isinstance(error, APIStatusError):
        status = error.status_code
        return PartFailed("model", f"the model server answered {status}", retryable=status == 429 or status >= 500)
    if isinstance(error, APIConnectionError | httpx.HTTPError):
        return PartFailed("model", "the model server cannot be reached", retryable=True)
    return PartFailed("model", "the model server broke off", retryable=True)
