"""The same orders come to the same on a store as in memory: answers, entries, balances, flags, totals and boards.

Orders go to the store one by one and in batches of several sizes, so that what a batch sees of itself is tried too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count, cycle
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import rule
from sqlalchemy import select

from economy.books import Order
from economy.codec import read_value
from economy.ledger import Entry
from economy.projections.boards import Board, bucket, periods_of, score_sums
from economy.projections.days import day_sums
from economy.refusals import Code, refuse
from economy.rules.tipping import Receivers, Tip
from economy.service import Answer, Submission
from economy.store import tables
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.replay import read_entries
from economy.values import ALL, Asset, CommunityId, IdempotencyKey, Identity, Place, Sighting
from tests.economy import orders
from tests.economy.community import Community
from tests.economy.standings import is_on_boards, whole_board
from tests.economy.store.chronicle import new_store
from tests.support.postgres import ThrowawayPostgres
from tests.support.stores import open_store

ROOM = Place("console", "room")
ONLY = CommunityId(1)
BATCHES = (1, 1, 4, 1, 2, 12, 3)
"""How many orders are given to the store at the same moment, in turn."""


class CommunityClock:
    """The community's own time."""

    def __init__(self, community: Community) -> None:
        self._community = community

    def now(self) -> datetime:
        return self._community.now


class CommunityOnStore(Community):
    """Gives every order to a store as well, and compares."""

    def __init__(self, address: str = "") -> None:
        """On the fresh store at `address`; without one, on a new SQLite store."""
        super().__init__()
        self._waiting: list[tuple[Submission, Answer]] = []
        self._sizes = cycle(BATCHES)
        self._size = next(self._sizes)
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        opening = open_store(address) if address else new_store(Path(self._folder.name))
        self.store: Store = self._runner.run(opening)
        nonces = (f"nonce-{number:04}" for number in count())
        self.journal = StoreJournal(self.store, CommunityClock(self), nonce=lambda: next(nonces))
        self.projector = StoreProjector(self.store)
        self._runner.run(self._start())

    def teardown(self) -> None:
        try:
            self.must_be_the_same()
        finally:
            self.close()

    def must_be_the_same(self) -> None:
        self.catch_up()
        self._runner.run(self._must_be_the_same())

    def change_store(self, statement: str) -> None:
        """Plants a difference that the comparison has to notice."""
        self._runner.run(self._change(statement))

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()
        self._folder.cleanup()

    # --- acting on both -----------------------------------------------------------------------------------------

    def submit(self, order: Order, key: str = "") -> Answer:
        answer = super().submit(order, key)
        key = key or f"test:{self.acts}"
        seen = (Sighting(order.by, order.by.native_id),)
        submission = Submission(ROOM, IdempotencyKey(key), order, orders.standing(order.by), seen)
        self._waiting.append((submission, answer))
        if len(self._waiting) >= self._size:
            self.catch_up()
        return answer

    def press(self, nonce: str, by: Identity) -> Answer:
        self.catch_up()  # nobody presses a button before they have seen it
        return super().press(nonce, by)

    @rule()
    def boards_catch_up(self) -> None:
        self.catch_up()
        self._runner.run(self.projector.drain())

    def time_passes(self, hours: float) -> None:
        self.catch_up()
        super().time_passes(hours)

    def catch_up(self) -> None:
        """Gives the store what waits, at one moment, and compares the answers."""
        waiting, self._waiting = self._waiting, []
        self._size = next(self._sizes)
        answers = self._runner.run(self._together([submission for submission, _ in waiting]))
        for (submission, wanted), found in zip(waiting, answers, strict=True):
            if wanted.outcome == refuse(Code.KEY_REUSED):
                assert found.outcome == wanted.outcome
            else:
                assert found == wanted, submission.order

    async def _start(self) -> None:
        self.journal.start()

    async def _close(self) -> None:
        await self.journal.close()
        await self.store.close()

    async def _change(self, statement: str) -> None:
        async with self.store.write() as connection:
            await connection.exec_driver_sql(statement)

    async def _together(self, submissions: list[Submission]) -> list[Answer]:
        return await asyncio.gather(*(self.journal.submit(submission) for submission in submissions))

    # --- comparing ------------------------------------------------------------------------------------------------

    async def _must_be_the_same(self) -> None:
        entries = list(self.model.entries.values())
        async with self.store.read() as connection:
            stored = await read_entries(connection, ONLY, after=0, most=10_000)
        assert stored == [_as_written(entry) for entry in entries]
        assert await self._balances() == {account: sum_ for account, sum_ in self.model.accounts.items() if sum_}
        assert await self._flags() == self._model_flags()
        assert await self._totals() == {
            (member.id, name, day): amount
            for member in self.model.members.values()
            for (name, day), amount in member.totals.items()
            if amount
        }
        assert {(row[1], row[2]) for row in await self._rows(tables.reversals)} == {
            (entry.number, entry.undone_by) for entry in entries if entry.undone_by
        }
        await self.projector.drain()
        await self._boards_must_be_the_same(entries)

    async def _boards_must_be_the_same(self, entries: list[Entry]) -> None:
        wanted = {
            (member, series, *found, is_on_boards(self.model, member))
            for (series, member), found in score_sums(entries).items()
        }
        stored = {(*row[1:5], bool(row[5])) for row in await self._rows(tables.scores)}
        assert stored == wanted
        buckets = Counter((series, bucket(score)) for _, series, score, _, is_on in wanted if is_on and score > 0)
        assert {row[1:3]: row[3] for row in await self._rows(tables.histogram)} == buckets
        reads = StoreReads(self.store)
        for board in Board:
            for period, reader in zip(cycle(periods_of(board)), self.model.members, strict=False):
                page = await reads.board(ONLY, board, period, now=self.now, reader=reader, size=100)
                assert page == whole_board(self.model, board, period, self.now, reader)
        days = {(*key, *found) for key, found in day_sums(entries).items()}
        assert {row[1:] for row in await self._rows(tables.day_totals)} == days

    async def _balances(self) -> dict[tuple[int, Asset], int]:
        found = await self._rows(tables.accounts)
        return {(owner, Asset(asset)): balance for _, owner, asset, balance in found if balance}

    async def _flags(self) -> dict[tuple[int, str], object]:
        found = await self._rows(tables.flags)
        values = {(subject, name): read_value(value) for _, subject, name, value in found}
        return {flag: value for flag, value in values.items() if value is not None}

    def _model_flags(self) -> dict[tuple[int, str], object]:
        sets = [(0, self.model.flags), *((member.id, member.flags) for member in self.model.members.values())]
        return {(of, name): value for of, flags in sets for name, value in flags.items() if value is not None}

    async def _totals(self) -> dict[tuple[int, str, int], int]:
        found = await self._rows(tables.totals)
        return {(member, name, day): amount for _, member, day, name, amount in found if amount}

    async def _rows(self, table) -> list[tuple]:
        async with self.store.read() as connection:
            return [tuple(row) for row in await connection.execute(select(table))]


def _as_written(entry: Entry) -> Entry:
    """An entry never changes: what undid it stands elsewhere."""
    return msgspec.structs.replace(entry, undone_by=None)


CommunityOnStore.TestCase.settings = settings(
    max_examples=12, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
TestTheSameOnAStore = CommunityOnStore.TestCase


@pytest.fixture
def community() -> Iterator[CommunityOnStore]:
    opened = CommunityOnStore()
    yield opened
    opened.close()


@pytest.fixture
def community_on_postgres(postgres: ThrowawayPostgres, postgres_template: str) -> Iterator[CommunityOnStore]:
    name = postgres.create_database(postgres_template)
    opened = CommunityOnStore(postgres.url(name))
    yield opened
    opened.close()
    postgres.drop_database(name)


def live(community: CommunityOnStore, seed: int, steps: int) -> None:
    chance = Random(seed)
    community.begin(chance)
    for _ in range(steps):
        community.step(chance)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_season_is_the_same_on_a_store(community, seed):
    live(community, seed, 250)
    community.must_be_the_same()
    kinds = {entry.kind for entry in community.model.entries.values()}
    assert {"tip", "gift", "undo", "coins", "daily"} <= kinds


@pytest.mark.parametrize("seed", range(4, 6))
def test_a_long_season_is_the_same_on_postgres(community_on_postgres, seed):
    live(community_on_postgres, seed, 250)
    community_on_postgres.must_be_the_same()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET balance = balance + 1 WHERE owner = -3",
        "UPDATE flags SET value = 'false' WHERE name = 'present' AND subject = 1",
        "UPDATE totals SET amount = amount + 1",
        "UPDATE scores SET score = score + 1 WHERE series & 7 = 1",
        "UPDATE scores SET reached = reached - 1 WHERE series >> 3 & 7 = 2",
        "UPDATE histogram SET members = members + 1 WHERE series = 28",
        "UPDATE day_totals SET entries = entries + 1",
        "INSERT INTO reversals SELECT community_id, number, number FROM entries WHERE number = 1",
    ],
)
def test_a_store_that_is_not_the_same_is_noticed(community, change):
    live(community, 1, 60)
    community.must_be_the_same()
    community.change_store(change)
    with pytest.raises(AssertionError):
        community.must_be_the_same()


def test_an_answer_that_is_not_the_same_is_noticed(community):
    live(community, 1, 5)
    community.catch_up()
    community.change_store("UPDATE accounts SET balance = 7 WHERE owner = 1 AND asset = 'bonus'")
    everything = Tip(by=orders.person("ana"), receivers=Receivers((orders.person("bo"),)), amount=ALL)
    community.submit(everything)
    with pytest.raises(AssertionError):
        community.catch_up()
