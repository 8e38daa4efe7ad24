"""Combos on Telegram: one message that is kept up to date."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from adapters.telegram.intake import Webhook
from bot.combos import OVER_AFTER, PAUSE
from bot.relay import Relay
from tests.adapters.telegram.conftest import StillClock
from tests.support.telegram import BotApiError, Group, Shown, Telegram
from tests.support.telegram_town import serving

WEBHOOK = Webhook(url="http://127.0.0.1:0/telegram", host="127.0.0.1", port=0, secret="s" * 40)


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 2,000 coins, and bo has spoken."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
    return group


def roses(there: Telegram, group: Group) -> list[Shown]:
    """The messages about roses that everyone sees."""
    return [each for each in there.seen_in(group) if "rose" in each.text]


async def sent(there: Telegram, group: Group, *, name: str = "ana") -> Shown:
    await there.settled(there.say(name, "/gift rose @bo", group))
    return roses(there, group)[-1]


def relay_of(*opened) -> list[Relay]:
    return [
        Relay(each.florin.outbox, each.florin.economy.reads, {"telegram": each.door}, each.florin.economy.clock)
        for each in opened
    ]


async def over(clock: StillClock, *relays: Relay) -> None:
    """Relays what there is to tell until the combo is over and told."""
    for _ in range(3):
        await asyncio.gather(*(relay.drain() for relay in relays))
    clock.later(seconds=OVER_AFTER.total_seconds())
    for _ in range(3):
        await asyncio.gather(*(relay.drain() for relay in relays))


async def test_presses_and_commands_count_up_in_one_message(there, group):
    shown = await sent(there, group)
    for count in range(2, 5):
        await there.settled(there.press("ana", shown, "Send again"))
        assert shown.text == f"ana sent bo rose x{count} ({count})."
    await there.settled(there.say("ana", "/gift rose x3 @bo", group))
    assert [each.text for each in roses(there, group)] == ["ana sent bo rose x7 (7)."]
    assert [button["text"] for button in shown.buttons] == ["Thank", "My coins", "Send again", "Undo"]


async def test_after_a_pause_it_is_another_combo(there, group, clock):
    first = await sent(there, group)
    clock.later(seconds=PAUSE.total_seconds() + 1)
    await there.settled(there.press("ana", first, "Send again"))
    assert [each.text for each in roses(there, group)] == ["ana sent bo a rose (1)."] * 2


async def test_what_is_undone_counts_no_more_and_the_next_button_undoes_what_is_left(there, group):
    shown = await sent(there, group)
    await there.settled(there.press("ana", shown, "Send again"))
    await there.settled(there.press("ana", shown, "Undo"))
    assert shown.text == "ana took back a gift to bo (1).\nana sent bo a rose (1)."
    await there.settled(there.press("ana", shown, "Undo"))
    assert shown.text == "ana took back a gift to bo (1)."
    assert shown.buttons == []
    await there.settled(there.say("ana", "/gift rose @bo", group))
    assert [each.text for each in roses(there, group)] == ["ana sent bo a rose (1)."]


async def test_many_presses_at_once_settle_once_each_and_the_last_state_stays(there, group):
    """Fault 35: from several devices, each press delivered twice."""
    shown = await sent(there, group)
    updates = [there.press("ana", shown, "Send again") for _ in range(8)]
    for update in updates:
        there.deliver(update)
    await there.settled(*updates)
    await asyncio.wait_for(there.until(lambda: shown.text == "ana sent bo rose x9 (9)."), 20)
    assert len(roses(there, group)) == 1
    await there.settled(there.press("bo", shown, "My coins"))
    assert there.alerts[-1][1].startswith("You have 9 coins.")


async def test_a_message_that_was_deleted_gets_a_successor(there, group):
    shown = await sent(there, group)
    await there.settled(there.press("ana", shown, "Send again"))
    shown.removed = True
    await there.settled(there.say("ana", "/gift rose @bo", group))
    successor = roses(there, group)[-1]
    assert (successor is not shown, successor.text) == (True, "ana sent bo rose x3 (3).")
    await there.settled(there.press("ana", successor, "Send again"))
    assert [each.text for each in roses(there, group)] == ["ana sent bo rose x4 (4)."]


async def test_telegram_says_to_wait_and_the_last_state_is_shown_after(there, group):
    """Fault 78"""
    shown = await sent(there, group)

    def hurried():
        raise BotApiError(429, "Too Many Requests: retry after 1", retry_after=1)

    there.fail("editMessageText", hurried)
    await there.settled(*[there.press("ana", shown, "Send again") for _ in range(4)])
    assert shown.text == "ana sent bo rose x5 (5)."


async def test_thanks_stay_while_the_combo_goes_on(there, group):
    shown = await sent(there, group)
    await there.settled(there.press("bo", shown, "Thank"))
    await there.settled(there.press("ana", shown, "Send again"))
    assert shown.text == "ana sent bo rose x2 (2).\nbo says thanks ♥"


async def test_under_a_post_a_combo_is_one_line_of_the_list(there, group):
    post = there.message("bo", "look what I made", group)
    await there.settled(there.say("ana", "/tip 5", group, reply_to=post))
    for _ in range(3):
        await there.settled(there.say("ana", "/gift rose", group, reply_to=post))
    await there.settled(there.say("ana", "/tip 6", group, reply_to=post))
    assert [each.text for each in roses(there, group)] == [
        "ana tipped bo 5 coins.\nana sent bo rose x3 (3).\nana tipped bo 6 coins."
    ]


async def test_each_topic_has_its_own(there, group):
    group.topics = {7, 8}
    for topic in (7, 8, 7):
        await there.settled(there.say("ana", "/gift rose @bo", group, topic=topic))
    assert [(each.topic, each.text) for each in roses(there, group)] == [
        (7, "ana sent bo rose x2 (2)."),
        (8, "ana sent bo a rose (1)."),
    ]


async def test_the_end_is_announced_once_where_it_was(there, bot, group, clock):
    group.topics = {7}
    for _ in range(3):
        await there.settled(there.say("ana", "/gift rose @bo", group, topic=7))
    await over(clock, *relay_of(bot))
    assert [(each.topic, each.text) for each in roses(there, group)] == [
        (7, "ana sent bo rose x3 (3)."),
        (7, "ana's combo: 3 roses for bo."),
    ]


async def test_the_bot_stops_in_a_combo_and_another_goes_on_and_ends_it(there, address, clock):
    """Fault 45"""
    async with serving(there, address, clock):
        group = there.group("lobby", owner="ana")
        await there.settled(there.say("bo", "hello", group))
        await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
        shown = await sent(there, group)
        await there.settled(there.press("ana", shown, "Send again"))
    async with serving(there, address, clock) as second:
        await there.settled(there.press("ana", shown, "Send again"))
        await there.settled(there.say("ana", "/gift rose @bo", group))
        assert [each.text for each in roses(there, group)] == ["ana sent bo rose x4 (4)."]
        await over(clock, *relay_of(second))
        assert roses(there, group)[-1].text == "ana's combo: 4 roses for bo."
        await over(clock, *relay_of(second))
    assert len(roses(there, group)) == 2


@asynccontextmanager
async def two_processes(there: Telegram, address: str, clock: StillClock):
    """Both of them, and ana with coins in the group."""
    async with (
        serving(there, address, clock, webhook=WEBHOOK) as one,
        serving(there, address, clock, webhook=WEBHOOK) as two,
    ):
        group = there.group("lobby", owner="ana")
        await there.until(lambda: bool(there.webhook))
        await there.settled(there.say("bo", "hello", group))
        await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
        yield one, two, group


def press_at(there: Telegram, process, shown: Shown) -> dict:
    there.webhook["url"] = f"http://127.0.0.1:{process.door.port}/telegram"
    return there.press("ana", shown, "Send again")


async def test_two_processes_tell_one_combo_and_one_of_them_its_end(there, address, clock):
    """Faults 35 and 44"""
    async with two_processes(there, address, clock) as (one, two, group):
        shown = await sent(there, group)
        for _ in range(6):
            await there.settled(*[press_at(there, process, shown) for process in (one, two)])
        assert shown.text == "ana sent bo rose x13 (13)."
        await over(clock, *relay_of(one, two))
        assert [each.text for each in roses(there, group)] == [
            "ana sent bo rose x13 (13).",
            "ana's combo: 13 roses for bo.",
        ]


async def test_an_edit_that_another_process_overtook_does_not_stay(there, address, clock):
    """Fault 35: the earlier state arrives at Telegram last."""
    async with two_processes(there, address, clock) as (one, two, group):
        shown = await sent(there, group)
        edit, arrived, go_on = there._edit_message_text, asyncio.Event(), asyncio.Event()
        stale: list[str] = []

        async def held_up(fields: dict, files: dict) -> dict:
            there._edit_message_text = edit
            arrived.set()
            await go_on.wait()
            done: dict = edit(fields, files)
            stale.append(shown.text)
            return done

        there._edit_message_text = held_up
        first = press_at(there, one, shown)
        await arrived.wait()
        await there.settled(press_at(there, two, shown))
        assert shown.text == "ana sent bo rose x3 (3)."
        go_on.set()
        await there.settled(first)
        assert (stale, shown.text) == (["ana sent bo rose x2 (2)."], "ana sent bo rose x3 (3).")
