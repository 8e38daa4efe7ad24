"""The door: what happens on Discord goes to the conversation, and its replies come back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Final

import discord
import msgspec
import structlog

from adapters.contract import (
    Conversation,
    Hint,
    Invocation,
    Mention,
    OptionKind,
    Pressed,
    Reply,
    Suggestion,
    Told,
    Visibility,
    Word,
)
from adapters.discord.announcing import tell, tell_directly
from adapters.discord.answering import DEFER_AFTER_S, Answering
from adapters.discord.client import Client
from adapters.discord.forms import FORM, Form, Menu, filled_in, form_payload, menu_of, menu_payload
from adapters.discord.hearing import (
    Facts,
    HeardError,
    Resolved,
    facts_of,
    locale_of,
    options_of,
    place_of,
    sighting_of,
    used,
)
from adapters.discord.messages import Messages
from adapters.discord.posted import PostedMessages
from adapters.discord.sending import BrokenLine
from adapters.discord.settings import PLATFORM, DiscordSettings
from adapters.discord.tree import Leaf, Tree, in_sync
from economy.service import Place, Role

LOOK: Final = "q:"
THANKS: Final = "t:"
AGAIN: Final = "a:"
FINISH_WITHIN_S: Final = 5.0
"""How long what is being answered may take when the door closes."""
FROM: Final = "g:"
"""Before any other, in direct messages: the place that the button means."""

_log = structlog.get_logger("adapters.discord")


class Door:
    """Discord, as an adapter of the contract."""

    platform = PLATFORM

    def __init__(
        self,
        settings: DiscordSettings,
        conversation: Conversation,
        *,
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._settings = settings
        self._conversation = conversation
        self._defer_after_s = defer_after_s
        self._operators: frozenset[int] = frozenset()
        self._working = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.tree = Tree(conversation.specs(), conversation.translated)
        self.client = Client(settings, self)
        self._posted = PostedMessages(self.client)
        self._messages = Messages(self.client, conversation, self._posted)

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
        """Logged in, and not yet connected: whoever runs the bot is known from here on, and so are its commands."""
        application = self.client.application
        if application is not None:
            team = application.team
            owners = [member.id for member in team.members] if team is not None else [application.owner.id]
            self._operators = frozenset(owners)
        await self.sync()

    async def sync(self) -> bool:
        """Tells Discord of the commands where it has others; whether that was so."""
        application_id = self.client.application_id or 0
        ours = commands_payload(self.tree, self._conversation)
        theirs = await self.client.http.get_global_commands(application_id)
        if in_sync(ours, theirs):
            return False
        await self.client.http.bulk_upsert_global_commands(application_id, payload=ours)
        _log.info("commands told", commands=len(ours))
        return True

    # --- interactions -----------------------------------------------------------------------------------------------

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        await self._finish(self._heard(interaction))

    async def _heard(self, interaction: discord.Interaction[Any]) -> None:
        match interaction.type:
            case discord.InteractionType.application_command:
                await self._on_command(interaction)
            case discord.InteractionType.component:
                await self._on_press(interaction)
            case discord.InteractionType.modal_submit:
                await self._on_form(interaction)
            case discord.InteractionType.autocomplete:
                await self._on_typing(interaction)
            case _:
                pass

    def _facts(self, interaction: discord.Interaction[Any]) -> Facts | Hint:
        """Who acts and where, or why nothing can come of it."""
        if interaction.guild_id is None:
            return Hint.ONLY_IN_PLACES
        if interaction.is_user_integration() and not interaction.is_guild_integration():
            return Hint.NOT_INSTALLED
        return facts_of(
            interaction.guild,
            interaction.guild_id,
            interaction.user,
            is_administrator=interaction.permissions.administrator,
            operators=self._operators,
            channel_id=interaction.channel_id,
            locale=locale_of(interaction.locale),
        )

    async def _hint(self, interaction: discord.Interaction[Any], hint: Hint) -> None:
        answering = Answering(interaction, Visibility.PRIVATE, defer_after_s=self._defer_after_s)
        await answering.give(self._conversation.hint(hint, locale_of(interaction.locale)))

    async def _on_command(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._facts(interaction)
        if isinstance(facts, Hint):
            await self._hint(interaction, facts)
            return
        data: Any = interaction.data
        if data["type"] != 1:
            await self._on_menu(interaction, facts, data)
            return
        use = used(data)
        leaf = self.tree.find(use.path)
        visibility = Visibility.PRIVATE if leaf is None or use.is_private else leaf.spec.visibility
        answering = Answering(interaction, visibility, defer_after_s=self._defer_after_s)
        if leaf is None:
            # An older release had it: the conversation says what there is instead.
            reply = await self._conversation.say(self._invocation(interaction, facts, " ".join(use.path)))
        else:
            reply = await self._used(interaction, facts, leaf, use.values, is_private=use.is_private)
        await self._give(answering, interaction, facts, reply)

    async def _give(
        self, answering: Answering, interaction: discord.Interaction[Any], facts: Facts, reply: Reply
    ) -> None:
        """Answers, and edits what the answer takes the place of."""
        message_id = await answering.give(reply)
        self._posted.remember(facts.place, reply, interaction.channel_id, message_id)
        await self._posted.take_back(facts.place, reply)

    async def _used(
        self,
        interaction: discord.Interaction[Any],
        facts: Facts,
        leaf: Leaf,
        values: dict[str, Any],
        *,
        is_private: bool = False,
    ) -> Reply:
        data: Any = interaction.data
        resolved = Resolved(data, interaction.guild)
        try:
            options = await options_of(leaf, values, resolved, interaction.guild, interaction.client)
        except HeardError as no:
            return self._conversation.hint(no.hint, facts.locale)
        invocation = self._invocation(interaction, facts, leaf.spec.name, options)
        if not is_private:
            return await self._conversation.say(invocation)
        reply = await self._conversation.say(msgspec.structs.replace(invocation, private=True))
        return msgspec.structs.replace(reply, visibility=Visibility.PRIVATE)

    def _invocation(
        self,
        interaction: discord.Interaction[Any],
        facts: Facts,
        command: str,
        options: dict[str, Word | tuple[Word, ...]] | None = None,
    ) -> Invocation:
        return Invocation(
            act=f"discord:interaction:{interaction.id}",
            person=facts.person,
            place=facts.place,
            command=command,
            options=options,
            standing=facts.standing,
            held=facts.held,
            channel=facts.channel,
            locale=facts.locale,
        )

    # --- what is still being typed ----------------------------------------------------------------------------------

    async def _on_typing(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._facts(interaction)
        data: Any = interaction.data
        use = used(data)
        leaf = self.tree.find(use.path)
        found: list[Suggestion] = []
        slot = leaf.slots.get(use.focused or "") if leaf is not None else None
        if leaf is not None and slot is not None and not isinstance(facts, Hint):
            options: dict[str, Word | tuple[Word, ...]] = {
                leaf.slots[name].option.name: str(value)
                for name, value in use.values.items()
                if name in leaf.slots and value is not None
            }
            invocation = self._invocation(interaction, facts, leaf.spec.name, options)
            found = await self._conversation.suggest(invocation, slot.option.name)
        choices = [discord.app_commands.Choice(name=each.label[:100], value=each.value[:100]) for each in found[:25]]
        try:
            await interaction.response.autocomplete(choices)
        except (discord.HTTPException, *BrokenLine) as error:
            # What was typed has changed already, and is asked again.
            _log.debug("not suggested", act=str(interaction.id), error=type(error).__name__)

    # --- menus and forms --------------------------------------------------------------------------------------------

    async def _on_menu(self, interaction: discord.Interaction[Any], facts: Facts, data: Any) -> None:
        menu = menu_of(str(data["name"]), int(data["type"]))
        leaf = None if menu is None else self.tree.find((menu.command,))
        target = _target_of(data)
        if menu is None or leaf is None or target is None:
            answering = Answering(interaction, Visibility.PRIVATE, defer_after_s=self._defer_after_s)
            name = str(data["name"]) if menu is None else menu.command
            await answering.give(await self._conversation.say(self._invocation(interaction, facts, name)))
            return
        await self._open_form(interaction, facts, menu, leaf, target)

    async def _open_form(
        self, interaction: discord.Interaction[Any], facts: Facts, menu: Menu, leaf: Leaf, target: str
    ) -> None:
        gifts: list[Suggestion] = []
        if any(option.kind is OptionKind.GIFT for option in leaf.spec.options):
            gifts = await self._conversation.suggest(self._invocation(interaction, facts, leaf.spec.name, {}), "gift")
        form = Form(form_payload(menu, leaf, target, gifts, self._conversation.translated, facts.locale))
        try:
            await interaction.response.send_modal(form)
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("form not opened", act=str(interaction.id), error=type(error).__name__)

    async def _on_form(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._facts(interaction)
        data: Any = interaction.data
        found = filled_in(data, self.tree) if str(data["custom_id"]).startswith(FORM) else None
        if isinstance(facts, Hint):
            await self._hint(interaction, facts)
            return
        if found is None:
            answering = Answering(interaction, Visibility.PRIVATE, defer_after_s=self._defer_after_s)
            name = str(data["custom_id"]).removeprefix(FORM)[:40]
            await answering.give(await self._conversation.say(self._invocation(interaction, facts, name)))
            return
        leaf, given = found
        answering = Answering(interaction, leaf.spec.visibility, defer_after_s=self._defer_after_s)
        resolved = Resolved(data, interaction.guild)
        options: dict[str, Word | tuple[Word, ...]] = {}
        for option in leaf.spec.options:
            values = given.get(option.name, [])
            if option.kind in (OptionKind.MEMBER, OptionKind.RECEIVERS):
                people = tuple(Mention(who) for value in values if (who := resolved.person(value)) is not None)
                options |= {option.name: people} if people else {}
            elif values:
                options[option.name] = values[0]
        reply = await self._conversation.say(self._invocation(interaction, facts, leaf.spec.name, options))
        await self._give(answering, interaction, facts, reply)

    # --- buttons ----------------------------------------------------------------------------------------------------

    async def _on_press(self, interaction: discord.Interaction[Any]) -> None:
        payload: Any = interaction.data
        data = str(payload["custom_id"])
        facts = self._facts(interaction)
        if isinstance(facts, Hint) and data.startswith(FROM):
            # From a direct message, which says where it was meant.
            place_id, _, data = data.removeprefix(FROM).partition("|")
            if place_id.isascii() and place_id.isdigit():
                facts = self._facts_in_private(interaction, int(place_id))
        if isinstance(facts, Hint):
            await self._hint(interaction, facts)
            return
        message = interaction.message
        is_asker = message is not None and _asker_of(message) == interaction.user.id
        is_private_message = message is not None and (message.flags.ephemeral or interaction.guild_id is None)
        takes_place = is_private_message or (is_asker and data.startswith(LOOK)) or data.startswith(THANKS)
        answering = Answering(interaction, Visibility.PRIVATE, changes=takes_place, defer_after_s=self._defer_after_s)
        pressed = Pressed(
            act=f"discord:interaction:{interaction.id}",
            person=facts.person,
            place=facts.place,
            data=data,
            standing=facts.standing,
            held=facts.held,
            channel=facts.channel,
            private=is_private_message,
            locale=facts.locale,
        )
        reply = await self._conversation.press(pressed)
        if reply.visibility is Visibility.PUBLIC and (reply.repeated or (is_private_message and data.startswith(LOOK))):
            # Everyone has seen it, or only this one asked. What was asked first may be gone by now.
            takes_place &= not reply.repeated
            reply = msgspec.structs.replace(reply, visibility=Visibility.PRIVATE)
        message_id = await self._show_pressed(
            answering, reply, data, message, takes_place=takes_place, private=is_private_message
        )
        self._posted.remember(facts.place, reply, interaction.channel_id, message_id)
        await self._posted.take_back(facts.place, reply)

    async def _show_pressed(
        self,
        answering: Answering,
        reply: Reply,
        data: str,
        message: discord.Message | None,
        *,
        takes_place: bool,
        private: bool,
    ) -> int | None:
        """Shows what a press came to where it belongs; the id of the public message that was made, if one was."""
        is_public = reply.visibility is Visibility.PUBLIC
        if data.startswith(THANKS) and is_public and message is not None:
            await answering.add(reply)
            return None
        if private and is_public:
            return await answering.replace_question(reply)
        if takes_place and (private or is_public):
            return await answering.give(reply, in_place=True)
        if data.startswith(AGAIN):
            # A command like any other, by the press of a button.
            return await answering.give(reply)
        # One's own, or somebody else's question: an answer by itself, for whoever pressed alone.
        return await answering.give(msgspec.structs.replace(reply, visibility=Visibility.PRIVATE))

    def _facts_in_private(self, interaction: discord.Interaction[Any], place_id: int) -> Facts:
        """Outside the server Discord says nothing of anyone's place in it, so nothing is attested."""
        return Facts(
            person=sighting_of(interaction.user, present=None),
            place=place_of(place_id),
            standing=frozenset({Role.OPERATOR}) if interaction.user.id in self._operators else frozenset(),
            held=frozenset(),
            channel=None,
            locale=locale_of(interaction.locale),
        )

    # --- what nobody asked for ------------------------------------------------------------------------------------

    async def tell(self, place: Place, channel: str, reply: Reply, *, nonce: str) -> Told:
        """Tells something in a channel; the same nonce again is seen once. Never raises."""
        return await tell(self.client, int(place.native_id), int(channel), reply, nonce)

    async def warn(self, place: Place, reply: Reply) -> None:
        """Tells whoever owns the server something directly; never raises."""
        guild = self.client.get_guild(int(place.native_id))
        if guild is not None and guild.owner_id is not None:
            await tell_directly(self.client, guild.owner_id, reply)

    # --- messages, coming and going ---------------------------------------------------------------------------------

    async def on_message(self, message: discord.Message) -> None:
        await self._finish(self._messages.heard(message, self._operators))

    async def on_came(self, member: discord.Member) -> None:
        act = f"discord:came:{member.guild.id}:{member.id}:{_stamp(member)}"
        await self._conversation.came(place_of(member.guild.id), sighting_of(member), act)

    async def on_went(self, guild_id: int, user: discord.User | discord.Member) -> None:
        act = f"discord:went:{guild_id}:{user.id}:{time.time_ns()}"
        person = sighting_of(user, present=False)
        await self._conversation.went(place_of(guild_id), person, act)


def commands_payload(tree: Tree, conversation: Conversation) -> list[Any]:
    """All that Discord is told of: commands and menus."""
    return [*tree.payload(), *menu_payload(conversation.specs())]


def _target_of(data: Any) -> str | None:
    """Whom a menu was opened on: the member, or the message's author."""
    target = str(data.get("target_id"))
    message = ((data.get("resolved") or {}).get("messages") or {}).get(target)
    if int(data["type"]) == 2:
        return target
    return None if message is None else str(message["author"]["id"])


def _asker_of(message: discord.Message) -> int | None:
    """Whose command a message of ours answers."""
    if message.interaction_metadata is not None:
        return message.interaction_metadata.user.id
    answered = message.reference.resolved if message.reference is not None else None
    return answered.author.id if isinstance(answered, discord.Message) else None


def _stamp(member: discord.Member) -> int:
    """When they came, in microseconds: the same event told twice is one act."""
    return int(member.joined_at.timestamp() * 1_000_000) if member.joined_at else 0
