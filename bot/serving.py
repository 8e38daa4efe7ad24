"""Opens the doors that have a token, and serves until told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import discord

from adapters.contract import Adapter, CommandSpec, DoorError
from adapters.discord.checking import look
from adapters.discord.door import Door
from adapters.discord.found import DiscordState
from adapters.discord.settings import DiscordSettings
from adapters.telegram.door import API, Line, TelegramDoor
from adapters.telegram.examining import look as look_on_telegram
from adapters.telegram.found import TelegramState
from adapters.telegram.intake import Webhook
from bot.app import Florin, SystemClock, open_florin, places_of
from bot.command_line import Stop
from bot.commands.registry import specs
from bot.doctor import StoreState
from bot.relay import Relay
from bot.settings import Environment, shards_of
from bot.wording import Words, languages, translations_of
from economy.settings import Feature, Settings

GROUPS_MAX = 20
"""How many groups the doctor asks about."""


def discord_settings(environment: Environment, *, reactions: bool = False) -> DiscordSettings | None:
    """What the Discord door is told; None where it has no token. `reactions`: whether any community uses them."""
    told = environment.discord
    if told.token is None:
        return None
    return DiscordSettings(
        token=told.token.get_secret_value(),
        api_url=told.api_url,
        gateway_url=told.gateway_url,
        members_intent=told.members_intent,
        text_commands=told.text_commands,
        reactions=reactions,
        shards=None if told.shards is None else shards_of(told.shards),
    )


def telegram_line(environment: Environment) -> Line | None:
    """How Telegram is reached; None where it has no token."""
    told = environment.telegram
    if told.token is None:
        return None
    webhook = None
    if told.webhook is not None and told.webhook_secret is not None:
        host, _, port = told.webhook_listen.rpartition(":")
        secret = told.webhook_secret.get_secret_value()
        webhook = Webhook(url=told.webhook, host=host.strip("[]"), port=int(port), secret=secret)
    return Line(
        token=told.token.get_secret_value(),
        operators=frozenset(int(each) for each in told.operators.split(",") if each.strip()),
        webhook=webhook,
        api_url=told.api_url or API,
        file_url=told.file_url or API,
    )


def doors_of(environment: Environment, florin: Florin, *, reactions: bool = False) -> list[Adapter]:
    """A door for each platform that has a token. `reactions`: whether any community uses them."""
    doors: list[Adapter] = []
    if (on_discord := discord_settings(environment, reactions=reactions)) is not None:
        doors.append(
            Door(on_discord, florin.conversation, florin.memory_of(Door.platform), florin.bots_of(Door.platform))
        )
    if (on_telegram := telegram_line(environment)) is not None:
        platform = TelegramDoor.platform
        doors.append(
            TelegramDoor(on_telegram, florin.conversation, florin.memory_of(platform), florin.bots_of(platform))
        )
    return doors


async def look_at_discord(environment: Environment) -> DiscordState:
    """What Discord says of the bot, for `florin doctor`."""
    settings = discord_settings(environment)
    return (
        DiscordState(problem="no token is set") if settings is None else await look(settings, specs(), translations_of)
    )


async def look_at_telegram(environment: Environment, store: StoreState) -> TelegramState:
    """What Telegram says of the bot, and of the groups it was in last, for `florin doctor`."""
    line = telegram_line(environment)
    if line is None:
        return TelegramState(problem="no token is set")
    checkup = store.checkup
    usable = checkup is not None and checkup.revision == checkup.head
    places = await places_of(environment.address, TelegramDoor.platform, GROUPS_MAX) if usable else []
    groups = [int(place.native_id) for place in places]
    return await look_on_telegram(line, groups, specs(), _help_of, languages())


def _help_of(spec: CommandSpec, locale: str) -> str:
    return Words(locale, Settings()).text(spec.help)


async def serve(environment: Environment) -> None:
    """Serves until cancelled, or until a door cannot go on. Raises Stop with the reason."""
    async with open_florin(environment.address, SystemClock(), environment.listen) as florin:
        reactions = await florin.economy.reads.is_on_anywhere(Feature.REACTIONS)
        doors = doors_of(environment, florin, reactions=reactions)
        relay = Relay(
            florin.outbox, florin.economy.reads, {door.platform: door for door in doors}, florin.economy.clock
        )
        florin.on_commit(relay.wake)
        running = [asyncio.create_task(door.run(), name=type(door).__name__) for door in doors]
        relaying = asyncio.create_task(relay.run(), name="relay")
        try:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            relaying.cancel()
            for door in doors:
                await door.close()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(relaying, *running, return_exceptions=True)
        for task in running:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise Stop(told(error)) from None


def told(error: BaseException) -> str:
    """Why a door does not open, for the operator."""
    match error:
        case DoorError():
            return str(error)
        case discord.LoginFailure():
            return "Discord does not take FLORIN_DISCORD__TOKEN: copy the bot's token again, or reset it there."
        case discord.PrivilegedIntentsRequired():
            return (
                "Discord does not give this bot the members intent: switch the Server Members Intent on for it in the"
                " developer portal, or unset FLORIN_DISCORD__MEMBERS_INTENT."
            )
        case discord.DiscordException() | OSError():
            return f"Discord could not be reached ({type(error).__name__})."
        case _:
            raise error
