"""Wallets: balances, what is on hold, the chest."""

from datetime import date, timedelta

import pytest

from economy.rules.earning import ClaimDaily
from economy.store.engine import Store
from economy.store.reads import StoreReads
from economy.store.reads.wallets import held_until
from economy.values import (
    CommunityId,
    MemberId,
    Role,
)
from economy.views import Balance, HeldUntil
from tests.economy.projections.town import START, Town, gift, person, tip, undo
from tests.economy.store.chronicle import keep

ONE = CommunityId(1)


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


async def test_a_balance_is_what_one_holds(store, reads, town):
    town.do(gift("ana", "bo"))
    town.do(tip("ana", "cy", amount=30))
    await keep(store, town)
    held = (HeldUntil(50, date(2026, 1, 27)),)
    assert await reads.balance(ONE, town.id("ana"), town.now) == Balance(400, 470, 0, 0, (), False, 0)
    assert await reads.balance(ONE, town.id("bo"), town.now) == Balance(500, 500, 50, 50, held, False, 0)


async def test_earnings_are_on_hold_until_the_end_of_the_last_day(store, reads):
    """A gift at 23:30 in Tokyo on the 5th, held for 2 days, is available when the 8th begins there."""
    town = Town.founded("ana", "bo", coin=100, time_zone="Asia/Tokyo")
    town.set("diamond_hold", 2)
    town.wait(hours=2.5)
    town.do(gift("ana", "bo"))
    await keep(store, town)
    ends = town.now.replace(day=7, hour=15, minute=0)
    before = await reads.balance(ONE, town.id("bo"), ends - timedelta(microseconds=1))
    assert (before.diamond_held, before.held) == (50, (HeldUntil(50, date(2026, 1, 8)),))
    after = await reads.balance(ONE, town.id("bo"), ends)
    assert (after.diamond, after.diamond_held, after.held) == (50, 0, ())


async def test_an_undone_gift_is_not_on_hold(store, reads, town):
    town.do(gift("ana", "bo"))
    town.do(undo(town.entries[-1].number), Role.MODERATOR)
    await keep(store, town)
    assert await reads.balance(ONE, town.id("bo"), town.now) == Balance(500, 500, 0, 0, (), False, 0)


@pytest.mark.parametrize(
    ("received", "diamonds", "parts"),
    [
        ([], 90, []),
        ([(10, 40)], 90, [(40, 10)]),
        ([(10, 40), (12, 5)], 90, [(40, 10), (5, 12)]),
        ([(10, 40), (12, 50)], 60, [(10, 10), (50, 12)]),
        ([(10, 40), (12, 50)], 50, [(50, 12)]),
        ([(10, 40), (12, 50)], 0, []),
    ],
)
def test_what_is_held_is_never_more_than_there_is(received, diamonds, parts):
    wanted = tuple(HeldUntil(amount, date.fromordinal(day + 22)) for amount, day in parts)
    assert held_until(received, diamonds, 21) == wanted


async def test_today_s_claim_and_earnings_are_told(store, reads):
    town = Town.founded("ana", time_zone="America/New_York")
    town.do(ClaimDaily(by=person("ana")))
    await keep(store, town)
    ana = town.id("ana")
    today = await reads.balance(ONE, ana, town.now)
    assert (today.daily_claimed, today.earned_today) == (True, 50)
    tomorrow = await reads.balance(ONE, ana, town.now.replace(day=6, hour=5))
    assert (tomorrow.daily_claimed, tomorrow.earned_today) == (False, 0)


async def test_who_is_unknown_has_an_empty_wallet(reads):
    assert await reads.balance(CommunityId(9), MemberId(9), START) == Balance(0, 0, 0, 0, (), False, 0)


async def test_the_chest_holds_the_house_s_free_coins(store, reads, town):
    town.do(gift("ana", "bo", count=8))
    await keep(store, town)
    assert (await reads.chest(ONE)).bonus == 150
    assert (await reads.chest(CommunityId(9))).bonus == 0
