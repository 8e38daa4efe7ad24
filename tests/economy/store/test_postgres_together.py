"""Two journals on one PostgreSQL, of which the second waits for the first: what it then sees, and what it answers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy

import asyncpg
import pytest

from economy.ledger import Undone
from economy.rules.chest import TipFromChest
from economy.rules.gifting import SendGift
from economy.rules.presence import Join
from economy.rules.tipping import Receivers, Tip
from economy.service import Answer
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.timing import to_us
from economy.values import AmountWord, Role
from tests.economy.orders import START
from tests.economy.store.acting import Acting, appoint, number_of, person, tip
from tests.economy.store.audit import bonus, must_balance, rows, stored_order
from tests.economy.store.second import SecondProcess
from tests.support.stores import open_store


@pytest.fixture
async def store(postgres_address: str) -> AsyncIterator[Store]:
    async with await open_store(postgres_address) as opened:
        yield opened
        await must_balance(opened)


@pytest.fixture
async def neighbour(postgres_address, clock) -> AsyncIterator[Acting]:
    async with await open_store(postgres_address) as store, StoreJournal(store, clock) as journal:
        yield Acting(journal, prefix="neighbour")


WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
END_IDLE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE state = 'idle in transaction' AND datname = current_database()"
)


class Held:
    """A row that another session holds, so that whoever comes first waits first."""

    def __init__(self, server: asyncpg.Connection, watcher: asyncpg.Connection) -> None:
        self._server = server
        self._watcher = watcher
        self._waiting = 0

    async def behind(self, submitting: Awaitable[Answer]) -> asyncio.Task[Answer]:
        """Submits, and returns once the order waits behind all that do so already."""
        task = asyncio.ensure_future(submitting)
        self._waiting += 1
        await self.until_waiting(self._waiting)
        assert not task.done(), "it was to wait"
        return task

    async def until_waiting(self, sessions: int) -> None:
        async with asyncio.timeout(30):
            while await self._watcher.fetchval(WAITING) < sessions:
                pass

    async def let_go(self) -> None:
        await self._server.execute("ROLLBACK")

    async def end_idle(self) -> None:
        """Ends the session that stands still in the midst of a transaction, once it has its lock."""
        async with asyncio.timeout(30):
            while not await self._watcher.fetchval(END_IDLE):
                pass


@pytest.fixture
async def hold(postgres_address) -> AsyncIterator[Callable[[str], Awaitable[Held]]]:
    """Holds the rows that a query selects `FOR UPDATE`."""
    server, watcher = await asyncpg.connect(postgres_address), await asyncpg.connect(postgres_address)

    async def hold(rows: str) -> Held:
        await server.execute(f"BEGIN; {rows} FOR UPDATE")
        return Held(server, watcher)

    yield hold
    await server.close()
    await watcher.close()


async def test_an_undo_of_the_latest_sees_what_another_process_carried_out_meanwhile(acting, neighbour, hold, store):
    """Fault 35"""
    await acting.grant(ana=100)
    await acting.done(tip("ana", "bo", amount=7))
    everyone = await hold("SELECT 1 FROM members")
    tipped = await everyone.behind(neighbour.submit(tip("ana", "cy", amount=20)))
    undone = await everyone.behind(acting.undo("ana"))
    await everyone.let_go()
    latest = number_of(await tipped)
    answer = await undone
    assert number_of(answer) == latest + 1
    assert isinstance(answer.outcome, Undone)
    assert [part.number for part in answer.outcome.parts] == [latest]
    assert (await bonus(store, "bo"), await bonus(store, "cy")) == (7, 0)


async def test_a_tip_to_a_role_means_whoever_another_process_appointed_meanwhile(acting, neighbour, hold, store):
    """Fault 35"""
    await acting.grant(owner=100, bo=1, cy=1)
    await acting.done(appoint("bo", Role.MODERATOR))
    community = await hold("SELECT 1 FROM communities")
    appointed = await community.behind(neighbour.submit(appoint("cy", Role.MODERATOR)))
    to_all = Tip(by=person("owner"), receivers=Receivers(role=Role.MODERATOR), amount=AmountWord.exact(5))
    asked = await community.behind(acting.submit(to_all))
    await community.let_go()
    assert number_of(await appointed)
    order = await stored_order(store, await asked)
    assert isinstance(order, Tip)
    assert order.receivers.people == (person("bo"), person("cy"))


# --- a transaction that the server takes back -----------------------------------------------------------------------


async def test_a_deadlock_with_another_session_is_written_again_under_the_same_keys(
    acting, store, postgres_address, caplog
):
    """Fault 24: sessions of ours lock in one order; this one does not."""
    await acting.grant(ana=100, bo=100)
    first, second = [row[0] for row in await rows(store, "SELECT person_id FROM members ORDER BY 1 DESC LIMIT 2")]
    other = await asyncpg.connect(postgres_address, server_settings={"deadlock_timeout": "1h"})
    watcher = await asyncpg.connect(postgres_address)
    lock = "SELECT 1 FROM members WHERE person_id = $1 FOR UPDATE"
    async with other.transaction():
        await other.execute(lock.replace("$1", str(first)))
        tipping = asyncio.gather(*(acting.submit(tip("ana", "bo")) for _ in range(3)))
        async with asyncio.timeout(30):
            while not await watcher.fetchval(WAITING):
                assert not tipping.done(), "it was to wait"
        # Whoever has waited for a second looks, and finds itself in a circle.
        await other.execute(lock.replace("$1", str(second)))
    answers = await tipping
    assert [answer.repeated for answer in answers] == [False] * 3
    assert all(number_of(answer) for answer in answers)
    assert await bonus(store, "bo") == 130
    assert "written again: DBAPIError of" in caplog.text
    await other.close()
    await watcher.close()


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
async def test_what_the_server_takes_back_is_written_again_under_the_same_keys(acting, store, sqlstate):
    """Fault 24"""
    await acting.grant(ana=100)
    async with store.write() as connection:
        # A sequence keeps its number where all else is taken back: so it fails twice, and never again.
        for statement in (
            "CREATE SEQUENCE taken_back",
            f"""CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('taken_back') <= 2 THEN RAISE 'not now' USING ERRCODE = '{sqlstate}'; END IF;
                RETURN NEW; END $$""",
            "CREATE TRIGGER take_back BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION take_back()",
        ):
            await connection.exec_driver_sql(statement)
    answers = await acting.together(tip("ana", "bo"), tip("ana", "cy"))
    assert all(number_of(answer) and not answer.repeated for answer in answers)
    assert (await bonus(store, "bo"), await bonus(store, "cy")) == (10, 10)
    assert await rows(store, "SELECT last_value FROM taken_back") == [(4,)]


# --- a process that stands still ------------------------------------------------------------------------------------


async def test_a_process_that_was_stopped_in_the_midst_finds_that_another_has_acted(
    acting, store, hold, postgres_address
):
    """Fault 45: the server ends the session of one that stands still, and its locks with it."""
    await acting.grant(ana=100)
    given = acting.submission(tip("ana", "bo"), key="act:once")
    with SecondProcess() as second:
        second.tell(postgres_address, START, [acting.submission(Join(by=person("dee")))])
        await asyncio.to_thread(second.hear)
        everyone = await hold("SELECT 1 FROM members")
        second.tell(postgres_address, START, [given])
        await everyone.until_waiting(1)
        os.kill(second.pid, signal.SIGSTOP)
        await everyone.let_go()
        # As the server does after idle_in_transaction_session_timeout.
        await everyone.end_idle()
        answer = await acting.journal.submit(deepcopy(given))
        assert number_of(answer)
        assert not answer.repeated
        os.kill(second.pid, signal.SIGCONT)
        [late] = await asyncio.to_thread(second.hear)
    assert late.repeated
    assert late.number == answer.number
    assert await bonus(store, "bo") == 10


async def test_who_is_seen_again_is_locked_in_turn_like_all_others(acting, clock, hold, store, postgres_address):
    """Fault 24: to write that bo was seen before ana is locked would let two processes wait for each other."""
    await acting.grant(ana=100, bo=100)
    clock.later(days=2)
    await acting.done(tip("ana", "cy"))  # so that of the two bo alone was not seen lately
    first = await hold("SELECT 1 FROM members WHERE name = 'ana'")
    tipping = await first.behind(acting.submit(tip("bo", "ana")))
    other = await asyncpg.connect(postgres_address)
    await other.execute("SELECT 1 FROM members WHERE name = 'bo' FOR UPDATE NOWAIT")
    await other.close()
    await first.let_go()
    assert number_of(await tipping)
    at_us = await rows(store, "SELECT DISTINCT seen_us FROM members WHERE name IN ('ana', 'bo')")
    assert at_us == [(to_us(clock.now()),)]


async def test_who_spends_the_chest_takes_the_counter_first_like_all_others(acting, hold, store, postgres_address):
    """Fault 24: a gift pays the house while it holds the counter."""
    await acting.grant(ana=100, bo=1)
    await acting.done(SendGift(by=person("ana"), to=person("bo"), gift="rose", count=20))
    counter = await hold("SELECT 1 FROM counters")
    spend = TipFromChest(by=person("owner"), receivers=Receivers((person("bo"),)), amount=AmountWord.exact(3))
    spending = await counter.behind(acting.submit(spend))
    other = await asyncpg.connect(postgres_address)
    await other.execute("SELECT 1 FROM accounts WHERE owner = -3 FOR UPDATE NOWAIT")
    await other.close()
    await counter.let_go()
    assert number_of(await spending)
