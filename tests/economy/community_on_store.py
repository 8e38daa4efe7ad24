"""A community whose orders all go to a store as well: answers, entries, balances, flags, totals and boards must agree.

Orders go to the store one by one and in batches of several sizes, so that what a batch sees of itself is tried too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from itertools import count, cycle
from pathlib import Path

import msgspec
from hypothesis.stateful import rule
from sqlalchemy import select

from economy.books import Order, Question
from economy.codec import read_value
from economy.ledger import Entry
from economy.projections.boards import Board, bucket, periods_of, score_sums
from economy.projections.days import day_sums
from economy.refusals import Code, refuse
from economy.rules.connecting import Agree, CodeGiven, Confirm, EnterCode
from economy.rules.offers import Press
from economy.service import Answer, Submission
from economy.store import tables
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.replay import read_entries
from economy.values import Asset, CommunityId, IdempotencyKey, Identity, Place, Sighting
from tests.economy import orders
from tests.economy.community import Community
from tests.economy.model import ModelEconomy
from tests.economy.standings import is_on_boards, whole_board
from tests.economy.store.chronicle import new_address
from tests.support.databases import Databases
from tests.support.stores import open_store

NAME = "someone"
ROOM = Place("console", "room")
ONLY = CommunityId(1)
BATCHES = (1, 1, 4, 1, 2, 12, 3)
"""How many orders are given to the store at the same moment, in turn."""


Fresh = Callable[[], AbstractContextManager[str]]
"""Makes the address of a fresh store, for as long as it is needed."""


@contextmanager
def fresh_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield asyncio.run(new_address(Path(folder)))


def fresh_on(databases: Databases) -> Fresh:
    """Makes fresh stores on PostgreSQL."""

    @contextmanager
    def fresh_postgres() -> Iterator[str]:
        name = databases.take()
        yield databases.url(name)
        databases.give_back(name)

    return fresh_postgres


class CommunityClock:
    """The community's own time."""

    def __init__(self, community: Community) -> None:
        self._community = community

    def now(self) -> datetime:
        return self._community.now


Codes = dict[str, str]
"""What the store gave where the model gave another code."""


def given_code(answer: Answer) -> str:
    """The code that an answer gives; empty for one that gives none."""
    about = answer.outcome.about if isinstance(answer.outcome, Question) else None
    return about.code if isinstance(about, CodeGiven) else ""


def with_code_of(found: Answer, wanted: Answer, codes: Codes) -> Answer:
    """The store's answer with the model's code; which is the store's is remembered in `codes`."""
    ours, theirs = given_code(wanted), given_code(found)
    if not (ours and theirs) or codes.setdefault(ours, theirs) != theirs:
        return found
    about = msgspec.structs.replace(found.outcome.about, code=ours)  # type: ignore[union-attr]  # it gives a code
    return msgspec.structs.replace(found, outcome=msgspec.structs.replace(found.outcome, about=about))


def with_codes(submission: Submission, codes: Codes) -> Submission:
    """What people say to the store, with the codes that they were given there."""
    order = submission.order
    if isinstance(order, Press):
        order = msgspec.structs.replace(order, inner=_with_code(order.inner, codes))
    return msgspec.structs.replace(submission, order=_with_code(order, codes))


def _with_code(order: Order, codes: Codes) -> Order:
    if isinstance(order, EnterCode | Agree | Confirm):
        return msgspec.structs.replace(order, code=codes.get(order.code, order.code))
    return order


class CommunityOnStore(Community):
    """Gives every order to a store as well, and compares."""

    def __init__(self, place: Fresh = fresh_sqlite) -> None:
        """On a store of its own, made by `place`, to be gone when it closes."""
        super().__init__()
        # A person may have several names, and which was seen last would hang on who was first.
        self.model = ModelEconomy(NAME)
        self._codes: Codes = {}
        self._waiting: list[tuple[Submission, Answer]] = []
        self._sizes = cycle(BATCHES)
        self._size = next(self._sizes)
        self._runner = asyncio.Runner()
        self._place = ExitStack()
        self.address = self._place.enter_context(place())
        self.store: Store = self._runner.run(open_store(self.address))
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
        self._place.close()

    # --- acting on both -----------------------------------------------------------------------------------------

    def submit(self, order: Order, key: str = "") -> Answer:
        answer = super().submit(order, key)
        key = key or f"test:{self.acts}"
        seen = (Sighting(order.by, NAME),)
        submission = Submission(ROOM, IdempotencyKey(key), order, orders.standing(order.by), seen)
        self._waiting.append((submission, answer))
        if len(self._waiting) >= self._size or given_code(answer):
            self.catch_up()  # nobody enters a code before they were given it
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
        answers = self._runner.run(self._together([with_codes(each, self._codes) for each, _ in waiting]))
        for (submission, wanted), found in zip(waiting, answers, strict=True):
            if wanted.outcome == refuse(Code.KEY_REUSED):
                assert found.outcome == wanted.outcome
            else:
                assert with_code_of(found, wanted, self._codes) == wanted, submission.order

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

    def stored_after(self, number: int) -> list[Entry]:
        """The entries that the store holds, from the one after `number`."""
        return self._runner.run(self._stored_after(number))

    async def _stored_after(self, number: int) -> list[Entry]:
        async with self.store.read() as connection:
            return await read_entries(connection, ONLY, after=number, most=10_000)

    async def _must_be_the_same(self) -> None:
        entries = list(self.model.entries.values())
        assert await self._stored_after(0) == [as_written(entry) for entry in entries]
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
        assert {(row[1], row[2]) for row in await self._rows(tables.waiting)} == {
            (number, waits.name) for number, waits in self.model.waiting.items()
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


def as_written(entry: Entry) -> Entry:
    """An entry never changes: what undid it stands elsewhere."""
    return msgspec.structs.replace(entry, undone_by=None)
