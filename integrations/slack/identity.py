"""Who the bot is in its workspace."""

from typing import Any

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_sdk.web.async_client import AsyncWebClient

from integrations.slack.client import failing_as_surface, session


class Identity(AsyncAuthorize):
    """The bot's own ids, asked of Slack once.

    A failure is raised, so that the event is answered with a 500 and Slack sends it again. Bolt's own way answers 200
    to an event that it could not authorize, and the event would be lost.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: AuthorizeResult | None = None

    @property
    def bot_user_id(self) -> str:
        """The bot's user id; "" before the first event."""
        return (self._known and self._known.bot_user_id) or ""

    async def __call__(self, **_: Any) -> AuthorizeResult:
        if self._known is None:
            session(self._client)
            with failing_as_surface("auth.test"):
                answer = await self._client.auth_test()
            self._known = AuthorizeResult(
                enterprise_id=answer.get("enterprise_id"),
                team_id=answer.get("team_id"),
                bot_user_id=answer.get("user_id"),
                bot_id=answer.get("bot_id"),
                bot_token=self._client.token,
            )
        return self._known
