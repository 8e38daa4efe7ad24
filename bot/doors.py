"""Opens the doors to the platforms whose tokens are set, and serves there. Heavy: imported by who serves."""

from __future__ import annotations

import asyncio

from adapters.contract import Adapter
from adapters.telegram.door import API, Line, TelegramDoor
from adapters.telegram.examining import TelegramState, look
from adapters.telegram.intake import Webhook
from adapters.telegram.rendering import PLATFORM
from bot.app import Florin, SystemClock, open_florin, places_of
from bot.commands.registry import specs
from bot.doctor import StoreState
from bot.settings import Environment, Telegram
from bot.wording import SOURCE_LOCALE, Words
from economy.settings import Settings

GROUPS_MAX = 20
"""How many groups the doctor asks about."""


def doors_of(environment: Environment, florin: Florin) -> list[Adapter]:
    """The doors to every platform whose token is set."""
    doors: list[Adapter] = []
    if environment.telegram.token is not None:
        doors.append(TelegramDoor(telegram_line(environment.telegram), florin.conversation, florin.memory_of(PLATFORM)))
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


async def telegram_state(environment: Environment, store: StoreState) -> TelegramState:
    """What `florin doctor` tells of Telegram: of the bot, and of the groups it was in last."""
    usable = store.exists and store.problem is None and store.revision == store.head
    places = await places_of(environment.address, PLATFORM, GROUPS_MAX) if usable else []
    words = Words(SOURCE_LOCALE, Settings())
    return await look(
        telegram_line(environment.telegram),
        [int(place.native_id) for place in places],
        specs(),
        lambda spec, _locale: words.text(spec.help),
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
