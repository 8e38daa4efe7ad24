"""What all interactions have in common: who acts and where, how they are answered, what is remembered of that."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import msgspec

from adapters.contract import Conversation, Hint, Invocation, Reply, Visibility, Word
from adapters.discord.answering import Answering
from adapters.discord.hearing import Facts, facts_of, locale_of, place_of, sighting_of
from adapters.discord.posted import PostedMessages
from adapters.discord.repeats import Repeats
from adapters.discord.strands import Means, Strands, by_itself
from adapters.discord.tree import Tree
from economy.service import Place, Role


class Acts:
    """Serves those who hear interactions. `operators` are the ids of whoever runs the bot, once Discord has said."""

    def __init__(
        self, conversation: Conversation, posted: PostedMessages, strands: Strands, defer_after_s: float
    ) -> None:
        self.conversation = conversation
        self.posted = posted
        self.strands = strands
        self.tree = Tree(conversation.specs(), conversation.translated)
        self.operators: frozenset[int] = frozenset()
        self._defer_after_s = defer_after_s
        self._repeats = Repeats()

    def answering(
        self, interaction: discord.Interaction[Any], visibility: Visibility, *, changes: bool = False, wrap: str = "{}"
    ) -> Answering:
        """From now on the answer is awaited; see `Answering`."""
        return Answering(interaction, visibility, changes=changes, wrap=wrap, defer_after_s=self._defer_after_s)

    def facts(self, interaction: discord.Interaction[Any]) -> Facts | Hint:
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
            operators=self.operators,
            channel_id=interaction.channel_id,
            locale=locale_of(interaction.locale),
        )

    async def hint(self, interaction: discord.Interaction[Any], hint: Hint) -> None:
        answering = self.answering(interaction, Visibility.PRIVATE)
        await answering.give(self.conversation.hint(hint, locale_of(interaction.locale)))

    def facts_in_private(self, interaction: discord.Interaction[Any], place_id: int) -> Facts:
        """Outside the server Discord says nothing of anyone's place in it, so nothing is attested."""
        return Facts(
            person=sighting_of(interaction.user, present=None),
            place=place_of(place_id),
            standing=frozenset({Role.OPERATOR}) if interaction.user.id in self.operators else frozenset(),
            held=frozenset(),
            channel=None,
            locale=locale_of(interaction.locale),
        )

    async def give(
        self, answering: Answering, interaction: discord.Interaction[Any], facts: Facts, reply: Reply
    ) -> None:
        """Answers, and edits what the answer takes the place of."""
        if self._repeats.is_repeat(interaction.channel_id, reply, time.monotonic()):
            reply = msgspec.structs.replace(reply, visibility=Visibility.PRIVATE)
        if reply.strand is not None and reply.replaces is None:
            means = Means(
                interaction.channel_id, anew=self.anew(answering, interaction, facts), elsewhere=answering.give
            )
            await self.strands.tell(facts.place, reply, reply.strand, means)
            return
        message_id = await answering.give(by_itself(reply))
        await self.posted.remember(facts.place, reply, interaction.channel_id, message_id)
        await self.take_back(facts.place, reply)

    def anew(
        self, answering: Answering, interaction: discord.Interaction[Any], facts: Facts
    ) -> Callable[[Reply], Awaitable[int | None]]:
        """Answers with a new message, and remembers that it told of the receipt."""

        async def give(reply: Reply) -> int | None:
            message_id = await answering.give(reply)
            await self.posted.remember(facts.place, reply, interaction.channel_id, message_id)
            return message_id

        return give

    async def take_back(self, place: Place, reply: Reply) -> None:
        """Changes what told of the receipt that a reply takes the place of; never raises."""
        if reply.strand is not None and reply.replaces is not None:
            await self.strands.restate(place, reply, reply.strand)
        else:
            await self.posted.take_back(place, reply)

    def invocation(
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
            place_name=facts.place_name,
            locale=facts.locale,
        )
