"""Measures Florin against the limit of the machine, and writes docs/benchmarks.md: `./dev bench`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bot.collecting import collect_rarely
from tests.bench import auditing, ceiling, crowds, discord_door, growth, main_job, standing, telegram_door, throughput
from tests.bench.bench import QUICK, Bench, Sizes
from tests.bench.figures import Results
from tests.bench.machine import shape
from tests.bench.report import summary, write

TOPICS: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "tips": throughput.tips,
    "gifts": throughput.gifts,
    "hot-creator": throughput.hot_creator,
    "few-callers": throughput.few_callers,
    "one-caller": throughput.one_caller,
    "sqlite": throughput.sqlite,
    "ceiling": ceiling.ceiling,
    "processes": crowds.processes,
    "open-loop": crowds.open_loops,
    "hot-account": crowds.hot_account,
    "growth": growth.growth,
    "audit": auditing.audits,
    "boards": standing.boards,
    "footprint": standing.footprint,
    "discord": discord_door.discord_door,
    "telegram": telegram_door.updates,
    "discord-job": main_job.discord_job,
    "telegram-job": main_job.telegram_job,
}

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


async def measure(sizes: Sizes, topics: Sequence[str], say: Callable[[str], None]) -> tuple[Results, dict[str, str]]:
    """Runs the topics in order; what was found, and the machine's shape."""
    machine = shape()
    async with Bench(sizes, say) as bench:
        for topic in topics:
            say(f"== {topic}")
            await TOPICS[topic](bench)
        if bench.has_server:
            machine["PostgreSQL"] = bench.server.sql("SHOW server_version").partition(" ")[0]
        return bench.results, machine


def options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", choices=list(TOPICS), help=", ".join(TOPICS))
    parser.add_argument("--quick", action="store_true", help="small stores and short rounds: a first look")
    parser.add_argument("--runs", type=int, metavar="N", help="interleaved rounds, of which the median counts (5)")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long each side of a round asks (4)")
    parser.add_argument("--grow", type=int, metavar="N", help="entries of the largest store (10,000,000)")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="FILE", help="where to write (docs/benchmarks.md)")
    return parser.parse_args(words)


def sizes_of(chosen: argparse.Namespace) -> Sizes:
    sizes = QUICK if chosen.quick else Sizes()
    if chosen.grow:
        few = min(sizes.grown[0], chosen.grow // 10)
        sizes = msgspec.structs.replace(sizes, grown=(few, round((few * chosen.grow) ** 0.5), chosen.grow))
    runs, seconds = chosen.runs or sizes.runs, chosen.seconds or sizes.seconds
    return msgspec.structs.replace(sizes, runs=runs, seconds=seconds)


def main(words: Sequence[str]) -> None:
    chosen = options(words)
    sizes = sizes_of(chosen)
    console = Console(highlight=False)
    began = time.monotonic()
    # As every process of Florin's does.
    collect_rarely()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {text}", markup=False)

    results, machine = asyncio.run(measure(sizes, chosen.only or list(TOPICS), say))
    took_s = time.monotonic() - began
    command = " ".join(("./dev bench", *words))
    write(results, sizes, machine, datetime.now(UTC).date(), chosen.page, command=command, took_s=took_s)
    table = Table("what", "store", "measured", "must / aim", "reached")
    for row in summary(results.figures):
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
