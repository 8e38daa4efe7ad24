"""Asking for orders, closed loop and open loop, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct

from economy.service import Submission
from tests.bench.filling import COMMUNITY
from tests.bench.machine import own_cpu_s
from tests.bench.town import Mix, Town

Served = Callable[[], float]
"""CPU time of the database server so far, in seconds; 0 where there is none."""

LOOK_EVERY_S = 0.05


class Run(Struct, frozen=True):
    """One measurement. `seconds` end when projections are drained, `answered_s` when the last order was answered.

    `latencies` are of each group of callers, in seconds. `lags`: how old the oldest entry was that projections did
    not have, looked at all along.
    """

    orders: int
    seconds: float
    answered_s: float
    latencies: tuple[Sequence[float], ...]
    client_s: float
    server_s: float
    lags: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Orders a second, each of them on the boards."""
        return self.orders / self.seconds

    @property
    def client_us(self) -> float:
        return self.client_s / self.orders * 1e6

    @property
    def server_us(self) -> float:
        return self.server_s / self.orders * 1e6


async def closed_loop(town: Town, groups: Sequence[tuple[int, Mix]], seconds: float, served: Served) -> Run:
    """Each caller of a group asks for the next order when the one before is answered."""
    latencies: tuple[list[float], ...] = tuple([] for _ in groups)

    async def call(mix: Mix, took: list[float], until: float) -> None:
        while (asked := time.perf_counter()) < until:
            await town.ask(mix())
            took.append(time.perf_counter() - asked)

    async with town.projecting():
        client, server, began = own_cpu_s(), served(), time.perf_counter()
        callers = [
            call(mix, took, began + seconds)
            for (count, mix), took in zip(groups, latencies, strict=True)
            for _ in range(count)
        ]
        await asyncio.gather(*callers)
        answered = time.perf_counter()
        await town.projector.drain()
        ended = time.perf_counter()
    return Run(
        orders=sum(len(took) for took in latencies),
        seconds=ended - began,
        answered_s=answered - began,
        latencies=latencies,
        client_s=own_cpu_s() - client,
        server_s=served() - server,
    )


async def open_loop(town: Town, mix: Mix, rate: float, seconds: float, served: Served) -> Run:
    """Orders come by chance, `rate` a second, whether those before are answered or not.

    A latency counts from when the order was due, so that falling behind shows.
    """
    took: list[float] = []
    lags: list[float] = []

    async def ask(submission: Submission, due: float) -> None:
        await town.ask(submission)
        took.append(time.perf_counter() - due)

    async with town.projecting(), asyncio.TaskGroup() as asked:
        looking = asyncio.create_task(_look(town, lags))
        client, server, began = own_cpu_s(), served(), time.perf_counter()
        due = began
        while due < began + seconds:
            while due <= time.perf_counter():
                asked.create_task(ask(mix(), due))
                due += town.chance.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await town.journal.drained()
        answered = time.perf_counter()
        await town.projector.drain()
        ended = time.perf_counter()
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
    return Run(
        orders=len(took),
        seconds=ended - began,
        answered_s=answered - began,
        latencies=(took,),
        client_s=own_cpu_s() - client,
        server_s=served() - server,
        lags=lags,
    )


_WATERMARK = f"SELECT entry FROM watermarks WHERE community_id = {COMMUNITY} AND projection = 'boards'"


async def _look(town: Town, found: list[float]) -> None:
    """Notes how old the oldest entry is that projections do not have yet, until it is cancelled."""
    town.commits.clear()
    while True:
        now = time.perf_counter()
        async with town.store.read() as connection:
            reached = (await connection.exec_driver_sql(_WATERMARK)).scalar_one()
        while town.commits and town.commits[0][1] <= reached:
            town.commits.popleft()
        # What was committed while the question was on its way is no lag yet.
        found.append(max(0.0, now - town.commits[0][0]) if town.commits else 0.0)
        await asyncio.sleep(LOOK_EVERY_S)
