"""Kills, cuts the power and fills the disk under load, and looks whether a coin is lost or doubled: `./dev soak`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.soak.controls import CONTROLS, Caught, control
from tests.soak.disk import disk
from tests.soak.findings import Outcome
from tests.soak.ground import POSTGRES, SQLITE, STORES, Say, Size
from tests.soak.kills import kills
from tests.soak.power import power
from tests.soak.vfs import HiddenLibraryError, must_be_watchable

TOPICS: Final = ("kills", "power", "disk", "controls")

Running = Callable[[str, Size, Say, int], Awaitable[Outcome]]


async def _kills(store: str, size: Size, say: Say, seed: int) -> Outcome:
    return await kills(store, size, say, seed=seed)


async def _power(_store: str, size: Size, say: Say, seed: int) -> Outcome:
    return await power(size, say, seed=seed)


async def _disk(store: str, size: Size, say: Say, seed: int) -> Outcome:
    return await disk(store, size, say, seed=seed)


RUNNING: Final[dict[tuple[str, str], Running]] = {
    ("kills", SQLITE): _kills,
    ("kills", POSTGRES): _kills,
    ("power", SQLITE): _power,
    ("disk", SQLITE): _disk,
    ("disk", POSTGRES): _disk,
}


async def soak(
    topics: Sequence[str], stores: Sequence[str], size: Size, say: Say, *, seed: int
) -> tuple[list[Outcome], list[Caught]]:
    """Runs the topics, one after the other; what each came to, and what the controls did."""
    outcomes: list[Outcome] = []
    for (topic, store), run in RUNNING.items():
        if topic in topics and store in stores:
            say(f"{store}: {topic}")
            outcomes.append(await run(store, size, say, seed))
            say(f"{store}: {topic}: found {outcomes[-1].findings.sorts()}")
    caught: list[Caught] = []
    for each in CONTROLS if "controls" in topics else ():
        if each.store in stores:
            caught.append(await control(each, say, seed=seed))
            said = "caught" if caught[-1].is_caught else "NOT CAUGHT"
            say(f"{each.store}: control: {each.plant}: {said} in {caught[-1].seconds:.0f} s")
    return outcomes, caught


def watches_files(topic: str, store: str) -> bool:
    """Whether it looks at what SQLite writes, which not every Python lets it."""
    return store == SQLITE and topic in {"power", "disk"}


def is_clean(outcomes: Sequence[Outcome], caught: Sequence[Caught]) -> bool:
    """Whether nothing was found where nothing was planted, and everything that was."""
    return not any(outcome.findings for outcome in outcomes) and all(each.is_caught for each in caught)


# --- the command line -----------------------------------------------------------------------------------------------


def options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--minutes", type=float, metavar="N", default=2.0, help="how long each line lasts (2)")
    parser.add_argument("--only", metavar="NAME", action="append", choices=TOPICS, help=", ".join(TOPICS))
    parser.add_argument("--on", metavar="STORE", action="append", choices=STORES, help=", ".join(STORES))
    parser.add_argument("--seed", type=int, metavar="N", help="what chance begins with (drawn, and told)")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    chosen = options(words)
    topics, stores = chosen.only or TOPICS, chosen.on or STORES
    if SQLITE in stores and any(topic != "kills" for topic in topics):
        try:
            must_be_watchable()
        except HiddenLibraryError as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
    # What the bot would tell its operator is not what is asked here; workers write theirs beside their diaries.
    logging.basicConfig(handlers=[logging.NullHandler()])
    # Ended as by Ctrl-C, it takes its server and its folders with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(highlight=False)
    began = time.monotonic()
    seed = secrets.randbelow(2**31) if chosen.seed is None else chosen.seed

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - began:6.0f} s  {text}", markup=False)

    say(f"seed {seed}")
    size = Size(seconds=chosen.minutes * 60)
    outcomes, caught = asyncio.run(soak(topics, stores, size, say, seed=seed))
    if outcomes:
        console.print(figures(outcomes))
    if caught:
        console.print(catches(caught))
    for outcome in outcomes:
        for text in outcome.findings.words():
            console.print(f"{outcome.topic}, {outcome.store}: {text}", markup=False)
    return 0 if is_clean(outcomes, caught) else 1


def figures(outcomes: Sequence[Outcome]) -> Table:
    table = Table("what", "orders", "done to it", "looked at", "lost", "doubled", "broken", box=SIMPLE)
    for column in table.columns:
        # On a narrow screen only what was done gives way.
        column.no_wrap = column.header != "done to it"
    for each in outcomes:
        looks = [f"{each.images:,} images"] if each.images else []
        looks += [f"{each.audits:,} audits"]
        looks += [f"{each.gap_s:.1f} s apart"] if each.gap_s else []
        table.add_row(
            f"{each.topic}\n{each.store}\n{each.seconds / 60:.1f} min",
            f"{each.orders:,}",
            "\n".join(f"{count:,} {name}" for name, count in sorted(each.hits.items())),
            "\n".join([*looks, f"{each.again:,} again"]),
            *(f"{len(found):,}" for found in (each.findings.lost, each.findings.doubled, each.findings.broken)),
        )
        table.add_section()
    return table


def catches(caught: Sequence[Caught]) -> Table:
    table = Table("a bug that was planted", "store", "in", "caught", "as", box=SIMPLE)
    for each in caught:
        took = f"{each.seconds:.1f} s" if each.is_caught else "NO"
        table.add_row(each.control.plant, each.control.store, each.control.topic, took, escape(each.told))
    return table


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
