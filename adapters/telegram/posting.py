"""Gets a reply to where it belongs: into the group, or to the one person it is for, as well as Telegram can.

A private answer in a group is a message that only the person sees, where the bot may send such; else it goes to their
own chat with the bot, with a short word in the group; else, after a press, into an alert; else it waits behind a
button. What is one's own is never said in the group.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message
from telegram.error import TelegramError

from adapters.contract import Conversation, File, Hint, Memory, Node, Picture, Reply, Strand, Visibility
from adapters.telegram.buttons import NO_HEAD, Head, data_of, rows
from adapters.telegram.logs import log, problem_of
from adapters.telegram.posts import Keyboard, Posts
from adapters.telegram.reading import identity
from adapters.telegram.rendering import (
    TEXT_UNITS_MAX,
    Addressing,
    Words,
    Written,
    as_they_are,
    pages,
    short,
    units,
    written,
)
from adapters.telegram.sending import Sender, Sent, Target, Unreachable
from adapters.telegram.standing import Own
from adapters.telegram.strands import Strands
from adapters.telegram.sweeping import Sweeper
from adapters.telegram.where import Where

ALERT_UNITS_MAX: Final = 200
LOOKS: Final = ("q:", "m:")
"""Begin the data of buttons that only look."""
WAITS: Final = "waits_until"
"""The field of what waits for somebody."""
LINK: Final = "c"
"""Begins what comes along in a link by which somebody takes up what waits for them; the group follows. It proves
nothing: who they are Telegram says, and whether they are in the group."""
THANKS: Final = "thanks"
"""The outcome that is added to what it is about: how much was sent stays to be seen."""
TOLD_MAX: Final = 10_000
WAITS_FOR: Final = timedelta(minutes=10)
"""How long an answer can be fetched by whoever has to open a chat first."""


class Postman:
    """Delivers replies. `own` tells what the bot is in a group, `sees_all` whether it sees every message there."""

    def __init__(
        self,
        sender: Sender,
        posts: Posts,
        sweeper: Sweeper,
        conversation: Conversation,
        memory: Memory,
        *,
        addressing: Addressing,
        link: Callable[[str], str],
    ) -> None:
        self._sender = sender
        self._posts = posts
        self._strands = Strands(posts, memory)
        self._sweeper = sweeper
        self._conversation = conversation
        self._memory = memory
        self._addressing = addressing
        self._link = link
        self._told: OrderedDict[tuple[int, str], bool] = OrderedDict()
        """What this process told lately, or is telling, in which chat; whether that was an answer given again."""

    async def deliver(self, reply: Reply, where: Where, own: Own, *, sees_all: bool = True) -> None:
        """Never raises for what Telegram refuses: coins have moved or not, whoever can be told or not."""
        try:
            if where.callback is not None:
                await self._answer_press(reply, where, own, sees_all=sees_all)
            elif where.alone:
                await self._in_chat(reply, where)
            elif reply.visibility is Visibility.PUBLIC:
                await self._publicly(reply, where, own, sees_all=sees_all)
            else:
                await self._privately(reply, where, own, sees_all=sees_all)
        except Unreachable:
            log.info("not delivered", outcome=reply.outcome, chat=where.chat)
        except TelegramError as problem:
            log.warning("delivery in doubt", outcome=reply.outcome, chat=where.chat, problem=problem_of(problem))

    async def deliver_to_chat(self, reply: Reply, asked_in: Where) -> None:
        """Delivers an answer to what was asked in a group into the person's own chat."""
        try:
            await self._to_their_chat(reply, asked_in)
        except TelegramError as problem:
            log.warning("delivery in doubt", outcome=reply.outcome, chat=asked_in.person, problem=problem_of(problem))

    async def whisper(self, reply: Reply, where: Where, own: Own) -> None:
        """Tells one person something that they did not ask for, where that can be done without a word to others."""
        try:
            if not await self._to_one(reply, where, own, sees_all=True) and not await self._to_their_chat(reply, where):
                log.info("not delivered", outcome=reply.outcome, chat=where.chat)
        except TelegramError as problem:
            log.warning("delivery in doubt", outcome=reply.outcome, chat=where.chat, problem=problem_of(problem))

    async def hint(self, hint: Hint, where: Where, own: Own, **named: str) -> None:
        """Says something of the door's own, to whom it concerns alone; nothing where answers queue up already."""
        if where.callback is None and self._posts.is_crowded(where.chat):
            log.info("hint left out", hint=hint.value, chat=where.chat)
            return
        await self.deliver(self._conversation.hint(hint, where.locale, **named), where, own)

    # --- to everyone ------------------------------------------------------------------------------------------------

    async def _publicly(self, reply: Reply, where: Where, own: Own, *, sees_all: bool) -> None:
        """Once, though somebody presses or sends it again while it is on its way: the later answer may overtake."""
        if reply.mark is None:
            await self._to_everyone(reply, where, own, sees_all=sees_all)
            return
        about = (where.chat, reply.mark)
        if about in self._told and (reply.repeated or self._told[about]):
            return
        self._told[about] = reply.repeated
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        try:
            await self._to_everyone(reply, where, own, sees_all=sees_all)
        except BaseException:
            self._told.pop(about, None)
            raise

    async def _to_everyone(self, reply: Reply, where: Where, own: Own, *, sees_all: bool) -> None:
        words = self._words(own, sees_all=sees_all)
        if reply.repeated and reply.mark and await self._posts.is_published(where.chat, reply.mark):
            return
        text = self._pages(reply, words)
        keyboard = await self._keyboards(reply)
        if reply.strand is not None and len(text) == 1:
            await self._of_strand(reply.strand, text[0], where, keyboard)
            return
        if WAITS in reply.fields:
            keyboard = self._with_link(keyboard, where)
        if reply.replaced_mark is not None and await self._posts.replace(
            text, where.chat, reply.replaced_mark, reply.mark, keyboard
        ):
            return
        if where.post is not None and reply.mark is not None and len(text) == 1:
            await self._posts.list_under(text[0], self._target(where, under=where.post), reply.mark, keyboard)
            return
        target = self._target(where, under=where.message)
        await self._posts.publish(text, target, reply.mark, keyboard)
        await self._attach(reply, target)

    async def _of_strand(self, strand: Strand, page: Written, where: Where, keyboard: Keyboard) -> None:
        async def publish(page: Written, keyboard: Keyboard) -> None:
            if where.post is not None:
                await self._posts.list_under(page, self._target(where, under=where.post), strand.key, keyboard)
            else:
                await self._posts.publish([page], self._target(where, under=where.message), strand.key, keyboard)

        await self._strands.tell(strand, page, where.chat, keyboard, publish)

    # --- to one person ----------------------------------------------------------------------------------------------

    async def _in_chat(self, reply: Reply, where: Where) -> None:
        """In their own chat with the bot."""
        await self._send(reply, Target(chat=where.chat), NO_HEAD, as_they_are)

    async def _privately(self, reply: Reply, where: Where, own: Own, *, sees_all: bool) -> None:
        """In a group, seen by them alone."""
        if await self._to_one(reply, where, own, sees_all=sees_all):
            self._sweep_command(where, own)
            return
        if await self._to_their_chat(reply, where):
            await self._point(Hint.ANSWERED, where)
            self._sweep_command(where, own)
        else:
            await self._let_wait(where)

    async def _to_one(self, reply: Reply, where: Where, own: Own, *, sees_all: bool) -> bool:
        """A message in the group that nobody else sees. Whether that went."""
        if not own.administers and where.ephemeral is None and where.callback is None:
            return False
        target = Target(
            chat=where.chat,
            topic=where.topic,
            only_to=where.person,
            only_under=where.ephemeral,
            callback=where.callback,
        )
        try:
            await self._send(reply, target, NO_HEAD, self._words(own, sees_all=sees_all))
        except Unreachable:
            return False
        return True

    async def _to_their_chat(self, reply: Reply, where: Where) -> bool:
        try:
            await self._send(reply, Target(chat=where.person), Head(where.chat, where.topic), as_they_are)
        except Unreachable:
            return False
        return True

    async def _point(self, hint: Hint, where: Where, keyboard: InlineKeyboardMarkup | None = None) -> None:
        """A short word in the group that removes itself."""
        told = self._conversation.hint(hint, where.locale, name=where.name)
        text = pages(written(told.nodes))[0]
        sent = await self._sender.text(text, self._target(where, under=where.message), keyboard)
        self._sweeper.later(sent)

    async def _let_wait(self, where: Where) -> None:
        """They never wrote to the bot, so it may not write to them: the answer waits behind a button.

        What is kept is what they wrote. It is carried out once, so reading it again finds the same answer.
        """
        if where.received is None:
            return
        token = secrets.token_urlsafe(12)
        await self._memory.put("answer", token, where.received.to_json(), keep=WAITS_FOR)
        told = self._conversation.hint(Hint.ANSWER_WAITS, where.locale, name=where.name)
        button = InlineKeyboardButton(told.buttons[0].label, url=self._link(f"a{token}"))
        await self._point(Hint.ANSWER_WAITS, where, InlineKeyboardMarkup([[button]]))

    # --- after a press ----------------------------------------------------------------------------------------------

    async def _answer_press(self, reply: Reply, where: Where, own: Own, *, sees_all: bool) -> None:
        callback = where.callback or ""
        shown_to_one = where.shown_in == where.person or where.shown_to_one is not None
        if reply.visibility is Visibility.PUBLIC and not where.alone:
            if not shown_to_one and reply.receipt is None:
                is_shown = self._add_shown if reply.outcome == THANKS else self._edit_shown
                if await is_shown(reply, where, own, sees_all):
                    await self._sender.answer_press(callback)
                    return
            await self._sender.answer_press(callback)
            await self._publicly(reply, where, own, sees_all=sees_all)
            if shown_to_one:
                # The question is answered; what came of it stands in the group.
                await self._settle(reply, where)
            return
        if shown_to_one and await self._edit_shown(reply, where, own, sees_all):
            await self._sender.answer_press(callback)
            return
        text = short(written(_without_files(reply.nodes)), 10_000)
        if not reply.buttons and not _files(reply.nodes) and len(text) <= ALERT_UNITS_MAX:
            await self._sender.answer_press(callback, text, alert=True)
            return
        if await self._to_one(reply, where, own, sees_all=sees_all):
            await self._sender.answer_press(callback)
        elif await self._to_their_chat(reply, where):
            told = self._conversation.hint(Hint.ANSWERED, where.locale, name=where.name)
            await self._sender.answer_press(callback, short(written(told.nodes), ALERT_UNITS_MAX))
        else:
            await self._sender.answer_press(callback, short(written(reply.nodes), ALERT_UNITS_MAX), alert=True)

    async def _edit_shown(self, reply: Reply, where: Where, own: Own, sees_all: bool) -> bool:
        """Puts the answer where the pressed button is."""
        sent = _shown(where)
        if sent is None or _files(reply.nodes):
            return False
        in_own_chat = sent.chat == where.person
        words = as_they_are if in_own_chat else self._words(own, sees_all=sees_all)
        head = Head(where.chat, where.topic) if in_own_chat and where.chat != where.person else NO_HEAD
        to_everyone = not in_own_chat and sent.to_one is None
        text = self._pages(reply, words, linked=False)
        if len(text) != 1:
            return False
        keyboard = await self._keyboard(reply, head, to_everyone=to_everyone)
        return await self._sender.edit(sent, text[0], keyboard, where.person)

    async def _add_shown(self, reply: Reply, where: Where, own: Own, sees_all: bool) -> bool:
        """Puts the answer below what the message with the pressed button says, and takes that button away."""
        sent, pressed = _shown(where), where.pressed
        text = self._pages(reply, self._words(own, sees_all=sees_all), linked=False)
        if sent is None or pressed is None or not isinstance(pressed.message, Message) or len(text) != 1:
            return False
        said = Written(f"{pressed.message.text_html}\n{text[0].html}", f"{pressed.message.text or ''}\n{text[0].plain}")
        if not pressed.message.text or units(said.plain) > TEXT_UNITS_MAX:
            return False
        await self._posts.keep_thanks(sent, text[0])
        return await self._sender.edit(sent, said, _others(pressed.message, pressed.data))

    async def _settle(self, reply: Reply, where: Where) -> None:
        sent = _shown(where)
        if sent is None:
            return
        if sent.to_one is not None:
            await self._sender.remove(sent, where.person)
        else:
            text = self._pages(reply, as_they_are, linked=False)
            await self._sender.edit(sent, text[0], None)

    # --- parts ------------------------------------------------------------------------------------------------------

    async def _send(self, reply: Reply, target: Target, head: Head, words: Words) -> None:
        text = self._pages(reply, words, linked=False)
        keyboard = await self._keyboard(reply, head, to_everyone=False)
        for number, page in enumerate(text, start=1):
            await self._sender.text(page, target, keyboard if number == len(text) else None)
        await self._attach(reply, target)

    async def _attach(self, reply: Reply, target: Target) -> None:
        for node in reply.nodes:
            if isinstance(node, File):
                await self._sender.file(node, target)
            elif isinstance(node, Picture):
                await self._sender.picture(node, target)

    def _pages(self, reply: Reply, words: Words, *, linked: bool = True) -> list[Written]:
        pings = reply.pings if linked else ()
        found = pages(written(_without_files(reply.nodes), pings=pings, words=words))
        return found or pages(written(reply.nodes)) or [Written("…", "…")]

    async def _keyboards(self, reply: Reply) -> Keyboard:
        """Under a message for everyone: what only looks makes sense under a message about several things as well."""
        looks = tuple(button for button in reply.buttons if button.data.startswith(LOOKS) and button.presser is None)
        return Keyboard(
            await self._keyboard(reply, NO_HEAD, to_everyone=True),
            await self._keyboard(msgspec.structs.replace(reply, buttons=looks), NO_HEAD, to_everyone=True),
        )

    async def _keyboard(self, reply: Reply, head: Head, *, to_everyone: bool) -> InlineKeyboardMarkup | None:
        made = []
        for button in reply.buttons:
            own_head = head
            if to_everyone and button.presser is not None and button.presser == identity_of(button.presser.native_id):
                own_head = msgspec.structs.replace(head, presser=int(button.presser.native_id))
            data = await data_of(button, own_head, self._memory)
            made.append(InlineKeyboardButton(button.label, callback_data=data))
        return rows(made)

    def _with_link(self, keyboard: Keyboard, where: Where) -> Keyboard:
        """Whoever it waits for can come by a link, also where the bot does not hear what is said."""
        label = self._conversation.hint(Hint.TAKE_UP, where.locale).buttons[0].label
        link = [InlineKeyboardButton(label, url=self._link(f"{LINK}{where.chat}"))]
        there = () if keyboard.alone is None else keyboard.alone.inline_keyboard
        return Keyboard(InlineKeyboardMarkup([*there, link]), keyboard.shared)

    def _words(self, own: Own, *, sees_all: bool) -> Words:
        return as_they_are if sees_all or own.administers else self._addressing

    def _target(self, where: Where, *, under: int | None) -> Target:
        return Target(chat=where.chat, topic=where.topic, under=under)

    def _sweep_command(self, where: Where, own: Own) -> None:
        """A command that was answered in private needs nobody's attention."""
        if own.may_delete and where.message is not None and where.callback is None and where.ephemeral is None:
            self._sweeper.later(Sent(where.chat, where.message))


def identity_of(native_id: str) -> object:
    return identity(int(native_id)) if native_id.isdigit() else None


def _shown(where: Where) -> Sent | None:
    if where.shown_in is None or (where.shown_as is None and where.shown_to_one is None):
        return None
    return Sent(where.shown_in, where.shown_as or 0, where.shown_to_one)


def _others(shown: Message, data: str | None) -> InlineKeyboardMarkup | None:
    """The buttons of a message but the one that carries `data`."""
    markup = shown.reply_markup
    buttons = () if markup is None else (button for row in markup.inline_keyboard for button in row)
    return rows([button for button in buttons if button.callback_data != data])


def _files(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if isinstance(node, File | Picture)]


def _without_files(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if not isinstance(node, File | Picture)]
