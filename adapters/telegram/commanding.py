"""A command in a message -> what the conversation answers to it."""

from __future__ import annotations

from typing import Final

from telegram import Message, User
from telegram.constants import ChatType
from telegram.error import TelegramError

from adapters.contract import (
    ATTACHMENT_BYTES_MAX,
    Attachment,
    Channel,
    Hint,
    Invocation,
    Mention,
    OptionKind,
    Reply,
    Unseen,
    Word,
)
from adapters.telegram import reading
from adapters.telegram.arriving import can_be_somebody, key_of
from adapters.telegram.logs import log, problem_of
from adapters.telegram.reading import Command, Handle, Token
from adapters.telegram.room import Room
from adapters.telegram.standing import Standing
from adapters.telegram.where import Where
from economy.service import Sighting

HERE: Final = "#here"
"""How somebody names the topic they write in: Telegram has no way to mention one."""

NAMED_IN_FILE_MAX: Final = 5_000


class FileProblem(Exception):
    """A file that cannot be taken: the hint that says why."""

    def __init__(self, hint: Hint, name: str) -> None:
        super().__init__(hint)
        self.hint = hint
        self.name = name


class Commands:
    """Reads commands to their end: who is meant, what is attached, what whoever gives them is there."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def where(self, message: Message, user: User, chat_id: int | None = None) -> Where:
        answered = message.reply_to_message
        is_post = (
            answered is not None and answered.forum_topic_created is None and not _is_by(answered, self._room.me.id)
        )
        to_one = reading.ephemeral_id(message)
        return Where(
            chat=chat_id or message.chat.id,
            person=user.id,
            name=user.full_name,
            locale=user.language_code or "en",
            topic=reading.topic(message),
            message=None if to_one is not None else message.message_id,
            alone=message.chat.type == ChatType.PRIVATE,
            ephemeral=to_one,
            post=answered.message_id if answered is not None and is_post else None,
            received=message,
        )

    async def reply(
        self,
        message: Message,
        said: Command,
        user: User,
        where: Where,
        *,
        home: int | None,
        veiled: bool = False,
    ) -> Reply:
        """What the conversation answers. `home`: the group that is meant, where it was said to the bot alone."""
        chat_id = where.chat if home is None else home
        standing = await self.standing(chat_id, user.id, said)
        if standing is None:
            return self._room.conversation.hint(Hint.STANDING_UNKNOWN, where.locale)
        replied_to, is_hidden = await self._answered(message, chat_id)
        words = [await self._word(token, chat_id, where) for token in said.tokens]
        if is_hidden and self._wants_somebody(said.name) and not any(isinstance(word, Mention) for word in words):
            return self._room.conversation.hint(Hint.HIDDEN_AUTHOR, where.locale)
        try:
            words = await self._with_file(said.name, words, message)
        except FileProblem as problem:
            return self._room.conversation.hint(problem.hint, where.locale, name=problem.name)
        return await self._room.conversation.say(
            Invocation(
                act=reading.act(message),
                person=reading.sighting(user, present=True if home is None else None),
                place=reading.place(chat_id),
                command=said.name,
                words=tuple(words),
                standing=standing.roles,
                administers=standing.administers,
                private=home is not None,
                replied_to=replied_to,
                locale=where.locale,
                said_at=message.date,
                channel=None if home is not None else reading.channel(chat_id, where.topic),
                veiled=veiled,
                place_name=message.chat.title or "" if home is None else await self._room.titles.of(home),
            )
        )

    async def standing(self, chat_id: int, user_id: int, said: Command | None) -> Standing | None:
        """What somebody is there. Where Telegram does not say, nobody gives commands that take more than being a
        member: None then."""
        found = await self._room.rights.of(chat_id, user_id)
        if found is not None:
            return found
        if said is not None and any(spec.right is not None for spec in reading.specs_of(said.name, self._room.specs)):
            return None
        return Standing(self._room.rights.of_operator(user_id))

    async def _answered(self, message: Message, chat_id: int) -> tuple[Sighting | None, bool]:
        """Whose message this one answers, and whether the platform hides them."""
        answered = message.reply_to_message
        if answered is None or answered.forum_topic_created is not None or message.chat.type == ChatType.PRIVATE:
            return None, False
        if reading.is_hidden(answered):
            return None, True
        if answered.from_user is None:
            return None, False
        return await self._room.acquaintance.seen(chat_id, answered.from_user), False

    def _wants_somebody(self, name: str) -> bool:
        """Whether a command takes the author of what it answers for whom it means."""
        return any(
            option.required and option.kind in (OptionKind.MEMBER, OptionKind.RECEIVERS)
            for spec in reading.specs_of(name, self._room.specs)
            for option in spec.options
        )

    async def _word(self, token: Token, chat_id: int, where: Where) -> Word:
        match token:
            case Handle():
                return await self._named(token, chat_id)
            case Mention(person):
                user = User(int(person.identity.native_id), person.name, person.is_bot)
                return Mention(await self._room.acquaintance.seen(chat_id, user))
            case str() if token.casefold() == HERE:
                called = f"topic {where.topic}" if where.topic else "here"
                return Channel(reading.channel(chat_id, where.topic), called)
            case _:
                return token

    async def _named(self, handle: Handle, chat_id: int) -> Word:
        """Who goes by an @name. Nobody may be known to, or somebody who never was in the group: they may come."""
        known = await self._room.acquaintance.named(handle)
        unseen = Unseen(handle.name, key_of(handle.name))
        if known is None:
            return unseen if can_be_somebody(handle.name) else f"@{handle.name}"
        found = await self._room.acquaintance.seen(chat_id, known)
        is_stranger = found.present is False and not found.is_bot and can_be_somebody(handle.name)
        if is_stranger and not await self._room.acquaintance.is_known_in(known.id, chat_id):
            return unseen
        return Mention(found)

    async def _with_file(self, name: str, words: list[Word], message: Message) -> list[Word]:
        """A file that the command answers stands where the command takes one. Raises FileProblem."""
        answered = message.reply_to_message
        if answered is None or answered.document is None or not reading.takes_file(name, self._room.specs):
            return words
        document = answered.document
        file_name = document.file_name or "file"
        if (document.file_size or 0) > ATTACHMENT_BYTES_MAX:
            raise FileProblem(Hint.FILE_TOO_LARGE, file_name)
        try:
            content = bytes(await (await document.get_file()).download_as_bytearray())
        except TelegramError as problem:
            log.info("file not fetched", problem=problem_of(problem))
            raise FileProblem(Hint.FILE_UNREADABLE, file_name) from problem
        if len(content) > ATTACHMENT_BYTES_MAX:
            raise FileProblem(Hint.FILE_TOO_LARGE, file_name)
        inner = {spec.name.partition(" ")[2] for spec in reading.specs_of(name, self._room.specs)}
        after = 1 if words and isinstance(words[0], str) and words[0].casefold() in inner else 0
        ids = await self._ids_in(content)
        file = Attachment(file_name, content, lambda name: ids.get(name.casefold(), name))
        return [*words[:after], file, *words[after:]]

    async def _ids_in(self, content: bytes) -> dict[str, str]:
        """Whom a file names by their @names, as far as they were met."""
        lines = content.decode("utf-8-sig", "replace").splitlines()[: NAMED_IN_FILE_MAX + 1]
        names = {line.partition(",")[0].strip().removeprefix("@").casefold() for line in lines}
        found: dict[str, str] = {}
        for name in names:
            if reading.is_handle(name) and (known := await self._room.acquaintance.named(Handle(name))) is not None:
                found[name] = str(known.id)
        return found


def _is_by(message: Message, user_id: int) -> bool:
    return message.from_user is not None and message.from_user.id == user_id
