"""Fault 46, Fault 47, Fault 146: a disk that is full, may not be written to, or fails, while orders come.

On SQLite the file system says so, or SQLite's own limit; on PostgreSQL the server says so, as it would.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Final

from msgspec import Struct

from economy.service import Economy
from economy.store.engine import Store, open_store
from economy.store.journal import JournalState, StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from tests.bench.town import SystemClock
from tests.soak.auditor import Auditor
from tests.soak.diary import Diaries, Diary
from tests.soak.findings import Outcome
from tests.soak.ground import CHECKPOINTS, SQLITE, Ground, Say, Size, pragmas
from tests.soak.plants import Plant, around, is_caught
from tests.soak.settling import settle
from tests.soak.vfs import OK, watched
from tests.soak.worker import Callers

LOOK_EVERY_S: Final = 0.02
PATIENCE_S: Final = 60.0
SPELL_S: Final = 0.4
"""How long a fault lasts at least."""

CALM_ORDERS: Final = 20
"""How many orders are done between two faults."""

REFUSED: Final = 3
PAGES_MAX: Final = 1_000_000
SOME: Final = 0.2
"""How many writes fail where not all do."""

Switch = Callable[[Store], Awaitable[None]]


class Fault(Struct, frozen=True):
    """What goes wrong with a disk for a while. `refuses`: every order must be refused as `read_only` meanwhile.
    `stops`: the journal writes no more, and the process begins anew. `at_start`: it begins before the store is opened.
    `is_met`: whether anything has failed since it began.
    """

    name: str
    begin: Switch
    end: Switch
    refuses: bool = False
    stops: bool = False
    at_start: bool = False
    is_met: Callable[[], bool] = lambda: True


async def disk(store: str, size: Size, say: Say, *, seed: int, plant: Plant | None = None) -> Outcome:
    """One fault after the other, under load. With a plant it ends as soon as that is seen, or its patience is over."""
    outcome = Outcome("disk", store)
    async with Ground(store, seed=seed, plant=plant) as ground, _faults(ground) as faults:
        await _Soak(ground, size, outcome, say, faults).run()
    return outcome


# --- what goes wrong ------------------------------------------------------------------------------------------------


class FaultyDisk:
    """Answers some writes, or some syncs, with an error of SQLite's. `log_is_well`: those of the
    write-ahead log are not among them, so that only checkpoints fail."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.failed = 0
        """How often, since it was last told to."""
        self._of_writes = OK
        self._of_syncs = OK
        self._share = 1.0
        self._log_is_well = False

    def fail(self, *, writes: int = OK, syncs: int = OK, share: float = 1.0, log_is_well: bool = False) -> None:
        self.failed = 0
        self._of_writes, self._of_syncs, self._share, self._log_is_well = writes, syncs, share, log_is_well

    def _drawn(self, path: str, code: int) -> int:
        if code == OK or (self._log_is_well and path.endswith("-wal")) or self._chance.random() >= self._share:
            return OK
        self.failed += 1
        return code

    def wrote(self, path: str, _offset: int, _content: bytes) -> int:
        return self._drawn(path, self._of_writes)

    def synced(self, path: str) -> int:
        return self._drawn(path, self._of_syncs)

    def cut(self, _path: str, _size: int) -> int:
        return OK

    def opened(self, _path: str) -> int:
        return OK

    def deleted(self, _path: str, *, synced: bool) -> int:
        return OK


@asynccontextmanager
async def _faults(ground: Ground) -> AsyncIterator[Sequence[Fault]]:
    """The faults that a store can meet."""
    if ground.store != SQLITE:
        async with await open_store(ground.address) as store:
            await _faulty_server(store)
        yield [_server_fault("at a write"), _server_fault("at the commit")]
        return
    faulty = FaultyDisk(random.Random(ground.chance.random()))
    with watched(ground.folder / "florin.sqlite", faulty):
        yield _file_faults(faulty)


def _file_faults(faulty: FaultyDisk) -> Sequence[Fault]:
    async def well(_store: Store) -> None:
        faulty.fail()

    def failing(*, writes: int = OK, syncs: int = OK, share: float = 1.0, log_is_well: bool = False) -> Switch:
        async def fail(_store: Store) -> None:
            faulty.fail(writes=writes, syncs=syncs, share=share, log_is_well=log_is_well)

        return fail

    def fault(name: str, begin: Switch, *, refuses: bool = False, stops: bool = False, at_start: bool = False) -> Fault:
        return Fault(name, begin, well, refuses, stops, at_start, lambda: faulty.failed > 0)

    full, broken, unsynced = sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC
    limit = Fault(
        "no more pages", _say("PRAGMA max_page_count = 1"), _say(f"PRAGMA max_page_count = {PAGES_MAX}"), True
    )
    return [
        fault("full", failing(writes=full), refuses=True),
        fault("full for some writes", failing(writes=full, share=SOME)),
        limit,
        # As SQLite calls it where the file system became read-only, or a quota is used up.
        fault("no write is let through", failing(writes=broken), refuses=True),
        fault("some writes are not let through", failing(writes=broken, share=SOME)),
        fault("checkpoints find it full", failing(writes=full, log_is_well=True)),
        fault("checkpoints are not synced", failing(syncs=unsynced, log_is_well=True)),
        fault("full when it starts", failing(writes=full), refuses=True, at_start=True),
        fault("a sync fails", failing(syncs=unsynced), stops=True),
    ]


def _say(statement: str) -> Switch:
    async def say(store: Store) -> None:
        async with store.write() as connection:
            await connection.exec_driver_sql(statement)

    return say


async def _faulty_server(store: Store) -> None:
    """A server that says its disk is full as often as a table tells it to."""
    for statement in (
        "CREATE TABLE soak_faults (name text PRIMARY KEY)",
        (
            "CREATE FUNCTION soak_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF EXISTS (SELECT 1 FROM soak_faults WHERE name = tg_argv[0]) THEN"
            " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END IF; RETURN new; END $$"
        ),
        ("CREATE TRIGGER soak_write BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION soak_fault('at a write')"),
        (
            "CREATE CONSTRAINT TRIGGER soak_commit AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION soak_fault('at the commit')"
        ),
    ):
        await _say(statement)(store)


def _server_fault(when: str) -> Fault:
    begin = _say(f"INSERT INTO soak_faults VALUES ('{when}')")
    return Fault(f"full {when}", begin, _say("DELETE FROM soak_faults"), refuses=True)


# --- the soak -------------------------------------------------------------------------------------------------------


class _Soak:
    def __init__(self, ground: Ground, size: Size, outcome: Outcome, say: Say, faults: Sequence[Fault]) -> None:
        self._ground = ground
        self._size = size
        self._outcome = outcome
        self._say = say
        self._faults = faults
        self._diaries = Diaries(ground.folder)
        self._began = 0.0
        self._told_s = 60.0
        self._auditing: asyncio.Task[None]
        self._store: Store
        self._at_start: Fault | None = None

    async def run(self) -> None:
        self._began = time.monotonic()
        async with await open_store(self._ground.address) as store:
            self._store = store
            auditor = Auditor(store, self._diaries, self._outcome, self._size.audit_every_s)
            self._auditing = auditing = asyncio.create_task(auditor.run())
            try:
                for number in count(1):
                    if await self._live(number):
                        break
            finally:
                auditing.cancel()
                await asyncio.wait((auditing,))
            self._outcome.seconds = self._gone_s()
            if not is_caught(self._ground.plant, self._outcome.findings):
                await settle(store, auditor, self._diaries, self._ground)
            if self._outcome.findings and self._ground.plant is None:
                await self._ground.keep(self._say)

    def _gone_s(self) -> float:
        return time.monotonic() - self._began

    def _is_over(self) -> bool:
        gone_s = self._gone_s()
        if gone_s >= self._told_s:
            self._told_s += 60
            self._say(self._outcome.so_far())
        if self._ground.plant is not None:
            return is_caught(self._ground.plant, self._outcome.findings) or gone_s > PATIENCE_S
        is_all = all(fault.name in self._outcome.hits for fault in self._faults)
        return gone_s >= self._size.seconds and is_all and self._outcome.audits >= self._size.audits

    async def _live(self, number: int) -> bool:
        """One life of the process; whether it is over. It ends when a fault stops the journal, or is to be there when
        the next begins."""
        ended = asyncio.Event()
        name = f"disk-{number}"
        self._diaries.read()
        if self._at_start is not None:
            await self._at_start.begin(self._store)
        with Diary(self._ground.folder / f"{name}.diary") as diary:
            async with await open_store(self._ground.address) as store:
                if self._ground.store == SQLITE:
                    await pragmas(store, CHECKPOINTS)
                projector = StoreProjector(store)
                async with StoreJournal(around(store, self._ground.plant), SystemClock()) as journal:
                    journal.on_commit(projector.wake)
                    callers = Callers(Economy(journal, StoreReads(store), projector, SystemClock()), diary, name, ended)
                    tasks = [
                        asyncio.create_task(callers.call(self._size.callers, self._diaries.in_doubt())),
                        asyncio.create_task(projector.run()),
                    ]
                    try:
                        is_over = await self._meet_faults(store, journal, tasks)
                    finally:
                        ended.set()
                        await tasks[0]
                        tasks[1].cancel()
                        with suppress(asyncio.CancelledError):
                            await tasks[1]
                await projector.close()
        return is_over

    async def _meet_faults(self, store: Store, journal: StoreJournal, tasks: Sequence[asyncio.Task[None]]) -> bool:
        if self._at_start is not None:
            fault, self._at_start = self._at_start, None
            await self._sit_out(fault, store, journal)
        while not self._is_over():
            for task in (*tasks, self._auditing):
                if task.done():
                    task.result()
            # In turn first, so that each is met; then as chance has it.
            unmet = [fault for fault in self._faults if fault.name not in self._outcome.hits]
            fault = unmet[0] if unmet else self._ground.chance.choice(self._faults)
            await self._work(CALM_ORDERS, f"{fault.name}: nothing was done before")
            if fault.at_start:
                self._at_start = fault
                return False
            await fault.begin(store)
            await self._sit_out(fault, store, journal)
            if fault.stops:
                return False
        return True

    async def _sit_out(self, fault: Fault, store: Store, journal: StoreJournal) -> None:
        """A fault that has begun, what must be seen of it, its end, and work again."""
        refused, failed, audits = self._diaries.refused, self._diaries.failed, self._outcome.audits
        until_s = time.monotonic() + self._ground.chance.uniform(SPELL_S, 3 * SPELL_S)
        if fault.refuses:
            await self._until(lambda: self._diaries.refused >= refused + REFUSED, f"{fault.name}: nobody was refused")
            if self._diaries.failed > failed and self._ground.plant is None:
                self._outcome.findings.broken[fault.name] = "an order failed that should have been refused"
        if fault.stops:
            await self._until(lambda: journal.state is JournalState.STOPPED, f"{fault.name}: the journal went on")
        await self._until(fault.is_met, f"{fault.name}: nothing met it")
        await self._until(lambda: time.monotonic() >= until_s, f"{fault.name}: time stood still")
        # Whoever asks what they hold is answered all the while.
        await self._until(lambda: self._outcome.audits >= audits + 2, f"{fault.name}: the books could not be read")
        await fault.end(store)
        self._outcome.hit(fault.name)
        if not fault.stops:
            await self._work(1, f"{fault.name}: nothing was done afterwards")
            text = f"{fault.name}: the journal did not open again"
            await self._until(lambda: journal.state is JournalState.OPEN, text)

    async def _work(self, orders: int, else_: str) -> None:
        """Until as many orders more are done."""
        told = len(self._diaries.told)
        await self._until(lambda: len(self._diaries.told) >= told + orders, else_)

    async def _until(self, is_so: Callable[[], bool], else_: str) -> None:
        """Waits; it is a finding where that takes too long. A bug that was planted and seen ends all waiting."""
        until_s = time.monotonic() + PATIENCE_S
        while not is_so():
            if self._auditing.done():
                self._auditing.result()
            if self._ground.plant is not None and self._is_over():
                return
            if time.monotonic() > until_s:
                self._outcome.findings.broken[else_] = f"for {PATIENCE_S:.0f} s"
                return
            await asyncio.sleep(LOOK_EVERY_S)
