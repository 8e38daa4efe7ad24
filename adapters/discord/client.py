"""The library's client: what Discord tells it goes to the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.settings import DiscordSettings

_log = structlog.get_logger("adapters.discord")


class Listener(Protocol):
    """Who is told."""

    async def on_start(self) -> None: ...

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None: ...

    async def on_message(self, message: discord.Message) -> None: ...

    async def on_came(self, member: discord.Member) -> None: ...

    async def on_went(self, guild_id: int, user: discord.User | discord.Member) -> None: ...

    async def on_reaction(self, event: discord.RawReactionActionEvent) -> None: ...


def intents_of(settings: DiscordSettings) -> discord.Intents:
    """What Discord is asked to tell: servers, and beyond them only what is used. None of it needs Discord's leave,
    save for the members intent, which is off unless the operator turns it on."""
    return discord.Intents(
        guilds=True,
        guild_messages=settings.text_commands,
        members=settings.members_intent,
        guild_reactions=settings.reactions,
    )


class Client(discord.AutoShardedClient):
    """A client that keeps no messages and no members: everything it needs comes with the act itself."""

    def __init__(self, settings: DiscordSettings, listener: Listener) -> None:
        shards: Mapping[str, Any] = {}
        if settings.shards is not None:
            mine, count = settings.shards
            shards = {"shard_ids": list(mine), "shard_count": count}
        lead_to(settings)
        # Nothing is said aloud here, so nothing is missing for it.
        discord.VoiceClient.warn_nacl = False
        discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=intents_of(settings),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            enable_debug_events=False,
            **shards,
        )
        self._listener = listener

    async def setup_hook(self) -> None:
        await self._listener.on_start()

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self._listener.on_interaction(interaction)

    async def on_message(self, message: discord.Message) -> None:
        await self._listener.on_message(message)

    async def on_member_join(self, member: discord.Member) -> None:
        await self._listener.on_came(member)

    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        await self._listener.on_went(payload.guild_id, payload.user)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await self._listener.on_reaction(payload)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        # Without what came with it: that holds what people wrote.
        _log.error("failed", event_name=event_method, exc_info=True)


def lead_to(settings: DiscordSettings) -> None:
    """Where the library finds Discord: the library keeps that for the whole process."""
    Route.BASE = f"{settings.api_url}/api/v10" if settings.api_url else "https://discord.com/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url or "wss://gateway.discord.gg/")
