"""What an unfinished command could become, asked of the whole conversation over a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import Invocation
from economy.values import Role
from tests.bot.talk import LOBBY, Talk, person, talking


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """ana owns the lobby; bo and bob are members."""
    async with talking(tmp_path) as talk:
        await talk.join("ana", "bo", "bob")
        await talk.appoint("ana", Role.OWNER)
        yield talk


async def completed(talk: Talk, name: str, command: str, *words: str) -> list[str]:
    return await talk.florin.conversation.complete(
        Invocation(act=talk.act(), person=person(name), place=LOBBY, command=command, words=words)
    )


async def test_a_command_is_completed_by_its_beginning(talk):
    assert (await completed(talk, "bo", "ti"))[0] == "tip"
    assert "balance" in await completed(talk, "bo", "ba")


async def test_what_is_for_staff_is_offered_to_staff(talk):
    assert "coins" in await completed(talk, "ana", "coi")
    assert "coins" not in await completed(talk, "bo", "coi")
    assert await completed(talk, "ana", "coins", "") == ["add", "remove", "set"]


async def test_what_is_off_is_not_offered(talk):
    await talk.say("ana", "/features gifts off")
    assert "gift" not in await completed(talk, "bo", "gi")


async def test_members_are_offered_where_one_is_meant(talk):
    assert set(await completed(talk, "ana", "tip", "@b")) == {"@bo", "@bob"}
    assert "@bo" in await completed(talk, "ana", "gift", "rose", "")
    assert "@bob" in await completed(talk, "ana", "tip", "@bo", "@")


async def test_gifts_choices_and_settings_are_offered(talk):
    assert await completed(talk, "ana", "gift", "bou") == ["bouquet"]
    assert "split" in await completed(talk, "ana", "tip", "@bo", "sp")
    assert "creators" in await completed(talk, "ana", "top", "")
    assert "creator_share" in await completed(talk, "ana", "settings", "creator_s")


async def test_nothing_is_offered_where_nothing_is_known(talk):
    assert await completed(talk, "ana", "nonsense", "") == []
    assert await completed(talk, "ana", "daily", "x") == []


async def test_at_most_25_are_offered(talk):
    await talk.join(*(f"member{number}" for number in range(40)))
    assert len(await completed(talk, "ana", "tip", "@member")) == 25
