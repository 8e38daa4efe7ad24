"""Which public messages told of which receipts: an undo is told there, too. What another process posted, or this one
before it was started anew, is found by the memory, and its words are read from Discord."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import Final

import discord
import structlog
from msgspec import Struct

from adapters.contract import Memory, Reply, Visibility
from adapters.discord.rendering import CONTENT_MAX, rendered
from adapters.discord.sending import NOBODY, BrokenLine, Ready
from economy.service import Place

REMEMBERED_MAX: Final = 10_000
KEPT_FOR: Final = timedelta(days=30)
"""Whoever takes back what is older finds no message of it; what it told of is taken back all the same."""

_log = structlog.get_logger("adapters.discord")


class Posted(Struct, frozen=True):
    """Where a receipt was told, and in which words."""

    channel_id: int
    message_id: int
    content: str


class PostedMessages:
    """Receipts by place; the oldest are forgotten first. Without a memory, those of other processes are not found."""

    def __init__(self, client: discord.Client, memory: Memory | None = None) -> None:
        self._client = client
        self._memory = memory
        self._posted: OrderedDict[tuple[Place, str], Posted] = OrderedDict()

    async def remember(self, place: Place, reply: Reply, channel_id: int | None, message_id: int | None) -> None:
        """A public reply about a receipt was posted. Never raises."""
        if reply.mark is None or message_id is None or channel_id is None:
            return
        if reply.visibility is not Visibility.PUBLIC:
            return
        self._posted[place, reply.mark] = Posted(channel_id, message_id, rendered(reply).content or "")
        if len(self._posted) > REMEMBERED_MAX:
            self._posted.popitem(last=False)
        if self._memory is None:
            return
        try:
            # Where alone: what people wrote is kept in one place, from which it can be removed.
            await self._memory.put("receipt", _key(place, reply.mark), f"{channel_id}:{message_id}", keep=KEPT_FOR)
        except Exception as error:  # noqa: BLE001  # the message is there, whether or not it can be found again
            _log.info("message not remembered", error=type(error).__name__)

    async def take_back(self, place: Place, reply: Reply) -> None:
        """Strikes through what told of the receipt that a reply takes the place of; never raises."""
        mark = reply.replaced_mark
        if mark is None:
            return
        try:
            told = self._posted.pop((place, mark), None) or await self._found(place, mark)
            if told is not None and told.content:
                await self._strike(told, rendered(reply).content or "")
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("not edited", error=type(error).__name__)

    async def _strike(self, told: Posted, instead: str) -> None:
        lines = [f"~~{line}~~" for line in told.content.split("\n") if line]
        struck = "\n".join([*lines, *instead.split("\n")])[:CONTENT_MAX]
        message = self._client.get_partial_messageable(told.channel_id).get_partial_message(told.message_id)
        await message.edit(content=struck, view=Ready([], is_layout=False), allowed_mentions=NOBODY)

    async def _found(self, place: Place, receipt: str) -> Posted | None:
        """What another process posted, as it stands there now."""
        if self._memory is None:
            return None
        try:
            where = await self._memory.get("receipt", _key(place, receipt))
        except Exception as error:  # noqa: BLE001  # the memory is away: the undo is told by itself alone
            _log.info("message not found", error=type(error).__name__)
            return None
        channel_id, _, message_id = (where or "").partition(":")
        if not (channel_id.isdigit() and message_id.isdigit()):
            return None
        message = await self._client.get_partial_messageable(int(channel_id)).fetch_message(int(message_id))
        # Once struck through it is taken back already.
        content = "" if message.content.startswith("~~") else message.content
        return Posted(message.channel.id, message.id, content)


def _key(place: Place, receipt: str) -> str:
    return f"{place.native_id}:{receipt}"
