"""Commits in doubt on PostgreSQL: wherever the line breaks, an order is carried out once and answered once."""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from economy.refusals import Code
from economy.service import Answer
from economy.store.engine import Store
from economy.store.errors import OrderFailedError
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, number_of, refusal_of, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.proxy import Proxy
from tests.support.stores import open_store, upgrade

COMMIT = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00Z\x00\x00\x00\x05I"


@pytest.fixture
async def proxy(postgres: ThrowawayPostgres) -> AsyncIterator[Proxy]:
    async with Proxy(postgres.port) as opened:
        yield opened


@pytest.fixture
async def store(postgres_address: str, proxy: Proxy, postgres: ThrowawayPostgres) -> AsyncIterator[Store]:
    """A store that is reached through the proxy."""
    async with await open_store(postgres_address.replace(str(postgres.port), str(proxy.port))) as opened:
        yield opened
    async with await open_store(postgres_address) as direct:
        await must_balance(direct)


@pytest.fixture
async def admin(postgres_address: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_address)
    yield connection
    await connection.close()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            pass


# --- the line breaks ------------------------------------------------------------------------------------------------


def cut_question(proxy: Proxy, at: int) -> None:
    """Lets the first `at` bytes of the next COMMIT through and breaks the line."""

    def cut(passed: bytes) -> int | None:
        if passed != COMMIT:
            return None
        proxy.cut_asked = lambda _passed: None
        return at

    proxy.cut_asked = cut


def cut_answer(proxy: Proxy, at: int) -> None:
    """Lets the first `at` bytes of the answer to the next COMMIT through and breaks the line."""

    def cut(passed: bytes) -> int | None:
        if passed != COMMITTED:
            return None
        proxy.cut_answered = lambda _passed: None
        return at

    proxy.cut_answered = cut


@pytest.mark.parametrize("cut", [cut_question, cut_answer])
async def test_a_line_cut_at_any_byte_of_a_commit_applies_an_order_once(acting, store, proxy, cut):
    """Fault 54"""
    await acting.grant(ana=1_000)
    await acting.done(tip("ana", "bo"))
    whole = COMMIT if cut is cut_question else COMMITTED
    written_twice = 0
    for at in range(len(whole) + 1):
        lines = proxy.connections
        cut(proxy, at)
        answers = await acting.together(tip("ana", "bo"), tip("ana", "cy"))
        assert [number_of(answer) for answer in answers]
        assert not any(answer.repeated for answer in answers), "it is told as what it is to the caller: the first time"
        assert (await bonus(store, "bo"), await bonus(store, "cy")) == (20 + 10 * at, 10 + 10 * at)
        written_twice += proxy.connections > lines
    assert written_twice >= len(whole), "the harness has cut"


async def test_a_line_cut_before_the_commit_applies_an_order_once(acting, store, proxy):
    await acting.grant(ana=1_000)
    for at in range(12):
        left = at

        def cut(_passed: bytes) -> int | None:
            nonlocal left
            left -= 1
            return 0 if left == 0 else None

        proxy.cut_asked = cut
        assert number_of(await acting.submit(tip("ana", "bo")))
        proxy.cut_asked = lambda _passed: None
        assert await bonus(store, "bo") == 10 * (at + 1)


async def test_an_answer_found_under_its_key_is_told_behind_a_commit_of_its_own(acting, store):
    """Fault 57: on a primary that nobody follows any more, that commit would not return."""
    await acting.grant(ana=100)
    await acting.submit(tip("ana", "bo"), key="act:once")
    before = await rows(store, "SELECT xmin::text FROM counters")
    assert (await acting.submit(tip("ana", "bo"), key="act:once")).repeated
    assert await rows(store, "SELECT xmin::text FROM counters") != before


async def test_a_server_that_is_away_is_waited_for(acting, store, proxy):
    await acting.grant(ana=100)
    away = [4]

    def cut(_passed: bytes) -> int | None:
        away[0] -= 1
        return 0 if away[0] >= 0 else None

    proxy.cut_asked = cut
    proxy.break_all()
    assert number_of(await acting.submit(tip("ana", "bo")))
    assert await bonus(store, "bo") == 10


async def test_busy_is_told_only_where_nothing_can_have_been_written(store, proxy, clock):
    async with StoreJournal(store, clock, patience_s=0) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        proxy.cut_asked = lambda _passed: 0
        assert refusal_of(await acting.submit(tip("ana", "bo"), key="act:once")).code is Code.BUSY
        proxy.cut_asked = lambda _passed: None
        answer = await acting.submit(tip("ana", "bo"), key="act:once")
        assert number_of(answer)
        assert not answer.repeated


async def test_a_commit_in_doubt_is_never_answered_busy_however_long_it_takes(store, proxy, clock):
    async with StoreJournal(store, clock, patience_s=0) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        cut_answer(proxy, 0)
        answer_cut = proxy.cut_answered
        refused = 0

        def refuse(_passed: bytes) -> int | None:
            nonlocal refused
            if proxy.cut_answered is answer_cut or refused >= 5:
                return None
            refused += 1
            return 0

        proxy.cut_asked = refuse
        assert number_of(await acting.submit(tip("ana", "bo")))
        assert refused == 5
        assert await bonus(store, "bo") == 10


async def test_a_journal_that_closes_over_a_commit_in_doubt_gives_no_answer(store, proxy, clock):
    journal = StoreJournal(store, clock)
    journal.start()
    acting = Acting(journal)
    await acting.grant(ana=100)
    cut_answer(proxy, 0)
    answer_cut = proxy.cut_answered
    proxy.cut_asked = lambda _passed: None if proxy.cut_answered is answer_cut else 0
    caller = asyncio.create_task(acting.submit(tip("ana", "bo"), key="act:once"))
    lines = proxy.connections
    await until(lambda: asyncio.sleep(0, proxy.connections > lines + 1))
    await journal.close()
    [told] = await asyncio.gather(caller, return_exceptions=True)
    assert isinstance(told, OrderFailedError)
    proxy.cut_asked = lambda _passed: None
    async with StoreJournal(store, clock) as later:
        assert (await Acting(later).submit(tip("ana", "bo"), key="act:once")).repeated
        assert await bonus(store, "bo") == 10


# --- the server dies ------------------------------------------------------------------------------------------------


async def test_a_server_killed_amid_tips_carries_out_each_once(clock):
    """Fault 40: a killed backend takes all connections with it, a killed server all that was not yet logged."""
    # Not FAST: with synchronous_commit off, this test fails, as it should.
    with throwaway_postgres(("fsync=off",)) as server:
        address = server.url(server.create_database())
        await upgrade(address)
        async with await open_store(address) as store, StoreJournal(store, clock) as journal:
            acting = Acting(journal)
            await acting.grant(ana=10_000)
            told: list[Answer] = []

            async def act() -> None:
                while len(told) < 40:
                    told.append(await acting.submit(tip("ana", "bo")))

            acting_on = asyncio.gather(act(), *(acting.submit(tip("ana", "cy")) for _ in range(20)))
            await until(lambda: asyncio.sleep(0, len(told) > 10))
            backend = server.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'florin' LIMIT 1")
            os.kill(int(backend), signal.SIGKILL)
            await until(lambda: asyncio.sleep(0, len(told) > 20))
            server.kill()
            await asyncio.to_thread(server.start_again)
            await acting_on
            assert [number_of(answer) for answer in told] == sorted({number_of(answer) for answer in told})
            assert not any(answer.repeated for answer in told)
            assert (await bonus(store, "bo"), await bonus(store, "cy")) == (400, 200)
            await must_balance(store)


# --- no cancel request ----------------------------------------------------------------------------------------------


async def test_a_cancelled_statement_breaks_its_line_and_sends_no_cancel_request(store, proxy):
    """Fault 55"""

    async def sleep() -> None:
        async with store.write() as connection:
            await connection.exec_driver_sql("SELECT pg_sleep(60)")

    task = asyncio.create_task(sleep())
    await until(lambda: _is_sleeping(store))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with store.write() as connection:
        assert (await connection.exec_driver_sql("SELECT 1")).scalar_one() == 1
    assert proxy.cancels == 0


async def _is_sleeping(store: Store) -> bool:
    return await rows(store, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != []


async def test_a_proxy_sees_the_cancel_request_of_a_driver_left_to_itself(proxy, postgres_address, postgres):
    """The control: what the other test looks for would be seen."""
    other = await asyncpg.connect(postgres_address.replace(str(postgres.port), str(proxy.port)))
    with pytest.raises(TimeoutError):
        await other.execute("SELECT pg_sleep(60)", timeout=0.05)
    await other.close()
    assert proxy.cancels == 1


async def test_a_commit_that_gets_no_answer_is_given_up_and_written_again(acting, store, proxy):
    """Fault 55"""
    await acting.grant(ana=100)
    store.answer_timeout_s = 0.3
    held = asyncio.Event()

    def hold(passed: bytes) -> int | None:
        if passed == COMMITTED and not held.is_set():
            held.set()
            return -1
        return None

    proxy.cut_answered = hold
    assert number_of(await acting.submit(tip("ana", "bo")))
    assert held.is_set()
    assert await bonus(store, "bo") == 10
    assert proxy.cancels == 0


# --- committed here and nowhere else --------------------------------------------------------------------------------


async def test_committed_locally_is_not_committed(postgres, postgres_address, admin, clock):
    """Fault 56"""
    name = postgres_address.rpartition("/")[2]
    await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    async with await open_store(postgres_address) as store, StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=1_000_000)
        await admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        await admin.execute("SELECT pg_reload_conf()")
        # The server takes a new setting to heart in its own time: until then, commits wait for nobody.
        tipped, callers = 0, list[asyncio.Task[Answer]]()
        try:
            while not callers or callers[-1].done():
                tipped += 1
                callers.append(asyncio.create_task(acting.submit(tip("ana", "bo"))))
                await until(lambda: _told_or_waiting(admin, callers[-1]))
            for _ in range(2):
                await until(lambda: admin.fetchval(CANCEL_WAITING))
            assert not callers[-1].done(), "what a standby may not have is not told"
        finally:
            await admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await admin.execute("SELECT pg_reload_conf()")
        answer = await callers[-1]
        assert number_of(answer)
        assert not answer.repeated
        assert await bonus(store, "bo") == 10 * tipped


async def _told_or_waiting(admin, caller) -> bool:
    return caller.done() or bool(await admin.fetchval(WAITING))


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
CANCEL_WAITING = (
    "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND datname = current_database() AND pid <> pg_backend_pid()"
)


async def test_a_primary_that_takes_no_more_writes_is_left_until_one_does(acting, store, admin):
    """Fault 62"""
    await acting.grant(ana=100)
    await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
    await admin.execute("SELECT pg_reload_conf()")
    try:
        await until(lambda: _reads_only(admin))
        caller = asyncio.create_task(acting.submit(tip("ana", "bo")))
        await asyncio.wait((caller,), timeout=0.3)
        assert not caller.done()
    finally:
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await admin.execute("SELECT pg_reload_conf()")
    assert number_of(await caller)
    assert await bonus(store, "bo") == 10
    # A connection that was forgotten instead of closed warns when it is collected.
    gc.collect()


async def _reads_only(admin: asyncpg.Connection) -> bool:
    return bool(await admin.fetchval("SHOW default_transaction_read_only") == "on")
