"""On PostgreSQL, too, no question goes through a table: each looks at a few rows of the many that there are."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import pytest

from economy.books import Order
from economy.projections.boards import Board, Period, periods_of
from economy.rules.presence import Hide
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo, UndoSince
from economy.service import Submission
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.postgres import WRITING
from economy.store.projector import StoreProjector
from economy.store.queries import STATE
from economy.store.reads import StoreReads
from economy.values import AmountWord, EntryNumber, IdempotencyKey, MemberId, Note, Reason, Role
from tests.bench import filling
from tests.bench.filling import AT, COMMUNITY, PLACE, Filled, fill, grow
from tests.economy.store.acting import StillClock
from tests.economy.store.plans import Plan, collected, plan_of
from tests.support.databases import Databases
from tests.support.stores import open_store

MEMBERS = 2_000
ENTRIES = 20_000
LARGE = frozenset(
    ("accounts", "answers", "entries", "facts", "flags", "histogram", "identities", "members", "offers", "persons")
) | {"postings", "scores", "texts"}
TOUCHED_MAX = 400
"""Rows that a question may look at: pages and piles of ten or so, and what their neighbours need."""


@pytest.fixture(scope="module")
def address(databases: Databases) -> Iterator[str]:
    name = databases.take()
    yield databases.url(name)
    databases.give_back(name)


# Beside entries and balances: boards on which everyone stands, words, refusals and buttons.
FILLING = (
    "UPDATE scores SET score = member_id * 7919 % 9973 + 1 WHERE series >> 3 & 7 = 2",
    (
        "INSERT INTO scores (community_id, member_id, series, score, reached, listed) SELECT community_id, member_id,"
        " series - each, score, reached, true FROM scores, unnest(ARRAY[8, 16]) AS each WHERE series >> 3 & 7 = 2"
    ),
    "UPDATE scores SET standing = score, since = reached",
    (
        "INSERT INTO histogram SELECT community_id, series, each, 10"
        f" FROM (SELECT DISTINCT community_id, series FROM scores WHERE series <> {filling.BALANCE}) AS boards,"
        " generate_series(1, 200) AS each"
    ),
    "INSERT INTO texts SELECT community_id, number, actor, 'note', 'thanks', false FROM entries WHERE kind = 'tip'",
    (
        "INSERT INTO answers SELECT community_id, 'again:' || each, digest, kind, each, code, at_us, answer"
        f" FROM answers, generate_series(1, {MEMBERS}) AS each"
    ),
    "INSERT INTO offers SELECT community_id, 'nonce-' || number, 'confirm', actor, at_us, '{}', NULL FROM entries",
    "INSERT INTO flags SELECT 1, each, 'hidden', 'false' FROM generate_series(1, 1000) AS each",
)


@pytest.fixture(scope="module")
async def crowd(address: str) -> Filled:
    """A community large enough that going through a table would not be the cheapest way by far."""
    async with await open_store(address) as store:
        filled = await grow(store, await fill(store, members=MEMBERS, bought=True), ENTRIES)
        async with StoreJournal(store, late_clock()) as journal:
            nothing = Tip(by=filling.person(1), receivers=Receivers((filling.person(1),)), amount=AmountWord.exact(1))
            await journal.submit(Submission(PLACE, IdempotencyKey("act:refused"), nothing))
        async with store.write() as connection:
            for statement in FILLING:
                await connection.exec_driver_sql(statement)
        await StoreProjector(store).drain()
        await filling.settle(store)
        return filled


@pytest.fixture
async def store(address: str, crowd: Filled) -> AsyncIterator[Store]:
    async with await open_store(address) as opened:
        yield opened


@pytest.fixture
async def server(address: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(address)
    yield connection
    await connection.close()


def late_clock() -> StillClock:
    clock = StillClock()
    clock.later(days=10)
    return clock


def too_much(plans: list[Plan]) -> list[Plan]:
    return [plan for plan in plans if plan.touched > TOUCHED_MAX or LARGE & set(plan.whole)]


async def test_no_read_goes_through_a_table(store, server, crowd):
    reads, now = StoreReads(store), AT + timedelta(minutes=1)
    one, last = MemberId(MEMBERS // 2), EntryNumber(crowd.entries)
    with collected(store.looker) as statements:
        for board in Board:
            for period in periods_of(board):
                for page in (1, 2):
                    await reads.board(COMMUNITY, board, period, now=now, reader=one, page=page, size=10)
        for page in (1, 3):
            await reads.history(COMMUNITY, one, page=page, size=3)
        await reads.balance(COMMUNITY, one, now)
        for number in (EntryNumber(1), EntryNumber(crowd.entries // 2), last):
            assert await reads.entry(COMMUNITY, number)
        await reads.text(COMMUNITY, one, "profile")
        await reads.reader(PLACE, filling.person(one))
        await reads.member(COMMUNITY, filling.person(one))
        await reads.shown(COMMUNITY, [one, MemberId(1)])
        await reads.holders(COMMUNITY, Role.MODERATOR)
        await reads.blocked_by(COMMUNITY, one)
        for member in (one, None):
            for actor in (one, None):
                for kind in ("tip", "freeze", None):
                    for since in (AT, None):
                        if member or actor or kind or since:
                            await reads.audit(COMMUNITY, member=member, actor=actor, kind=kind, since=since)
    plans = [await plan_of(server, *statement) for statement in statements]
    assert len(plans) > 100
    assert too_much(plans) == []


async def test_no_order_and_no_projection_goes_through_a_table(store, server, crowd):
    one, other = filling.person(MEMBERS // 2), filling.person(MEMBERS // 3)
    tip = Tip(by=one, receivers=Receivers((other,)), amount=AmountWord.exact(1), note=Note("thanks"))
    why, at = Reason("a mistake"), AT + timedelta(minutes=1)
    orders: list[Order] = [
        tip,
        tip,
        Undo(by=one, of=EntryNumber(crowd.entries), reason=why),
        UndoSince(by=one, member=other, since=at, reason=why),
        Tip(by=one, receivers=Receivers(role=Role.MODERATOR), amount=AmountWord.exact(1)),
        Hide(by=one),
    ]
    standing = frozenset({Role.OWNER})
    with collected(store.writer.sync_engine) as writing, collected(store.looker) as reading:
        async with StoreJournal(store, late_clock()) as journal:
            for number, order in enumerate(orders):
                await journal.submit(Submission(PLACE, IdempotencyKey(f"act:{number}"), order, standing))
        await StoreProjector(store).drain()
    await server.execute("; ".join(f"SET {name} = {value}" for name, value in WRITING.items()))
    plans = [await plan_of(server, *each) for each in (*writing, *reading)]
    assert len(plans) > 20
    assert too_much(plans) == []


async def test_what_is_planned_over_empty_tables_still_asks_for_each_row(databases):
    name = databases.take()
    url = databases.url(name)
    async with await open_store(url) as young:
        with collected(young.writer.sync_engine) as statements:
            async with StoreJournal(young, late_clock()) as journal:
                tip = Tip(by=filling.person(1), receivers=Receivers((filling.person(2),)), amount=AmountWord.exact(1))
                await journal.submit(Submission(PLACE, IdempotencyKey("act:first"), tip))
    server = await asyncpg.connect(url)
    await server.execute("; ".join(f"SET {name} = {value}" for name, value in WRITING.items()))
    plans = [await plan_of(server, *each) for each in statements if each[0] == STATE.postgres]
    await server.close()
    databases.give_back(name)
    assert [plan.sifted for plan in plans] == [0]


@pytest.mark.parametrize(
    ("index", "question"),
    [
        ("ix_scores_rank", "board"),
        ("ix_entries_community_id_actor_number", "audit"),
        ("ix_postings_source", "history"),
    ],
)
async def test_an_index_that_is_missed_is_noticed(store, server, crowd, index, question):
    reads, one = StoreReads(store), MemberId(MEMBERS // 2)
    with collected(store.looker) as statements:
        match question:
            case "board":
                await reads.board(COMMUNITY, Board.SUPPORTERS, Period.WEEK, now=AT, reader=one)
            case "audit":
                await reads.audit(COMMUNITY, actor=one)
            case _:
                await reads.history(COMMUNITY, one, page=1, size=10)
    without = server.transaction()
    await without.start()
    await server.execute(f"DROP INDEX {index}")
    plans = [await plan_of(server, *statement) for statement in statements]
    await without.rollback()
    assert too_much(plans)
