"""Who is who in a group: owners, administrators with and without a name, operators."""

import pytest

from adapters.telegram.standing import FRESH_S, Rights
from tests.support.telegram import BotApiError, Group, Person, Telegram
from tests.support.telegram_town import serving


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("mo", "hello", group))
    return group


async def answer(there: Telegram, name: str, text: str, group: Group, **more) -> str:
    before = len(there.shown)
    await there.settled(there.say(name, text, group, **more))
    return there.shown[before:][-1].text


async def test_whoever_owns_the_group_is_its_owner(there, group):
    assert await answer(there, "ana", "/settings currency_one star", group) == "currency_one is now star; it was coin."
    assert (await answer(there, "bo", "/settings currency_one star", group)).startswith("Only owners may do this.")


async def test_administrators_are_nothing_until_the_owner_says_so(there, group):
    """Fault 108"""
    await there.settled(there.changes("mo", group, "administrator"))
    assert (await answer(there, "mo", "/coins add @bo 5 for fun", group)).startswith("Only operators, owners")
    await answer(there, "ana", "/settings administrators moderator", group)
    assert await answer(there, "mo", "/coins add @bo 5 for fun", group) == "bo got 5 coins and has 5 now."


async def test_an_administrator_of_one_group_is_nothing_in_another(there, group):
    """Fault 105"""
    other = there.group("cafe", owner="bo")
    await there.settled(there.changes("mo", group, "administrator"))
    await answer(there, "ana", "/settings administrators moderator", group)
    await answer(there, "bo", "/settings administrators moderator", other)
    assert (await answer(there, "mo", "/coins add @bo 5 for fun", other)).startswith("Only operators, owners")


async def test_whoever_is_demoted_is_refused_at_once_where_telegram_tells(there, group):
    """Fault 104"""
    await there.settled(there.changes("mo", group, "administrator"))
    await answer(there, "ana", "/settings administrators moderator", group)
    assert "has 5 now" in await answer(there, "mo", "/coins add @bo 5 for fun", group)
    await there.settled(there.changes("mo", group, "member"))
    assert (await answer(there, "mo", "/coins add @bo 5 for fun", group)).startswith("Only operators, owners")


async def test_whoever_is_demoted_unseen_is_refused_within_a_minute(there, bot, group):
    """Fault 104"""
    seconds = [0.0]
    rights = Rights(bot.door._bot, (), lambda: seconds[0])
    mo = there.people["mo"]
    group.members[mo.id] = "administrator"
    assert await administers(rights, group, mo)
    group.members[mo.id] = "member"
    seconds[0] = FRESH_S - 1
    assert await administers(rights, group, mo)
    seconds[0] = FRESH_S
    assert not await administers(rights, group, mo)


async def administers(rights: Rights, group: Group, person: Person) -> bool:
    standing = await rights.of(group.id, person.id)
    return standing is not None and standing.administers


async def test_while_telegram_does_not_say_nobody_acts_as_staff(there, group):
    await there.settled(there.changes("mo", group, "administrator"))
    await answer(there, "ana", "/settings administrators moderator", group)

    def away():
        raise BotApiError(500, "Internal Server Error")

    await there.settled(there.changes("cy", group, "member"))
    for _ in range(3):
        there.fail("getChatAdministrators", away)
    await answer(there, "mo", "/coins add @bo 5 for fun", group)
    [shown] = there.seen_in(there.people["mo"].id)
    assert shown.text.startswith("I cannot find out just now who administers this place")


async def test_many_who_ask_at_once_ask_telegram_once(there, group):
    there.calls.clear()
    await there.settled(there.changes("cy", group, "member"))
    await there.settled(*(there.say("bo", "/gifts", group) for _ in range(10)))
    assert len(there.called("getChatAdministrators")) <= 2


async def test_operators_are_whom_the_environment_names(there, address, clock):
    group = there.group("lobby", owner="ana")
    operator = there.person("olga").id
    async with serving(there, address, clock, operators=frozenset({operator})):
        await there.settled(there.say("ana", "hello", group), there.say("olga", "hello", group))
        refused = await answer(there, "ana", "/coins add @ana 5 bought by card", group)
        assert refused.startswith("Only operators may do this.")
        granted = await answer(there, "olga", "/coins add @ana 5 bought by card", group)
        assert granted.startswith("ana got 5 coins")


async def test_a_group_that_gets_another_owner_is_theirs(there, group):
    """Fault 107"""
    group.members[there.people["ana"].id] = "member"
    await there.settled(there.changes("mo", group, "creator"))
    assert (await answer(there, "ana", "/settings currency_one star", group)).startswith("Only owners may do this.")
    assert await answer(there, "mo", "/settings currency_one star", group) == "currency_one is now star; it was coin."


STAFF_ONLY = ["/freeze @mo", "/audit", "/catalogue price rose 1", "/words add x", "/features gifts off"]


@pytest.mark.parametrize("command", STAFF_ONLY)
async def test_what_the_menu_does_not_show_is_refused_as_well(there, group, command):
    """Fault 110"""
    assert (await answer(there, "bo", command, group)).startswith("Only ")


# --- without a name ---------------------------------------------------------------------------------------------------


async def prove(there: Telegram, name: str, said: dict, group: Group) -> None:
    shown = there.seen_in(group)[-1]
    data = shown.button("It is me")["callback_data"]
    await there.settled(there.press_data(name, shown, data, reply_to=said["message"]))


async def test_an_anonymous_administrator_proves_who_they_are_and_stays_unnamed(there, group):
    """Faults 75 and 109"""
    group.anonymous.add(there.people["ana"].id)
    await there.settled(there.say("ana", "/coins add @ana 100 to begin with", group))
    said = there.say("ana", "/tip @bo 5", group, anonymous=True)
    await there.settled(said)
    assert there.seen_in(group)[-1].text.startswith("You write without your name")
    assert "tipped" not in "".join(shown.text for shown in there.seen_in(group))
    await prove(there, "ana", said, group)
    assert there.seen_in(group)[-1].text == "a moderator tipped bo 5 coins."
    assert not any("ana tipped" in shown.text for shown in there.shown)
    # The audit has the name.
    assert "ana" in await answer(there, "ana", "/audit kind:tip", group)


async def test_who_confirms_without_a_name_stays_unnamed(there, group):
    """Fault 109"""
    group.anonymous.add(there.people["ana"].id)
    await there.settled(there.say("ana", "/coins add @ana 5000 to begin with", group))
    said = there.say("ana", "/tip @bo 2000", group, anonymous=True)
    await there.settled(said)
    await prove(there, "ana", said, group)
    asked = next(shown for shown in reversed(there.shown) if "Confirm" in [each["text"] for each in shown.buttons])
    await there.settled(there.press("ana", asked, "Confirm"))
    told = next(shown for shown in there.seen_in(group) if "2,000" in shown.text and "tipped" in shown.text)
    assert told.text == "a moderator tipped bo 2,000 coins."
    assert not any("ana tipped" in shown.text for shown in there.shown)


async def test_nobody_else_proves_it(there, group):
    """Fault 109"""
    group.anonymous.add(there.people["ana"].id)
    said = there.say("ana", "/coins add @bo 100 for fun", group, anonymous=True)
    await there.settled(said)
    await there.settled(there.changes("mo", group, "administrator"))
    for name in ("bo", "mo"):
        await prove(there, name, said, group)
        assert there.alerts[-1] == (name, "This is for the administrator who wrote it without a name.", True)
    assert (await answer(there, "bo", "/balance", group)).startswith("You have 0 coins.")


async def test_proving_it_twice_acts_once(there, group):
    """Faults 25 and 109"""
    group.anonymous.add(there.people["ana"].id)
    said = there.say("ana", "/coins add @bo 100 for fun", group, anonymous=True)
    await there.settled(said)
    shown = there.seen_in(group)[-1]
    data = shown.button("It is me")["callback_data"]
    await there.settled(*(there.press_data("ana", shown, data, reply_to=said["message"]) for _ in range(3)))
    assert (await answer(there, "bo", "/balance", group)).startswith("You have 100 coins.")
