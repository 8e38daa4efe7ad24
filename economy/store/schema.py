"""Bringing a store's tables to a release and back, and telling whether they are what they should be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.engine import Store, open_store
from economy.store.errors import StoreBusyError
from economy.store.revision import revision_of

if TYPE_CHECKING:
    from alembic.config import Config

ATTEMPTS: Final = 5
"""How often an upgrade is tried while others hold its tables."""


async def upgrade(url: str, revision: str = "head", *, allow_loss: bool = False) -> None:
    """Brings the store at `url` up to `revision`, making it if it is new; all of it or nothing."""
    async with await open_store(url, any_schema=True, allow_loss=allow_loss) as store:
        await upgrade_store(store, revision)


async def upgrade_store(store: Store, revision: str = "head") -> None:
    # Alembic takes a tenth of a second to import, and most starts need no migration.
    from alembic import command  # noqa: PLC0415

    for left in reversed(range(ATTEMPTS)):
        try:
            async with store.write() as connection:
                await _alone(connection)
                await connection.run_sync(lambda bound: command.upgrade(_config(bound), revision))
            return
        except StoreBusyError:
            if not left:
                raise


async def downgrade(url: str, revision: str, *, allow_loss: bool = False) -> None:
    """Takes the store at `url` back to `revision`; `base` is an empty store."""
    from alembic import command  # noqa: PLC0415

    opening = open_store(url, any_schema=True, allow_loss=allow_loss)
    async with await opening as store, store.write() as connection:
        await _alone(connection)
        await connection.run_sync(lambda bound: command.downgrade(_config(bound), revision))


async def _alone(connection: AsyncConnection) -> None:
    """Two upgrades at once take turns. On SQLite the write lock sees to that."""
    if connection.dialect.name == "postgresql":
        # Whoever waits for a lock on a table makes all others wait behind: rather try again.
        await connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4_609_127)")


def _config(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "migrations:")
    config.attributes["connection"] = connection
    return config


async def current(store: Store) -> str | None:
    """The revision of the store's tables; None for a store without any."""
    async with store.read() as connection:
        return await revision_of(connection)


async def fingerprint(store: Store) -> str:
    """A digest of all tables, CHECKs, indices and triggers."""
    described = _SQLITE if store.url.get_backend_name() == "sqlite" else _POSTGRES
    async with store.read() as connection:
        rows = (await connection.exec_driver_sql(described)).all()
    lines = sorted(" ".join(str(part) for part in row).split() for row in rows)
    return hashlib.sha256(repr(lines).encode()).hexdigest()[:32]


_SQLITE: Final = """
SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> 'alembic_version'
"""
_POSTGRES: Final = """
SELECT 'column', table_name, column_name, data_type || ' ' || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = current_schema AND table_name <> 'alembic_version'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = current_schema::regnamespace AND conrelid::regclass::text <> 'alembic_version'
UNION ALL
SELECT 'index', tablename, indexname, indexdef
FROM pg_indexes WHERE schemaname = current_schema AND tablename <> 'alembic_version'
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid) || prosrc
FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal
"""
