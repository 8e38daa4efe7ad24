"""What groups are called, where a message does not say so itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from telegram import Bot
from telegram.error import TelegramError

from adapters.telegram.logs import log, problem_of

FRESH_S: Final = 600.0
KEPT_MAX: Final = 10_000


class Titles:
    """Asks Telegram, at most once in a while for each group."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: OrderedDict[int, tuple[float, str]] = OrderedDict()

    async def of(self, chat_id: int) -> str:
        """A group's title; empty where Telegram does not say."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(chat_id)
        if known is not None and now - known[0] < FRESH_S:
            return known[1]
        try:
            title = (await self._bot.get_chat(chat_id)).title or ""
        except TelegramError as problem:
            log.info("title unknown", chat=chat_id, problem=problem_of(problem))
            return ""
        self._known[chat_id] = (now, title)
        self._known.move_to_end(chat_id)
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        return title
