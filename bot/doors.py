"""Opens the doors to the platforms whose tokens are set, and serves there. Heavy: imported by who serves."""

from __future__ import annotations

import asyncio

from adapters.contract import Adapter
from adapters.telegram.door import API, Line, TelegramDoor
from adapters.telegram.intake import Webhook
from bot.app import Florin, SystemClock, open_florin
from bot.settings import Environment, Telegram


def doors_of(environment: Environment, florin: Florin) -> list[Adapter]:
    """The doors to every platform whose token is set."""
    doors: list[Adapter] = []
    if environment.telegram.token is not None:
        doors.append(
            TelegramDoor(telegram_line(environment.telegram), florin.conversation, florin.memory_of("telegram"))
        )
    return doors


def telegram_line(telegram: Telegram) -> Line:
    """How the environment says that Telegram is reached. Only where a token is set."""
    if telegram.token is None:
        raise ValueError("no token is set")
    webhook = None
    if telegram.webhook is not None and telegram.webhook_secret is not None:
        host, _, port = telegram.webhook_listen.rpartition(":")
        secret = telegram.webhook_secret.get_secret_value()
        webhook = Webhook(url=telegram.webhook, host=host.strip("[]"), port=int(port), secret=secret)
    return Line(
        token=telegram.token.get_secret_value(),
        operators=frozenset(int(each) for each in telegram.operators.split(",") if each.strip()),
        webhook=webhook,
        api_url=telegram.api_url or API,
        file_url=telegram.file_url or API,
    )


async def serve(environment: Environment) -> None:
    """Serves at every door until cancelled. Raises DoorError where one cannot be opened."""
    async with open_florin(environment.address, SystemClock()) as florin:
        doors = doors_of(environment, florin)
        running = [asyncio.create_task(door.run()) for door in doors]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # What is under way is finished, also where another door failed.
            await asyncio.gather(*(door.close() for door in doors))
            await asyncio.gather(*running, return_exceptions=True)
