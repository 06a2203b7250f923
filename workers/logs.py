"""Logs: one line an event, ids beside static messages, never anybody's words."""

import json
import logging
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
_QUIET = (
    "httpx",
    "httpcore",
    "openai",
    "slack_sdk",
    "slack_bolt",
    "aiohttp.access",
    "kombu",
    "amqp",
    "numba",
    "alembic",
)


class LineFormatter(logging.Formatter):
    """`12:00:01 WARNING bot.reply out of time turn_id=...`, with the exception's type and places but not its words."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extra = " ".join(f"{name}={value}" for name, value in _extra(record).items())
        line = f"{time} {record.levelname} {record.name} {record.getMessage()} {extra}".rstrip()
        return f"{line} {_where(record)}".rstrip()


class JsonFormatter(logging.Formatter):
    """The same as one JSON object a line, for collectors."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: str(value) for name, value in _extra(record).items()},
        }
        if where := _where(record):
            fields["error"] = where
        return json.dumps(fields)


def set_up(level: str, *, as_json: bool = False) -> None:
    """Configure this process's logging."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else LineFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _where(record: logging.LogRecord) -> str:
    """The error's types, causes included, and where the innermost was raised.

    Only our own errors may speak: a vendor's message may quote what somebody wrote.
    """
    if not record.exc_info or not record.exc_info[1]:
        return ""
    from bot.errors import PartFailed

    error: BaseException | None = record.exc_info[1]
    chain = []
    while error is not None:
        told = f"({error})" if isinstance(error, PartFailed) else ""
        chain.append(f"{type(error).__name__}{told}{_place(error)}")
        error = error.__cause__ or error.__context__
    return " <- ".join(chain)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"@{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else ""
