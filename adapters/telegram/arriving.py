"""Somebody comes who goes by an @name that others tipped before anybody had seen it."""

from __future__ import annotations

import re
from typing import Final

from telegram import User

from adapters.contract import Reply
from adapters.telegram import reading
from adapters.telegram.posting import LINK
from adapters.telegram.room import Room
from adapters.telegram.standing import Own
from adapters.telegram.where import Where

_CLAIMABLE: Final = re.compile(r"[a-z][a-z0-9_]{3,31}", re.ASCII)


def key_of(handle: str) -> str:
    """By what somebody is named as long as nobody has seen them: the case of an @name does not matter."""
    return f"@{handle.casefold()}"


def can_be_somebody(handle: str) -> bool:
    """Whether a person may go by an @name: it has 4 to 32 letters, and only those of bots end in `bot`."""
    name = handle.casefold()
    return _CLAIMABLE.fullmatch(name) is not None and not name.endswith("bot")


class Arriving:
    """Tells the conversation who came by what name, and everyone what came of it."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def came(self, user: User, chat_id: int, act: str, where: Where | None = None) -> None:
        """They are in the group, as what Telegram brought shows."""
        reply = await self._taken_up(user, chat_id, act)
        if reply is not None:
            where = where or Where(chat=chat_id, person=user.id, name=user.full_name, locale=user.language_code or "en")
            own = await self._room.rights.own(chat_id)
            await self._room.postman.deliver(reply, where, own, sees_all=self._room.me.sees_all)

    async def by_link(self, payload: str, user: User, act: str, where: Where) -> bool:
        """They opened a link. Whether something was theirs by that: only where they are in the group it names."""
        number = payload.removeprefix(LINK)
        if not payload.startswith(LINK) or not number.removeprefix("-").isdecimal() or not user.username:
            return False
        chat_id = await self._room.now_at(int(number))
        if not await self._room.conversation.is_waited_for(reading.sighting(user), (key_of(user.username),)):
            return False
        if (await self._room.acquaintance.seen(chat_id, user)).present is not True:
            return False
        reply = await self._taken_up(user, chat_id, act)
        if reply is None:
            return False
        await self._room.acquaintance.go_home(user.id, chat_id)
        await self._room.postman.deliver(reply, where, Own())
        in_group = Where(chat=chat_id, person=user.id, name=user.full_name, locale=where.locale)
        own = await self._room.rights.own(chat_id)
        await self._room.postman.deliver(reply, in_group, own, sees_all=self._room.me.sees_all)
        return True

    async def _taken_up(self, user: User, chat_id: int, act: str) -> Reply | None:
        if not user.username:
            return None
        person = reading.sighting(user, present=True)
        return await self._room.conversation.arrived(reading.place(chat_id), person, (key_of(user.username),), act)
