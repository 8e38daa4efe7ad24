"""Slash commands, what is suggested while they are typed, menus, and the forms that menus open."""

from __future__ import annotations

from typing import Any, Final

import discord
import msgspec
import structlog

from adapters.contract import Hint, Mention, OptionKind, Reply, Suggestion, Visibility, Word
from adapters.discord.acts import Acts
from adapters.discord.forms import FORM, Form, Menu, filled_in, form_payload, menu_of
from adapters.discord.hearing import Facts, HeardError, Resolved, options_of, used
from adapters.discord.sending import BrokenLine
from adapters.discord.tree import Leaf

SLASH: Final = 1
USER_MENU: Final = 2
"""Discord's types of commands."""

_log = structlog.get_logger("adapters.discord")


class Commands:
    """Hears commands in every form that Discord has for them."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    async def on_command(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._acts.facts(interaction)
        if isinstance(facts, Hint):
            await self._acts.hint(interaction, facts)
            return
        data: Any = interaction.data
        if data["type"] != SLASH:
            await self._on_menu(interaction, facts, data)
            return
        use = used(data)
        leaf = self._acts.tree.find(use.path)
        visibility = Visibility.PRIVATE if leaf is None or use.is_private else leaf.spec.visibility
        answering = self._acts.answering(interaction, visibility)
        if leaf is None:
            # An older release had it: the conversation says what there is instead.
            reply = await self._acts.conversation.say(self._acts.invocation(interaction, facts, " ".join(use.path)))
        else:
            reply = await self._used(interaction, facts, leaf, use.values, is_private=use.is_private)
        await self._acts.give(answering, interaction, facts, reply)

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
            return self._acts.conversation.hint(no.hint, facts.locale)
        invocation = self._acts.invocation(interaction, facts, leaf.spec.name, options)
        if not is_private:
            return await self._acts.conversation.say(invocation)
        reply = await self._acts.conversation.say(msgspec.structs.replace(invocation, private=True))
        return msgspec.structs.replace(reply, visibility=Visibility.PRIVATE)

    # --- what is still being typed ----------------------------------------------------------------------------------

    async def on_typing(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._acts.facts(interaction)
        data: Any = interaction.data
        use = used(data)
        leaf = self._acts.tree.find(use.path)
        found: list[Suggestion] = []
        slot = leaf.slots.get(use.focused or "") if leaf is not None else None
        if leaf is not None and slot is not None and not isinstance(facts, Hint):
            options: dict[str, Word | tuple[Word, ...]] = {
                leaf.slots[name].option.name: str(value)
                for name, value in use.values.items()
                if name in leaf.slots and value is not None
            }
            invocation = self._acts.invocation(interaction, facts, leaf.spec.name, options)
            found = await self._acts.conversation.suggest(invocation, slot.option.name)
        choices = [discord.app_commands.Choice(name=each.label[:100], value=each.value[:100]) for each in found[:25]]
        try:
            await interaction.response.autocomplete(choices)
        except (discord.HTTPException, *BrokenLine) as error:
            # What was typed has changed already, and is asked again.
            _log.debug("not suggested", act=str(interaction.id), error=type(error).__name__)

    # --- menus and forms --------------------------------------------------------------------------------------------

    async def _on_menu(self, interaction: discord.Interaction[Any], facts: Facts, data: Any) -> None:
        menu = menu_of(str(data["name"]), int(data["type"]))
        leaf = None if menu is None else self._acts.tree.find((menu.command,))
        target = _target_of(data)
        if menu is None or leaf is None or target is None:
            answering = self._acts.answering(interaction, Visibility.PRIVATE)
            name = str(data["name"]) if menu is None else menu.command
            await answering.give(await self._acts.conversation.say(self._acts.invocation(interaction, facts, name)))
            return
        await self._open_form(interaction, facts, menu, leaf, target)

    async def _open_form(
        self, interaction: discord.Interaction[Any], facts: Facts, menu: Menu, leaf: Leaf, target: str
    ) -> None:
        gifts: list[Suggestion] = []
        if any(option.kind is OptionKind.GIFT for option in leaf.spec.options):
            unfinished = self._acts.invocation(interaction, facts, leaf.spec.name, {})
            gifts = await self._acts.conversation.suggest(unfinished, "gift")
        form = Form(form_payload(menu, leaf, target, gifts, self._acts.conversation.translated, facts.locale))
        try:
            await interaction.response.send_modal(form)
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("form not opened", act=str(interaction.id), error=type(error).__name__)

    async def on_form(self, interaction: discord.Interaction[Any]) -> None:
        facts = self._acts.facts(interaction)
        data: Any = interaction.data
        found = filled_in(data, self._acts.tree) if str(data["custom_id"]).startswith(FORM) else None
        if isinstance(facts, Hint):
            await self._acts.hint(interaction, facts)
            return
        if found is None:
            answering = self._acts.answering(interaction, Visibility.PRIVATE)
            name = str(data["custom_id"]).removeprefix(FORM)[:40]
            await answering.give(await self._acts.conversation.say(self._acts.invocation(interaction, facts, name)))
            return
        leaf, given = found
        answering = self._acts.answering(interaction, leaf.spec.visibility)
        resolved = Resolved(data, interaction.guild)
        options: dict[str, Word | tuple[Word, ...]] = {}
        for option in leaf.spec.options:
            values = given.get(option.name, [])
            if option.kind in (OptionKind.MEMBER, OptionKind.RECEIVERS):
                people = tuple(Mention(who) for value in values if (who := resolved.person(value)) is not None)
                options |= {option.name: people} if people else {}
            elif values:
                options[option.name] = values[0]
        reply = await self._acts.conversation.say(self._acts.invocation(interaction, facts, leaf.spec.name, options))
        await self._acts.give(answering, interaction, facts, reply)


def _target_of(data: Any) -> str | None:
    """Whom a menu was opened on: the member, or the message's author."""
    target = str(data.get("target_id"))
    message = ((data.get("resolved") or {}).get("messages") or {}).get(target)
    if int(data["type"]) == 2:
        return target
    return None if message is None else str(message["author"]["id"])
