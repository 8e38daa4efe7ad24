"""Bringing a store's tables to a release and back, and telling whether they are what they should be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
            async with store.write(long=True) as connection:
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
    async with await opening as store, store.write(long=True) as connection:
        await _alone(connection)
        await connection.run_sync(lambda bound: command.downgrade(_config(bound), revision))


async def _alone(connection: AsyncConnection) -> None:
    """Two upgrades at once take turns. On SQLite the write lock sees to that."""
    if connection.dialect.name == "postgresql":
        # Whoever waits for a lock on a table makes all others wait behind: rather try again.
        await connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4609127)")


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


async def fingerprint(store: Store) -> dict[str, str]:
    """A digest for each table: of its columns, CHECKs, indices and triggers, those that are turned off included.

    The same whatever schema of PostgreSQL they are in, and whichever of its supported releases it is.
    """
    described = _SQLITE if store.url.get_backend_name() == "sqlite" else _POSTGRES
    async with store.read() as connection:
        rows: Sequence[Sequence[object]] = (await connection.exec_driver_sql(described)).all()
    parts: dict[str, list[list[str]]] = {}
    for table, kind, name, made in rows:
        parts.setdefault(str(table), []).append(f"{kind} {name} {made}".split())
    return {table: hashlib.sha256(repr(sorted(parts[table])).encode()).hexdigest()[:16] for table in sorted(parts)}


_SQLITE: Final = """
SELECT tbl_name, type, name, sql FROM sqlite_master
WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name <> 'alembic_version'
"""
# NOT NULL is a constraint of its own since PostgreSQL 18, and told with its column before.
_POSTGRES: Final = """
WITH ours AS (
    SELECT oid, relname::text AS name, quote_ident(current_schema) || '.' AS qualified FROM pg_class
    WHERE relnamespace = current_schema::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'
)
SELECT name, 'column', attname::text, format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || attidentity::text
    || ' ' || coalesce(replace(pg_get_expr(adbin, adrelid), qualified, ''), '')
FROM ours JOIN pg_attribute ON attrelid = ours.oid LEFT JOIN pg_attrdef ON adrelid = ours.oid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped
UNION ALL
SELECT name, 'constraint', conname::text, pg_get_constraintdef(pg_constraint.oid)
FROM ours JOIN pg_constraint ON conrelid = ours.oid WHERE contype <> 'n'
UNION ALL
SELECT name, 'index', indexrelid::regclass::text,
    replace(pg_get_indexdef(indexrelid), qualified, '') || ' ' || indisvalid
FROM ours JOIN pg_index ON indrelid = ours.oid
UNION ALL
SELECT name, 'trigger', tgname::text,
    replace(pg_get_triggerdef(pg_trigger.oid), qualified, '') || ' ' || tgenabled::text || ' ' || prosrc
FROM ours JOIN pg_trigger ON tgrelid = ours.oid JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal
"""
