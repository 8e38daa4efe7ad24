"""Joining, leaving, and what a member chose to show."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.books import AMOUNT_HIDDEN, CREATOR, HIDDEN, PRESENT, Books, Member
from economy.ledger import Fact
from economy.refusals import Code
from economy.rules.presence import Hide, Hideable, Join, Leave, is_in, places_of_both
from economy.values import CommunityId, MemberId, Role
from tests.economy.scene import Scene, person, refused

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def facts(scene: Scene, answer) -> set[tuple[str, object, object]]:
    entry = scene.model.entries[answer.number]
    return {(fact.name, fact.before, fact.after) for fact in entry.facts}


def test_joining_is_an_entry_and_joining_again_changes_nothing(scene):
    scene.model.meet(person("di"))
    assert facts(scene, scene.done(Join(by=person("di")))) == {(PRESENT, None, True)}
    assert facts(scene, scene.done(Join(by=person("di")))) == set()


def test_whoever_gives_an_order_has_joined_by_it(scene):
    answer = scene.submit(Hide(by=person("di")), "test:first")
    joined = scene.model.entries[answer.number - 1]
    assert (joined.kind, joined.key) == ("join", "test:first:join")
    assert joined.facts == (Fact(scene.id("di"), PRESENT, None, True),)


def test_leavers_keep_their_coins_and_are_back_with_them(scene):
    scene.grant("ana", coin=3, bonus=5)
    assert facts(scene, scene.done(Leave(by=person("ana")))) == {(PRESENT, True, False)}
    assert scene.has("ana") == (3, 5, 0)
    assert facts(scene, scene.done(Leave(by=person("ana")))) == set()
    assert facts(scene, scene.done(Join(by=person("ana")))) == {(PRESENT, False, True)}
    assert scene.tip("ana", "bo", amount=5).number


def test_whoever_leaves_returns_as_no_staff_but_as_creator_owner_or_operator(scene):
    """Fault 104."""
    scene.creator("ana")
    for role in (Role.MODERATOR, Role.TREASURER, Role.OPERATOR, Role.CREATOR):
        scene.appoint("ana", role)
    scene.done(Leave(by=person("ana")))
    scene.done(Join(by=person("ana")))
    member = scene.model.member(person("ana"))
    assert member.roles == {Role.CREATOR, Role.OPERATOR}
    assert member.flags[CREATOR] is True


@pytest.mark.parametrize(("what", "flag"), [(Hideable.ME, HIDDEN), (Hideable.AMOUNT, AMOUNT_HIDDEN)])
def test_a_member_hides_and_shows_again(scene, what, flag):
    hidden = facts(scene, scene.done(Hide(by=person("ana"), what=what)))
    assert (flag, None, True) in hidden
    assert facts(scene, scene.done(Hide(by=person("ana"), what=what, hidden=False))) == {(flag, True, None)}


def test_a_leaver_is_unknown_to_those_who_would_pay_them(scene):
    """Fault 82."""
    scene.grant("ana", bonus=2_000)
    question = scene.tip("ana", "bo", amount=1_000)
    scene.done(Leave(by=person("bo")))
    refused(scene.press("ana", question), Code.UNKNOWN_MEMBER)
    assert scene.has("ana") == (0, 2_000, 0)


# --- a community in several places ------------------------------------------------------------------------------------

SHARED = {f"place.{home}": f"2026-01-05T12:00:00+00:00 telegram {home}" for home in (7, 8)}
STEPS = st.lists(st.tuples(st.sampled_from([Join, Leave]), st.sampled_from([None, 7, 8])), max_size=20)


def carried_out(order, books: Books, home: int | None) -> None:
    books.home = None if home is None else CommunityId(home)
    decision = order(by=person("ana")).decide(books, NOW)
    for fact in decision.facts:
        assert books.actor(person("ana")).flags.get(fact.name) == fact.before
        books.actor(person("ana")).flags[fact.name] = fact.after


def shared(flags=None) -> tuple[Books, Member]:
    books = Books(dict(SHARED))
    member = Member(MemberId(1), person("ana"), flags=dict(flags or {}))
    books.add(member)
    return books, member


@given(STEPS)
def test_whoever_is_in_one_of_several_places_is_a_member(steps):
    books, member = shared()
    places: set[int | None] = set()
    for order, home in steps:
        carried_out(order, books, home)
        places = places | {home} if order is Join else places - {home}
        assert member.is_present is bool(places)
        homes = (None, CommunityId(7), CommunityId(8))
        assert {each for each in homes if is_in(member.flags, each)} == places


def test_whoever_leaves_one_place_stays_staff_in_the_other_and_ends_with_the_last():
    """Fault 82: leaving a group is not leaving the server that shares its community."""
    books, member = shared({PRESENT: True, "role.treasurer": True})
    carried_out(Join, books, 7)
    carried_out(Leave, books, 7)
    assert member.roles == {Role.TREASURER}
    carried_out(Leave, books, None)
    assert (member.is_present, member.roles) == (False, frozenset())


def test_a_place_that_left_the_community_keeps_nobody_in_it():
    books, member = shared()
    carried_out(Join, books, None)
    carried_out(Join, books, 7)
    books.flags["place.7"] = None
    carried_out(Leave, books, None)
    assert not member.is_present
    assert [name for name, value in member.flags.items() if value] == []


@given(STEPS, STEPS)
def test_two_members_who_become_one_are_where_either_was(steps, others):
    """Fault 32: neither of them leaves a place by it."""
    flags, places = [], set[int | None]()
    for each in (steps, others):
        books, member = shared()
        theirs: set[int | None] = set()
        for order, home in each:
            carried_out(order, books, home)
            theirs = theirs | {home} if order is Join else theirs - {home}
        flags.append(member.flags)
        places |= theirs
    one = {PRESENT: bool(places)} | dict.fromkeys(places_of_both(*flags), True)
    homes = (None, CommunityId(7), CommunityId(8))
    assert {each for each in homes if is_in(one, each)} == places
