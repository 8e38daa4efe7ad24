"""Bugs to plant: a harness that does not see them proves nothing. Those in a process are put around its store; those
in the database are put into its tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.bulk import Grouped, Query, SqliteBulk
from economy.store.engine import Store
from economy.store.errors import StoreError
from economy.store.queries import STATE
from economy.store.reading import Part
from tests.soak.findings import Findings

HASTE_S: Final = 0.05
"""How long before its commit a hasty store says that it has committed."""


class Plant(StrEnum):
    HASTY = "answers before COMMIT"
    STALE = "reads before it locks"
    FORGETFUL = "keys are not found again"
    LEAKY = "swallows a posting"
    DEAF = "takes a failed COMMIT for done"
    NORMAL = "synchronous=NORMAL"
    ASYNCHRONOUS = "synchronous_commit=off"


SORTS: Final = {
    Plant.HASTY: "lost",
    Plant.STALE: "broken",
    Plant.FORGETFUL: "doubled",
    Plant.LEAKY: "broken",
    Plant.DEAF: "lost",
    Plant.NORMAL: "lost",
    Plant.ASYNCHRONOUS: "lost",
}
"""As what each has to be found."""


def is_caught(plant: Plant | None, findings: Findings) -> bool:
    """Whether the bug that was planted, if any, has been found as what it is."""
    return plant is not None and bool(getattr(findings, SORTS[plant]))


class HastyStore(Store):
    """Says that it has committed, and does so a little later."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.url, store.writer, store.reader, store.bulk)
        self._one = asyncio.Lock()
        self._late: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def write(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        await self._one.acquire()
        connection = await self.writer.connect()
        try:
            _ = await connection.begin()
            yield connection
        except BaseException:
            await connection.rollback()
            await connection.close()
            self._one.release()
            raise
        task = asyncio.create_task(self._commit_late(connection))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _commit_late(self, connection: AsyncConnection) -> None:
        try:
            await asyncio.sleep(HASTE_S)
            await connection.commit()
        finally:
            await connection.close()
            self._one.release()


class DeafStore(Store):
    """Goes on when the database says that it could not commit."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.url, store.writer, store.reader, store.bulk)
        self._store = store

    @asynccontextmanager
    async def write(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as transaction:
            yield await transaction.enter_async_context(self._store.write())
            with suppress(StoreError, DBAPIError):
                await transaction.aclose()


def _commit_asynchronously(store: Store) -> Store:
    """Hears of a commit before the server has written it anywhere."""

    @event.listens_for(store.writer.sync_engine, "begin")
    def loosen(connection: Connection) -> None:
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    return store


class StaleStore(Store):
    """Looks at what everybody holds before it waits for SQLite's lock, and so not at what others did meanwhile."""

    def __init__(self, store: Store) -> None:
        self._stale = _StaleBulk()
        super().__init__(store.url, store.writer, store.reader, self._stale)
        self._store = store

    @asynccontextmanager
    async def write(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        async with self._store.read() as before:
            # A snapshot is of the moment of its first question.
            await before.exec_driver_sql("SELECT count(*) FROM counters")
            async with self._store.write() as connection:
                self._stale.before = before
                yield connection


class _StaleBulk(SqliteBulk):
    before: AsyncConnection

    async def query(
        self, connection: AsyncConnection, query: Query, *values: Grouped, numbers: Sequence[int] = ()
    ) -> Sequence[Any]:
        found = await super().query(connection, query, *values, numbers=numbers)
        if query is not STATE:
            return found
        stale = await super().query(self.before, query, *values, numbers=numbers)
        return [row for row in found if row[0] != Part.ACCOUNT] + [row for row in stale if row[0] == Part.ACCOUNT]


def _read_stale(store: Store) -> Store:
    """On SQLite balances are from before the lock; on PostgreSQL no row is locked."""
    if not store.bulk.locks_rows:
        return StaleStore(store)

    @event.listens_for(store.writer.sync_engine, "before_cursor_execute", retval=True)
    def loosen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
        return statement.replace(" FOR UPDATE", "").replace(" FOR SHARE", ""), parameters

    return store


_AROUND: Final[dict[Plant, Callable[[Store], Store]]] = {
    Plant.HASTY: HastyStore,
    Plant.DEAF: DeafStore,
    Plant.STALE: _read_stale,
    Plant.ASYNCHRONOUS: _commit_asynchronously,
}


def around(store: Store, plant: Plant | None) -> Store:
    """The store as a journal with this bug would use it."""
    return _AROUND[plant](store) if plant in _AROUND else store


_INSIDE: Final = {
    (Plant.FORGETFUL, "sqlite"): (
        "DROP TRIGGER entries_refuse_update",
        (
            "CREATE TRIGGER planted AFTER INSERT ON entries BEGIN UPDATE entries SET key = key || '#' || number"
            " WHERE community_id = new.community_id AND number = new.number; END"
        ),
    ),
    (Plant.FORGETFUL, "postgresql"): (
        (
            "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN new.key := new.key || '#' || new.number; RETURN new; END $$"
        ),
        "CREATE TRIGGER planted BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION planted()",
    ),
    (Plant.LEAKY, "sqlite"): (
        "CREATE TRIGGER planted BEFORE INSERT ON postings WHEN new.entry % 97 = 0 BEGIN SELECT RAISE(IGNORE); END",
    ),
    (Plant.LEAKY, "postgresql"): (
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        (
            "CREATE TRIGGER planted BEFORE INSERT ON postings FOR EACH ROW WHEN (new.entry % 97 = 0)"
            " EXECUTE FUNCTION planted()"
        ),
    ),
}


async def put_inside(store: Store, plant: Plant | None) -> None:
    """Changes the tables, for bugs that are in there."""
    for statement in _INSIDE.get((plant, store.url.get_backend_name()), ()) if plant else ():
        async with store.write() as connection:
            await connection.exec_driver_sql(statement)


def act_of(key: str) -> str:
    """The key that was submitted, out of the one that is stored."""
    return key.partition("#")[0]
