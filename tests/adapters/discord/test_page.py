"""docs/discord-replies.md shows every command as it is."""

from __future__ import annotations

from pathlib import Path

from adapters.discord.found import PERMISSIONS, PERMISSIONS_NEEDED
from adapters.discord.tree import Tree
from bot.commands.registry import specs
from tests.adapters.discord.page import USES, page

DOCS = Path(__file__).parents[3] / "docs"
REPLIES = (DOCS / "discord-replies.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "discord.md").read_text(encoding="utf-8")


async def test_the_page_is_what_people_see() -> None:
    assert await page() == REPLIES, "run: python -m tests.adapters.discord.page > docs/discord-replies.md"


def test_the_page_misses_no_command() -> None:
    used = {command for _, command, _ in USES}
    assert used == {" ".join(path) for path in Tree(specs()).leaves}


def test_the_guide_names_the_permissions_and_their_number() -> None:
    assert f"permissions={PERMISSIONS_NEEDED}" in GUIDE
    assert all(called in " ".join(GUIDE.split()) for called in PERMISSIONS)
