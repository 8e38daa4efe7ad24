"""The whole main job: people act at a platform, and the door, the conversation, the journal and a store answer them.

The platform is a process of its own, so that what it costs does not count, and so is Florin, so that nothing else does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from msgspec import Struct

from economy.values import Place
from tests.bench.arrivals import Arrived, Child, Where
from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import Row, spread
from tests.bench.filling import FIRST_ID, PLACE
from tests.bench.machine import percentile
from tests.bench.parts import Spent
from tests.bench.telegram_door import GROUP
from tests.support.telegram_world import FIRST_ID as TELEGRAM_FIRST_ID

IN_TIME_S: Final = 3.0
"""How long Discord waits for a first answer."""
WARM_S: Final = 1.0


class Job(Struct, frozen=True):
    """One platform: what it is called, the module that plays it, how many act there in a second, the place and the
    native id of member 0. `may_ask` is what the door may ask of the platform."""

    platform: str
    called: str
    module: str
    acts: str
    rate: float
    place: Place
    first_id: int
    may_ask: frozenset[str] = frozenset()

    def rows(self) -> tuple[Row, Row, Row, Row]:
        what = f"{self.called}: {self.rate:g} {self.acts} a second, the whole main job"
        core_us = 1e6 / self.rate
        return (
            Row(f"{what}: answered within 3 s", "of all", 1, 1),
            Row(f"{what}: p99 to the first answer", "ms", 1_500, 300, least=False),
            Row(f"{what}: CPU each", "us", core_us, 0.75 * core_us, least=False),
            Row(f"{what}: memory", "MB", 256, 200, least=False),
        )


DISCORD: Final = Job("discord", "Discord", "tests.bench.discord_guild", "interactions", 500, PLACE, FIRST_ID)
TELEGRAM: Final = Job(
    "telegram",
    "Telegram",
    "tests.bench.telegram_group",
    "updates",
    300,
    Place("telegram", str(GROUP)),
    TELEGRAM_FIRST_ID - 1,
    # Who administers the group, and whether somebody is in it whom nobody heard of for long.
    frozenset({"getChatAdministrators", "getChatMember"}),
)


async def discord_job(bench: Bench) -> None:
    await _measure(bench, DISCORD)


async def telegram_job(bench: Bench) -> None:
    await _measure(bench, TELEGRAM)


async def _measure(bench: Bench, job: Job) -> None:
    for store in (SQLITE, POSTGRES):
        address, filled = await bench.filled(
            store, job.platform, members=bench.sizes.members, place=job.place, first_id=job.first_id
        )
        runs: list[tuple[Arrived, Spent, Spent]] = []
        with ExitStack() as children:
            people = children.enter_context(Child(job.module, [str(filled.members)]))
            where = people.told(Where)
            words = [address, job.platform, *where.words]
            florin = children.enter_context(Child("tests.bench.served", words))
            people.ask(f"{job.rate / 2} {bench.sizes.seconds / 2}", Arrived)
            for _ in range(bench.sizes.runs):
                before = florin.ask("", Spent)
                arrived = people.ask(f"{job.rate} {bench.sizes.seconds}", Arrived)
                runs.append((_checked(arrived, job), before, florin.ask("", Spent)))
        _tell(bench, store, job, runs)
        bench.drop(address)


def _checked(arrived: Arrived, job: Job) -> Arrived:
    unheard_of = arrived.asked.keys() - job.may_ask
    if unheard_of or arrived.problems:
        raise RuntimeError(f"a door asks nobody who somebody is: {unheard_of} {arrived.problems[:3]}")
    return arrived


def _tell(bench: Bench, store: str, job: Job, runs: Sequence[tuple[Arrived, Spent, Spent]]) -> None:
    in_time, late, cpu, memory = job.rows()
    members = f"{bench.sizes.members:,} members"
    shares = [sum(each <= IN_TIME_S for each in run.answers_s) / run.awaited for run, _, _ in runs]
    rates = [run.acts / max(run.seconds, *run.answers_s) for run, _, _ in runs]
    asked = Counter[str]()
    for run, _, _ in runs:
        asked.update(run.asked)
    told = "".join(f"; {what} {times} times" for what, times in sorted(asked.items()))
    answers_s = [each for run, _, _ in runs for each in run.answers_s]
    bench.found(in_time, store, shares, f"{members}; {spread(rates)}/s{told}")
    p99_ms = [percentile(run.answers_s, 99) * 1_000 for run, _, _ in runs]
    bench.found(late, store, p99_ms, f"p50 {percentile(answers_s, 50) * 1_000:.0f} ms")
    cpu_us = [(after.cpu_s - before.cpu_s) / run.acts * 1e6 for run, before, after in runs]
    bench.found(cpu, store, cpu_us, _parts(runs))
    bench.found(memory, store, [after.memory_mb for _, _, after in runs], members)


def _parts(runs: Sequence[tuple[Arrived, Spent, Spent]]) -> str:
    """What the time went into, in the median."""
    names = sorted({name for _, _, after in runs for name in after.parts_s})
    spent = {
        name: [
            (after.parts_s.get(name, 0) - before.parts_s.get(name, 0)) / run.acts * 1e6 for run, before, after in runs
        ]
        for name in names
    }
    threads = [
        (after.cpu_s - before.cpu_s - sum(after.parts_s.values()) + sum(before.parts_s.values())) / run.acts * 1e6
        for run, before, after in runs
    ]
    return "; ".join(f"{name} {spread(values)}" for name, values in (*spent.items(), ("in threads", threads)))
