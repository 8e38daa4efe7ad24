"""What is said in a group and in private, as people of Telegram say it."""

import asyncio
import re
from datetime import timedelta

import pytest
from telegram import Update

from adapters.contract import File, Picture
from adapters.telegram.sending import Sender, Target, Unreachable
from tests.support.telegram import BOT_HANDLE, BOT_ID, Group, Telegram


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 50 coins, and bo has spoken."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/daily", group))
    there.shown.clear()
    return group


async def told(there: Telegram, *updates: dict) -> list[str]:
    """What is new on the screens after these updates."""
    before = len(there.shown)
    await there.settled(*updates)
    return [shown.text for shown in there.shown[before:] if not shown.removed]


async def coins(there: Telegram, name: str) -> str:
    [text] = await told(there, there.say(name, "/balance"))
    return text.split("\n")[0]


# --- whom a tip is for ------------------------------------------------------------------------------------------------


async def test_a_tip_is_told_in_the_group(there, group):
    await there.settled(there.say("ana", "/tip @bo 5 well done", group))
    [shown] = there.seen_in(group)
    assert shown.text == 'ana tipped bo 5 coins.\n"well done"'
    assert shown.entities == [{"type": "a", "offset": 11, "length": 2, "url": f"tg://user?id={there.people['bo'].id}"}]


async def test_answering_somebody_names_them(there, group):
    post = there.message("bo", "look what I made", group)
    assert await told(there, there.say("ana", "/tip 5", group, reply_to=post)) == ["ana tipped bo 5 coins."]


async def test_answering_somebody_who_never_spoke_to_the_bot_makes_them_a_member(there, group):
    post = there.message("cy", "hi all", group)
    assert await told(there, there.say("ana", "/tip 5", group, reply_to=post)) == ["ana tipped cy 5 coins."]


async def test_answering_somebody_who_left_sends_nothing(there, group):
    """Fault 82"""
    post = there.message("cy", "hi all", group)
    await there.settled(there.changes("cy", group, "left"))
    [text] = await told(there, there.say("ana", "/tip 5", group, reply_to=post))
    assert text.startswith(("I do not know", "cy is not here"))


async def test_a_reply_to_one_that_names_another_does_nothing(there, group):
    """Fault 11"""
    post = there.message("cy", "hi all", group)
    [text] = await told(there, there.say("ana", "/tip @bo 5", group, reply_to=post))
    assert "Nothing was done" in text
    assert await coins(there, "ana") == "You have 50 coins."


async def test_an_anonymous_author_gets_nothing_and_it_is_said_why(there, group):
    """Fault 75"""
    post = there.message("bo", "we are many", group, anonymous=True)
    [text] = await told(there, there.say("ana", "/tip 5", group, reply_to=post))
    assert text == "Whoever wrote this did so anonymously, so it has nobody to send to. Nothing was sent."


async def test_somebody_without_a_handle_is_named_by_their_name(there, group):
    there.person("😀 Bo Ek", handle=None)
    await there.settled(there.say("😀 Bo Ek", "hello", group))
    assert await told(there, there.say("ana", "/tip @[😀 Bo Ek] 5", group)) == ["ana tipped 😀 Bo Ek 5 coins."]


async def test_somebody_named_who_is_in_the_group_needs_not_have_spoken(there, group):
    group.members[there.person("Cy Mo", handle=None).id] = "member"
    assert await told(there, there.say("ana", "/tip @[Cy Mo] 5", group)) == ["ana tipped Cy Mo 5 coins."]


async def test_somebody_named_who_is_not_in_the_group_gets_nothing(there, group):
    """Fault 10"""
    there.person("Di Far", handle=None)
    [text] = await told(there, there.say("ana", "/tip @[Di Far] 5", group))
    assert text == "I do not know Di Far here. They count once they have joined or said something."


async def test_an_unknown_handle_is_told(there, group):
    [text] = await told(there, there.say("ana", "/gift rose @somebot", group))
    assert text == "I do not know somebot here. They count once they have joined or said something."


async def test_a_handle_is_whose_it_was_last_seen_to_be(there, group):
    there.person("bo", handle="the_boss")
    await there.settled(there.say("bo", "new name", group))
    assert await told(there, there.say("ana", "/tip @the_boss 5", group)) == ["ana tipped bo 5 coins."]
    [text] = await told(there, there.say("ana", "/tip @bo 5", group))
    assert text.startswith("I do not know bo here")
    there.person("cy", handle="bo")
    await there.settled(there.say("cy", "and I took the old one", group))
    assert await told(there, there.say("ana", "/tip @bo 5", group)) == ["ana tipped cy 5 coins."]


async def test_bots_get_nothing(there, group):
    """Fault 10: the bot itself, and another that is there."""
    [text] = await told(there, there.say("ana", f"/tip @{BOT_HANDLE} 5", group))
    assert text == "Florin is a bot, and bots have no wallet."
    there.person("robo", is_bot=True)
    post = there.message("robo", "beep", group)
    [text] = await told(there, there.say("ana", "/tip 5", group, reply_to=post))
    assert text == "robo is a bot, and bots have no wallet."


# --- what acts, and what does not -------------------------------------------------------------------------------------


async def test_an_edited_command_does_nothing(there, group):
    """Fault 69"""
    first = there.message("ana", "hello", group)
    await there.settled(there.push({"message": first}))
    edited = there.message("ana", "/tip @bo 5", group) | {"message_id": first["message_id"], "edit_date": first["date"]}
    assert await told(there, there.push({"edited_message": edited})) == []
    assert await coins(there, "ana") == "You have 50 coins."


async def test_an_edit_that_is_brought_as_if_wanted_does_nothing(there, bot, group):
    """Fault 69: whatever a webhook brings."""
    message = there.message("ana", "/tip @bo 5", group)
    await bot.door.take(
        Update.de_json({"update_id": 1, "edited_message": message | {"edit_date": message["date"]}}, None)
    )
    await bot.door.take(Update.de_json({"update_id": 2, "channel_post": message}, None))
    assert await coins(there, "ana") == "You have 50 coins."


@pytest.mark.parametrize(
    "passed_on",
    [
        {"forward_origin": {"type": "hidden_user", "sender_user_name": "ana", "date": 1}},
        {"via_bot": {"id": 99, "is_bot": True, "first_name": "Other", "username": "other_bot"}},
    ],
)
async def test_what_somebody_did_not_type_does_nothing_and_it_is_said(there, group, passed_on):
    """Fault 75"""
    [text] = await told(there, there.say("ana", "/tip @bo 5", group, **passed_on))
    assert text == "Commands that are forwarded, or sent through another bot, do nothing. Type it yourself."
    assert await coins(there, "ana") == "You have 50 coins."


async def test_posts_of_the_linked_channel_do_nothing(there, group):
    """Fault 75"""
    channel = {"id": -1009, "type": "channel", "title": "News"}
    post = there.message("ana", "/tip @bo 5", group, is_automatic_forward=True, sender_chat=channel)
    assert await told(there, there.push({"message": post})) == []


async def test_a_channel_is_told_to_write_as_somebody(there, group):
    """Fault 75"""
    channel = {"id": -1009, "type": "channel", "title": "News"}
    [text] = await told(there, there.say("ana", "/tip @bo 5", group, sender_chat=channel))
    assert text == "A channel has no wallet. Write as yourself, and it is done."


async def test_a_caption_is_no_command(there, group):
    """Fault 20"""
    photo = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]
    entities = [{"type": "bot_command", "offset": 0, "length": 4}]
    update = there.push(
        {"message": there.message("ana", None, group, photo=photo, caption="/tip @bo 5", caption_entities=entities)}
    )
    assert await told(there, update) == []


async def test_commands_of_other_bots_are_left_alone(there, group):
    assert await told(there, there.say("ana", "/tip@other_bot @bo 5", group)) == []
    assert await told(there, there.say("ana", "/weather", group)) == []
    assert await coins(there, "ana") == "You have 50 coins."


async def test_commands_may_be_addressed(there, group):
    [text] = await told(there, there.say("ana", f"/tip@{BOT_HANDLE.upper()} @bo 5", group))
    assert text == "ana tipped bo 5 coins."
    [text] = await told(there, there.say("ana", f"/weather@{BOT_HANDLE}", group))
    assert text == "There is no such command. /help lists them all."


async def test_a_tip_from_long_ago_is_not_sent_any_more(there, group, clock):
    """Fault 71"""
    old = clock.now() - timedelta(minutes=11)
    [text] = await told(there, there.say("ana", "/tip @bo 5", group, at=old))
    assert text == "This reached me more than 10 minutes late, so I did not do it. Send it again if you still mean it."
    assert (await told(there, there.say("ana", "/top tippers", group, at=old)))[0].startswith("Tippers of this week")
    assert await coins(there, "ana") == "You have 50 coins."


async def test_what_was_done_in_time_is_not_called_late_when_it_comes_again(there, group, clock, address):
    """Fault 68: told that nothing was done, somebody would send it twice."""
    update = there.say("ana", "/tip @bo 5", group)
    await there.settled(update)
    clock.later(minutes=20)
    before = len(there.shown)
    there.deliver(update)
    await there.settled(update)
    assert [shown.text for shown in there.shown[before:]] == []


# --- where answers go -------------------------------------------------------------------------------------------------


async def test_an_answer_stays_in_its_topic(there, group):
    group.topics = {7}
    await there.settled(there.say("ana", "/tip @bo 5", group, topic=7))
    await there.settled(there.say("ana", "/balance", group, topic=7))
    assert [shown.topic for shown in there.seen_in(group, by="ana")] == [7, 7]


async def test_a_thread_of_replies_is_no_topic(there, group):
    post = there.message("bo", "hi", group)
    update = there.message("ana", "/tip 5", group, reply_to=post) | {"message_thread_id": post["message_id"]}
    await there.settled(there.push({"message": update}))
    assert there.seen_in(group)[-1].topic is None


async def test_what_is_ones_own_only_they_see(there, group):
    await there.settled(there.say("ana", "/balance", group))
    [shown] = there.seen_in(group, by="ana")
    assert shown.text.startswith("You have 50 coins.")
    assert there.seen_in(group, by="bo") == []


async def test_a_command_that_only_the_bot_sees_is_answered_so(there, group):
    group.members[BOT_ID] = "member"
    await there.settled(there.say("ana", "/balance", group, ephemeral=True))
    [shown] = there.seen_in(group, by="ana")
    assert shown.under_to_one is not None
    assert there.seen_in(group, by="bo") == []


async def test_such_commands_are_told_apart_though_their_ids_come_again(there, group, clock):
    message = there.message("ana", "/tip @bo 5", group, ephemeral=True)
    await there.settled(there.push({"message": message}))
    clock.later(seconds=30)
    again = there.message("ana", "/tip @bo 5", group, ephemeral=True)
    again["ephemeral_message_id"] = message["ephemeral_message_id"]
    await there.settled(there.push({"message": again}))
    assert await coins(there, "ana") == "You have 40 coins."


async def test_where_nothing_can_be_shown_to_one_the_answer_goes_to_their_own_chat(there, group):
    """And a short word in the group removes itself."""
    there.has_ephemeral = False
    await there.settled(there.say("ana", "/balance", group))
    assert [shown.text.split("\n")[0] for shown in there.seen_in(there.people["ana"].id)] == ["You have 50 coins."]
    [pointer] = [shown for shown in there.shown if shown.chat == group.id]
    assert pointer.text == "ana, I answered you in private."
    await removed(there, pointer)


async def removed(there, shown) -> None:
    async with asyncio.timeout(5):
        await there.until(lambda: shown.removed)


async def test_who_never_wrote_to_the_bot_fetches_the_answer(there, group):
    """Fault 85"""
    there.has_ephemeral = False
    there.person("cy", started=False)
    await there.settled(there.say("ana", "/tip @bo 1", group), there.say("cy", "/balance", group))
    [pointer] = [shown for shown in there.shown if shown.text.startswith("cy,")]
    link = pointer.buttons[0]["url"]
    assert link.startswith(f"https://t.me/{BOT_HANDLE}?start=a")
    [text] = await told(there, there.say("cy", f"/start {link.partition('=')[2]}"))
    assert text.startswith("You have 0 coins.")
    # It is theirs, and there once.
    assert "You have" not in (await told(there, there.say("ana", f"/start {link.partition('=')[2]}")))[0]


async def test_what_was_refused_is_told_to_the_one_who_asked(there, group):
    await there.settled(there.say("bo", "/coins add @bo 1000 please", group))
    [shown] = there.seen_in(group, by="bo")
    assert shown.text.startswith("Only operators, owners")
    assert there.seen_in(group, by="ana") == []


# --- in private -------------------------------------------------------------------------------------------------------


async def test_a_stranger_is_told_how_to_begin(there, bot):
    [first] = await told(there, there.say("zed", "/start"))
    [second] = await told(there, there.say("zed", "/balance"))
    assert "I do not know you from any" in first
    assert "I do not know you from any" in second


async def test_start_greets_and_names_the_group(there, group):
    before = len(there.shown)
    await there.settled(there.say("ana", "/start"))
    [shown] = there.shown[before:]
    assert shown.text.startswith("Hello! I keep the coins of lobby.")
    assert len(shown.text.split("\n")) == 6
    await there.settled(there.press("ana", shown, "See your coins"))
    assert shown.text.startswith("You have 50 coins.")


@pytest.mark.parametrize("payload", ["x" * 65, "ref_123", "a" + "x" * 16, "g-100", "g", "<b>", "g-1001000000099"])
async def test_a_link_that_anybody_can_write_does_nothing_by_itself(there, group, payload):
    """Fault 19"""
    [text] = await told(there, there.say("ana", f"/start {payload}"))
    assert text.startswith("Hello! I keep the coins of lobby.")


async def test_what_is_said_in_private_is_about_the_group_one_was_in_last(there, group):
    other = there.group("cafe", owner="bo")
    await there.settled(there.say("ana", "hello", other))
    assert await coins(there, "ana") == "You have 0 coins."
    await there.settled(there.say("ana", "back again", group))
    assert await coins(there, "ana") == "You have 50 coins."
    await there.settled(there.say("ana", f"/start g{other.id}"))
    assert await coins(there, "ana") == "You have 0 coins."


async def test_what_is_said_in_private_knows_what_the_group_is_called(there, group):
    """Whoever owns the other place reads whose community it is, wherever the code was asked for."""
    cafe = there.group("cafe", owner="eve")
    await there.settled(there.say("eve", "hello", cafe))
    [given] = await told(there, there.say("ana", "/community join"))
    code = re.findall(r"[0-9]+(?:-[0-9A-Z]{4}){3}", given)[0]
    [asked] = await told(there, there.say("eve", f"/community join {code}"))
    assert asked.startswith("cafe would share the community of lobby from then on")


async def test_speech_in_private_is_told_how_commands_begin(there, group):
    assert await told(there, there.say("ana", "hello?")) == [
        "Commands begin with a slash. To see them all, type /help."
    ]


# --- names that would like to be more than names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "_*[]()~`>#+-=|{}.!<&",
        "<b>x</b>",
        "</a><a href='tg://user?id=1'>",
        "@everyone",
        "\u202e\u2066gnp",
        "a\u0301" * 40,
    ],
)
async def test_a_name_is_told_as_it_is_and_does_nothing(there, group, name):
    """Faults 12, 13 and 14"""
    post = there.message(name, "hi", group)
    await there.settled(there.say("ana", "/tip 5", group, reply_to=post))
    [shown] = there.seen_in(group)
    assert shown.text.startswith("ana tipped ")
    assert shown.text.endswith(" 5 coins.")
    assert not any(each in shown.text for each in "\u202e\u2066@")
    assert {entity["type"] for entity in shown.entities} <= {"a"}
    assert {entity.get("url") for entity in shown.entities} <= {f"tg://user?id={there.people[name].id}"}


async def test_a_tip_to_oneself_is_refused(there, group):
    """Fault 9"""
    post = there.message("ana", "am I not great", group)
    [text] = await told(there, there.say("ana", "/tip 5", group, reply_to=post))
    assert text == "You cannot send to yourself. Name somebody else."


async def test_a_crowd_that_comes_and_claims_at_once_leaves_the_books_right(there, group):
    """Fault 84, its part about money."""
    names = [f"raider{number}" for number in range(60)]
    came = [there.changes(name, group, "member", was="left") for name in names]
    asked = [there.say(name, "/tip @bo 5", group) for name in names]
    await there.settled(*came, *asked, within_s=60)
    assert not any("tipped" in shown.text for shown in there.seen_in(group))
    assert await coins(there, "bo") == "You have 0 coins."


# --- by an older server -----------------------------------------------------------------------------------------------


async def test_a_server_that_shows_everyone_what_is_for_one_leaves_nothing_of_it_in_the_group(there, group):
    there.knows_ephemeral = False
    await there.settled(there.say("ana", "/balance", group))
    [everyones] = [shown for shown in there.shown if shown.chat == group.id and "50 coins" in shown.text]
    assert everyones.removed
    assert there.seen_in(there.people["ana"].id)[-1].text.startswith("You have 50 coins.")


@pytest.mark.parametrize("node", [File("coins.csv", b"50"), Picture(b"png", "50 coins")], ids=["file", "picture"])
async def test_a_file_that_everyone_could_see_is_taken_away(there, bot, group, node):
    there.knows_ephemeral = False

    async def moved(_old: int, _new: int) -> None:
        raise AssertionError("nothing moves here")

    sender = Sender(bot.door.bot, moved)
    send = sender.file if isinstance(node, File) else sender.picture
    with pytest.raises(Unreachable):
        await send(node, Target(chat=group.id, only_to=there.people["ana"].id))
    assert [shown.removed for shown in there.shown if shown.file is not None] == [True]


# --- without a memory -------------------------------------------------------------------------------------------------


async def test_what_cannot_be_noted_of_somebody_keeps_no_command_back(there, bot, group):
    bot.memory.away = {"handle", "home"}
    [text] = await told(there, there.say("dee", "/daily", group))
    assert text.startswith("You got 50 coins.")
