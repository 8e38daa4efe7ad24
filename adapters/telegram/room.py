"""What everything that hears Telegram works with, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct
from telegram import Bot

from adapters.contract import CommandSpec, Conversation, Memory
from adapters.telegram.acquaintance import Acquaintance
from adapters.telegram.posting import Postman
from adapters.telegram.standing import Rights
from adapters.telegram.titles import Titles

ACTS_MAX: Final = 20_000

LARGEST_SUPERGROUP: Final = -1_000_000_000_000
"""Supergroups have ids from here down."""


class Me(Struct, frozen=True):
    """The bot itself. `sees_all`: no privacy mode, so it sees every message of every group."""

    id: int
    handle: str
    sees_all: bool


class Turns:
    """What one person does is done in its order; what was done is not done again."""

    def __init__(self) -> None:
        self._lanes: dict[int, asyncio.Lock] = {}
        self._wanted: dict[int, int] = {}
        self._acts: OrderedDict[str, None] = OrderedDict()

    @asynccontextmanager
    async def of(self, user_id: int) -> AsyncIterator[None]:
        """One thing after the other for each person."""
        self._wanted[user_id] = self._wanted.get(user_id, 0) + 1
        lane = self._lanes.setdefault(user_id, asyncio.Lock())
        try:
            async with lane:
                yield
        finally:
            self._wanted[user_id] -= 1
            if not self._wanted[user_id]:
                del self._wanted[user_id], self._lanes[user_id]

    def is_first(self, act: str) -> bool:
        """Whether an act was not heard before, by this process; from now on it was."""
        if act in self._acts:
            return False
        self._acts[act] = None
        if len(self._acts) > ACTS_MAX:
            self._acts.popitem(last=False)
        return True


class Room(Struct, frozen=True):
    """Who the bot is, whom it speaks through, and what it knows."""

    me: Me
    bot: Bot
    conversation: Conversation
    memory: Memory
    rights: Rights
    titles: Titles
    acquaintance: Acquaintance
    postman: Postman
    specs: tuple[CommandSpec, ...]
    turns: Turns

    async def now_at(self, chat_id: int) -> int:
        """The id that a group has now: only groups that are no supergroups yet ever get another."""
        if chat_id <= LARGEST_SUPERGROUP:
            return chat_id
        found = await self.memory.get("moved", str(chat_id))
        return chat_id if found is None else int(found)
