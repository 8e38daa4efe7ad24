"""Florin with one door, in a process of its own, as `florin run` has it.

`python -m tests.bench.served STORE discord API_URL GATEWAY_URL` (or `telegram API_URL TOKEN`) tells what it has used so
far whenever it is asked by a line, and ends with its input.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from adapters.contract import Adapter
from adapters.discord.door import Door
from adapters.discord.settings import DiscordSettings
from adapters.telegram.door import Line, TelegramDoor
from adapters.telegram.pacing import Limits
from bot.app import Florin, SystemClock, open_florin
from bot.collecting import collect_rarely
from bot.logs import configure
from bot.relay import Relay
from bot.settings import LogFormat, LogLevel
from tests.bench.arrivals import say
from tests.bench.parts import Counted, Parts

UNLIMITED = Limits(overall_per_s=10**9, chat_per_s=10**9, chat_at_once=10**6, group_per_minute=10**9)
"""Telegram would have thirty messages a second wait for their turn, and that is all that would be measured."""


def door_of(florin: Florin, parts: Parts, platform: str, where: Sequence[str]) -> Adapter:
    conversation = Counted(parts, florin.conversation)
    if platform == "discord":
        api_url, gateway_url = where
        settings = DiscordSettings(token="test-token", api_url=api_url, gateway_url=gateway_url)
        return Door(settings, conversation, florin.memory_of(Door.platform))
    api_url, token = where
    line = Line(token=token, api_url=api_url, file_url=api_url, limits=UNLIMITED, poll_s=2)
    return TelegramDoor(line, conversation, florin.memory_of(TelegramDoor.platform))


async def serve(address: str, platform: str, where: Sequence[str]) -> None:
    parts = Parts()
    parts.install()
    async with open_florin(address, SystemClock()) as florin:
        door = door_of(florin, parts, platform, where)
        relay = Relay(florin.outbox, florin.economy.reads, {platform: door}, florin.economy.clock)
        florin.on_commit(relay.wake)
        running = [asyncio.create_task(door.run()), asyncio.create_task(relay.run())]
        try:
            while await asyncio.to_thread(sys.stdin.readline):
                say(parts.spent(os.getpid()))
        finally:
            running[1].cancel()
            await door.close()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*running, return_exceptions=True)


if __name__ == "__main__":
    configure(LogLevel.WARNING, LogFormat.TEXT)
    collect_rarely()
    asyncio.run(serve(sys.argv[1], sys.argv[2], sys.argv[3:]))
