"""What can be found out about the bot on Discord, as plain values. Pure, and light: without the library."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

PERMISSIONS: Final = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Send Messages in Threads": 1 << 38,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
}
"""What the bot needs on a server, in Discord's words."""

PERMISSIONS_NEEDED: Final = sum(PERMISSIONS.values())
_ADMINISTRATOR: Final = 1 << 3


class GuildState(Struct, frozen=True):
    """A server the bot is in, and what it lacks there."""

    name: str
    lacking: tuple[str, ...]


class DiscordState(Struct, frozen=True, kw_only=True):
    """What Discord says of the bot. `problem` says why it could not be asked, and then all else is unknown."""

    problem: str | None = None
    name: str = ""
    application_id: int = 0
    has_members_intent: bool = False
    wants_members_intent: bool = False
    commands_in_sync: bool = False
    interactions_go_elsewhere: bool = False
    guilds: tuple[GuildState, ...] = ()


def invite_link(application_id: int) -> str:
    """Where an owner adds the bot to a server."""
    return (
        f"https://discord.com/oauth2/authorize?client_id={application_id}&permissions={PERMISSIONS_NEEDED}"
        "&scope=bot+applications.commands"
    )


def lacking(permissions: int) -> tuple[str, ...]:
    """What is missing in a set of permissions."""
    if permissions & _ADMINISTRATOR:
        return ()
    return tuple(called for called, bit in PERMISSIONS.items() if not permissions & bit)
