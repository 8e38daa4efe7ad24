"""A press of a button -> what the conversation answers to it. Whoever presses can send any data they like."""

from __future__ import annotations

import msgspec
from telegram import CallbackQuery, MaybeInaccessibleMessage, Message, User
from telegram.constants import ChatType

from adapters.contract import Hint, Pressed, Reply
from adapters.telegram import reading
from adapters.telegram.buttons import DOOR, Head, head_and_data
from adapters.telegram.commanding import Commands
from adapters.telegram.reading import Command
from adapters.telegram.room import Room
from adapters.telegram.standing import NOBODY, Own
from adapters.telegram.where import Where


class Presses:
    """Answers presses."""

    def __init__(self, room: Room, commands: Commands) -> None:
        self._room = room
        self._commands = commands

    async def take(self, query: CallbackQuery) -> None:
        act = f"telegram:press:{query.id}"
        if not self._room.turns.is_first(act):
            return
        head, data = await head_and_data(query.data or "", self._room.memory)
        user, shown = query.from_user, query.message
        await self._room.acquaintance.met(user)
        home, alone = await self._belongs(head, shown, user)
        message = shown if isinstance(shown, Message) else None
        where = Where(
            chat=user.id if alone else home or user.id,
            person=user.id,
            name=user.full_name,
            locale=user.language_code or "en",
            topic=head.topic if message is None else head.topic or reading.topic(message),
            alone=alone,
            callback=query.id,
            pressed=query,
            shown_in=None if shown is None else shown.chat.id,
            shown_as=None if shown is None else shown.message_id or None,
            shown_to_one=None if message is None else reading.ephemeral_id(message),
        )
        own = Own() if alone or home is None else await self._room.rights.own(home)
        if home is None:
            await self._room.postman.hint(Hint.NO_PLACE, where, own)
        elif head.presser not in (None, user.id):
            await self._room.postman.hint(Hint.NOT_YOURS, where, own)
        elif data == f"{DOOR}prove":
            await self._prove(message, user, where, own)
        else:
            async with self._room.turns.of(user.id):
                reply = await self._pressed(act, data, user, home, where)
            await self._room.postman.deliver(reply, where, own, sees_all=self._room.me.sees_all)

    async def _pressed(self, act: str, data: str, user: User, home: int, where: Where) -> Reply:
        standing = await self._commands.standing(home, user.id, None) or NOBODY
        return await self._room.conversation.press(
            Pressed(
                act=act,
                person=reading.sighting(user) if where.alone else await self._room.acquaintance.seen(home, user),
                place=reading.place(home),
                data=data,
                standing=standing.roles,
                administers=standing.administers,
                channel=None if where.alone else reading.channel(home, where.topic),
                private=where.alone,
                locale=where.locale,
            )
        )

    async def _prove(self, shown: Message | None, user: User, where: Where, own: Own) -> None:
        """Whoever wrote without a name pressed: Telegram says who that is. The command is carried out as theirs, once,
        and nobody sees by whom."""
        message = shown.reply_to_message if shown is not None else None
        said = None if message is None else reading.command(message, self._room.me.handle)
        standing = await self._room.rights.of(where.chat, user.id)
        if message is None or not isinstance(said, Command) or not reading.is_of_anonymous_admin(message):
            await self._room.postman.hint(Hint.NOT_TYPED, where, own)
        elif standing is None:
            await self._room.postman.hint(Hint.STANDING_UNKNOWN, where, own)
        elif not standing.anonymous:
            await self._room.postman.hint(Hint.NOT_HIDDEN, where, own)
        else:
            async with self._room.turns.of(user.id):
                reply = await self._commands.reply(message, said, user, where, home=None, veiled=True)
            under = msgspec.structs.replace(where, message=message.message_id)
            await self._room.postman.deliver(reply, under, own, sees_all=self._room.me.sees_all)

    async def _belongs(self, head: Head, shown: MaybeInaccessibleMessage | None, user: User) -> tuple[int | None, bool]:
        """The group that a press is about, and whether it is said to the bot alone.

        Telegram vouches for where the button is. What the button itself says counts only for groups that the person is
        known in: anybody could write another one.
        """
        if shown is not None and shown.chat.type != ChatType.PRIVATE:
            return shown.chat.id, False
        if head.chat is not None:
            home = await self._room.now_at(head.chat)
            return (home, False) if await self._room.acquaintance.is_known_in(user.id, home) else (None, True)
        return await self._room.acquaintance.home(user.id), True
