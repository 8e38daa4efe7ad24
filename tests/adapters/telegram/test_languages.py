"""Menus and answers in another language, once there is a catalogue of it."""

from pathlib import Path

import pytest

from adapters.telegram.examining import look
from adapters.telegram.menus import menus
from bot import wording
from bot.commands.registry import specs
from tests.support.languages import TAG, write_language
from tests.support.telegram import Telegram
from tests.support.telegram_town import line_to, serving

SCOPES = ("all_private_chats", "all_group_chats", "all_chat_administrators")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_language(tmp_path)
    monkeypatch.setattr(wording, "LOCALES", tmp_path)
    return tmp_path


async def test_menus_are_put_up_in_each_language(there: Telegram, bot):
    """Rows of every scope, under Telegram's code of the language; without a code for everybody else."""
    await there.until(lambda: len(there.menus) == 2 * len(SCOPES))
    for scope in SCOPES:
        translated, source = there.menus[scope, TAG], there.menus[scope, ""]
        assert [each["command"] for each in translated] == [each["command"] for each in source]
        assert all(each["description"].startswith("«") for each in translated)
        assert not any("«" in each["description"] for each in source)


async def test_the_doctor_looks_at_every_languages_menus(there: Telegram, bot):
    await there.until(lambda: len(there.menus) == 2 * len(SCOPES))
    talk = bot.florin.conversation
    found = await look(line_to(there), [], talk.specs(), talk.help_of, talk.languages())
    assert found.menus_kept
    there.menus[SCOPES[0], TAG] = there.menus[SCOPES[0], ""]
    found = await look(line_to(there), [], talk.specs(), talk.help_of, talk.languages())
    assert not found.menus_kept


async def test_of_two_regions_of_a_language_one_is_telegrams(there, address, clock, folder):
    """It knows languages of two letters and no regions, nor those of three."""
    for tag in ("pt_BR", "pt_PT", "fil"):
        write_language(folder, tag)
    wording._languages.cache_clear()
    async with serving(there, address, clock):
        await there.until(lambda: len(there.menus) == 3 * len(SCOPES))
    assert {code for _, code in there.menus} == {"", "de", "pt"}


async def test_each_reads_what_is_theirs_in_their_own_language(there: Telegram, bot):
    group = there.group("lobby", owner="ana")
    there.person("bo", language="de")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("bo", "/balance", group))
    assert there.seen_in(group, by="bo")[-1].text.startswith("«")
    await there.settled(there.say("ana", "/balance", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("You have")
    await there.settled(there.say("ana", "/settings language de", group))
    await there.settled(there.say("ana", "/gifts", group))
    assert "«" in there.seen_in(group)[-1].text


def test_no_menu_is_longer_than_telegram_takes():
    for scope, commands in menus(specs(), lambda spec, _: spec.help * 3, "en"):
        assert scope.type in SCOPES
        assert all(len(command.description) <= 100 for command in commands)
