"""Runs migrations on the connection it is handed, or on the database that the settings name."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from integrations.postgres.database import with_driver
from integrations.postgres.tables import Table

# Two processes that migrate at once take turns: the second finds nothing left to do.
LOCK = 0x756E6465727374


def migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            compare_server_default=False,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
        connection.commit()


def main() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        migrate(connection)
        return
    from workers.settings import settings

    with create_engine(with_driver(settings().database_url)).connect() as connection:
        migrate(connection)


main()
