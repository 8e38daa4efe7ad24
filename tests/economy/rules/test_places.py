"""What a platform's roles and channels are for."""

from __future__ import annotations

import pytest

from economy.refusals import Code
from economy.rules.places import (
    MAPPED,
    ChannelUse,
    MapRole,
    Notices,
    TellIn,
    UseChannel,
    channel_use,
    channels_used,
    mapped_roles,
    mapping,
    notice_channels,
)
from economy.values import Role
from tests.economy.model import receipt_of
from tests.economy.scene import OWNER, Scene, person, refused


@pytest.fixture
def scene() -> Scene:
    return Scene()


def map_role(group: str, role: Role | None, by: str = OWNER, name: str = "Mods") -> MapRole:
    return MapRole(by=person(by), group=group, name=name, role=role)


def test_a_platforms_role_stands_for_ours_until_it_does_not(scene):
    scene.submit(map_role("7", Role.MODERATOR))
    flags = scene.model.flags
    assert mapped_roles(flags, "console", {"7", "8"}) == {Role.MODERATOR}
    assert mapping(flags) == [(Role.MODERATOR, "Mods")]
    assert receipt_of(scene.submit(map_role("7", None))).role is None
    assert mapped_roles(scene.model.flags, "console", {"7"}) == frozenset()
    assert mapping(scene.model.flags) == []


def test_the_same_id_on_another_platform_is_another_role(scene):
    """Fault 105"""
    scene.submit(map_role("7", Role.OWNER))
    assert mapped_roles(scene.model.flags, "discord", {"7"}) == frozenset()


@pytest.mark.parametrize("role", sorted(set(Role) - set(MAPPED)))
def test_nobody_becomes_operator_by_a_role_of_the_platforms(scene, role):
    """Fault 108"""
    assert refused(scene.submit(map_role("7", role)), Code.INVALID_ARGUMENT).rule == "choice"


@pytest.mark.parametrize("by", ["bo", "mod"])
def test_owners_alone_map_roles_and_use_channels(scene, by):
    """Fault 110"""
    scene.joins("mod", Role.MODERATOR, Role.ADMINISTRATOR)
    for order in (
        map_role("7", Role.OWNER, by=by),
        UseChannel(by=person(by), channel="7", name="chat", use=ChannelUse.NONE),
        TellIn(by=person(by), place="1", notices=Notices.LOG, channel="7", name="chat"),
    ):
        refused(scene.submit(order), Code.NOT_ALLOWED)


@pytest.mark.parametrize("native_id", ["", "a b", "x" * 61, "é"])
def test_what_cannot_be_an_id_is_refused(scene, native_id):
    for order, rule in (
        (map_role(native_id, Role.OWNER), "not_a_group"),
        (UseChannel(by=person(OWNER), channel=native_id, name="chat", use=ChannelUse.NONE), "not_a_channel"),
        (TellIn(by=person(OWNER), place="1", notices=Notices.LOG, channel=native_id), "not_a_channel"),
    ):
        assert refused(scene.submit(order), Code.INVALID_ARGUMENT).rule == rule


def test_a_channel_is_for_commands_unless_an_owner_says_otherwise(scene):
    assert channel_use(scene.model.flags, "console", "7") is ChannelUse.COMMANDS
    assert channel_use(scene.model.flags, "console", None) is ChannelUse.COMMANDS
    scene.submit(UseChannel(by=person(OWNER), channel="7", name="chat", use=ChannelUse.PRIVATE))
    assert channel_use(scene.model.flags, "console", "7") is ChannelUse.PRIVATE
    assert channels_used(scene.model.flags) == [(ChannelUse.PRIVATE, "chat")]
    scene.submit(UseChannel(by=person(OWNER), channel="7", name="chat", use=ChannelUse.COMMANDS))
    assert channels_used(scene.model.flags) == []


def test_each_place_has_its_channel_for_notices(scene):
    for place, channel in (("1", "7"), ("2", "8")):
        scene.submit(TellIn(by=person(OWNER), place=place, notices=Notices.LOG, channel=channel, name="staff room"))
    assert notice_channels(scene.model.flags, Notices.LOG) == [
        ("console", "1", "7", "staff room"),
        ("console", "2", "8", "staff room"),
    ]
    assert notice_channels(scene.model.flags, Notices.ANNOUNCEMENTS) == []
    assert receipt_of(scene.submit(TellIn(by=person(OWNER), place="1", notices=Notices.LOG))).name is None
    assert [place for _, place, _, _ in notice_channels(scene.model.flags, Notices.LOG)] == ["2"]
