"""One statement that is fed many rows and may answer rows, in the dialect of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.arrays import array_text, parameter

_json: Final = msgspec.json.Encoder()


class RowsStatement:
    """A statement about one community: `{community}` in its text is the community, `{rows}` the rows, called w.

    `columns` names the columns of w with their PostgreSQL types (bigint, text or boolean). The text does not depend on
    how many rows there are, so it is prepared once. `{pairs}` are more rows, called p, of the two numbers that `pairs`
    names. `{by_index}` names an index to SQLite, which without statistics may take one that begins with the community
    and has nothing else of use.
    """

    def __init__(self, text: str, *, by_index: str = "", pairs: tuple[str, ...] = (), **columns: str) -> None:
        of_pairs = dict.fromkeys(pairs, "bigint")
        self.sqlite = text.format(
            community="?1",
            rows=f"{_json_rows(2, columns)} AS w",
            pairs=f"{_json_rows(3, of_pairs)} AS p",
            by_index=f"INDEXED BY {by_index}",
        )
        self.postgres = text.format(
            community="CAST($1 AS bigint)",
            rows=f"{_array_rows(2, columns)} AS w({', '.join(columns)})",
            pairs=f"{_array_rows(2 + len(columns), of_pairs)} AS p({', '.join(pairs)})",
            by_index="",
        )

    async def run(
        self,
        connection: AsyncConnection,
        community_id: int,
        rows: Sequence[tuple[Any, ...]],
        *pairs: tuple[int, int],
    ) -> Sequence[tuple[Any, ...]]:
        """What the statement answers; no rows cost no statement."""
        if not rows:
            return ()
        given = (rows, pairs) if pairs else (rows,)
        if connection.dialect.name == "sqlite":
            asked: tuple[Any, ...] = (community_id, *(_json.encode(each).decode() for each in given))
            found = await connection.exec_driver_sql(self.sqlite, asked)
        else:
            columns = (column for each in given for column in zip(*each, strict=True))
            found = await connection.exec_driver_sql(self.postgres, (community_id, *map(array_text, columns)))
        return found.all() if found.returns_rows else ()


def _json_rows(place: int, columns: Mapping[str, str]) -> str:
    taken = ", ".join(
        f"CAST(json_extract(value, '$[{i}]') AS {'text' if of == 'text' else 'integer'}) AS {name}"
        for i, (name, of) in enumerate(columns.items())
    )
    return f"(SELECT {taken} FROM json_each(?{place}))"  # noqa: S608


def _array_rows(place: int, columns: Mapping[str, str]) -> str:
    return f"unnest({', '.join(parameter(i, of) for i, of in enumerate(columns.values(), start=place))})"
