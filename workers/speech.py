"""`understudy speech`: the speech server as a process."""

import asyncio
import logging
import signal
from typing import TYPE_CHECKING

import click

from workers.settings import Settings, settings

if TYPE_CHECKING:
    from integrations.speech_engines import Engine

log = logging.getLogger(__name__)


@click.command("speech")
@click.option("--port", type=click.IntRange(0, 65535), help="Where to listen on loopback.")
def main(port: int | None) -> None:
    """Serve the speech engine on loopback until it is told to stop."""
    chosen = settings()
    engine = engine_of(chosen)
    failed = asyncio.run(_serve(engine, chosen, chosen.speech_port if port is None else port))
    if failed:
        raise SystemExit(f"The speech engine could not be loaded: {failed}")


def engine_of(chosen: Settings) -> "Engine":
    """The engine that the settings name. Raises Refused when it is not allowed or its files are missing."""
    from bot.errors import NotFound

    if chosen.speech_engine == "xtts":
        from integrations.speech_engines.xtts import XttsEngine

        if chosen.speech_xtts_dir is None:
            raise NotFound("UNDERSTUDY_SPEECH_XTTS_DIR must name the folder of the XTTS v2 weights.")
        voices = chosen.data_dir / "voices"
        return XttsEngine(chosen.speech_xtts_dir, voices, licence_accepted=chosen.coqui_licence_accepted)
    from integrations.models import ModelStore
    from integrations.speech_engines.kokoro import KokoroEngine

    store = ModelStore(chosen.cache_dir)
    return KokoroEngine(store.path("kokoro"), store.path("kokoro-voices"), threads=chosen.speech_threads)


async def _serve(engine: "Engine", chosen: Settings, port: int) -> BaseException | None:
    """Listen, load, and wait for a signal. Returns what went wrong in loading."""
    from aiohttp import web

    from integrations.speech_server import make_app
    from integrations.speech_server.keys import WARMING

    app = make_app(engine, chosen.speech_key.get_secret_value())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=3, handler_cancellation=True)
    await runner.setup()
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        warming = app[WARMING]
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({warming, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if warming.done() and not stop.is_set() and warming.exception():
            return warming.exception()
        if not stop.is_set():
            log.info("speech is ready", extra={"engine": engine.name, "port": port})
        await stop.wait()
        return None
    finally:
        await runner.cleanup()
