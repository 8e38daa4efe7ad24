"""Reactions under messages, and one message under each that lists what came of them."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import Final

import discord
import structlog
from msgspec import Struct

from adapters.contract import Conversation, Reply, Visibility
from adapters.discord.announcing import tell_directly
from adapters.discord.hearing import identity_of, place_of, sighting_of
from adapters.discord.rendering import rendered
from adapters.discord.sending import NOBODY, BrokenLine, new
from economy.service import Sighting

LISTS_MAX: Final = 2_000
LINES_MAX: Final = 15
"""Tips in one list; the next begins another."""

_log = structlog.get_logger("adapters.discord")


class _List(Struct):
    """What a message of ours lists, under a message of somebody's."""

    lock: asyncio.Lock
    message_id: int | None = None
    lines: list[str] = []


class Reactions:
    """Hears what people think of messages. Discord says with each whose message it is."""

    def __init__(self, client: discord.Client, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._lists: OrderedDict[int, _List] = OrderedDict()

    async def added(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody reacted. Emoji of a server's own have no character, and do nothing."""
        member, author = event.member, event.message_author_id
        if event.guild_id is None or member is None or author is None or not event.emoji.is_unicode_emoji():
            return
        # Named by the message, the person and the emoji: taken away and put back it is the same act.
        emoji = event.emoji.name
        sign = "-".join(f"{ord(character):x}" for character in emoji.replace("\ufe0f", ""))
        act = f"discord:reaction:{event.message_id}:{event.user_id}:{sign}"
        wrote = Sighting(identity_of(author), str(author))
        reply = await self._conversation.reacted(place_of(event.guild_id), sighting_of(member), wrote, emoji, act)
        if reply is None:
            return
        if reply.visibility is not Visibility.PUBLIC:
            await tell_directly(self._client, event.user_id, reply)
            return
        try:
            await self._list(event.channel_id, event.message_id, reply, act)
        except (discord.HTTPException, *BrokenLine) as error:
            # The coins moved: whoever got them finds it in their history.
            _log.info("reaction not told", channel=event.channel_id, error=type(error).__name__)

    async def _list(self, channel_id: int, message_id: int, reply: Reply, act: str) -> None:
        there = self._lists.setdefault(message_id, _List(asyncio.Lock()))
        if len(self._lists) > LISTS_MAX:
            self._lists.popitem(last=False)
        channel = self._client.get_partial_messageable(channel_id)
        async with there.lock:
            line = rendered(reply).content or ""
            if there.message_id is not None and len(there.lines) < LINES_MAX:
                content = "\n".join((*there.lines, line))
                try:
                    await channel.get_partial_message(there.message_id).edit(content=content, allowed_mentions=NOBODY)
                except discord.NotFound:
                    # Somebody removed it: begin another.
                    there.message_id = None
                else:
                    there.lines.append(line)
                    return
            # Discord takes a message once under one nonce.
            nonce = hashlib.sha256(act.encode()).hexdigest()[:24]
            under = discord.MessageReference(message_id=message_id, channel_id=channel_id, fail_if_not_exists=False)
            sent = await channel.send(nonce=nonce, reference=under, **new(rendered(reply)))
            there.message_id, there.lines = sent.id, [line]
