"""Florin in a process of its own, under load until somebody ends it: with a journal, a projector and callers who write
into a diary what they ask for and what they are told."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import random
import signal
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final

from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from economy.service import Answer, Economy
from economy.store.engine import Store, open_store
from economy.store.errors import OrderFailedError, StoreError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from tests.bench.town import SystemClock
from tests.soak.acts import submission_of
from tests.soak.diary import Diary
from tests.soak.plants import Plant, around

REMEMBERED: Final = 500
AGAIN: Final = 0.08
"""How many deliveries are of an act that this worker has been told of."""

SHARED: Final = 0.1
"""How many are of acts that reach all workers at about the same time."""

SHARED_FOR_S: Final = 0.05
PAUSE_S: Final = 0.05


class Life(Struct, frozen=True):
    """One life of a worker. `again`: what the lives before it asked for and were never told."""

    address: str
    diary: Path
    again: tuple[str, ...]
    callers: int
    plant: Plant | None = None


def work(life: Life) -> None:
    """The whole of a worker's process; it ends in order when it is sent SIGTERM."""
    logging.basicConfig(filename=life.diary.with_suffix(".log"))
    asyncio.run(_work(life))


async def _work(life: Life) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if (soak := multiprocessing.parent_process()) is not None:
        # It becomes readable when the soak dies, whom no worker should outlive.
        loop.add_reader(soak.sentinel, ended.set)
    with Diary(life.diary) as diary:
        store = await opened(life.address, ended)
        if store is None:
            return
        async with store:
            projector = StoreProjector(store)
            async with StoreJournal(around(store, life.plant), SystemClock()) as journal:
                journal.on_commit(projector.wake)
                projecting = asyncio.create_task(projector.run())
                economy = Economy(journal, StoreReads(store), projector, SystemClock())
                await Callers(economy, diary, life.diary.stem, ended).call(life.callers, life.again)
                projecting.cancel()
                with suppress(asyncio.CancelledError):
                    await projecting
            await projector.close()


async def opened(address: str, ended: asyncio.Event) -> Store | None:
    """The store, as soon as there is one; None if it is over before."""
    while not ended.is_set():
        try:
            return await open_store(address)
        except (StoreError, DBAPIError, OSError):
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PAUSE_S)
    return None


class Callers:
    """They act, and deliver again what they were told nothing of, until `ended`."""

    def __init__(self, economy: Economy, diary: Diary, name: str, ended: asyncio.Event) -> None:
        self._economy = economy
        self._diary = diary
        self._ended = ended
        self._chance = random.Random(name)
        self._keys = (f"soak:{name}:{each}" for each in count(1))
        self._told: deque[tuple[str, Answer]] = deque(maxlen=REMEMBERED)

    async def call(self, callers: int, again: Iterable[str]) -> None:
        # A platform that got no answer delivers again.
        await asyncio.gather(*(self._ask(key) for key in again))
        await asyncio.gather(*(self._call() for _ in range(callers)))

    async def _call(self) -> None:
        while not self._ended.is_set():
            drawn = self._chance.random()
            if drawn < AGAIN and self._told:
                await self._ask_again(*self._chance.choice(self._told))
            elif drawn < AGAIN + SHARED:
                await self._ask(f"soak:shared:{int(time.time() / SHARED_FOR_S)}")
            else:
                await self._ask(next(self._keys))

    async def _ask(self, key: str) -> None:
        answer = await self._deliver(key)
        if answer is not None:
            self._told.append((key, answer))

    async def _ask_again(self, key: str, first: Answer) -> None:
        answer = await self._deliver(key)
        if answer is not None and (answer.number != first.number or not answer.repeated):
            self._diary.contradicted(key, f"entry {first.number}, delivered again, was told as {answer.number}")

    async def _deliver(self, key: str) -> Answer | None:
        """What an act came to; None where that is open."""
        self._diary.asked(key)
        try:
            answer = await self._economy.submit(submission_of(key))
        except OrderFailedError:
            self._diary.failed(key)
            await asyncio.sleep(PAUSE_S)
            return None
        is_kept = self._diary.told(key, answer)
        if not is_kept:
            await asyncio.sleep(PAUSE_S)
        return answer if is_kept else None
