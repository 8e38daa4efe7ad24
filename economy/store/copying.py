"""Copies a whole store into an empty one, of the same database or another, and proves that both hold the same."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Boolean, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.bulk import Insert
from economy.store.engine import Store
from economy.store.errors import StoreError
from economy.store.tables import counters, metadata
from economy.values import Asset

ROWS_MAX: Final = 2_000
"""Rows in memory at a time."""

_NUMBERED: Final = ("communities", "persons", "outbox")
"""Tables whose ids PostgreSQL draws from a sequence."""

_json: Final = msgspec.json.Encoder()

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


class NotEmptyError(StoreError):
    """A copy goes into an empty store alone. Nothing was written."""


class CopyDiffersError(StoreError):
    """What was written is not what was read. Nothing was kept of it."""


class Holding(Struct):
    """What a table holds of one community: so many rows, that come to this sum of digests, in whatever order."""

    rows: int = 0
    digest: int = 0


class Tally:
    """Everything that a store holds, added up row by row: by table and community (0 for what belongs to none)."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, int], Holding] = {}
        self.wallets: dict[str, int] = dict.fromkeys(Asset, 0)

    def take(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        names = [column.name for column in table.columns]
        place = names.index("community_id") if "community_id" in names else None
        for row in rows:
            key = (table.name, 0 if place is None else row[place])
            holding = self.held.get(key)
            if holding is None:
                holding = self.held[key] = Holding()
            holding.rows += 1
            holding.digest += int.from_bytes(hashlib.sha256(_json.encode(row)).digest()[:16], "big")
        if table.name == "accounts":
            for _, owner, asset, balance in rows:
                if owner > 0:
                    self.wallets[asset] += balance

    def rows(self, table: str) -> int:
        return sum(holding.rows for (name, _), holding in self.held.items() if name == table)

    def must_equal(self, other: Tally) -> None:
        """Raises CopyDiffersError that names the first table and community where the two differ."""
        for table, community in sorted(self.held.keys() | other.held.keys()):
            ours = self.held.get((table, community), Holding())
            theirs = other.held.get((table, community), Holding())
            if ours != theirs:
                raise CopyDiffersError(
                    f"the copy differs: {table} of community {community} are {ours.rows} rows there and"
                    f" {theirs.rows} here, and not the same; nothing was kept"
                )


class Copied(Struct, frozen=True):
    """What was copied, and read back to be the same row by row: how many rows of each table, and the coins in members'
    wallets by asset. `last_entries` is the sum of all communities' counters, to tell what came after."""

    rows: dict[str, int]
    wallets: dict[str, int]
    last_entries: int

    @property
    def figures(self) -> dict[str, int]:
        """What people count: communities, accounts, entries, and keys under which something was answered."""
        rows = self.rows
        return {
            "communities": rows["communities"],
            "accounts": rows["accounts"],
            "entries": rows["entries"],
            "keys": rows["entries"] + rows["answers"],
        }


async def copy(source: Store, target: Store, progress: Progress) -> Copied:
    """Copies everything from one snapshot of `source` into `target`, which has its tables and nothing in them.

    All of it or nothing: it is read back and compared before the commit. Raises NotEmptyError, CopyDiffersError.
    """
    async with _snapshot(source) as reading, target.writer.connect() as writing, writing.begin():
        await _hold(writing)
        await must_be_empty(writing)
        total = 0
        for table in metadata.sorted_tables:
            total += (await reading.execute(select(func.count()).select_from(table))).scalar_one()
        read = await _write_all(reading, target, writing, lambda done: progress("copying", done, total))
        await _number_on(writing)
        written = await _tallied(writing, lambda done: progress("comparing", done, total))
        read.must_equal(written)
        last_entries = await _last_entries(reading)
    rows = {table.name: read.rows(table.name) for table in metadata.sorted_tables}
    return Copied(rows, dict(read.wallets), last_entries)


async def written_after(source: Store, copied: Copied) -> int:
    """How many entries `source` got after it was copied: they are not in the copy."""
    async with source.read() as connection:
        return await _last_entries(connection) - copied.last_entries


async def must_be_empty(connection: AsyncConnection) -> None:
    """Raises NotEmptyError where any table has a row."""
    for table in metadata.sorted_tables:
        if (await connection.execute(select(table).limit(1))).first() is not None:
            raise NotEmptyError(f"it is not empty: there are {table.name} in it; nothing was changed")


@asynccontextmanager
async def _snapshot(store: Store) -> AsyncIterator[AsyncConnection]:
    """A reading transaction, whose statements all see what the first one sees, however long it takes."""
    async with store.reader.connect() as connection:
        if connection.dialect.name == "postgresql":
            _ = await connection.execution_options(isolation_level="REPEATABLE READ")
        async with connection.begin():
            await _wait_long(connection)
            yield connection


async def _hold(connection: AsyncConnection) -> None:
    """Nobody else writes here until this transaction ends. On SQLite the write lock sees to that."""
    if connection.dialect.name == "postgresql":
        await _wait_long(connection)
        names = ", ".join(table.name for table in metadata.sorted_tables)
        await connection.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
        # Whole tables are read back here, whatever writers of single rows are told to avoid.
        await connection.exec_driver_sql("SET LOCAL enable_seqscan = on")


async def _wait_long(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        # While the other side works through millions of rows, this one is idle.
        await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


async def _write_all(
    reading: AsyncConnection, target: Store, writing: AsyncConnection, progress: Callable[[int], None]
) -> Tally:
    tally = Tally()
    done = 0
    for table in metadata.sorted_tables:
        statement = Insert(table, *(column.name for column in table.columns))
        flags = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
        async for rows in _chunks(reading, table):
            tally.take(table, rows)
            await target.bulk.write(writing, statement, _with_booleans(rows, flags))
            done += len(rows)
            progress(done)
    return tally


async def _tallied(connection: AsyncConnection, progress: Callable[[int], None]) -> Tally:
    tally = Tally()
    done = 0
    for table in metadata.sorted_tables:
        async for rows in _chunks(connection, table):
            tally.take(table, rows)
            done += len(rows)
            progress(done)
    return tally


async def _chunks(connection: AsyncConnection, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
    """The table's rows, in no order; what is true or false is 1 or 0 here, from whatever database."""
    flags = [place for place, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    streamed = await connection.stream(select(table).execution_options(yield_per=ROWS_MAX))
    async for found in streamed.partitions(ROWS_MAX):
        rows = [tuple(row) for row in found]
        if flags:
            rows = [tuple(int(each) if place in flags else each for place, each in enumerate(row)) for row in rows]
        yield rows


def _with_booleans(rows: Sequence[tuple[Any, ...]], flags: Sequence[int]) -> Sequence[tuple[Any, ...]]:
    if not flags:
        return rows
    return [tuple(bool(each) if place in flags else each for place, each in enumerate(row)) for row in rows]


async def _number_on(connection: AsyncConnection) -> None:
    """New ids follow those that were copied. On SQLite they do by themselves."""
    if connection.dialect.name == "postgresql":
        for name in _NUMBERED:
            await connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name} HAVING max(id) > 0"  # noqa: S608
            )


async def _last_entries(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.coalesce(func.sum(counters.c.last_entry), 0)))).scalar_one())
