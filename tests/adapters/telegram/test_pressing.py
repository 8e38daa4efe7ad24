"""Buttons: pressed by whom they are for, once, after a restart too, and never too long for Telegram."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.buttons import Head, packed, unpacked
from tests.support.telegram import BOT_ID, BotApiError, Group, Telegram
from tests.support.telegram_town import serving

ids = st.one_of(st.none(), st.integers(-(2**53), 2**53))


@given(st.builds(Head, ids, ids, ids), st.text(max_size=40))
def test_a_button_brings_back_where_it_belongs(head, data):
    if head != Head():
        assert unpacked(packed(head, data)) == (head, data)


@pytest.mark.parametrize("data", ["", "o:abc", "q:top", "..~", "~", "zzzzzzzzzzzzzz..~o:1", "-.-.-~q:top"])
def test_what_was_not_packed_so_is_only_data_or_has_no_head(data):
    """Fault 18"""
    head, _ = unpacked(data)
    assert head == Head()


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group, bo has spoken, and ana has 2,000 coins."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
    return group


async def coins(there: Telegram, name: str) -> str:
    before = len(there.shown)
    await there.settled(there.say(name, "/balance"))
    [shown] = there.shown[before:]
    return shown.text.split("\n")[0]


async def test_a_question_is_confirmed_once_however_often_it_is_pressed(there, group):
    """Fault 25"""
    await there.settled(there.say("ana", "/tip @bo 1500", group))
    question = there.seen_in(group, by="ana")[-1]
    data = question.button("Confirm")["callback_data"]
    await there.settled(*(there.press_data("ana", question, data) for _ in range(5)))
    public = [shown.text for shown in there.seen_in(group) if "tipped" in shown.text]
    assert public == ["ana tipped bo 1,500 coins."]
    assert question.removed
    assert await coins(there, "bo") == "You have 1,500 coins."


async def test_a_question_pressed_again_while_its_answer_waits_for_its_turn_is_answered_once(there, group):
    """Fault 25"""

    def wait():
        raise BotApiError(429, "Too Many Requests: retry after 1", retry_after=1)

    await there.settled(there.say("ana", "/tip @bo 1500", group))
    question = there.seen_in(group, by="ana")[-1]
    data = question.button("Confirm")["callback_data"]
    there.fail("sendMessage", wait)
    await there.settled(*(there.press_data("ana", question, data) for _ in range(5)))
    public = [shown.text for shown in there.seen_in(group) if "tipped" in shown.text]
    assert public == ["ana tipped bo 1,500 coins."]


async def test_somebody_elses_question_is_not_confirmed(there, group):
    """Fault 118"""
    await there.settled(there.say("ana", "/tip @bo 1500", group))
    question = there.seen_in(group, by="ana")[-1]
    await there.settled(there.press("bo", question, "Confirm"))
    assert there.alerts[-1] == ("bo", "This button is for somebody else.", True)
    assert await coins(there, "bo") == "You have 0 coins."


async def test_a_question_in_ones_own_chat_is_answered_in_the_group_and_topic_it_is_about(there, group):
    group.topics = {7}
    there.has_ephemeral = False
    await there.settled(there.say("ana", "/tip @bo 1500", group, topic=7))
    question = there.seen_in(there.people["ana"].id)[-1]
    await there.settled(there.press("ana", question, "Confirm"))
    [public] = [shown for shown in there.seen_in(group) if "tipped" in shown.text]
    assert (public.text, public.topic) == ("ana tipped bo 1,500 coins.", 7)
    assert (question.text, question.buttons) == ("ana tipped bo 1,500 coins.", [])


async def test_a_question_outlives_a_restart(there, address, clock):
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock):
        await there.settled(there.say("bo", "hello", group))
        await there.settled(there.say("ana", "/coins add @ana 2000 to begin with", group))
        await there.settled(there.say("ana", "/tip @bo 1500", group))
    question = there.seen_in(group, by="ana")[-1]
    async with serving(there, address, clock):
        await there.settled(there.press("ana", question, "Confirm"))
    assert there.seen_in(group)[-1].text == "ana tipped bo 1,500 coins."


async def test_a_question_expires(there, group, clock):
    await there.settled(there.say("ana", "/tip @bo 1500", group))
    question = there.seen_in(group, by="ana")[-1]
    clock.later(minutes=6)
    await there.settled(there.press("ana", question, "Confirm"))
    assert question.text == "This button has expired, and nothing was done. Give the command again."


@pytest.mark.parametrize("data", ["x", "o:nosuchnonce12", "q:nosuch", "q:tip @bo 5", "k:gone", "d:nosuch", "é" * 32])
async def test_data_of_an_older_release_does_nothing(there, group, data):
    """Fault 18"""
    await there.settled(there.say("ana", "/top", group))
    board = there.seen_in(group)[-1]
    await there.settled(there.press_data("ana", board, data))
    _, text, is_alert = there.alerts[-1]
    assert is_alert
    assert text
    assert await coins(there, "ana") == "You have 2,000 coins."


async def test_a_board_turns_in_its_place_for_anybody(there, group):
    await there.settled(there.say("ana", "/tip @bo 5", group))
    await there.settled(there.say("ana", "/top tippers", group))
    board = there.seen_in(group)[-1]
    count = len(there.shown)
    await there.settled(there.press("bo", board, "Month"))
    assert board.text.startswith("Tippers of this month")
    assert len(there.shown) == count
    # Pressed again before it turned: Telegram says that nothing changed, and nobody is told.
    await there.settled(there.press_data("bo", board, "q:top tippers month"))
    assert len(there.shown) == count


async def test_a_press_of_what_telegram_no_longer_shows_us(there, group):
    """Its message may be too old to be told to the bot: the press is answered all the same."""
    query = {
        "id": "old",
        "from": there.people["bo"].user(),
        "chat_instance": "1",
        "message": {"chat": group.chat(), "message_id": 5, "date": 0},
        "data": "q:balance",
    }
    there.presses["old"] = (there.people["bo"], group)
    await there.settled(there.push({"callback_query": query}))
    assert there.alerts[-1][0] == "bo"


async def test_a_private_answer_to_a_press_is_an_alert_where_it_is_short(there, group):
    await there.settled(there.say("ana", "/top", group))
    await there.settled(there.press_data("bo", there.seen_in(group)[-1], "q:balance"))
    assert there.alerts[-1] == ("bo", "You have 0 coins.\n/daily gives you 50 coins today.", True)


async def test_a_long_one_is_shown_to_them_alone(there, group):
    group.members[BOT_ID] = "member"
    await there.settled(there.say("ana", "/top", group))
    await there.settled(there.press_data("bo", there.seen_in(group)[-1], "q:help"))
    assert there.seen_in(group, by="bo")[-1].text.startswith("Here is what you can do:")
    assert not there.seen_in(group)[-1].text.startswith("Here is what you can do:")


async def test_pressing_twice_with_one_finger_is_one_press(there, group):
    """Fault 68"""
    await there.settled(there.say("ana", "/tip @bo 1500", group))
    update = there.press("ana", there.seen_in(group, by="ana")[-1], "Confirm")
    await there.settled(update)
    there.deliver(update)
    await there.settled(update)
    assert await coins(there, "bo") == "You have 1,500 coins."


async def test_a_button_that_names_a_group_one_is_not_in_does_nothing(there, group):
    """Fault 118: apps can be made to send any data."""
    other = there.group("cafe", owner="zoe")
    await there.settled(there.say("zoe", "/daily", other))
    await there.settled(there.say("ana", "/start"))
    own_chat = there.seen_in(there.people["ana"].id)[-1]
    for data in (packed(Head(chat=other.id), "q:top"), packed(Head(chat=other.id), "q:balance @zoe")):
        await there.settled(there.press_data("ana", own_chat, data))
        assert "zoe" not in own_chat.text
    # In a group it is about that one, whatever the button says.
    await there.settled(there.say("ana", "/top", group))
    board = there.seen_in(group)[-1]
    await there.settled(there.press_data("ana", board, packed(Head(chat=other.id), "q:top tippers month")))
    assert board.text.startswith("Tippers of this month")
    await there.settled(there.say("zoe", "/tip @ana 5", other))
    assert there.seen_in(other, by="zoe")[-1].text.startswith("I do not know ana here.")


async def test_who_only_looks_at_a_group_from_outside_is_no_member_by_a_press(there, group):
    await there.settled(there.say("ana", "/top", group))
    board = there.seen_in(group)[-1]
    there.person("spy")
    await there.settled(there.press_data("spy", board, "q:top tippers month"))
    await there.settled(there.say("ana", "/tip @spy 5", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("I do not know spy here.")


# --- @bot typed in any chat -------------------------------------------------------------------------------------------


async def typed(there: Telegram, name: str, text: str) -> dict:
    number = f"inline-{name}-{text}"
    query = {"id": number, "from": there.person(name).user(), "query": text, "offset": ""}
    await there.settled(there.push({"inline_query": query}))
    return there.inline[number]


async def test_boards_and_gifts_can_be_shown_anywhere_and_no_coin_moves(there, group):
    """Fault 75"""
    await there.settled(there.say("ana", "/tip @bo 5", group))
    found = await typed(there, "ana", "50 for you")
    titles = [result["title"] for result in found["results"]]
    assert titles[1:] == ["Tippers of this week", "Creators of this week"]
    assert "ana" in found["results"][1]["input_message_content"]["message_text"]
    assert found["is_personal"]
    assert await coins(there, "ana") == "You have 1,995 coins."


async def test_a_stranger_is_offered_to_begin(there, group):
    found = await typed(there, "zed", "")
    assert found["results"] == []
    assert found["button"]["start_parameter"] == "inline"
