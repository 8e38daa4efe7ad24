"""A Discord on this machine: its REST API and its Gateway, for the real client of the real library.

It keeps Discord's promises and its refusals: three seconds for a first answer and fifteen minutes for more (by a clock
that tests move), one first answer, visibility that is fixed by it, limits of everything, nonces. Every request body is
held against Discord's published schema. Nothing in it knows of Florin.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.adapters.discord.checks import Refusal, check_message, invalid
from tests.adapters.discord.gateway import Gateway
from tests.adapters.discord.state import LAYOUT, Channel, Guild, User, new_id

FIRST_ANSWER_S = 3.0
TOKEN_S = 15 * 60.0
GUILD_MESSAGES = 1 << 9
MEMBERS = 1 << 1


@dataclass(eq=False)
class Interaction:
    """One thing that somebody did, and what came of it. `seen` are the messages made or changed by answering it, in
    order; `original` is what `@original` means."""

    id: int
    token: str
    kind: int
    user: User
    guild: Guild | None
    channel: Channel
    payload: dict[str, Any]
    began_at: float
    message: dict[str, Any] | None = None
    acknowledged: int | None = None
    original: int | None = None
    is_waiting: bool = False
    is_private: bool = False
    seen: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    form: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Request:
    """One request as it came, and the status that it got."""

    method: str
    path: str
    body: Any
    status: int = 0


@dataclass
class Failure:
    """What happens instead of a request that matches; `after` lets it be carried out first."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[], web.StreamResponse] | None
    times: int
    after: bool = False


class Peer:
    """The whole of it. Users act through `tests.adapters.discord.people`."""

    def __init__(self) -> None:
        self.bot = User("Florin", is_bot=True)
        self.application_id = self.bot.id
        self.runner_user = User("operator")
        self.team: list[User] = []
        self.guilds: dict[int, Guild] = {}
        self.users: dict[int, User] = {self.bot.id: self.bot}
        self.channels: dict[int, Channel] = {}
        self.private_channels: dict[int, Channel] = {}
        self.commands: list[dict[str, Any]] = []
        self.command_uploads = 0
        self.interactions: dict[str, Interaction] = {}
        self.requests: list[Request] = []
        self.failures: list[Failure] = []
        self.files: dict[str, bytes] = {}
        self.problems: list[str] = []
        self.is_strict = True
        """Whether bodies are held against Discord's published schema, which takes a millisecond each."""
        self.flags = 0
        self.token = "test-token"
        self.gateway = Gateway(self)
        self.url = ""
        self._ahead_s = 0.0
        self._news = asyncio.Condition()
        self._nonces: dict[tuple[int, str], dict[str, Any]] = {}

    @property
    def gateway_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/gateway"

    # --- time, news, failures ---------------------------------------------------------------------------------------

    def now(self) -> float:
        return asyncio.get_running_loop().time() + self._ahead_s

    def forward(self, seconds: float) -> None:
        """Discord's clock goes ahead; ours does not."""
        self._ahead_s += seconds

    async def noticed(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        """Waits for something to be so. Fails the test if it never is."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(holds)

    def fail(
        self,
        method: str,
        path: str,
        answer: Callable[[], web.StreamResponse] | None = None,
        *,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """The next `times` requests that match get `answer`, or no answer at all: the line breaks. With `after` they
        are carried out all the same."""
        self.failures.append(Failure(method, re.compile(path), answer, times, after))

    # --- the world --------------------------------------------------------------------------------------------------

    def user(self, name: str, *, is_bot: bool = False) -> User:
        found = User(name, is_bot)
        self.users[found.id] = found
        return found

    def guild(self, name: str, owner: User) -> Guild:
        """A server that the bot is in before it connects."""
        found = Guild(name, owner)
        self.guilds[found.id] = found
        return found

    def channel_of(self, channel_id: int) -> Channel:
        for guild in self.guilds.values():
            if channel_id in guild.channels:
                return guild.channels[channel_id]
        found = next((each for each in self.private_channels.values() if each.id == channel_id), None)
        if found is None:
            raise Refusal(404, 10003, "Unknown Channel")
        return found

    def private_channel(self, user: User) -> Channel:
        return self.private_channels.setdefault(user.id, Channel(user.name, None, user))

    # --- interactions -----------------------------------------------------------------------------------------------

    async def interact(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        *,
        message: dict[str, Any] | None = None,
        installed: bool = True,
        locale: str = "en-US",
    ) -> Interaction:
        """Somebody does something, and the bot is told."""
        interaction_id, guild = new_id(), channel.guild
        payload: dict[str, Any] = {
            "id": str(interaction_id),
            "application_id": str(self.application_id),
            "type": kind,
            "data": data,
            "token": f"token-{interaction_id}",
            "version": 1,
            "channel": channel.payload() | {"permissions": "0"},
            "channel_id": str(channel.id),
            "app_permissions": "0" if guild is None else str(guild.bot_permissions),
            "locale": locale,
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id)} if guild and installed else {"1": str(user.id)},
            "context": 0 if guild else 1,
            "attachment_size_limit": 10_485_760,
        }
        if guild is None:
            payload["user"] = user.payload()
        else:
            member = guild.members[user.id]
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
            payload["guild_id"] = str(guild.id)
            payload["guild_locale"] = guild.locale
            payload["member"] = member.payload() | {"permissions": str(guild.permissions_of(user))}
        if message is not None:
            payload["message"] = message
        interaction = Interaction(
            interaction_id, f"token-{interaction_id}", kind, user, guild, channel, payload, self.now(), message
        )
        if message is not None:
            interaction.original = int(message["id"])
        self.interactions[interaction.token] = interaction
        await self.deliver(interaction)
        return interaction

    async def deliver(self, interaction: Interaction) -> None:
        """Tells the bot of it, or tells it once more, as a session does that is resumed."""
        interaction.answered.clear()
        guild_id = interaction.guild.id if interaction.guild else None
        await self.gateway.tell("INTERACTION_CREATE", interaction.payload, guild_id)

    async def say(
        self, user: User, channel: Channel, content: str, *, files: dict[str, bytes] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Somebody writes a message. The bot gets its words only if they mention it, as it has no leave for others."""
        guild = channel.guild
        assert guild is not None
        mentioned = [self.users[int(found)] for found in re.findall(r"<@!?([0-9]+)>", content)]
        message = self._message(channel, user, {"content": content, **more})
        message["mentions"] = [each.payload() | self._as_member(guild, each) for each in dict.fromkeys(mentioned)]
        message["mention_roles"] = re.findall(r"<@&([0-9]+)>", content)
        message["attachments"] = [self._attachment(name, content) for name, content in (files or {}).items()]
        channel.messages[int(message["id"])] = message
        told = dict(message)
        if self.bot not in mentioned:
            told |= {"content": "", "attachments": [], "components": []}
        told["guild_id"] = str(guild.id)
        if user.id in guild.members:
            told["member"] = guild.members[user.id].payload(with_user=False)
        await self.gateway.tell("MESSAGE_CREATE", told, guild.id, intent=GUILD_MESSAGES)
        return message

    @staticmethod
    def _as_member(guild: Guild, user: User) -> dict[str, Any]:
        member = guild.members.get(user.id)
        return {} if member is None else {"member": member.payload(with_user=False)}

    async def comes(self, guild: Guild, user: User) -> None:
        guild.join(user)
        data = guild.members[user.id].payload() | {"guild_id": str(guild.id)}
        await self.gateway.tell("GUILD_MEMBER_ADD", data, guild.id, intent=MEMBERS)

    async def goes(self, guild: Guild, user: User) -> None:
        guild.members.pop(user.id, None)
        data = {"guild_id": str(guild.id), "user": user.payload()}
        await self.gateway.tell("GUILD_MEMBER_REMOVE", data, guild.id, intent=MEMBERS)

    def _attachment(self, name: str, content: bytes) -> dict[str, Any]:
        attachment_id = new_id()
        self.files[f"{attachment_id}/{name}"] = content
        url = f"{self.url}/files/{attachment_id}/{name}"
        return {"id": str(attachment_id), "filename": name, "size": len(content), "url": url, "proxy_url": url}

    def attachment(self, name: str, content: bytes) -> dict[str, Any]:
        """A file that somebody fills an option with."""
        return self._attachment(name, content)

    # --- messages ---------------------------------------------------------------------------------------------------

    def _message(self, channel: Channel, author: User, body: dict[str, Any]) -> dict[str, Any]:
        content = body.get("content") or ""
        return {
            "id": str(new_id()),
            "channel_id": str(channel.id),
            "author": author.payload(),
            "content": content,
            "timestamp": "2026-01-01T00:00:00.000000+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": body.get("attachments") or [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "flags": body.get("flags") or 0,
            "components": body.get("components") or [],
            **{key: body[key] for key in ("message_reference", "referenced_message", "webhook_id") if key in body},
        }

    def post(self, channel: Channel, body: dict[str, Any], uploads: dict[str, bytes]) -> dict[str, Any]:
        """The bot writes into a channel. Raises Refusal."""
        check_message(body, set(uploads))
        message = self._message(channel, self.bot, {**body, "attachments": []})
        message["attachments"] = [self._attachment(name, content) for name, content in uploads.items()]
        message["components"] = self._kept(message["components"], message["attachments"])
        message["pinged"] = self._pinged(body)
        channel.messages[int(message["id"])] = message
        return message

    def change(self, message: dict[str, Any], body: dict[str, Any], uploads: dict[str, bytes]) -> dict[str, Any]:
        """A message of the bot's becomes another. Raises Refusal."""
        was_layout = bool(message["flags"] & LAYOUT)
        check_message(body, set(uploads), was_layout=was_layout, is_edit=True)
        if was_layout and body.get("flags") is not None and not body["flags"] & LAYOUT:
            raise invalid("a layout stays one")
        for key in ("content", "components"):
            if key in body:
                message[key] = body[key] or ("" if key == "content" else [])
        if (body.get("flags") or 0) & LAYOUT:
            if message["content"]:
                raise invalid("content beside components v2")
            message["flags"] |= LAYOUT
        if "attachments" in body:
            kept = {str(each["id"]) for each in body["attachments"]}
            stays = [each for each in message["attachments"] if each["id"] in kept]
            message["attachments"] = stays + [self._attachment(name, data) for name, data in uploads.items()]
        message["components"] = self._kept(message["components"], message["attachments"])
        return message

    def _kept(self, components: list[dict[str, Any]], attachments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Components as Discord gives them back: numbered, with files where they are now."""
        urls = {f"attachment://{each['filename']}": each for each in attachments}
        number = 0

        def keep(each: dict[str, Any]) -> dict[str, Any]:
            nonlocal number
            number += 1
            kept = {**each, "id": number}
            if "components" in each:
                kept["components"] = [keep(inner) for inner in each["components"]]
            if each["type"] == 12:
                kept["items"] = [{**item, "media": self._media(item["media"], urls)} for item in each["items"]]
            if each["type"] == 13:
                file = urls.get(each["file"]["url"], {})
                kept |= {
                    "file": self._media(each["file"], urls),
                    "name": file.get("filename"),
                    "size": file.get("size"),
                }
            return kept

        return [keep(each) for each in components]

    @staticmethod
    def _media(media: dict[str, Any], urls: dict[str, dict[str, Any]]) -> dict[str, Any]:
        url = urls.get(media["url"], {}).get("url", media["url"])
        return {
            "url": url,
            "proxy_url": url,
            "height": 0,
            "width": 0,
            "content_type": None,
            "loading_state": 2,
            "id": "1",
        }

    @staticmethod
    def _pinged(body: dict[str, Any]) -> list[int]:
        """Who is told of a message: whom it mentions and may."""
        allowed = body.get("allowed_mentions")
        text = json.dumps([body.get("content"), body.get("components")])
        named = [int(found) for found in re.findall(r"<@!?([0-9]+)>", text)]
        if allowed is None or "users" in (allowed.get("parse") or ()):
            return named
        return [each for each in named if str(each) in {str(user) for user in allowed.get("users") or ()}]
