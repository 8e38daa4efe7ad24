"""A private, temporary place for sums that may be larger than memory.

The first few hundred thousand are kept in memory; what is more goes to a database of its own, which SQLite puts on disk
by itself and removes when it is closed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Final

import msgspec

CELLS_MAX: Final = 300_000
"""Cells in memory: some 60 MB."""

_json: Final = msgspec.json.Encoder()
_key: Final = msgspec.json.Decoder(tuple[int | str, ...])
_PUT: Final = "INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_ADD: Final = "INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"

Value = int | str
Key = tuple[Value, ...]


class Scratch:
    """Named sums and latest values, by key. What is put under a name is read back; what is added is summed up."""

    def __init__(self) -> None:
        self._put: dict[str, dict[Key, Value]] = {}
        self._added: dict[str, dict[Key, int]] = {}
        self._spilled: set[str] = set()
        self._opened: sqlite3.Connection | None = None

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    def get(self, name: str, keys: Collection[Key]) -> dict[Key, Value]:
        """The values of those keys that have one."""
        here = self._put.get(name, {})
        found = {key: here[key] for key in keys if key in here}
        if name in self._spilled and len(found) < len(keys):
            written = {_written(key): key for key in keys if key not in found}
            rows = self._database().execute(
                "SELECT cells.key, cells.value FROM json_each(?) AS asked CROSS JOIN cells"
                " WHERE cells.name = ? AND cells.key = asked.value",
                (_json.encode(list(written)).decode(), name),
            )
            found.update((written[text], value) for text, value in rows)
        return found

    def put(self, name: str, values: Mapping[Key, Value]) -> None:
        self._put.setdefault(name, {}).update(values)
        self._spill_when_full()

    def add(self, name: str, amounts: Mapping[Key, int]) -> None:
        sums = self._added.setdefault(name, {})
        for key, amount in amounts.items():
            sums[key] = sums.get(key, 0) + amount
        self._spill_when_full()

    def take_of(self, name: str, members: Collection[int]) -> dict[Key, Value]:
        """Takes out what is kept under keys that end with one of these members; sums as far as they have come."""
        found: dict[Key, Value] = {}
        if name in self._spilled and members:
            self._spill()
            ours = "name = ? AND json_extract(key, '$[#-1]') IN (SELECT value FROM json_each(?))"
            asked = (name, _json.encode(sorted(members)).decode())
            rows = self._database().execute(f"DELETE FROM cells WHERE {ours} RETURNING key, value", asked)  # noqa: S608
            found.update((_key.decode(text), value) for text, value in rows.fetchall())
        for cells in (self._put, self._added):
            here = cells.get(name, {})
            for key in [key for key in here if key[-1] in members]:
                found[key] = here.pop(key)
        return found

    def left(self, name: str) -> Iterable[tuple[str, int]]:
        """Keys (their parts with spaces between) whose sum is not 0, in the order in which they are written."""
        if name not in self._spilled:
            left: Iterable[tuple[str, int]] = sorted(
                (_written(key), amount) for key, amount in self._sums(name) if amount
            )
        else:
            self._spill()
            left = self._database().execute(
                "SELECT key, value FROM cells WHERE name = ? AND value <> 0 ORDER BY key", (name,)
            )
        return ((text_of(_key.decode(written)), amount) for written, amount in left)

    def count(self, name: str) -> int:
        """How many keys have a value that was put."""
        if name not in self._spilled:
            return len(self._put.get(name, ()))
        self._spill()
        found: tuple[int] = self._database().execute("SELECT count(*) FROM cells WHERE name = ?", (name,)).fetchone()
        return found[0]

    def _sums(self, name: str) -> Iterator[tuple[Key, int]]:
        """What was put and what was added since, of a name that is in memory alone."""
        added = self._added.get(name, {})
        put = self._put.get(name, {})
        for key in added.keys() | put.keys():
            yield key, int(put.get(key, 0)) + added.get(key, 0)

    # --- beyond memory ---

    def _spill_when_full(self) -> None:
        held = sum(map(len, self._put.values())) + sum(map(len, self._added.values()))
        if held > CELLS_MAX:
            self._spill()

    def _spill(self) -> None:
        """Moves everything to the database. What was put comes before what was added to it."""
        database = self._database()
        database.execute("BEGIN")
        for statement, cells in ((_PUT, self._put), (_ADD, self._added)):
            for name, values in cells.items():
                rows = sorted((name, _written(key), value) for key, value in values.items())
                database.executemany(statement, rows)
                self._spilled.add(name)
        database.execute("COMMIT")
        self._put.clear()
        self._added.clear()

    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = sqlite3.connect("", isolation_level=None)
            self._opened.execute("PRAGMA synchronous = OFF")
            self._opened.execute("PRAGMA journal_mode = OFF")
            self._opened.execute(
                "CREATE TABLE cells (name TEXT NOT NULL, key TEXT NOT NULL, value ANY NOT NULL,"
                " PRIMARY KEY (name, key)) STRICT, WITHOUT ROWID"
            )
        return self._opened


def _written(key: Key) -> str:
    return _json.encode(key).decode()


def text_of(key: Key) -> str:
    """The key's parts with spaces between."""
    return " ".join(map(str, key))
