"""The console's own commands, which the bot never hears."""

from __future__ import annotations

from msgspec import Struct


class Own(Struct, frozen=True):
    """How a command of the console is written, and what it does."""

    takes: str
    does: str


OWN = {
    "as": Own("NAME", "speak as somebody else"),
    "private": Own("[on|off]", "speak to the bot alone, or in the place again"),
    "press": Own("[NUMBER or LABEL]", "press a button; without one, see which there are"),
    "place": Own("NAME", "go to another place; a new one starts a new community"),
    "console": Own("", "see this list"),
    "quit": Own("", "leave; Ctrl-D does too"),
}

LINES = {
    "! owner NAME": "make somebody owner; also treasurer, moderator, auditor, creator",
    "! join NAME": "somebody comes; also leave, and bot for an account that is a bot",
    "! again": "deliver the last message once more, as platforms sometimes do",
    "! restart": "close everything, and open it again on the same store",
}


def help_lines() -> list[str]:
    """What the console can do beside what the bot can, aligned."""
    written = {f"/{name} {own.takes}".rstrip(): own.does for name, own in OWN.items()} | LINES
    width = max(map(len, written))
    return [f"  {how:<{width}}  {does}" for how, does in written.items()]
