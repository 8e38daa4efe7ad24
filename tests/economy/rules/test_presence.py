"""Joining, leaving, and what a member chose to show."""

from __future__ import annotations

import pytest

from economy.books import AMOUNT_HIDDEN, CREATOR, HIDDEN, PRESENT
from economy.ledger import Fact
from economy.refusals import Code
from economy.rules.presence import Hide, Hideable, Join, Leave
from economy.values import Role
from tests.economy.scene import Scene, person, refused


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
