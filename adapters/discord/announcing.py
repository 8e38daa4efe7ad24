"""Messages that nobody asked for: announcements, what staff does, and words to an owner."""

from __future__ import annotations

from typing import Final

import discord
import structlog

from adapters.contract import Delivery, Reply, Told, translatable
from adapters.discord.rendering import rendered
from adapters.discord.sending import BrokenLine, new

NEEDED: Final = {"view_channel": "View Channel", "send_messages": "Send Messages"}
"""What it takes to write in a channel, in Discord's words."""

UNKNOWN_CHANNEL: Final = 10003
ELSEWHERE: Final = translatable("a channel of this server")
CHANNEL_GONE: Final = translatable("the channel itself: it is gone")

_log = structlog.get_logger("adapters.discord")


async def tell(client: discord.Client, guild_id: int, channel_id: int, reply: Reply, nonce: str) -> Told:
    """Writes into a channel of the server."""
    if _is_elsewhere(client, guild_id, channel_id):
        return Told(Delivery.REFUSED, ELSEWHERE)
    channel = client.get_partial_messageable(channel_id, guild_id=guild_id)
    try:
        await channel.send(nonce=nonce, **new(rendered(reply)))
    except (discord.Forbidden, discord.NotFound) as error:
        needed = CHANNEL_GONE if error.code == UNKNOWN_CHANNEL else missing(client, channel_id)
        return Told(Delivery.REFUSED, needed)
    except (discord.HTTPException, *BrokenLine) as error:
        _log.info("told later", channel=channel_id, error=type(error).__name__)
        return Told(Delivery.LATER)
    return Told(Delivery.TOLD)


def _is_elsewhere(client: discord.Client, guild_id: int, channel_id: int) -> bool:
    """Whether we see the channel, and see it in another server or in none. Discord itself would let us write there."""
    channel = client.get_channel(channel_id)
    guild = getattr(channel, "guild", None)
    return channel is not None and (guild is None or guild.id != guild_id)


def missing(client: discord.Client, channel_id: int) -> str:
    """The permissions that we lack in a channel, as far as we can see; all that it takes where we see nothing."""
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel):
        return ", ".join(NEEDED.values())
    ours = channel.permissions_for(channel.guild.me)
    lacking = [called for name, called in NEEDED.items() if not getattr(ours, name)]
    return ", ".join(lacking or NEEDED.values())


async def tell_directly(client: discord.Client, user_id: int, reply: Reply) -> None:
    """Writes to somebody, if they take it."""
    try:
        user = discord.Object(user_id)
        channel = await client.create_dm(user)
        await channel.send(**new(rendered(reply)))
    except (discord.HTTPException, *BrokenLine) as error:
        _log.info("not told", user=user_id, error=type(error).__name__)
