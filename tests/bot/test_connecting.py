"""One person on two platforms: what they are told, and what of theirs goes along."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import Invocation, Pressed, Reply, Visibility
from economy.values import Identity, Place, Sighting
from tests.bot.talk import Talk, people_of_the_lobby, talking, text_of

GUILD = Place("discord", "guild")
BO = Sighting(Identity("discord", "1"), "Bo")
BOB = Sighting(Identity("telegram", "2"), "Bob <b>")


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    await people_of_the_lobby(tmp_path)
    async with talking(tmp_path, run="second") as found:
        yield found


async def say(talk: Talk, who: Sighting, place: Place, command: str, *words: str) -> Reply:
    invocation = Invocation(act=talk.act(), person=who, place=place, command=command, words=words)
    return await talk.florin.conversation.say(invocation)


async def press(talk: Talk, who: Sighting, place: Place, reply: Reply, label: str = "Confirm") -> Reply:
    button = next(button for button in reply.buttons if button.label == label)
    assert button.presser in (None, who.identity)
    return await talk.florin.conversation.press(Pressed(act=talk.act(), person=who, place=place, data=button.data))


def code_in(reply: Reply) -> str:
    assert reply.visibility is Visibility.PRIVATE
    code = reply.fields["code"]
    assert isinstance(code, str)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", code)
    return code


async def test_each_side_is_told_who_the_other_is_and_on_which_platform(talk):
    """Fault 13: what somebody calls themself changes nothing of the sentence."""
    room = Place("telegram", "room")
    code = code_in(await say(talk, BO, GUILD, "connect"))
    asked = await say(talk, BOB, room, "connect", code.lower())
    assert asked.visibility is Visibility.PRIVATE
    assert text_of(asked).splitlines()[0] == (
        "You and Bo on Discord would be one person, with one wallet in every community."
    )
    agreed = await press(talk, BOB, room, asked)
    assert agreed.visibility is Visibility.PRIVATE
    confirm = await say(talk, BO, GUILD, "connect")
    assert text_of(confirm).splitlines()[0] == (
        "You and Bob <b> on Telegram would be one person, with one wallet in every community."
    )
    done = await press(talk, BO, GUILD, confirm)
    assert (done.outcome, done.visibility) == ("connect", Visibility.PRIVATE)
    balance = await say(talk, BOB, GUILD, "balance")
    assert balance.fields["bonus"] == 0


async def test_the_code_is_in_no_entry_and_no_log(talk, capsys):
    code = code_in(await talk.say("bo", "/connect"))
    entered = await talk.say("cy", f"/connect {code}")
    await talk.press("cy", entered, "Confirm")
    await talk.press("bo", await talk.say("bo", "/connect"), "Confirm")
    audit = await talk.say("ana", "/audit csv")
    for told in (text_of(audit), str(audit.fields), *(str(node) for node in audit.nodes), capsys.readouterr().out):
        assert code not in told
        assert code.replace("-", "") not in told


async def test_buttons_under_what_either_sent_or_got_are_for_the_one_they_are(talk):
    """Undo and thanks of the account that went on."""
    for name in ("cy", "mo"):
        await talk.say("ana", f"/coins add @{name} 50 to begin with")
    sent = await talk.say("cy", "/tip @mo 5")
    got = await talk.say("mo", "/tip @cy 1")
    code = code_in(await talk.say("bo", "/connect"))
    await talk.press("cy", await talk.say("cy", f"/connect {code}"), "Confirm")
    await talk.press("bo", await talk.say("bo", "/connect"), "Confirm")
    assert (await talk.press("mo", sent, "Undo")).code == "not_allowed"
    for name, reply, label in (("bo", got, "Thank"), ("bo", sent, "Undo")):
        pressed = await talk.press(name, reply, label)
        assert pressed.code is None, text_of(pressed)
    assert (await talk.say("bo", "/balance", private=True)).fields["bonus"] == 151


async def test_the_audit_says_that_accounts_were_joined_and_parted_and_names_no_ids(talk):
    code = code_in(await talk.say("bo", "/connect"))
    await talk.press("cy", await talk.say("cy", f"/connect {code}"), "Confirm")
    await talk.press("bo", await talk.say("bo", "/connect"), "Confirm")
    await talk.press("cy", await talk.say("cy", "/disconnect"), "Confirm")
    joined = await talk.say("ana", "/audit kind:connect")
    assert "of another account" in text_of(joined)
    parted = await talk.say("ana", "/audit kind:disconnect")
    assert "1 account left" in text_of(parted)
    for row in (*joined.fields["rows"], *parted.fields["rows"]):
        assert row["changes"] == []


async def test_a_place_where_nobody_spoke_gives_a_code_too(talk):
    reply = await say(talk, BO, Place("discord", "new"), "connect")
    assert code_in(reply)
