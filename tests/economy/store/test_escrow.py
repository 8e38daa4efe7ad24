"""What waits in escrow, on a store: taken up or given back once, whoever asks how often, and whatever dies when."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from bot.jobs import LEASE_S, Jobs
from economy.books import Question
from economy.refusals import Code
from economy.rules.claiming import Return, TakeUp, TipsTaken, TipUnseen
from economy.rules.connecting import Agree, CodeGiven, Confirm, Connect, EnterCode
from economy.rules.presence import Join, Leave
from economy.rules.safety import FreezeAll
from economy.service import Due, Economy, WaitingNow
from economy.store.audit import audit
from economy.store.escrow import StoreEscrow
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.skew import Skew, machine_time
from economy.values import AmountWord, EntryNumber, Identity, Place, Reason
from tests.economy.store.acting import ROOM, Acting, number_of, person, tip
from tests.economy.store.audit import bonus, rows
from tests.support.stores import open_store

ZOE = "console:@zoe"
SOON_S = 60.0
WAY_S = 5.0
"""What the way to the database and back may make of clocks that are compared."""


@pytest.fixture
def escrow(store) -> StoreEscrow:
    return StoreEscrow(store)


@pytest.fixture
def economy(store, journal, clock) -> Economy:
    return Economy(journal, StoreReads(store), StoreProjector(store), clock)


@pytest.fixture
def jobs(economy, escrow) -> Jobs:
    return Jobs(economy, escrow)


def unseen(sender: str, amount: int = 10, name: str = ZOE) -> TipUnseen:
    return TipUnseen(by=person(sender), name=name, amount=AmountWord.exact(amount))


def take(name: str = "zoe", *names: str) -> TakeUp:
    return TakeUp(by=person(name), names=names or (ZOE,))


async def left_by(acting: Acting, *senders: str, amount: int = 10) -> list[int]:
    await acting.grant(**dict.fromkeys(senders, 100))
    return [number_of(await acting.done(unseen(sender, amount))) for sender in senders]


async def join(acting: Acting, *names: str) -> None:
    for name in names:
        await acting.done(Join(by=person(name)))


async def become_one(acting: Acting, owner: str, other: str) -> None:
    """Two people agree that they are one, by a code."""
    first = await acting.submit(Connect(by=person(owner)))
    assert isinstance(first.outcome, Question)
    assert isinstance(first.outcome.about, CodeGiven)
    code = first.outcome.about.code
    entered = await acting.submit(EnterCode(by=person(other), code=code))
    await acting.press(other, entered, Agree(by=person(other), code=code))
    asked = await acting.submit(Connect(by=person(owner)))
    confirm = Confirm(by=person(owner), other=person(other), code=code)
    number_of(await acting.press(owner, asked, confirm))


async def waiting(store) -> list[tuple]:
    return await rows(store, "SELECT entry, name FROM waiting ORDER BY entry")


async def must_be_sound(store) -> None:
    await StoreProjector(store).drain()
    assert (await audit(store)).problems == ()


async def test_it_is_listed_as_long_as_it_waits(acting, store, escrow):
    first, second = await left_by(acting, "ana", "bo")
    assert await waiting(store) == [(first, ZOE), (second, ZOE)]
    known = await escrow.waiting()
    assert known.names == {ZOE}
    assert known.next_due is not None
    await must_be_sound(store)
    await join(acting, "zoe")
    await acting.done(take())
    assert await waiting(store) == []
    assert await escrow.waiting() == WaitingNow()
    assert await bonus(store, "zoe") == 20
    await must_be_sound(store)


async def test_whoever_comes_twice_at_once_gets_it_once(acting, store):
    """Fault 25."""
    await left_by(acting, "ana", "bo")
    await join(acting, "zoe")
    answers = await acting.together(*(take() for _ in range(5)))
    assert sum(isinstance(answer.outcome, TipsTaken) for answer in answers) == 1
    assert await bonus(store, "zoe") == 20


async def test_only_one_of_many_who_claim_a_name_gets_it(acting, store):
    """Fault 27: also where a name changed hands meanwhile."""
    await left_by(acting, "ana")
    await join(acting, "zoe", "yan", "xi")
    answers = await acting.together(*(take(name) for name in ("zoe", "yan", "xi")))
    assert sum(isinstance(answer.outcome, TipsTaken) for answer in answers) == 1
    assert sum([await bonus(store, name) for name in ("zoe", "yan", "xi")]) == 10


@pytest.mark.parametrize("attempt", range(3))
async def test_of_taking_up_undoing_and_the_hour_one_comes_first_and_the_others_find_nothing(
    acting, store, clock, address, attempt
):
    """Faults 23, 35 and 42: also by another process."""
    [number] = await left_by(acting, "ana")
    await join(acting, "zoe")
    async with await open_store(address) as again, StoreJournal(again, clock) as other:
        elsewhere = Acting(other, prefix="other")
        undone = acting.undo("ana", number)
        orders = [acting.submit(take()), elsewhere.submit(take()), undone, elsewhere.undo("ana", number)]
        answers = await asyncio.gather(*orders[attempt:], *orders[:attempt])
    assert sum(answer.number is not None for answer in answers) == 1
    assert (await bonus(store, "ana"), await bonus(store, "zoe")) in ((100, 0), (90, 10))
    assert await waiting(store) == []
    await must_be_sound(store)


# --- the hour ---------------------------------------------------------------------------------------------------------


async def test_what_is_past_its_hour_is_given_back_once(acting, store, clock, jobs):
    await left_by(acting, "ana", "bo")
    assert await jobs.drain() == 0
    clock.later(days=7)
    assert await jobs.drain() == 2
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (100, 100)
    assert await waiting(store) == []
    assert await jobs.drain() == 0
    kinds = Counter(kind for (kind,) in await rows(store, "SELECT kind FROM entries"))
    assert kinds["refund"] == 2
    await must_be_sound(store)


async def test_whoever_is_given_something_back_is_not_there_by_that(acting, store, clock, jobs):
    """Fault 82: who left stays gone, and was not seen."""
    await left_by(acting, "ana")
    await acting.done(Leave(by=person("ana")))
    seen = await rows(store, "SELECT max(seen_us) FROM members")
    clock.later(days=7)
    await jobs.drain()
    assert await bonus(store, "ana") == 100
    assert await rows(store, "SELECT value FROM flags WHERE name = 'present' AND subject = 2") == [("false",)]
    assert await rows(store, "SELECT max(seen_us) FROM members") == seen


async def test_many_processes_share_what_is_due_and_give_each_back_once(acting, store, clock, address):
    """Fault 35."""
    await left_by(acting, *(f"n{number}" for number in range(12)))
    clock.later(days=7)
    async with await open_store(address) as again, StoreJournal(again, clock) as other:
        economies = [
            (store, Economy(acting.journal, StoreReads(store), StoreProjector(store), clock)),
            (again, Economy(other, StoreReads(again), StoreProjector(again), clock)),
        ]
        everyone = [Jobs(economy, StoreEscrow(of)) for of, economy in economies for _ in range(3)]
        taken = await asyncio.gather(*(each.drain() for each in everyone))
    assert sum(taken) == 12
    assert await rows(store, "SELECT count(*) FROM entries WHERE kind = 'refund'") == [(12,)]
    assert await rows(store, "SELECT count(*) FROM answers WHERE kind = 'refund'") == [(0,)]


async def test_what_one_who_died_had_taken_is_left_to_the_next(acting, store, clock, escrow, jobs):
    """Faults 42 and 45: between the lease and the entry."""
    [number] = await left_by(acting, "ana")
    clock.later(days=7)
    assert await escrow.lease(clock.now(), limit=10, for_s=LEASE_S) == [
        Due(ROOM, person("ana"), EntryNumber(number), 1)
    ]
    assert await jobs.drain() == 0
    clock.later(seconds=LEASE_S)
    assert await jobs.drain() == 1
    assert await bonus(store, "ana") == 100


async def test_what_cannot_be_given_back_now_is_not_looked_for_with_every_command(acting, clock, escrow, jobs):
    """While everyone is frozen, it is tried again when the lease is over, and no sooner."""
    await left_by(acting, "ana")
    await acting.done(FreezeAll(by=person("owner"), frozen=True, reason=Reason("an attack")))
    clock.later(days=7)
    assert await jobs.drain() == 1
    known = await escrow.waiting()
    assert known.next_due == clock.now() + timedelta(seconds=LEASE_S)
    assert known.names == {ZOE}


async def test_hosts_whose_clocks_are_five_minutes_apart_take_nothing_from_one_another(acting, store, clock):
    """Fault 145: leases go by the database's clock. On one machine there is one clock."""
    numbers = await left_by(acting, "ana", "bo", "cy")
    clock.later(days=7, seconds=WAY_S)
    if store.server is None:
        return
    apart = timedelta(minutes=5)
    ours, ahead = StoreEscrow(store), StoreEscrow(store, Skew(store, lambda: machine_time() + apart))
    taken = await ours.lease(clock.now(), limit=2, for_s=SOON_S)
    rest = await ahead.lease(clock.now() + apart, limit=10, for_s=SOON_S)
    assert [each.number for each in (*taken, *rest)] == numbers
    clock.later(seconds=SOON_S + 2 * WAY_S)
    assert len(await ahead.lease(clock.now() + apart, limit=10, for_s=SOON_S)) == 3


async def test_a_host_whose_clock_is_ahead_gives_nothing_back_early(acting, store, clock):
    """Fault 145. And one whose clock is behind takes nothing that the rule would not let it give back."""
    await left_by(acting, "ana")
    clock.later(days=7, minutes=-1)
    if store.server is None:
        return
    apart = timedelta(minutes=5)
    ahead = StoreEscrow(store, Skew(store, lambda: machine_time() + apart))
    behind = StoreEscrow(store, Skew(store, lambda: machine_time() - apart))
    assert await ahead.lease(clock.now() + apart, limit=10, for_s=SOON_S) == []
    clock.later(minutes=2)
    assert await behind.lease(clock.now() - apart, limit=10, for_s=SOON_S) == []
    assert len(await ahead.lease(clock.now() + apart, limit=10, for_s=SOON_S)) == 1


async def test_one_who_comes_back_to_what_another_did_finds_it_done(acting, store, clock, escrow):
    """Fault 45: a process that stood still goes on with its lease, long after."""
    [number] = await left_by(acting, "ana")
    clock.later(days=7)
    order = Return(by=person("ana"), of=EntryNumber(number))
    await acting.done(order, key="hour:1:1", seen=())
    no = await acting.refused(order, key="hour:1:2", seen=())
    assert (no.code, no.rule) == (Code.NOTHING_TO_UNDO, "claim_over")
    again = await acting.submit(order, key="hour:1:1", seen=())
    assert again.repeated
    assert await bonus(store, "ana") == 100
    assert await escrow.lease(clock.now(), limit=10, for_s=SOON_S) == []


async def test_what_cannot_be_given_back_now_is_tried_again(acting, store, clock, jobs):
    [_] = await left_by(acting, "ana")
    await acting.done(tip("ana", "owner", amount=1))
    await acting.done(FreezeAll(by=person("owner"), reason=Reason("a reason")))
    clock.later(days=7)
    assert await jobs.drain() == 1
    assert await bonus(store, "ana") == 89
    await acting.done(FreezeAll(by=person("owner"), frozen=False, reason=Reason("a reason")))
    clock.later(seconds=LEASE_S)
    assert await jobs.drain() == 1
    assert await bonus(store, "ana") == 99


async def test_a_process_knows_at_once_whom_its_own_people_wait_for(acting, economy, jobs):
    assert not await jobs.is_waited_for(ZOE)
    await acting.grant(ana=50)
    await economy.submit(acting.submission(unseen("ana")))
    assert await jobs.is_waited_for("console:@yan", ZOE)
    assert not await jobs.is_waited_for("console:@yan")


@pytest.mark.parametrize("end", ["taken", "hour", "undone"])
async def test_of_whoever_went_on_as_somebody_else_what_waits_is_theirs(acting, store, clock, jobs, end):
    """Fault 32: no coins on somebody who is nobody any more."""
    [number] = await left_by(acting, "ana")
    await acting.grant(bo=5)
    await join(acting, "zoe")
    await become_one(acting, "bo", "ana")
    reads = StoreReads(store)
    reader = await reads.reader(ROOM, person("ana"))
    assert reader.community_id is not None
    assert reader.member_id is not None
    assert [claim.number for claim in await reads.claims(reader.community_id, reader.member_id)] == [number]
    if end == "taken":
        await acting.done(take())
        assert await bonus(store, "zoe") == 10
    elif end == "undone":
        number_of(await acting.undo("bo", number))
    else:
        clock.later(days=7)
        assert await jobs.drain() == 1
    assert await bonus(store, "ana") == (95 if end == "taken" else 105)
    assert await waiting(store) == []
    await must_be_sound(store)


async def test_of_what_waits_each_sees_their_own_the_next_to_go_back_first(acting, store, clock):
    await acting.grant(ana=50, bo=50)
    await acting.done(unseen("ana", 5, "console:@late"))
    await acting.done(unseen("bo", 1))
    clock.later(hours=1)
    await acting.done(unseen("ana", 7))
    reads = StoreReads(store)
    reader = await reads.reader(ROOM, person("ana"))
    assert reader.community_id is not None
    assert reader.member_id is not None
    found = await reads.claims(reader.community_id, reader.member_id)
    assert [(claim.name, claim.amount) for claim in found] == [("@late", 5), ("@zoe", 7)]
    assert found[1].until - found[0].until == timedelta(hours=1)


async def test_communities_know_nothing_of_each_others_claims(acting, store, journal):
    """Fault 105."""
    await left_by(acting, "ana")
    elsewhere = Acting(journal, Place("console", "elsewhere"), prefix="elsewhere")
    await join(elsewhere, "zoe")
    no = await elsewhere.refused(take())
    assert no.rule == "claim_over"
    assert await waiting(store) != []


async def test_whoever_is_to_get_something_back_is_found_by_any_of_their_names(acting, store, clock, escrow):
    """A person with two identities, in a community that meets in two places, is told of once."""
    [number] = await left_by(acting, "ana")
    async with store.write() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO places (platform, native_id, community_id) VALUES ('console', 'garden', 1)"
        )
        await connection.exec_driver_sql(
            "INSERT INTO identities (platform, native_id, person_id, is_bot)"
            " SELECT 'telegram', '7', person_id, is_bot FROM identities WHERE native_id = 'ana'"
        )
    clock.later(days=7)
    [due] = await escrow.lease(clock.now(), limit=10, for_s=SOON_S)
    assert (due.number, due.attempts) == (number, 1)
    assert due.by in (person("ana"), Identity("telegram", "7"))
