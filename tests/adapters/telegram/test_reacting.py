"""Reactions that tip: of people, by name, once, where the bot is an administrator."""

from __future__ import annotations

import pytest

from adapters.telegram.reacting import KEPT_MAX
from tests.support.telegram import BotApiError, Group, Telegram
from tests.support.telegram_town import serving

TIPPED = "ana tipped bo 5 coins."


async def begun(there: Telegram, coins: int = 100) -> Group:
    """Where reactions tip, and ana's do."""
    group = there.group("lobby", owner="ana")
    for text in (f"/coins add @ana {coins} to begin with", "/features reactions on", "/reactions on"):
        await there.settled(there.say("ana", text, group))
    return group


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    return await begun(there)


async def posted(there: Telegram, group: Group, name: str = "bo", text: str = "look what I made", **more) -> dict:
    update = there.say(name, text, group, **more)
    await there.settled(update)
    message: dict = update["message"]
    return message


async def react(there: Telegram, to: dict, *emoji: str, name: str = "ana", **more) -> None:
    await there.settled(there.react(name, to, *(emoji or ("🏆",)), **more))


def told(there: Telegram, group: Group) -> list[str]:
    return [line for shown in there.seen_in(group) for line in shown.text.split("\n") if "tipped" in line]


async def test_it_tips_whoever_wrote_the_message_and_lists_it_under_that(there, group):
    there.person("cy")
    post = await posted(there, group)
    await react(there, post)
    await there.settled(there.say("cy", "hello", group))
    for text in ("/reactions on", "/daily"):
        await there.settled(there.say("cy", text, group))
    await react(there, post, name="cy")
    shown = there.seen_in(group)[-1] if "tipped" in there.seen_in(group)[-1].text else None
    lists = [each for each in there.seen_in(group) if each.under == post["message_id"]]
    assert [each.text for each in lists] == [f"{TIPPED}\ncy tipped bo 5 coins."]
    assert lists[0].edits == 1
    assert shown is None or shown.id == lists[0].id


async def test_updates_of_reactions_are_asked_for(there, group):
    assert all("message_reaction" in call["allowed_updates"] for call in there.called("getUpdates"))


async def test_taken_away_and_put_back_it_tips_no_second_time(there, group):
    """Fault 68."""
    post = await posted(there, group)
    await react(there, post)
    await there.settled(there.react("ana", post, was=("🏆",)))
    await react(there, post)
    await react(there, post, "🏆", "🔥", was=("🏆",))
    assert told(there, group) == [TIPPED]


async def test_delivered_again_after_a_restart_and_by_another_process_it_tips_once(there, address, clock):
    """Faults 35, 68 and 73: the author is remembered by all processes."""
    async with serving(there, address, clock):
        group = await begun(there)
        post = await posted(there, group)
        update = there.react("ana", post, "🏆")
        await there.settled(update)
    async with serving(there, address, clock):
        there.deliver(update)
        await there.settled(update)
        other = await posted(there, group)
    async with serving(there, address, clock):
        await react(there, other)
    assert told(there, group) == [TIPPED] * 2


async def test_of_whose_message_nobody_knows_nothing_comes(there, group):
    await react(there, {"chat": group.chat(), "message_id": 999_999})
    assert told(there, group) == []
    assert KEPT_MAX >= 1_000


async def test_an_author_who_cannot_be_shared_is_known_to_this_process(there, group, bot):
    bot.memory.away.add("author")
    post = await posted(there, group)
    await react(there, post)
    assert told(there, group) == [TIPPED]


async def test_nobody_tips_a_bot_themselves_or_by_another_emoji(there, group):
    """Faults 9 and 10."""
    post = await posted(there, group)
    await react(there, post, "🔥")
    await react(there, await posted(there, group, "ana"))
    there.person("robo", is_bot=True)
    await react(there, await posted(there, group, "robo"))
    answer = there.seen_in(group, by="ana")[-1]
    await react(there, {"chat": group.chat(), "message_id": answer.id})
    assert told(there, group) == []


async def test_anonymous_reactions_and_channels_never_act(there, group):
    """Fault 75."""
    post = await posted(there, group)
    change = {
        "chat": group.chat(),
        "message_id": post["message_id"],
        "date": post["date"],
        "actor_chat": group.chat(),
        "old_reaction": [],
        "new_reaction": [{"type": "emoji", "emoji": "🏆"}],
    }
    await there.settled(there.push({"message_reaction": change}))
    hidden = await posted(there, group, "bo", anonymous=True)
    await react(there, hidden)
    custom = {"new_reaction": [{"type": "custom_emoji", "custom_emoji_id": "1"}, {"type": "paid"}]}
    await there.settled(there.react("ana", post, **custom))
    assert told(there, group) == []


async def test_whoever_did_not_ask_for_it_tips_nobody(there, group):
    post = await posted(there, group)
    await react(there, await posted(there, group, "ana"), name="bo")
    await there.settled(there.say("ana", "/reactions off", group))
    await react(there, post)
    assert told(there, group) == []


async def test_what_there_is_too_little_for_is_told_to_them_alone_and_once_a_day(there, bot, clock):
    group = await begun(there, coins=3)
    for _ in range(2):
        await react(there, await posted(there, group))
    mine = [each for each in there.seen_in(group, by="ana") if "Your reaction tipped nobody" in each.text]
    assert [each.only_to for each in mine] == [there.people["ana"].id]
    clock.later(days=1)
    await react(there, await posted(there, group))
    assert sum("Your reaction tipped nobody" in each.text for each in there.seen_in(group, by="ana")) == 2
    assert not any("Your reaction" in each.text for each in there.seen_in(group))


async def test_where_there_are_no_messages_for_one_it_is_told_in_their_own_chat_without_a_word_to_others(there, bot):
    """Fault 85: or not at all."""
    there.has_ephemeral = False
    group = await begun(there, coins=3)
    before = sum(each.chat == group.id for each in there.shown)
    await react(there, await posted(there, group))
    assert "Your reaction tipped nobody" in there.seen_in(there.people["ana"].id)[-1].text
    there.people["ana"].blocked = True
    await react(there, await posted(there, group))
    assert sum(each.chat == group.id for each in there.shown) == before


async def test_it_can_be_silent(there, group):
    await there.settled(there.say("ana", "/settings reactions_shown off", group))
    await react(there, await posted(there, group))
    assert told(there, group) == []
    await there.settled(there.say("bo", "/balance", group))
    assert there.seen_in(group, by="bo")[-1].text.startswith("You have 5 coins.")


async def test_in_a_topic_it_is_listed_there(there, bot):
    group = await begun(there)
    group.topics = {7}
    post = await posted(there, group, topic=7)
    await react(there, post)
    assert (there.seen_in(group)[-1].text, there.seen_in(group)[-1].topic) == (TIPPED, 7)


async def test_a_server_that_stumbles_while_it_is_told_moves_no_coin_twice(there, group):
    """Faults 77 and 78."""

    def stumble():
        raise BotApiError(429, "Too Many Requests: retry after 0", retry_after=0)

    post = await posted(there, group)
    there.fail("sendMessage", stumble)
    update = there.react("ana", post, "🏆")
    await there.settled(update)
    there.deliver(update)
    await there.settled(update)
    await there.settled(there.say("bo", "/balance", group))
    assert there.seen_in(group, by="bo")[-1].text.startswith("You have 5 coins.")


async def test_an_emoji_may_be_drawn_in_two_ways(there, group):
    await there.settled(there.say("ana", "/settings reaction_emoji ❤️", group))
    post = await posted(there, group)
    await react(there, post, "❤")
    await react(there, post, "❤️")
    assert told(there, group) == [TIPPED]


async def test_a_tip_by_reaction_can_be_taken_back(there, group):
    post = await posted(there, group)
    await react(there, post)
    await there.settled(there.say("ana", "/undo", group))
    assert there.seen_in(group)[-1].text == "ana took back 5 coins from bo."
