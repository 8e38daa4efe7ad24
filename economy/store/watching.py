"""Takes the figures of a store and of the journal on it, for those who watch from outside."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime
from time import perf_counter
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Engine, Select, and_, case, cast, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import QueuePool

from economy.figures import Behind, Connections, Figures, FileFigures, OutboxFigures, StoreFigures
from economy.service import TELLING_ATTEMPTS_MAX, Clock
from economy.store.engine import Store
from economy.store.errors import StoreError
from economy.store.journal import StoreJournal
from economy.store.projector import PROJECTION
from economy.store.sealer import SEALED
from economy.store.tables import counters, entries, outbox, watermarks
from economy.store.timing import to_us

PATIENCE_S: Final = 2.0
"""How long the database may take to answer before it counts as not answering."""

FRESH_S: Final = 1.0
"""How long figures are given again, however often somebody asks."""

OUTBOX_MAX: Final = 100_000
"""Events counted at most: a count of all could take longer than what it warns of."""


def _behind(reached: Any) -> Select[int, int | None]:
    """How many entries lie beyond `reached`, an expression over `counters`; and when the first of them was written."""
    done = func.coalesce(reached, 0)
    return (
        select(
            cast(func.coalesce(func.sum(counters.c.last_entry - done), 0), BigInteger),
            func.min(entries.c.at_us),
        )
        .select_from(counters)
        .join(entries, and_(entries.c.community_id == counters.c.community_id, entries.c.number == done + 1))
        .where(counters.c.last_entry > done)
    )


_PROJECTED = (
    select(watermarks.c.entry)
    .where(watermarks.c.community_id == counters.c.community_id, watermarks.c.projection == PROJECTION)
    .correlate(counters)
    .scalar_subquery()
)
_PROJECTOR = _behind(_PROJECTED)
_SEALER = _behind(SEALED)
_EVENTS = select(outbox.c.due_us, outbox.c.attempts).order_by(outbox.c.due_us).limit(OUTBOX_MAX).subquery()
_OUTBOX = select(
    func.count(case((_EVENTS.c.attempts < TELLING_ATTEMPTS_MAX, 1))),
    func.count(case((_EVENTS.c.attempts >= TELLING_ATTEMPTS_MAX, 1))),
    func.min(case((_EVENTS.c.attempts < TELLING_ATTEMPTS_MAX, _EVENTS.c.due_us))),
)


class StoreWatch:
    """The `Watch` over one store and its journal. Close it before the store."""

    def __init__(
        self,
        store: Store,
        journal: StoreJournal,
        clock: Clock,
        *,
        patience_s: float = PATIENCE_S,
        fresh_s: float = FRESH_S,
    ) -> None:
        self._store = store
        self._journal = journal
        self._clock = clock
        self._patience_s = patience_s
        self._fresh_s = fresh_s
        self._asking: asyncio.Task[StoreFigures] | None = None
        self._seen: StoreFigures | None = None
        self._seen_s = 0.0

    async def figures(self) -> Figures:
        """See `economy.figures.Watch.figures`."""
        if self._seen is None or perf_counter() - self._seen_s > self._fresh_s:
            self._seen = await self._look()
            self._seen_s = perf_counter()
        store = self._store
        reading = {store.reader.sync_engine, store.looker}
        return Figures(
            self._journal.figures(), self._seen, _connections(store.writer.sync_engine), _connections(*reading)
        )

    async def close(self) -> None:
        """Ends a question that is under way."""
        if self._asking is not None:
            await asyncio.wait((self._asking,), timeout=self._patience_s)
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    async def _look(self) -> StoreFigures:
        # A question without an answer is not asked again beside itself: a database that is slow would be so the more.
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="watch")
        task = self._asking
        done, _ = await asyncio.wait((task,), timeout=self._patience_s)
        if not done:
            return self._silent("it does not answer")
        # Several may have waited for one answer.
        if self._asking is task:
            self._asking = None
        return task.result()

    async def _ask(self) -> StoreFigures:
        began_s = perf_counter()
        try:
            async with asyncio.timeout(self._store.answer_timeout_s), self._store.read() as connection:
                found = await self._found(connection)
        except (StoreError, DBAPIError, OSError, TimeoutError) as problem:
            return self._silent(type(getattr(problem, "orig", problem)).__name__)
        return msgspec.structs.replace(found, answer_s=perf_counter() - began_s, problem="")

    async def _found(self, connection: AsyncConnection) -> StoreFigures:
        server = self._store.server
        now = self._clock.now()
        waiting, dead, due_us = (await connection.execute(_OUTBOX)).one()
        return msgspec.structs.replace(
            self._silent(""),
            losses=() if server is None else tuple(await server.losses(connection)),
            file=self._file() if server is None else None,
            projector=await self._behind(connection, _PROJECTOR, now),
            sealer=await self._behind(connection, _SEALER, now),
            outbox=OutboxFigures(waiting, dead, _age_s(due_us, now)),
        )

    async def _behind(self, connection: AsyncConnection, query: Select[int, int | None], now: datetime) -> Behind:
        count, oldest_us = (await connection.execute(query)).one()
        return Behind(count, _age_s(oldest_us, now))

    def _silent(self, problem: str) -> StoreFigures:
        """What there is to tell without asking the database."""
        server = self._store.server
        return StoreFigures(
            database=self._store.url.get_backend_name(),
            answer_s=None,
            problem=problem,
            is_loss_allowed=server is not None and server.is_loss_allowed,
        )

    def _file(self) -> FileFigures | None:
        file = self._store.file
        log = file.with_name(f"{file.name}-wal")
        try:
            free = shutil.disk_usage(file.absolute().parent).free
            return FileFigures(file.stat().st_size, log.stat().st_size if log.is_file() else 0, free)
        except OSError:
            return None


def _age_s(at_us: int | None, now: datetime) -> float:
    return 0.0 if at_us is None else max(0, to_us(now) - at_us) / 1_000_000


def _connections(*engines: Engine) -> Connections:
    pools = [engine.pool for engine in engines if isinstance(engine.pool, QueuePool)]
    if len(pools) < len(engines):
        raise TypeError("a store's connections are kept in a queue")
    return Connections(sum(pool.checkedout() for pool in pools), sum(pool.size() for pool in pools))
