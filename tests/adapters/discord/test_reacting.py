"""Reactions on Discord: what they tip, and the one answer under each message that lists it."""

from __future__ import annotations

import pytest

from economy.settings import Feature
from tests.adapters.discord.people import REACTIONS, Person

TIPPED = "bo tipped cy 5 coins."


@pytest.fixture
async def town(enter):
    """Where reactions tip, and bo's do; cy is known."""
    async with enter(reactions=True) as town:
        await town.person("ana").use("features", feature="reactions", turn="on")
        await town.person("bo").use("reactions", turn="on")
        await town.person("cy").use("balance")
        yield town


def answers(town) -> list[dict]:
    """What everyone was told of tips by reaction."""
    channel = town.person("bo").channel
    return [each for each in channel.messages.values() if "tipped" in each["content"]]


async def settled(town) -> None:
    """A reaction that tips has tipped, and so have those before it."""
    told = len(answers(town))
    await town.person("bo").reacts(await town.person("ana").say("the last one"), "🏆")
    await town.peer.until(lambda: len(answers(town)) > told)


async def coins(town, name: str) -> str:
    seen = await town.person(name).use("balance")
    return str(seen.lines[0])


async def test_reactions_are_asked_for_only_where_they_are_used(enter, peer) -> None:
    async with enter():
        assert not peer.gateway.identifies[-1]["intents"] & REACTIONS
    privileged = 1 << 1 | 1 << 8 | 1 << 15
    async with enter(reactions=True):
        asked = peer.gateway.identifies[-1]["intents"]
        assert asked & REACTIONS
        assert not asked & privileged


async def test_whether_any_community_uses_them_is_known(enter) -> None:
    async with enter() as town:
        reads = town.florin.economy.reads
        assert not await reads.is_on_anywhere(Feature.REACTIONS)
        await town.person("ana").use("features", feature="reactions", turn="on")
        assert await reads.is_on_anywhere(Feature.REACTIONS)
        await town.person("ana").use("features", feature="reactions", turn="off")
        assert not await reads.is_on_anywhere(Feature.REACTIONS)


async def test_tips_to_one_message_are_one_answer_to_it_and_ping_nobody(town) -> None:
    """Fault 12."""
    message = await town.person("cy").say("look what I made")
    await town.person("bo").reacts(message, "🏆")
    await town.peer.until(lambda: bool(answers(town)))
    await town.person("ana").use("coins add", who=town.user("mo"), amount=50, reason="to begin with")
    await town.person("mo").use("reactions", turn="on")
    await town.person("mo").reacts(message, "🏆")
    await town.peer.until(lambda: "mo tipped" in answers(town)[0]["content"])
    (answer,) = answers(town)
    assert answer["content"].count("\n") == 1
    assert answer["pinged"] == []


async def test_the_same_reaction_again_tips_no_second_time(town) -> None:
    """Faults 68 and 81."""
    message = await town.person("cy").say("look what I made")
    for _ in range(3):
        await town.person("bo").reacts(message, "🏆")
    await settled(town)
    assert await coins(town, "cy") == "You have 5 coins."
    assert [each["content"].count("tipped") for each in answers(town)] == [1, 1]


async def test_whom_florin_does_not_know_gets_nothing(town) -> None:
    """Discord says with a reaction who wrote the message, and neither their name nor whether they are still there."""
    await town.person("bo").reacts(await town.person("ana").say("mine"), "🏆")
    stranger = town.peer.user("stranger")
    town.guild.join(stranger)
    await town.person("bo").reacts(await Person(town.peer, stranger, town.guild).say("hello"), "🏆")
    await settled(town)
    assert await coins(town, "bo") == "You have 90 coins."


async def test_what_does_not_say_whose_it_is_what_is_no_character_and_bots_do_nothing(town) -> None:
    """Faults 10 and 75."""
    message = await town.person("cy").say("look what I made")
    bo = town.person("bo")
    await bo.reacts(message, "🏆", message_author_id=None)
    await bo.reacts(message, "", emoji={"id": "5", "name": "🏆", "animated": False})
    own = await bo.say("and this is mine")
    await bo.reacts(own, "🏆")
    await bo.reacts(message, "🔥")
    await settled(town)
    assert await coins(town, "bo") == "You have 95 coins."
    assert len(answers(town)) == 1


async def test_what_there_is_too_little_for_is_told_directly_and_once(town) -> None:
    await town.person("mo").use("coins set", who=town.user("bo"), amount=3, reason="a fresh start")
    for _ in range(2):
        message = await town.person("cy").say("look what I made")
        await town.person("bo").reacts(message, "🏆")
    private = town.peer.private_channel(town.user("bo"))
    await town.peer.until(lambda: bool(private.messages))
    (told,) = private.messages.values()
    assert told["content"].startswith("Your reaction tipped nobody")
    assert not any("Your reaction" in each["content"] for each in town.person("bo").channel.messages.values())


async def test_whoever_takes_no_messages_is_told_nothing_and_nobody_else_is(town) -> None:
    """Fault 85."""
    await town.person("mo").use("coins set", who=town.user("bo"), amount=3, reason="a fresh start")
    town.peer.fail("POST", "/users/@me/channels$", times=9)
    await town.person("bo").reacts(await town.person("cy").say("look what I made"), "🏆")
    assert not any("Your reaction" in each["content"] for each in town.person("bo").channel.messages.values())


async def test_a_discord_that_fails_to_take_the_answer_moves_no_coin_twice(town) -> None:
    """Faults 77 and 78."""
    message = await town.person("cy").say("look what I made")
    town.peer.fail("POST", "/messages$", None, after=True)
    await town.person("bo").reacts(message, "🏆")
    await town.person("bo").reacts(message, "🏆")
    await settled(town)
    assert sum("cy" in each["content"] or str(town.user("cy").id) in each["content"] for each in answers(town)) == 1
    assert await coins(town, "cy") == "You have 5 coins."
