"""What happens when many come at once: several processes, one hot account, and orders that do not wait for answers."""

from __future__ import annotations

from typing import Final

from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import Row, spread
from tests.bench.load import Run, closed_loop, open_loop
from tests.bench.machine import percentile
from tests.bench.workers import Crew, Told

PROCESSES: Final = Row("two processes / one, 512 callers in all", "x", 1.0, 1.5)
BEHIND: Final = Row("projections behind the journal, open loop at half of peak", "s", 5, 1, least=False)
OPEN_LATENCY: Final = Row("tips, open loop at half of peak, p99", "ms", least=False)
HOT_RATE: Final = Row("tips of which 7 in 8 are to one account / to anyone", "x")
HOT_FAIRNESS: Final = Row("p99 of the others beside a hot account / beside none", "x", least=False)
OTHERS_PART: Final = 8
"""One caller in eight has nothing to do with the hot account."""


async def processes(bench: Bench) -> None:
    """Workers of their own, so that both sides pay alike for being watched."""
    address, filled = await bench.filled(POSTGRES, "processes", members=bench.sizes.members)
    callers, seconds = bench.sizes.callers, bench.sizes.seconds
    served = bench.served(POSTGRES)
    one: list[Told] = []
    two: list[Told] = []
    with Crew(address, filled.members, 2) as crew:
        for count in (1, 2):
            crew.run(count, callers, seconds, served)
        for _ in range(bench.sizes.runs):
            one.append(crew.run(1, callers, seconds, served))
            two.append(crew.run(2, callers, seconds, served))
    detail = (
        f"{spread([told.rate for told in two])}/s against {spread([told.rate for told in one])}/s; CPU an order"
        f" {spread([told.client_us + told.server_us for told in two])} us against"
        f" {spread([told.client_us + told.server_us for told in one])} us"
    )
    bench.found(PROCESSES, POSTGRES, [b.rate / a.rate for a, b in zip(one, two, strict=True)], detail)
    bench.drop(address)


async def open_loops(bench: Bench) -> None:
    """The peak, and in the same round half of it, where callers do not keep step with the journal."""
    for store in (POSTGRES, SQLITE):
        town = await bench.town(store)
        mix, served, seconds = town.tips(bench.everyone), bench.served(store), bench.sizes.seconds
        await bench.warm(store, town, mix)
        peaks: list[Run] = []
        runs: list[Run] = []
        for _ in range(bench.sizes.runs):
            peaks.append(await closed_loop(town, [(bench.sizes.callers, mix)], seconds, served))
            runs.append(await open_loop(town, mix, peaks[-1].rate / 2, seconds, served))
        load = bench.loaded("tips, open loop at half of peak", store, runs)
        asked = f"{spread([peak.rate / 2 for peak in peaks])}/s asked for"
        longest = [max(run.lags) for run in runs]
        usual = percentile([lag for run in runs for lag in run.lags], 50)
        bench.found(BEHIND, store, longest, f"the longest of each run; usually {usual:.2f} s; {asked}")
        late = [percentile(run.latencies[0], 99) * 1_000 for run in runs]
        bench.found(OPEN_LATENCY, store, late, f"p50 {load.percentiles[50.0] * 1_000:.1f} ms; {asked}")


async def hot_account(bench: Bench) -> None:
    """What one account can take, and what the others feel of it."""
    for store in (POSTGRES, SQLITE):
        town = await bench.town(store)
        others = max(1, bench.sizes.callers // OTHERS_PART)
        crowd = bench.sizes.callers - others
        quiet, hot = town.tips(bench.everyone), town.tips(bench.everyone, to=bench.creators[0])
        both: tuple[list[Run], list[Run]] = [], []
        await bench.warm(store, town, hot)
        for _ in range(bench.sizes.runs):
            for mix, runs in zip((quiet, hot), both, strict=True):
                groups = [(crowd, mix), (others, quiet)]
                runs.append(await closed_loop(town, groups, bench.sizes.seconds, bench.served(store)))
        uniform, heated = both
        bench.loaded(f"tips, {crowd} callers to one account", store, heated)
        bench.loaded(f"tips, the {others} others meanwhile", store, heated, group=1)
        detail = f"{spread([run.rate for run in heated])}/s against {spread([run.rate for run in uniform])}/s"
        bench.found(HOT_RATE, store, [b.rate / a.rate for a, b in zip(uniform, heated, strict=True)], detail)
        late = [[percentile(run.latencies[1], 99) * 1_000 for run in runs] for runs in both]
        detail = f"{spread(late[1])} ms against {spread(late[0])} ms"
        bench.found(HOT_FAIRNESS, store, [b / a for a, b in zip(*late, strict=True)], detail)
