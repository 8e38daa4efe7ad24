"""What Discord is told of the commands, within its limits."""

from __future__ import annotations

import copy
import json

import pytest

from adapters.contract import CommandSpec, Option, OptionKind, Visibility
from adapters.discord.forms import MENUS, MENUS_MAX, form_payload, menu_payload
from adapters.discord.tree import MANAGE_GUILD, MODERATE_MEMBERS, Tree, in_sync
from bot.commands.registry import specs
from tests.adapters.discord import schema
from tests.adapters.discord.checks import check_commands, check_form
from tests.adapters.discord.rest import _given_back

PAYLOAD = [*Tree(specs()).payload(), *menu_payload(specs())]
BY_NAME = {command["name"]: command for command in PAYLOAD}


def options(name: str) -> dict[str, dict]:
    return {option["name"]: option for option in BY_NAME[name]["options"]}


def test_discord_takes_all_of_it() -> None:
    check_commands(copy.deepcopy(PAYLOAD))
    problem = schema.problem("PUT /applications/{application_id}/commands", PAYLOAD)
    assert problem is None, problem


def test_every_command_is_there_and_every_option_of_it() -> None:
    for leaf in Tree(specs()).leaves.values():
        command = BY_NAME[leaf.path[0]]
        if len(leaf.path) == 2:
            command = next(option for option in command["options"] if option["name"] == leaf.path[1])
        there = {option["name"] for option in command["options"]}
        assert {option.name for option in leaf.spec.options} <= there
        assert ("private" in there) == (leaf.spec.visibility is Visibility.PUBLIC)


def test_a_command_with_others_below_it_is_shown() -> None:
    tree = Tree(specs())
    for name in ("creator", "chest", "words", "roles"):
        leaf = tree.find((name, "show"))
        assert leaf is not None
        assert leaf.spec.name == name


def test_a_name_that_would_be_there_twice_is_found_at_once() -> None:
    made = [CommandSpec(name=name, topic="x", help="x") for name in ("a", "a show")]
    with pytest.raises(ValueError, match="show"):
        Tree(made)


def test_options_are_typed_and_bounded() -> None:
    assert options("tip")["to"]["type"] == 9
    assert options("tip")["to_5"]["type"] == 6
    assert options("tip")["note"]["max_length"] == 128
    assert (options("gift")["count"]["type"], options("gift")["count"]["min_value"]) == (4, 1)
    assert [choice["value"] for choice in options("tip")["how"]["choices"]] == ["each", "split"]
    assert options("gift")["gift"]["autocomplete"]
    add = {option["name"]: option for option in options("coins")["add"]["options"]}
    assert (add["file"]["type"], add["amount"]["min_value"], add["amount"]["max_value"]) == (11, 0, 2**53 - 1)


def test_staffs_commands_are_seen_by_whoever_may_moderate_the_server() -> None:
    """Fault 110: a first look only; the rules decide, always."""
    seen_with = {name: command.get("default_member_permissions") for name, command in BY_NAME.items()}
    assert seen_with["coins"] == seen_with["audit"] == seen_with["freeze"] == MODERATE_MEMBERS
    assert seen_with["catalogue"] == MANAGE_GUILD
    assert seen_with["tip"] is seen_with["roles"] is seen_with["settings"] is None


def test_everything_is_for_servers_alone() -> None:
    for command in PAYLOAD:
        assert (command["contexts"], command["integration_types"]) == ([0], [0])


def test_translations_reach_discord_by_its_own_tags() -> None:
    def translated(text: str) -> dict[str, str]:
        return {"pt": f"[pt] {text}", "de": "x" * 200, "eo": text} if text.startswith("Send coins") else {}

    tip = next(each for each in Tree(specs(), translated).payload() if each["name"] == "tip")
    assert tip["description_localizations"] == {
        "pt-BR": "[pt] Send coins from your wallet to one or more members.",
        "de": "x" * 99 + "…",
    }
    check_commands([tip])


def test_what_discord_has_is_recognised_and_any_difference_too() -> None:
    theirs = [_given_back(command, 1) for command in json.loads(json.dumps(PAYLOAD))]
    assert in_sync(PAYLOAD, theirs)
    assert not in_sync(PAYLOAD, theirs[1:])
    assert not in_sync(PAYLOAD[1:], theirs)
    for change in (
        lambda tip: tip.update(description="other"),
        lambda tip: tip["options"][0].update(required=False),
        lambda tip: tip["options"].reverse(),
        lambda tip: tip.update(default_member_permissions="32"),
        lambda tip: tip.update(contexts=[0, 1]),
    ):
        changed = copy.deepcopy(theirs)
        change(next(each for each in changed if each["name"] == "tip"))
        assert not in_sync(PAYLOAD, changed)


def test_forms_fit() -> None:
    tree = Tree(specs())
    for kind in (2, 3):
        assert sum(menu.kind == kind for menu in MENUS) <= MENUS_MAX
    for menu in MENUS:
        leaf = tree.find((menu.command,))
        assert leaf is not None
        check_form(form_payload(menu, leaf, "5", [], lambda _: {}, "en"))


def test_every_kind_of_option_has_a_type() -> None:
    made = tuple(Option(name=f"o{kind.value}", kind=kind, required=False, help="x") for kind in OptionKind)
    payload = Tree([CommandSpec(name="all", topic="x", help="x", options=made)]).payload()
    check_commands(payload)
    assert schema.problem("PUT /applications/{application_id}/commands", payload) is None
