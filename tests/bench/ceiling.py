"""What one Python process could do on a store that costs nothing: the same orders, decided in memory.

The order is made, digested, decided by its rule against books that are there, and answered; nothing is found, locked,
read, written or added to a board. No store can be faster than this, so a target above it is out of reach of one process
on the machine at hand, and a target below it is not.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from statistics import median
from typing import Final

from economy.books import ACTED, PRESENT, Books, Member
from economy.service import Answer, Submission
from economy.store.batch import Waiting, take_batch
from economy.store.deciding import Deciding
from economy.store.journal import draw_nonce
from economy.store.reading import State
from economy.values import Asset, MemberId
from tests.bench.bench import NO_STORE, POSTGRES, Bench
from tests.bench.figures import Load, Row, spread
from tests.bench.filling import BONUS_LEAST, COMMUNITY, person, person_name
from tests.bench.machine import own_cpu_s
from tests.bench.references import BareSqlite
from tests.bench.throughput import PGBENCH_CLIENTS
from tests.bench.town import Mix, SystemClock, Town

AGAINST_PGBENCH: Final = Row("tips decided in memory, 512 callers / pgbench, 16 clients", "x")
AGAINST_SQLITE: Final = Row("tips decided in memory, 512 callers / bare sqlite3, batches of 512", "x")


class MemoryJournal:
    """Decides what waits as one batch, as the store's journal does, and keeps nothing but its books."""

    def __init__(self, members: int) -> None:
        books = Books()
        for number in range(1, members + 1):
            flags = {PRESENT: True, ACTED: True}
            wallet = {Asset.BONUS: BONUS_LEAST}
            member = Member(MemberId(number), person(number), person_name(number), wallet=wallet, flags=dict(flags))
            books.add(member)
        self._state = State({COMMUNITY: books}, last_entries={COMMUNITY: 0})
        self._clock = SystemClock()
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    async def submit(self, submission: Submission) -> Answer:
        waiting = Waiting(submission, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        return await waiting.answered

    @asynccontextmanager
    async def deciding(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                self._decide(take_batch(self._waiting))
                await asyncio.sleep(0)

    def _decide(self, batch: list[Waiting]) -> None:
        for waiting in batch:
            waiting.community = COMMUNITY
        deciding = Deciding(self._state, self._clock.now(), draw_nonce)
        deciding.decide(batch)
        self._state.last_entries[COMMUNITY] += len(deciding.drafts)
        for draft in deciding.drafts:
            if draft.waiting is not None:
                entry = draft.entry
                draft.waiting.answer = Answer(entry.receipt, entry.at, entry.time_zone, entry.number)
        for waiting in batch:
            waiting.reply()


async def _rate(journal: MemoryJournal, mix: Mix, callers: int, seconds: float) -> tuple[float, float]:
    """Orders a second, and CPU time of each in microseconds."""
    answered = 0

    async def call(until: float) -> None:
        nonlocal answered
        while time.perf_counter() < until:
            await journal.submit(mix())
            answered += 1

    async with journal.deciding():
        used, began = own_cpu_s(), time.perf_counter()
        await asyncio.gather(*(call(began + seconds) for _ in range(callers)))
        took = time.perf_counter() - began
    return answered / took, (own_cpu_s() - used) / answered * 1e6


async def ceiling(bench: Bench) -> None:
    town: Town = await bench.town(POSTGRES)
    journal = MemoryJournal(bench.sizes.members)
    mix, callers, seconds = town.tips(bench.everyone), bench.sizes.callers, bench.sizes.seconds
    bare = BareSqlite(bench.folder / "bare-ceiling.sqlite", accounts=bench.sizes.members)
    rounds = []
    for _ in range(bench.sizes.runs):
        server = bench.pgbench.run(PGBENCH_CLIENTS, seconds)
        file = bare.run(seconds)
        rounds.append((*await _rate(journal, mix, callers, seconds), server.rate, file.rate))
    bare.close()
    rates, used, servers, files = (tuple(each) for each in zip(*rounds, strict=True))
    title = f"tips decided in memory, {callers} callers"
    bench.results.loads.append(Load(title, NO_STORE, rates, used, tuple(0.0 for _ in rates), {}))
    told = f"{spread(rates)}/s, {median(used):.0f} us of CPU each: what no store can be faster than;"
    for row, against in ((AGAINST_PGBENCH, servers), (AGAINST_SQLITE, files)):
        ratios = [rate / other for rate, other in zip(rates, against, strict=True)]
        bench.found(row, NO_STORE, ratios, f"{told} against {spread(against)}/s")
