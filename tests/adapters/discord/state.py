"""What a Discord in tests knows: people, servers, channels, messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

EPOCH_ID = 1_300_000_000_000_000_000
EPHEMERAL = 1 << 6
LAYOUT = 1 << 15
ADMINISTRATOR = 1 << 3
SEND_IN_THREADS = 1 << 38
VIEW_CHANNEL, SEND_MESSAGES, EMBED_LINKS, ATTACH_FILES, READ_HISTORY, MANAGE_MESSAGES = (
    1 << 10,
    1 << 11,
    1 << 14,
    1 << 15,
    1 << 16,
    1 << 13,
)
EVERYTHING = (1 << 53) - 1

_ids = count(EPOCH_ID, 4_194_304)
_joins = count(1)


def new_id() -> int:
    """Never given before in this process."""
    return next(_ids)


@dataclass(eq=False)
class User:
    name: str
    is_bot: bool = False
    takes_messages: bool = True
    id: int = field(default_factory=new_id)

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "username": re.sub(r"[^a-z0-9_.]", "_", self.name.lower())[:32] or "user",
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
            "bot": self.is_bot,
        }


@dataclass(eq=False)
class Role:
    name: str
    permissions: int = 0
    id: int = field(default_factory=new_id)

    def payload(self, position: int = 1) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(self.permissions),
            "position": position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": True,
            "flags": 0,
        }


@dataclass(eq=False)
class Channel:
    name: str
    guild: Guild | None
    recipient: User | None = None
    refused: int = 0
    """Permissions that the bot lacks here."""
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    id: int = field(default_factory=new_id)

    def payload(self) -> dict[str, Any]:
        if self.guild is None:
            recipients = [self.recipient.payload()] if self.recipient else []
            return {"id": str(self.id), "type": 1, "recipients": recipients, "last_message_id": None, "flags": 0}
        return {
            "id": str(self.id),
            "guild_id": str(self.guild.id),
            "type": 0,
            "name": self.name,
            "position": 0,
            "permission_overwrites": self._overwrites(),
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
        }

    def _overwrites(self) -> list[dict[str, Any]]:
        if not self.refused or self.guild is None:
            return []
        return [{"id": str(self.guild.id), "type": 0, "allow": "0", "deny": str(self.refused)}]


@dataclass(eq=False)
class Member:
    user: User
    roles: set[int] = field(default_factory=set)
    nick: str | None = None
    joined_at: str = field(default_factory=lambda: f"2026-01-01T00:00:00.{next(_joins):06}+00:00")

    def payload(self, *, with_user: bool = True) -> dict[str, Any]:
        found: dict[str, Any] = {
            "nick": self.nick,
            "avatar": None,
            "roles": [str(role) for role in sorted(self.roles)],
            "joined_at": self.joined_at,
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }
        return found | {"user": self.user.payload()} if with_user else found


@dataclass(eq=False)
class Guild:
    name: str
    owner: User
    id: int = field(default_factory=new_id)
    members: dict[int, Member] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    locale: str = "en-US"
    bot_permissions: int = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_HISTORY | SEND_IN_THREADS

    def __post_init__(self) -> None:
        everyone = Role("@everyone", VIEW_CHANNEL | SEND_MESSAGES | READ_HISTORY, id=self.id)
        self.roles[everyone.id] = everyone
        self.channel("general")
        self.join(self.owner)

    def channel(self, name: str) -> Channel:
        found = next((channel for channel in self.channels.values() if channel.name == name), None)
        if found is None:
            found = Channel(name, self)
            self.channels[found.id] = found
        return found

    def role(self, name: str, permissions: int = 0) -> Role:
        role = Role(name, permissions)
        self.roles[role.id] = role
        return role

    def join(self, user: User) -> Member:
        return self.members.setdefault(user.id, Member(user))

    def permissions_of(self, user: User) -> int:
        if user is self.owner:
            return EVERYTHING
        member = self.members.get(user.id)
        held = self.roles[self.id].permissions
        for role_id in member.roles if member else ():
            held |= self.roles[role_id].permissions
        return EVERYTHING if held & ADMINISTRATOR else held

    def payload(self, bot: User) -> dict[str, Any]:
        me = Member(bot)
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "owner_id": str(self.owner.id),
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [role.payload(position) for position, role in enumerate(self.roles.values())],
            "emojis": [],
            "features": [],
            "mfa_level": 0,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "premium_tier": 0,
            "preferred_locale": self.locale,
            "nsfw_level": 0,
            "stickers": [],
            "premium_progress_bar_enabled": False,
            # As Discord does: many members are not listed, and nobody may rely on it.
            "joined_at": "2026-01-01T00:00:00.000000+00:00",
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "voice_states": [],
            "members": [me.payload()],
            "channels": [channel.payload() for channel in self.channels.values()],
            "threads": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }
