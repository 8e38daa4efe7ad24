"""What the Discord door is told by the operator."""

from __future__ import annotations

from msgspec import Struct

PLATFORM = "discord"


class DiscordSettings(Struct, frozen=True, kw_only=True):
    """`token` opens the door. `api_url` and `gateway_url` lead to a peer on this machine, for tests.

    `members_intent`: whether Discord tells who comes and goes; it has to be switched on for the bot there as well.
    `text_commands`: whether `@Florin tip @bo 50` is answered. `shards` are the shards of this process and how many
    there are in all; None lets Discord say, and takes them all. `reactions`: whether Discord tells of them, which it is
    asked for only where a community uses them.
    """

    token: str
    api_url: str | None = None
    gateway_url: str | None = None
    members_intent: bool = False
    reactions: bool = False
    text_commands: bool = True
    shards: tuple[range, int] | None = None

    def __repr__(self) -> str:
        return f"DiscordSettings(members_intent={self.members_intent}, shards={self.shards})"
