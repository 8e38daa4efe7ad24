"""What doors remember: `adapters.contract.Memory` on a store. Written in groups, as the journal writes.

None of it decides about money. What was put is there once `put` returns; a crash, a restore or a move may lose it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.service import Clock
from economy.store.bulk import Insert
from economy.store.engine import Store, unhurried
from economy.store.errors import describe
from economy.store.skew import Skew
from economy.store.tables import memory
from economy.store.timing import to_us

log = logging.getLogger(__name__)

SWEEP_EVERY: Final = 1_000
"""After how many writes what has outlived its time is removed."""

TOGETHER_MAX: Final = 500


_PUT: Final = Insert(
    memory,
    *("platform", "kind", "key", "value", "until_us"),
    conflict="ON CONFLICT (platform, kind, key) DO UPDATE SET value = excluded.value, until_us = excluded.until_us",
)


class _Change(Struct, frozen=True, eq=False):
    """One thing to be put (`value`) or dropped (None). `only_if`: what must be there before, () for whatever is."""

    kind: str
    key: str
    value: str | None
    keep_us: int
    only_if: tuple[str | None, ...]
    done: asyncio.Future[bool]


class StoreMemory:
    """One door's memory. Close it: what waits is written."""

    def __init__(self, store: Store, clock: Clock, platform: str, skew: Skew | None = None) -> None:
        self._store = store
        self._clock = clock
        self._platform = platform
        self._skew = skew or Skew(store)
        self._waiting: list[_Change] = []
        self._task: asyncio.Task[None] | None = None
        self._written = 0

    async def get(self, kind: str, key: str) -> str | None:
        return await self._store.look(_kept, self._platform, kind, key, await self._now_us())

    async def put(self, kind: str, key: str, value: str, *, keep: timedelta) -> None:
        await self._change(kind, key, value, keep, ())

    async def swap(self, kind: str, key: str, before: str | None, after: str, *, keep: timedelta) -> bool:
        return await self._change(kind, key, after, keep, (before,))

    async def drop(self, kind: str, key: str) -> None:
        await self._change(kind, key, None, timedelta(), ())

    async def close(self) -> None:
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def _now_us(self) -> int:
        """By the database's clock: what one process has for a while, another must not take before."""
        return to_us(self._clock.now()) + await self._skew.us()

    async def _change(
        self, kind: str, key: str, value: str | None, keep: timedelta, only_if: tuple[str | None, ...]
    ) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        keep_us = round(keep.total_seconds() * 1_000_000)
        self._waiting.append(_Change(kind, key, value, keep_us, only_if, done))
        if self._task is None:
            self._task = asyncio.create_task(self._write_all(), name="memory")
        return await asyncio.shield(done)

    async def _write_all(self) -> None:
        """Writes what waits, and what comes meanwhile in the next transaction."""
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await unhurried(self._write(together))
        finally:
            self._task = None

    async def _write(self, together: Sequence[_Change]) -> None:
        try:
            # In one order in every process, else two that write the same would wait for each other.
            together = sorted(together, key=lambda change: (change.kind, change.key))
            now_us = await self._now_us()
            kept: list[bool] = []
            async with self._store.write() as connection:
                for run in _runs(together):
                    if len(run) > 1:
                        kept += await self._put_all(connection, run, now_us)
                    else:
                        kept.append(await self._carry_out(connection, run[0], now_us))
                await self._sweep(connection, len(together), now_us)
        except Exception as problem:  # noqa: BLE001  # whoever asked is told, and the next are tried
            log.error("a door could not remember %d things: %s", len(together), describe(problem))
            for change in together:
                if not change.done.done():
                    change.done.set_exception(problem)
                    change.done.exception()
            return
        for change, was_kept in zip(together, kept, strict=True):
            if not change.done.done():
                change.done.set_result(was_kept)

    async def _put_all(self, connection: AsyncConnection, puts: Sequence[_Change], now_us: int) -> list[bool]:
        rows = [(self._platform, each.kind, each.key, each.value, now_us + each.keep_us) for each in puts]
        await self._store.bulk.write(connection, _PUT, rows)
        return [True] * len(puts)

    async def _carry_out(self, connection: AsyncConnection, change: _Change, now_us: int) -> bool:
        """One statement, so that two processes cannot both find what only one of them may change."""
        is_it = (memory.c.platform == self._platform, memory.c.kind == change.kind, memory.c.key == change.key)
        if change.value is None:
            await connection.execute(delete(memory).where(*is_it))
            return True
        if not change.only_if:
            return (await self._put_all(connection, (change,), now_us))[0]
        row = {"value": change.value, "until_us": now_us + change.keep_us}
        if change.only_if[0] is not None:
            fits = (memory.c.value == change.only_if[0], memory.c.until_us > now_us)
            found: CursorResult[Any] = await connection.execute(update(memory).where(*is_it, *fits).values(row))
            return found.rowcount == 1
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(memory).values(platform=self._platform, kind=change.kind, key=change.key, **row)
        keys = [memory.c.platform, memory.c.kind, memory.c.key]
        found = await connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=row, where=memory.c.until_us <= now_us)
        )
        return found.rowcount == 1

    async def _sweep(self, connection: AsyncConnection, more: int, now_us: int) -> None:
        self._written += more
        if self._written >= SWEEP_EVERY:
            self._written = 0
            await connection.execute(delete(memory).where(memory.c.until_us <= now_us))


def _runs(changes: Sequence[_Change]) -> Iterator[list[_Change]]:
    """The changes in order, neighbours together where they put different things, whatever is there."""
    run: list[_Change] = []
    for change in changes:
        is_put = change.value is not None and not change.only_if
        if run and not (is_put and _is_put_elsewhere(run[-1], change)):
            yield run
            run = []
        run.append(change)
    if run:
        yield run


def _is_put_elsewhere(last: _Change, change: _Change) -> bool:
    is_put = last.value is not None and not last.only_if
    return is_put and (last.kind, last.key) != (change.kind, change.key)


async def _kept(connection: AsyncConnection, platform: str, kind: str, key: str, now_us: int) -> str | None:
    found = await connection.execute(
        select(memory.c.value).where(
            memory.c.platform == platform, memory.c.kind == kind, memory.c.key == key, memory.c.until_us > now_us
        )
    )
    value: str | None = found.scalar_one_or_none()
    return value
