"""What a door costs: an event in, an answer out, beside the bare library that answers the same words.

Both get the same frames of the Gateway, and both answers end where the library would put their bodies on the wire. The
conversation answers at once what was prepared: what a command costs, the other figures say.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import discord
from discord import app_commands
from discord.gateway import DiscordWebSocket

from adapters.contract import (
    Button,
    CommandSpec,
    Hint,
    Invocation,
    Line,
    Name,
    Plain,
    Pressed,
    Reply,
    Suggestion,
    Visibility,
)
from adapters.discord.door import Door
from adapters.discord.settings import DiscordSettings
from bot.commands.registry import specs
from economy.service import Identity, Place, Role, Sighting
from tests.adapters.discord.state import Guild, User, new_id
from tests.bench.bench import NO_STORE, Bench
from tests.bench.figures import Row, spread

DISCORD: Final = Row("Discord interaction in, reply out / bare discord.py, CPU", "x", 1.6, 1.3, least=False)
AT_ONCE: Final = 50


class Wire:
    """Where the library's requests leave: takes bodies as they would go out, and answers as Discord does."""

    def __init__(self) -> None:
        self.count = 0
        self.bodies: list[str] = []
        self.news = asyncio.Event()

    def request(self, method: str, url: str, *, data: str, **rest: Any) -> Wire:
        self.count += 1
        self.bodies.append(data)
        self.news.set()
        return self

    status = 200
    headers: Final[dict[str, str]] = {"content-type": "application/json"}

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def text(self, *, encoding: str) -> str:
        return _ANSWER

    async def close(self) -> None: ...


class Prompt:
    """A conversation that answers at once."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def say(self, invocation: Invocation) -> Reply:
        return self._reply

    async def press(self, pressed: Pressed) -> Reply:
        return self._reply

    async def heard(self, place: Place, person: Sighting, act: str) -> None: ...

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None: ...

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None: ...

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None: ...

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        return False

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None: ...

    async def uses_reactions(self, place: Place) -> bool:
        return False

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None: ...

    async def complete(self, invocation: Invocation) -> list[str]:
        return []

    async def suggest(self, invocation: Invocation, option: str) -> list[Suggestion]:
        return []

    def specs(self) -> tuple[CommandSpec, ...]:
        return specs()

    def hint(self, hint: Hint, locale: str, **values: str) -> Reply:
        return self._reply

    def languages(self) -> tuple[str, ...]:
        return ()

    def translated(self, text: str) -> Mapping[str, str]:
        return {}

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        return spec.help

    async def homes(self, person: Identity) -> list[Place]:
        return []

    async def moved(self, old: Place, new: Place) -> bool:
        return False


async def discord_door(bench: Bench) -> None:
    """The door beside the library alone, in interleaved rounds."""
    ana, bo, bot = User("ana"), User("bo"), User("Florin", is_bot=True)
    guild = Guild("lobby", ana)
    guild.join(bo)
    count = max(AT_ONCE, bench.sizes.orders // AT_ONCE * AT_ONCE)
    reply = _reply(bo)
    ratios, ours_us, bare_us = [], [], []
    async with _bare(guild, bot) as bare, _florin(guild, bot, reply) as florin:
        for round_ in range(bench.sizes.runs + 1):
            took = [await _cpu_us(client, guild, ana, bo, count) for client in (bare, florin)]
            if round_:  # the first one warms
                bare_us.append(took[0])
                ours_us.append(took[1])
                ratios.append(took[1] / took[0])
    detail = f"{spread(ours_us)} us beside {spread(bare_us)} us an interaction"
    bench.found(DISCORD, NO_STORE, ratios, detail)


@asynccontextmanager
async def _bare(guild: Guild, bot: User) -> AsyncIterator[discord.Client]:
    """What somebody would write who has read the library's first page."""
    client = discord.Client(intents=discord.Intents(guilds=True), allowed_mentions=discord.AllowedMentions.none())
    tree = app_commands.CommandTree(client)

    @tree.command(name="tip", description="Send coins")
    async def tip(
        interaction: discord.Interaction[discord.Client], to: discord.Member, amount: str, note: str | None = None
    ) -> None:
        await interaction.response.send_message(
            f"{interaction.user.display_name} tipped {to.mention} {amount} coins.",
            allowed_mentions=discord.AllowedMentions(users=[to]),
        )

    async with _ready(client, guild, bot):
        yield client


@asynccontextmanager
async def _florin(guild: Guild, bot: User, reply: Reply) -> AsyncIterator[discord.Client]:
    door = Door(DiscordSettings(token="test-bench"), Prompt(reply))
    async with _ready(door.client, guild, bot):
        yield door.client


@asynccontextmanager
async def _ready(client: discord.Client, guild: Guild, bot: User) -> AsyncIterator[None]:
    """A client as it is once it is connected."""
    async with client:
        state = client._connection
        client.http._HTTPClient__session = Wire()  # type: ignore[attr-defined]
        state.user = discord.ClientUser(state=state, data=bot.payload())  # type: ignore[arg-type]
        state._add_guild_from_data(guild.payload(bot))  # type: ignore[arg-type]
        yield


async def _cpu_us(client: discord.Client, guild: Guild, ana: User, bo: User, count: int) -> float:
    """CPU time for an interaction, in microseconds: from the Gateway's frame to the body of the answer."""
    frames = [
        json.dumps({"op": 0, "t": "INTERACTION_CREATE", "s": number, "d": _interaction(guild, ana, bo)})
        for number in range(1, count + 1)
    ]
    wire = client.http._HTTPClient__session = Wire()  # type: ignore[attr-defined]
    gateway = DiscordWebSocket(None, loop=asyncio.get_running_loop())  # type: ignore[arg-type]
    gateway.shard_id = 0
    gateway._discord_parsers = client._connection.parsers
    gateway._dispatch = client.dispatch
    began = time.process_time()
    for start in range(0, count, AT_ONCE):
        for frame in frames[start : start + AT_ONCE]:
            await gateway.received_message(frame)
        while wire.count < start + AT_ONCE:
            wire.news.clear()
            await wire.news.wait()
    took_s = time.process_time() - began
    said = {json.loads(body)["data"]["content"] for body in wire.bodies}
    if said != {f"ana tipped <@{bo.id}> 50 coins."}:
        raise RuntimeError(f"the answers are not what they should be: {said}")
    return took_s / count * 1e6


def _reply(bo: User) -> Reply:
    """A tip as the conversation tells it, with its buttons."""
    to = Identity("discord", str(bo.id))
    line = Line((Name("ana"), Plain(" tipped "), Name("bo", to), Plain(" 50 coins.")))
    return Reply(
        command="tip",
        outcome="tip",
        visibility=Visibility.PUBLIC,
        nodes=(line,),
        receipt="7H",
        pings=(to,),
        buttons=tuple(
            Button(label=label, data=data)
            for label, data in (("Thank", "t:7H"), ("My coins", "m:coins"), ("Undo", "a:1:undo 7H"))
        ),
    )


def _interaction(guild: Guild, ana: User, bo: User) -> dict[str, Any]:
    channel = next(iter(guild.channels.values()))
    number = new_id()
    options = [{"name": "to", "type": 9, "value": str(bo.id)}, {"name": "amount", "type": 3, "value": "50"}]
    member = guild.members[bo.id].payload(with_user=False) | {"permissions": "0"}
    return {
        "id": str(number),
        "application_id": "1",
        "type": 2,
        "data": {
            "id": "1",
            "name": "tip",
            "type": 1,
            "options": [{**option, "type": 6 if option["name"] == "to" else 3} for option in options],
            "resolved": {"users": {str(bo.id): bo.payload()}, "members": {str(bo.id): member}},
        },
        "token": f"token-{number}",
        "version": 1,
        "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
        "guild_id": str(guild.id),
        "guild_locale": "en-US",
        "channel": channel.payload() | {"permissions": "0"},
        "channel_id": str(channel.id),
        "member": guild.members[ana.id].payload() | {"permissions": "0"},
        "app_permissions": "0",
        "locale": "en-US",
        "entitlements": [],
        "authorizing_integration_owners": {"0": str(guild.id)},
        "context": 0,
        "attachment_size_limit": 10_485_760,
    }


_MESSAGE: Final[dict[str, Any]] = {
    "id": "2",
    "channel_id": "1",
    "author": User("Florin", is_bot=True).payload(),
    "content": "x",
    "timestamp": "2026-01-01T00:00:00.000000+00:00",
    "edited_timestamp": None,
    "tts": False,
    "mention_everyone": False,
    "mentions": [],
    "mention_roles": [],
    "attachments": [],
    "embeds": [],
    "pinned": False,
    "type": 0,
    "flags": 0,
    "components": [],
}
_ANSWER: Final = json.dumps(
    {
        "interaction": {"id": "1", "type": 2, "response_message_id": "2"},
        "resource": {"type": 4, "message": _MESSAGE},
    }
)
