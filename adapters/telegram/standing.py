"""Who may do what in a group, as Telegram says at this moment: asked once a minute, never guessed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct
from telegram import Bot, ChatMember, ChatMemberAdministrator, ChatMemberOwner
from telegram.error import TelegramError

from adapters.telegram.logs import log, problem_of
from economy.service import Role

FRESH_S: Final = 60.0
"""How old an answer may be. Whoever was demoted longer ago is refused."""

KEPT_MAX: Final = 20_000
HERE: Final = frozenset({ChatMember.OWNER, ChatMember.ADMINISTRATOR, ChatMember.MEMBER})


class Standing(Struct, frozen=True):
    """What somebody is in a group. `anonymous`: they may write in the group's name."""

    roles: frozenset[Role] = frozenset()
    administers: bool = False
    anonymous: bool = False


NOBODY: Final = Standing()


class Own(Struct, frozen=True):
    """What the bot itself may do in a group."""

    administers: bool = False
    may_delete: bool = False
    may_pin: bool = False


class Administrators(Struct, frozen=True):
    """A group's administrators by user id, and what the bot is there."""

    standings: dict[int, Standing]
    own: Own


class Rights:
    """Asks Telegram who administers which group.

    `operators` run this Florin, wherever they are. `monotonic` tells seconds.
    """

    def __init__(self, bot: Bot, operators: Iterable[int], monotonic: Callable[[], float]) -> None:
        self._bot = bot
        self._operators = frozenset(operators)
        self._monotonic = monotonic
        self._known: OrderedDict[int, tuple[float, Administrators]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[Administrators | None]] = {}

    async def of(self, chat_id: int, user_id: int) -> Standing | None:
        """What somebody is in a group; None where Telegram does not say."""
        found = await self.administrators(chat_id)
        if found is None:
            return None
        standing = found.standings.get(user_id, NOBODY)
        if user_id in self._operators:
            return Standing(standing.roles | {Role.OPERATOR}, standing.administers, standing.anonymous)
        return standing

    def of_operator(self, user_id: int) -> frozenset[Role]:
        """What somebody is without regard to any group."""
        return frozenset({Role.OPERATOR}) if user_id in self._operators else frozenset()

    async def own(self, chat_id: int) -> Own:
        """What the bot is in a group; nothing where Telegram does not say."""
        found = await self.administrators(chat_id)
        return Own() if found is None else found.own

    async def administrators(self, chat_id: int) -> Administrators | None:
        """A group's administrators; None where Telegram does not say."""
        known = self._known.get(chat_id)
        if known is not None and self._monotonic() - known[0] < FRESH_S:
            return known[1]
        task = self._asking.get(chat_id)
        if task is None:
            task = self._asking[chat_id] = asyncio.create_task(self._ask(chat_id), name=f"administrators of {chat_id}")
            task.add_done_callback(lambda _: self._asking.pop(chat_id, None))
        return await asyncio.shield(task)

    def forget(self, chat_id: int) -> None:
        """Something changed there: the next question is asked afresh."""
        self._known.pop(chat_id, None)

    async def _ask(self, chat_id: int) -> Administrators | None:
        asked_at = self._monotonic()
        try:
            members = await self._bot.get_chat_administrators(chat_id)
        except TelegramError as problem:
            log.warning("rights unknown", chat=chat_id, problem=problem_of(problem))
            self.forget(chat_id)
            return None
        found = Administrators(
            {member.user.id: _standing(member) for member in members},
            next((_own(member) for member in members if member.user.id == self._bot.id), Own()),
        )
        self._known[chat_id] = (asked_at, found)
        self._known.move_to_end(chat_id)
        if len(self._known) > KEPT_MAX:
            self._known.popitem(last=False)
        return found


def _standing(member: ChatMember) -> Standing:
    match member:
        case ChatMemberOwner():
            return Standing(frozenset({Role.OWNER}), administers=True, anonymous=member.is_anonymous)
        case ChatMemberAdministrator():
            return Standing(administers=True, anonymous=member.is_anonymous)
        case _:
            return NOBODY


def _own(member: ChatMember) -> Own:
    if not isinstance(member, ChatMemberAdministrator):
        return Own()
    return Own(True, bool(member.can_delete_messages), bool(member.can_pin_messages))


def is_here(member: ChatMember) -> bool:
    """Whether somebody is in the group."""
    if member.status == ChatMember.RESTRICTED:
        return bool(getattr(member, "is_member", False))
    return member.status in HERE
