"""Blocking by members, freezing by staff."""

from __future__ import annotations

import pytest

from economy.refusals import Code
from economy.rules.safety import BLOCKS_MAX, Block, Freeze, FreezeAll, Scope
from economy.values import Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import OPERATOR, OWNER, Scene, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    scene = Scene("ana", "bo", "mo")
    scene.stands("mo", Role.MODERATOR)
    return scene


def freeze(scene: Scene, actor: str, member: str, scope: Scope | None = Scope.BOTH, reason: Reason = WHY):
    return scene.submit(Freeze(by=person(actor), member=person(member), scope=scope, reason=reason))


# --- blocking ---------------------------------------------------------------------------------------------------


def test_a_member_blocks_and_unblocks_another(scene):
    scene.grant("ana", bonus=10)
    scene.done(Block(by=person("bo"), other=person("ana")))
    refused(scene.tip("ana", "bo", amount=1), Code.BLOCKED)
    scene.done(Block(by=person("bo"), other=person("ana"), blocked=False))
    assert scene.tip("ana", "bo", amount=1).number


def test_nobody_blocks_themselves_or_a_stranger(scene):
    refused(scene.submit(Block(by=person("bo"), other=person("bo"))), Code.INVALID_ARGUMENT, rule="block_self")
    refused(scene.submit(Block(by=person("bo"), other=person("nobody"))), Code.UNKNOWN_MEMBER, name="nobody")


def test_blocks_have_a_limit_and_lifting_one_makes_room(scene):
    flags = scene.model.member(person("bo")).flags
    flags.update({f"block.{number}": True for number in range(1_000, 1_000 + BLOCKS_MAX)})
    refused(scene.submit(Block(by=person("bo"), other=person("ana"))), Code.LIMIT_EXCEEDED, rule="blocks")
    flags["block.1000"] = None
    assert scene.submit(Block(by=person("bo"), other=person("ana"))).number


# --- freezing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OWNER, Role.OPERATOR])
def test_staff_freeze_a_member_and_lift_it(scene, role):
    scene.stands("mo", role)
    receipt = receipt_of(freeze(scene, "mo", "ana", Scope.SEND))
    assert (receipt.member, receipt.scope) == (scene.id("ana"), Scope.SEND)
    assert scene.model.member(person("ana")).flags["frozen"] == "send"
    assert receipt_of(freeze(scene, "mo", "ana", None)).scope is None
    assert scene.model.member(person("ana")).flags["frozen"] is None


def test_leavers_can_be_frozen(scene):
    assert freeze(scene, "mo", "bo").number


@pytest.mark.parametrize("role", [Role.TREASURER, Role.AUDITOR, Role.CREATOR])
def test_others_freeze_nobody(scene, role):
    scene.stands("mo", role)
    refused(freeze(scene, "mo", "ana"), Code.NOT_ALLOWED, rule="freeze", roles="operator,owner,moderator")


def test_freezing_wants_a_reason_and_someone_known(scene):
    refused(freeze(scene, "mo", "ana", reason=Reason("")), Code.REASON_REQUIRED)
    refused(freeze(scene, "mo", "nobody"), Code.UNKNOWN_MEMBER)


def test_an_owner_is_not_frozen_by_staff(scene):
    scene.appoint("ana", Role.OWNER)
    refused(freeze(scene, "mo", "ana"), Code.NOT_ALLOWED, rule="freeze_owner")
    assert freeze(scene, "ana", "ana").number


def test_a_frozen_moderator_does_not_lift_it_themself(scene):
    """Fault 106."""
    freeze(scene, OWNER, "mo")
    refused(freeze(scene, "mo", "mo", None), Code.FROZEN, rule="staff")
    freeze(scene, OWNER, "mo", Scope.RECEIVE)
    refused(freeze(scene, "mo", "mo", None), Code.NOT_ALLOWED, rule="freeze_self")
    assert freeze(scene, OWNER, "mo", None).number


def test_everyone_is_frozen_by_owner_or_operator_alone(scene):
    scene.grant("ana", bonus=10)
    for name in (OWNER, OPERATOR):
        frozen = receipt_of(scene.submit(FreezeAll(by=person(name), reason=WHY)))
        assert (frozen.member, frozen.scope) == (None, Scope.BOTH)
        refused(scene.tip("ana", "bo", amount=1), Code.FROZEN, rule="everyone")
        assert receipt_of(scene.submit(FreezeAll(by=person(name), frozen=False, reason=WHY))).scope is None
        assert scene.tip("ana", "bo", amount=1).number
    refused(scene.submit(FreezeAll(by=person("mo"), reason=WHY)), Code.NOT_ALLOWED, rule="freeze_all")
    refused(scene.submit(FreezeAll(by=person(OWNER))), Code.REASON_REQUIRED)


def test_the_refusal_says_where_to_appeal(scene):
    scene.set("appeal", "mail to help@example")
    freeze(scene, "mo", "ana")
    refused(scene.tip("ana", "bo"), Code.FROZEN, rule="send", appeal="mail to help@example")
