"""The figures of a store and its journal, on every database that can hold one."""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

import asyncpg
import pytest

from economy.figures import Carried, Spread
from economy.rules.tipping import Tip
from economy.service import TELLING_ATTEMPTS_MAX
from economy.store.engine import Store
from economy.store.errors import OrderFailedError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.watching import StoreWatch
from tests.economy.store.acting import Acting, tip
from tests.economy.store.audit import rows
from tests.support.postgres import ThrowawayPostgres
from tests.support.proxy import Proxy
from tests.support.stores import open_store


class Seen:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.batches: list[list[Carried]] = []

    def carried_out(self, orders) -> None:
        self.batches.append(list(orders))


class Failing(Tip, frozen=True):
    """An order with a bug in its rule."""

    kind: ClassVar[str] = "failing"

    def decide(self, _books, _now):
        raise ZeroDivisionError


@pytest.fixture
def seen(journal: StoreJournal) -> Seen:
    observer = Seen()
    journal.tally.observers.append(observer)
    return observer


@pytest.fixture
async def watch(store: Store, journal: StoreJournal, clock) -> AsyncIterator[StoreWatch]:
    opened = StoreWatch(store, journal, clock, fresh_s=0)
    yield opened
    await opened.close()


def failing() -> Failing:
    order = tip("ana", "bo")
    return Failing(by=order.by, receivers=order.receivers, amount=order.amount, note=order.note)


# --- orders ---------------------------------------------------------------------------------------------------------


async def test_every_order_is_counted_by_what_it_came_to(acting, watch):
    await acting.grant(ana=5_000)
    await acting.together(tip("ana", "bo"), tip("ana", "cy"))
    await acting.done(tip("ana", "bo"), key="act:once")
    await acting.submit(tip("ana", "bo"), key="act:once")
    await acting.submit(tip("ana", "bo", amount=2_000))
    await acting.refused(tip("bo", "cy", amount=500))
    with pytest.raises(OrderFailedError):
        await acting.submit(failing())
    journal = (await watch.figures()).journal
    assert journal.orders == {
        ("coins", "done", ""): 1,
        ("tip", "done", ""): 3,
        ("tip", "repeated", ""): 1,
        ("tip", "asked", ""): 1,
        ("tip", "refused", "insufficient_funds"): 1,
        ("failing", "failed", ""): 1,
    }
    assert (journal.state, journal.waiting, journal.again) == ("open", 0, 0)
    assert sum(journal.batch_orders.counts) == sum(journal.batch_s.counts) == 7
    assert journal.batch_orders.total == 8
    assert journal.batch_s.total > 0


async def test_an_observer_is_told_of_each_order_once_its_caller_has_the_answer(acting, seen):
    await acting.grant(ana=100)
    answers = await acting.together(tip("ana", "bo"), tip("ana", "bo", amount=500))
    [[granted], [tipped, refused]] = seen.batches
    assert (granted.kind, granted.key, granted.community) == ("coins", "act:1", 1)
    assert (tipped.outcome, tipped.code, tipped.number) == ("done", "", answers[0].number)
    assert (refused.outcome, refused.code, refused.number) == ("refused", "insufficient_funds", None)
    assert 0 < tipped.took_s < 60


async def test_an_observer_that_fails_harms_nobody(acting, journal, seen, caplog):
    class Broken:
        def carried_out(self, _orders) -> None:
            raise ZeroDivisionError("canary")

    journal.tally.observers.insert(0, Broken())
    await acting.grant(ana=100)
    await acting.done(tip("ana", "bo"))
    assert len(seen.batches) == 2
    assert caplog.text.count("an observer failed: ZeroDivisionError") == 2
    assert "canary" not in caplog.text


async def test_an_order_that_finds_no_room_is_counted_and_told(address, store, clock):
    async with StoreJournal(store, clock, waiting_max=0) as journal:
        seen = Seen()
        journal.tally.observers.append(seen)
        await Acting(journal).refused(tip("ana", "bo"))
        assert journal.figures().orders == {("tip", "refused", "busy"): 1}
        [[told]] = seen.batches
        assert (told.key, told.outcome, told.code) == ("act:1", "refused", "busy")


async def test_figures_that_were_taken_do_not_change(acting, journal):
    await acting.grant(ana=100)
    before = journal.figures()
    await acting.grant(ana=100)
    assert sum(before.orders.values()) == sum(before.batch_s.counts) == 1
    assert sum(journal.figures().orders.values()) == sum(journal.figures().batch_s.counts) == 2


async def test_orders_that_wait_are_counted(store, clock):
    journal = StoreJournal(store, clock)
    acting = Acting(journal)
    waiting = [asyncio.create_task(acting.submit(tip("ana", "bo"))) for _ in range(3)]
    await asyncio.sleep(0)
    assert journal.figures().waiting == 3
    journal.start()
    await asyncio.gather(*waiting)
    assert journal.figures().waiting == 0
    await journal.close()


def test_a_spread_counts_each_value_under_its_bound():
    spread = Spread((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.5):
        spread.add(value)
    assert (spread.counts, spread.total) == ([2, 1, 1], 5.5)


# --- the store ------------------------------------------------------------------------------------------------------


async def test_what_is_still_to_be_made_of_entries_is_told_of_the_whole_store(acting, watch, store, clock):
    empty = (await watch.figures()).store
    assert (empty.projector.entries, empty.projector.seconds, empty.sealer.entries) == (0, 0, 0)
    await acting.grant(ana=100)
    acting.place = acting.place.__class__("console", "elsewhere")
    clock.later(seconds=60)
    await acting.grant(ana=100, bo=100)
    clock.later(seconds=30)
    late = (await watch.figures()).store
    assert late.projector == late.sealer
    assert [(late.projector.entries,)] == await rows(store, "SELECT count(*) FROM entries")
    assert late.projector.seconds == 90
    projector = StoreProjector(store)
    await projector.drain()
    await acting.grant(ana=100)
    clock.later(seconds=5)
    again = (await watch.figures()).store
    assert (again.projector.entries, again.projector.seconds) == (1, 5)
    assert again.sealer == again.projector
    await projector.drain()
    assert (await watch.figures()).store.projector == empty.projector


async def test_events_that_wait_and_those_given_up_are_counted(acting, watch, store, clock):
    """Fault 147"""
    await acting.grant(ana=100)
    before = (await watch.figures()).store.outbox
    await acting.together(tip("ana", "bo"), tip("ana", "bo"))
    clock.later(seconds=10)
    after = (await watch.figures()).store.outbox
    assert after.waiting > before.waiting
    assert (after.dead, after.oldest_s) == (0, 10)
    async with store.write() as connection:
        await connection.exec_driver_sql(f"UPDATE outbox SET attempts = {TELLING_ATTEMPTS_MAX}")
    given_up = (await watch.figures()).store.outbox
    assert (given_up.waiting, given_up.dead, given_up.oldest_s) == (0, after.waiting, 0)


async def test_connections_in_use_are_counted(store, watch):
    assert (await watch.figures()).readers.used == 0
    async with store.read(), store.read():
        figures = await watch.figures()
    assert (figures.readers.used, figures.writers.used) == (2, 0)
    assert figures.readers.kept >= 2


async def test_a_file_tells_its_sizes_and_a_server_what_it_may_lose(store, watch):
    """Fault 60: also while it runs, since a server's settings change."""
    found = (await watch.figures()).store
    assert found.answer_s is not None
    assert found.problem == ""
    if found.database == "sqlite":
        assert found.file.size > 0
        assert found.file.disk_free > 0
        assert (found.losses, found.is_loss_allowed) == ((), False)
    else:
        assert found.file is None
        assert len(found.losses) == 2
        assert found.is_loss_allowed


async def test_figures_are_not_taken_anew_for_everyone_who_asks(store, journal, clock, acting):
    watch = StoreWatch(store, journal, clock, fresh_s=3600)
    before = await watch.figures()
    await acting.grant(ana=100)
    after = await watch.figures()
    assert after.store is before.store
    assert after.journal.orders != before.journal.orders


# --- a database that does not answer ----------------------------------------------------------------------------------


@pytest.fixture
async def proxy(postgres: ThrowawayPostgres) -> AsyncIterator[Proxy]:
    async with Proxy(postgres.port) as opened:
        yield opened


@pytest.fixture
async def far_store(postgres_address: str, proxy: Proxy, postgres: ThrowawayPostgres) -> AsyncIterator[Store]:
    """A store that is reached through the proxy."""
    async with await open_store(postgres_address.replace(str(postgres.port), str(proxy.port))) as opened:
        yield opened


async def test_a_database_that_went_away_is_told_and_so_is_its_return(far_store, proxy, clock, monkeypatch):
    monkeypatch.setattr("economy.store.postgres.CONNECT_TIMEOUT_S", 0.5)
    async with StoreJournal(far_store, clock) as journal:
        watch = StoreWatch(far_store, journal, clock, patience_s=30, fresh_s=0)
        assert (await watch.figures()).store.answer_s is not None
        proxy.cut_asked = lambda _passed: 0
        proxy.break_all()
        gone = (await watch.figures()).store
        assert gone.answer_s is None
        assert gone.problem
        assert (gone.projector, gone.outbox) == (None, None)
        proxy.cut_asked = lambda _passed: None
        async with asyncio.timeout(30):
            while (await watch.figures()).store.answer_s is None:
                pass
        await watch.close()


async def test_a_database_that_is_frozen_is_given_up_and_asked_once(far_store, proxy, clock):
    async with StoreJournal(far_store, clock) as journal:
        watch = StoreWatch(far_store, journal, clock, patience_s=0.05, fresh_s=0)
        await watch.figures()
        held = 0

        def hold(_passed: bytes) -> int:
            nonlocal held
            held += 1
            return -1

        proxy.cut_asked = hold
        for _ in range(4):
            frozen = (await watch.figures()).store
            assert (frozen.answer_s, frozen.problem) == (None, "it does not answer")
        assert held == 1, "a question without an answer is not asked again beside itself"
        await watch.close()


async def test_closing_never_waits_for_a_frozen_database(far_store, proxy, clock, postgres_address):
    async with StoreJournal(far_store, clock) as journal:
        watch = StoreWatch(far_store, journal, clock, patience_s=0.05, fresh_s=0)
        proxy.cut_asked = lambda _passed: -1
        await watch.figures()
        async with asyncio.timeout(20):
            await watch.close()
    assert proxy.cancels == 0
    admin = await asyncpg.connect(postgres_address)
    assert await admin.fetchval("SELECT 1") == 1
    await admin.close()


async def test_those_who_look_at_the_same_moment_are_all_answered(watch):
    found = await asyncio.gather(*(watch.figures() for _ in range(5)))
    assert [each.store.problem for each in found] == [""] * 5
