"""Creators: joining, approval, profile and favourites; and turning gifts off."""

from __future__ import annotations

import pytest

from economy.books import FAVOURITES
from economy.refusals import Code
from economy.rules.configuring import ChangeSetting
from economy.rules.creating import FAVOURITES_MAX, BeCreator, DescribeCreator, JudgeCreator, TurnGifts
from economy.settings import Feature
from economy.values import Note, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import OWNER, Scene, person, refused


@pytest.fixture
def scene() -> Scene:
    scene = Scene("ana", "bo", "mo")
    scene.stands("mo", Role.MODERATOR)
    return scene


def judge(by: str, member: str, *, approved: bool, reason: str = "") -> JudgeCreator:
    return JudgeCreator(by=person(by), member=person(member), approved=approved, reason=Reason(reason))


def is_creator(scene: Scene, name: str) -> bool:
    return scene.model.member(person(name)).is_creator


def test_one_becomes_a_creator_at_once_and_stops_again(scene):
    assert receipt_of(scene.submit(BeCreator(by=person("ana")))).state == "creator"
    assert is_creator(scene, "ana")
    assert receipt_of(scene.submit(BeCreator(by=person("ana"), wanted=False))).state == "none"
    assert not is_creator(scene, "ana")


def test_an_appointed_creator_stops_as_well(scene):
    scene.appoint("ana", Role.CREATOR)
    scene.done(BeCreator(by=person("ana"), wanted=False))
    assert not is_creator(scene, "ana")


def test_earnings_stay_with_who_stopped(scene):
    scene.creator("ana")
    scene.grant("bo", coin=10)
    scene.gift("bo", "ana", "rose", 10)
    scene.done(BeCreator(by=person("ana"), wanted=False))
    assert scene.has("ana") == (0, 0, 5)


def test_where_a_moderator_approves_one_asks_first(scene):
    scene.set("creator_approval", True)
    assert receipt_of(scene.submit(BeCreator(by=person("ana")))).state == "asked"
    assert not is_creator(scene, "ana")
    refused(scene.submit(judge("bo", "ana", approved=True)), Code.NOT_ALLOWED, rule="approve_creators")
    assert receipt_of(scene.submit(judge("mo", "ana", approved=True))).state == "creator"
    assert is_creator(scene, "ana")
    refused(scene.submit(judge("mo", "ana", approved=True)), Code.INVALID_ARGUMENT, rule="not_asked")


def test_declining_wants_a_reason(scene):
    scene.set("creator_approval", True)
    scene.done(BeCreator(by=person("ana")))
    refused(scene.submit(judge("mo", "ana", approved=False)), Code.REASON_REQUIRED)
    assert receipt_of(scene.submit(judge("mo", "ana", approved=False, reason="too new"))).state == "none"
    assert receipt_of(scene.submit(BeCreator(by=person("ana")))).state == "asked"


def test_a_creator_need_not_ask_again(scene):
    scene.creator("ana")
    scene.set("creator_approval", True)
    assert receipt_of(scene.submit(BeCreator(by=person("ana")))).state == "creator"


def test_strangers_are_not_judged(scene):
    refused(scene.submit(judge("mo", "nobody", approved=True)), Code.UNKNOWN_MEMBER)


def test_bots_are_no_creators_and_with_creators_off_nobody_is(scene):
    scene.joins("robot", is_bot=True)
    refused(scene.submit(BeCreator(by=person("robot"))), Code.NOT_ALLOWED, rule="bots")
    scene.turn(Feature.CREATORS, on=False)
    for order in (
        BeCreator(by=person("ana")),
        judge("mo", "ana", approved=True),
        DescribeCreator(by=person("ana"), profile=Note("hi")),
    ):
        refused(scene.submit(order), Code.FEATURE_OFF, feature="creators")


def test_a_creator_describes_themself(scene):
    refused(
        scene.submit(DescribeCreator(by=person("ana"), profile=Note("hi"))),
        Code.NOT_ALLOWED,
        rule="creators_only",
        roles="creator",
    )
    scene.creator("ana")
    assert scene.text(scene.submit(DescribeCreator(by=person("ana"), profile=Note("I sing")))) == ("profile", "I sing")
    assert scene.text(scene.submit(DescribeCreator(by=person("ana"), profile=Note("")))) == ("profile", "")
    refused(scene.submit(DescribeCreator(by=person("ana"), profile=Note("www.x.example"))), Code.TEXT_NOT_ALLOWED)


def test_favourites_are_gifts_that_there_are_each_once_and_few(scene):
    scene.creator("ana")
    flags = scene.model.member(person("ana")).flags
    scene.done(DescribeCreator(by=person("ana"), favourites=("rose", "cake", "rose")))
    assert flags[FAVOURITES] == "rose,cake"
    refused(
        scene.submit(DescribeCreator(by=person("ana"), favourites=("rose", "unicorn"))),
        Code.UNKNOWN_GIFT,
        gift="unicorn",
        retired=False,
    )
    many = ("rose", "cake", "coffee", "cookie", "clover", "pizza")
    assert len(many) == FAVOURITES_MAX + 1
    refused(scene.submit(DescribeCreator(by=person("ana"), favourites=many)), Code.LIMIT_EXCEEDED, rule="favourites")
    scene.done(DescribeCreator(by=person("ana"), favourites=many[1:]))
    scene.done(DescribeCreator(by=person("ana"), favourites=()))
    assert flags[FAVOURITES] is None


def test_gifts_are_turned_off_and_on(scene):
    scene.done(TurnGifts(by=person("ana"), on=False))
    assert scene.model.member(person("ana")).flags["gifts_off"] is True
    scene.done(TurnGifts(by=person("ana"), on=True))
    assert scene.model.member(person("ana")).flags["gifts_off"] is None


def test_a_moderator_does_not_approve_themself():
    """Fault 106."""
    scene = Scene("ana", "mo")
    scene.stands("mo", Role.MODERATOR)
    scene.done(ChangeSetting(by=person(OWNER), name="creator_approval", value=True))
    scene.done(BeCreator(by=person("mo")))
    judged = scene.submit(JudgeCreator(by=person("mo"), member=person("mo"), approved=True))
    refused(judged, Code.NOT_ALLOWED, rule="approve_self")
