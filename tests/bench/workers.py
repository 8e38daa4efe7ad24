"""Florin in processes of their own: each carries its journal, its projector and its callers.

`python -m tests.bench.workers ADDRESS NAME MEMBERS` is one of them. Asked by a line `CALLERS SECONDS` it answers a line
of JSON; at the end of its input it ends.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

import msgspec
from msgspec import Struct

from bot.collecting import collect_rarely
from tests.bench.load import closed_loop
from tests.bench.town import open_town


class Told(Struct, frozen=True):
    """What workers did. `seconds` end when the last of them has drained projections."""

    orders: int
    seconds: float
    client_s: float
    server_s: float = 0.0

    @property
    def rate(self) -> float:
        return self.orders / self.seconds

    @property
    def client_us(self) -> float:
        return self.client_s / self.orders * 1e6

    @property
    def server_us(self) -> float:
        return self.server_s / self.orders * 1e6


class Crew:
    """Workers on one store, all warm, of which some work at a time."""

    def __init__(self, address: str, members: int, count: int) -> None:
        self._started = ExitStack()
        self._workers: list[subprocess.Popen[str]] = []
        self._commands = [
            [sys.executable, "-m", "tests.bench.workers", address, str(number), str(members)]
            for number in range(1, count + 1)
        ]

    def __enter__(self) -> Self:
        for command in self._commands:
            worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._workers.append(self._started.enter_context(worker))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            if worker.stdin is not None:
                worker.stdin.close()
        self._started.close()

    def run(self, count: int, callers: int, seconds: float, served: Callable[[], float]) -> Told:
        """Shares the callers among `count` of the workers. Blocks."""
        server = served()
        working = self._workers[:count]
        for worker in working:
            assert worker.stdin is not None
            worker.stdin.write(f"{callers // count} {seconds}\n")
            worker.stdin.flush()
        told = []
        for worker in working:
            assert worker.stdout is not None
            told.append(msgspec.json.decode(worker.stdout.readline(), type=Told))
        return Told(
            orders=sum(each.orders for each in told),
            seconds=max(each.seconds for each in told),
            client_s=sum(each.client_s for each in told),
            server_s=served() - server,
        )


async def work(address: str, name: str, members: int) -> None:
    async with open_town(address, name=name) as town:
        mix = town.tips(range(1, members + 1))
        # Nothing else runs in here between two questions, so waiting may block.
        for line in iter(sys.stdin.readline, ""):
            callers, seconds = line.split()
            run = await closed_loop(town, [(int(callers), mix)], float(seconds), lambda: 0.0)
            told = Told(run.orders, run.seconds, run.client_s)
            sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    collect_rarely()
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
