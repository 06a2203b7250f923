"""History, personas and notes in Postgres: the only SQL there is."""

from integrations.postgres.database import Database

__all__ = ["Database"]
