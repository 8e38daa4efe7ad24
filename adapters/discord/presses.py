"""Buttons: what was pressed is heard by its id alone, and shown where it belongs."""

from __future__ import annotations

from typing import Any, Final

import discord
import msgspec

from adapters.contract import Hint, Pressed, Reply, Visibility
from adapters.discord.acts import Acts
from adapters.discord.answering import Answering
from adapters.discord.hearing import Facts
from adapters.discord.rendering import FROM, from_place
from adapters.discord.strands import Means, by_itself

LOOK: Final = "q:"
THANKS: Final = "t:"
AGAIN: Final = "a:"


class Presses:
    """Hears presses, of whatever age the message is."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts

    async def on_press(self, interaction: discord.Interaction[Any]) -> None:
        payload: Any = interaction.data
        data = str(payload["custom_id"])
        facts = self._acts.facts(interaction)
        wrap = "{}"
        if isinstance(facts, Hint) and data.startswith(FROM):
            # From a direct message, which says where it was meant.
            place_id, _, data = data.removeprefix(FROM).partition("|")
            if place_id.isascii() and place_id.isdigit():
                facts = self._acts.facts_in_private(interaction, int(place_id))
                wrap = from_place(int(place_id))
        if isinstance(facts, Hint):
            await self._acts.hint(interaction, facts)
            return
        message = interaction.message
        is_asker = message is not None and _asker_of(message) == interaction.user.id
        is_private_message = message is not None and (message.flags.ephemeral or interaction.guild_id is None)
        # What a button that gives a command comes to is told in that message, or by one of its own.
        takes_place = is_private_message or (is_asker and data.startswith(LOOK)) or data.startswith((THANKS, AGAIN))
        answering = self._acts.answering(interaction, Visibility.PRIVATE, changes=takes_place, wrap=wrap)
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
        reply = await self._acts.conversation.press(pressed)
        if reply.visibility is Visibility.PUBLIC and (reply.repeated or (is_private_message and data.startswith(LOOK))):
            # Everyone has seen it, or only this one asked. What was asked first may be gone by now.
            takes_place &= not reply.repeated
            reply = msgspec.structs.replace(reply, visibility=Visibility.PRIVATE)
        if reply.strand is not None and reply.visibility is Visibility.PUBLIC and reply.replaces is None:
            means = self._means(answering, interaction, facts, private=is_private_message)
            await self._acts.strands.tell(facts.place, reply, reply.strand, means)
            return
        message_id = await self._show_pressed(
            answering, reply, data, message, takes_place=takes_place, private=is_private_message
        )
        await self._acts.posted.remember(facts.place, reply, interaction.channel_id, message_id)
        await self._acts.take_back(facts.place, reply)

    def _means(
        self, answering: Answering, interaction: discord.Interaction[Any], facts: Facts, *, private: bool
    ) -> Means:
        """How a press can tell a strand: in the message with the button, where that is the strand's."""
        anew = self._acts.anew(answering, interaction, facts)
        if private:
            # The button was under a question, which is answered.

            async def instead(reply: Reply) -> int | None:
                message_id = await answering.replace_question(reply)
                await self._acts.posted.remember(facts.place, reply, interaction.channel_id, message_id)
                return message_id

            return Means(interaction.channel_id, instead, lambda reply: answering.give(reply, in_place=True))
        message_id = None if interaction.message is None else interaction.message.id

        async def in_place(reply: Reply) -> int | None:
            instead = await answering.give(reply, in_place=True)
            return None if answering.is_taken else instead or message_id

        return Means(interaction.channel_id, anew, lambda _: answering.acknowledge(), in_place, message_id)

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
            self._acts.strands.keep_thanks(message.id, reply)
            return None
        if private and is_public:
            return await answering.replace_question(reply)
        if data.startswith(AGAIN) and not private:
            # A command like any other, by the press of a button.
            return await answering.give(by_itself(reply))
        if takes_place and (private or is_public):
            return await answering.give(reply, in_place=True)
        # One's own, or somebody else's question: an answer by itself, for whoever pressed alone.
        return await answering.give(msgspec.structs.replace(reply, visibility=Visibility.PRIVATE))


def _asker_of(message: discord.Message) -> int | None:
    """Whose command a message of ours answers."""
    if message.interaction_metadata is not None:
        return message.interaction_metadata.user.id
    answered = message.reference.resolved if message.reference is not None else None
    return answered.author.id if isinstance(answered, discord.Message) else None
