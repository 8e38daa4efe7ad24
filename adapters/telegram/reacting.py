"""Reactions under messages. Telegram does not say whose message it is: who wrote what is remembered, for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import Final

from msgspec import Struct, json
from telegram import Message, MessageReactionUpdated, ReactionType, ReactionTypeEmoji, User

from adapters.contract import Visibility
from adapters.telegram import reading
from adapters.telegram.logs import log
from adapters.telegram.room import Room
from adapters.telegram.where import Where
from economy.service import Sighting

KEPT_MAX: Final = 20_000
"""Messages whose authors this process remembers."""
SHARED_FOR: Final = timedelta(days=2)
"""How long all processes do, of groups where reactions do anything."""
ASKED_AGAIN_S: Final = 60.0
EMOJI_MAX: Final = 11
"""The most reactions that one person can have under a message."""


class Author(Struct, frozen=True):
    """Who wrote a message, and in which topic."""

    id: int
    name: str
    is_bot: bool = False
    topic: int | None = None


_decoder: Final = json.Decoder(Author)


class Reactions:
    """Hears what people think of messages."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._authors: OrderedDict[tuple[int, int], Author] = OrderedDict()
        self._in_use: OrderedDict[int, tuple[float, bool]] = OrderedDict()

    async def wrote(self, message: Message, user: User, chat_id: int) -> None:
        """A message to which somebody may react. Never raises: what cannot be shared is known here."""
        author = Author(user.id, user.full_name, user.is_bot, reading.topic(message))
        self._authors[chat_id, message.message_id] = author
        if len(self._authors) > KEPT_MAX:
            self._authors.popitem(last=False)
        try:
            if await self._does_anything(chat_id):
                key, kept = f"{chat_id}:{message.message_id}", json.encode(author).decode()
                await self._room.memory.put("author", key, kept, keep=SHARED_FOR)
        except Exception as problem:  # noqa: BLE001  # the memory is away
            log.warning("author not shared", chat=chat_id, problem=type(problem).__name__)

    async def _does_anything(self, chat_id: int) -> bool:
        now = asyncio.get_running_loop().time()
        known = self._in_use.get(chat_id)
        if known is None or now - known[0] >= ASKED_AGAIN_S:
            # Whoever writes meanwhile does not ask as well.
            self._in_use[chat_id] = (now, known is not None and known[1])
            known = (now, await self._room.conversation.uses_reactions(reading.place(chat_id)))
            self._in_use[chat_id] = known
            if len(self._in_use) > KEPT_MAX:
                self._in_use.popitem(last=False)
        return known[1]

    async def changed(self, change: MessageReactionUpdated) -> None:
        """Somebody reacted otherwise than before. Who does so in a group's or a channel's name never acts."""
        user = change.user
        if user is None or change.actor_chat is not None or user.is_bot or not reading.is_group(change.chat):
            return
        chat_id = await self._room.now_at(change.chat.id)
        before = _emoji(change.old_reaction)
        added = [emoji for emoji in _emoji(change.new_reaction) if emoji not in before][:EMOJI_MAX]
        author = await self._author(chat_id, change.message_id) if added else None
        if author is None or author.is_bot or author.id == user.id:
            return
        for emoji in added:
            await self._reacted(change, user, author, emoji, chat_id)

    async def _reacted(
        self, change: MessageReactionUpdated, user: User, author: Author, emoji: str, chat_id: int
    ) -> None:
        # Named by the message, the person and the emoji: taken away and put back it is the same act.
        sign = "-".join(f"{ord(character):x}" for character in emoji.replace("\ufe0f", ""))
        act = f"telegram:reaction:{change.chat.id}:{change.message_id}:{user.id}:{sign}"
        person = reading.sighting(user, present=True)
        wrote = Sighting(reading.identity(author.id), author.name, author.is_bot)
        async with self._room.turns.of(user.id):
            reply = await self._room.conversation.reacted(reading.place(chat_id), person, wrote, emoji, act)
        if reply is None:
            return
        where = Where(
            chat=chat_id,
            person=user.id,
            name=user.full_name,
            locale=user.language_code or "en",
            topic=author.topic,
            post=change.message_id,
        )
        own = await self._room.rights.own(chat_id)
        if reply.visibility is Visibility.PUBLIC:
            await self._room.postman.deliver(reply, where, own, sees_all=self._room.me.sees_all)
        else:
            await self._room.postman.whisper(reply, where, own)

    async def _author(self, chat_id: int, message_id: int) -> Author | None:
        """Who wrote a message; None where nobody here knows, or remembers."""
        known = self._authors.get((chat_id, message_id))
        if known is not None:
            return known
        found = await self._room.memory.get("author", f"{chat_id}:{message_id}")
        return None if found is None else _decoder.decode(found)


def _emoji(reactions: tuple[ReactionType, ...]) -> list[str]:
    return [reaction.emoji for reaction in reactions if isinstance(reaction, ReactionTypeEmoji)]
