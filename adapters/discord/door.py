"""The door: what happens on Discord goes to the conversation, and its replies come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final

import discord
import structlog

from adapters.contract import (
    Bots,
    Conversation,
    Delivery,
    Memory,
    Reply,
    Told,
    must_be_ours,
)
from adapters.discord.acts import Acts
from adapters.discord.announcing import tell, tell_directly
from adapters.discord.answering import DEFER_AFTER_S
from adapters.discord.client import Client
from adapters.discord.commands import Commands
from adapters.discord.hearing import (
    place_of,
    sighting_of,
)
from adapters.discord.messages import Messages
from adapters.discord.posted import PostedMessages
from adapters.discord.presses import Presses
from adapters.discord.reacting import Reactions
from adapters.discord.sending import BrokenLine
from adapters.discord.settings import PLATFORM, DiscordSettings
from adapters.discord.strands import Strands
from adapters.discord.syncing import commands_payload, sync
from economy.service import Place

FINISH_WITHIN_S: Final = 5.0
"""How long what is being answered may take when the door closes."""
_log = structlog.get_logger("adapters.discord")


class Door:
    """Discord, as an adapter of the contract."""

    platform = PLATFORM

    def __init__(
        self,
        settings: DiscordSettings,
        conversation: Conversation,
        memory: Memory | None = None,
        bots: Bots | None = None,
        *,
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._settings = settings
        self._conversation = conversation
        self._bots = bots
        self._working = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._has_started = False
        self.client = Client(settings, self)
        posted = PostedMessages(self.client, memory)
        strands = Strands(self.client, memory)
        self._acts = Acts(conversation, posted, strands, defer_after_s)
        self._commands = Commands(self._acts)
        self._presses = Presses(self._acts)
        self._messages = Messages(self.client, conversation, posted, strands)
        self._reactions = Reactions(self.client, conversation)

    async def run(self) -> None:
        """Serves until closed. Raises discord.LoginFailure for a token that Discord does not take."""
        async with self.client:
            await self.client.start(self._settings.token)

    async def close(self) -> None:
        """Closes, after whatever is being answered was answered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self._idle.wait()
        await self.client.close()

    async def _finish(self, work: Awaitable[None]) -> None:
        """Does something that closing waits for."""
        self._working += 1
        self._idle.clear()
        try:
            await work
        finally:
            self._working -= 1
            if not self._working:
                self._idle.set()

    # --- coming up --------------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        """Logged in, and not yet connected: whoever runs the bot is known from here on, and so are its commands. Raises
        DoorError where the store is another bot's."""
        application = self.client.application
        if application is not None and self._bots is not None:
            ours = str(application.id)
            must_be_ours(PLATFORM, ours, await self._bots.claim(ours))
        if application is not None:
            self._acts.operators = operators_of(application)
        payload = commands_payload(self._acts.tree, self._conversation.specs())
        try:
            if await sync(self.client, payload):
                _log.info("commands told", commands=len(payload))
        except (discord.HTTPException, *BrokenLine) as error:
            # It has those of the last start, and what it has is served; the next start tells it again.
            _log.warning("commands not told", error=type(error).__name__, status=getattr(error, "status", None))
        self._has_started = True

    # --- interactions -----------------------------------------------------------------------------------------------

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self._finish(self._heard(interaction))

    async def _heard(self, interaction: discord.Interaction[Any]) -> None:
        match interaction.type:
            case discord.InteractionType.application_command:
                await self._commands.on_command(interaction)
            case discord.InteractionType.component:
                await self._presses.on_press(interaction)
            case discord.InteractionType.modal_submit:
                await self._commands.on_form(interaction)
            case discord.InteractionType.autocomplete:
                await self._commands.on_typing(interaction)
            case _:
                pass

    # --- what nobody asked for ------------------------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        """Whether anything can be sent: the library takes nothing before it has logged in, nor after it was closed."""
        return self._has_started and not self.client.is_closed()

    async def tell(self, place: Place, channel: str, reply: Reply, *, nonce: str) -> Told:
        """Tells something in a channel, later where the door is not open; the same nonce again is seen once. Never
        raises."""
        if not self._is_open:
            return Told(Delivery.LATER)
        return await tell(self.client, int(place.native_id), int(channel), reply, nonce)

    async def warn(self, place: Place, reply: Reply) -> None:
        """Tells whoever owns the server something directly; never raises."""
        guild = self.client.get_guild(int(place.native_id)) if self._is_open else None
        if guild is not None and guild.owner_id is not None:
            await tell_directly(self.client, guild.owner_id, reply)

    # --- messages, coming and going ---------------------------------------------------------------------------------

    async def on_message(self, message: discord.Message) -> None:
        await self._finish(self._messages.heard(message, self._acts.operators))

    async def on_reaction(self, event: discord.RawReactionActionEvent) -> None:
        await self._finish(self._reactions.added(event))

    async def on_came(self, member: discord.Member) -> None:
        act = f"discord:came:{member.guild.id}:{member.id}:{_stamp(member)}"
        await self._conversation.came(place_of(member.guild.id), sighting_of(member), act)

    async def on_went(self, guild_id: int, user: discord.User | discord.Member) -> None:
        act = f"discord:went:{guild_id}:{user.id}:{time.time_ns()}"
        person = sighting_of(user, present=False)
        await self._conversation.went(place_of(guild_id), person, act)


def operators_of(application: discord.AppInfo) -> frozenset[int]:
    """Whoever runs the bot: the application's owner, or of a team its owner and administrators. Others of the team may
    look at the application, and answer for no coins."""
    team = application.team
    if team is None:
        return frozenset({application.owner.id})
    administrators = {
        member.id
        for member in team.members
        if member.membership_state is discord.TeamMembershipState.accepted
        and member.role is discord.TeamMemberRole.admin
    }
    owner = set() if team.owner_id is None else {team.owner_id}
    return frozenset(administrators | owner)


def _stamp(member: discord.Member) -> int:
    """When they came, in microseconds: the same event told twice is one act."""
    return int(member.joined_at.timestamp() * 1_000_000) if member.joined_at else 0
