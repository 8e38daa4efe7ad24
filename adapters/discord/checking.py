"""What `florin doctor` asks of Discord: few questions, and nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import discord
from discord.http import Route

from adapters.contract import CommandSpec
from adapters.discord.client import lead_to
from adapters.discord.found import DiscordState, GuildState, lacking
from adapters.discord.sending import BrokenLine
from adapters.discord.settings import DiscordSettings
from adapters.discord.syncing import commands_payload, commands_there
from adapters.discord.tree import Translated, Tree, in_sync

GUILDS_PAGE: Final = 200
_MEMBERS_FLAGS: Final = 1 << 14 | 1 << 15
"""The members intent, as Discord grants it to large bots and to small ones."""


async def look(
    settings: DiscordSettings, specs: Sequence[CommandSpec], translated: Translated = lambda _: {}
) -> DiscordState:
    """Asks Discord. Never raises for what Discord or the line may say."""
    lead_to(settings)
    client = discord.Client(intents=discord.Intents.none())
    try:
        async with client:
            await client.login(settings.token)
            return await _found(client, settings, specs, translated)
    except discord.LoginFailure:
        return DiscordState(problem="Discord does not take the token: copy it again, or reset it there")
    except (discord.HTTPException, *BrokenLine) as error:
        return DiscordState(problem=f"Discord could not be asked ({type(error).__name__})")


async def _found(
    client: discord.Client, settings: DiscordSettings, specs: Sequence[CommandSpec], translated: Translated
) -> DiscordState:
    application = client.application
    if application is None or client.user is None:
        return DiscordState(problem="Discord did not say whose token this is")
    ours = commands_payload(Tree(specs, translated), tuple(specs))
    theirs = await commands_there(client, application.id)
    return DiscordState(
        name=client.user.name,
        application_id=application.id,
        has_members_intent=bool(application.flags.value & _MEMBERS_FLAGS),
        wants_members_intent=settings.members_intent,
        commands_in_sync=in_sync(ours, theirs),
        interactions_go_elsewhere=application.interactions_endpoint_url is not None,
        guilds=tuple(await _guilds(client)),
    )


async def _guilds(client: discord.Client) -> list[GuildState]:
    """All servers, with what the bot may do there by its roles."""
    found: list[GuildState] = []
    after = "0"
    while True:
        route = Route("GET", "/users/@me/guilds")
        page: list[dict[str, Any]] = await client.http.request(route, params={"limit": GUILDS_PAGE, "after": after})
        found += [GuildState(str(guild["name"]), lacking(int(guild["permissions"]))) for guild in page]
        if len(page) < GUILDS_PAGE:
            return found
        after = str(page[-1]["id"])
