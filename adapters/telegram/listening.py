"""One update -> what the conversation is told or asked, and the answer on its way."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from telegram import Bot, CallbackQuery, ChatMember, ChatMemberUpdated, Message, Update, User
from telegram.constants import ChatType
from telegram.error import TelegramError

from adapters.contract import (
    ATTACHMENT_BYTES_MAX,
    Attachment,
    Conversation,
    Invocation,
    Memory,
    Mention,
    Notice,
    OptionKind,
    Pressed,
    Reply,
    Word,
)
from adapters.telegram import inline, reading
from adapters.telegram.acquaintance import Acquaintance
from adapters.telegram.buttons import DOOR, head_and_data
from adapters.telegram.logs import log, problem_of
from adapters.telegram.posting import Postman
from adapters.telegram.reading import Command, Handle, NotOurs, Token
from adapters.telegram.standing import NOBODY, Own, Rights, Standing, is_here
from adapters.telegram.telling import WHOLE_GROUP
from adapters.telegram.where import Where
from economy.service import Sighting

ACTS_MAX: Final = 20_000
NAMED_IN_FILE_MAX: Final = 5_000
MOVED_FOR: Final = timedelta(days=3650)
GREETED_FOR: Final = timedelta(hours=1)


LARGEST_SUPERGROUP: Final = -1_000_000_000_000
"""Supergroups have ids from here down."""


class Me(Struct, frozen=True):
    """The bot itself. `sees_all`: no privacy mode, so it sees every message of every group."""

    id: int
    handle: str
    sees_all: bool


class FileProblem(Exception):
    """A file that cannot be taken: the notice that says why."""

    def __init__(self, notice: Notice, name: str) -> None:
        super().__init__(notice)
        self.notice = notice
        self.name = name


class Listener:
    """Hears everything that Telegram brings. What one person does is done in its order."""

    def __init__(
        self,
        *,
        me: Me,
        bot: Bot,
        conversation: Conversation,
        memory: Memory,
        rights: Rights,
        acquaintance: Acquaintance,
        postman: Postman,
    ) -> None:
        self._me = me
        self._bot = bot
        self._conversation = conversation
        self._memory = memory
        self._rights = rights
        self._acquaintance = acquaintance
        self._postman = postman
        self._specs = conversation.specs()
        self._lanes: dict[int, asyncio.Lock] = {}
        self._acts: OrderedDict[str, None] = OrderedDict()

    async def take(self, update: Update) -> None:
        """Does what an update asks for. Edits, and all that nobody here typed, ask for nothing."""
        if update.message is not None:
            await self._message(update.message)
        elif update.callback_query is not None:
            await self._press(update.callback_query)
        elif update.chat_member is not None:
            await self._member(update.chat_member, update.update_id)
        elif update.my_chat_member is not None:
            await self._self(update.my_chat_member)
        elif update.inline_query is not None:
            await inline.answer(update.inline_query, self._conversation, self._acquaintance, link=self._link)

    def _link(self, payload: str) -> str:
        return f"https://t.me/{self._me.handle}?start={payload}"

    # --- messages ---------------------------------------------------------------------------------------------------

    async def _message(self, message: Message) -> None:
        chat = message.chat
        if message.migrate_to_chat_id is not None:
            await self.moved(chat.id, message.migrate_to_chat_id)
        elif message.migrate_from_chat_id is not None:
            await self.moved(message.migrate_from_chat_id, chat.id)
        elif chat.type == ChatType.PRIVATE:
            await self._in_private(message)
        elif reading.is_group(chat):
            await self._in_group(message)

    async def moved(self, old: int, new: int) -> None:
        """A group became a supergroup: it has another id, and is the same place."""
        await self._memory.put("moved", str(old), str(new), keep=MOVED_FOR)
        is_there = await self._conversation.moved(reading.place(old), reading.place(new))
        self._rights.forget(old)
        self._rights.forget(new)
        if not is_there:
            log.error("place not moved", old=old, new=new)

    async def _now_at(self, chat_id: int) -> int:
        """The id that a group has now: only groups that are no supergroups yet ever get another."""
        if chat_id <= LARGEST_SUPERGROUP:
            return chat_id
        found = await self._memory.get("moved", str(chat_id))
        return chat_id if found is None else int(found)

    async def _in_group(self, message: Message) -> None:
        chat_id = await self._now_at(message.chat.id)
        await self._came_and_went(message, chat_id)
        said = reading.command(message, self._me.handle)
        if reading.is_hidden(message):
            if isinstance(said, Command) and self._is_known(said) and not message.is_automatic_forward:
                await self._hidden(message)
            return
        user = message.from_user
        if user is None:
            return
        where = self._where(message, user, chat_id)
        if not reading.is_typed(message):
            if isinstance(said, Command) and self._is_known(said):
                await self._postman.notice(Notice.NOT_TYPED, where, await self._rights.own(chat_id))
            return
        await self._acquaintance.met(user)
        await self._acquaintance.was_in(user.id, chat_id)
        self._acquaintance.is_in(chat_id, user.id)
        if isinstance(said, Command) and said.name.casefold() == "start":
            await self._greet(chat_id, where)
        elif isinstance(said, Command):
            await self._carry_out(message, said, user, where)
        elif user.id != self._me.id:
            act = reading.act(message)
            shown = reading.sighting(user, present=True)
            await self._conversation.heard(reading.place(chat_id), shown, act)

    def _is_known(self, said: Command) -> bool:
        return said.addressed or bool(reading.specs_of(said.name, self._specs))

    async def _came_and_went(self, message: Message, chat_id: int) -> None:
        place = reading.place(chat_id)
        act = reading.act(message)
        for number, user in enumerate(message.new_chat_members or ()):
            if user.id != self._me.id:
                await self._acquaintance.met(user)
                self._acquaintance.is_in(chat_id, user.id)
                await self._conversation.came(place, reading.sighting(user, present=True), f"{act}:{number}")
        gone = message.left_chat_member
        if gone is not None and gone.id != self._me.id:
            self._acquaintance.left(chat_id, gone.id)
            await self._conversation.went(place, reading.sighting(gone, present=False), act)

    async def _hidden(self, message: Message) -> None:
        """Somebody without a name gives a command: an administrator can prove who they are, a channel cannot."""
        notice = Notice.ANONYMOUS if reading.is_of_anonymous_admin(message) else Notice.CHANNEL
        where = Where(
            chat=message.chat.id,
            person=0,
            name="",
            locale="en",
            topic=reading.topic(message),
            message=message.message_id,
        )
        await self._postman.notice(notice, where, await self._rights.own(message.chat.id))

    async def _in_private(self, message: Message) -> None:
        user = message.from_user
        if user is None or user.is_bot:
            return
        where = self._where(message, user)
        said = reading.command(message, self._me.handle)
        if isinstance(said, NotOurs):
            return
        if not reading.is_typed(message):
            if said is not None:
                await self._postman.notice(Notice.NOT_TYPED, where, Own())
            return
        await self._acquaintance.met(user)
        if said is not None and said.name.casefold() == "start":
            await self._start(said, user, where)
            return
        home = await self._acquaintance.home(user.id)
        if home is None:
            await self._postman.notice(Notice.NO_PLACE, where, Own())
        elif said is None:
            await self._postman.notice(Notice.HINT, where, Own())
        else:
            await self._carry_out(message, said, user, where, home=home)

    # --- beginnings -------------------------------------------------------------------------------------------------

    async def _start(self, said: Command, user: User, where: Where) -> None:
        """Opens a chat. What came along with it, in a link that anybody can write, does nothing by itself."""
        payload = said.tokens[0] if said.tokens and isinstance(said.tokens[0], str) else ""
        if payload.startswith("a") and await self._fetch(payload[1:], user, where):
            return
        if payload.startswith("g") and payload[1:].removeprefix("-").isdecimal():
            await self._acquaintance.go_home(user.id, int(payload[1:]))
        home = await self._acquaintance.home(user.id)
        if home is None:
            await self._postman.notice(Notice.NO_PLACE, where, Own())
            return
        await self._postman.notice(Notice.WELCOME, where, Own(), place=await self._title(home))

    async def _fetch(self, token: str, user: User, where: Where) -> bool:
        """Delivers the answer that waited until they opened a chat. Whether there was one for them."""
        raw = await self._memory.get("answer", token)
        if raw is None:
            return False
        message = Message.de_json(msgspec.json.decode(raw), self._bot)
        said = reading.command(message, self._me.handle)
        if message.from_user is None or message.from_user.id != user.id or not isinstance(said, Command):
            return False
        await self._memory.drop("answer", token)
        asked_in = self._where(message, user, await self._now_at(message.chat.id))
        reply = await self._reply(message, said, user, asked_in, home=None)
        if reply is not None:
            await self._postman.deliver_to_chat(reply, asked_in)
        return True

    async def _title(self, chat_id: int) -> str:
        try:
            return (await self._bot.get_chat(chat_id)).title or ""
        except TelegramError as problem:
            log.info("title unknown", chat=chat_id, problem=problem_of(problem))
            return "your group"

    async def _greet(self, chat_id: int, where: Where) -> None:
        own = await self._rights.own(chat_id)
        notice = Notice.ADDED if own.administers or self._me.sees_all else Notice.ADDED_BLIND
        await self._postman.notice(notice, where, own, bot=self._me.handle)

    # --- commands ---------------------------------------------------------------------------------------------------

    async def _carry_out(
        self, message: Message, said: Command, user: User, where: Where, home: int | None = None
    ) -> None:
        act = reading.act(message)
        if act in self._acts:
            # Delivered again: it was done and answered.
            return
        async with self._lane(user.id):
            reply = await self._reply(message, said, user, where, home=home)
        if reply is not None and (said.addressed or home is not None or not _is_for_others(reply)):
            await self._deliver(reply, where, home)
        self._acts[act] = None
        if len(self._acts) > ACTS_MAX:
            self._acts.popitem(last=False)

    async def _deliver(self, reply: Reply, where: Where, home: int | None) -> None:
        own = Own() if home is not None else await self._rights.own(where.chat)
        await self._postman.deliver(reply, where, own, sees_all=self._me.sees_all)

    async def _reply(
        self,
        message: Message,
        said: Command,
        user: User,
        where: Where,
        *,
        home: int | None,
        veiled: bool = False,
    ) -> Reply | None:
        """What the conversation answers. `home`: the group that is meant, where it was said to the bot alone."""
        chat_id = where.chat if home is None else home
        standing = await self._standing(chat_id, user.id, said)
        if standing is None:
            return self._conversation.notice(Notice.STANDING_UNKNOWN, locale=where.locale)
        replied_to, is_hidden = await self._answered(message, chat_id)
        words = [await self._word(token, chat_id) for token in said.tokens]
        if is_hidden and self._wants_somebody(said.name) and not any(isinstance(word, Mention) for word in words):
            return self._conversation.notice(Notice.HIDDEN_AUTHOR, locale=where.locale)
        try:
            words = await self._with_file(said.name, words, message)
        except FileProblem as problem:
            return self._conversation.notice(problem.notice, locale=where.locale, named={"name": problem.name})
        return await self._conversation.say(
            Invocation(
                act=reading.act(message),
                person=reading.sighting(user, present=True if home is None else None),
                place=reading.place(chat_id),
                command=said.name,
                words=tuple(words),
                standing=standing.roles,
                administers=standing.administers,
                channel=str(where.topic or WHOLE_GROUP) if home is None else None,
                channel_name=reading.topic_name(message),
                private=home is not None,
                replied_to=replied_to,
                locale=where.locale,
                said_at=message.date,
                veiled=veiled,
            )
        )

    async def _standing(self, chat_id: int, user_id: int, said: Command | None) -> Standing | None:
        """What somebody is there. Where Telegram does not say, nobody gives commands that take more than being a
        member: None then."""
        found = await self._rights.of(chat_id, user_id)
        if found is not None:
            return found
        if said is not None and any(spec.right is not None for spec in reading.specs_of(said.name, self._specs)):
            return None
        return Standing(self._rights.of_operator(user_id))

    async def _answered(self, message: Message, chat_id: int) -> tuple[Sighting | None, bool]:
        """Whose message this one answers, and whether the platform hides them."""
        answered = message.reply_to_message
        if answered is None or answered.forum_topic_created is not None or message.chat.type == ChatType.PRIVATE:
            return None, False
        if reading.is_hidden(answered):
            return None, True
        if answered.from_user is None:
            return None, False
        return await self._acquaintance.seen(chat_id, answered.from_user), False

    def _wants_somebody(self, name: str) -> bool:
        """Whether a command takes the author of what it answers for whom it means."""
        return any(
            option.required and option.kind in (OptionKind.MEMBER, OptionKind.RECEIVERS)
            for spec in reading.specs_of(name, self._specs)
            for option in spec.options
        )

    async def _word(self, token: Token, chat_id: int) -> Word:
        match token:
            case Handle():
                known = await self._acquaintance.named(token)
                return f"@{token.name}" if known is None else Mention(await self._acquaintance.seen(chat_id, known))
            case Mention(person):
                user = User(int(person.identity.native_id), person.name, person.is_bot)
                return Mention(await self._acquaintance.seen(chat_id, user))
            case _:
                return token

    async def _with_file(self, name: str, words: list[Word], message: Message) -> list[Word]:
        """A file that the command answers stands where the command takes one. Raises FileProblem."""
        answered = message.reply_to_message
        if answered is None or answered.document is None or not reading.takes_file(name, self._specs):
            return words
        document = answered.document
        file_name = document.file_name or "file"
        if (document.file_size or 0) > ATTACHMENT_BYTES_MAX:
            raise FileProblem(Notice.FILE_TOO_LARGE, file_name)
        try:
            content = bytes(await (await document.get_file()).download_as_bytearray())
        except TelegramError as problem:
            log.info("file not fetched", problem=problem_of(problem))
            raise FileProblem(Notice.FILE_LOST, file_name) from problem
        if len(content) > ATTACHMENT_BYTES_MAX:
            raise FileProblem(Notice.FILE_TOO_LARGE, file_name)
        inner = {spec.name.partition(" ")[2] for spec in reading.specs_of(name, self._specs)}
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
            if reading.is_handle(name) and (known := await self._acquaintance.named(Handle(name))) is not None:
                found[name] = str(known.id)
        return found

    # --- presses ----------------------------------------------------------------------------------------------------

    async def _press(self, query: CallbackQuery) -> None:
        act = f"telegram:press:{query.id}"
        if act in self._acts:
            return
        self._acts[act] = None
        head, data = await head_and_data(query.data or "", self._memory)
        user, shown = query.from_user, query.message
        await self._acquaintance.met(user)
        home = None if head.chat is None else await self._now_at(head.chat)
        if home is None and shown is not None and shown.chat.type != ChatType.PRIVATE:
            home = shown.chat.id
        alone = home is None
        if home is None:
            home = await self._acquaintance.home(user.id)
        message = shown if isinstance(shown, Message) else None
        where = Where(
            chat=user.id if alone else home or user.id,
            person=user.id,
            name=user.full_name,
            locale=user.language_code or "en",
            topic=head.topic if message is None else head.topic or reading.topic(message),
            alone=alone,
            callback=query.id,
            shown_in=None if shown is None else shown.chat.id,
            shown_as=None if shown is None else shown.message_id or None,
            shown_to_one=None if message is None else reading.ephemeral_id(message),
        )
        own = Own() if alone or home is None else await self._rights.own(home)
        if home is None:
            await self._postman.notice(Notice.NO_PLACE, where, own)
        elif head.presser not in (None, user.id):
            await self._postman.notice(Notice.NOT_YOURS, where, own)
        elif data == f"{DOOR}prove":
            await self._prove(message, user, where, own)
        else:
            async with self._lane(user.id):
                reply = await self._pressed(act, data, user, home, where)
            await self._postman.deliver(reply, where, own, sees_all=self._me.sees_all)

    async def _pressed(self, act: str, data: str, user: User, home: int, where: Where) -> Reply:
        standing = await self._standing(home, user.id, None) or NOBODY
        return await self._conversation.press(
            Pressed(
                act=act,
                person=reading.sighting(user),
                place=reading.place(home),
                data=data,
                standing=standing.roles,
                administers=standing.administers,
                channel=None if where.alone else str(where.topic or WHOLE_GROUP),
                private=where.alone,
                locale=where.locale,
            )
        )

    async def _prove(self, shown: Message | None, user: User, where: Where, own: Own) -> None:
        """Whoever wrote without a name pressed: Telegram says who that is. The command is carried out as theirs, once,
        and nobody sees by whom."""
        message = shown.reply_to_message if shown is not None else None
        said = None if message is None else reading.command(message, self._me.handle)
        standing = await self._rights.of(where.chat, user.id)
        if message is None or not isinstance(said, Command) or not reading.is_of_anonymous_admin(message):
            await self._postman.notice(Notice.NOT_TYPED, where, own)
        elif standing is None:
            await self._postman.notice(Notice.STANDING_UNKNOWN, where, own)
        elif not standing.anonymous:
            await self._postman.notice(Notice.NOT_HIDDEN, where, own)
        else:
            async with self._lane(user.id):
                reply = await self._reply(message, said, user, where, home=None, veiled=True)
            if reply is not None:
                under = msgspec.structs.replace(where, message=message.message_id)
                await self._postman.deliver(reply, under, own, sees_all=self._me.sees_all)

    # --- who is there -----------------------------------------------------------------------------------------------

    async def _member(self, change: ChatMemberUpdated, update_id: int) -> None:
        """Somebody came, went, or became an administrator."""
        user, chat = change.new_chat_member.user, change.chat
        self._rights.forget(chat.id)
        if not reading.is_group(chat) or user.id == self._me.id:
            return
        was, is_there = is_here(change.old_chat_member), is_here(change.new_chat_member)
        act = f"telegram:member:{chat.id}:{user.id}:{int(change.date.timestamp())}:{update_id}"
        if is_there and not was:
            await self._acquaintance.met(user)
            self._acquaintance.is_in(chat.id, user.id)
            await self._conversation.came(reading.place(chat.id), reading.sighting(user, present=True), act)
        elif was and not is_there:
            self._acquaintance.left(chat.id, user.id)
            await self._conversation.went(reading.place(chat.id), reading.sighting(user, present=False), act)

    async def _self(self, change: ChatMemberUpdated) -> None:
        """The bot itself came, went, or may see more."""
        chat = change.chat
        self._rights.forget(chat.id)
        if not reading.is_group(chat) or not is_here(change.new_chat_member):
            return
        where = Where(chat=chat.id, person=change.from_user.id, name="", locale="en")
        administers = change.new_chat_member.status == ChatMember.ADMINISTRATOR
        if not is_here(change.old_chat_member):
            if await self._memory.swap("greeted", str(chat.id), None, "yes", keep=GREETED_FOR):
                await self._greet(chat.id, where)
        elif administers and change.old_chat_member.status != ChatMember.ADMINISTRATOR and not self._me.sees_all:
            await self._postman.notice(Notice.SEES, where, await self._rights.own(chat.id))

    # --- parts ------------------------------------------------------------------------------------------------------

    def _where(self, message: Message, user: User, chat_id: int | None = None) -> Where:
        answered = message.reply_to_message
        is_post = answered is not None and answered.forum_topic_created is None and not _is_by(answered, self._me.id)
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

    @asynccontextmanager
    async def _lane(self, user_id: int) -> AsyncIterator[None]:
        """One thing after the other for each person, in the order in which they came."""
        lane = self._lanes.setdefault(user_id, asyncio.Lock())
        try:
            async with lane:
                yield
        finally:
            if not lane.locked() and not getattr(lane, "_waiters", None):
                self._lanes.pop(user_id, None)


def _is_for_others(reply: Reply) -> bool:
    """A command that is none of ours and not like one: in a group there may be other bots."""
    return reply.code == "unknown_command" and not reply.fields.get("nearest")


def _is_by(message: Message, user_id: int) -> bool:
    return message.from_user is not None and message.from_user.id == user_id
