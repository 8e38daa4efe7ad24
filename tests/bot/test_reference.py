"""The pages in docs/ say what is: each is compared with what it describes."""

import re
from pathlib import Path

import pytest

from bot.commands.registry import specs
from bot.reference import FIELDS, PAGES, WHAT
from bot.settings import variable_names
from economy.refusals import Code
from economy.rules.permissions import WHO_MAY, Right
from economy.settings import SETTINGS, Feature
from economy.values import Role

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def rows(name: str) -> list[list[str]]:
    """The cells of every table on a page, row by row."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page(name).splitlines()
        if line.startswith("|")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_it_was_made_from(name):
    assert page(name) == PAGES[name](), f"run: python -m bot.reference {name} > docs/{name}.md"


def test_every_command_has_a_line_in_the_docs():
    told = page("commands")
    for spec in specs():
        assert f"### `/{spec.name}" in told
        assert spec.help in told
        assert spec.help.endswith("."), spec.name
        assert all(option.help for option in spec.options), spec.name


def test_every_command_tells_its_fields():
    same = {"show", "unblock", "unfreeze"}
    assert {spec.name.partition(" ")[0] for spec in specs()} - same == FIELDS.keys()


def test_every_refusal_is_listed_once():
    listed = [row[0].strip("`") for row in rows("refusals") if row[0].startswith("`")]
    assert sorted(listed) == sorted(Code)


def test_the_one_table_of_who_may_do_what_is_the_rules_own():
    """Fault 108: what the docs promise is what the rules read."""
    heading, _, *table = rows("permissions")
    roles = [Role(name) for name in heading[1:]]
    told = {
        row[0]: frozenset(role for role, cell in zip(roles, row[1:], strict=True) if cell == "yes") for row in table
    }
    assert told == {WHAT[right]: WHO_MAY[right] for right in Right}


def test_every_setting_is_documented():
    told = {row[0].strip("`") for row in rows("settings")}
    assert SETTINGS.keys() | variable_names().keys() <= told
    assert all(f"`{feature}`" in page("settings") for feature in Feature)


def test_what_operating_tells_is_there():
    """Commands and settings that the operator's page names exist."""
    for name in re.findall(r"\bFLORIN_[A-Z_]+", page("operating")):
        assert name in variable_names()
