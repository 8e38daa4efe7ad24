"""Opens the doors that have a token, and serves until told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import discord

from adapters.contract import Adapter, Conversation
from adapters.discord.checking import look
from adapters.discord.door import Door
from adapters.discord.found import DiscordState
from adapters.discord.settings import DiscordSettings
from bot.app import SystemClock, open_florin
from bot.command_line import Stop
from bot.commands.registry import specs
from bot.relay import Relay
from bot.settings import Environment, shards_of
from bot.wording import translations_of


def discord_settings(environment: Environment) -> DiscordSettings | None:
    """What the Discord door is told; None where it has no token."""
    told = environment.discord
    if told.token is None:
        return None
    return DiscordSettings(
        token=told.token.get_secret_value(),
        api_url=told.api_url,
        gateway_url=told.gateway_url,
        members_intent=told.members_intent,
        text_commands=told.text_commands,
        shards=None if told.shards is None else shards_of(told.shards),
    )


def doors_of(environment: Environment, conversation: Conversation) -> list[Adapter]:
    """A door for each platform that has a token."""
    on_discord = discord_settings(environment)
    return [] if on_discord is None else [Door(on_discord, conversation)]


async def look_at_discord(environment: Environment) -> DiscordState:
    """What Discord says of the bot, for `florin doctor`."""
    settings = discord_settings(environment)
    return (
        DiscordState(problem="no token is set") if settings is None else await look(settings, specs(), translations_of)
    )


async def serve(environment: Environment) -> None:
    """Serves until cancelled, or until a door cannot go on. Raises Stop with the reason."""
    async with open_florin(environment.address, SystemClock()) as florin:
        doors = doors_of(environment, florin.conversation)
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
