"""Looks a store over for `florin doctor`, and changes nothing of it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.checkup import Checkup, FileFacts, ServerFacts, Slot, Standby
from economy.service import Clock
from economy.store import disk, postgres
from economy.store.bots import known
from economy.store.engine import Store, open_store
from economy.store.fingerprints import FINGERPRINTS
from economy.store.outbox import DEAD_US
from economy.store.revision import HEAD
from economy.store.schema import current, fingerprint
from economy.store.sqlite import WAL_SIZE_MAX
from economy.store.tables import bots, counters, entries, outbox
from economy.store.timing import from_us

DAMAGES_MAX: Final = 10

_SETTINGS: Final = """
SELECT name, CASE WHEN name = 'synchronous_commit' THEN reset_val ELSE current_setting(name) END AS value
FROM pg_settings WHERE name IN (
    'fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'synchronous_standby_names', 'lock_timeout',
    'idle_in_transaction_session_timeout', 'transaction_timeout', 'max_connections', 'server_version'
)
"""
_STANDBYS: Final = """
SELECT application_name AS name, sync_state IN ('sync', 'quorum') AS is_synchronous,
    pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS lag_bytes,
    extract(epoch FROM replay_lag)::float8 AS lag_s
FROM pg_stat_replication ORDER BY application_name, pid
"""
_SLOTS: Final = """
SELECT slot_name::text AS name, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS kept_bytes
FROM pg_replication_slots WHERE NOT active ORDER BY slot_name
"""
_IDLE: Final = """
SELECT extract(epoch FROM clock_timestamp() - state_change)::float8 AS seconds FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
ORDER BY seconds DESC
"""
_PREPARED: Final = """
SELECT extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds FROM pg_prepared_xacts
WHERE database = current_database() ORDER BY seconds DESC
"""
_FIGURES: Final = """
SELECT pg_database_size(current_database()) AS size, checksum_failures,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections
FROM pg_stat_database WHERE datname = current_database()
"""
_GIVEN_UP = select(func.count()).where(outbox.c.due_us == DEAD_US)
_NEWEST = select(func.max(entries.c.at_us)).join(
    counters, (counters.c.community_id == entries.c.community_id) & (counters.c.last_entry == entries.c.number)
)


async def check_up(address: str, clock: Clock) -> Checkup:
    """Everything there is to know of the store at `address`. Raises what `open_store` does where it does not open."""
    async with await open_store(address, any_schema=True, only_looks=True) as store:
        revision = await current(store)
        made = FINGERPRINTS.get(revision or "", {}).get(store.url.get_backend_name())
        found = await fingerprint(store)
        server = store.server
        facts = await _of_file(store) if server is None else await _of_server(store, server)
        # Somebody may have taken a table away: that is told, and hinders nothing else.
        there = found.keys() if revision == HEAD else set()
        async with store.read() as connection:
            newest = (await connection.execute(_NEWEST)).scalar() if {entries.name, counters.name} <= there else None
            known_bots = await known(connection) if bots.name in there else {}
            given_up = (await connection.execute(_GIVEN_UP)).scalar_one() if outbox.name in there else 0
            losses = [] if server is None else await server.losses(connection)
            ahead_s = None if server is None else await _clock_ahead(connection, clock)
        return Checkup(
            version=_version(facts),
            losses=tuple(losses),
            revision=revision,
            head=HEAD,
            bots=known_bots,
            notices_given_up=given_up,
            changed=None if made is None else tuple(table for table in made if found.get(table) != made[table]),
            unknown=() if made is None else tuple(sorted(found.keys() - made.keys())),
            newest_entry=None if newest is None else from_us(newest),
            clock_ahead_s=ahead_s,
            facts=facts,
        )


def _version(facts: FileFacts | ServerFacts) -> tuple[int, ...]:
    told = facts.settings["server_version"] if isinstance(facts, ServerFacts) else sqlite3.sqlite_version
    numbers = re.match(r"[0-9.]+", told)
    return tuple(int(number) for number in numbers[0].split(".") if number) if numbers else ()


async def _clock_ahead(connection: AsyncConnection, clock: Clock) -> float:
    """The server's clock less ours, seen half-way between question and answer."""
    before = clock.now()
    theirs: datetime = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return (theirs - before - (clock.now() - before) / 2).total_seconds()


async def _of_file(store: Store) -> FileFacts:
    file = store.file
    log = file.with_name(f"{file.name}-wal")
    status = file.stat()
    return FileFacts(
        file_system=disk.file_system_of(file),
        is_writable=disk.is_writable(file),
        written=datetime.fromtimestamp(status.st_mtime, UTC),
        size=status.st_size,
        log_size=log.stat().st_size if log.is_file() else 0,
        log_size_max=WAL_SIZE_MAX,
        disk_free=shutil.disk_usage(file.absolute().parent).free,
        inodes_free=disk.inodes_free(file),
        damage=await _damage(store),
    )


async def _damage(store: Store) -> tuple[str, ...]:
    async with store.read() as connection:
        try:
            found = (await connection.exec_driver_sql(f"PRAGMA quick_check({DAMAGES_MAX})")).scalars().all()
        except DBAPIError as problem:
            return (str(problem.orig),)
    return tuple(" ".join(str(each).split()) for each in found if each != "ok")


async def _of_server(store: Store, server: postgres.Server) -> ServerFacts:
    async with store.read() as connection:

        async def ask(query: str) -> Sequence[Row[Any]]:
            return (await connection.exec_driver_sql(query)).all()

        [figures] = await ask(_FIGURES)
        return ServerFacts(
            settings={each.name: each.value for each in await ask(_SETTINGS)},
            is_loss_allowed=server.is_loss_allowed,
            is_pooled=server.is_pooled,
            size=figures.size,
            standbys=tuple(
                Standby(each.name, each.is_synchronous, each.lag_bytes, each.lag_s) for each in await ask(_STANDBYS)
            ),
            slots=tuple(Slot(each.name, each.kept_bytes) for each in await ask(_SLOTS)),
            checksum_failures=figures.checksum_failures,
            connections=figures.connections,
            idle=tuple(each.seconds for each in await ask(_IDLE)),
            prepared=tuple(each.seconds for each in await ask(_PREPARED)),
        )
