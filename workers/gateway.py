"""`understudy gateway`: the one door. The lobby, Slack's events, and whether all is well."""

import asyncio
import contextlib
import ipaddress
import logging
import signal
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import aiohttp
import click
from aiohttp import web

from bot.errors import BadInput, Refused
from workers.settings import Settings, settings

if TYPE_CHECKING:
    from workers.warming import Warming
    from workers.wiring import Wiring

log = logging.getLogger(__name__)


def check_host(host: str) -> None:
    """Refuse to listen beyond this machine: the lobby has no login yet. Raises BadInput."""
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise BadInput(
            f"The lobby has no login configured, so it listens on this machine only; {host} would let anybody in. "
            "Set UNDERSTUDY_HOST=127.0.0.1 and put a proxy that knows your people in front of it."
        )


def make_gateway(wiring: "Wiring") -> web.Application:
    """The gateway's application over the parts of this process."""
    from integrations.web.app import make_web
    from workers.warming import Warming

    lobby = make_web(
        receive=wiring.receive,
        conversations=wiring.conversations,
        personas=wiring.personas,
        events=wiring.events,
        blobs=wiring.blobs,
        commands=wiring.commands,
        clock=wiring.clock,
        secret=wiring.secret,
        public_url=wiring.settings.public_url,
        default_persona=wiring.settings.default_persona,
    )
    app = web.Application()
    app.cleanup_ctx.append(lambda _: _closing(wiring))
    app.add_routes(lobby.routes)
    app.on_shutdown.append(lambda _: lobby.close())
    _add_health(app, wiring, Warming(wiring))
    if wiring.settings.slack_bot_token.get_secret_value():
        _add_slack(app, wiring)
    return app


async def _closing(wiring: "Wiring") -> AsyncIterator[None]:
    yield
    await wiring.close()


def _add_health(app: web.Application, wiring: "Wiring", warming: "Warming") -> None:
    from workers.health import Health, checks

    found: list[Health] = []

    async def opened(_: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session, warming.running():
            found.append(Health(checks(wiring, warming, session)))
            yield

    async def healthz(_: web.Request) -> web.Response:
        parts = await found[0].report()
        well = all(state == "ok" for state in parts.values())
        return web.json_response({"ok": well, "parts": parts}, status=200 if well else 503)

    app.cleanup_ctx.append(opened)
    app.router.add_get("/healthz", healthz)


def _add_slack(app: web.Application, wiring: "Wiring") -> None:
    from integrations.slack.app import Slack

    current = wiring.settings
    if not (current.slack_signing_secret.get_secret_value() or current.slack_app_token.get_secret_value()):
        raise BadInput(
            "UNDERSTUDY_SLACK_BOT_TOKEN is set, but nothing says how Slack reaches us. Set "
            "UNDERSTUDY_SLACK_SIGNING_SECRET (events over HTTP) or UNDERSTUDY_SLACK_APP_TOKEN (Socket Mode); "
            "see docs/slack.md."
        )
    slack = Slack(
        client=wiring.slack_client,
        signing_secret=current.slack_signing_secret.get_secret_value(),
        surface=wiring.slack_surface,
        receive=wiring.receive,
        commands=wiring.commands,
        conversations=wiring.conversations,
        personas=wiring.personas,
        clock=wiring.clock,
        default_persona=current.default_persona,
    )

    async def connected(_: web.Application) -> AsyncIterator[None]:
        token = current.slack_app_token.get_secret_value()
        if token:
            await slack.socket_mode(token)
        yield
        await slack.close()

    app.cleanup_ctx.append(connected)
    if not current.slack_app_token.get_secret_value():
        app.router.add_post("/slack/events", slack.handler)


async def serve(current: Settings) -> None:
    """Listen until SIGTERM or SIGINT; then finish what is open and end."""
    from workers.wiring import Wiring

    runner = web.AppRunner(make_gateway(Wiring(current)), access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, current.host, current.port).start()
    except OSError as error:
        await runner.cleanup()
        raise Refused(
            f"Port {current.port} on {current.host} cannot be used: {error.strerror}. Set UNDERSTUDY_PORT."
        ) from None
    log.info("listening", extra={"port": current.port})
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await ended.wait()
    await runner.cleanup()


@click.command("gateway")
def main() -> None:
    """Serve the lobby and listen to Slack."""
    from workers.logs import set_up

    set_up(settings().log_level, as_json=settings().log_json)
    check_host(settings().host)
    asyncio.run(serve(settings()))
