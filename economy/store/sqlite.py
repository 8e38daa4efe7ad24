"""SQLite as a store: how a file is opened, and what its durability rests on."""

from __future__ import annotations

import logging
from typing import Any, Final

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from economy.store import one_hop
from economy.store.errands import Errands
from economy.store.errors import UnsafeStoreError

WAL_SIZE_MAX: Final = 64 * 1024 * 1024
"""Bytes the write-ahead log keeps on disk after a checkpoint."""

# The driver's debug lines quote every parameter, and so what people write.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)

_PRAGMAS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: with NORMAL, a power loss takes back what was answered
    "foreign_keys": 1,
    "recursive_triggers": 1,  # else INSERT OR REPLACE passes the append-only triggers
    "journal_size_limit": WAL_SIZE_MAX,
    "wal_autocheckpoint": 2_000,
    "cache_size": -65_536,
    "temp_store": 2,
}


def engine(url: URL, begin: str, *, connections: int, busy_timeout_s: float) -> AsyncEngine:
    """Connections whose transactions start with `begin`."""
    made = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # no log quotes what people wrote
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "async_creator_fn": one_hop.connect},
    )
    _begin_with(made.sync_engine, begin)
    return made


def errands(url: URL, *, threads: int, busy_timeout_s: float) -> Errands:
    """Threads that look at the file."""
    made = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        pool_size=threads,
        max_overflow=0,
        hide_parameters=True,
        # Whichever thread has it has it alone.
        connect_args={"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False},
    )
    _begin_with(made, "BEGIN")
    return Errands(made, threads)


def _begin_with(made: Engine, begin: str) -> None:
    """Has every connection hold what durability rests on, and every transaction begin so."""

    @event.listens_for(made, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for name, wanted in _PRAGMAS.items():
            cursor.execute(f"PRAGMA {name} = {wanted}")
            cursor.execute(f"PRAGMA {name}")
            found = cursor.fetchone()[0]
            if found != wanted:
                raise UnsafeStoreError(f"SQLite has {name} = {found}, and {wanted} is needed")
        cursor.close()

    @event.listens_for(made, "begin")
    def begin_transaction(connection: Any) -> None:
        # The driver's own BEGIN is deferred: two readers who both want to write would fail, not wait.
        connection.exec_driver_sql(begin)
