"""One call to Telegram, and what is done about its failures."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from msgspec import Struct
from telegram import InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from adapters.contract import File, Picture
from adapters.telegram.calling import NotSent
from adapters.telegram.logs import log, problem_of
from adapters.telegram.pacing import Urgency
from adapters.telegram.rendering import Written, short

T = TypeVar("T")

CAPTION_UNITS_MAX: Final = 1024
ATTEMPTS: Final = 3

_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
# As it is sent: the library would take a twentieth of its time to write it anew for every message.
_PLAIN: Final = {"link_preview_options": _NO_PREVIEW.to_json()}


class Target(Struct, frozen=True, kw_only=True):
    """A chat, and what in it: its topic, the message to stand under, the one person who may see it."""

    chat: int
    topic: int | None = None
    under: int | None = None
    only_to: int | None = None
    only_under: int | None = None
    callback: str | None = None


class Sent(Struct, frozen=True):
    """A message that is there now. `to_one`: its id where only one person sees it."""

    chat: int
    message: int
    to_one: int | None = None


class Unreachable(Exception):
    """The chat or person cannot be written to: blocked, kicked, deleted, closed, or not allowed to see it so."""


class Sender:
    """Sends and edits. `moved` is told when a chat has got a new id."""

    def __init__(self, bot: ExtBot[int], moved: Callable[[int, int], Awaitable[None]]) -> None:
        self._bot = bot
        self._moved = moved

    async def text(
        self,
        text: Written,
        target: Target,
        keyboard: InlineKeyboardMarkup | None = None,
        urgency: Urgency = Urgency.ANSWER,
    ) -> Sent:
        """Raises Unreachable, and TelegramError where nobody knows whether it was sent."""

        async def send(chat: int, *, html: bool) -> Message:
            return await self._bot.send_message(
                chat,
                text.html if html else text.plain,
                parse_mode=ParseMode.HTML if html else None,
                message_thread_id=target.topic,
                reply_parameters=_under(target),
                reply_markup=keyboard,
                api_kwargs=_PLAIN | (_only(target) or {}),
                rate_limit_args=urgency,
            )

        message = await self._reaching(target.chat, lambda chat: _in_html_or_plain(send, chat))
        return await self._seen_as_meant(_sent(message), target)

    async def file(self, file: File, target: Target) -> Sent:
        """Raises as `text` does."""
        message = await self._reaching(
            target.chat,
            lambda chat: self._bot.send_document(
                chat,
                file.content,
                filename=file.name,
                message_thread_id=target.topic,
                reply_parameters=_under(target),
                api_kwargs=_only(target),
                rate_limit_args=Urgency.ANSWER,
            ),
        )
        return await self._seen_as_meant(_sent(message), target)

    async def picture(self, picture: Picture, target: Target) -> Sent:
        """Raises as `text` does."""
        caption = short([Written("", picture.words)], CAPTION_UNITS_MAX)
        message = await self._reaching(
            target.chat,
            lambda chat: self._bot.send_photo(
                chat,
                picture.png,
                caption=caption,
                message_thread_id=target.topic,
                reply_parameters=_under(target),
                api_kwargs=_only(target),
                rate_limit_args=Urgency.ANSWER,
            ),
        )
        return await self._seen_as_meant(_sent(message), target)

    async def edit(self, sent: Sent, text: Written, keyboard: InlineKeyboardMarkup | None, person: int = 0) -> bool:
        """Puts `text` in the place of what was sent. False where that message cannot be changed any more."""

        async def put(chat: int, *, html: bool) -> object:
            parse_mode = ParseMode.HTML if html else None
            shown = text.html if html else text.plain
            if sent.to_one is None:
                return await self._bot.edit_message_text(
                    shown,
                    chat,
                    sent.message,
                    parse_mode=parse_mode,
                    reply_markup=keyboard,
                    link_preview_options=_NO_PREVIEW,
                    rate_limit_args=Urgency.ANSWER,
                )
            # Newer than the library: sent as it stands in Telegram's list of methods.
            fields: dict[str, Any] = {
                "chat_id": chat,
                "receiver_user_id": person,
                "ephemeral_message_id": sent.to_one,
                "text": shown,
                "link_preview_options": _NO_PREVIEW,
            }
            if parse_mode is not None:
                fields["parse_mode"] = parse_mode
            if keyboard is not None:
                fields["reply_markup"] = keyboard
            return await self._bot.do_api_request(
                "editEphemeralMessageText", api_kwargs=fields, rate_limit_args=Urgency.ANSWER
            )

        try:
            await self._reaching(sent.chat, lambda chat: _in_html_or_plain(put, chat))
        except BadRequest as problem:
            if "not modified" in problem.message.lower():
                return True
            log.info("not edited", chat=sent.chat, problem=problem_of(problem))
            return False
        except Unreachable:
            return False
        return True

    async def remove(self, sent: Sent, person: int = 0) -> None:
        """Takes a message away, where that is allowed."""
        try:
            if sent.to_one is None:
                await self._bot.delete_message(sent.chat, sent.message)
            else:
                fields = {
                    "chat_id": sent.chat,
                    "receiver_user_id": person,
                    "ephemeral_message_id": sent.to_one,
                }
                await self._bot.do_api_request("deleteEphemeralMessage", api_kwargs=fields)
        except TelegramError as problem:
            log.info("not removed", chat=sent.chat, problem=problem_of(problem))

    async def answer_press(self, callback: str, text: str = "", *, alert: bool = False) -> None:
        """Ends the waiting of whoever pressed. An old press needs no answer any more."""
        try:
            await self._bot.answer_callback_query(callback, text or None, show_alert=alert)
        except TelegramError as problem:
            log.info("press not answered", problem=problem_of(problem))

    async def _seen_as_meant(self, sent: Sent, target: Target) -> Sent:
        """Raises Unreachable where what is for one person was shown to everyone, and takes it away: a server that does
        not know the parameter leaves it out unsaid."""
        if target.only_to is None or sent.to_one is not None:
            return sent
        log.error("shown to everyone", chat=sent.chat)
        await self.remove(sent)
        raise Unreachable

    async def _reaching(self, chat: int, send: Callable[[int], Awaitable[T]]) -> T:
        """Does it, following a chat that moved, and again where it cannot have been done."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await send(chat)
            except ChatMigrated as migrated:
                if attempt == ATTEMPTS:
                    raise
                await self._moved(chat, migrated.new_chat_id)
                chat = migrated.new_chat_id
            except Forbidden as problem:
                log.info("unreachable", chat=chat, problem=problem_of(problem))
                raise Unreachable from problem
            except BadRequest as problem:
                if _is_unreachable(problem):
                    log.info("unreachable", chat=chat, problem=problem_of(problem))
                    raise Unreachable from problem
                raise
            except NetworkError as problem:
                # Whatever may have arrived is not sent twice.
                if not is_unsent(problem) or attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt returns or raises")


def is_unsent(problem: TelegramError) -> bool:
    """Whether a request that failed so has done nothing for sure, and may be made again."""
    return isinstance(problem, NotSent | RetryAfter)


async def _in_html_or_plain(send: Callable[..., Awaitable[T]], chat: int) -> T:
    """In HTML; where Telegram cannot read that, once as plain text."""
    try:
        return await send(chat, html=True)
    except BadRequest as problem:
        if "can't parse entities" not in problem.message.lower():
            raise
        log.error("html refused", chat=chat)
        return await send(chat, html=False)


_CLOSED: Final = (
    "chat not found",
    "user not found",
    "topic_closed",
    "topic_deleted",
    "message thread not found",
    "not enough rights",
    "have no rights",
    "chat_write_forbidden",
    "chat_restricted",
    "peer_id_invalid",
    "group chat was deactivated",
    "bot can't initiate conversation",
    "message_not_command",
    "user_not_participant",
    "participant_id_invalid",
    "ephemeral",
    "query is too old",
    "query_id_invalid",
)


def _is_unreachable(problem: BadRequest) -> bool:
    told = problem.message.lower()
    return any(words in told for words in _CLOSED)


def _under(target: Target) -> ReplyParameters | None:
    if target.only_under is not None:
        # The library wants an id, and Telegram the other one.
        return _EphemeralReply(target.only_under)
    if target.under is None:
        return None
    return ReplyParameters(target.under, allow_sending_without_reply=True)


class _EphemeralReply(ReplyParameters):
    """Under a message that only one person sees."""

    __slots__ = ()

    def __init__(self, ephemeral_id: int) -> None:
        super().__init__(message_id=0, api_kwargs={"ephemeral_message_id": ephemeral_id})

    def to_dict(self, recursive: bool = True) -> dict[str, Any]:
        fields = super().to_dict(recursive)
        fields.pop("message_id", None)
        return fields


def _only(target: Target) -> dict[str, Any] | None:
    if target.only_to is None:
        return None
    parameters: dict[str, Any] = {"receiver_user_id": target.only_to}
    if target.callback is not None:
        parameters["callback_query_id"] = target.callback
    return {"ephemeral_message_parameters": json.dumps(parameters)}


def _sent(message: Message) -> Sent:
    to_one = message.api_kwargs.get("ephemeral_message_id")
    return Sent(message.chat.id, message.message_id, to_one if isinstance(to_one, int) else None)
