"""`understudy model`: the embedded chat-model server as a process."""

import os
import signal
import threading

import click

from workers.settings import settings


@click.command("model")
@click.option("--lite", is_flag=True, help="Serve the 0.5B model.")
@click.option("--port", type=click.IntRange(0, 65535), help="Where to listen on loopback.")
def main(lite: bool, port: int | None) -> None:
    """Serve the embedded chat model on loopback until it is told to stop."""
    from integrations.llama_server import LlamaServer
    from integrations.models import ModelStore

    chosen = settings()
    name = "chat-0.5b" if lite or chosen.model_lite else "chat-1.5b"
    weights = ModelStore(chosen.cache_dir).path(name)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    server = LlamaServer(
        weights,
        chosen.model_name,
        chosen.model_port if port is None else port,
        chosen.model_key.get_secret_value(),
        verbose=chosen.log_level == "DEBUG",
        # A cache fits the weights it was made with, and no others.
        kept=chosen.data_dir.resolve() / "prompts" / weights.stem,
    )
    alive = server.run(stop)
    # Whoever is being answered asks again later; nothing here needs saving. `alive` must not be collected before.
    os._exit(0 if alive else 1)
