"""Whom the bot has met: whose @name is whose, where they were last, who is in a group. Shared by memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from typing import Final, TypeVar

from msgspec import Struct, json
from telegram import Bot, User
from telegram.error import BadRequest, TelegramError

from adapters.contract import Conversation, Memory
from adapters.telegram.logs import log, problem_of
from adapters.telegram.reading import Handle, chat_id_of, identity, sighting
from adapters.telegram.standing import is_here
from economy.service import Sighting

K = TypeVar("K")
V = TypeVar("V")

HANDLE_KEPT_FOR: Final = timedelta(days=365)
HOME_KEPT_FOR: Final = timedelta(days=90)
HERE_FOR_S: Final = 600.0
"""How long somebody who was seen in a group is taken to be there, unless Telegram tells that they left."""

KNOWN_MAX: Final = 50_000


class Known(Struct, frozen=True):
    """Who goes by an @name."""

    id: int
    name: str
    is_bot: bool = False


_decoder: Final = json.Decoder(Known)


class Acquaintance:
    """What this process remembers is a copy, bounded, of what all of them do."""

    def __init__(self, bot: Bot, conversation: Conversation, memory: Memory) -> None:
        self._bot = bot
        self._conversation = conversation
        self._memory = memory
        self._handles: OrderedDict[int, str] = OrderedDict()
        self._homes: OrderedDict[int, int] = OrderedDict()
        self._here: OrderedDict[tuple[int, int], float] = OrderedDict()

    # --- @names -----------------------------------------------------------------------------------------------------

    async def met(self, user: User) -> None:
        """Whoever writes shows which name is theirs now; the one before is theirs no more. Never raises: what cannot be
        noted now is noted when they write again."""
        handle = (user.username or "").casefold()
        before = self._handles.get(user.id)
        if before == handle:
            return
        try:
            await self._note_handle(user, before, handle)
        except Exception as problem:  # noqa: BLE001  # the memory is away: what they said counts all the same
            log.warning("name not noted", user=user.id, problem=type(problem).__name__)
        else:
            _remember(self._handles, user.id, handle)

    async def _note_handle(self, user: User, before: str | None, handle: str) -> None:
        if before and (known := await self.named(Handle(before))) is not None and known.id == user.id:
            await self._memory.drop("handle", before)
        if handle:
            await self._memory.put("handle", handle, json.encode(_known(user)).decode(), keep=HANDLE_KEPT_FOR)

    async def named(self, handle: Handle) -> Known | None:
        """Whoever was last seen under an @name."""
        if handle.name.casefold() == (self._bot.username or "").casefold():
            return Known(self._bot.id, self._bot.first_name, is_bot=True)
        found = await self._memory.get("handle", handle.name.casefold())
        return None if found is None else _decoder.decode(found)

    # --- homes ------------------------------------------------------------------------------------------------------

    async def was_in(self, user_id: int, chat_id: int) -> None:
        """Somebody wrote in a group: what they tell the bot alone is about that one. Never raises."""
        if self._homes.get(user_id) == chat_id:
            return
        try:
            await self._memory.put("home", str(user_id), str(chat_id), keep=HOME_KEPT_FOR)
        except Exception as problem:  # noqa: BLE001  # as above
            log.warning("home not noted", user=user_id, problem=type(problem).__name__)
        else:
            _remember(self._homes, user_id, chat_id)

    async def home(self, user_id: int) -> int | None:
        """The group that somebody means who speaks to the bot alone; None for who is known from none."""
        places = [chat_id_of(place) for place in await self._conversation.homes(identity(user_id))]
        if len(places) < 2:
            return places[0] if places else None
        found = await self._memory.get("home", str(user_id))
        return int(found) if found is not None and int(found) in places else places[0]

    async def is_known_in(self, user_id: int, chat_id: int) -> bool:
        """Whether somebody is a member of the community that meets in a group."""
        return chat_id in [chat_id_of(place) for place in await self._conversation.homes(identity(user_id))]

    async def go_home(self, user_id: int, chat_id: int) -> bool:
        """They choose a group; only one that they are known in."""
        if not await self.is_known_in(user_id, chat_id):
            return False
        self._homes.pop(user_id, None)
        await self.was_in(user_id, chat_id)
        return True

    # --- who is in a group ------------------------------------------------------------------------------------------

    def is_in(self, chat_id: int, user_id: int) -> None:
        _remember(self._here, (chat_id, user_id), asyncio.get_running_loop().time())

    def left(self, chat_id: int, user_id: int) -> None:
        self._here.pop((chat_id, user_id), None)

    async def seen(self, chat_id: int, user: User | Known) -> Sighting:
        """Somebody who was named or answered, with whether they are in the group: they may have left, or never have
        written anything. Telegram is asked about those who were not seen lately."""
        shown = sighting(user) if isinstance(user, User) else Sighting(identity(user.id), user.name, user.is_bot)
        if user.id == self._bot.id:
            return Sighting(shown.identity, shown.name, is_bot=True, present=True)
        seen_at = self._here.get((chat_id, user.id))
        present = seen_at is not None and asyncio.get_running_loop().time() - seen_at < HERE_FOR_S
        if not present:
            try:
                member = await self._bot.get_chat_member(chat_id, user.id)
            except BadRequest:
                # That is how Telegram says that somebody never was there.
                return Sighting(shown.identity, shown.name, shown.is_bot, present=False)
            except TelegramError as problem:
                log.info("membership unknown", chat=chat_id, problem=problem_of(problem))
                return shown
            present = is_here(member)
            shown = sighting(member.user)
            if present:
                self.is_in(chat_id, user.id)
        return Sighting(shown.identity, shown.name, shown.is_bot, present)


def _known(user: User) -> Known:
    return Known(user.id, user.full_name, user.is_bot)


def _remember(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KNOWN_MAX:
        kept.popitem(last=False)
