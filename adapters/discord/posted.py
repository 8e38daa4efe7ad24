"""Which public messages told of which receipts, as far as this process remembers: an undo is told there, too."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import discord
import structlog
from msgspec import Struct

from adapters.contract import Reply, Visibility
from adapters.discord.rendering import CONTENT_MAX, rendered
from adapters.discord.sending import NOBODY, BrokenLine, Ready
from economy.service import Place

REMEMBERED_MAX: Final = 10_000

_log = structlog.get_logger("adapters.discord")


class Posted(Struct, frozen=True):
    """Where a receipt was told, and how."""

    channel_id: int
    message_id: int
    reply: Reply


class PostedMessages:
    """Receipts by place; the oldest are forgotten first."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._posted: OrderedDict[tuple[Place, str], Posted] = OrderedDict()

    def remember(self, place: Place, reply: Reply, channel_id: int | None, message_id: int | None) -> None:
        """A public reply about a receipt was posted."""
        if reply.mark is None or message_id is None or channel_id is None:
            return
        if reply.visibility is not Visibility.PUBLIC:
            return
        self._posted[place, reply.mark] = Posted(channel_id, message_id, reply)
        if len(self._posted) > REMEMBERED_MAX:
            self._posted.popitem(last=False)

    async def take_back(self, place: Place, reply: Reply) -> None:
        """Strikes through what told of the receipt that a reply takes the place of; never raises."""
        mark = reply.replaced_mark
        told = self._posted.pop((place, mark), None) if mark is not None else None
        content = rendered(told.reply).content if told is not None else None
        if told is None or not content:
            return
        lines = [f"~~{line}~~" for line in content.split("\n") if line]
        struck = "\n".join([*lines, *(rendered(reply).content or "").split("\n")])[:CONTENT_MAX]
        channel = self._client.get_partial_messageable(told.channel_id)
        try:
            message = channel.get_partial_message(told.message_id)
            await message.edit(content=struck, view=Ready([], is_layout=False), allowed_mentions=NOBODY)
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("not edited", error=type(error).__name__)
