"""What an order costs when much has happened before."""

from __future__ import annotations

from contextlib import AsyncExitStack
from statistics import median
from typing import Final

from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import GrowthPoint, Row, spread
from tests.bench.load import Run, closed_loop
from tests.bench.town import open_town

TIME: Final = Row("time of an order, many entries / few", "x", 1.3, 1.1, least=False)
CPU: Final = Row("CPU time of an order, many entries / few", "x", 1.3, 1.1, least=False)


async def growth(bench: Bench) -> None:
    for store in (POSTGRES, SQLITE):
        await _grow(bench, store)


async def _grow(bench: Bench, store: str) -> None:
    # Members and scores are as many everywhere, so that only the entries differ: each member comes with two of them,
    # and even the smallest store has had its first round of tips.
    members = bench.sizes.grown[0] // 3
    stores = [
        await bench.filled(store, f"grown-{entries}", members=members, entries=entries) for entries in bench.sizes.grown
    ]
    runs: list[list[Run]] = [[] for _ in stores]
    async with AsyncExitStack() as opened:
        towns = [await opened.enter_async_context(open_town(address)) for address, _ in stores]
        mixes = [town.tips(range(1, members + 1)) for town in towns]
        for town, mix in zip(towns, mixes, strict=True):
            await bench.warm(store, town, mix)
        for _ in range(bench.sizes.runs):
            for town, mix, done in zip(towns, mixes, runs, strict=True):
                groups = [(bench.sizes.callers, mix)]
                done.append(await closed_loop(town, groups, bench.sizes.seconds, bench.served(store)))
    few, many = runs[0], runs[-1]
    sizes = f"{stores[-1][1].entries:,} against {stores[0][1].entries:,} entries"
    times = f"{sizes}: {spread([run.rate for run in many])}/s against {spread([run.rate for run in few])}/s"
    bench.found(TIME, store, _times(few, many), times)
    used = f"{sizes}: {spread(_cpu(many))} us against {spread(_cpu(few))} us"
    bench.found(CPU, store, _ratios(_cpu(few), _cpu(many)), used)
    for (address, filled), done in zip(stores, runs, strict=True):
        cpu = median(_ratios(_cpu(few), _cpu(done)))
        bench.results.growth.append(GrowthPoint(store, filled.entries, median(_times(few, done)), cpu))
        bench.drop(address)


def _times(few: list[Run], many: list[Run]) -> list[float]:
    return [a.rate / b.rate for a, b in zip(few, many, strict=True)]


def _cpu(runs: list[Run]) -> list[float]:
    return [run.client_us + run.server_us for run in runs]


def _ratios(few: list[float], many: list[float]) -> list[float]:
    return [b / a for a, b in zip(few, many, strict=True)]
