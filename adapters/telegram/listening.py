"""One update -> what the conversation is told or asked, and the answer on its way."""

from __future__ import annotations

import msgspec
from telegram import Message, Update, User
from telegram.constants import ChatType

from adapters.contract import Hint, Reply
from adapters.telegram import inline, reading
from adapters.telegram.arriving import Arriving
from adapters.telegram.attendance import Attendance
from adapters.telegram.commanding import Commands
from adapters.telegram.pressing import Presses
from adapters.telegram.reacting import Reactions
from adapters.telegram.reading import Command, NotOurs
from adapters.telegram.room import Room
from adapters.telegram.standing import Own
from adapters.telegram.where import Where


class Listener:
    """Hears everything that Telegram brings."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._commands = Commands(room)
        self._presses = Presses(room, self._commands)
        self._arriving = Arriving(room)
        self._reactions = Reactions(room)
        self.attendance = Attendance(room, self._arriving)

    async def take(self, update: Update) -> None:
        """Does what an update asks for. Edits, and all that nobody here typed, ask for nothing."""
        if update.message is not None:
            await self._message(update.message)
        elif update.callback_query is not None:
            await self._presses.take(update.callback_query)
        elif update.chat_member is not None:
            await self.attendance.member(update.chat_member, update.update_id)
        elif update.my_chat_member is not None:
            await self.attendance.itself(update.my_chat_member)
        elif update.message_reaction is not None:
            await self._reactions.changed(update.message_reaction)
        elif update.inline_query is not None:
            await inline.answer(update.inline_query, self._room.conversation, self._room.acquaintance)

    # --- messages ---------------------------------------------------------------------------------------------------

    async def _message(self, message: Message) -> None:
        chat = message.chat
        if message.migrate_to_chat_id is not None:
            await self.attendance.moved(chat.id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id is not None:
            await self.attendance.moved(message.migrate_from_chat_id, chat.id)
        elif chat.type == ChatType.PRIVATE:
            await self._in_private(message)
        elif reading.is_group(chat):
            await self._in_group(message)

    async def _in_group(self, message: Message) -> None:
        chat_id = await self._room.now_at(message.chat.id)
        await self.attendance.came_and_went(message, chat_id)
        said = reading.command(message, self._room.me.handle)
        if reading.is_hidden(message):
            if isinstance(said, Command) and self._is_known(said) and not message.is_automatic_forward:
                await self._hidden(message)
            return
        user = message.from_user
        if user is None:
            return
        where = self._commands.where(message, user, chat_id)
        if not reading.is_typed(message):
            if isinstance(said, Command) and self._is_known(said):
                await self._room.postman.hint(Hint.NOT_TYPED, where, await self._room.rights.own(chat_id))
            return
        await self._room.acquaintance.met(user)
        await self._room.acquaintance.was_in(user.id, chat_id)
        self._room.acquaintance.is_in(chat_id, user.id)
        if user.id != self._room.me.id:
            await self._reactions.wrote(message, user, chat_id)
            await self._arriving.came(user, chat_id, reading.act(message), where)
        if isinstance(said, Command) and said.name.casefold() == "start":
            await self.attendance.greet(chat_id, where)
        elif isinstance(said, Command):
            await self._carry_out(message, said, user, where)
        elif user.id != self._room.me.id:
            act = reading.act(message)
            shown = reading.sighting(user, present=True)
            await self._room.conversation.heard(reading.place(chat_id), shown, act)

    def _is_known(self, said: Command) -> bool:
        return said.addressed or bool(reading.specs_of(said.name, self._room.specs))

    async def _hidden(self, message: Message) -> None:
        """Somebody without a name gives a command: an administrator can prove who they are, a channel cannot."""
        hint = Hint.ANONYMOUS if reading.is_of_anonymous_admin(message) else Hint.CHANNEL
        where = Where(
            chat=message.chat.id,
            person=0,
            name="",
            locale=(message.from_user.language_code if message.from_user else None) or "en",
            topic=reading.topic(message),
            message=message.message_id,
        )
        await self._room.postman.hint(hint, where, await self._room.rights.own(message.chat.id))

    async def _in_private(self, message: Message) -> None:
        user = message.from_user
        if user is None or user.is_bot:
            return
        where = self._commands.where(message, user)
        said = reading.command(message, self._room.me.handle)
        if isinstance(said, NotOurs):
            return
        if not reading.is_typed(message):
            if said is not None:
                await self._room.postman.hint(Hint.NOT_TYPED, where, Own())
            return
        await self._room.acquaintance.met(user)
        if said is not None and said.name.casefold() == "start":
            await self._start(said, user, where, reading.act(message))
            return
        home = await self._room.acquaintance.home(user.id)
        if home is None:
            await self._room.postman.hint(Hint.NO_PLACE, where, Own())
        elif said is None:
            await self._room.postman.hint(Hint.NO_COMMAND, where, Own())
        else:
            await self._carry_out(message, said, user, where, home=home)

    # --- beginnings -------------------------------------------------------------------------------------------------

    async def _start(self, said: Command, user: User, where: Where, act: str) -> None:
        """Opens a chat. What came along with it, in a link that anybody can write, does nothing by itself."""
        payload = said.tokens[0] if said.tokens and isinstance(said.tokens[0], str) else ""
        if payload.startswith("a") and await self._fetch(payload[1:], user, where):
            return
        if await self._arriving.by_link(payload, user, act, where):
            return
        if payload.startswith("g") and payload[1:].removeprefix("-").isdecimal():
            await self._room.acquaintance.go_home(user.id, int(payload[1:]))
        home = await self._room.acquaintance.home(user.id)
        if home is None:
            await self._room.postman.hint(Hint.NO_PLACE, where, Own())
            return
        await self._room.postman.hint(
            Hint.WELCOME, where, Own(), place=await self._room.titles.of(home) or "your group"
        )

    async def _fetch(self, token: str, user: User, where: Where) -> bool:
        """Delivers the answer that waited until they opened a chat. Whether there was one for them."""
        raw = await self._room.memory.get("answer", token)
        if raw is None:
            return False
        message = Message.de_json(msgspec.json.decode(raw), self._room.bot)
        said = reading.command(message, self._room.me.handle)
        if message.from_user is None or message.from_user.id != user.id or not isinstance(said, Command):
            return False
        await self._room.memory.drop("answer", token)
        asked_in = self._commands.where(message, user, await self._room.now_at(message.chat.id))
        reply = await self._commands.reply(message, said, user, asked_in, home=None)
        await self._room.postman.deliver_to_chat(reply, asked_in)
        return True

    # --- commands ---------------------------------------------------------------------------------------------------

    async def _carry_out(
        self, message: Message, said: Command, user: User, where: Where, home: int | None = None
    ) -> None:
        act = reading.act(message)
        async with self._room.turns.of(user.id):
            if not self._room.turns.is_first(act):
                # Delivered again: it was done, and is answered.
                return
            reply = await self._commands.reply(message, said, user, where, home=home)
        if said.addressed or home is not None or not _is_for_others(reply):
            await self._deliver(reply, where, home)

    async def _deliver(self, reply: Reply, where: Where, home: int | None) -> None:
        own = Own() if home is not None else await self._room.rights.own(where.chat)
        await self._room.postman.deliver(reply, where, own, sees_all=self._room.me.sees_all)


def _is_for_others(reply: Reply) -> bool:
    """A command that is none of ours and not like one: in a group there may be other bots."""
    return reply.code == "unknown_command" and not reply.fields.get("nearest")
