"""Opening the door to a Discord in tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from adapters.contract import Conversation, Memory
from adapters.discord.door import Door
from adapters.discord.settings import DiscordSettings
from tests.adapters.discord.peer import Peer


@asynccontextmanager
async def opened_door(
    peer: Peer, conversation: Conversation, memory: Memory | None = None, *, defer_after_s: float = 1.5, **settings
) -> AsyncIterator[Door]:
    """A door that is connected; closed on the way out."""
    chosen = DiscordSettings(token=peer.token, api_url=peer.url, gateway_url=peer.gateway_url, **settings)
    door = Door(chosen, conversation, memory, defer_after_s=defer_after_s)
    sessions = len(peer.gateway.sessions)
    shards = 1 if chosen.shards is None else len(chosen.shards[0])
    running = asyncio.create_task(door.run(), name="door")
    try:
        waiting = asyncio.ensure_future(peer.until(lambda: len(peer.gateway.sessions) == sessions + shards))
        done, _ = await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            waiting.cancel()
            await running
        await waiting
        yield door
    finally:
        await door.close()
        with suppress(asyncio.CancelledError):
            await running
