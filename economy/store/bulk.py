"""Statements over many rows at once, in the dialect of the database.

The rest of the store speaks of rows; here they become one statement, whose text never depends on how many there are
(so it is prepared once), on SQLite by `executemany` and `json_each`, on PostgreSQL by arrays and `unnest`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import BigInteger, Boolean, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.arrays import array_text, parameter

Row = tuple[Any, ...]
Grouped = Mapping[int, Sequence[Any]]
"""Values by community: members, keys, entry numbers, or pairs of such."""


class Wanted:
    """A parameter of a query: `{name}` in its text stands for the rows (c, v) or (c, v, u) of a `Grouped`."""

    def __init__(self, name: str, *types: str) -> None:
        self.name = name
        self.types = types or ("bigint",)

    def json_rows(self, place: int) -> str:
        """The rows as SQLite makes them out of parameter `place`."""
        source = f"json_each(?{place}) AS community, json_each(community.value) AS each"
        columns = (
            ["each.value AS v"]
            if len(self.types) == 1
            else [f"json_extract(each.value, '$[{i}]') AS {column}" for i, column in enumerate("vu")]
        )
        return f"(SELECT CAST(community.key AS INTEGER) AS c, {', '.join(columns)} FROM {source}) AS w"  # noqa: S608

    def array_rows(self, place: int) -> str:
        """The rows as PostgreSQL makes them out of arrays, the first of which is parameter `place`."""
        arrays = ", ".join(parameter(place + i, of) for i, of in enumerate(("bigint", *self.types)))
        return f"unnest({arrays}) AS w({', '.join('cvu'[: len(self.types) + 1])})"


def each_of(table: str, alias: str, where: str) -> str:
    """What follows rows in a query: the rows of `table` that belong to each of them, found by an index.

    SQLite joins in the order that is written. PostgreSQL would turn the join round where the table was empty when the
    plan was made, and go through all of it ever after: behind OFFSET it asks for each row.
    """
    return f"CROSS JOIN {{one_by_one}}{table} AS {alias} WHERE {where}{{end[{alias}]}}"


class _Ends:
    """What ends an `each_of`, by its alias."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __getitem__(self, alias: str) -> str:
        return self._text.format(alias=alias)


_AS_WRITTEN: Final = {"one_by_one": "", "end": _Ends("")}
_FENCED: Final = {"one_by_one": "LATERAL (SELECT * FROM ", "end": _Ends(" OFFSET 0) AS {alias}")}


class Query:
    """A query in both dialects. `{name}` stands for a `Wanted`, or for one of the numbers that follow them; between
    rows and a table there may be an `each_of`."""

    def __init__(self, text: str, *wanted: Wanted, numbers: Sequence[str] = ()) -> None:
        self.wanted = wanted
        rows: dict[str, Any] = {each.name: each.json_rows(place) for place, each in enumerate(wanted, start=1)}
        rows |= _AS_WRITTEN
        rows |= {name: f"?{place}" for place, name in enumerate(numbers, start=len(wanted) + 1)}
        self.sqlite = text.format(**rows)
        rows |= _FENCED
        place = 1
        for each in wanted:
            rows[each.name] = each.array_rows(place)
            place += 1 + len(each.types)
        rows |= {name: f"CAST(${place + i} AS bigint)" for i, name in enumerate(numbers)}
        self.postgres = text.format(**rows)


class Insert:
    """Inserts rows of these columns, the first of them the community's if there is one that is `numbered`.

    `conflict` is the whole ON CONFLICT clause. A `numbered` column holds an entry's number: see `Bulk.write_together`.
    """

    def __init__(self, table: Table, *columns: str, conflict: str = "", numbered: str = "") -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" for _ in columns)
        tail = f" {conflict}" if conflict else ""
        self.sqlite = f"INSERT INTO {table.name} ({names}) VALUES ({marks}){tail}"  # noqa: S608
        arrays = ", ".join(
            parameter(place, _array_type(table, column)) for place, column in enumerate(columns, start=1)
        )
        if numbered:
            values = ", ".join(
                f"counted.last_entry + v{place}" if column == numbered else f"v{place}"
                for place, column in enumerate(columns)
            )
            taken = ", ".join(f"v{place}" for place in range(len(columns)))
            rows = f"unnest({arrays}) AS w({taken}) JOIN counted ON counted.community_id = w.v0"
        else:
            values, rows = "*", f"unnest({arrays})"
        self.postgres = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {rows}{tail}"  # noqa: S608


class Update:
    """Changes rows found by `keys`: adds to the columns in `add`, and sets those in `put`.

    A row of parameters holds the values of `add`, then of `put`, then of `keys`, the first of them the community's if
    there is one that is `numbered`, as with `Insert`.
    """

    def __init__(
        self,
        table: Table,
        *,
        keys: tuple[str, ...],
        add: tuple[str, ...] = (),
        put: tuple[str, ...] = (),
        numbered: str = "",
    ) -> None:
        sets = [f'"{column}" = {table.name}."{column}" + ?' for column in add] + [f'"{column}" = ?' for column in put]
        where = " AND ".join(f"{column} = ?" for column in keys)
        self.sqlite = f"UPDATE {table.name} SET {', '.join(sets)} WHERE {where}"  # noqa: S608
        columns = (*add, *put, *keys)
        arrays = ", ".join(
            parameter(place, _array_type(table, column)) for place, column in enumerate(columns, start=1)
        )
        names = ", ".join(f"v{place}" for place in range(len(columns)))
        before = {**{column: f'{table.name}."{column}" + ' for column in add}, numbered: "counted.last_entry + "}
        sets = [f'"{column}" = {before.get(column, "")}v{place}' for place, column in enumerate((*add, *put))]
        first_key = len(add) + len(put)
        where = " AND ".join(f"{table.name}.{column} = v{place}" for place, column in enumerate(keys, start=first_key))
        rows = f"unnest({arrays}) AS w({names})"
        if numbered:
            rows += f" JOIN counted ON counted.community_id = w.v{first_key}"
        self.postgres = f"UPDATE {table.name} SET {', '.join(sets)} FROM {rows} WHERE {where}"  # noqa: S608


class Delete:
    """Removes rows found by `keys`."""

    def __init__(self, table: Table, *keys: str) -> None:
        where = " AND ".join(f"{column} = ?" for column in keys)
        self.sqlite = f"DELETE FROM {table.name} WHERE {where}"  # noqa: S608
        arrays = ", ".join(parameter(place, _array_type(table, column)) for place, column in enumerate(keys, start=1))
        names = ", ".join(f"v{place}" for place in range(len(keys)))
        where = " AND ".join(f"{table.name}.{column} = v{place}" for place, column in enumerate(keys))
        self.postgres = f"DELETE FROM {table.name} USING unnest({arrays}) AS w({names}) WHERE {where}"  # noqa: S608


Statement = Insert | Update | Delete


def _array_type(table: Table, column: str) -> str:
    match table.c[column].type:
        case Boolean():
            return "boolean"
        case BigInteger():
            return "bigint"
        case Text():
            return "text"
        case other:
            raise TypeError(f"no array of {other}")


Part = tuple[Statement, Sequence[Row]]


class Bulk(Protocol):
    """What a dialect does with many rows. Empty rows cost no statement."""

    locks_rows: bool
    """Whether members are locked one by one; else the write transaction holds the whole store, and entries have the
    numbers that were foreseen."""

    async def query(
        self, connection: AsyncConnection, query: Query, *values: Grouped, numbers: Sequence[int] = ()
    ) -> Sequence[Any]:
        """The rows of `query`; `values` in the order of its `Wanted`s."""
        ...

    async def write(self, connection: AsyncConnection, statement: Statement, rows: Sequence[Row]) -> int:
        """How many rows were written."""
        ...

    async def write_together(
        self,
        connection: AsyncConnection,
        parts: Sequence[Part],
        entries: Mapping[int, int],
        numbered: Sequence[Part] = (),
    ) -> tuple[list[int], dict[int, int]]:
        """Writes several statements' rows, none of which another of them has to see, and adds to the communities'
        counters; how many rows each of `parts` wrote, and the last entry number of each community, after.

        Rows of what is `numbered` hold in their numbered column how far their entry is from the last one (0, -1,
        ...) where rows are locked one by one, since only the counter can tell; else the number.
        """
        ...

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        """Ids that nobody else has or gets. Drawn beforehand, since RETURNING promises no order."""
        ...


class SqliteBulk:
    locks_rows = False

    async def query(
        self, connection: AsyncConnection, query: Query, *values: Grouped, numbers: Sequence[int] = ()
    ) -> Sequence[Any]:
        asked = (*(_json.encode(value).decode() for value in values), *numbers)
        return (await connection.exec_driver_sql(query.sqlite, asked)).all()

    async def write(self, connection: AsyncConnection, statement: Statement, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        return (await connection.exec_driver_sql(statement.sqlite, list(rows))).rowcount

    async def write_together(
        self,
        connection: AsyncConnection,
        parts: Sequence[Part],
        entries: Mapping[int, int],
        numbered: Sequence[Part] = (),
    ) -> tuple[list[int], dict[int, int]]:
        written = [await self.write(connection, statement, rows) for statement, rows in (*parts, *numbered)]
        return written[: len(parts)], await self._count_up(connection, entries) if entries else {}

    async def _count_up(self, connection: AsyncConnection, entries: Mapping[int, int]) -> dict[int, int]:
        found = await connection.exec_driver_sql(
            "UPDATE counters SET last_entry = last_entry + added.value"
            " FROM (SELECT CAST(key AS INTEGER) AS community_id, value FROM json_each(?)) AS added"
            " WHERE counters.community_id = added.community_id"
            " RETURNING counters.community_id, last_entry",
            (_json.encode(entries).decode(),),
        )
        return {row.community_id: row.last_entry for row in found.all()}

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        # The write lock is ours, so what follows the largest id is free.
        found = await connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table.name}")  # noqa: S608
        last = found.scalar_one()
        return range(last + 1, last + 1 + count)


_COUNT_UP: Final = (
    "UPDATE counters SET last_entry = last_entry + added.value"  # noqa: S608
    f" FROM unnest({parameter(1, 'bigint')}, {parameter(2, 'bigint')}) AS added(community_id, value)"
    " WHERE counters.community_id = added.community_id RETURNING counters.community_id, last_entry"
)


@lru_cache(maxsize=1_024)
def _together(statements: tuple[Statement, ...], *, counts: bool) -> str:
    """The statements as one; the counters' parameters come first. Answers (part, number, value), part -1 a counter."""
    taken = 2 if counts else 0
    named = []
    answers = []
    for place, statement in enumerate(statements):
        text = _PARAMETER.sub(lambda found, before=taken: f"${int(found[1]) + before}", statement.postgres)  # type: ignore[misc]
        taken += len(set(_PARAMETER.findall(statement.postgres)))
        named.append(f"s{place} AS ({text} RETURNING 1)")
        answers.append(f"SELECT {place}, CAST(0 AS bigint), count(*) FROM s{place}")  # noqa: S608
    if counts:
        # Run when the first entry needs its number, behind all that has none: answers are asked for in that order, so
        # that other processes wait for the counters as briefly as can be.
        named.insert(0, f"counted AS ({_COUNT_UP})")
        answers.append("SELECT -1, community_id, last_entry FROM counted")
    return f"WITH {', '.join(named)} {' UNION ALL '.join(answers)}"


_PARAMETER: Final = re.compile(r"\$([0-9]+)")


class PostgresBulk:
    locks_rows = True

    async def query(
        self, connection: AsyncConnection, query: Query, *values: Grouped, numbers: Sequence[int] = ()
    ) -> Sequence[Any]:
        asked: list[Any] = []
        for wanted, value in zip(query.wanted, values, strict=True):
            asked.append(array_text([community for community, rows in value.items() for _ in rows]))
            rows = [row for rows in value.values() for row in rows]
            if len(wanted.types) == 1:
                asked.append(array_text(rows))
            else:
                asked += (array_text([row[i] for row in rows]) for i in range(len(wanted.types)))
        return (await connection.exec_driver_sql(query.postgres, (*asked, *numbers))).all()

    async def write(self, connection: AsyncConnection, statement: Statement, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        columns = tuple(map(array_text, zip(*rows, strict=True)))
        return (await connection.exec_driver_sql(statement.postgres, columns)).rowcount

    async def write_together(
        self,
        connection: AsyncConnection,
        parts: Sequence[Part],
        entries: Mapping[int, int],
        numbered: Sequence[Part] = (),
    ) -> tuple[list[int], dict[int, int]]:
        # One statement, and so one round trip; its text depends on which parts there are, not on their rows.
        everything = (*parts, *numbered)
        there = [place for place, (_, rows) in enumerate(everything) if rows]
        written = [0] * len(everything)
        if not there and not entries:
            return written, {}
        asked: list[Any] = [array_text([*entries]), array_text([*entries.values()])] if entries else []
        for place in there:
            asked += map(array_text, zip(*everything[place][1], strict=True))
        statement = _together(tuple(everything[place][0] for place in there), counts=bool(entries))
        last: dict[int, int] = {}
        found: Sequence[Any] = (await connection.exec_driver_sql(statement, tuple(asked))).all()
        for part, number, value in found:
            if part < 0:
                last[number] = value
            else:
                written[there[part]] = value
        return written[: len(parts)], last

    async def new_ids(self, connection: AsyncConnection, table: Table, count: int) -> Sequence[int]:
        found = await connection.exec_driver_sql(
            "SELECT nextval(pg_get_serial_sequence($1, 'id')) FROM generate_series(1, $2)", (table.name, count)
        )
        return [each for (each,) in found.all()]


_json: Final = msgspec.json.Encoder()


def grouped(pairs: Iterable[tuple[int, Any]]) -> dict[int, list[Any]]:
    """(community, value) pairs as a `Grouped`."""
    by_community: dict[int, list[Any]] = {}
    for community, value in pairs:
        by_community.setdefault(community, []).append(value)
    return by_community
