"""The journal: the one writer of a process, which commits in groups.

It takes every order that waits, reads what they need, decides them one after the other, writes what comes of it with
a constant number of statements, commits once, and only then answers.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from itertools import chain, count, repeat
from time import perf_counter
from typing import Final

import msgspec
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.figures import JournalFigures
from economy.refusals import Code
from economy.rules.communities import HERE
from economy.service import Answer, Clock, Submission
from economy.store.batch import Waiting, busy, read_only, take_batch
from economy.store.connecting import Connecting, DrawCode, draw_code
from economy.store.deciding import Deciding, Nonce
from economy.store.engine import Store, unhurried
from economy.store.errors import (
    CommitInDoubtError,
    ConnectionLostError,
    NoPrimaryError,
    StoreBrokenError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    describe,
    is_worth_another,
)
from economy.store.lookup import (
    Directory,
    PlaceMovedError,
    Resolving,
    StaleError,
    Who,
    change_community,
    move_place,
)
from economy.store.reading import Reading
from economy.store.tally import Tally
from economy.store.timing import to_us
from economy.store.writing import AccountKey, OwnFloorError, Written, floor_refusal, write
from economy.values import CommunityId, EntryNumber, Place, Sighting

log = logging.getLogger(__name__)

WAITING_MAX: Final = 10_000
"""How many orders may wait before the next is told `busy`."""

ATTEMPTS: Final = 4
"""How often a batch is written that met another process's, or a disk that failed. Its keys make that safe."""

STALE_ATTEMPTS: Final = 50
"""How often it is looked up anew who is who, before something else must be wrong."""

PATIENCE_S: Final = 30.0
"""How long a batch waits for a store that does not answer before its callers are told `busy`. One whose commit is in
doubt waits for as long as the journal is open."""

MOVES_MAX: Final = 100
"""How often in a row a batch is written again because places went elsewhere meanwhile."""

PAUSES_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Between attempts, the last of them from then on."""

PROBE_S: Final = 1.0
"""How long orders are refused unasked after the store could not be written to; the next one tries again."""

KNOWN_ACCOUNTS_MAX: Final = 100_000

_NOT_WRITTEN: Final = (StoreBusyError, StoreFullError, ConnectionLostError, NoPrimaryError, CommitInDoubtError)
"""What may be over soon, and after which the same can be written again."""

Committed = Callable[[Mapping[CommunityId, EntryNumber]], None]
"""Told the last entry number of each community that a commit added to."""


class JournalState(StrEnum):
    OPEN = "open"
    READ_ONLY = "read_only"
    """The store could not be written to when it was last tried: orders are refused, and one a second tries again."""
    STOPPED = "stopped"
    """The disk failed: nothing is written any more, and whoever runs this has to open the store anew."""


def draw_nonce() -> str:
    return secrets.token_urlsafe(12)


class StoreJournal:
    """Carries out orders on a store. Start it inside the running loop and `close` it: what waits is carried out."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        nonce: Nonce = draw_nonce,
        code: DrawCode = draw_code,
        waiting_max: int = WAITING_MAX,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._nonce = nonce
        self._draw_code = code
        self._waiting_max = waiting_max
        self._waiting: deque[Waiting] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._patience_s = patience_s
        self._closing = False
        self._closed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Committed] = []
        self._directory = Directory(store.bulk)
        self._known_accounts: set[AccountKey] = set()
        self._try_again_at = 0.0
        self._generation = 0
        self.state = JournalState.OPEN
        self.tally = Tally()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="journal")

    def on_commit(self, listener: Committed) -> None:
        """Calls `listener` after each commit that made entries; it must be quick and not raise."""
        self._listeners.append(listener)

    async def submit(self, submission: Submission) -> Answer:
        """See `economy.service.Journal.submit`. Raises OrderFailedError where a bug kept the order from being
        carried out; nothing was written of it then."""
        if self._closing or len(self._waiting) >= self._waiting_max:
            self.tally.turned_away(submission, Code.BUSY)
            return busy(self._clock.now())
        waiting = Waiting(submission, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._idle.clear()
        self._arrived.set()
        return await waiting.answered

    async def drained(self) -> None:
        await self._idle.wait()

    async def move_place(self, old: Place, new: Place) -> bool:
        """See `economy.service.Journal.move_place`."""
        async with self._store.write() as connection:
            moved = await move_place(connection, old, new)
        # It may have known the new place as that of another community.
        self._directory = Directory(self._store.bulk)
        return moved

    async def close(self) -> None:
        """Takes no more orders, carries out those that wait, and ends."""
        self._closing = True
        self._closed.set()
        if self._task is None:
            return
        await self.drained()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    async def __aenter__(self) -> StoreJournal:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self) -> None:
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    # Cut off in the midst of a statement, a connection would keep its lock until it is collected.
                    await unhurried(self._answer(take_batch(self._waiting)))
                self._idle.set()
        finally:
            # Only a loop that is torn down comes here with orders left.
            for waiting in self._waiting:
                waiting.reply()
            self._waiting.clear()
            self._idle.set()

    async def _answer(self, batch: Sequence[Waiting]) -> None:
        """Carries a batch out and tells its callers, none of them before the commit."""
        began_s = perf_counter()
        try:
            await self._carry_out(batch)
        except BaseException:
            # What was decided may not be committed: nobody is told that it was.
            for waiting in batch:
                waiting.forget()
            raise
        finally:
            for waiting in batch:
                waiting.reply()
            self.tally.add(batch, began_s)

    def figures(self) -> JournalFigures:
        """How this journal fares."""
        tally = self.tally
        return JournalFigures(
            state=self.state,
            waiting=len(self._waiting),
            waiting_max=self._waiting_max,
            orders=tally.orders.copy(),
            batch_orders=tally.batch_orders.so_far(),
            batch_s=tally.batch_s.so_far(),
            again=tally.again,
        )

    async def _carry_out(self, batch: Sequence[Waiting]) -> None:
        """Leaves every order with an answer or an error.

        A batch that the store refuses is run again one order at a time, so that one bad order harms only itself.
        """
        if self.state is JournalState.READ_ONLY and asyncio.get_running_loop().time() < self._try_again_at:
            for waiting in batch:
                waiting.answer = read_only(self._clock.now())
            return
        try:
            await self._commit(batch)
        except _NOT_WRITTEN as problem:
            self._put_off(batch, problem)
        except StoreBrokenError as problem:
            self._stop(batch, problem)
        except (OperationalError, InterfaceError) as problem:
            log.error("the store failed %d orders: %s", len(batch), describe(problem))
            for waiting in batch:
                waiting.forget()
                waiting.fail(problem)
        except Exception as problem:  # noqa: BLE001  # whatever it is, only the order that caused it is harmed
            if len(batch) > 1:
                for waiting in batch:
                    await self._carry_out((waiting,))
            else:
                await self._settle(batch[0], problem)

    async def _settle(self, waiting: Waiting, problem: Exception) -> None:
        """The end of an order that the store refused by itself."""
        if isinstance(problem, OwnFloorError):
            try:
                await self._commit((waiting,), overdrawn=problem.differences)
            except _NOT_WRITTEN as second:
                self._put_off((waiting,), second)
                return
            except StoreBrokenError as second:
                self._stop((waiting,), second)
                return
            except Exception as second:  # noqa: BLE001  # as above
                problem = second
            else:
                return
        waiting.forget()
        waiting.fail(problem)
        log.error("order failed: %s", describe(problem))

    def _put_off(self, batch: Sequence[Waiting], problem: StoreError) -> None:
        """A refusal for what was not written; no answer at all for what may have been, since any could be wrong."""
        log.error("%d orders were not carried out: %s", len(batch), describe(problem))
        is_full = isinstance(problem, StoreFullError)
        if is_full:
            self._try_again_at = asyncio.get_running_loop().time() + PROBE_S
            if self.state is JournalState.OPEN:
                self.state = JournalState.READ_ONLY
                log.critical("%s: orders are refused until it can be written to again", problem)
        for waiting in batch:
            waiting.forget()
            if waiting.in_doubt:
                waiting.fail(problem)
            elif is_full:
                waiting.answer = read_only(self._clock.now())
            else:
                waiting.answer = busy(self._clock.now())

    def _stop(self, batch: Sequence[Waiting], problem: StoreBrokenError) -> None:
        """The end of all writing: whether this batch is kept, only the disk knows."""
        if self.state is not JournalState.STOPPED:
            self.state = JournalState.STOPPED
            log.critical("%s: nothing more is written by this process (%s)", problem, describe(problem))
        for waiting in batch:
            waiting.forget()
            waiting.fail(problem)

    async def _commit(self, batch: Sequence[Waiting], overdrawn: Mapping[AccountKey, int] | None = None) -> None:
        """Writes a batch, and again where nobody knows whether it was written: the keys find what was.

        Raises StoreBusyError and StoreFullError only where nothing of it can have been written.
        """
        give_up_at = asyncio.get_running_loop().time() + self._patience_s
        pauses = chain(PAUSES_S, repeat(PAUSES_S[-1]))
        for attempt in count(1):
            for waiting in batch:
                waiting.forget()
            try:
                await self._write(batch, overdrawn)
                break
            except _NOT_WRITTEN as problem:
                for waiting in batch:
                    waiting.in_doubt |= isinstance(problem, CommitInDoubtError)
                is_over = isinstance(problem, (StoreBusyError, StoreFullError))
                is_late = is_over or asyncio.get_running_loop().time() > give_up_at
                if any(waiting.in_doubt for waiting in batch):
                    is_late = False
                if is_late or (self._closing and attempt >= ATTEMPTS):
                    raise
                self.tally.again += 1
                log.warning("a batch of %d orders is written again: %s", len(batch), describe(problem))
                # Whoever answers next may be another server.
                self._directory = Directory(self._store.bulk)
                self._known_accounts.clear()
                await self._pause(next(pauses))
            except PlaceMovedError as problem:
                # Another process moved them meanwhile: nothing was written, and nobody need wait.
                if attempt >= MOVES_MAX:
                    raise
                self.tally.again += 1
                self._directory.forget_places(problem.places)
            except StaleError as stale:
                # Nothing was written. Each time it is about somebody else, so it ends when all are known anew.
                if attempt >= STALE_ATTEMPTS:
                    raise
                self._directory.forget(stale.members)
            except DBAPIError as problem:
                if attempt >= ATTEMPTS or not is_worth_another(problem):
                    raise
                self.tally.again += 1
                log.warning("a batch of %d orders is written again: %s", len(batch), describe(problem))

    async def _pause(self, seconds: float) -> None:
        """Waits, unless the journal closes meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)

    async def _write(self, batch: Sequence[Waiting], overdrawn: Mapping[AccountKey, int] | None) -> None:
        async with self._store.write() as connection:
            # The lock may have been long in coming: what is decided now happens now.
            now = self._clock.now()
            now_us = to_us(now)
            directory = self._current_directory()
            resolved = directory.resolving(connection, now_us)
            named = await resolve(resolved, batch)
            connecting = await self._connecting(connection, batch, resolved, now)
            companions = connecting.companions if connecting else []
            reading = Reading(self._store.bulk, connection, [*batch, *companions], now)
            if connecting:
                connecting.add_to(reading)
            state = await reading.read(resolved, named)
            await resolved.note()
            instead = await floor_refusal(self._store.bulk, connection, overdrawn) if overdrawn else None
            deciding = Deciding(state, now, self._nonce)
            if connecting:
                if not deciding.knows(batch[0]):
                    await connecting.draw_newcomers()
                connecting.show(state)
                deciding.decide_together(batch[0], companions)
            else:
                deciding.decide(batch, instead)
            written = await write(self._store.bulk, connection, deciding, state, now_us, self._known_accounts)
            for moved in deciding.moved:
                await change_community(connection, moved.place, moved.home, moved.there)
            if connecting and (deciding.drafts or deciding.replies):
                await connecting.write()
        directory.learn(resolved)
        if deciding.moved:
            directory.forget_places([waiting.submission.place for waiting in batch])
        self._learn(written)
        if self.state is JournalState.READ_ONLY and (deciding.drafts or deciding.replies):
            self.state = JournalState.OPEN
            log.warning("the store can be written to again: orders are carried out")
        for waiting in batch:
            if waiting.same_as is not None and waiting.same_as.answer is not None:
                waiting.answer = msgspec.structs.replace(waiting.same_as.answer, repeated=True)

    async def _connecting(
        self, connection: AsyncConnection, batch: Sequence[Waiting], resolved: Resolving, now: datetime
    ) -> Connecting | None:
        """What an order about identities is beyond its community; None for all other orders."""
        if not batch[0].needs.identities:
            return None
        connecting = Connecting(self._store.bulk, connection, batch[0], resolved, now, self._draw_code)
        await connecting.read()
        return connecting

    def _current_directory(self) -> Directory:
        """What is known of the server that is written to now: after a failover, another may know less."""
        generation = 0 if self._store.server is None else self._store.server.generation
        if generation != self._generation:
            self._generation = generation
            self._directory = Directory(self._store.bulk)
            self._known_accounts.clear()
        return self._directory

    def _learn(self, written: Written) -> None:
        """Keeps in mind what is committed now, and tells those who listen."""
        if len(self._known_accounts) > KNOWN_ACCOUNTS_MAX:
            self._known_accounts.clear()
        self._known_accounts |= written.own_accounts
        if written.last_entries:
            for listener in self._listeners:
                listener(written.last_entries)


def _beside(waiting: Waiting) -> CommunityId | None:
    """The other community that an order asks to see."""
    needs = waiting.needs
    if needs.code is not None:
        return needs.code.community
    return waiting.meeting.home if needs.home == HERE else needs.home


async def resolve(resolved: Resolving, batch: Sequence[Waiting]) -> dict[Who, None]:
    """Finds the communities and members of a batch; answers everyone it names."""
    await resolved.communities(waiting.submission.place for waiting in batch)
    named: dict[Who, None] = {}
    seen: dict[Who, Sighting | None] = {}
    present: set[Who] = set()
    for waiting in batch:
        submission = waiting.submission
        waiting.meeting = resolved.meeting(submission.place)
        c = waiting.community = waiting.meeting.community
        actor = (c, submission.order.by)
        if not submission.order.is_timed:
            present.add(actor)
        seen.setdefault(actor)
        for sighting in submission.sightings:
            who = (c, sighting.identity)
            if who == actor or sighting.present is not None:
                seen[who] = sighting
            else:
                # Only named: how somebody wrote them is neither their name nor whether they are a bot.
                seen.setdefault(who)
            if sighting.present:
                present.add(who)
        for identity in waiting.named:
            named[c, identity] = None
        waiting.beside = _beside(waiting)
        if waiting.beside is not None:
            there = (waiting.beside, waiting.order.by)
            named[there] = None
            if waiting.needs.enters and there not in seen:
                seen[there] = seen[actor]
                present.add(there)
    named.update(dict.fromkeys(seen))
    await resolved.people(named, seen, present)
    return named
