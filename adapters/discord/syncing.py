"""The commands that Discord has, and telling it of ours."""

from __future__ import annotations

from typing import Any

import discord
from discord.http import Route

from adapters.contract import CommandSpec
from adapters.discord.forms import menu_payload
from adapters.discord.tree import Tree, in_sync


def commands_payload(tree: Tree, specs: tuple[CommandSpec, ...]) -> list[Any]:
    """All that Discord is told of: commands and menus."""
    return [*tree.payload(), *menu_payload(specs, tree.translated)]


async def commands_there(client: discord.Client, application_id: int) -> list[Any]:
    """What Discord has, in every language: without being asked for those it leaves them out."""
    route = Route("GET", "/applications/{application_id}/commands", application_id=application_id)
    found: list[Any] = await client.http.request(route, params={"with_localizations": "true"})
    return found


async def sync(client: discord.Client, ours: list[Any]) -> bool:
    """Tells Discord of the commands where it has others; whether that was so."""
    application_id = client.application_id or 0
    if in_sync(ours, await commands_there(client, application_id)):
        return False
    await client.http.bulk_upsert_global_commands(application_id, payload=ours)
    return True
