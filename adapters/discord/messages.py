"""Commands by mention, for people who come from older bots: `@Florin tip @bo 50`."""

from __future__ import annotations

from typing import Final

import discord
import structlog

from adapters.contract import CommandSpec, Conversation, Hint, Invocation, OptionKind, Reply, Visibility
from adapters.discord.hearing import (
    Facts,
    HeardError,
    addressed,
    attached,
    cut,
    facts_of,
    locale_of,
    place_of,
    replied_to,
    words_of,
)
from adapters.discord.posted import PostedMessages
from adapters.discord.rendering import from_place, rendered
from adapters.discord.sending import NO_DIRECT_MESSAGES, BrokenLine, new
from adapters.discord.strands import Means, Strands, by_itself

POINTER_S: Final = 30.0
"""How long a pointer in a channel stays."""

_log = structlog.get_logger("adapters.discord")


class Messages:
    """Hears messages that begin by mentioning the bot. Discord shows it the words of no others."""

    def __init__(
        self, client: discord.Client, conversation: Conversation, posted: PostedMessages, strands: Strands
    ) -> None:
        self._client = client
        self._conversation = conversation
        self._posted = posted
        self._strands = strands

    async def heard(self, message: discord.Message, operators: frozenset[int]) -> None:
        """Answers what is said to the bot, and lets everything else be."""
        me = self._client.user
        if me is None or message.author.bot or message.guild is None:
            return
        said = addressed(message, me.id)
        if said is None:
            return
        if message.webhook_id is not None or not isinstance(message.author, discord.Member):
            await self._tell(
                message, self._conversation.hint(Hint.NOT_FOR_OTHERS, locale_of(message.guild.preferred_locale))
            )
            return
        facts = facts_of(
            message.guild,
            message.guild.id,
            message.author,
            is_administrator=message.author.guild_permissions.administrator,
            operators=operators,
            channel_id=message.channel.id,
            locale=locale_of(message.guild.preferred_locale),
        )
        try:
            invocation = await self._spoken(message, facts, said)
        except HeardError as no:
            await self._tell(message, self._conversation.hint(no.hint, facts.locale))
            return
        await self._tell(message, await self._conversation.say(invocation))

    async def _spoken(self, message: discord.Message, facts: Facts, said: str) -> Invocation:
        command, *rest = cut(said) or ["help"]
        command = command.removeprefix("/")
        words = await words_of(rest, message, self._client)
        specs = [spec for spec in self._conversation.specs() if command in _first_words(spec)]
        if message.attachments and any(option.kind is OptionKind.TARGETS for spec in specs for option in spec.options):
            file = message.attachments[0]
            found = await attached({"url": file.url, "size": file.size, "filename": file.filename}, self._client)
            # It stands where a member would: after the second word of the command's name, if there is one.
            depth = 1 if words and isinstance(words[0], str) and any(" " in spec.name for spec in specs) else 0
            words.insert(depth, found)
        return Invocation(
            act=f"discord:message:{message.id}",
            person=facts.person,
            place=facts.place,
            command=command,
            words=tuple(words),
            standing=facts.standing,
            held=facts.held,
            channel=facts.channel,
            place_name=facts.place_name,
            replied_to=replied_to(message),
            locale=facts.locale,
        )

    async def _tell(self, message: discord.Message, reply: Reply) -> None:
        """Answers a message: publicly below it, or in a direct message what is for its author alone."""
        try:
            if reply.visibility is Visibility.PUBLIC:
                await self._publicly(message, reply)
                return
            wrap = from_place(message.guild.id) if message.guild else "{}"
            await message.author.send(**new(rendered(reply, wrap=wrap)))
        except discord.HTTPException as error:
            if error.code == NO_DIRECT_MESSAGES:
                await self._point(message)
            else:
                _log.info("answer lost", act=str(message.id), status=error.status, code=error.code)
        except BrokenLine as error:
            _log.info("answer lost", act=str(message.id), error=type(error).__name__)

    async def _publicly(self, message: discord.Message, reply: Reply) -> None:
        place = place_of(message.guild.id) if message.guild else None

        async def anew(reply: Reply) -> int:
            reference = message.to_reference(fail_if_not_exists=False)
            sent = await message.channel.send(reference=reference, nonce=message.id, **new(rendered(reply)))
            if place is not None:
                await self._posted.remember(place, reply, message.channel.id, sent.id)
            return sent.id

        async def elsewhere(_: Reply) -> None:
            """Nothing more: it stands a little further up."""

        if place is None:
            await anew(reply)
        elif reply.strand is None:
            await anew(reply)
            await self._posted.take_back(place, reply)
        elif reply.replaces is not None:
            await anew(by_itself(reply))
            await self._strands.restate(place, reply, reply.strand)
        else:
            means = Means(message.channel.id, anew=anew, elsewhere=elsewhere)
            await self._strands.tell(place, reply, reply.strand, means)

    async def _point(self, message: discord.Message) -> None:
        """Whoever takes no direct messages is pointed to the slash command, for half a minute."""
        preferred = message.guild.preferred_locale if message.guild else None
        hint = self._conversation.hint(Hint.NO_PRIVATE_MESSAGE, locale_of(preferred))
        try:
            await message.channel.send(delete_after=POINTER_S, **new(rendered(hint)))
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("answer lost", act=str(message.id), error=type(error).__name__)


def _first_words(spec: CommandSpec) -> set[str]:
    return {name.partition(" ")[0] for name in (spec.name, *spec.aliases)}
