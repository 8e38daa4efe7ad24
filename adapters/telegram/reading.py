"""A message -> what was said in it. Pure: who an @name is, is looked up by whoever reads on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from telegram import Chat, Message, MessageEntity, User
from telegram.constants import ChatID, ChatType

from adapters.contract import CommandSpec, Mention, OptionKind, RoleMention
from adapters.telegram.rendering import PLATFORM
from economy.service import Identity, Place, Role, Sighting

ROLE_WORDS: Final = {
    "treasurers": Role.TREASURER,
    "moderators": Role.MODERATOR,
    "auditors": Role.AUDITOR,
    "creators": Role.CREATOR,
}
"""Roles that `@word` names. Telegram has none of its own to mention."""

GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})

_WHITE: Final = re.compile(r"[ \t\n\r\x0b\x0c]+")
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?", re.ASCII)
_HANDLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)


class Handle(Struct, frozen=True):
    """`@name`, as somebody wrote it, without the sign."""

    name: str


Token = str | Mention | RoleMention | Handle


class Command(Struct, frozen=True):
    """A command as it stands in a message. `addressed`: by the name of the bot, and so certainly to it."""

    name: str
    addressed: bool
    tokens: tuple[Token, ...]


class NotOurs(Struct, frozen=True):
    """A command to another bot."""


# --- who and where --------------------------------------------------------------------------------------------------


def identity(user_id: int) -> Identity:
    return Identity(PLATFORM, str(user_id))


def place(chat_id: int) -> Place:
    return Place(PLATFORM, str(chat_id))


def chat_id_of(where: Place) -> int:
    return int(where.native_id)


def sighting(user: User, *, present: bool | None = None) -> Sighting:
    return Sighting(identity(user.id), user.full_name, user.is_bot, present)


def is_group(chat: Chat) -> bool:
    return chat.type in GROUPS


def topic(message: Message) -> int | None:
    """The forum topic that a message is in. Threads of replies have an id as well, and are none."""
    return message.message_thread_id if message.is_topic_message else None


def channel(chat_id: int, topic_id: int | None) -> str:
    """A topic of a group by a name that no other group's has; groups without topics have one."""
    return f"{chat_id}/{topic_id or 0}"


def chat_and_topic(native_id: str) -> tuple[int, int | None]:
    """The opposite of `channel`."""
    chat_id, _, topic_id = native_id.partition("/")
    return int(chat_id), int(topic_id) or None


def ephemeral_id(message: Message) -> int | None:
    """The id of a message that only one person and the bot see."""
    found = message.api_kwargs.get("ephemeral_message_id")
    return found if isinstance(found, int) else None


def act(message: Message) -> str:
    """Names the human act of writing a message. Edits and deliveries of it have the same name."""
    seen_by_one = ephemeral_id(message)
    if seen_by_one is not None:
        # Such ids are used again once their message is gone: the time tells them apart.
        at = int(message.date.timestamp())
        writer = message.from_user.id if message.from_user else 0
        return f"telegram:ephemeral:{message.chat.id}:{writer}:{seen_by_one}:{at}"
    return f"telegram:message:{message.chat.id}:{message.message_id}"


# --- whose words these are ------------------------------------------------------------------------------------------


def is_hidden(message: Message) -> bool:
    """Whether the platform hides who wrote it: an anonymous administrator, or a channel."""
    writer = message.from_user
    return (
        message.sender_chat is not None or writer is None or writer.id in (ChatID.ANONYMOUS_ADMIN, ChatID.FAKE_CHANNEL)
    )


def is_of_anonymous_admin(message: Message) -> bool:
    return message.sender_chat is not None and message.sender_chat.id == message.chat.id


def is_typed(message: Message) -> bool:
    """Whether whoever sent it wrote it here, themselves."""
    is_passed_on = message.forward_origin is not None or message.is_automatic_forward
    return not is_passed_on and message.via_bot is None


# --- what it says ---------------------------------------------------------------------------------------------------


def command(message: Message, handle: str) -> Command | NotOurs | None:
    """The command that a message begins with; None where it is none. Captions are none."""
    text = message.text or ""
    found = _COMMAND.match(text)
    if found is None or (found.end() < len(text) and not _WHITE.match(text, found.end())):
        return None
    if found[2] is not None and found[2].casefold() != handle.casefold():
        return NotOurs()
    return Command(found[1], found[2] is not None, tuple(tokens(text, message.entities, found.end())))


def tokens(text: str, entities: Iterable[MessageEntity], start: int = 0) -> Iterable[Token]:
    """The words of `text` from `start` on, cut at ASCII white space, with the people named in it."""
    done = start
    for begin, end, person in sorted(_people(text, entities), key=lambda found: found[0]):
        if begin < done:
            continue
        yield from _words(text[done:begin])
        yield person
        done = end
    yield from _words(text[done:])


def _people(text: str, entities: Iterable[MessageEntity]) -> Iterable[tuple[int, int, Token]]:
    wide = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
        if entity.type not in (MessageEntity.MENTION, MessageEntity.TEXT_MENTION):
            continue
        # Telegram counts in UTF-16 units.
        begin = len(wide[: entity.offset * 2].decode("utf-16-le", "surrogatepass"))
        named = wide[entity.offset * 2 : (entity.offset + entity.length) * 2].decode("utf-16-le", "surrogatepass")
        end = begin + len(named)
        if entity.type == MessageEntity.TEXT_MENTION:
            if entity.user is not None:
                yield begin, end, Mention(sighting(entity.user))
            continue
        yield begin, end, _at(named)


def is_handle(name: str) -> bool:
    """Whether it can be somebody's @name."""
    return _HANDLE.fullmatch(name) is not None


def _words(text: str) -> Iterable[Token]:
    for word in _WHITE.split(text):
        if word:
            yield _at(word) if word.startswith("@") and len(word) > 1 else word


def _at(word: str) -> Token:
    name = word.removeprefix("@")
    role = ROLE_WORDS.get(name.casefold())
    return Handle(name) if role is None else RoleMention(role)


# --- what commands take ---------------------------------------------------------------------------------------------


def specs_of(name: str, specs: Iterable[CommandSpec]) -> list[CommandSpec]:
    """The command of that name, or those of its group."""
    wanted = name.casefold()
    return [spec for spec in specs if wanted in {each.partition(" ")[0] for each in (spec.name, *spec.aliases)}]


def takes_file(name: str, specs: Iterable[CommandSpec]) -> bool:
    return any(option.kind is OptionKind.TARGETS for spec in specs_of(name, specs) for option in spec.options)
