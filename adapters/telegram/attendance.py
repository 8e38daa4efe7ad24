"""Who is in a group: people who come and go, the bot itself, and groups that get another id."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from telegram import ChatMember, ChatMemberUpdated, Message

from adapters.contract import Hint
from adapters.telegram import reading
from adapters.telegram.arriving import Arriving
from adapters.telegram.logs import log
from adapters.telegram.room import Room
from adapters.telegram.standing import is_here
from adapters.telegram.where import Where

MOVED_FOR: Final = timedelta(days=3650)
GREETED_FOR: Final = timedelta(hours=1)


class Attendance:
    """Tells the conversation who is there, as far as Telegram tells the bot."""

    def __init__(self, room: Room, arriving: Arriving) -> None:
        self._room = room
        self._arriving = arriving

    async def moved(self, old: int, new: int) -> None:
        """A group became a supergroup: it has another id, and is the same place."""
        await self._room.memory.put("moved", str(old), str(new), keep=MOVED_FOR)
        is_there = await self._room.conversation.moved(reading.place(old), reading.place(new))
        self._room.rights.forget(old)
        self._room.rights.forget(new)
        if not is_there:
            log.error("place not moved", old=old, new=new)

    async def came_and_went(self, message: Message, chat_id: int) -> None:
        place = reading.place(chat_id)
        act = reading.act(message)
        for number, user in enumerate(message.new_chat_members or ()):
            if user.id != self._room.me.id:
                await self._room.acquaintance.met(user)
                self._room.acquaintance.is_in(chat_id, user.id)
                await self._room.conversation.came(place, reading.sighting(user, present=True), f"{act}:{number}")
                await self._arriving.came(user, chat_id, f"{act}:{number}")
        gone = message.left_chat_member
        if gone is not None and gone.id != self._room.me.id:
            self._room.acquaintance.left(chat_id, gone.id)
            await self._room.conversation.went(place, reading.sighting(gone, present=False), act)

    async def member(self, change: ChatMemberUpdated, update_id: int) -> None:
        """Somebody came, went, or became an administrator."""
        user, chat = change.new_chat_member.user, change.chat
        self._room.rights.forget(chat.id)
        if not reading.is_group(chat) or user.id == self._room.me.id:
            return
        was, is_there = is_here(change.old_chat_member), is_here(change.new_chat_member)
        act = f"telegram:member:{chat.id}:{user.id}:{int(change.date.timestamp())}:{update_id}"
        if is_there and not was:
            await self._room.acquaintance.met(user)
            self._room.acquaintance.is_in(chat.id, user.id)
            await self._room.conversation.came(reading.place(chat.id), reading.sighting(user, present=True), act)
            await self._arriving.came(user, chat.id, act)
        elif was and not is_there:
            self._room.acquaintance.left(chat.id, user.id)
            await self._room.conversation.went(reading.place(chat.id), reading.sighting(user, present=False), act)

    async def itself(self, change: ChatMemberUpdated) -> None:
        """The bot itself came, went, or may see more."""
        chat = change.chat
        self._room.rights.forget(chat.id)
        if not reading.is_group(chat) or not is_here(change.new_chat_member):
            return
        where = Where(chat=chat.id, person=change.from_user.id, name="", locale=change.from_user.language_code or "en")
        administers = change.new_chat_member.status == ChatMember.ADMINISTRATOR
        if not is_here(change.old_chat_member):
            if await self._room.memory.swap("greeted", str(chat.id), None, "yes", keep=GREETED_FOR):
                await self.greet(chat.id, where)
        elif administers and change.old_chat_member.status != ChatMember.ADMINISTRATOR and not self._room.me.sees_all:
            await self._room.postman.hint(Hint.SEES, where, await self._room.rights.own(chat.id))

    async def greet(self, chat_id: int, where: Where) -> None:
        own = await self._room.rights.own(chat_id)
        hint = Hint.ADDED if own.administers or self._room.me.sees_all else Hint.ADDED_BLIND
        await self._room.postman.hint(hint, where, own, bot=self._room.me.handle)
