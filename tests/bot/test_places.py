"""Channels and roles of a platform, in a talk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import Visibility
from bot.commands.places import MappedRole
from economy.rules.places import MAPPED
from economy.values import Role
from tests.bot.talk import Talk, people_of_the_lobby, talking, text_of


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    await people_of_the_lobby(tmp_path)
    async with talking(tmp_path, run="second") as found:
        yield found


async def test_whoever_holds_a_mapped_role_is_staff_as_long_as_they_hold_it(talk):
    """Fault 104: what the platform says at the moment of acting decides, nothing older."""
    assert text_of(await talk.say("ana", "/roles map &Mods moderator")) == "Whoever holds Mods is moderator here."
    given = await talk.say("cy", "/coins add @bo 5 quiz", held=frozenset({"Mods"}))
    assert text_of(given) == "bo got 5 coins and has 105 now."
    for held in (frozenset(), frozenset({"Others"})):
        assert (await talk.say("cy", "/coins add @bo 5 quiz", held=held)).code == "not_allowed"
    assert "moderator: whoever holds Mods" in text_of(await talk.say("bo", "/roles"))
    assert text_of(await talk.say("ana", "/roles unmap &Mods")) == "The role Mods means nothing here any more."
    assert (await talk.say("cy", "/coins add @bo 5 quiz", held=frozenset({"Mods"}))).code == "not_allowed"


async def test_an_administrator_moderates_and_mints_nothing(talk):
    """Fault 108."""
    standing = frozenset({Role.ADMINISTRATOR})
    assert (await talk.say("cy", "/freeze @bo a raid", standing=standing)).code is None
    assert (await talk.say("cy", "/audit", standing=standing)).code is None
    for command in ("/coins add @cy 5 quiz", "/settings undo_window 5", "/roles give @cy owner", "/roles map &A owner"):
        assert (await talk.say("cy", command, standing=standing)).code == "not_allowed"


async def test_a_quiet_channel_answers_in_private_or_not_at_all(talk):
    assert text_of(await talk.say("ana", "/channels set #chat private")) == (
        "From now on in #chat: answers that only the asker sees."
    )
    tip = await talk.say("bo", "/tip @cy 1", channel="chat")
    assert (tip.outcome, tip.visibility) == ("tip", Visibility.PRIVATE)
    assert (await talk.say("bo", "/tip @cy 1", channel="other")).visibility is Visibility.PUBLIC
    await talk.say("ana", "/channels set #chat none")
    no = await talk.say("bo", "/tip @cy 1", channel="chat")
    assert (no.code, no.visibility) == ("feature_off", Visibility.PRIVATE)
    assert text_of(no) == "No commands are answered in this channel. Use another one."
    assert text_of(await talk.say("ana", "/channels", channel="chat")) == "#chat: no commands"
    await talk.say("ana", "/channels set #chat commands", channel="chat")
    assert text_of(await talk.say("ana", "/channels")).startswith("Commands are answered in every channel.")


async def test_channels_for_notices_are_named_and_unset(talk):
    assert text_of(await talk.say("ana", "/channels announcements #gifts")) == "From now on in #gifts: announcements."
    await talk.say("ana", "/channels log #staff")
    assert text_of(await talk.say("ana", "/channels")).splitlines() == [
        "#gifts: announcements",
        "#staff: what staff does",
    ]
    assert text_of(await talk.say("ana", "/channels log")) == "Told nowhere any more: what staff does."


def test_the_roles_that_can_be_mapped_are_those_of_the_rule():
    assert {Role(role) for role in MappedRole} == set(MAPPED)


async def test_what_is_no_channel_and_no_role_is_refused(talk):
    assert text_of(await talk.say("ana", "/channels set chat none")).startswith("Name a channel")
    assert text_of(await talk.say("ana", "/roles map Mods owner")).startswith("Name a role of this platform")
