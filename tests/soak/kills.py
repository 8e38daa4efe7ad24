"""Processes under load that are killed, stopped and ended at any moment, and a server that is too."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Final

from economy.store.engine import open_store
from tests.soak.auditor import Auditor
from tests.soak.diary import Diaries
from tests.soak.findings import Outcome
from tests.soak.ground import Ground, Say, Size
from tests.soak.plants import Plant, is_caught
from tests.soak.settling import settle
from tests.soak.worker import Life, work
from tests.support.postgres import ThrowawayPostgres

LOOK_EVERY_S: Final = 0.02
EARLY: Final = 0.1
"""How many lives end at any moment from their first on; the others have begun to work before."""

END_PATIENCE_S: Final = 60
CAUGHT_PATIENCE_S: Final = 120.0
LONG_FROM_S: Final = 300.0
"""From this length on, one worker stands still for a whole minute."""

LONG_STOP_S: Final = 60.0

BACKEND: Final = "backend"
STARTING: Final = "startup"
"""What PostgreSQL calls its process that reads the log of a server that was killed."""


async def kills(store: str, size: Size, say: Say, *, seed: int, plant: Plant | None = None) -> Outcome:
    """Soaks one database. With a plant it ends as soon as that is seen, or its patience is over."""
    outcome = Outcome("kills", store)
    async with Ground(store, seed=seed, plant=plant) as ground:
        await _Soak(ground, size, outcome, say).run()
    return outcome


class _Soak:
    def __init__(self, ground: Ground, size: Size, outcome: Outcome, say: Say) -> None:
        self._ground = ground
        self._size = size
        self._outcome = outcome
        self._say = say
        self._diaries = Diaries(ground.folder)
        self._over = asyncio.Event()
        context = multiprocessing.get_context("forkserver")
        # A child starts with everything imported, so that it spends its life at work.
        context.set_forkserver_preload([work.__module__])
        self._processes: ForkServerContext = context

    async def run(self) -> None:
        began = time.monotonic()
        async with await open_store(self._ground.address) as store:
            auditor = Auditor(store, self._diaries, self._outcome, self._size.audit_every_s)
            auditing = asyncio.create_task(auditor.run())
            fates = [asyncio.create_task(self._live(f"w{each}")) for each in range(self._size.workers)]
            if self._ground.server is not None:
                fates.append(asyncio.create_task(self._serve(self._ground.server)))
            try:
                await self._wait(began, [auditing, *fates])
                self._over.set()
                await asyncio.gather(*fates)
            finally:
                for task in (auditing, *fates):
                    task.cancel()
                await asyncio.wait((auditing, *fates))
            self._outcome.seconds = time.monotonic() - began
            if not is_caught(self._ground.plant, self._outcome.findings):
                await settle(store, auditor, self._diaries, self._ground)
            if self._outcome.findings and self._ground.plant is None:
                await self._ground.keep(self._say)

    async def _wait(self, began: float, tasks: list[asyncio.Task[None]]) -> None:
        """Until it has been long enough and enough was done; a task that fails ends it at once."""
        told_s = 0.0
        while True:
            for task in tasks:
                if task.done():
                    task.result()
            gone_s = time.monotonic() - began
            if gone_s >= told_s + 60:
                told_s = gone_s
                self._say(self._outcome.so_far())
            if self._ground.plant is not None:
                if is_caught(self._ground.plant, self._outcome.findings) or gone_s > CAUGHT_PATIENCE_S:
                    return
            elif gone_s >= self._size.seconds and self._is_enough():
                return
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_enough(self) -> bool:
        size, outcome = self._size, self._outcome
        return (
            sum(outcome.hits.values()) >= size.hits
            and (self._ground.server is None or any(name.startswith("server") for name in outcome.hits))
            and outcome.orders >= size.orders
            and outcome.audits >= size.audits
        )

    # --- workers ----------------------------------------------------------------------------------------------------

    async def _live(self, name: str) -> None:
        """One life after the other, until it is over."""
        for number in count(1):
            diary = self._ground.folder / f"{name}-{number}.diary"
            again = self._diaries.in_doubt(f"soak:{name}-")
            life = Life(self._ground.address, diary, again, self._size.callers, self._ground.plant)
            process = self._processes.Process(target=work, args=(life,))
            process.start()
            try:
                is_over = await self._end(process, diary)
            finally:
                process.kill()
                process.join()
            self._diaries.end(diary)
            if is_over:
                return

    async def _end(self, process: ForkServerProcess, diary: Path) -> bool:
        """Lets a worker work for a while and ends it; whether all of it is over."""
        chance = self._ground.chance
        if chance.random() >= EARLY:
            await self._until(lambda: diary in self._diaries.at_work or not process.is_alive())
        await self._pause(chance.uniform(0, self._size.life_s))
        if not self._over.is_set():
            if self._ground.plant is None:
                must_live(process)
            drawn = chance.random()
            if drawn < 0.15:
                await self._stand_still(process)
            elif drawn < 0.25:
                self._outcome.hit("SIGTERM")
                await self._end_in_order(process, diary)
                return False
        if self._over.is_set():
            await self._end_in_order(process, diary)
            return True
        self._outcome.hit("SIGKILL")
        process.kill()
        await asyncio.to_thread(process.join)
        return False

    async def _stand_still(self, process: ForkServerProcess) -> None:
        """Fault 45: a worker that stands still, perhaps in the midst of a commit, and goes on."""
        assert process.pid is not None
        is_long = self._size.seconds >= LONG_FROM_S and "SIGSTOP 60 s" not in self._outcome.hits
        self._outcome.hit("SIGSTOP 60 s" if is_long else "SIGSTOP")
        os.kill(process.pid, signal.SIGSTOP)
        stop_s = LONG_STOP_S if is_long else self._ground.chance.uniform(0.1, self._size.long_stop_s)
        await self._pause(stop_s)
        os.kill(process.pid, signal.SIGCONT)
        await self._pause(self._ground.chance.uniform(0, self._size.life_s))

    async def _end_in_order(self, process: ForkServerProcess, diary: Path) -> None:
        """Sends SIGTERM: everyone who asked is answered before the process ends. A planted bug may be in the way."""
        if self._ground.plant is not None:
            process.kill()
            return
        process.terminate()
        await asyncio.to_thread(process.join, END_PATIENCE_S)
        if process.exitcode is None:
            self._outcome.findings.broken[diary.stem] = "did not end when it was sent SIGTERM"
        elif process.exitcode not in (0, -signal.SIGTERM):
            self._outcome.findings.broken[diary.stem] = f"ended with {process.exitcode}"

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not (is_so() or self._over.is_set()):
            await self._pause(LOOK_EVERY_S)

    # --- the server -------------------------------------------------------------------------------------------------

    async def _serve(self, server: ThrowawayPostgres) -> None:
        """Fault 40: kills the server as a whole, or one of its processes, upon which it starts itself again."""
        while not self._over.is_set():
            await self._pause(self._ground.chance.uniform(0.3, 1) * self._size.server_s)
            if self._over.is_set():
                return
            if self._ground.chance.random() < 0.4:
                self._outcome.hit("server SIGKILL")
                await asyncio.to_thread(server.kill)
                await self._pause(self._ground.chance.uniform(0, 1))
                await asyncio.to_thread(server.start_again)
            elif killed := await asyncio.to_thread(self._kill_one, server):
                self._outcome.hit(f"server's {killed} SIGKILL")

    def _kill_one(self, server: ThrowawayPostgres) -> str:
        """Kills one process of the server, a backend more often than not; what it was. Nothing while it starts: a
        server that cannot even do that gives up, which is not what is asked here."""
        named = processes_of(server)
        backends = [pid for pid, name in named.items() if name == BACKEND]
        others = [pid for pid, name in named.items() if name != BACKEND]
        if not (backends and others) or STARTING in named.values():
            return ""
        chosen = self._ground.chance.choice(backends if self._ground.chance.random() < 0.6 else others)
        with suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        return named[chosen]


def must_live(process: ForkServerProcess) -> None:
    """Raises RuntimeError where a worker ended by itself: whatever it met, it should have gone on."""
    if not process.is_alive():
        raise RuntimeError(f"a worker ended by itself with {process.exitcode}")


def processes_of(server: ThrowawayPostgres) -> dict[int, str]:
    """The server's own processes by id, each with what it is for."""
    named: dict[int, str] = {}
    for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text(encoding="ascii").split():
        with suppress(FileNotFoundError, ProcessLookupError):
            title = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ").decode()
            role = title.partition("postgres: ")[2]
            kind = BACKEND if role.startswith("florin ") else role.strip()
            named[int(pid)] = STARTING if kind.startswith(STARTING) else kind
    return named
