"""Two places, one community, and two journals that each know only what they saw: no order is ever carried out in a
community that its place does not meet in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from economy.books import PRESENT
from economy.refusals import Code
from economy.rules.claiming import TipUnseen
from economy.rules.communities import (
    HERE,
    REST_FOR,
    TRIES_FOR,
    TRIES_MAX,
    InvitePlace,
    JoinPlace,
    PartPlace,
    PlaceJoined,
    PlaceParted,
    joined_places,
)
from economy.rules.offers import Press
from economy.rules.places import MapRole, Notices, TellIn
from economy.rules.presence import Hide, Leave
from economy.service import Answer, Submission
from economy.store import tables
from economy.store.audit import audit
from economy.store.escrow import StoreEscrow
from economy.store.journal import StoreJournal
from economy.store.reads import StoreReads
from economy.values import AmountWord, IdempotencyKey, InvitationCode, Place, Role
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting, number_of, person, refusal_of
from tests.support.stores import open_store

LOBBY, CAFE, NOOK = acts.ROOM, Place("console", "cafe"), Place("telegram", "-5")
OWNS = frozenset({Role.OWNER})
_OWNERS = count(1)


@pytest.fixture
def reads(store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
async def other_journal(address, store, clock) -> AsyncIterator[StoreJournal]:
    """Another process's."""
    async with await open_store(address) as opened, StoreJournal(opened, clock) as journal:
        yield journal


class Owner(Acting):
    """Whoever owns a place: `submit` attests that."""

    def __init__(self, journal: StoreJournal, place: Place, name: str) -> None:
        super().__init__(journal, place, f"{place}:{name}:{next(_OWNERS)}")
        self.name = name

    async def owns(self, order, key: str | None = None) -> Answer:
        return await self.submit(order, key, standing=OWNS)

    async def invite(self, reads: StoreReads) -> str:
        asked = await self.owns(InvitePlace(by=person(self.name), name=self.place.native_id))
        (offer,) = asked.offered
        reader = await reads.reader(self.place, person(self.name))
        assert reader.community_id is not None
        return str(InvitationCode(reader.community_id, offer.nonce))

    async def ask(self, code: str) -> Answer:
        return await self.owns(JoinPlace(by=person(self.name), code=code, name=self.place.native_id))

    def presses(self, question: Answer, inner) -> Submission:
        (offer,) = question.offered
        order = Press(by=person(self.name), nonce=offer.nonce, inner=inner)
        key = IdempotencyKey(f"offer:{offer.nonce}:{person(self.name)}")
        return Submission(self.place, key, order, OWNS, (acts.sighting(self.name),))

    def confirms(self, question: Answer, code: str) -> Submission:
        order = JoinPlace(by=person(self.name), code=code, name=self.place.native_id, confirmed=True)
        return self.presses(question, order)

    async def join(self, code: str) -> Answer:
        return await self.journal.submit(self.confirms(await self.ask(code), code))

    async def leave(self, reads: StoreReads) -> Answer:
        home = (await reads.reader(self.place, person(self.name))).home or HERE
        question = await self.owns(PartPlace(by=person(self.name)))
        return await self.journal.submit(
            self.presses(question, PartPlace(by=person(self.name), home=home, confirmed=True))
        )


@pytest.fixture
def ana(journal) -> Owner:
    return Owner(journal, LOBBY, "ana")


@pytest.fixture
def bo(journal) -> Owner:
    return Owner(journal, CAFE, "bo")


async def community(reads, place):
    return (await reads.reader(place, person("ana"))).community_id


async def entries_of(store, community_id) -> list[str]:
    async with store.read() as connection:
        at = tables.entries.c
        found = await connection.execute(select(at.kind).where(at.community_id == community_id).order_by(at.number))
        return list(found.scalars())


async def test_a_place_joins_by_code_and_leaves_again_with_nothing_lost(journal, reads, ana, bo, clock):
    lobby, cafe = Acting(journal, LOBBY, "lobby"), Acting(journal, CAFE, "cafe")
    await lobby.grant(cy=500)
    await cafe.grant(dee=70)
    theirs, own = await community(reads, LOBBY), await community(reads, CAFE)
    joined = await bo.join(await ana.invite(reads))
    assert isinstance(joined.outcome, PlaceJoined)
    assert (joined.outcome.name, joined.outcome.there) == ("cafe", "room")
    reader = await reads.reader(CAFE, person("dee"))
    assert (reader.community_id, reader.home) == (theirs, own)
    (place,) = joined_places(reader.community_flags)
    assert (place.home, place.name, place.since) == (own, "cafe", clock.now())
    tipped = await cafe.done(acts.tip("cy", "dee", amount=120))
    assert (await reads.entry(theirs, tipped.number)) is not None
    parted = await bo.leave(reads)
    assert isinstance(parted.outcome, PlaceParted)
    assert await community(reads, CAFE) == own
    dee = await reads.member(own, person("dee"))
    assert (await reads.balance(own, dee, clock.now())).bonus == 70
    assert (await reads.balance(theirs, dee, clock.now())).bonus == 120
    assert not joined_places(await reads.community_flags(theirs))


async def test_another_process_never_acts_where_the_place_was(journal, other_journal, reads, ana, bo, clock):
    """Its memory of places is old at every step; what it carries out is not."""
    elsewhere = Acting(other_journal, CAFE, "elsewhere")
    await elsewhere.grant(cy=50)
    own, theirs = await community(reads, CAFE), None
    code = await ana.invite(reads)
    theirs = await community(reads, LOBBY)
    await bo.join(code)
    refused = await elsewhere.refused(acts.tip("cy", "dee", amount=5))
    assert (refused.code, refused.fields["available"]) == (Code.INSUFFICIENT_FUNDS, 0)
    # Whoever owns the place owns no community by that, whatever the process took it for.
    assert (await elsewhere.refused(acts.adjust("cy", 1_000), standing=OWNS)).code is Code.NOT_ALLOWED
    granted = await Acting(other_journal, LOBBY, "there").done(acts.adjust("cy", 30))
    assert (await reads.entry(theirs, granted.number)) is not None
    await bo.leave(reads)
    tipped = await elsewhere.done(acts.tip("cy", "dee", amount=5))
    cy = await reads.member(own, person("cy"))
    assert (await reads.entry(own, tipped.number)).actor == cy
    assert (await reads.balance(own, cy, clock.now())).bonus == 45


async def test_orders_that_meet_a_join_and_a_leave_are_each_in_one_community_or_the_other(
    store, journal, other_journal, reads, ana, bo
):
    """Whatever order they come in: what comes before the join is in the one, what comes after it in the other."""
    elsewhere = Acting(other_journal, CAFE, "elsewhere")
    await elsewhere.grant(cy=1_000)
    await Acting(journal, LOBBY, "lobby").grant(cy=1_000)
    own, theirs = await community(reads, CAFE), await community(reads, LOBBY)

    async def tips() -> None:
        for _ in range(30):
            await elsewhere.done(acts.tip("cy", "dee", amount=1))

    for _ in range(3):
        code = await ana.invite(reads)
        confirm = bo.confirms(await bo.ask(code), code)
        _, joined = await asyncio.gather(tips(), journal.submit(confirm))
        number_of(joined)
        at_home = await entries_of(store, own)
        assert at_home[-1] == "community"
        _, parted = await asyncio.gather(tips(), bo.leave(reads))
        number_of(parted)
        there = await entries_of(store, theirs)
        after = there[len(there) - there[::-1].index("community") :]
        assert set(after) <= {"join"}
    everything = [*await entries_of(store, own), *await entries_of(store, theirs)]
    assert everything.count("tip") == 6 * 30


async def test_what_was_said_before_and_comes_again_is_answered_again(journal, other_journal, reads, ana, bo):
    """Fault 68: also where the place meets elsewhere by now."""
    cafe = Acting(journal, CAFE, "cafe")
    await cafe.grant(cy=50)
    await Acting(journal, LOBBY, "lobby").grant(cy=50)
    said = cafe.submission(acts.tip("cy", "dee", amount=5), "said once")
    first = await journal.submit(said)
    await bo.join(await ana.invite(reads))
    for each in (journal, other_journal):
        again = await each.submit(said)
        assert (again.number, again.outcome, again.repeated) == (first.number, first.outcome, True)
    said_there = replace(said, key=IdempotencyKey("said there"))
    there = await journal.submit(said_there)
    assert not there.repeated
    await bo.leave(reads)
    for each in (journal, other_journal):
        for message, answer in ((said, first), (said_there, there)):
            again = await each.submit(message)
            assert (again.number, again.outcome, again.repeated) == (answer.number, answer.outcome, True)


async def test_a_confirm_pressed_often_and_in_two_processes_joins_once(store, journal, other_journal, reads, ana, bo):
    """Fault 25"""
    code = await ana.invite(reads)
    confirm = bo.confirms(await bo.ask(code), code)
    answers = await asyncio.gather(*(each.submit(confirm) for each in (journal, other_journal) * 5))
    assert {number_of(answer) for answer in answers} == {answers[0].number}
    assert sum(not answer.repeated for answer in answers) == 1
    theirs = await community(reads, LOBBY)
    assert (await entries_of(store, theirs)).count("community") == 1
    assert (await reads.offer_order(CAFE, confirm.order.nonce)) is not None


async def test_a_code_is_for_the_first_place_that_says_it_and_once(journal, reads, ana, bo):
    code = await ana.invite(reads)
    eve = Owner(journal, NOOK, "eve")
    question = await bo.ask(code)
    wrong = refusal_of(await eve.ask(code))
    assert (wrong.code, wrong.rule) == (Code.INVALID_ARGUMENT, "code")
    await bo.ask(code.lower().replace("-", " "))
    number_of(await journal.submit(bo.confirms(question, code)))
    assert refusal_of(await eve.ask(code)).rule == "code"
    await bo.leave(reads)
    assert refusal_of(await bo.ask(code)).rule == "code"


async def test_a_code_is_nothing_once_the_place_that_gave_it_went_elsewhere(journal, reads, ana, bo):
    """Fault 106: the others would share a community that nobody owns."""
    cy = Owner(journal, NOOK, "cy")
    code = await ana.invite(reads)
    asked = await bo.ask(code)
    number_of(await ana.join(await cy.invite(reads)))
    assert refusal_of(await journal.submit(bo.confirms(asked, code))).rule == "code"
    assert refusal_of(await bo.ask(code)).rule == "code"
    assert (await reads.reader(CAFE, person("bo"))).home is None


async def test_what_waits_in_a_community_whose_place_is_elsewhere_is_in_nobodys_way(
    store, journal, reads, ana, bo, clock
):
    """It is given back once the place is home; until then, what waits in others is given back as ever."""
    cy = Owner(journal, NOOK, "cy")
    for owner in (ana, bo):
        await owner.grant(**{owner.name: 100})
        await owner.done(TipUnseen(by=person(owner.name), name="console:@zoe", amount=AmountWord.exact(10)))
        clock.later(seconds=1)
    number_of(await ana.join(await cy.invite(reads)))
    clock.later(days=7)
    escrow = StoreEscrow(store)
    assert [due.place for due in await escrow.lease(clock.now(), limit=1, for_s=60)] == [CAFE]
    assert await escrow.lease(clock.now(), limit=1, for_s=60) == []
    number_of(await ana.leave(reads))
    assert [(due.place, due.attempts) for due in await escrow.lease(clock.now(), limit=1, for_s=60)] == [(LOBBY, 1)]


async def test_the_audit_sees_a_place_that_was_taken_elsewhere_by_hand(store, journal, reads, ana, bo):
    cy = Owner(journal, NOOK, "cy")
    await cy.owns(Hide(by=person("cy")))
    number_of(await bo.join(await ana.invite(reads)))
    there = await community(reads, NOOK)
    where = f"place of community {(await reads.reader(CAFE, person('bo'))).home}"
    assert (await audit(store)).ok
    async with store.write() as connection:
        await connection.execute(
            tables.places.update().where(tables.places.c.own_id.is_not(None)).values(community_id=there)
        )
    told = [(problem.what, problem.community, problem.where) for problem in (await audit(store)).problems]
    assert sorted(told) == sorted(("place", each, where) for each in (await community(reads, LOBBY), there))
    async with store.write() as connection:
        await connection.execute(
            tables.places.update()
            .where(tables.places.c.own_id.is_not(None))
            .values(community_id=await community(reads, LOBBY))
        )


async def test_codes_are_not_guessed(journal, reads, ana, bo, clock):
    code = await ana.invite(reads)
    community_id = code.partition("-")[0]
    for number in range(TRIES_MAX):
        wrong = refusal_of(await bo.ask(f"{community_id}-AAAA-AAAA-AAA{number + 2}"))
        assert (wrong.code, wrong.rule) == (Code.INVALID_ARGUMENT, "code")
    stopped = refusal_of(await bo.ask(code))
    assert (stopped.code, stopped.rule) == (Code.LIMIT_EXCEEDED, "place_codes")
    clock.later(seconds=TRIES_FOR.total_seconds() + 1)
    assert refusal_of(await bo.ask(code)).rule == "code"  # it is too old by now
    number_of(await bo.join(await ana.invite(reads)))


async def test_a_code_of_a_community_that_is_none_makes_nobody_a_member_there(store, journal, reads, bo):
    await Acting(journal, LOBBY, "lobby").grant(cy=1)
    theirs = await community(reads, LOBBY)
    for community_id in (theirs, 999_999):
        assert refusal_of(await bo.ask(f"{community_id}-AAAA-AAAA-AAAA")).rule == "code"
        assert await reads.member(community_id, person("bo")) is None


async def test_an_owner_of_a_place_that_joined_owns_it_and_no_more(journal, reads, ana, bo):
    """Faults 105 and 108: nothing that a joined place attests makes anybody owner, and no role of its platform does."""
    await bo.join(await ana.invite(reads))
    by = person("bo")
    for order in (
        acts.setting("joined_staff", "treasurer"),
        acts.appoint("bo", Role.OWNER),
        acts.adjust("bo", 5),
        MapRole(by=by, group="7", name="All", role=Role.MODERATOR),
        TellIn(by=by, place=CAFE.native_id, notices=Notices.LOG, channel="1", name="x"),
        TellIn(by=by, place=LOBBY.native_id, notices=Notices.ANNOUNCEMENTS, channel="1", name="x"),
        InvitePlace(by=by, name="cafe"),
    ):
        refused = refusal_of(await bo.owns(replace(order, by=by)))
        assert (refused.code, "roles" in refused.fields) == (Code.NOT_ALLOWED, True), order
    number_of(await bo.owns(TellIn(by=by, place=CAFE.native_id, notices=Notices.ANNOUNCEMENTS, channel="1", name="x")))
    # Its roles may stand for staff, where the owner says so, and never for owner.
    owner = MapRole(by=person("ana"), group="7", name="All", role=Role.OWNER)
    number_of(await ana.owns(replace(acts.appoint("ana", Role.OWNER), by=person("ana"))))
    cafe = Acting(journal, CAFE, "ana at the cafe")
    assert (await cafe.refused(owner, standing=frozenset())).rule == "joined_owner"
    number_of(await cafe.submit(replace(owner, role=Role.TREASURER), standing=frozenset()))
    held = replace(cafe.submission(replace(acts.adjust("dee", 5), by=by), standing=frozenset()), held=frozenset({"7"}))
    number_of(await journal.submit(held))
    await bo.leave(reads)
    flags = await reads.community_flags(await community(reads, LOBBY))
    local = [name for name in flags if name.startswith(("at.", "map.", "announce.", "place."))]
    assert local
    assert all(flags[name] is None for name in local)


async def test_a_group_that_gets_another_id_is_still_a_place_that_joined(journal, other_journal, reads, ana):
    """Fault 74: its owner does not become the community's by that."""
    eve = Owner(journal, NOOK, "eve")
    await eve.join(await ana.invite(reads))
    new = Place("telegram", "-1005")
    mint = replace(acts.adjust("eve", 5), by=person("eve"))
    assert refusal_of(await Owner(other_journal, NOOK, "eve").owns(mint)).code is Code.NOT_ALLOWED
    assert await journal.move_place(NOOK, new)
    moved = Owner(other_journal, new, "eve")
    assert (await reads.reader(new, person("eve"))).home is not None
    assert refusal_of(await moved.owns(mint)).code is Code.NOT_ALLOWED
    number_of(await moved.leave(reads))


async def test_a_process_that_knew_the_new_id_as_another_community_is_corrected(journal, other_journal, reads):
    """Fault 74"""
    old, new = Place("telegram", "-7"), Place("telegram", "-1007")
    await Acting(journal, old, "old").grant(cy=50)
    before = await community(reads, old)
    elsewhere = Acting(other_journal, new, "new")
    await elsewhere.submit(acts.tip("cy", "dee", amount=5))
    assert await community(reads, new) != before
    assert await journal.move_place(old, new)
    tipped = await elsewhere.done(acts.tip("cy", "dee", amount=5))
    assert (await reads.entry(before, tipped.number)).kind == "tip"


async def test_a_place_that_left_rests_before_it_joins_another_community(journal, reads, ana, bo, clock):
    eve = Owner(journal, NOOK, "eve")
    await bo.join(await ana.invite(reads))
    await bo.leave(reads)
    clock.later(minutes=1)
    assert refusal_of(await bo.ask(await eve.invite(reads))).rule == "left_lately"
    number_of(await bo.join(await ana.invite(reads)))  # the same one again
    await bo.leave(reads)
    clock.later(seconds=REST_FOR.total_seconds())
    number_of(await bo.join(await eve.invite(reads)))


async def test_the_owner_of_the_community_sends_a_place_home(journal, other_journal, reads, ana, bo, clock):
    await bo.join(await ana.invite(reads))
    own = (await reads.reader(CAFE, person("bo"))).home
    order = PartPlace(by=person("ana"), home=own)
    assert refusal_of(await ana.submit(order, standing=frozenset())).code is Code.NOT_ALLOWED
    question = await ana.owns(order)
    gone = await ana.journal.submit(ana.presses(question, replace(order, confirmed=True)))
    assert gone.outcome.removed
    assert await community(reads, CAFE) == own
    assert refusal_of(await ana.owns(PartPlace(by=person("ana"), home=own))).rule == "no_such_place"
    number_of(await Owner(other_journal, CAFE, "bo").owns(replace(acts.adjust("bo", 5), by=person("bo"))))


async def test_where_a_community_began_it_stays(journal, reads, ana, bo):
    assert refusal_of(await ana.owns(PartPlace(by=person("ana")))).rule == "alone"
    eve = Owner(journal, NOOK, "eve")
    code = await eve.invite(reads)
    await bo.join(await ana.invite(reads))
    assert refusal_of(await ana.owns(PartPlace(by=person("ana")))).rule == "began_here"
    assert refusal_of(await ana.ask(code)).rule == "others_joined"
    assert refusal_of(await bo.ask(code)).rule == "joined_already"


async def test_whoever_leaves_one_of_two_places_is_still_a_member(journal, reads, ana, bo):
    """Fault 82"""
    await bo.join(await ana.invite(reads))
    lobby, cafe = Acting(journal, LOBBY, "lobby"), Acting(journal, CAFE, "cafe")
    await lobby.grant(cy=5)
    await lobby.done(acts.appoint("cy", Role.MODERATOR))
    await cafe.grant(dee=5)
    await cafe.done(acts.tip("cy", "dee", amount=1))
    gone = (acts.sighting("cy", present=False),)
    await cafe.done(Leave(by=person("cy")), seen=gone)
    cy = await reads.reader(LOBBY, person("cy"))
    assert (cy.flags[PRESENT], cy.roles) == (True, {Role.MODERATOR})
    await lobby.done(Leave(by=person("cy")), seen=gone)
    cy = await reads.reader(LOBBY, person("cy"))
    assert (cy.flags[PRESENT], cy.roles) == (False, frozenset())
