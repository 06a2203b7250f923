"""Alembic's migrations of the database. `understudy migrate` runs them."""
