"""`understudy up`: everything on this machine as one program in the foreground."""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from bot.errors import BadInput, Busy, UnderstudyError
from workers.console import Terminal
from workers.settings import Settings, settings
from workers.supervisor import Child, DoesNotStart, Supervisor

if TYPE_CHECKING:
    import aiohttp

    from workers.embedded import EmbeddedServer

COMMAND = (sys.executable, "-m", "workers.cli")
NICE = {"clips": 5}
"""On a small machine what is being filmed must not slow down what is being written."""
LAST = {"speech", "model"}
"""They are ended last: an answer that is being given needs them until it is done."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LEAST_FREE = 500_000_000
READY_SECONDS = 300.0
WATCH_SECONDS = 1.0


@click.command("up")
@click.option("--lite", is_flag=True, help="Take the 0.5B chat model: for a small machine.")
@click.option("--host", default=None, help="Where the gateway listens. Only loopback, as there is no login yet.")
@click.option("--port", type=click.IntRange(0, 65535), default=None, help="Where the gateway listens; 0: any free one.")
def main(lite: bool, host: str | None, port: int | None) -> None:
    """Start everything on this machine and print one address. Ctrl-C ends it all."""
    chosen = _chosen(settings(), lite, host, port)
    from workers.gateway import check_host

    check_host(chosen.host)
    with _quiet_interrupt(), _only_one(chosen):
        _check_ports(chosen)
        _check_disk(chosen)
        _fetch(chosen)
        while _once(chosen):
            pass
    click.echo("Everything has ended; nothing is lost. Start again with the same command.")


class _ServerDied(UnderstudyError):
    """An embedded server ended by itself."""


def _chosen(given: Settings, lite: bool, host: str | None, port: int | None) -> Settings:
    changes: dict[str, object] = {"data_dir": given.data_dir.resolve(), "cache_dir": given.cache_dir.resolve()}
    if lite:
        changes["model_lite"] = True
    if host is not None:
        changes["host"] = host
    if port is not None:
        changes["port"] = port or _free_port()
    return given.model_copy(update=changes)


# --- before anything starts ---------------------------------------------------------------------------------------


@contextmanager
def _only_one(chosen: Settings) -> Iterator[None]:
    """One `up` a data directory; the kernel lets go of the lock however we die."""
    try:
        chosen.data_dir.mkdir(parents=True, exist_ok=True)
        lock = (chosen.data_dir / "up.lock").open("a+")
    except OSError as error:
        raise BadInput(f"The data directory {chosen.data_dir} cannot be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Busy(
                f"Understudy is already running on {chosen.data_dir}: {lock.read().strip() or 'it is just starting'}. "
                "Stop that one with Ctrl-C, or set UNDERSTUDY_DATA_DIR and UNDERSTUDY_PORT for a second one."
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(_address(chosen))
        lock.flush()
        yield


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    """Ctrl-C while things are being fetched or prepared ends us as quietly as later."""
    _interruptible()
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nStopped. What was fetched is kept.")
        sys.exit(0)


def _interruptible() -> None:
    """Being told to end, and losing the terminal, are the same as Ctrl-C."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupted)


def _patiently() -> None:
    """From here on only the databases are still to be ended, and they must not be interrupted."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _check_ports(chosen: Settings) -> None:
    wanted = [("the gateway", chosen.host, chosen.port, "UNDERSTUDY_PORT (or --port)")]
    if not chosen.model_url:
        wanted.append(("the chat-model server", "127.0.0.1", chosen.model_port, "UNDERSTUDY_MODEL_PORT"))
    if not chosen.speech_url:
        wanted.append(("the speech server", "127.0.0.1", chosen.speech_port, "UNDERSTUDY_SPEECH_PORT"))
    for who, host, port, setting in wanted:
        if not port_is_free(host, port):
            raise Busy(f"Port {port}, which {who} needs, is taken by another program. Choose another with {setting}.")


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that are winding down are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check_disk(chosen: Settings) -> None:
    free = shutil.disk_usage(chosen.data_dir).free
    if free < LEAST_FREE:
        raise Busy(
            f"Only {free / 1e6:,.0f} MB are free in {chosen.data_dir}; clips and history need {LEAST_FREE / 1e6:,.0f}. "
            "Make room, or name another place in UNDERSTUDY_DATA_DIR."
        )


def _fetch(chosen: Settings) -> None:
    from integrations.models import ModelStore, needed
    from workers.models_cli import fetch_with_progress

    names = needed(lite=chosen.model_lite, own_model=not chosen.model_url, own_speech=not chosen.speech_url)
    fetch_with_progress(ModelStore(chosen.cache_dir), names)


# --- servers, data, children --------------------------------------------------------------------------------------


def _once(chosen: Settings) -> bool:
    """Run everything until it is told to stop. True when an embedded server died and all should start again."""
    _interruptible()
    with ExitStack() as stack:
        servers, located = _start_servers(chosen, stack)
        _prepare(located)
        try:
            asyncio.run(_run(located, servers))
        except ExceptionGroup as group:
            failed = group.exceptions[0]
            if not isinstance(failed, _ServerDied):
                raise failed from None
            click.secho(f"{failed} Starting everything again.", fg="yellow", bold=True)
            return True
        finally:
            _patiently()
        return False


def _start_servers(chosen: Settings, stack: ExitStack) -> tuple[dict[str, "EmbeddedServer"], Settings]:
    """Start what no address is given for; the settings with every address filled in."""
    from workers.embedded import start_postgres, start_valkey
    from workers.wiring import located

    servers: dict[str, EmbeddedServer] = {}
    addresses: dict[str, str] = {}
    for name, setting, start in (
        ("Postgres", "database_url", start_postgres),
        ("Valkey", "queue_url", start_valkey),
    ):
        if not getattr(chosen, setting):
            click.echo(f"Starting {name} ...")
            servers[name] = stack.enter_context(start(chosen.data_dir))
            addresses[setting] = servers[name].url
    return servers, located(chosen.model_copy(update=addresses))


@click.command("prepare")
def prepare() -> None:
    """Bring the tables to the newest schema, and load every persona. Run it before the processes start."""
    from workers.migrations_cli import upgrade
    from workers.persona_cli import load_all
    from workers.wiring import located

    here = located(settings())
    upgrade(here.database_url)
    click.echo(f"The tables are up to date. Loaded: {', '.join(asyncio.run(load_all(here)))}.")


def _prepare(here: Settings) -> None:
    """`understudy prepare` in a process of its own: what enrols a face stays out of ours."""
    click.echo("Preparing tables and personas ...")
    log = here.data_dir / "logs" / "prepare.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        done = subprocess.run(  # noqa: S603
            [*COMMAND, "prepare"],
            env={**os.environ, **_environment(here)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        said = log.read_text().strip() or "it said nothing"
        last = said.splitlines()[-1].removeprefix("understudy: ")
        raise DoesNotStart(f"{last.removesuffix('.')}. (All that was said: {log})")


def children(located: Settings, given: Settings) -> tuple[Child, ...]:
    """The processes of this machine, those that work for the others to be ended after them."""
    wanted = {
        "gateway": ["gateway"],
        "replies": ["replies"],
        "clips": ["replies", "--queue", "clips"],
        "upkeep": ["upkeep"],
        "speech": [] if given.speech_url else ["speech"],
        "model": [] if given.model_url else ["model"],
    }
    environment = _environment(located)
    return tuple(
        Child(name, (*COMMAND, *command), environment, nice=NICE.get(name, 0), tier=int(name in LAST))
        for name, command in wanted.items()
        if command
    )


def _environment(located: Settings) -> dict[str, str]:
    """What `up` decided, as the variables that its children read."""
    fields = "data_dir cache_dir database_url queue_url host port public_url model_url model_lite speech_url"
    return {f"UNDERSTUDY_{name.upper()}": str(getattr(located, name)) for name in fields.split()}


async def _run(located: Settings, servers: dict[str, "EmbeddedServer"]) -> None:
    family = children(located, settings())
    terminal = Terminal(tuple(child.name for child in family))
    supervisor = Supervisor(family, located.data_dir / "logs", terminal.line, terminal.say)
    stop = asyncio.Event()
    _listen_to_signals(stop, supervisor, terminal)
    async with asyncio.TaskGroup() as tasks:
        others = [
            tasks.create_task(_announce(located, supervisor, terminal)),
            tasks.create_task(_watch_servers(servers, supervisor, terminal)),
        ]
        await supervisor.run(stop)
        for task in others:
            task.cancel()


def _listen_to_signals(stop: asyncio.Event, supervisor: Supervisor, terminal: Terminal) -> None:
    def told() -> None:
        if stop.is_set():
            supervisor.hurry()
            return
        terminal.plain("\nEnding everything ... (Ctrl-C again: at once)")
        terminal.quiet = True
        stop.set()

    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, told)


async def _watch_servers(servers: dict[str, "EmbeddedServer"], supervisor: Supervisor, terminal: Terminal) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        for name, server in servers.items():
            if not server.running():
                terminal.quiet = True
                supervisor.grace = 3.0  # workers without their database or queue have nothing left to finish
                raise _ServerDied(f"The embedded {name} ended by itself (see {server.log}).")


async def _announce(located: Settings, supervisor: Supervisor, terminal: Terminal) -> None:
    """Ask the gateway until all is well, then print the address."""
    import aiohttp

    waiting_for = ""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        while True:
            missing = await _missing(session, f"{_address(located)}/healthz")
            if not missing:
                break
            if missing != waiting_for and missing != "gateway":
                waiting_for = missing
                terminal.plain(f"Waiting for {missing} ...", "dim")
            if loop.time() > until:
                raise DoesNotStart(f"Not everything came up: {missing}. The logs are in {supervisor.logs}.")
            await asyncio.sleep(0.3)
    supervisor.settled = True
    terminal.plain("")
    terminal.plain(f"  Understudy is ready:  {_address(located)}", "bold green")
    terminal.plain(f"  Ctrl-C ends it. Logs: {supervisor.logs}", "dim")
    terminal.plain("")


async def _missing(session: "aiohttp.ClientSession", url: str) -> str:
    """What is not up yet, in words; empty when all is well."""
    import aiohttp

    try:
        async with session.get(url) as response:
            report = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return "gateway"
    return ", ".join(name for name, state in report["parts"].items() if state != "ok")


def _address(chosen: Settings) -> str:
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    return f"http://{host}:{chosen.port}"
