"""What doors remember: `adapters.contract.Memory` on a store. Written in groups, as the journal writes.

None of it decides about money. What was put is there once `put` returns; a crash, a restore or a move may lose it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.service import Clock
from economy.store.engine import Store, unhurried
from economy.store.errors import describe
from economy.store.tables import memory
from economy.store.timing import to_us

log = logging.getLogger(__name__)

SWEEP_EVERY: Final = 1_000
"""After how many writes what has outlived its time is removed."""

TOGETHER_MAX: Final = 500


class _Change(Struct, frozen=True, eq=False):
    """One thing to be put (`value`) or dropped (None). `only_if`: what must be there before, () for whatever is."""

    kind: str
    key: str
    value: str | None
    until_us: int
    only_if: tuple[str | None, ...]
    done: asyncio.Future[bool]


class StoreMemory:
    """One door's memory. Close it: what waits is written."""

    def __init__(self, store: Store, clock: Clock, platform: str) -> None:
        self._store = store
        self._clock = clock
        self._platform = platform
        self._waiting: list[_Change] = []
        self._task: asyncio.Task[None] | None = None
        self._written = 0

    async def get(self, kind: str, key: str) -> str | None:
        return await self._store.look(_kept, self._platform, kind, key, to_us(self._clock.now()))

    async def put(self, kind: str, key: str, value: str, *, keep: timedelta) -> None:
        await self._change(kind, key, value, keep, ())

    async def swap(self, kind: str, key: str, before: str | None, after: str, *, keep: timedelta) -> bool:
        return await self._change(kind, key, after, keep, (before,))

    async def drop(self, kind: str, key: str) -> None:
        await self._change(kind, key, None, timedelta(), ())

    async def close(self) -> None:
        while self._task is not None:
            await asyncio.wait((self._task,))

    async def _change(
        self, kind: str, key: str, value: str | None, keep: timedelta, only_if: tuple[str | None, ...]
    ) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        until_us = to_us(self._clock.now() + keep)
        self._waiting.append(_Change(kind, key, value, until_us, only_if, done))
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
            async with self._store.write() as connection:
                kept = [await self._carry_out(connection, change) for change in together]
                await self._sweep(connection, len(together))
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

    async def _carry_out(self, connection: AsyncConnection, change: _Change) -> bool:
        """One statement, so that two processes cannot both find what only one of them may change."""
        now_us = to_us(self._clock.now())
        is_it = (memory.c.platform == self._platform, memory.c.kind == change.kind, memory.c.key == change.key)
        if change.value is None:
            await connection.execute(delete(memory).where(*is_it))
            return True
        row = {"value": change.value, "until_us": change.until_us}
        if change.only_if and change.only_if[0] is not None:
            fits = (memory.c.value == change.only_if[0], memory.c.until_us > now_us)
            found: CursorResult[Any] = await connection.execute(update(memory).where(*is_it, *fits).values(row))
            return found.rowcount == 1
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(memory).values(platform=self._platform, kind=change.kind, key=change.key, **row)
        found = await connection.execute(
            statement.on_conflict_do_update(
                index_elements=[memory.c.platform, memory.c.kind, memory.c.key],
                set_=row,
                where=(memory.c.until_us <= now_us) if change.only_if else None,
            )
        )
        return found.rowcount == 1

    async def _sweep(self, connection: AsyncConnection, more: int) -> None:
        self._written += more
        if self._written >= SWEEP_EVERY:
            self._written = 0
            await connection.execute(delete(memory).where(memory.c.until_us <= to_us(self._clock.now())))


async def _kept(connection: AsyncConnection, platform: str, kind: str, key: str, now_us: int) -> str | None:
    found = await connection.execute(
        select(memory.c.value).where(
            memory.c.platform == platform, memory.c.kind == kind, memory.c.key == key, memory.c.until_us > now_us
        )
    )
    value: str | None = found.scalar_one_or_none()
    return value
