"""Tips to an @name that nobody was seen under: they wait for whoever comes by it, and for nobody else."""

from __future__ import annotations

import pytest

from tests.support.telegram import BOT_HANDLE, BOT_ID, Group, Telegram
from tests.support.telegram_town import serving

WAITS = "was not seen here yet: the coins wait until 12 Jan 2026, 12:00, and go back after that."


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 100 coins."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("ana", "/coins add @ana 100 to begin with", group))
    return group


def texts(there: Telegram, group: Group) -> list[str]:
    return [shown.text for shown in there.seen_in(group)]


async def coins_of(there: Telegram, name: str, group: Group) -> str:
    await there.settled(there.say(name, "/balance", group))
    return there.seen_in(group, by=name)[-1].text.partition("\n")[0]


async def left(there: Telegram, group: Group, handle: str = "zoey", amount: int = 30):
    await there.settled(there.say("ana", f"/tip @{handle} {amount}", group))
    return there.seen_in(group)[-1]


def link_of(shown) -> str:
    url: str = shown.button("Take it up")["url"]
    return url


async def test_it_is_said_at_once_that_it_waits_and_until_when(there, group):
    shown = await left(there, group)
    assert shown.text == f"ana tipped zoey 30 coins.\nzoey {WAITS}"
    assert link_of(shown) == f"https://t.me/{BOT_HANDLE}?start=c{group.id}"
    assert len(link_of(shown).partition("=")[2]) <= 64
    assert [button["text"] for button in shown.buttons] == ["Undo", "Take it up"]


@pytest.mark.parametrize("handle", ["zoey", "ZoEy"])
async def test_whoever_speaks_by_that_name_gets_it_and_everyone_is_told(there, group, handle):
    there.person("zoey", handle=handle)
    await left(there, group, "Zoey")
    await there.settled(there.say("zoey", "hello", group))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."
    assert await coins_of(there, "zoey", group) == "You have 30 coins."


async def test_whoever_asks_for_their_coins_first_sees_them_already(there, group):
    await left(there, group)
    assert await coins_of(there, "zoey", group) == "You have 30 coins."
    assert texts(there, group)[-1].startswith("zoey is here now")


async def test_whoever_joins_gets_it_without_a_word(there, group):
    await left(there, group)
    await there.settled(there.changes("zoey", group, "member", was="left"))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."


@pytest.mark.parametrize("times", [5])
async def test_the_same_message_again_and_after_a_restart_gives_it_once(there, address, clock, times):
    """Faults 68 and 73."""
    async with serving(there, address, clock):
        group = there.group("lobby", owner="ana")
        await there.settled(there.say("ana", "/coins add @ana 100 to begin with", group))
        await left(there, group)
        update = there.say("zoey", "hello", group)
        await there.settled(update)
        for _ in range(times):
            there.deliver(update)
            await there.settled(update)
    async with serving(there, address, clock):
        there.deliver(update)
        await there.settled(update)
        assert await coins_of(there, "zoey", group) == "You have 30 coins."
    assert sum("is here now" in text for text in texts(there, group)) == 1


async def test_it_goes_back_at_its_hour_also_where_nobody_ran(there, address, clock):
    """Faults 42 and 145."""
    async with serving(there, address, clock):
        group = there.group("lobby", owner="ana")
        await there.settled(there.say("ana", "/coins add @ana 100 to begin with", group))
        await left(there, group)
    clock.later(days=7)
    async with serving(there, address, clock):
        await there.settled(there.say("zoey", "hello", group))
        assert await coins_of(there, "ana", group) == "You have 100 coins."
    assert not any("is here now" in text for text in texts(there, group))


async def test_its_sender_takes_it_back_by_the_button(there, group):
    shown = await left(there, group)
    await there.settled(there.press("zoey", shown, "Undo"))
    assert there.alerts[-1] == ("zoey", "This button is for somebody else.", True)
    await there.settled(there.press("ana", shown, "Undo"))
    assert shown.text == "30 coins that waited went back to ana."
    await there.settled(there.say("zoey", "hello", group))
    assert await coins_of(there, "ana", group) == "You have 100 coins."


# --- by the link ------------------------------------------------------------------------------------------------------


async def test_who_is_silent_in_the_group_gets_it_by_the_link(there, group):
    shown = await left(there, group)
    zoey = there.person("zoey")
    group.members[zoey.id] = "member"
    await there.settled(there.say("zoey", f"/start {link_of(shown).partition('=')[2]}"))
    assert there.seen_in(zoey.id)[-1].text == "zoey is here now and gets 30 coins that waited, from ana."
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."
    await there.settled(there.say("zoey", "/balance"))
    assert there.seen_in(zoey.id)[-1].text.startswith("You have 30 coins.")


async def test_the_link_proves_nothing(there, group):
    """Fault 19: neither somebody else's name, nor another group, nor somebody who is not there."""
    link = link_of(await left(there, group)).partition("=")[2]
    there.person("yanis")
    group.members[there.person("yanis").id] = "member"
    elsewhere = there.group("elsewhere", owner="olga")
    group_of = {"yanis": link, "zoey": link, "olga": link}
    for name, payload in group_of.items():
        await there.settled(there.say(name, f"/start {payload}"))
    for payload in (f"c{elsewhere.id}", "c", "c-", "c1", f"c{group.id}x", "c" + "9" * 63, f"C{group.id}", "c٣"):
        await there.settled(there.say("zoey", f"/start {payload}"))
    assert not any("is here now" in shown.text for shown in there.shown)
    await there.settled(there.say("zoey", "hello", group))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."


async def test_a_bot_that_hears_no_speech_still_gives_the_link(there, bot):
    group = there.group("quiet", owner="ana", bot="member")
    await there.settled(there.say("ana", f"/coins@{BOT_HANDLE} add @ana 100 to begin with", group))
    await there.settled(there.say("ana", f"/tip@{BOT_HANDLE} @zoey 30", group))
    link = link_of(there.seen_in(group)[-1]).partition("=")[2]
    group.members[there.person("zoey").id] = "member"
    await there.settled(there.say("zoey", f"/start {link}"))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."


# --- whose name it is -------------------------------------------------------------------------------------------------


async def test_a_name_that_somebody_else_took_meanwhile_is_theirs(there, group):
    """All that the platform says is who goes by it now."""
    there.person("zoey")
    await left(there, group)
    there.person("zoey").handle = "zoey_two"
    there.person("yanis", handle="zoey")
    await there.settled(there.say("zoey", "hello", group))
    assert "is here now" not in texts(there, group)[-1]
    await there.settled(there.say("yanis", "hello", group))
    assert texts(there, group)[-1] == "yanis is here now and gets 30 coins that waited, from ana."


async def test_whoever_takes_the_name_after_they_were_seen_gets_it_too(there, group):
    there.person("zoey", handle=None)
    await there.settled(there.say("zoey", "hello", group))
    await left(there, group, "zoey_now")
    there.person("zoey").handle = "zoey_now"
    await there.settled(there.say("zoey", "hello again", group))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."


async def test_somebody_known_from_another_group_is_waited_for_in_this_one(there, group):
    elsewhere = there.group("elsewhere", owner="olga")
    await there.settled(there.say("zoey", "hello", elsewhere))
    shown = await left(there, group)
    assert shown.text == f"ana tipped zoey 30 coins.\nzoey {WAITS}"
    await there.settled(there.say("zoey", "hello", elsewhere))
    assert "is here now" not in there.seen_in(group)[-1].text
    await there.settled(there.say("zoey", "hello", group))
    assert texts(there, group)[-1] == "zoey is here now and gets 30 coins that waited, from ana."


async def test_who_left_is_not_waited_for(there, group):
    await there.settled(there.say("zoey", "hello", group))
    await there.settled(there.changes("zoey", group, "left"))
    await there.settled(there.say("ana", "/tip @zoey 5", group))
    assert (
        there.seen_in(group, by="ana")[-1].text
        == "zoey is not here any more. They can receive again once they are back."
    )


@pytest.mark.parametrize("handle", ["some_bot", "FloriBOT", "abc", "x" * 33])
async def test_what_can_be_no_persons_name_is_nobody(there, group, handle):
    """Fault 10."""
    await there.settled(there.say("ana", f"/tip @{handle} 5", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("I do not know ")


async def test_neither_bots_nor_channels_nor_what_was_forwarded_takes_it_up(there, group):
    """Fault 75."""
    await left(there, group)
    robo = there.person("robo", handle="zoey", is_bot=True)
    await there.settled(there.say("robo", "hello", group))
    robo.handle = "robo"
    forwarded = {"type": "hidden_user", "sender_user_name": "somebody", "date": 1}
    await there.settled(there.say("zoey", "hello", group, forward_origin=forwarded))
    await there.settled(there.say("zoey", "hello", group, anonymous=True))
    assert not any("is here now" in shown.text for shown in there.shown)


async def test_a_blocked_or_kicked_bot_changes_nothing_about_the_coins(there, group):
    """Faults 76 and 85."""
    await left(there, group)
    group.members[there.person("zoey").id] = "member"
    update = there.say("zoey", "hello", group)
    group.members[BOT_ID] = "kicked"
    await there.settled(update)
    group.members[BOT_ID] = "administrator"
    assert await coins_of(there, "zoey", group) == "You have 30 coins."


async def test_gifts_wait_for_nobody_and_say_so(there, group):
    await there.settled(there.say("ana", "/gift rose @zoey", group))
    assert there.seen_in(group, by="ana")[-1].text == (
        "zoey was not seen here yet, and only a tip to them alone waits for them. They count once they have joined or "
        "said something."
    )


async def test_a_name_with_markup_in_it_arrives_as_it_is(there, group):
    """Fault 13: an @name has no markup; what its owner is called may."""
    await left(there, group)
    there.person("<b>Zoë</b> & *co*", handle="zoey")
    await there.settled(there.say("<b>Zoë</b> & *co*", "hello", group))
    assert texts(there, group)[-1] == "<b>Zoë</b> & *co* is here now and gets 30 coins that waited, from ana."


async def test_a_group_that_becomes_a_supergroup_takes_what_waits_along(there, bot):
    """Fault 74."""
    small = there.group("lobby", owner="ana", small=True)
    await there.settled(there.say("ana", "/coins add @ana 100 to begin with", small))
    link = link_of(await left(there, small)).partition("=")[2]
    large = there.group("lobby", owner="ana")
    small.moved_to = large.id
    await there.settled(there.say("ana", "", small, migrate_to_chat_id=large.id))
    large.members[there.person("zoey").id] = "member"
    await there.settled(there.say("zoey", f"/start {link}"))
    assert texts(there, large)[-1] == "zoey is here now and gets 30 coins that waited, from ana."
