"""One statement that is fed many rows and may answer rows, in the dialect of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.arrays import array_text, parameter

_json: Final = msgspec.json.Encoder()


class RowsStatement:
    """A statement about one community: `{community}` in its text is the community, `{rows}` the rows, called w.

    `columns` names the columns of w with their PostgreSQL types (bigint, text or boolean). The text does not depend on
    how many rows there are, so it is prepared once. `{by_index}` names an index to SQLite, which without statistics
    may take one that begins with the community and has nothing else of use.
    """

    def __init__(self, text: str, *, by_index: str = "", **columns: str) -> None:
        taken = ", ".join(
            f"CAST(json_extract(value, '$[{place}]') AS {'text' if of == 'text' else 'integer'}) AS {name}"
            for place, (name, of) in enumerate(columns.items())
        )
        rows = f"(SELECT {taken} FROM json_each(?2)) AS w"  # noqa: S608
        self.sqlite = text.format(community="?1", rows=rows, by_index=f"INDEXED BY {by_index}")
        arrays = ", ".join(parameter(place, of) for place, of in enumerate(columns.values(), start=2))
        self.postgres = text.format(
            community="CAST($1 AS bigint)", rows=f"unnest({arrays}) AS w({', '.join(columns)})", by_index=""
        )

    async def run(
        self, connection: AsyncConnection, community_id: int, rows: Sequence[tuple[Any, ...]]
    ) -> Sequence[tuple[Any, ...]]:
        """What the statement answers; no rows cost no statement."""
        if not rows:
            return ()
        if connection.dialect.name == "sqlite":
            asked: tuple[Any, ...] = (community_id, _json.encode(rows).decode())
            found = await connection.exec_driver_sql(self.sqlite, asked)
        else:
            asked = (community_id, *map(array_text, zip(*rows, strict=True)))
            found = await connection.exec_driver_sql(self.postgres, asked)
        return found.all() if found.returns_rows else ()
