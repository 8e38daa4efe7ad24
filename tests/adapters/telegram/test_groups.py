"""Groups as they come, move and go: greetings, supergroups, being kicked, topics that close."""

import pytest

from adapters.telegram.posts import PARTS_MAX
from tests.support.telegram import BOT_HANDLE, BOT_ID, BotApiError, Group, Telegram
from tests.support.telegram_town import serving


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 50 coins, and bo and cy have spoken."""
    group = there.group("lobby", owner="ana", small=True)
    for name in ("bo", "cy"):
        await there.settled(there.say(name, "hello", group))
    await there.settled(there.say("ana", "/daily", group))
    there.shown.clear()
    return group


async def coins(there: Telegram, name: str) -> str:
    before = len(there.shown)
    await there.settled(there.say(name, "/balance"))
    [shown] = there.shown[before:]
    return shown.text.split("\n")[0]


# --- coming -----------------------------------------------------------------------------------------------------------


async def test_added_without_rights_it_says_what_it_sees_and_asks_for_more(there, bot):
    group = there.group("cafe", owner="ana", bot="left")
    await there.settled(there.bot_changes(group, "member", by="ana"))
    [shown] = there.seen_in(group)
    assert f"write commands like /tip@{BOT_HANDLE}" in shown.text
    assert "Make me an administrator without any rights" in shown.text
    await there.settled(there.bot_changes(group, "administrator", by="ana"))
    assert there.seen_in(group)[-1].text.startswith("Thank you, now I see plain commands")


async def test_added_with_rights_it_greets_in_few_lines_once(there, bot):
    group = there.group("cafe", owner="ana", bot="left")
    added = there.bot_changes(group, "administrator", by="ana")
    await there.settled(added)
    there.deliver(added)
    await there.settled(added)
    [shown] = there.seen_in(group)
    assert len(shown.text.split("\n")) == 6
    await there.settled(there.say("ana", f"/start@{BOT_HANDLE}", group))
    assert there.seen_in(group)[-1].text == shown.text


async def test_until_it_sees_more_its_examples_are_addressed(there, group):
    await there.settled(there.bot_changes(group, "member", by="ana"))
    await there.settled(there.say("ana", f"/top@{BOT_HANDLE} creators", group))
    assert f"/gift@{BOT_HANDLE} rose @name" in there.seen_in(group)[-1].text
    await there.settled(there.bot_changes(group, "administrator", by="ana"))
    await there.settled(there.say("ana", "/top creators", group))
    assert "/gift rose @name" in there.seen_in(group)[-1].text


# --- moving -----------------------------------------------------------------------------------------------------------


def moved(there: Telegram, group: Group) -> Group:
    """The group becomes a supergroup: another id, the same people."""
    new = there.group(group.title)
    new.members = dict(group.members)
    group.moved_to = new.id
    return new


async def test_a_group_that_moves_keeps_its_coins(there, group):
    """Fault 74"""
    new = moved(there, group)
    old_side = there.message("ana", None, group, migrate_to_chat_id=new.id)
    new_side = there.message("ana", None, new, migrate_from_chat_id=group.id)
    for _ in range(2):
        await there.settled(there.push({"message": old_side}), there.push({"message": new_side}))
    await there.settled(there.say("ana", "/tip @bo 5", new))
    assert there.seen_in(new)[-1].text == "ana tipped bo 5 coins."
    assert await coins(there, "ana") == "You have 45 coins."


async def test_a_move_that_nobody_told_of_is_learned_when_sending_fails(there, group):
    """Fault 74"""
    pending = there.say("ana", "/tip @bo 5", group)
    new = moved(there, group)
    await there.settled(pending)
    assert there.seen_in(new)[-1].text == "ana tipped bo 5 coins."
    await there.settled(there.say("ana", "/tip @bo 5", new))
    assert there.seen_in(new)[-1].text == "ana tipped bo 5 coins."
    assert await coins(there, "ana") == "You have 40 coins."


async def test_a_question_from_before_the_move_can_be_answered_after_it(there, group):
    """Fault 74: with an offer on its way."""
    there.has_ephemeral = False
    await there.settled(there.say("ana", "/settings confirm_from 5", group))
    await there.settled(there.say("ana", "/tip @bo 5", group))
    question = there.seen_in(there.people["ana"].id)[-1]
    new = moved(there, group)
    await there.settled(there.push({"message": there.message("ana", None, new, migrate_from_chat_id=group.id)}))
    await there.settled(there.press("ana", question, "Confirm"))
    assert await coins(there, "bo") == "You have 5 coins."


async def test_what_was_said_before_the_move_and_comes_after_it_belongs_to_the_same_place(there, group):
    """Faults 70 and 74"""
    late = {"message": there.message("ana", "/tip @bo 5", group)}
    new = moved(there, group)
    await there.settled(there.push({"message": there.message("ana", None, new, migrate_from_chat_id=group.id)}))
    await there.settled(there.push(late))
    assert there.seen_in(new)[-1].text == "ana tipped bo 5 coins."
    assert await coins(there, "bo") == "You have 5 coins."


async def test_what_was_said_in_the_new_place_before_the_move_was_known_is_no_second_economy(there, group):
    """Fault 74"""
    new = moved(there, group)
    await there.settled(there.say("bo", "we are super now", new))
    await there.settled(there.push({"message": there.message("ana", None, new, migrate_from_chat_id=group.id)}))
    await there.settled(there.say("ana", "/tip @bo 5", new))
    assert there.seen_in(new)[-1].text == "ana tipped bo 5 coins."


# --- going ------------------------------------------------------------------------------------------------------------


async def test_kicked_in_between_the_coins_stand(there, group):
    """Fault 76"""
    update = there.say("ana", "/tip @bo 5", group)
    group.members[BOT_ID] = "kicked"
    await there.settled(update)
    assert await coins(there, "bo") == "You have 5 coins."
    [history] = [text for text in await told(there, "bo", "/history") if "tip" in text]
    assert "+5" in history


async def told(there: Telegram, name: str, text: str) -> list[str]:
    before = len(there.shown)
    await there.settled(there.say(name, text))
    return [shown.text for shown in there.shown[before:]]


async def test_a_closed_topic_keeps_the_answer_not_the_coins(there, group):
    """Fault 76"""
    group.topics, group.closed_topics = {7}, {7}
    await there.settled(there.say("ana", "/tip @bo 5", group, topic=7))
    assert there.seen_in(group) == []
    assert await coins(there, "bo") == "You have 5 coins."


async def test_whoever_blocked_the_bot_is_answered_where_they_can_be(there, group):
    """Faults 76 and 85"""
    there.has_ephemeral = False
    there.person("bo", blocked=True)
    await there.settled(there.say("bo", "/balance", group))
    [pointer] = [shown for shown in there.shown if shown.chat == group.id]
    assert pointer.text.startswith("bo, this answer is for you alone.")
    assert "coins." not in pointer.text


async def test_whoever_leaves_and_comes_back_is_noted(there, group):
    await there.settled(there.changes("bo", group, "left"))
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("bo is not here any more")
    await there.settled(there.changes("bo", group, "member"))
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."


async def test_those_who_come_by_a_service_message_are_members(there, group):
    there.person("dee")
    group.members[there.people["dee"].id] = "member"
    added = there.message("ana", None, group, new_chat_members=[there.people["dee"].user(), there.bot_user()])
    await there.settled(there.push({"message": added}))
    await there.settled(there.say("ana", "/tip @dee 5", group))
    assert there.seen_in(group)[-1].text == "ana tipped dee 5 coins."
    gone = there.message("ana", None, group, left_chat_member=there.people["dee"].user())
    group.members[there.people["dee"].id] = "left"
    await there.settled(there.push({"message": gone}))
    await there.settled(there.say("ana", "/tip @dee 5", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("dee is not here any more")


# --- one list under a post --------------------------------------------------------------------------------------------


async def test_tips_to_one_post_are_one_message(there, group):
    post = there.message("bo", "look what I made", group)
    for name in ("ana", "cy"):
        await there.settled(there.say(name, "/daily", group))
        await there.settled(there.say(name, "/tip 5", group, reply_to=post))
    await there.settled(there.say("ana", "/gift rose", group, reply_to=post))
    [shown] = [shown for shown in there.seen_in(group) if "tipped" in shown.text]
    assert shown.text == "ana tipped bo 5 coins.\ncy tipped bo 5 coins.\nana sent bo a rose (1)."
    assert (shown.under, shown.edits) == (post["message_id"], 2)


async def test_an_undo_changes_its_own_line(there, group):
    post = there.message("bo", "look what I made", group)
    await there.settled(there.say("cy", "/daily", group))
    await there.settled(there.say("ana", "/tip 5", group, reply_to=post))
    await there.settled(there.say("cy", "/tip 5", group, reply_to=post))
    await there.settled(there.say("ana", "/undo", group))
    [shown] = [shown for shown in there.seen_in(group) if "tipped" in shown.text]
    assert shown.text == "ana took back 5 coins from bo.\ncy tipped bo 5 coins."


async def test_an_undo_changes_the_message_of_what_it_takes_back(there, group):
    await there.settled(there.say("ana", "/tip @bo 5", group))
    [shown] = there.seen_in(group)
    await there.settled(there.say("ana", "/undo", group))
    assert [each.text for each in there.seen_in(group)] == ["ana took back 5 coins from bo."]
    assert shown.edits == 1


async def test_many_tips_at_once_to_one_post_are_all_in_its_lists(there, group):
    post = there.message("bo", "look what I made", group)
    await there.settled(*(there.say("ana", "/tip 1", group, reply_to=post) for _ in range(45)))
    lines = [line for shown in there.seen_in(group) for line in shown.text.split("\n") if "tipped" in line]
    assert len(lines) == 45
    assert await coins(there, "bo") == "You have 45 coins."
    assert all(len(shown.text.split("\n")) <= PARTS_MAX for shown in there.seen_in(group))


# --- Telegram's moods -------------------------------------------------------------------------------------------------


async def test_html_that_telegram_refuses_is_sent_plainly_once(there, group):
    """Fault 13"""

    def refuse():
        raise BotApiError(400, "Bad Request: can't parse entities: byte offset 3")

    there.fail("sendMessage", refuse)
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert [shown.text for shown in there.seen_in(group)] == ["ana tipped bo 5 coins."]
    assert there.called("sendMessage")[-1].get("parse_mode") is None


async def test_what_may_have_been_sent_is_not_sent_twice(there, group):
    """Fault 78"""
    from aiohttp import web  # noqa: PLC0415

    before = len(there.called("sendMessage"))
    there.fail("sendMessage", lambda: web.Response(status=502, text="<html>Bad Gateway</html>"))
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert len(there.called("sendMessage")) == before + 1
    assert await coins(there, "bo") == "You have 5 coins."


async def test_told_to_wait_it_waits_and_moves_no_coin_twice(there, group):
    """Fault 77"""

    def wait():
        raise BotApiError(429, "Too Many Requests: retry after 1", retry_after=1)

    there.fail("sendMessage", wait)
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert [shown.text for shown in there.seen_in(group)] == ["ana tipped bo 5 coins."]
    assert await coins(there, "bo") == "You have 5 coins."


async def test_the_menu_shows_everyday_commands_and_more_to_administrators(there, address, clock):
    async with serving(there, address, clock):
        await there.until(lambda: len(there.menus) == 3)
    private = [command["command"] for command in there.menus["all_private_chats", ""]]
    staff = [command["command"] for command in there.menus["all_chat_administrators", ""]]
    assert private == ["balance", "daily", "gift", "help", "settings", "tip", "top"]
    assert {"coins", "freeze", "audit"} <= set(staff)
    seen_by_one = {c["command"] for c in there.menus["all_group_chats", ""] if c.get("is_ephemeral")}
    assert seen_by_one == {"balance", "daily", "help", "settings"}
    calls = len(there.called("setMyCommands"))
    async with serving(there, address, clock):
        await there.settled(there.say("ana", "/start"))
    assert len(there.called("setMyCommands")) == calls
