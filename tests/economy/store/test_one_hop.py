"""Cursors of SQLite connections: as the driver's own, with fewer ways to the thread."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from economy.store.one_hop import ROWS_AT_ONCE, OneHopConnection, connect

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n"


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[OneHopConnection]:
    opened = await connect(tmp_path / "x.db", isolation_level=None)
    assert isinstance(opened, OneHopConnection)
    yield opened
    await opened.close()


@pytest.mark.parametrize("count", [1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE])
async def test_all_rows_come_however_they_are_fetched(connection, count):
    wanted = [(each,) for each in range(1, count + 1)]
    whole = connection.cursor()
    await whole.execute(NUMBERS, (count,))
    assert await whole.fetchall() == wanted
    assert await whole.fetchall() == []
    parts = connection.cursor()
    await parts.execute(NUMBERS, (count,))
    found = [await parts.fetchone()]
    while some := await parts.fetchmany(700):
        found += some
    assert found == wanted
    assert await parts.fetchone() is None
    await parts.close()


async def test_what_is_left_unfetched_lets_go_of_the_table(connection):
    cursor = connection.cursor()
    await cursor.execute("CREATE TABLE t (i INTEGER)")
    await cursor.execute(f"INSERT INTO t {NUMBERS}", (2 * ROWS_AT_ONCE,))
    assert cursor.rowcount == 2 * ROWS_AT_ONCE
    reading = connection.cursor()
    await reading.execute("SELECT i FROM t")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await cursor.execute("DROP TABLE t")
    await reading.close()
    await cursor.execute("DROP TABLE t")


async def test_a_statement_that_answers_rows_counts_what_it_changed(connection):
    cursor = connection.cursor()
    await cursor.execute("CREATE TABLE t (i INTEGER)")
    await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
    assert (cursor.rowcount, cursor.description) == (3, None)
    await cursor.execute("UPDATE t SET i = i + 1 RETURNING i")
    assert [column[0] for column in cursor.description] == ["i"]
    assert sorted(await cursor.fetchall()) == [(2,), (3,), (4,)]
    assert cursor.rowcount == 3


async def test_a_mistake_is_the_drivers_own(connection):
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.cursor().execute("SELECT * FROM nowhere")
