"""What is said in a group and in private, as people of Telegram say it."""

import pytest

from tests.support.telegram import Group, Telegram


@pytest.fixture
async def group(there: Telegram, bot) -> Group:
    """Where ana owns the group and has 50 coins, and bo has spoken."""
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group), there.say("ana", "/daily", group))
    there.shown.clear()
    return group


async def test_a_tip_is_told_in_the_group(there, group):
    await there.settled(there.say("ana", "/tip @bo 5 well done", group))
    [shown] = there.seen_in(group)
    assert shown.text == 'ana tipped bo 5 coins.\n"well done"'
    assert shown.entities == [{"type": "a", "offset": 11, "length": 2, "url": f"tg://user?id={there.people['bo'].id}"}]
