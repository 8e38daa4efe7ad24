"""SQLite connections that ask their thread once a statement.

The driver goes to its thread and back to make a cursor, to run a statement, to fetch its rows and to close the
cursor; and each way costs more than a small statement itself. Here all four are one way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Self

import aiosqlite

ROWS_AT_ONCE: Final = 500
"""Rows that come with the statement. A larger answer, such as a stream through a whole table, is fetched on demand."""

_CHUNK: Final = 64

Row = tuple[Any, ...]


class OneHopConnection(aiosqlite.Connection):
    """The driver's connection with cursors of ours."""

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # SQLAlchemy enters it, as it does the driver's
        return OneHopCursor(self)

    async def in_thread(self, work: Any, *given: Any) -> Any:
        """What `work` answers, run where the connection lives."""
        return await self._execute(work, *given)  # type: ignore[no-untyped-call]

    @property
    def driver_connection(self) -> sqlite3.Connection:
        """For `work` alone, in the thread."""
        return self._conn


class OneHopCursor:
    """As much of a cursor as SQLAlchemy asks for."""

    def __init__(self, connection: OneHopConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: list[Row] = []
        self._has_more = False
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        await self._connection.in_thread(self._run, "execute", sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        await self._connection.in_thread(self._run, "executemany", sql, parameters)
        return self

    def _run(self, how: str, sql: str, parameters: Any) -> None:
        cursor = self._cursor = self._connection.driver_connection.cursor()
        getattr(cursor, how)(sql, parameters)
        self.description = cursor.description
        self._rows = []
        if self.description is not None:
            self._fetch(ROWS_AT_ONCE)
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid

    def _fetch(self, most: int) -> None:
        if self._cursor is not None:
            found = self._cursor.fetchmany(most)
            self._rows += found
            self._has_more = len(found) == most

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        wanted = self.arraysize if size is None else size
        if self._has_more and len(self._rows) < wanted:
            await self._connection.in_thread(self._fetch, wanted - len(self._rows))
        found, self._rows = self._rows[:wanted], self._rows[wanted:]
        return found

    async def fetchone(self) -> Row | None:
        found = await self.fetchmany(1)
        return found[0] if found else None

    async def fetchall(self) -> list[Row]:
        if self._has_more:
            await self._connection.in_thread(self._fetch_rest)
        found, self._rows = self._rows, []
        return found

    def _fetch_rest(self) -> None:
        if self._cursor is not None:
            self._rows += self._cursor.fetchall()
            self._has_more = False

    async def close(self) -> None:
        """What is fetched to the end is closed already."""
        cursor, self._cursor = self._cursor, None
        if cursor is not None and self._has_more:
            self._has_more = False
            await self._connection.in_thread(cursor.close)


def connect(*where: Any, **how: Any) -> OneHopConnection:
    """A connection that is still to be awaited, with what `sqlite3.connect` takes."""
    connection = OneHopConnection(partial(sqlite3.connect, *where, **how), _CHUNK)
    # Nothing is lost with it: whoever ends without closing has committed what was answered.
    connection._thread.daemon = True  # as SQLAlchemy does with the driver's own
    return connection
