"""What one member sends in quick succession."""

from __future__ import annotations

from datetime import timedelta

import pytest

from economy.rules.gifting import SendGift
from economy.rules.undoing import Undo
from economy.store.reads import StoreReads
from economy.store.reads.runs import FIRST_PAGE, PAGE
from economy.values import CommunityId, EntryNumber, Spot
from tests.economy.store.acting import person, tip

ONE = CommunityId(1)
APART = timedelta(seconds=30)
HERE = Spot("test", "room", "7")


@pytest.fixture
def reads(store) -> StoreReads:
    return StoreReads(store)


async def rose(acting, by: str = "ana", to: str = "bo", gift: str = "rose") -> EntryNumber:
    answer = await acting.done(SendGift(by=person(by), to=person(to), gift=gift, told_in=HERE))
    return EntryNumber(answer.number)


async def around(reads: StoreReads, number: int, most: int = 1_000) -> list[int]:
    return [each.number for each in await reads.sent_around(ONE, EntryNumber(number), apart=APART, most=most)]


async def test_gifts_are_found_until_their_sender_paused_in_either_direction(acting, reads, clock):
    await acting.grant(ana=1_000, cy=1_000)
    early = await rose(acting)
    clock.later(seconds=31)
    first = await rose(acting)
    await rose(acting, by="cy")
    clock.later(seconds=30)
    second = await rose(acting, to="cy")
    await acting.done(tip("ana", "bo"))
    clock.later(seconds=30)
    third = await rose(acting, gift="cookie")
    clock.later(seconds=31)
    late = await rose(acting)
    assert await around(reads, early) == [early]
    for of in (first, second, third):
        assert await around(reads, of) == [first, second, third]
    assert await around(reads, late) == [late]
    assert await around(reads, second, most=1) == [first, second, third]
    assert await around(reads, third, most=1) == [second, third]


async def test_they_come_with_what_they_were_and_what_took_them_back(acting, reads):
    await acting.grant(ana=1_000)
    first, second = await rose(acting), await rose(acting)
    undo = await acting.done(Undo(by=person("ana"), of=first))
    one, two = await reads.sent_around(ONE, second, apart=APART, most=10)
    assert (one.undone_by, two.undone_by) == (undo.number, None)
    assert (two.gift.gift, two.gift.count, two.gift.told_in) == ("rose", 1, HERE)


async def test_what_is_no_gift_has_none_around(acting, reads):
    await acting.grant(ana=1_000)
    tipped = await acting.done(tip("ana", "bo"))
    assert await around(reads, tipped.number) == []
    assert await around(reads, 999) == []


@pytest.mark.parametrize("count", [FIRST_PAGE, FIRST_PAGE + 1, FIRST_PAGE + PAGE + 1])
async def test_long_runs_are_read_to_their_end(acting, reads, clock, count):
    await acting.grant(ana=10_000)
    numbers = []
    for _ in range(count):
        numbers.append(await rose(acting))
        clock.later(seconds=1)
    assert await around(reads, numbers[-1]) == numbers
    assert await around(reads, numbers[0]) == numbers
    assert await around(reads, numbers[count // 2]) == numbers


async def test_only_who_did_something_just_before_is_busy(acting, reads, clock):
    await acting.grant(ana=1_000, cy=1_000)
    clock.later(seconds=31)
    first = await rose(acting)
    await rose(acting, by="cy")
    clock.later(seconds=31)
    second = await rose(acting)
    clock.later(seconds=30)
    third = await rose(acting)
    fourth = (await acting.done(tip("ana", "bo"))).number
    busy = await reads.busy_senders(ONE, [first, second, third, fourth], apart=APART)
    assert busy == {third, fourth}
    assert await reads.busy_senders(ONE, [], apart=APART) == set()
