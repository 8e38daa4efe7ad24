"""Commands, menus, forms and answers in another language, once there is a catalogue of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.discord.syncing import commands_payload
from adapters.discord.tree import Tree, _by_locale
from bot import wording
from bot.commands.registry import specs
from bot.wording import translations_of
from tests.adapters.discord.checks import check_commands
from tests.adapters.discord.people import Seen
from tests.support.languages import OWN, TAG, marked, write_language


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_language(tmp_path)
    monkeypatch.setattr(wording, "LOCALES", tmp_path)
    return tmp_path


def options_of(command: dict[str, Any]) -> list[dict[str, Any]]:
    found = list(command.get("options") or ())
    return found + [inner for each in found for inner in options_of(each)]


async def test_all_that_discord_shows_of_commands_is_told_in_each_language(town, peer) -> None:
    slash = [command for command in peer.commands if command.get("type", 1) == 1]
    menus = [command for command in peer.commands if command.get("type", 1) != 1]
    for command in slash:
        for each in (command, *options_of(command)):
            assert each["description_localizations"][TAG].startswith("«"), each["name"]
            for choice in each.get("choices") or ():
                assert choice["name_localizations"][TAG] == marked(choice["name"])
    assert [menu["name_localizations"][TAG] for menu in menus] == [f"«{menu['name']}»" for menu in menus]


async def test_names_that_discord_takes_are_told_and_no_two_are_the_same(town, peer) -> None:
    named = {command["name"]: command.get("name_localizations", {}).get(TAG) for command in peer.commands}
    assert named["tip"] == OWN["tip"]
    assert sorted(filter(None, (named["gift"], named["daily"]))) == ["geschenk"], "one of the two alone"
    assert named["balance"] is None, "what stands between marks is no name"
    tip = next(command for command in peer.commands if command["name"] == "tip")
    options = {each["name"]: each.get("name_localizations") for each in tip["options"]}
    assert options["amount"] == {TAG: OWN["amount"]}


def test_what_is_told_in_many_languages_is_within_the_limits(folder) -> None:
    for tag in ("fr", "pt_BR", "es", "ja"):
        write_language(folder, tag)
    wording._languages.cache_clear()
    payload = commands_payload(Tree(specs(), translations_of), specs())
    check_commands(payload)
    tip = next(command for command in payload if command["name"] == "tip")
    assert set(tip["description_localizations"]) == {"de", "fr", "pt-BR", "es-ES", "es-419", "ja"}


def test_a_language_is_told_in_each_of_discords_regions_unless_one_has_its_own(folder) -> None:
    for tag in ("es", "pt_BR"):
        write_language(folder, tag)
    assert _by_locale({"es": "hola"}) == {"es-ES": "hola", "es-419": "hola"}
    assert _by_locale({"es_419": "qué tal", "es": "hola"}) == {"es-ES": "hola", "es-419": "qué tal"}
    assert _by_locale({"pt_BR": "oi", "pt": "olá"}) == {"pt-BR": "oi"}


@pytest.mark.parametrize(("told", "tag"), [("pt-BR", "pt_BR"), ("es-419", "es"), ("sv-SE", "sv")])
async def test_regions_read_the_language_that_their_menus_are_in(town, peer, folder, told, tag) -> None:
    write_language(folder, tag)
    bo = town.person("bo")
    interaction = await peer.interact(2, bo.user, bo.channel, bo.command_data("balance", {}), locale=told)
    assert all(line.startswith("«") for line in (await bo.sees(interaction)).lines)


async def test_each_reads_what_is_theirs_in_their_own_language(town, peer) -> None:
    bo = town.person("bo")
    data = bo.command_data("balance", {})
    interaction = await peer.interact(2, bo.user, bo.channel, data, locale="de")
    assert all(line.startswith("«") for line in (await bo.sees(interaction)).lines)
    assert not any("«" in line for line in (await bo.use("balance")).lines)
    await town.person("ana").use("settings", name="language", value="de")
    gift = await bo.use("gift", gift="rose", to=town.user("cy"))
    assert gift.text.startswith("«")
    assert all(label.startswith("«") for label in gift.labels)
    message = bo.channel.messages[int(gift.message["id"])]
    await bo.press(Seen(peer, message, town.guild), gift.labels[2])
    assert Seen(peer, message, town.guild).text.startswith("«")
