"""Notices: each is taken by one process at a time, and waits until it was told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from economy.store import outbox as module
from economy.store.outbox import StoreOutbox
from economy.store.skew import Skew, machine_time
from tests.economy.store.acting import ROOM, tip
from tests.economy.store.audit import rows

SOON = 60.0


@pytest.fixture
def outbox(store) -> StoreOutbox:
    return StoreOutbox(store)


async def tipped(acting, count: int) -> list[int]:
    """The numbers of so many tips, with the grant's notice out of the way."""
    await acting.grant(ana=1_000)
    return [(await acting.done(tip("ana", "bo"))).number for _ in range(count)]


async def test_notices_come_in_the_order_of_their_entries_and_name_what_happened(acting, outbox, clock):
    numbers = await tipped(acting, 3)
    grant, *tips = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    assert grant.event == "coins_adjusted"
    assert [(notice.number, notice.event, notice.attempts) for notice in tips] == [
        (number, "coins_tipped", 1) for number in numbers
    ]


async def test_what_one_has_taken_no_other_gets_until_the_time_is_up(acting, outbox, clock):
    """Fault 45: a process that stops leaves its notices to the next."""
    await tipped(acting, 3)
    first = await outbox.lease(clock.now(), limit=2, for_s=SOON)
    second = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    assert (len(first), len(second)) == (2, 2)
    assert not {notice.id for notice in first} & {notice.id for notice in second}
    assert await outbox.lease(clock.now(), limit=10, for_s=SOON) == []
    clock.later(seconds=SOON)
    again = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    assert [(notice.id, notice.attempts) for notice in again] == [
        (notice.id, 2) for notice in sorted((*first, *second), key=lambda notice: notice.id)
    ]


async def test_many_at_once_share_the_work(acting, outbox, clock):
    """Fault 35"""
    await tipped(acting, 20)
    taken = await asyncio.gather(*[outbox.lease(clock.now(), limit=5, for_s=SOON) for _ in range(8)])
    ids = [notice.id for each in taken for notice in each]
    assert len(ids) == len(set(ids))
    rest = await outbox.lease(clock.now(), limit=100, for_s=SOON)
    assert len(ids) + len(rest) == 21


async def test_what_was_told_is_forgotten(acting, outbox, store, clock):
    """Fault 147: the outbox does not grow by what was told."""
    await tipped(acting, 3)
    await outbox.done(await outbox.lease(clock.now(), limit=10, for_s=SOON))
    await outbox.done([])
    assert await rows(store, "SELECT count(*) FROM outbox") == [(0,)]


async def test_what_could_not_be_told_is_due_again_or_never(acting, outbox, store, clock):
    """Fault 76: dead marks stay to be seen."""
    await tipped(acting, 1)
    one, other = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    await outbox.later([one], clock.now() + timedelta(seconds=5))
    await outbox.give_up([other], clock.now())
    await outbox.give_up([], clock.now())
    assert await outbox.lease(clock.now(), limit=10, for_s=SOON) == []
    clock.later(seconds=5)
    assert [notice.id for notice in await outbox.lease(clock.now(), limit=10, for_s=SOON)] == [one.id]
    clock.later(days=10_000)
    await outbox.done(await outbox.lease(clock.now(), limit=10, for_s=SOON))
    assert await rows(store, "SELECT id FROM outbox") == [(other.id,)]


async def test_what_was_given_up_is_forgotten_after_a_while(acting, outbox, store, clock):
    """Fault 147: bounded. What waits is never forgotten."""
    await tipped(acting, 2)
    given_up, later, _ = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    await outbox.give_up([given_up], clock.now())
    clock.later(days=20)
    await outbox.give_up([later], clock.now())
    assert await outbox.sweep(clock.now()) == 0
    clock.later(days=11)
    assert await outbox.sweep(clock.now()) == 1
    assert given_up.id not in {row for (row,) in await rows(store, "SELECT id FROM outbox")}
    clock.later(days=20)
    assert await outbox.sweep(clock.now()) == 1
    assert await rows(store, "SELECT count(*) FROM outbox") == [(1,)]


async def test_of_what_was_given_up_no_more_is_kept_than_is_worth_looking_at(acting, outbox, store, clock, monkeypatch):
    """Fault 147"""
    monkeypatch.setattr(module, "DEAD_KEPT_MAX", 3)
    await tipped(acting, 5)
    found = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    for notice in found[:5]:
        clock.later(seconds=1)
        await outbox.give_up([notice], clock.now())
    assert await outbox.sweep(clock.now()) == 2
    assert [row for (row,) in await rows(store, "SELECT id FROM outbox ORDER BY id")] == [each.id for each in found[2:]]


async def test_two_hosts_whose_clocks_are_five_minutes_apart_tell_nothing_twice(acting, store, clock):
    """Fault 145: leases go by the database's clock. On one machine there is one clock."""
    await tipped(acting, 3)
    if store.server is None:
        return
    ahead = timedelta(minutes=5)
    ours, theirs = StoreOutbox(store), StoreOutbox(store, Skew(store, lambda: machine_time() + ahead))
    taken = await ours.lease(clock.now(), limit=2, for_s=SOON)
    assert len(taken) == 2
    # How far apart two clocks are is known to within the way to the database and back.
    clock.later(seconds=1)
    rest = await theirs.lease(clock.now() + ahead, limit=10, for_s=SOON)
    assert len(rest) == 2
    assert not {notice.id for notice in taken} & {notice.id for notice in rest}
    clock.later(seconds=SOON + 1)
    assert {notice.id for notice in await theirs.lease(clock.now() + ahead, limit=10, for_s=SOON)} == {
        notice.id for notice in (*taken, *rest)
    }


async def test_notices_of_places_that_others_serve_are_left_to_them(outbox, acting, clock):
    await acting.grant(ana=10)
    assert await outbox.lease(clock.now(), limit=10, for_s=SOON, platforms={"elsewhere"}) == []
    assert await outbox.lease(clock.now(), limit=10, for_s=SOON, platforms={"elsewhere", ROOM.platform})


async def test_what_was_told_may_become_another_notice_of_the_same_entry(acting, outbox, clock):
    await tipped(acting, 2)
    _, *tips = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    await outbox.becomes(tips, "over", clock.now() + timedelta(seconds=5))
    await outbox.becomes([], "over", clock.now())
    assert await outbox.lease(clock.now(), limit=10, for_s=SOON) == []
    clock.later(seconds=5)
    found = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    assert [(each.id, each.number, each.event, each.attempts) for each in found] == [
        (each.id, each.number, "over", 1) for each in tips
    ]


async def test_what_another_process_has_to_tell_on_its_platform_is_handed_on(acting, outbox, store, clock):
    await acting.grant(ana=10)
    (notice,) = await outbox.lease(clock.now(), limit=10, for_s=SOON)
    assert notice.platform is None
    await outbox.hand_on(notice, ["discord", ROOM.platform], clock.now())
    await outbox.done([notice])
    there = {"discord", ROOM.platform}
    (here,) = await outbox.lease(clock.now(), limit=10, for_s=SOON, platforms={ROOM.platform})
    assert (here.platform, here.number, here.event, here.attempts) == (ROOM.platform, notice.number, notice.event, 1)
    (other,) = await outbox.lease(clock.now(), limit=10, for_s=SOON, platforms=there)
    assert other.platform == "discord"
    await outbox.done([here])
    clock.later(days=7, seconds=1)
    # Nobody came for it: what is handed on a week later finds it gone.
    await outbox.hand_on(notice, ["telegram"], clock.now())
    assert await rows(store, "SELECT platform FROM outbox") == [("telegram",)]
