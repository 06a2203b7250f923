"""The connection to Slack's Web API: kept open, patient when told to slow down, its errors put into ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import PartFailed

API_URL = "https://slack.com/api/"
PATIENCE = 30.0
ATTEMPTS = 2

# Slack's own trouble, which passes; every other error code is about what was asked.
_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}


# Done twice, these are seen twice; when it is unclear whether Slack has done them, they are not sent again from here.
_SEEN = (
    *("chat.postMessage", "chat.postEphemeral", "chat.startStream", "chat.appendStream"),
    "files.completeUploadExternal",
)


class _ConnectionErrors(AsyncConnectionErrorRetryHandler):
    """Tries again after a broken connection, unless Slack may have done what was asked."""

    async def _can_retry_async(self, *, request: HttpRequest, error: Exception | None = None, **more: Any) -> bool:
        never_sent = isinstance(error, aiohttp.ClientConnectorError)
        if request.url.endswith(_SEEN) and not never_sent:
            return False
        return await super()._can_retry_async(request=request, error=error, **more)


class _ServerErrors(AsyncServerErrorRetryHandler):
    """Tries again after a 500 or 503, unless Slack may have done what was asked."""

    async def _can_retry_async(self, *, request: HttpRequest, **more: Any) -> bool:
        return not request.url.endswith(_SEEN) and await super()._can_retry_async(request=request, **more)


def wordless(name: str) -> logging.Logger:
    """A logger for the SDK, which on the level DEBUG would write down what people say. It never gets there."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    return logger


def make_client(token: str, api_url: str = API_URL) -> AsyncWebClient:
    """A client of Slack's Web API at `api_url`. It waits as long as `Retry-After` says, then tries again."""
    client = AsyncWebClient(
        token=token,
        base_url=api_url,
        logger=wordless(f"{__name__}.sdk"),
        retry_handlers=[
            AsyncRateLimitErrorRetryHandler(max_retry_count=ATTEMPTS),
            _ServerErrors(max_retry_count=ATTEMPTS),
            _ConnectionErrors(max_retry_count=ATTEMPTS),
        ],
    )
    if not api_url.startswith("https:"):
        client.proxy = None  # a stand-in on this machine is never behind the company's proxy
    return client


def session(client: AsyncWebClient) -> aiohttp.ClientSession:
    """The client's one HTTP session, opened when first needed: it must be opened inside the running loop."""
    if client.session is None or client.session.closed:
        client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
    return client.session


async def close(client: AsyncWebClient) -> None:
    """Let the connections go."""
    if client.session is not None:
        await client.session.close()


class SlackRefused(PartFailed):
    """Slack answered, and the answer was no. `code` is Slack's own, e.g. `not_in_channel`."""

    def __init__(self, method: str, error: SlackApiError) -> None:
        answer = error.response
        status = int(getattr(answer, "status_code", None) or getattr(answer, "status", 0) or 0)
        self.code = str(answer.get("error") or "no_code") if hasattr(answer, "get") else f"http_{status}"
        passing = self.code in _PASSING or status == 429 or status >= 500
        super().__init__("surface", f"{method}: {self.code}", retryable=passing)


@contextmanager
def failing_as_surface(method: str) -> Iterator[None]:
    """Errors of the SDK become PartFailed("surface"); the sentence names the method and the code, nobody's words."""
    try:
        yield
    except SlackApiError as error:
        raise SlackRefused(method, error) from error
    except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
        raise PartFailed("surface", f"{method}: {type(error).__name__}", retryable=True) from error
