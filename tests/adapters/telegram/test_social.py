"""Buttons under tips and gifts, topics that are quiet, and what is told unasked."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from adapters.contract import Delivery, Line, Plain, Reply, Visibility
from adapters.telegram.pacing import RETRIES_MAX
from bot.relay import Relay
from economy.service import Place
from tests.support.telegram import BOT_ID, BotApiError, Group, Telegram


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 2,000 coins, and bo has spoken."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
    return group


def labels(shown) -> list[str]:
    return [button["text"] for button in shown.buttons]


async def test_a_tip_can_be_thanked_for_by_its_receiver_alone(there, group):
    await there.settled(there.say("ana", "/tip @bo 5", group))
    shown = there.seen_in(group)[-1]
    assert labels(shown) == ["Thank", "My coins", "Undo"]
    await there.settled(there.press("ana", shown, "Thank"))
    assert there.alerts[-1] == ("ana", "This button is for somebody else.", True)
    await there.settled(there.press("bo", shown, "Thank"))
    assert shown.text == "ana tipped bo 5 coins.\nbo says thanks ♥"
    assert labels(shown) == ["My coins", "Undo"]
    await there.settled(there.press("ana", shown, "Undo"))
    assert "took back" in shown.text


async def test_thanks_leave_what_was_said_as_it_was_written(there, group):
    await there.settled(there.say("ana", "/tip @bo 5 it's <b>great</b> & more", group))
    shown = there.seen_in(group)[-1]
    text, entities = shown.text, list(shown.entities)
    await there.settled(there.press("bo", shown, "Thank"))
    assert shown.text == f"{text}\nbo says thanks ♥"
    assert shown.entities[: len(entities)] == entities != []


async def test_my_coins_shows_each_only_their_own(there, group):
    await there.settled(there.say("ana", "/tip @bo 5", group))
    shown = there.seen_in(group)[-1]
    await there.settled(there.press("bo", shown, "My coins"))
    name, text, is_alert = there.alerts[-1]
    assert (name, is_alert) == ("bo", True)
    assert text.startswith("You have 5 coins.")


async def test_a_gift_is_sent_again_by_whoever_sent_it_once_a_press(there, group):
    await there.settled(there.say("ana", "/gift rose @bo", group))
    shown = there.seen_in(group)[-1]
    update = there.press("ana", shown, "Send again")
    await there.settled(update)
    there.deliver(update)
    await there.settled(update)
    await there.settled(there.press("bo", shown, "Send again"))
    assert there.alerts[-1] == ("bo", "This button is for somebody else.", True)
    assert [each.text for each in there.seen_in(group) if "rose" in each.text] == ["ana sent bo rose x2 (2)."]


async def test_a_list_under_a_post_keeps_what_makes_sense_for_all_of_it(there, group):
    post = there.message("bo", "look what I made", group)
    for _ in range(2):
        await there.settled(there.say("ana", "/tip 5", group, reply_to=post))
    assert labels(there.seen_in(group)[-1]) == ["My coins"]


# --- quiet topics -----------------------------------------------------------------------------------------------------


async def test_a_topic_can_be_for_private_answers_or_for_none(there, group):
    group.topics = {7, 8}
    await there.settled(there.say("ana", "/channels set #here private", group, topic=7))
    await there.settled(there.say("ana", "/tip @bo 5", group, topic=7))
    shown = there.seen_in(group, by="ana")[-1]
    assert (shown.text, shown.only_to) == ("ana tipped bo 5 coins.", there.people["ana"].id)
    await there.settled(there.say("ana", "/tip @bo 6", group, topic=8))
    assert there.seen_in(group)[-1].text == "ana tipped bo 6 coins."
    await there.settled(there.say("ana", "/channels set #here none", group, topic=8))
    await there.settled(there.say("bo", "/tip @ana 1", group, topic=8))
    refused = there.seen_in(group, by="bo")[-1]
    assert refused.only_to == there.people["bo"].id
    assert "tipped" not in refused.text


# --- unasked ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def relaying(bot):
    florin = bot.florin
    relay = Relay(florin.outbox, florin.economy.reads, {"telegram": bot.door}, florin.economy.clock)
    florin.on_commit(relay.wake)
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_large_gift_is_announced_in_the_topic_that_the_owner_chose(there, bot, group):
    group.topics = {7}
    await there.settled(there.say("ana", "/channels announcements #here", group, topic=7))
    await there.settled(there.say("ana", "/settings announce_from 100", group))
    async with relaying(bot):
        await there.settled(there.say("ana", "/gift bouquet @bo", group))
        found: list = []

        def announced() -> bool:
            found[:] = [each for each in there.seen_in(group) if each.topic == 7 and "bouquet" in each.text]
            return bool(found)

        await asyncio.wait_for(there.until(announced), 20)
    assert len(found) == 1


HELLO = Reply(command=None, outcome="x", visibility=Visibility.PUBLIC, nodes=(Line((Plain("news"),)),))


async def test_the_same_notice_is_told_once(there, bot, group):
    """Fault 44"""
    place = Place("telegram", str(group.id))
    for _ in range(3):
        told = await bot.door.tell(place, f"{group.id}/0", HELLO, nonce="one")
        assert told.delivery is Delivery.TOLD
    assert [each.text for each in there.seen_in(group)].count("news") == 1


async def test_a_notice_that_may_have_been_sent_is_not_sent_again(there, bot, group):
    """Fault 78"""

    def broken():
        raise BotApiError(502, "Bad Gateway")

    there.fail("sendMessage", broken)
    place = Place("telegram", str(group.id))
    for _ in range(2):
        assert (await bot.door.tell(place, f"{group.id}/0", HELLO, nonce="two")).delivery is Delivery.TOLD
    assert [each.text for each in there.seen_in(group)].count("news") == 0


async def test_a_notice_that_was_not_sent_for_sure_is_told_later(there, bot, group):
    """Faults 44 and 78"""

    def hurried():
        raise BotApiError(429, "Too Many Requests: retry after 1", retry_after=1)

    for _ in range(RETRIES_MAX + 1):
        there.fail("sendMessage", hurried)
    place = Place("telegram", str(group.id))
    assert (await bot.door.tell(place, f"{group.id}/0", HELLO, nonce="four")).delivery is Delivery.LATER
    assert (await bot.door.tell(place, f"{group.id}/0", HELLO, nonce="four")).delivery is Delivery.TOLD
    assert [each.text for each in there.seen_in(group)].count("news") == 1


async def test_a_notice_that_telegram_does_not_take_is_refused(there, bot, group):
    def refused():
        raise BotApiError(400, "Bad Request: something is wrong with it")

    there.fail("sendMessage", refused)
    told = await bot.door.tell(Place("telegram", str(group.id)), f"{group.id}/0", HELLO, nonce="five")
    assert told.delivery is Delivery.REFUSED
    assert "omething is wrong with it" in told.needed


async def test_where_the_bot_was_kicked_a_notice_is_refused_and_the_owner_warned(there, bot, group):
    """Fault 76"""
    place = Place("telegram", str(group.id))
    await bot.door.warn(place, HELLO)
    assert there.seen_in(there.people["ana"].id)[-1].text == "news"
    group.members[BOT_ID] = "kicked"
    told = await bot.door.tell(place, f"{group.id}/0", HELLO, nonce="three")
    assert told.delivery is Delivery.REFUSED
    assert "kicked" in told.needed
