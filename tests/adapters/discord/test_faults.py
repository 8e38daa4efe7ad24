"""Cases of FAULTS that concern Discord and stand in no other file here: names, repeats, raids, who is gone."""

from __future__ import annotations

import asyncio

import pytest

from adapters.contract import Line, Plain, Reply, Visibility
from adapters.discord.hearing import place_of
from adapters.discord.repeats import REMEMBERED_MAX, REPEAT_S, Repeats
from bot.app import audited
from economy.service import Identity, Sighting
from tests.adapters.discord.people import Person


def messages_of(town) -> list[dict]:
    return [
        each
        for each in town.person("bo").channel.messages.values()
        if each["author"]["id"] == str(town.peer.bot.id) and each.get("message_reference")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "evil\u202eegnahc",
        "\u2066ana\u2069",
        "\u05d0\u05d1\u05d2",
        "a\u2067b",
        "@everyone",
        "<@&1>",
        "`x`",
        "**b**",
        "](http://x)",
        "zero\u200bwidth",
        "e" + "\u0301" * 32,
    ],
)
async def test_a_name_moves_no_amount_and_pings_nobody(town, name: str) -> None:
    """Fault 12, fault 14: Discord shows who is mentioned in its own way; in boards and questions the name is ours."""
    who = town.peer.user(name)
    town.guild.join(who)
    await Person(town.peer, who, town.guild).use("balance")
    bo = town.person("bo")
    asked = await bo.use("tip", to=who, amount="all")
    (line,) = asked.lines[:1]
    assert line.startswith("Tip ")
    assert line.endswith(" 100 coins?")
    told = await bo.press(asked, "Confirm")
    assert told.pinged == [who.id]
    assert not any(sign in asked.text for sign in "\u202a\u202b\u202d\u202e\u2066\u2067\u200b")
    board = await Person(town.peer, who, town.guild).use("top", board="tippers")
    assert board.pinged == []
    assert board.text.count("\u0301") <= 4


async def test_the_same_message_five_times_is_one_tip_and_one_answer(town) -> None:
    """Fault 68"""
    bo = town.person("bo")
    message = await bo.say(f"<@{town.peer.bot.id}> tip <@{town.user('cy').id}> 20")
    session = next(iter(town.peer.gateway.sessions.values()))
    told = next(event for event in reversed(session.events) if event["t"] == "MESSAGE_CREATE")
    for _ in range(4):
        await town.peer.gateway.tell("MESSAGE_CREATE", told["d"], town.guild.id)
    asked = "/channels/" + message["channel_id"] + "/messages"
    await town.peer.until(
        lambda: sum(request.path == asked and request.status > 0 for request in town.peer.requests) == 5
    )
    assert len(messages_of(town)) == 1
    assert (await bo.use("balance")).lines[0] == "You have 80 coins."


async def test_an_edited_command_is_no_command(town) -> None:
    """Fault 69: and neither is one without the bot's name at its beginning."""
    bo = town.person("bo")
    message = await bo.say("hello")
    message |= {"content": f"<@{town.peer.bot.id}> tip <@{town.user('cy').id}> 20", "guild_id": str(town.guild.id)}
    await town.peer.gateway.tell("MESSAGE_UPDATE", message, town.guild.id)
    assert (await bo.use("balance")).lines[0] == "You have 100 coins."
    assert messages_of(town) == []


async def test_who_left_between_question_and_answer_gets_nothing(town) -> None:
    """Fault 82: the coins stay where they are, and the sender is told."""
    bo, cy = town.person("bo"), town.user("cy")
    asked = await bo.use("tip", to=cy, amount="all")
    del town.guild.members[cy.id]
    gone = Sighting(Identity("discord", str(cy.id)), "cy", present=False)
    await town.florin.conversation.went(place_of(town.guild.id), gone, "discord:went:test")
    told = await bo.press(asked, "Confirm")
    assert told.is_private
    assert told.text == "cy is not here any more. They can receive again once they are back."
    assert (await bo.use("balance")).lines[0] == "You have 100 coins."


async def test_a_raid_moves_no_coin_that_is_not_there(enter) -> None:
    """Fault 84, on a small scale: a crowd joins and acts at once; every answer comes and the books balance."""
    async with enter(members_intent=True) as town:
        raiders = [town.peer.user(f"raider {number}") for number in range(60)]
        for raider in raiders:
            await town.peer.comes(town.guild, raider)
        people = [Person(town.peer, raider, town.guild) for raider in raiders]
        sent = [await person.send("tip", to=town.user("cy"), amount="5") for person in people]
        sent += [await person.send("daily") for person in people]
        seen = await asyncio.gather(*[person.sees(each) for person, each in zip([*people, *people], sent, strict=True)])
        refused = {each.text for each in seen[: len(people)]}
        assert all(text.startswith(("This takes 5", "raider")) for text in refused)
        report = await audited(town.address, rebuild=False, progress=lambda *_: None)
        assert report.ok, report.problems


async def test_a_moderator_corrects_no_own_balance_and_says_why(town) -> None:
    """Fault 106"""
    mo = town.person("mo")
    own = await mo.use("coins add", who=mo.user, amount=5, reason="I deserve it")
    assert own.text.startswith("You cannot adjust your own coins")
    silent = await mo.use("coins add", who=town.user("bo"), amount=5)
    assert silent.text.startswith("This needs a reason")
    above = await mo.use("coins add", who=town.user("bo"), amount=10_001, reason="a lot")
    assert above.is_private
    assert (await town.person("bo").use("balance")).lines[0] == "You have 100 coins."


async def test_a_command_that_a_client_shows_is_refused_all_the_same(town) -> None:
    """Fault 110: somebody was shown staff's commands in the server's settings."""
    cy = town.person("cy")
    for command, options in (
        ("coins add", {"who": cy.user, "amount": 5, "reason": "me"}),
        ("freeze", {"member": town.user("bo"), "reason": "me"}),
        ("audit", {}),
        ("words add", {"word": "bo"}),
        ("catalogue price", {"gift": "rose", "price": 0}),
        ("channels log", {}),
        ("chest tip", {"to": cy.user, "amount": "1"}),
    ):
        seen = await cy.use(command, **options)
        assert seen.text.startswith("Only"), (command, seen.text)
        assert seen.is_private


# --- the same again ---------------------------------------------------------------------------------------------


async def test_who_asks_the_same_again_sees_it_alone(town) -> None:
    """G6: repeated public answers do not fill a channel; news always does."""
    assert not (await town.person("bo").use("chest show")).is_private
    assert (await town.person("cy").use("chest show")).is_private
    other = Person(town.peer, town.user("cy"), town.guild, town.guild.channel("other"))
    assert not (await other.use("chest show")).is_private
    for _ in range(2):
        assert not (await town.person("bo").use("tip", to=town.user("cy"), amount="1")).is_private


def test_half_a_minute_later_it_is_news_again() -> None:
    def reply(text: str) -> Reply:
        return Reply(command="x", outcome="x", visibility=Visibility.PUBLIC, nodes=(Line((Plain(text),)),))

    repeats = Repeats()
    assert not repeats.is_repeat(1, reply("a"), 0)
    assert repeats.is_repeat(1, reply("a"), REPEAT_S - 1)
    assert not repeats.is_repeat(1, reply("a"), REPEAT_S)
    assert not repeats.is_repeat(None, reply("a"), REPEAT_S)
    for number in range(REMEMBERED_MAX):
        repeats.is_repeat(1, reply(str(number)), REPEAT_S)
    assert not repeats.is_repeat(1, reply("a"), REPEAT_S)
