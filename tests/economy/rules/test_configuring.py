"""Settings, features, and who holds which role."""

from __future__ import annotations

import pytest

from economy.books import CREATOR
from economy.refusals import Code
from economy.rules.configuring import Appoint, ChangeSetting, TurnFeature
from economy.rules.presence import Leave
from economy.settings import Feature
from economy.values import Role
from tests.economy.model import receipt_of
from tests.economy.scene import OPERATOR, OWNER, Scene, person, refused


@pytest.fixture
def scene() -> Scene:
    return Scene()


def setting(name: str, value, by: str = OWNER) -> ChangeSetting:
    return ChangeSetting(by=person(by), name=name, value=value)


def appoint(by: str, member: str, role: Role, *, given: bool = True) -> Appoint:
    return Appoint(by=person(by), member=person(member), role=role, given=given)


# --- settings and features --------------------------------------------------------------------------------------


def test_a_setting_is_changed_and_reset_with_before_and_after(scene):
    changed = receipt_of(scene.submit(setting("undo_window", 10)))
    assert (changed.before, changed.after, changed.reset) == (60, 10, False)
    assert scene.model.settings.undo_window == 10
    reset = receipt_of(scene.submit(setting("undo_window", None)))
    assert (reset.before, reset.after, reset.reset) == (10, 60, True)
    assert scene.model.settings.undo_window == 60


def test_a_change_is_in_force_for_the_next_order_and_its_entry_keeps_the_zone_before(scene):
    answer = scene.submit(setting("time_zone", "Asia/Tokyo"))
    assert scene.model.entries[answer.number].time_zone == "UTC"
    following = scene.submit(setting("undo_window", 10))
    assert scene.model.entries[following.number].time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("nonsense", 1, "unknown_setting"),
        ("undo_window", -1, "out_of_bounds"),
        ("undo_window", True, "not_a_number"),
        ("creator_share", 9_001, "out_of_bounds"),
        ("balance_board", 1, "not_a_switch"),
        ("time_zone", "Mars", "not_a_time_zone"),
        ("currency_one", "\0\u200b", "out_of_bounds"),
    ],
)
def test_what_a_setting_cannot_be_is_refused(scene, name, value, rule):
    """Fault 8."""
    refused(scene.submit(setting(name, value)), Code.INVALID_ARGUMENT, rule=rule, name=name)


def test_texts_are_made_plain(scene):
    """Fault 16."""
    receipt = receipt_of(scene.submit(setting("currency_one", "  gold\0 \u202epiece ")))
    assert receipt.after == "gold piece"
    assert scene.model.settings.currency_one == "gold piece"


def test_a_feature_is_turned_off_and_on(scene):
    scene.done(TurnFeature(by=person(OWNER), feature=Feature.GIFTS, on=False))
    assert not scene.model.settings.feature_on(Feature.GIFTS)
    scene.done(TurnFeature(by=person(OWNER), feature=Feature.GIFTS, on=True))
    assert scene.model.settings.feature_on(Feature.GIFTS)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.TREASURER, Role.MODERATOR, Role.AUDITOR])
def test_only_the_owner_sets(scene, role):
    """Fault 108: the operator is no owner."""
    scene.stands("ana", role)
    for order in (
        setting("undo_window", 10, by="ana"),
        TurnFeature(by=person("ana"), feature=Feature.GIFTS, on=False),
        appoint("ana", "bo", Role.MODERATOR),
    ):
        refused(scene.submit(order), Code.NOT_ALLOWED, roles="owner")


# --- roles ------------------------------------------------------------------------------------------------------


def test_an_owner_gives_and_takes_roles_which_count_at_once(scene):
    """Fault 104."""
    scene.done(appoint(OWNER, "ana", Role.TREASURER))
    assert scene.model.member(person("ana")).roles == {Role.TREASURER}
    refused(scene.chest("ana", "bo", amount=5), Code.INSUFFICIENT_FUNDS)
    scene.done(appoint(OWNER, "ana", Role.TREASURER, given=False))
    refused(scene.chest("ana", "bo", amount=5), Code.NOT_ALLOWED)


def test_only_an_operator_makes_operators(scene):
    """Fault 108."""
    refused(scene.submit(appoint(OWNER, "ana", Role.OPERATOR)), Code.NOT_ALLOWED, rule="appoint_operator")
    assert scene.submit(appoint(OPERATOR, "ana", Role.OPERATOR)).number
    refused(scene.submit(appoint(OWNER, "ana", Role.OPERATOR, given=False)), Code.NOT_ALLOWED)


def test_roles_go_to_members_who_are_here_and_no_bots(scene):
    """Fault 10."""
    refused(scene.submit(appoint(OWNER, "nobody", Role.AUDITOR)), Code.UNKNOWN_MEMBER, name="nobody")
    scene.joins("robot", is_bot=True)
    refused(scene.submit(appoint(OWNER, "robot", Role.AUDITOR)), Code.RECIPIENT_IS_BOT)
    scene.done(Leave(by=person("ana")))
    refused(scene.submit(appoint(OWNER, "ana", Role.AUDITOR)), Code.UNKNOWN_MEMBER)
    assert scene.submit(appoint(OWNER, "ana", Role.AUDITOR, given=False)).number


def test_an_owner_does_not_lock_themself_out(scene):
    scene.appoint("ana", Role.OWNER)
    refused(scene.submit(appoint("ana", "ana", Role.OWNER, given=False)), Code.NOT_ALLOWED, rule="last_owner")
    assert scene.submit(appoint(OWNER, "ana", Role.OWNER, given=False)).number


def test_taking_the_creators_role_away_ends_it_however_it_came(scene):
    scene.creator("ana")
    scene.done(appoint(OWNER, "ana", Role.CREATOR))
    scene.done(appoint(OWNER, "ana", Role.CREATOR, given=False))
    member = scene.model.member(person("ana"))
    assert not member.is_creator
    assert member.flags[CREATOR] is None


def test_other_changes_of_roles_leave_a_creator_as_they_are(scene):
    scene.creator("ana")
    member = scene.model.member(person("ana"))
    for role in (Role.MODERATOR, Role.CREATOR):
        scene.appoint("ana", role)
        assert member.flags[CREATOR] is True
    scene.done(appoint(OWNER, "ana", Role.MODERATOR, given=False))
    assert member.flags[CREATOR] is True


def test_nobody_is_made_an_administrator_here(scene):
    """Fault 108."""
    for given in (True, False):
        refusal = refused(scene.submit(appoint(OWNER, "bo", Role.ADMINISTRATOR, given=given)), Code.INVALID_ARGUMENT)
        assert refusal.rule == "administrator"
