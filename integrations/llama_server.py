"""The embedded chat-model server: llama.cpp's own HTTP server (OpenAI routes, streaming, batching) on a CPU."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from bot.errors import PartFailed

SLOTS = 4
SLOT_TOKENS = 2560
"""A persona, its exemplars, two notes, the history and the answer; the core's token budget stays below it."""

_PROMPT_CACHE_MIB = 1024
_MOST_THREADS = 8


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """What to serve and where. It answers 503 on every route until the weights are loaded."""

    weights: Path
    name: str
    port: int
    key: str = ""
    host: str = "127.0.0.1"
    verbose: bool = False
    kept: Path | None = None
    """Folder of the prompt caches that slots save and restore; None: none are kept."""

    def run(self, stop: threading.Event) -> object:
        """Serve until `stop` is set. Raises PartFailed("model") when the weights cannot be loaded or served.

        Returns the server, still alive: its end waits for whoever is being answered. Who is in a hurry keeps it
        and ends the process.
        """
        # libgomp's threads wait for each other by spinning. Beside a busy speech server or renderer on the same
        # cores that stalls the model (measured: 1.5 tokens/s instead of 12); a short spin costs nothing alone.
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
        try:
            import xllamacpp
        except ImportError as error:
            raise PartFailed(
                "model", f"llama.cpp cannot be loaded: {error} (libgomp1 is a package of the system)"
            ) from error
        params = xllamacpp.CommonParams()
        params.model.path = str(self.weights)
        params.model_alias = {self.name}
        params.hostnames, params.port = [self.host], self.port
        params.n_parallel, params.n_ctx = SLOTS, SLOTS * SLOT_TOKENS
        params.cont_batching = params.cache_prompt = params.cache_idle_slots = True
        # A request goes to the slot that shares the longest beginning with it; one that shares less than this with
        # any goes to the slot unused for longest, whose content is kept in memory and comes back when wanted.
        params.slot_prompt_similarity = 0.1
        params.cache_ram_mib = _PROMPT_CACHE_MIB
        if self.kept:
            self.kept.mkdir(parents=True, exist_ok=True)
            params.slot_save_path, params.endpoint_slots = f"{self.kept}/", True
        threads = max(1, min(len(os.sched_getaffinity(0)), _MOST_THREADS)) if hasattr(os, "sched_getaffinity") else 4
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads, cpu.poll = threads, 0
        params.n_threads_http = SLOTS * 2 + 2
        # No page but ours may talk to it, and ours does so through the gateway: no cross-origin grants, no own page.
        params.cors_origins, params.ui = "null", False
        params.api_keys = [self.key] if self.key else []
        params.verbosity = 3 if self.verbose else 1
        try:
            server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as error:
            raise PartFailed("model", f"the embedded server cannot serve {self.weights.name}: {error}") from error
        stop.wait()
        return server
