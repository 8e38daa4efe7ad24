"""People who act by chance, so many a second, whether those before were answered or not; in a process of their own.

Such a process says where its platform is, answers each line `RATE SECONDS` with a line of JSON that tells what came of
it, and ends with its input.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Self, TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")

PATIENCE_S: Final = 30.0
"""How long answers are waited for after the last act."""


class Where(Struct, frozen=True):
    """What leads a door to the platform."""

    words: tuple[str, ...]


class Arrived(Struct, frozen=True):
    """What came of acts that were due within `seconds`, of which `awaited` want an answer.

    `answers_s` are from when each was due to when its first answer was there, as people see it. `asked` is what the
    platform was asked by the way, such as who somebody is, by path.
    """

    seconds: float
    acts: int
    awaited: int
    answers_s: tuple[float, ...]
    asked: dict[str, int] = {}
    problems: tuple[str, ...] = ()


Act = Callable[[float], Awaitable[None]]
"""Does something that was due then, and returns once the platform was told."""


async def arrive(act: Act, rate: float, seconds: float, chance: random.Random) -> int:
    """How many acts there were."""
    began = due = time.perf_counter()
    acts = 0
    while due < began + seconds:
        while due <= time.perf_counter():
            await act(due)
            acts += 1
            due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
    return acts


async def serve(where: Where, run: Callable[[float, float], Awaitable[Arrived]]) -> None:
    """The process's side."""
    say(where)
    while line := await asyncio.to_thread(sys.stdin.readline):
        rate, seconds = map(float, line.split())
        say(await run(rate, seconds))


def say(told: Struct) -> None:
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    sys.stdout.flush()


class Child:
    """A process that is asked by lines, and answers by lines of JSON."""

    def __init__(self, module: str, words: Sequence[str]) -> None:
        command = [sys.executable, "-m", module, *words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def told(self, kind: type[T]) -> T:
        """The next line. Blocks. Raises RuntimeError where the process has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the benchmark has ended")
        return msgspec.json.decode(line, type=kind)

    def ask(self, line: Any, kind: type[T]) -> T:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self.told(kind)
