"""A private, temporary place for sums that may be larger than memory: SQLite spills it to disk by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Final

import msgspec

_json: Final = msgspec.json.Encoder()
_PUT: Final = "INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_ADD: Final = "INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"

Value = int | str


class Scratch:
    """Named sums and latest values, by key."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE cells (name TEXT NOT NULL, key TEXT NOT NULL, value ANY NOT NULL, PRIMARY KEY (name, key))"
            " STRICT, WITHOUT ROWID"
        )

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def get(self, name: str, keys: Collection[str]) -> dict[str, Value]:
        """The values of those keys that have one."""
        found = self._database.execute(
            "SELECT cells.key, cells.value FROM json_each(?) AS asked CROSS JOIN cells"
            " WHERE cells.name = ? AND cells.key = asked.value",
            (_json.encode(list(keys)).decode(), name),
        )
        return dict(found)

    def put(self, name: str, values: Mapping[str, Value]) -> None:
        self._many(_PUT, ((name, key, value) for key, value in sorted(values.items())))

    def add(self, name: str, amounts: Mapping[str, int]) -> None:
        self._many(_ADD, ((name, key, amount) for key, amount in sorted(amounts.items())))

    def left(self, name: str) -> Iterable[tuple[str, int]]:
        """Keys whose sum is not 0, in order."""
        return self._database.execute(
            "SELECT key, value FROM cells WHERE name = ? AND value <> 0 ORDER BY key", (name,)
        )

    def count(self, name: str) -> int:
        found: tuple[int] = self._database.execute("SELECT count(*) FROM cells WHERE name = ?", (name,)).fetchone()
        return found[0]

    def _many(self, statement: str, rows: Iterable[tuple[str, str, Value]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(statement, rows)
        self._database.execute("COMMIT")
