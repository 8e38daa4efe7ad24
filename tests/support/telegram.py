"""A Bot API server on loopback, with people and groups of its own. What the bot sends is held against aiogram's models
of every method, and what it gets is built with those of every object: neither knows anything of python-telegram-bot.

    async with telegram() as there:
        group = there.group("lobby", owner="ana")
        update = there.say("ana", "/tip @bo 5", group)
        await there.settled(update)
        assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
"""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiogram.methods
import aiohttp
from aiogram.methods.base import TelegramMethod
from aiogram.types import Update
from aiohttp import web
from pydantic import BaseModel, ValidationError

from tests.support.telegram_html import UnreadableHtml, read_html

TOKEN = "test-telegram"
BOT_ID = 7_000_000_001
BOT_HANDLE = "florin_bot"
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
METHODS: dict[str, type[TelegramMethod]] = {
    found.__api_method__: found
    for _, found in inspect.getmembers(aiogram.methods, inspect.isclass)
    if issubclass(found, TelegramMethod) and found is not TelegramMethod
}
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)

ENTITIES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strikethrough",
}


@dataclass
class Person:
    id: int
    name: str
    handle: str | None
    is_bot: bool = False
    language: str = "en"
    started: bool = True
    """Whether they ever wrote to the bot, which may write to them from then on."""
    blocked: bool = False

    def user(self) -> dict[str, Any]:
        user = {"id": self.id, "is_bot": self.is_bot, "first_name": self.name, "language_code": self.language}
        return user | ({"username": self.handle} if self.handle else {})


@dataclass
class Group:
    id: int
    title: str
    members: dict[int, str] = field(default_factory=dict)
    """Status by user id: `creator`, `administrator`, `member`, `left`, `kicked`."""
    anonymous: set[int] = field(default_factory=set)
    topics: set[int] = field(default_factory=set)
    closed_topics: set[int] = field(default_factory=set)
    rights: set[str] = field(default_factory=set)
    """What the bot may do, as an administrator."""
    moved_to: int | None = None
    kind: str = "supergroup"

    def chat(self) -> dict[str, Any]:
        forum = {"is_forum": True} if self.topics else {}
        return {"id": self.id, "type": self.kind, "title": self.title} | forum


@dataclass
class Shown:
    """A message as it is on people's screens now."""

    chat: int
    id: int
    text: str
    entities: list[dict]
    buttons: list[dict] = field(default_factory=list)
    topic: int | None = None
    under: int | None = None
    under_to_one: int | None = None
    only_to: int | None = None
    file: tuple[str, bytes] | None = None
    edits: int = 0
    removed: bool = False
    html: str = ""

    def button(self, label: str) -> dict:
        return next(button for button in self.buttons if button["text"] == label)


@dataclass
class Call:
    method: str
    fields: dict[str, Any]


class BotApiError(Exception):
    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


class Telegram:
    """The platform. `now` tells what time messages are sent."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.people: dict[str, Person] = {}
        self.groups: dict[int, Group] = {}
        self.shown: list[Shown] = []
        self.calls: list[Call] = []
        self.problems: list[str] = []
        """What the bot did that no bot may: every test ends with none."""
        self.alerts: list[tuple[str, str, bool]] = []
        self.inline: dict[str, dict] = {}
        self.menus: dict[tuple[str, str], list[dict]] = {}
        self.webhook: dict[str, Any] = {}
        self.sees_all = False
        self.failures: deque[tuple[str, Callable[[], Any]]] = deque()
        self.files: dict[str, bytes] = {}
        self.has_ephemeral = True
        self.knows_ephemeral = True
        """A server that is older leaves out, unsaid, who alone was to see a message."""
        self.presses: dict[str, tuple[Person, Group | None]] = {}
        self._ids = count(1)
        self._update_ids = count(1001)
        self._queue: deque[dict] = deque()
        self._confirmed: set[int] = set()
        self._changed = asyncio.Condition()
        self._fetching: asyncio.Task[Any] | None = None
        self._delivering: set[asyncio.Task[Any]] = set()
        self.port = 0

    # --- the world --------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def person(self, name: str, **known: Any) -> Person:
        """Somebody of that name, who begins to exist by it. Their handle is their name, where it can be one."""
        if name not in self.people:
            handle = name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) else None
            self.people[name] = Person(5_000_000_000 + len(self.people), name, handle)
        person = self.people[name]
        for key, value in known.items():
            setattr(person, key, value)
        return person

    def group(self, title: str, *, owner: str | None = None, bot: str = "administrator", small: bool = False) -> Group:
        """A supergroup, or a `small` group that may become one."""
        first, kind = (-4_000_000, "group") if small else (-1_001_000_000_000, "supergroup")
        group = Group(first - len(self.groups), title, kind=kind)
        self.groups[group.id] = group
        group.members[BOT_ID] = bot
        group.rights = {"can_delete_messages"} if bot == "administrator" else set()
        if owner is not None:
            group.members[self.person(owner).id] = "creator"
        return group

    def by_id(self, user_id: int) -> Person:
        return next(person for person in self.people.values() if person.id == user_id)

    def bot_user(self) -> dict[str, Any]:
        return {"id": BOT_ID, "is_bot": True, "first_name": "Florin", "username": BOT_HANDLE}

    # --- what people do ---------------------------------------------------------------------------------------------

    def say(self, name: str, text: str, where: Group | None = None, **more: Any) -> dict:
        """A message by `name` in a group, or to the bot alone. `@name` in it are mentions."""
        return self.push({"message": self.message(name, text, where, **more)})

    def message(
        self,
        name: str,
        text: str | None,
        where: Group | None = None,
        *,
        topic: int | None = None,
        reply_to: dict | None = None,
        ephemeral: bool = False,
        anonymous: bool = False,
        at: datetime | None = None,
        **more: Any,
    ) -> dict:
        """The message that `say` brings."""
        person = self.person(name)
        if where is None:
            person.started = True
        elif where.members.get(person.id) in (None, "left") and not anonymous:
            where.members[person.id] = "member"
        found: dict[str, Any] = {
            "message_id": 0 if ephemeral else next(self._ids),
            "date": int((at or self.now()).timestamp()),
            "chat": where.chat() if where else {"id": person.id, "type": "private", "first_name": name},
            "from": ANONYMOUS if anonymous else person.user(),
        }
        if anonymous and where is not None:
            found["sender_chat"] = where.chat()
        if text is not None:
            written, entities = self.entities(text)
            found |= {"text": written, "entities": entities}
        if ephemeral:
            found["ephemeral_message_id"] = next(self._ids)
        if topic is not None:
            found |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            found["reply_to_message"] = {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        return found | more

    def entities(self, text: str) -> tuple[str, list[dict]]:
        """As a person's own app marks them: commands, people by handle, and `@[Bo Ek]`, who has none, by name."""
        entities: list[dict] = []
        if command := re.match(r"/[A-Za-z0-9_]+(@\w+)?", text):
            entities.append({"type": "bot_command", "offset": 0, "length": len(command[0])})
        written, at = "", 0
        for word in re.finditer(r"(?<=[ \n:])@(?:\[([^]]+)\]|([^ \n]+))", text):
            named = self._named(word[1] or word[2])
            written += text[at : word.start()]
            at = word.end()
            shown = word[0] if named is None or named.handle else named.name
            if named is None or named.handle:
                kind: dict[str, Any] = {"type": "mention"} if re.fullmatch(r"@\w+", shown) else {}
            else:
                kind = {"type": "text_mention", "user": named.user()}
            if kind:
                length = len(shown.encode("utf-16-le")) // 2
                entities.append(kind | {"offset": len(written.encode("utf-16-le")) // 2, "length": length})
            written += shown
        return written + text[at:], entities

    def _named(self, name: str) -> Person | None:
        called = {each.handle.casefold(): each for each in self.people.values() if each.handle}
        return called.get(name.casefold()) or next(
            (each for each in self.people.values() if not each.handle and each.name.casefold() == name.casefold()), None
        )

    def press(self, name: str, shown: Shown, label: str, **more: Any) -> dict:
        """`name` presses a button of a message as it is now."""
        return self.press_data(name, shown, shown.button(label)["callback_data"], **more)

    def press_data(self, name: str, shown: Shown, data: str, *, reply_to: dict | None = None) -> dict:
        person = self.person(name)
        group = self.groups.get(shown.chat)
        query = f"query-{next(self._ids)}"
        self.presses[query] = (person, group)
        message: dict[str, Any] = {
            "message_id": shown.id if shown.only_to is None else 0,
            "date": int(self.now().timestamp()),
            "chat": group.chat() if group else {"id": person.id, "type": "private", "first_name": name},
            "from": self.bot_user(),
            "text": shown.text,
            "entities": [self._as_entity(entity) for entity in shown.entities],
        }
        if shown.buttons:
            message["reply_markup"] = {"inline_keyboard": [shown.buttons]}
        if shown.only_to is not None:
            message |= {"ephemeral_message_id": shown.id, "receiver_user": person.user()}
        if shown.topic is not None:
            message |= {"message_thread_id": shown.topic, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = reply_to
        pressed = {"id": query, "from": person.user(), "chat_instance": "1", "message": message, "data": data}
        return self.push({"callback_query": pressed})

    def _as_entity(self, entity: dict) -> dict:
        """What was markup in a message of the bot, as the platform shows it."""
        place = {"offset": entity["offset"], "length": entity["length"]}
        url = entity.get("url", "")
        if url.startswith("tg://user?id="):
            return place | {"type": "text_mention", "user": self.by_id(int(url.removeprefix("tg://user?id="))).user()}
        if url:
            return place | {"type": "text_link", "url": url}
        return place | {"type": ENTITIES.get(entity["type"], entity["type"])}

    def changes(self, name: str, group: Group, status: str, *, was: str | None = None, tells: bool = True) -> dict:
        """Somebody's place in a group changes. Told to the bot where it is an administrator."""
        person = self.person(name)
        return self._member_changed(person.user(), person.id, group, status, was, "chat_member", tells=tells)

    def bot_changes(self, group: Group, status: str, *, by: str, was: str | None = None) -> dict:
        self.person(by)
        return self._member_changed(self.bot_user(), BOT_ID, group, status, was, "my_chat_member", by=by)

    def _member_changed(
        self,
        user: dict,
        user_id: int,
        group: Group,
        status: str,
        was: str | None,
        kind: str,
        *,
        by: str | None = None,
        tells: bool = True,
    ) -> dict:
        before = was or group.members.get(user_id, "left")
        group.members[user_id] = status
        change = {
            "chat": group.chat(),
            "from": self.person(by).user() if by else user,
            "date": int(self.now().timestamp()),
            "old_chat_member": self._member(user, before, group),
            "new_chat_member": self._member(user, status, group),
        }
        return self.push({kind: change}) if tells else {}

    def _member(self, user: dict, status: str, group: Group) -> dict[str, Any]:
        member: dict[str, Any] = {"status": status, "user": user}
        if status in ("creator", "administrator"):
            member["is_anonymous"] = user["id"] in group.anonymous
        if status == "administrator":
            held = group.rights if user["id"] == BOT_ID else set(RIGHTS)
            member |= {right: right in held for right in RIGHTS} | {"can_be_edited": False}
        if status == "kicked":
            member["until_date"] = 0
        return member

    # --- updates ----------------------------------------------------------------------------------------------------

    def push(self, content: dict, *, update_id: int | None = None) -> dict:
        """An update on its way to the bot; it is made sure that it is one."""
        update = {"update_id": update_id or next(self._update_ids)} | content
        Update.model_validate(update)
        self.deliver(update)
        return update

    def deliver(self, update: dict) -> None:
        """Brings an update, perhaps once more."""
        self._confirmed.discard(update["update_id"])
        if self.webhook.get("url"):
            task = asyncio.create_task(self._call(update))
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)
        else:
            self._queue.append(update)
            task = asyncio.create_task(self._notify())
            self._delivering.add(task)
            task.add_done_callback(self._delivering.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _call(self, update: dict) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        async with aiohttp.ClientSession() as session:
            for _ in range(400):
                try:
                    async with session.post(self.webhook["url"], json=update, headers=headers) as answer:
                        if answer.status == 200:
                            self._confirmed.add(update["update_id"])
                            await self._notify()
                            return
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

    async def settled(self, *updates: dict, within_s: float = 20) -> None:
        """Waits until the bot has told that it took these updates."""
        wanted = {update["update_id"] for update in updates if update}
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: wanted <= self._confirmed)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds, looking after every call of the bot."""
        async with self._changed:
            await self._changed.wait_for(holds)

    # --- what is seen -----------------------------------------------------------------------------------------------

    def seen_in(self, where: Group | int, *, by: str | None = None) -> list[Shown]:
        """What is on the screen there: for everyone, or for one person too."""
        chat = where if isinstance(where, int) else where.id
        person = self.people[by].id if by else None
        return [
            each for each in self.shown if each.chat == chat and not each.removed and each.only_to in (None, person)
        ]

    def seen_by(self, name: str) -> list[Shown]:
        """All that the bot wrote that this person sees, in any chat."""
        person = self.people[name]
        groups = [group.id for group in self.groups.values() if group.members.get(person.id) not in (None, "left")]
        return [
            each
            for each in self.shown
            if not each.removed and each.chat in (person.id, *groups) and each.only_to in (None, person.id)
        ]

    def called(self, method: str) -> list[dict[str, Any]]:
        return [call.fields for call in self.calls if call.method == method]

    def fail(self, method: str, failure: Callable[[], Any]) -> None:
        """The next call of `method` is answered by what `failure` returns (a response) or raises."""
        self.failures.append((method, failure))

    # --- the server -------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return _json({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        try:
            fields, files = await _fields_of(request, method)
            self._must_fit(method, fields)
            if self.failures and self.failures[0][0] == method:
                _, failure = self.failures.popleft()
                if isinstance(answer := failure(), web.StreamResponse):
                    self.calls.append(Call(method, fields))
                    return answer
            self.calls.append(Call(method, fields))
            result = getattr(self, f"_{_snake(method)}")(fields, files)
            if inspect.isawaitable(result):
                result = await result
            await self._notify()
            return _json({"ok": True, "result": result})
        except BotApiError as error:
            told: dict[str, Any] = {"ok": False, "error_code": error.status, "description": error.description}
            return _json(told | ({"parameters": error.parameters} if error.parameters else {}), error.status)

    def _must_fit(self, method: str, fields: dict[str, Any]) -> None:
        """Whatever the models of aiogram do not know, no bot may send."""
        model = METHODS.get(method)
        if model is None:
            self.problems.append(f"there is no method {method}")
            return
        try:
            extra = _strange(model.model_validate(fields))
        except ValidationError as error:
            extra = [str(error)]
        if extra:
            self.problems.append(f"{method}: {extra}")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.files[request.match_info["path"]])

    def _get_me(self, *_: Any) -> dict:
        return self.bot_user() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.sees_all,
            "supports_inline_queries": True,
        }

    async def _get_updates(self, fields: dict, _files: dict) -> list[dict]:
        if self.webhook.get("url"):
            raise BotApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._fetching is not None and not self._fetching.done():
            self._fetching.cancel("another")
        offset = fields.get("offset")
        if offset is not None:
            while self._queue and self._queue[0]["update_id"] < offset:
                self._confirmed.add(self._queue.popleft()["update_id"])
            await self._notify()
        self._fetching = asyncio.current_task()
        try:
            async with asyncio.timeout(min(fields.get("timeout", 0), 2) or 0.001), self._changed:
                await self._changed.wait_for(lambda: bool(self._queue))
        except TimeoutError:
            pass
        except asyncio.CancelledError as cut:
            if cut.args != ("another",):
                raise
            raise BotApiError(409, "Conflict: terminated by other getUpdates request") from None
        finally:
            if self._fetching is asyncio.current_task():
                self._fetching = None
        wanted = fields.get("allowed_updates")
        return [
            update
            for update in list(self._queue)[: fields.get("limit", 100)]
            if wanted is None or any(kind in update for kind in wanted) or self._skip(update)
        ]

    def _skip(self, update: dict) -> bool:
        """An update of a kind that was not asked for never comes."""
        self._queue.remove(update)
        self._confirmed.add(update["update_id"])
        return False

    def _set_webhook(self, fields: dict, _files: dict) -> bool:
        self.webhook = fields
        waiting, self._queue = list(self._queue), deque()
        for update in waiting:
            self.deliver(update)
        return True

    def _delete_webhook(self, *_: Any) -> bool:
        self.webhook = {}
        return True

    def _get_webhook_info(self, *_: Any) -> dict:
        pending = len(self._queue)
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": pending}

    def _get_my_commands(self, fields: dict, _files: dict) -> list[dict]:
        return self.menus.get((fields.get("scope", {}).get("type", "default"), fields.get("language_code", "")), [])

    def _set_my_commands(self, fields: dict, _files: dict) -> bool:
        for command in fields["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
                self.problems.append(f"no command for a menu: {command}")
        self.menus[fields["scope"]["type"], fields.get("language_code", "")] = fields["commands"]
        return True

    def _get_chat_administrators(self, fields: dict, _files: dict) -> list[dict]:
        group = self._reachable_group(fields["chat_id"])
        return [
            self._member(self.bot_user() if user_id == BOT_ID else self.by_id(user_id).user(), status, group)
            for user_id, status in group.members.items()
            if status in ("creator", "administrator")
        ]

    def _get_chat_member(self, fields: dict, _files: dict) -> dict:
        group = self._reachable_group(fields["chat_id"])
        status = group.members.get(fields["user_id"])
        if status is None:
            raise BotApiError(400, "Bad Request: user not found")
        user = self.bot_user() if fields["user_id"] == BOT_ID else self.by_id(fields["user_id"]).user()
        return self._member(user, status, group)

    def _get_chat(self, fields: dict, _files: dict) -> dict:
        group = self._reachable_group(fields["chat_id"])
        kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        accepted = dict.fromkeys(kinds, True)
        return group.chat() | {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": accepted}

    def _get_file(self, fields: dict, _files: dict) -> dict:
        size = len(self.files[fields["file_id"]])
        return {
            "file_id": fields["file_id"],
            "file_unique_id": fields["file_id"],
            "file_size": size,
            "file_path": fields["file_id"],
        }

    def _reachable_group(self, chat_id: int) -> Group:
        group = self.groups.get(chat_id)
        if group is None:
            raise BotApiError(400, "Bad Request: chat not found")
        if group.moved_to is not None:
            told = "Bad Request: group chat was upgraded to a supergroup chat"
            raise BotApiError(400, told, migrate_to_chat_id=group.moved_to)
        if group.members.get(BOT_ID) in (None, "left", "kicked"):
            raise BotApiError(403, "Forbidden: bot was kicked from the supergroup chat")
        return group

    # --- messages of the bot ----------------------------------------------------------------------------------------

    def _send_message(self, fields: dict, _files: dict) -> dict:
        return self._put(fields, fields["text"], 4096)

    def _send_document(self, fields: dict, files: dict) -> dict:
        return self._put(fields, fields.get("caption", ""), 1024, file=next(iter(files.values())), empty=True)

    def _send_photo(self, fields: dict, files: dict) -> dict:
        return self._put(fields, fields.get("caption", ""), 1024, file=next(iter(files.values())), empty=True)

    def _put(
        self, fields: dict, text: str, most: int, *, file: tuple[str, bytes] | None = None, empty: bool = False
    ) -> dict:
        plain, entities = self._read(fields, text)
        if not plain.strip() and not empty:
            raise BotApiError(400, "Bad Request: message text is empty")
        if len(plain.encode("utf-16-le")) // 2 > most:
            raise BotApiError(400, "Bad Request: message is too long")
        chat_id = fields["chat_id"]
        reply = fields.get("reply_parameters", {})
        only_to = self._only_to(fields, chat_id, reply)
        group = None
        if chat_id > 0:
            person = self.by_id(chat_id)
            if person.blocked:
                raise BotApiError(403, "Forbidden: bot was blocked by the user")
            if not person.started:
                raise BotApiError(403, "Forbidden: bot can't initiate conversation with a user")
        else:
            group = self._reachable_group(chat_id)
        topic = fields.get("message_thread_id")
        if group is not None and topic is not None and topic not in group.topics:
            raise BotApiError(400, "Bad Request: message thread not found")
        if group is not None and topic in group.closed_topics:
            raise BotApiError(400, "Bad Request: TOPIC_CLOSED")
        shown = Shown(
            chat_id,
            next(self._ids),
            plain,
            entities,
            self._buttons(fields),
            topic,
            reply.get("message_id"),
            reply.get("ephemeral_message_id"),
            only_to,
            file,
            html=text,
        )
        self.shown.append(shown)
        return self._as_message(shown)

    def _only_to(self, fields: dict, chat_id: int, reply: dict) -> int | None:
        """Administrators may write to one member at any time, others in answer to their command or press alone."""
        parameters = fields.get("ephemeral_message_parameters")
        if parameters is None or not self.knows_ephemeral:
            return None
        group = self._reachable_group(chat_id)
        if not self.has_ephemeral:
            raise BotApiError(400, "Bad Request: ephemeral messages are not supported here")
        is_answer = "ephemeral_message_id" in reply or parameters.get("callback_query_id") in self.presses
        if group.members.get(BOT_ID) != "administrator" and not is_answer:
            raise BotApiError(400, "Bad Request: MESSAGE_NOT_COMMAND")
        if group.members.get(parameters["receiver_user_id"]) in (None, "left", "kicked"):
            raise BotApiError(400, "Bad Request: USER_NOT_PARTICIPANT")
        found: int = parameters["receiver_user_id"]
        return found

    def _read(self, fields: dict, text: str) -> tuple[str, list[dict]]:
        if fields.get("parse_mode") != "HTML":
            return text, []
        try:
            return read_html(text)
        except UnreadableHtml as error:
            self.problems.append(f"{error}: {text!r}")
            raise BotApiError(400, f"Bad Request: {error}") from None

    def _buttons(self, fields: dict) -> list[dict]:
        buttons = [button for row in fields.get("reply_markup", {}).get("inline_keyboard", ()) for button in row]
        for button in buttons:
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= 64:
                raise BotApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        return buttons

    def _as_message(self, shown: Shown) -> dict:
        group = self.groups.get(shown.chat)
        chat = group.chat() if group else {"id": shown.chat, "type": "private", "first_name": "somebody"}
        message: dict[str, Any] = {
            "message_id": shown.id if shown.only_to is None else 0,
            "date": int(self.now().timestamp()),
            "chat": chat,
            "from": self.bot_user(),
            "text": shown.text,
        }
        if shown.only_to is not None:
            message |= {"ephemeral_message_id": shown.id, "receiver_user": self.by_id(shown.only_to).user()}
        return message

    def _edit_message_text(self, fields: dict, _files: dict) -> dict:
        return self._change(self._shown(fields["chat_id"], fields["message_id"]), fields)

    def _edit_ephemeral_message_text(self, fields: dict, _files: dict) -> bool:
        shown = self._shown(fields["chat_id"], fields["ephemeral_message_id"])
        if shown.only_to != fields["receiver_user_id"]:
            raise BotApiError(400, "Bad Request: message to edit not found")
        self._change(shown, fields)
        return True

    def _change(self, shown: Shown, fields: dict) -> dict:
        plain, entities = self._read(fields, fields["text"])
        buttons = self._buttons(fields)
        if (plain, entities, buttons) == (shown.text, shown.entities, shown.buttons):
            raise BotApiError(400, "Bad Request: message is not modified")
        shown.text, shown.entities, shown.buttons = plain, entities, buttons
        shown.html = fields["text"]
        shown.edits += 1
        return self._as_message(shown)

    def _shown(self, chat_id: int, message_id: int) -> Shown:
        if chat_id < 0:
            self._reachable_group(chat_id)
        for shown in self.shown:
            if (shown.chat, shown.id) == (chat_id, message_id) and not shown.removed:
                return shown
        raise BotApiError(400, "Bad Request: message to edit not found")

    def _delete_message(self, fields: dict, _files: dict) -> bool:
        for shown in self.shown:
            if (shown.chat, shown.id) == (fields["chat_id"], fields["message_id"]):
                shown.removed = True
        return True

    def _delete_ephemeral_message(self, fields: dict, _files: dict) -> bool:
        self._shown(fields["chat_id"], fields["ephemeral_message_id"]).removed = True
        return True

    def _answer_callback_query(self, fields: dict, _files: dict) -> bool:
        person, _ = self.presses[fields["callback_query_id"]]
        text = fields.get("text", "")
        if len(text) > 200:
            raise BotApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        self.alerts.append((person.name, text, bool(fields.get("show_alert"))))
        return True

    def _answer_inline_query(self, fields: dict, _files: dict) -> bool:
        self.inline[fields["inline_query_id"]] = fields
        return True


def _strange(model: BaseModel, path: str = "") -> list[str]:
    """Fields that a model does not know, wherever in it."""
    found = [f"{path}{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        value = getattr(model, name)
        for inner in value if isinstance(value, list) else [value]:
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, BaseModel):
                    found += _strange(one, f"{path}{name}.")
    return found


async def _fields_of(request: web.Request, method: str) -> tuple[dict[str, Any], dict[str, tuple[str, bytes]]]:
    """What the bot sent, its JSON read; and its files."""
    fields: dict[str, Any] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = (value.filename, value.file.read())
            fields[name] = f"attach://{name}"
        elif isinstance(value, str):
            fields[name] = _value(method, name, value)
    return fields, files


def _value(method: str, name: str, value: str) -> Any:
    model = METHODS.get(method)
    known = model.model_fields.get(name) if model else None
    kind = str(known.annotation) if known else ""
    if name == "chat_id":
        return int(value)
    if kind.startswith(("int", "float")):
        return int(value)
    if "bool" in kind.split(" | ", 1)[0] or kind.startswith("<class 'bool"):
        return value == "true"
    if kind.startswith("<class 'int"):
        return int(value)
    if value.startswith(("[", "{")) and name not in ("text", "caption", "callback_query_id", "url"):
        return json.loads(value)
    return value


def _snake(method: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", method).lower()


def _json(content: dict, status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


@asynccontextmanager
async def telegram(now: Callable[[], datetime] | None = None) -> AsyncIterator[Telegram]:
    """A server of its own. At the end the bot must have done nothing that no bot may."""
    there = Telegram(now) if now else Telegram()
    served = web.Application(client_max_size=60_000_000)
    served.router.add_post("/bot{token}/{method}", there._serve)
    served.router.add_get("/file/bot{token}/{path}", there._file)
    runner = web.AppRunner(served, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.port = runner.addresses[0][1]
    try:
        yield there
    finally:
        for task in there._delivering:
            task.cancel()
        await runner.cleanup()
    assert there.problems == []
