"""The journal of a second process, which does as the first one says."""

from __future__ import annotations

import asyncio
import multiprocessing
from contextlib import suppress
from datetime import datetime
from multiprocessing.connection import Connection
from typing import NamedTuple, Self

from economy.service import Answer, Submission
from economy.store.journal import StoreJournal
from tests.economy import orders
from tests.support.stores import open_store


class Told(NamedTuple):
    """What to do: with the store at `address` (empty: leave the one before), at `now`, all at the same moment."""

    address: str
    now: datetime
    submissions: list[Submission]


LEAVE = Told("", orders.START, [])


class ToldClock:
    """The time that the first process said it was."""

    def __init__(self) -> None:
        self.at = orders.START

    def now(self) -> datetime:
        return self.at


async def serve(line: Connection) -> None:
    while True:
        await serve_one(line, line.recv())


async def serve_one(line: Connection, told: Told) -> None:
    """Carries out what is told of one store, until it is to be left."""
    clock = ToldClock()
    async with await open_store(told.address) as store, StoreJournal(store, clock) as journal:
        while told.address:
            clock.at = told.now
            line.send(await asyncio.gather(*(journal.submit(each) for each in told.submissions)))
            # Blocking: between two tellings nothing is to be done here.
            told = line.recv()
    line.send([])


def begin(line: Connection) -> None:
    with suppress(EOFError):  # the first process wants nothing more
        asyncio.run(serve(line))


class SecondProcess:
    """The other end: `tell` it what to do, and `hear` what came of it. It has one store open at a time."""

    def __init__(self) -> None:
        # Not forked: threads and connections of this process are none of its own.
        context = multiprocessing.get_context("spawn")
        self._line, other = context.Pipe()
        self._process = context.Process(target=begin, args=(other,))
        self._process.start()
        other.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._process.join()
        self._process.close()

    def tell(self, address: str, now: datetime, submissions: list[Submission]) -> None:
        self._line.send(Told(address, now, submissions))

    def hear(self) -> list[Answer]:
        heard: list[Answer] = self._line.recv()
        return heard

    def leave(self) -> None:
        """Lets go of the store it has open, which may be taken away then."""
        self._line.send(LEAVE)
        self.hear()
