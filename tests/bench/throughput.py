"""How many orders a second, and how long one takes, against pgbench and against bare sqlite3."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Final

from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import Load, Row, spread
from tests.bench.load import Run, closed_loop
from tests.bench.machine import percentile
from tests.bench.references import BareSqlite, Reference
from tests.bench.town import Mix, Town

PGBENCH_CLIENTS: Final = 16
CALLERS_FEW: Final = 64

TIPS: Final = Row("tips, 512 callers / pgbench, 16 clients", "x", 5, 8)
GIFTS: Final = Row("gifts with boards, 512 callers / pgbench, 16 clients", "x", 2.5, 4)
HOT_CREATOR: Final = Row("gifts to one creator / to all creators", "x", 1.0, 1.3)
FEW_RATE: Final = Row("tips, 64 callers / pgbench, 16 clients", "x", 3, 5)
FEW_LATENCY: Final = Row("tips, 64 callers, p99 / pgbench, 16 clients, mean latency", "x", 2, 1.3, least=False)
ACTIVE: Final = 1_000
"""Members who are about where one caller asks at a time: who was just there is known to the process."""

ONE_LATENCY: Final = Row("tips, one caller, p50 / pgbench, one client, mean latency", "x", 1.2, 0.8, least=False)
BARE: Final = Row("tips, 512 callers / bare sqlite3, batches of 512", "x", 0.4, 0.7)


async def tips(bench: Bench) -> None:
    town = await bench.town(POSTGRES)
    pairs = await _against_pgbench(bench, town, town.tips(bench.everyone), bench.sizes.callers, PGBENCH_CLIENTS)
    _compare(bench, TIPS, f"tips, {bench.sizes.callers} callers", pairs)
    _note_reference(bench, f"pgbench, {PGBENCH_CLIENTS} clients", POSTGRES, [reference for reference, _ in pairs])


async def gifts(bench: Bench) -> None:
    town = await bench.town(POSTGRES)
    mix = town.gifts(bench.everyone, bench.creators)
    pairs = await _against_pgbench(bench, town, mix, bench.sizes.callers, PGBENCH_CLIENTS)
    _compare(bench, GIFTS, f"gifts, {bench.sizes.callers} callers", pairs)


async def hot_creator(bench: Bench) -> None:
    town = await bench.town(POSTGRES)
    mixes = town.gifts(bench.everyone, bench.creators), town.gifts(bench.everyone, bench.creators[:1])
    both: tuple[list[Run], list[Run]] = [], []
    for mix in mixes:
        await bench.warm(POSTGRES, town, mix)
    for _ in range(bench.sizes.runs):
        for mix, runs in zip(mixes, both, strict=True):
            runs.append(await _closed(bench, POSTGRES, town, mix, bench.sizes.callers))
    uniform, hot = both
    bench.loaded(f"gifts to one creator, {bench.sizes.callers} callers", POSTGRES, hot)
    rates = f"{spread([run.rate for run in hot])}/s against {spread([run.rate for run in uniform])}/s"
    bench.found(HOT_CREATOR, POSTGRES, [b.rate / a.rate for a, b in zip(uniform, hot, strict=True)], rates)


async def few_callers(bench: Bench) -> None:
    town = await bench.town(POSTGRES)
    pairs = await _against_pgbench(bench, town, town.tips(bench.everyone), CALLERS_FEW, PGBENCH_CLIENTS)
    _compare(bench, FEW_RATE, f"tips, {CALLERS_FEW} callers", pairs)
    latest = [percentile(run.latencies[0], 99) for _, run in pairs]
    detail = f"{_ms(latest)} against {_ms([reference.latency_s for reference, _ in pairs])}"
    values = [late / reference.latency_s for late, (reference, _) in zip(latest, pairs, strict=True)]
    bench.found(FEW_LATENCY, POSTGRES, values, detail)


async def one_caller(bench: Bench) -> None:
    town = await bench.town(POSTGRES)
    about = bench.everyone[:ACTIVE]
    # All of them are seen before, else the first word of each would be most of what is measured.
    await asyncio.gather(*(town.ask(town.tip(member, about[member - 2])) for member in about))
    pairs = await _against_pgbench(bench, town, town.tips(about), 1, 1)
    middles = [percentile(run.latencies[0], 50) for _, run in pairs]
    bench.loaded("tips, one caller", POSTGRES, [run for _, run in pairs])
    _note_reference(bench, "pgbench, one client", POSTGRES, [reference for reference, _ in pairs])
    detail = f"among {len(about):,} members: {_ms(middles)} against {_ms([each.latency_s for each, _ in pairs])}"
    values = [middle / reference.latency_s for middle, (reference, _) in zip(middles, pairs, strict=True)]
    bench.found(ONE_LATENCY, POSTGRES, values, detail)


async def sqlite(bench: Bench) -> None:
    town = await bench.town(SQLITE)
    mix = town.tips(bench.everyone)
    await bench.warm(SQLITE, town, mix)
    bare = BareSqlite(bench.folder / "bare.sqlite", accounts=bench.sizes.members)
    pairs = []
    for _ in range(bench.sizes.runs):
        reference = bare.run(bench.sizes.seconds)
        pairs.append((reference, await _closed(bench, SQLITE, town, mix, bench.sizes.callers)))
    bare.close()
    _compare(bench, BARE, f"tips, {bench.sizes.callers} callers", pairs, store=SQLITE)
    _note_reference(bench, "bare sqlite3, batches of 512", SQLITE, [reference for reference, _ in pairs])


# --- shared ---------------------------------------------------------------------------------------------------------


async def _closed(bench: Bench, store: str, town: Town, mix: Mix, callers: int) -> Run:
    return await closed_loop(town, [(callers, mix)], bench.sizes.seconds, bench.served(store))


async def _against_pgbench(
    bench: Bench, town: Town, mix: Mix, callers: int, clients: int
) -> list[tuple[Reference, Run]]:
    """Rounds of pgbench and Florin in turn."""
    pgbench = bench.pgbench
    await bench.warm(POSTGRES, town, mix, callers)
    pairs = []
    for _ in range(bench.sizes.runs):
        reference = pgbench.run(clients, bench.sizes.seconds)
        pairs.append((reference, await _closed(bench, POSTGRES, town, mix, callers)))
    return pairs


def _compare(bench: Bench, row: Row, title: str, pairs: list[tuple[Reference, Run]], *, store: str = POSTGRES) -> None:
    runs = [run for _, run in pairs]
    bench.loaded(title, store, runs)
    answered = median(run.orders / run.answered_s for run in runs)
    detail = (
        f"{spread([run.rate for run in runs])}/s (answered {answered:,.0f}/s)"
        f" against {spread([reference.rate for reference, _ in pairs])}/s"
    )
    bench.found(row, store, [run.rate / reference.rate for reference, run in pairs], detail)


def _note_reference(bench: Bench, title: str, store: str, references: list[Reference]) -> None:
    bench.results.loads.append(
        Load(
            title,
            store,
            tuple(each.rate for each in references),
            tuple(each.client_us for each in references),
            tuple(each.server_us for each in references),
            {},
        )
    )


def _ms(values: list[float]) -> str:
    return f"{spread([value * 1_000 for value in values])} ms"
