"""Alembic's environment. The connection comes from `economy.store.schema`, which owns the transaction."""

from __future__ import annotations

from alembic import context

from economy.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place: changed tables are copied.
    render_as_batch=True,
)
context.run_migrations()
