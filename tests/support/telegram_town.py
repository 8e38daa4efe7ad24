"""The whole of it: a store, the conversation, the door to a Telegram on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from adapters.contract import Memory
from adapters.telegram.door import Line, TelegramDoor
from adapters.telegram.pacing import Limits
from bot.app import Florin, open_florin
from economy.service import Clock
from tests.support.telegram import TOKEN, Telegram

UNHURRIED = Limits(overall_per_s=100_000, chat_per_s=100_000, chat_at_once=1_000, group_per_minute=6_000_000)
"""No limits: for tests of something else."""


class Forgetful:
    """A memory that can be `away` for some kinds of things: then it raises what a store would."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.away: set[str] = set()

    def _reached(self, kind: str) -> Memory:
        if kind in self.away:
            raise OSError("the store is away")
        return self._memory

    async def get(self, kind: str, key: str) -> str | None:
        return await self._reached(kind).get(kind, key)

    async def put(self, kind: str, key: str, value: str, *, keep: timedelta) -> None:
        await self._reached(kind).put(kind, key, value, keep=keep)

    async def swap(self, kind: str, key: str, before: str | None, after: str, *, keep: timedelta) -> bool:
        return await self._reached(kind).swap(kind, key, before, after, keep=keep)

    async def drop(self, kind: str, key: str) -> None:
        await self._reached(kind).drop(kind, key)


@dataclass
class Opened:
    florin: Florin
    door: TelegramDoor
    memory: Forgetful


def line_to(there: Telegram, **more: Any) -> Line:
    short: dict[str, Any] = {"limits": UNHURRIED, "poll_s": 2, "lease": timedelta(seconds=3), "sweep_after_s": 0.05}
    return Line(token=TOKEN, api_url=there.url, file_url=there.url, **{**short, **more})


@asynccontextmanager
async def serving(there: Telegram, address: str, clock: Clock, **line: Any) -> AsyncIterator[Opened]:
    """The bot on the store at `address`, from its first question to Telegram until it is closed."""
    async with open_florin(address, clock) as florin:
        memory = Forgetful(florin.memory_of("telegram"))
        bots = florin.bots_of(TelegramDoor.platform)
        door = TelegramDoor(line_to(there, **line), florin.conversation, memory, bots)
        running = asyncio.create_task(door.run())
        ready = asyncio.create_task(door.ready.wait())
        await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            ready.cancel()
            running.result()
        try:
            yield Opened(florin, door, memory)
        finally:
            if not running.done():
                await door.close()
            await running
