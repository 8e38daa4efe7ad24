"""A place that gets a new id stays the same community; and what is said late is not done."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from economy.refusals import Code
from economy.rules.presence import Join
from economy.service import Submission
from economy.store.reads import StoreReads
from economy.values import IdempotencyKey, Place, Sighting
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting

OLD, NEW, ELSEWHERE = acts.ROOM, Place(acts.ROOM.platform, "new"), Place(acts.ROOM.platform, "elsewhere")


@pytest.fixture
def reads(store) -> StoreReads:
    return StoreReads(store)


async def community(reads, place):
    return (await reads.reader(place, acts.person("ana"))).community_id


async def test_it_meets_under_its_new_id_once(acting: Acting, journal, reads):
    """Fault 74"""
    await acting.grant(ana=50)
    before = await community(reads, OLD)
    assert await journal.move_place(OLD, NEW)
    assert await journal.move_place(OLD, NEW)
    assert await community(reads, NEW) == before
    assert await community(reads, OLD) is None


async def test_a_place_never_spoken_in_is_not_moved(journal, reads):
    assert not await journal.move_place(ELSEWHERE, NEW)
    assert await community(reads, NEW) is None


async def test_what_was_only_said_in_the_new_one_gives_way(acting: Acting, journal, reads):
    """Fault 74"""
    await acting.grant(ana=50)
    before = await community(reads, OLD)
    await journal.submit(submission(NEW, "first"))
    assert await community(reads, NEW) not in (None, before)
    assert await journal.move_place(OLD, NEW)
    assert await community(reads, NEW) == before
    # The journal had the new place in mind as another community.
    await journal.submit(submission(NEW, "second"))
    assert (await reads.member(before, acts.person("newcomer"))) is not None


async def test_coins_that_moved_in_both_are_not_thrown_together(acting: Acting, journal, reads):
    await acting.grant(ana=50)
    before = await community(reads, OLD)
    assert await journal.move_place(OLD, NEW)
    await acting.grant(ana=50)
    other = await community(reads, OLD)
    assert not await journal.move_place(OLD, NEW)
    assert (await community(reads, NEW), await community(reads, OLD)) == (before, other)


def submission(place: Place, key: str) -> Submission:
    who = acts.person("newcomer")
    return Submission(place, IdempotencyKey(key), Join(by=who), frozenset(), (Sighting(who, "newcomer"),))


async def test_what_was_said_long_ago_is_refused_unless_it_was_done(acting: Acting, journal, clock):
    """Faults 68 and 71"""
    await acting.grant(ana=50)
    in_time = replace(acting.submission(acts.tip("ana", "bo", amount=5), "in time"), said_at=clock.now())
    late = replace(in_time, key=IdempotencyKey("late"))
    done = await journal.submit(in_time)
    clock.later(minutes=10)
    assert (await journal.submit(in_time)).number == done.number
    clock.later(seconds=1)
    refused = await journal.submit(late)
    assert (refused.outcome.code, refused.outcome.rule) == (Code.EXPIRED, "said_long_ago")
    assert (await journal.submit(in_time)).number == done.number
    assert clock.now() - in_time.said_at > timedelta(minutes=10)
