"""Combos on Discord: one message that is kept up to date."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from adapters.discord.door import Door
from bot.app import open_florin
from bot.combos import OVER_AFTER, PAUSE
from bot.relay import Relay
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.people import Person, Seen
from tests.adapters.discord.seeing import labels_of
from tests.adapters.discord.state import EPHEMERAL


def text(town, message: dict[str, Any]) -> str:
    """What a message says, people by their names."""
    return Seen(town.peer, message, town.guild).text


def roses(town, person: Person) -> list[str]:
    """What everyone sees of roses in the channel."""
    found = [text(town, message) for message in person.channel.messages.values() if not message["flags"] & EPHEMERAL]
    return [said for said in found if "rose" in said and "gift rose" not in said]


async def sent(town, person: Person, **more: Any) -> Seen:
    return await person.use("gift", gift="rose", to=town.user("cy"), **more)


async def test_presses_and_commands_count_up_in_one_message(town) -> None:
    bo = town.person("bo")
    gift = await sent(town, bo)
    message = bo.channel.messages[int(gift.message["id"])]
    for count in (2, 3):
        pressed = await bo.press(gift, "Send again")
        assert pressed.text == f"bo sent cy rose x{count} ({count})."
    typed = await sent(town, bo, count=4)
    assert (typed.text, typed.is_private, typed.labels) == ("bo sent cy rose x7 (7).", True, [])
    assert roses(town, bo) == ["bo sent cy rose x7 (7)."]
    assert labels_of(message) == ["Thank", "My coins", "Send again", "Undo"]


async def test_by_mention_it_counts_up_too(enter, peer) -> None:
    async with enter() as town:
        bo = town.person("bo")
        gift = await sent(town, bo)
        message = bo.channel.messages[int(gift.message["id"])]
        await bo.say(f"<@{peer.bot.id}> gift rose x2 <@{town.user('cy').id}>")
        await peer.until(lambda: text(town, message) == "bo sent cy rose x3 (3).")
        assert roses(town, bo) == ["bo sent cy rose x3 (3)."]


async def test_after_a_pause_it_is_another_combo(town) -> None:
    bo = town.person("bo")
    gift = await sent(town, bo)
    town.clock.forward(seconds=PAUSE.seconds + 1)
    assert (await bo.press(gift, "Send again")).text == "bo sent cy a rose (1)."
    assert roses(town, bo) == ["bo sent cy a rose (1)."] * 2


async def test_what_is_undone_counts_no_more_and_the_receiver_is_told(town) -> None:
    bo = town.person("bo")
    gift = await sent(town, bo)
    await bo.press(gift, "Send again")
    message = bo.channel.messages[int(gift.message["id"])]
    undone = await bo.press(Seen(town.peer, message, town.guild), "Undo")
    told = ["bo took back a gift to cy (1).", "bo sent cy a rose (1)."]
    assert (undone.lines, set(undone.pinged), undone.labels) == (told, {town.user("cy").id}, [])
    await town.peer.until(lambda: text(town, message) == "\n".join(told))
    await bo.press(Seen(town.peer, message, town.guild), "Undo")
    await town.peer.until(lambda: text(town, message) == told[0])
    assert labels_of(message) == []


@pytest.mark.parametrize("defer_after_s", [1.5, 0.0])
async def test_many_presses_at_once_settle_once_each_and_the_last_state_stays(enter, peer, defer_after_s) -> None:
    """Fault 35: from several devices, each press delivered twice, whether the answer is quick or not."""
    async with enter(defer_after_s=defer_after_s) as town:
        bo = town.person("bo")
        gift = await sent(town, bo)
        message = bo.channel.messages[int(gift.message["id"])]
        presses = [await bo.send_press(gift, "Send again") for _ in range(8)]
        for press in presses:
            await peer.deliver(press)
        await peer.until(lambda: text(town, message) == "bo sent cy rose x9 (9).")
        await asyncio.gather(*(peer.until(lambda press=press: bool(press.attempts)) for press in presses))
        assert roses(town, bo) == ["bo sent cy rose x9 (9)."]
        assert (await bo.use("balance")).lines[0] == "You have 91 coins."


async def test_a_message_that_was_deleted_gets_a_successor(town) -> None:
    bo = town.person("bo")
    gift = await sent(town, bo)
    del bo.channel.messages[int(gift.message["id"])]
    successor = await sent(town, bo)
    assert (successor.text, successor.is_private) == ("bo sent cy rose x2 (2).", False)
    await bo.press(successor, "Send again")
    assert roses(town, bo) == ["bo sent cy rose x3 (3)."]


async def test_discord_says_to_wait_and_the_last_state_is_shown_after(town) -> None:
    """Fault 78"""
    bo = town.person("bo")
    gift = await sent(town, bo)
    message = bo.channel.messages[int(gift.message["id"])]
    body = {"message": "You are being rate limited.", "retry_after": 0.2, "global": False}
    hurried = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0.2", "Retry-After": "0.2", "Via": "1.1 x"}
    town.peer.fail("PATCH", "/messages/", lambda: web.json_response(body, status=429, headers=hurried), times=2)
    for _ in range(3):
        await sent(town, bo)
    assert text(town, message) == "bo sent cy rose x4 (4)."


async def test_thanks_stay_while_the_combo_goes_on(town) -> None:
    bo = town.person("bo")
    gift = await sent(town, bo)
    message = bo.channel.messages[int(gift.message["id"])]
    await town.person("cy").press(gift, "Thank")
    await sent(town, bo)
    assert text(town, message) == "bo sent cy rose x2 (2).\ncy says thanks ♥"


async def test_each_channel_has_its_own(town) -> None:
    bo, elsewhere = town.person("bo"), town.person("bo", town.guild.channel("games"))
    await sent(town, bo)
    await sent(town, elsewhere)
    await sent(town, bo)
    assert roses(town, bo) == ["bo sent cy rose x2 (2)."]
    assert roses(town, elsewhere) == ["bo sent cy a rose (1)."]


async def over(town, *relays: Relay) -> None:
    """Relays what there is to tell until the combo is over and told."""
    for _ in range(3):
        await asyncio.gather(*(relay.drain() for relay in relays))
    town.clock.forward(seconds=OVER_AFTER.seconds)
    for _ in range(3):
        await asyncio.gather(*(relay.drain() for relay in relays))


async def test_the_end_is_announced_once_where_it_was(town) -> None:
    games = town.person("bo", town.guild.channel("games"))
    for _ in range(3):
        await sent(town, games)
    one, two = (
        Relay(town.florin.outbox, town.florin.economy.reads, {"discord": town.door}, town.clock) for _ in range(2)
    )
    await over(town, one, two)
    assert roses(town, games) == ["bo sent cy rose x3 (3).", "bo's combo: 3 roses for cy."]


async def test_the_bot_stops_in_a_combo_and_another_goes_on_and_ends_it(town, peer) -> None:
    """Fault 45"""
    bo = town.person("bo")
    gift = await sent(town, bo)
    await bo.press(gift, "Send again")
    await town.door.close()
    async with (
        open_florin(town.address, town.clock) as florin,
        opened_door(peer, florin.conversation, florin.memory_of(Door.platform)) as door,
    ):
        assert (await sent(town, bo)).is_private
        await bo.press(gift, "Send again")
        assert roses(town, bo) == ["bo sent cy rose x4 (4)."]
        await over(town, Relay(florin.outbox, florin.economy.reads, {"discord": door}, town.clock))
        assert roses(town, bo) == ["bo sent cy rose x4 (4).", "bo's combo: 4 roses for cy."]
