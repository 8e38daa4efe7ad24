"""Where an answer belongs: the chat, the topic, the message it answers, and the person it is for."""

from __future__ import annotations

from msgspec import Struct
from telegram import CallbackQuery, Message


class Where(Struct, frozen=True, kw_only=True):
    """`chat`, `topic`: where it was asked. `message`: what the answer stands under; None for nothing.

    `alone`: the chat is the person's own with the bot. `ephemeral`: the id of the command, where only the person and
    the bot saw it. `post`: the message that the command answered, under which tips and gifts to it are listed.
    `callback`: the press that is to be answered. `shown_in`, `shown_as`: chat and id of the message with the button;
    `shown_to_one`: that message's id, where only the person sees it. `received`: what was said, to be read again.
    `pressed`: the press itself.
    """

    chat: int
    person: int
    name: str
    locale: str
    topic: int | None = None
    message: int | None = None
    alone: bool = False
    ephemeral: int | None = None
    post: int | None = None
    callback: str | None = None
    shown_in: int | None = None
    shown_as: int | None = None
    shown_to_one: int | None = None
    received: Message | None = None
    pressed: CallbackQuery | None = None
