"""The economy on a filled store, and orders as people would give them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import count

from economy.ledger import Receipt
from economy.rules.creating import BeCreator
from economy.rules.gifting import SendGift
from economy.rules.tipping import Receivers, Tip
from economy.service import Answer, Economy, Submission
from economy.store.engine import Store, open_store
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.values import AmountWord, CommunityId, EntryNumber, IdempotencyKey, Sighting
from tests.bench.filling import COMMUNITY, PLACE, person, person_name

Mix = Callable[[], Submission]
"""Makes the next order of a caller."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Town:
    """One process of Florin's on a store. Boards move only while `projecting`, so that an idle town disturbs none."""

    def __init__(self, store: Store, journal: StoreJournal, projector: StoreProjector, *, name: str = "") -> None:
        self.store = store
        self.journal = journal
        self.projector = projector
        self.clock = SystemClock()
        self.reads = StoreReads(store)
        self.economy = Economy(journal, self.reads, projector, self.clock)
        self.chance = random.Random(7)
        self.commits: deque[tuple[float, int]] = deque()
        """When each commit was told, and the last entry's number then."""
        journal.on_commit(self._note)
        journal.on_commit(projector.wake)
        # Keys of one act are never those of another, nor of an earlier run on the same store.
        self._keys = (f"discord:interaction:{name}{number}" for number in count(time.time_ns()))

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.projector.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _note(self, last_entries: Mapping[CommunityId, EntryNumber]) -> None:
        self.commits.append((time.perf_counter(), last_entries[COMMUNITY]))

    # --- orders -----------------------------------------------------------------------------------------------------

    def tip(self, sender: int, receiver: int) -> Submission:
        order = Tip(by=person(sender), receivers=Receivers((person(receiver),)), amount=AmountWord.exact(1))
        return self._said(sender, order)

    def gift(self, giver: int, creator: int) -> Submission:
        """Ten bought coins: five for the creator with the coins behind them, five for the house."""
        return self._said(giver, SendGift(by=person(giver), gift="cookie", to=person(creator)))

    def _said(self, by: int, order: Tip | SendGift | BeCreator) -> Submission:
        seen = Sighting(person(by), person_name(by))
        return Submission(PLACE, IdempotencyKey(next(self._keys)), order, frozenset(), (seen,))

    # --- mixes ------------------------------------------------------------------------------------------------------

    def tips(self, among: Sequence[int], to: int | None = None) -> Mix:
        """Tips of anyone to anyone, or all to one."""
        choose = self.chance.choice

        def mix() -> Submission:
            sender, receiver = choose(among), to or choose(among)
            while sender == receiver:
                sender = choose(among)
            return self.tip(sender, receiver)

        return mix

    def gifts(self, givers: Sequence[int], creators: Sequence[int]) -> Mix:
        choose = self.chance.choice
        return lambda: self.gift(choose(givers), choose(creators))

    async def make_creators(self, members: Sequence[int]) -> None:
        await asyncio.gather(*(self.ask(self._said(each, BeCreator(by=person(each)))) for each in members))

    async def ask(self, submission: Submission) -> Answer:
        """Carries an order out. Raises RuntimeError where it is refused: nothing here should be."""
        answer = await self.economy.submit(submission)
        if not isinstance(answer.outcome, Receipt):
            raise RuntimeError(f"an order of the benchmark was not carried out: {answer.outcome}")
        return answer


@asynccontextmanager
async def open_town(address: str, *, name: str = "") -> AsyncIterator[Town]:
    async with await open_store(address) as store:
        projector = StoreProjector(store)
        async with StoreJournal(store, SystemClock()) as journal:
            yield Town(store, journal, projector, name=name)
        await projector.close()
