"""History, personas and notes in Postgres: the only SQL there is."""

from integrations.postgres.conversations import PostgresConversations
from integrations.postgres.database import Database
from integrations.postgres.personas import PostgresPersonas

__all__ = ["Database", "PostgresConversations", "PostgresPersonas"]
