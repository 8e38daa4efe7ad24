"""A store of a million members: its boards, and what a process that serves it needs to start and to live."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from statistics import median
from typing import Final

import msgspec

from economy.projections.boards import Board, Period
from economy.values import MemberId
from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import Row, spread
from tests.bench.filling import COMMUNITY
from tests.bench.machine import Footprint, percentile
from tests.bench.town import open_town

TOP: Final = Row("top ten of all members, p99", "ms", 5, 1, least=False)
RANK: Final = Row("any member's rank, with the top ten, p99", "ms", 10, 5, least=False)
MEMORY: Final = Row("memory of one process (economy and conversation, without doors)", "MB", 256, 200, least=False)
START: Final = Row("start of the process to its first answered order", "s", 2, 1, least=False)


async def boards(bench: Bench) -> None:
    for store in (POSTGRES, SQLITE):
        address = await bench.large(store)
        async with open_town(address) as town:
            chance = random.Random(3)
            members = bench.sizes.board_members
            tops: list[float] = []
            ranks: list[float] = []
            middles: list[float] = []
            for round_ in range(bench.sizes.runs + 1):
                took: list[list[float]] = [[], []]
                for _ in range(bench.sizes.questions):
                    for reader, times in zip((None, MemberId(chance.randint(1, members))), took, strict=True):
                        asked = time.perf_counter()
                        page = await town.reads.board(
                            COMMUNITY, Board.BALANCE, Period.ALL, now=town.clock.now(), reader=reader
                        )
                        times.append((time.perf_counter() - asked) * 1_000)
                        if len(page.rows) != min(10, members) or (page.own_rank is None) != (reader is None):
                            raise RuntimeError(f"the board is not what it should be: {page}")
                if round_:  # the first one warms
                    tops.append(percentile(took[0], 99))
                    ranks.append(percentile(took[1], 99))
                    middles.append(median(took[1]))
        detail = f"{members:,} members"
        bench.found(TOP, store, tops, detail)
        bench.found(RANK, store, ranks, f"{detail}; p50 {spread(middles)} ms")


async def footprint(bench: Bench) -> None:
    for store in (POSTGRES, SQLITE):
        address = await bench.large(store)
        starts: list[float] = []
        found: list[Footprint] = []
        for _ in range(bench.sizes.runs):
            began = time.monotonic()
            words = (address, str(bench.sizes.board_members), str(bench.sizes.orders))
            command = [sys.executable, "-m", "tests.bench.alone", *words]
            # Nothing else runs in here meanwhile, and nothing should.
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: ASYNC221
            found.append(msgspec.json.decode(done.stdout, type=Footprint))
            starts.append(found[-1].answered_at - began)
        members = f"{bench.sizes.board_members:,} members in the store"
        first = spread([each.memory_first_mb for each in found])
        detail = f"{members}; after {bench.sizes.orders:,} orders and boards; {first} MB at the first answer"
        bench.found(MEMORY, store, [each.memory_mb for each in found], detail)
        bench.found(START, store, starts, members)
