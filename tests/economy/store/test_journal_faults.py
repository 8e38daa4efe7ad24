"""What goes wrong around the journal: nothing is half-done, nothing done twice, nobody misled."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import ClassVar

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import greenlet_spawn

from economy.books import Books, Decision, Needs, Order
from economy.ledger import Legs, Receipt
from economy.refusals import Code
from economy.rules.adjusting import Action
from economy.rules.presence import Join, Joined
from economy.rules.undoing import Undo
from economy.store.batch import Waiting, take_batch
from economy.store.errors import OrderFailedError
from economy.store.journal import StoreJournal
from economy.values import Asset, Note, Own
from tests.economy.store.acting import Acting, adjust, number_of, person, refusal_of, tip
from tests.economy.store.audit import balances, bonus, rows
from tests.support.stores import open_store


@asynccontextmanager
async def locked(address: str) -> AsyncIterator[None]:
    """Another process holds what every order has to lock."""
    if address.startswith("sqlite"):
        with closing(sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    server = await asyncpg.connect(address)
    async with server.transaction():
        await server.execute("LOCK TABLE members IN EXCLUSIVE MODE")
        yield
    await server.close()


# --- cancelled ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
async def test_cancelling_a_caller_never_cancels_the_order(acting, journal, store, steps):
    """Fault 36"""
    await acting.grant(ana=100)
    caller = asyncio.create_task(acting.submit(tip("ana", "bo"), key="act:once"))
    await asyncio.sleep(0)  # the order is handed over
    for _ in range(steps):
        await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await journal.drained()
    assert await bonus(store, "bo") == 10
    assert (await acting.submit(tip("ana", "bo"), key="act:once")).repeated


@pytest.mark.parametrize("steps", range(0, 60, 4))
async def test_a_loop_torn_down_in_the_midst_leaves_all_or_nothing(address, clock, steps):
    """Fault 36"""
    async with await open_store(address) as store, StoreJournal(store, clock) as journal:
        await Acting(journal, prefix="before").grant(ana=100)
        caller = asyncio.create_task(Acting(journal).submit(tip("ana", "bo"), key="act:once"))
        for _ in range(steps):
            await asyncio.sleep(0)
        [task] = [task for task in asyncio.all_tasks() if task.get_name() == "journal"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        [told] = await asyncio.gather(caller, return_exceptions=True)
    async with await open_store(address) as store, StoreJournal(store, clock) as journal:
        answer = await Acting(journal).submit(tip("ana", "bo"), key="act:once")
        assert answer.number is not None
        assert answer.repeated or isinstance(told, OrderFailedError), "what was answered is there"
        assert await bonus(store, "bo") == 10


# --- busy -----------------------------------------------------------------------------------------------------------


async def test_a_lock_held_elsewhere_answers_busy_and_nothing_is_applied(address, clock):
    """Fault 38"""
    async with await open_store(address, busy_timeout_s=0.05) as store, StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        async with locked(address):
            answers = await asyncio.gather(*(acting.submit(tip("ana", "bo"), key=f"act:b{n}") for n in range(3)))
        assert [refusal_of(answer).code for answer in answers] == [Code.BUSY] * 3
        assert await bonus(store, "bo") == 0
        again = await acting.submit(tip("ana", "bo"), key="act:b0")
        assert again.number is not None
        assert not again.repeated, "busy is not kept under the key"


async def test_a_full_queue_answers_busy_at_once(store, clock):
    async with StoreJournal(store, clock, waiting_max=3) as journal:
        acting = Acting(journal)
        answers = await asyncio.gather(*(acting.submit(Join(by=person("ana"))) for _ in range(5)))
        assert [answer.number is None for answer in answers] == [False] * 3 + [True] * 2
        assert refusal_of(answers[4]).code is Code.BUSY
        assert len(await rows(store, "SELECT 1 FROM answers")) == 0


async def test_closing_carries_out_what_waits_and_takes_no_more(store, clock):
    journal = StoreJournal(store, clock)
    journal.start()
    acting = Acting(journal)
    waiting = asyncio.gather(*(acting.submit(Join(by=person(name))) for name in ("ana", "bo", "cy")))
    await asyncio.sleep(0)
    await journal.close()
    assert all(answer.number for answer in await waiting)
    assert (await acting.refused(Join(by=person("mo")))).code is Code.BUSY


# --- an order that cannot be carried out ----------------------------------------------------------------------------


class Explode(Order, frozen=True, kw_only=True, tag="explode"):
    kind: ClassVar[str] = "explode"
    secret: str

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now) -> Decision:
        raise RuntimeError(f"a bug that quotes {self.secret}")


class Overdraw(Order, frozen=True, kw_only=True, tag="overdraw"):
    kind: ClassVar[str] = "overdraw"

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now) -> Decision:
        member = books.actor(self.by)
        legs = Legs()
        legs.burn(member.id, Asset.BONUS, 1_000_000)
        return Decision(receipt=Joined(member=member.id), postings=legs.postings)


class Unwritable(Receipt, frozen=True, kw_only=True, tag="unwritable"):
    what: object


class Unwritten(Order, frozen=True, kw_only=True, tag="unwritten"):
    kind: ClassVar[str] = "unwritten"

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now) -> Decision:
        return Decision(receipt=Unwritable(what=object()))


@pytest.mark.parametrize(
    "broken", [Explode(by=person("cy"), secret="canary"), Overdraw(by=person("cy")), Unwritten(by=person("cy"))]
)
async def test_a_bug_in_one_rule_harms_one_order(acting, store, caplog, broken):
    await acting.grant(ana=100)
    with caplog.at_level(logging.DEBUG):
        answers = await asyncio.gather(
            acting.submit(tip("ana", "bo")),
            acting.submit(broken),
            acting.submit(tip("ana", "bo")),
            return_exceptions=True,
        )
    assert isinstance(answers[1], OrderFailedError)
    assert number_of(answers[0])
    assert number_of(answers[2])
    assert await bonus(store, "bo") == 20
    assert "order failed" in caplog.text
    assert "canary" not in caplog.text + str(answers[1])


NO_THIRTEEN = {
    "sqlite": "CREATE TRIGGER no_thirteen BEFORE INSERT ON postings WHEN NEW.amount = 13"
    " BEGIN SELECT RAISE(ABORT, 'thirteen'); END",
    "postgresql": "ALTER TABLE postings ADD CONSTRAINT no_thirteen CHECK (amount <> 13)",
}


async def test_an_order_that_the_store_refuses_harms_only_itself(acting, store, caplog):
    await acting.grant(ana=100)
    async with store.write() as connection:
        await connection.exec_driver_sql(NO_THIRTEEN[connection.dialect.name])
    orders = [tip("ana", "bo", amount=amount, note=Note("canary")) for amount in (1, 13, 2)]
    answers = await asyncio.gather(*(acting.submit(order) for order in orders), return_exceptions=True)
    assert isinstance(answers[1], OrderFailedError)
    assert number_of(answers[2]) == number_of(answers[0]) + 1
    assert await bonus(store, "bo") == 3
    assert "canary" not in caplog.text


async def test_no_log_quotes_what_people_write(acting, caplog):
    """Fault 131"""
    with caplog.at_level(logging.DEBUG):
        await acting.grant(ana=100)
        await acting.done(tip("ana", "bo", note=Note("canary")))
    assert "canary" not in caplog.text


async def test_beyond_the_supply_an_order_is_refused_and_its_neighbours_are_not(acting, store):
    """Fault 7"""
    await acting.grant(ana=100)
    reserve = 2**62 - 100 - 5
    await _move_issued(store, reserve)
    granted, tipped = await acting.together(adjust("bo", 6), tip("ana", "bo"))
    assert (refusal_of(granted).code, refusal_of(granted).rule) == (Code.LIMIT_EXCEEDED, "supply")
    assert tipped.number is not None
    assert await bonus(store, "bo") == 10
    assert (await acting.submit(adjust("bo", 5))).number is not None
    await _move_issued(store, -reserve)


async def _move_issued(store, amount: int) -> None:
    """Pretends that `amount` more had been issued, and lies in escrow."""
    async with store.write() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO accounts VALUES (1, {Own.ESCROW:d}, 'bonus', 0) ON CONFLICT DO NOTHING"
        )
        for owner, difference in ((Own.MINT, -amount), (Own.ESCROW, amount)):
            await connection.exec_driver_sql(
                f"UPDATE accounts SET balance = balance + {difference} WHERE owner = {owner:d} AND asset = 'bonus'"
            )


class RobHouse(Order, frozen=True, kw_only=True, tag="rob_house"):
    """Takes from the house without looking, as no rule does."""

    kind: ClassVar[str] = "rob_house"

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now) -> Decision:
        member = books.actor(self.by)
        legs = Legs()
        legs.move(Own.HOUSE, member.id, Asset.BONUS, 7)
        return Decision(receipt=Joined(member=member.id), postings=legs.postings)


async def test_the_house_never_falls_below_zero(acting, store):
    await acting.grant(ana=100)
    robbed, tipped = await acting.together(RobHouse(by=person("cy")), tip("ana", "bo"))
    assert refusal_of(robbed).code is Code.INSUFFICIENT_FUNDS
    assert refusal_of(robbed).fields == {"rule": "house", "needed": 7, "available": 0}
    assert tipped.number is not None
    assert (await balances(store)).get((Own.HOUSE, "bonus"), 0) == 0


# --- a commit in doubt, on a file (test_doubt has those of a server) ------------------------------------------------


@pytest.fixture
async def sqlite_acting(sqlite_store, clock) -> AsyncIterator[Acting]:
    async with StoreJournal(sqlite_store, clock) as journal:
        yield Acting(journal)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_in_doubt_is_written_again(sqlite_acting, sqlite_store, committed):
    await sqlite_acting.grant(ana=100)
    doubts = ["once"]

    @event.listens_for(sqlite_store.writer.sync_engine, "commit")
    def break_off(connection):
        if doubts:
            doubts.pop()
            if committed:
                connection.exec_driver_sql("COMMIT")
            raise OperationalError("COMMIT", (), sqlite3.OperationalError("disk I/O error"))

    answers = await sqlite_acting.together(tip("ana", "bo"), tip("ana", "bo"))
    assert all(answer.number is not None and not answer.repeated for answer in answers)
    assert await bonus(sqlite_store, "bo") == 20


async def test_a_store_that_keeps_failing_fails_the_orders_and_nothing_is_written(sqlite_acting, sqlite_store):
    await sqlite_acting.grant(ana=100)
    broken = [True]

    @event.listens_for(sqlite_store.writer.sync_engine, "commit")
    def break_off(_connection):
        if broken:
            raise OperationalError("COMMIT", (), sqlite3.OperationalError("disk I/O error"))

    failed = await asyncio.gather(sqlite_acting.submit(tip("ana", "bo"), key="act:once"), return_exceptions=True)
    assert isinstance(failed[0], OrderFailedError)
    broken.clear()
    assert await bonus(sqlite_store, "bo") == 0
    assert (await sqlite_acting.submit(tip("ana", "bo"), key="act:once")).number is not None


# --- how much goes into a batch -------------------------------------------------------------------------------------


async def test_an_order_that_looks_back_is_only_ever_behind_its_kind(acting):
    undo = Undo(by=person("ana"))
    orders = [tip("ana", "bo"), tip("ana", "bo"), undo, undo, tip("ana", "bo"), undo]
    loop = asyncio.get_running_loop()
    queue = deque(Waiting(acting.submission(order), loop.create_future()) for order in orders)
    sizes = []
    while queue:
        sizes.append(len(take_batch(queue)))
    assert sizes == [2, 3, 1]


async def test_a_flood_is_cut_into_batches(acting, store):
    await acting.grant(ana=10_000)
    answers = await acting.together(*(tip("ana", "bo", amount=1) for _ in range(2_100)))
    assert all(answer.number for answer in answers)
    assert await bonus(store, "bo") == 2_100


async def test_setting_a_balance_is_safe_against_a_second_delivery(acting, store):
    await acting.done(adjust("ana", 10, Action.SET), key="act:set")
    await acting.grant(ana=5)
    await acting.submit(adjust("ana", 10, Action.SET), key="act:set")
    assert await bonus(store, "ana") == 15


# --- a disk that is full, or fails ----------------------------------------------------------------------------------

NO_ROOM = {
    "sqlite": ["PRAGMA max_page_count = 1"],
    "postgresql": [
        (
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        ),
        "CREATE TRIGGER no_room BEFORE INSERT ON postings EXECUTE FUNCTION no_room()",
    ],
}
ROOM = {"sqlite": ["PRAGMA max_page_count = 1000000"], "postgresql": ["DROP TRIGGER no_room ON postings"]}


@asynccontextmanager
async def no_room(store) -> AsyncIterator[None]:
    """The disk under the store is full: on SQLite by its own limit of pages, on a server as it says so."""
    dialect = store.url.get_backend_name()
    for texts in (NO_ROOM, ROOM):
        async with store.write() as connection:
            for statement in texts[dialect]:
                await connection.exec_driver_sql(statement)
        if texts is NO_ROOM:
            yield


async def fill(acting) -> list[Code]:
    """Grants until the store has no room; what was refused."""
    refused: list[Code] = []
    async with asyncio.timeout(60):
        while not refused:
            answers = await acting.together(*(adjust(f"m{n}", 1) for n in range(50)))
            refused = [refusal_of(answer).code for answer in answers if answer.number is None]
    return refused


async def test_a_full_disk_refuses_orders_until_there_is_room(acting, journal, store, caplog):
    """Fault 47, Fault 146"""
    await acting.grant(ana=100)
    await acting.submit(tip("ana", "cy"), key="act:before")
    async with no_room(store):
        assert set(await fill(acting)) == {Code.READ_ONLY}
        assert journal.state == "read_only"
        before = await bonus(store, "bo")
        refused = await acting.submit(tip("ana", "bo"), key="act:once")
        assert refusal_of(refused).code is Code.READ_ONLY
        assert await bonus(store, "bo") == before, "and balances can be read"
        async with asyncio.timeout(30):
            while not (await acting.submit(tip("ana", "cy"), key="act:before")).repeated:
                pass
        assert journal.state == "read_only", "an answer that is there already takes no room"
    async with asyncio.timeout(30):
        while (answer := await acting.submit(tip("ana", "bo"), key="act:once")).number is None:
            pass
    assert not answer.repeated, "a refusal of the disk is not kept under the key"
    assert await bonus(store, "bo") == before + 10
    assert journal.state == "open"
    told = [record.levelname for record in caplog.records if "until it can be written to" in record.message]
    assert told == ["CRITICAL"], "the operator is told once"


async def outside_transactions(store, statement: str) -> None:
    raw = await store.writer.raw_connection()
    await raw.driver_connection.execute(statement)
    await greenlet_spawn(raw.close)


async def test_a_database_that_may_only_be_read_refuses_orders(sqlite_acting, sqlite_store):
    """Fault 146"""
    await sqlite_acting.grant(ana=100)
    await outside_transactions(sqlite_store, "PRAGMA query_only = ON")
    refused = await sqlite_acting.submit(tip("ana", "bo"))
    assert refusal_of(refused).code is Code.READ_ONLY
    await outside_transactions(sqlite_store, "PRAGMA query_only = OFF")
    async with asyncio.timeout(30):
        while (await sqlite_acting.submit(tip("ana", "bo"))).number is None:
            pass


async def test_after_a_failed_sync_nothing_more_is_written(sqlite_address, clock, caplog):
    """Fault 46"""
    async with await open_store(sqlite_address) as store, StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        syncs = []
        stopped: list[Exception] = []
        store.on_break(stopped.append)

        @event.listens_for(store.writer.sync_engine, "commit")
        def fail(_connection):
            syncs.append("tried")
            failure = sqlite3.OperationalError("disk I/O error")
            failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise OperationalError("COMMIT", (), failure)

        for _ in range(2):
            [told] = await asyncio.gather(acting.submit(tip("ana", "bo"), key="act:once"), return_exceptions=True)
            assert isinstance(told, OrderFailedError)
        assert syncs == ["tried"], "a second sync would succeed, and prove nothing"
        assert journal.state == "stopped"
        assert len(stopped) == 1
        assert [record.levelname for record in caplog.records if "nothing more is written" in record.message]
    async with await open_store(sqlite_address) as store, StoreJournal(store, clock) as journal:
        assert (await Acting(journal).submit(tip("ana", "bo"), key="act:once")).number is not None
        assert await bonus(store, "bo") == 10
