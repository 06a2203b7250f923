"""Postgres and Valkey out of wheels: one data directory each, nobody outside this machine can reach them.

Postgres listens on a Unix socket only. Valkey listens on loopback and asks for a password that is kept in its own
directory. Both keep their data; after a `kill -9` of whoever started them, the next start takes the running server
over or recovers what it left behind. One live process owns a data directory at a time.
"""

from workers.embedded.postgres import running_postgres, start_postgres
from workers.embedded.server import EmbeddedServer
from workers.embedded.valkey import running_valkey, start_valkey

__all__ = ["EmbeddedServer", "running_postgres", "running_valkey", "start_postgres", "start_valkey"]
