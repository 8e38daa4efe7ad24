"""A Telegram's people, groups and screens, and the updates that are on their way to the bot."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiohttp
from aiogram.types import Update

TOKEN = "test-telegram"
BOT_ID = 7_000_000_001
FIRST_ID = 5_000_000_000
"""Of the first person; the next have the numbers after it."""
BOT_HANDLE = "florin_bot"
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
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


class World:
    """The platform. `now` tells what time messages are sent."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.people: dict[str, Person] = {}
        self._people_by_id: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.shown: list[Shown] = []
        self.calls: list[Call] = []
        self.problems: list[str] = []
        """What the bot did that no bot may: every test ends with none."""
        self.is_strict = True
        """Whether all that is sent is held against the models, which takes most of the time."""
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
            made = self.people[name] = Person(FIRST_ID + len(self.people), name, handle)
            self._people_by_id[made.id] = made
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
        return self._people_by_id[user_id]

    def bot_user(self) -> dict[str, Any]:
        return {"id": BOT_ID, "is_bot": True, "first_name": "Florin", "username": BOT_HANDLE}

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
        if self.is_strict:
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
