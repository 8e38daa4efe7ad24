"""docs/discord-replies.md: every command on Discord, and what people see of its answer. Made by using them.

python -m tests.adapters.discord.page > docs/discord-replies.md
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import open_conversation, temporary_store
from bot.logs import configure
from bot.settings import LogFormat, LogLevel
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.people import Person, Seen, Value
from tests.adapters.discord.rest import listening
from tests.adapters.discord.state import Channel, Role, User
from tests.bot.talk import StandingClock

_HEAD = """\
# What is answered on Discord

Every command, and what people see of its answer: made by using each of them at a server in the tests, by
`python -m tests.adapters.discord.page`. ana owns the server and runs this Florin, mo moderates, bo and cy are members.
What is private is seen by whoever asked, and by nobody else. Buttons stand in brackets.
"""

_CODE = re.compile(r"\b[0-9]+(-[A-Z2-9]{4}){3}\b")
_OWN_CODE = re.compile(r"(?:(?<=code is )|(?<=/connect ))[A-Z2-9]{4}-[A-Z2-9]{4}\b")

Use = tuple[str, str, dict[str, str | int]]
"""Who, which command, and its options; `@name` is a member, `&name` a role, `#name` a channel."""

USES: tuple[Use, ...] = (
    ("mo", "coins add", {"who": "@bo", "amount": 2_000, "reason": "won the quiz"}),
    ("ana", "coins add", {"who": "@bo", "amount": 500, "which": "bought", "reason": "paid by card"}),
    ("mo", "coins remove", {"who": "@bo", "amount": 10, "reason": "counted twice"}),
    ("ana", "coins set", {"who": "@cy", "amount": 5, "reason": "a fresh start"}),
    ("bo", "tip", {"to": "@cy", "amount": "50", "note": "nice *drawing*"}),
    ("bo", "tip", {"to": "@cy", "to_2": "@mo", "how": "split", "amount": "101"}),
    ("bo", "tip", {"to": "@cy", "amount": "1k"}),
    ("bo", "tip", {"to": "@cy", "amount": "9,000"}),
    ("bo", "gift", {"gift": "rose", "to": "@cy", "count": 3}),
    ("bo", "gifts", {}),
    ("cy", "gifts", {"turn": "off"}),
    ("cy", "gifts", {"turn": "on"}),
    ("bo", "balance", {}),
    ("bo", "daily", {}),
    ("bo", "history", {}),
    ("bo", "history", {"form": "csv"}),
    ("bo", "receipt", {"receipt": "RECEIPT"}),
    ("bo", "undo", {}),
    ("bo", "top", {}),
    ("cy", "gift", {"gift": "bouquet", "to": "@mo"}),
    ("bo", "chest show", {}),
    ("ana", "chest tip", {"to": "@mo", "amount": "5", "note": "for keeping the peace"}),
    ("bo", "creator show", {}),
    ("cy", "creator join", {}),
    ("cy", "creator profile", {"text": "I draw birds, live on Sundays"}),
    ("cy", "creator favourites", {"first": "rose", "second": "cake"}),
    ("bo", "creator show", {"member": "@cy"}),
    ("cy", "creator leave", {}),
    ("ana", "settings", {"name": "creator_approval", "value": "on"}),
    ("cy", "creator join", {}),
    ("mo", "creator approve", {"member": "@cy"}),
    ("cy", "creator leave", {}),
    ("cy", "creator join", {}),
    ("mo", "creator decline", {"member": "@cy", "reason": "please fill in your profile first"}),
    ("bo", "hide", {}),
    ("bo", "show", {}),
    ("bo", "block", {"member": "@cy"}),
    ("bo", "blocks", {}),
    ("bo", "claims", {}),
    ("bo", "unblock", {"member": "@cy"}),
    ("mo", "freeze", {"member": "@bo", "reason": "under review"}),
    ("mo", "unfreeze", {"member": "@bo", "reason": "all is well"}),
    ("mo", "words add", {"word": "darn"}),
    ("mo", "words show", {}),
    ("mo", "words remove", {"word": "darn"}),
    ("mo", "redact", {"receipt": "RECEIPT", "reason": "not for everyone"}),
    ("mo", "audit", {"kind": "coins"}),
    ("ana", "catalogue price", {"gift": "rose", "price": 2}),
    ("ana", "catalogue retire", {"gift": "lion"}),
    ("ana", "catalogue return", {"gift": "lion"}),
    ("ana", "settings", {}),
    ("ana", "features", {}),
    ("ana", "features", {"feature": "reactions", "turn": "on"}),
    ("bo", "reactions", {}),
    ("bo", "reactions", {"turn": "on"}),
    ("ana", "roles give", {"member": "@mo", "role": "treasurer"}),
    ("ana", "roles take", {"member": "@mo", "role": "treasurer"}),
    ("ana", "roles map", {"group": "&Mods", "role": "moderator"}),
    ("bo", "roles show", {}),
    ("ana", "roles unmap", {"group": "&Mods"}),
    ("ana", "channels announcements", {"channel": "#gifts"}),
    ("ana", "channels log", {"channel": "#staff"}),
    ("ana", "channels set", {"channel": "#chat", "use": "private"}),
    ("ana", "channels show", {}),
    ("bo", "connect", {}),
    ("bo", "disconnect", {}),
    ("bo", "community show", {}),
    ("ana", "community join", {}),
    ("ana", "community join", {"code": "12-ABCD-EFGH-JKLM"}),
    ("ana", "community leave", {}),
    ("ana", "community remove", {"number": 7}),
    ("bo", "help", {}),
    ("bo", "help", {"command": "tip"}),
)


@asynccontextmanager
async def _server(peer: Peer) -> AsyncIterator[dict[str, Person]]:
    users = {name: peer.user(name) for name in ("ana", "mo", "bo", "cy")}
    peer.runner_user = users["ana"]
    guild = peer.guild("lobby", users["ana"])
    for user in users.values():
        guild.join(user)
    guild.role("Mods")
    for name in ("gifts", "staff", "chat"):
        guild.channel(name)
    with temporary_store() as address:
        async with open_conversation(address, StandingClock()) as conversation, opened_door(peer, conversation):
            people = {name: Person(peer, user, guild) for name, user in users.items()}
            await people["ana"].use("roles give", member=users["mo"], role="moderator")
            await people["cy"].use("balance")
            yield people


async def page() -> str:
    """The page's text."""
    parts = [_HEAD]
    async with listening(Peer()) as peer, _server(peer) as people:
        receipt = ""
        for name, command, options in USES:
            meant = {option: _meant(people[name], value, receipt) for option, value in options.items()}
            seen = await people[name].use(command, **meant)
            if command == "tip" and not receipt:
                receipt = next(
                    each["custom_id"].rpartition(":")[2]
                    for each in seen.message["components"][0]["components"]
                    if each["custom_id"].startswith("t:")
                )
            parts.append(_told(name, command, options, seen, receipt))
    # Codes are drawn anew each time.
    return _OWN_CODE.sub("ABCD-EFGH", _CODE.sub("12-ABCD-EFGH-JKLM", "\n".join(parts)))


def _meant(person: Person, value: str | int, receipt: str) -> Value:
    if not isinstance(value, str):
        return value
    guild, name = person.guild, value[1:]
    found: Value = value
    if value.startswith("@"):
        found = next(member.user for member in guild.members.values() if member.user.name == name)
    elif value.startswith("&"):
        found = next(role for role in guild.roles.values() if role.name == name)
    elif value.startswith("#"):
        found = next(channel for channel in guild.channels.values() if channel.name == name)
    elif value == "RECEIPT":
        found = receipt
    assert isinstance(found, str | User | Role | Channel)
    return found


def _told(name: str, command: str, options: dict[str, str | int], seen: Seen, receipt: str) -> str:
    given = " ".join(f"{option}:{receipt if value == 'RECEIPT' else value}" for option, value in options.items())
    who = "everyone sees" if not seen.is_private else f"{name} alone sees"
    lines = [
        f"## `/{command}{' ' if given else ''}{given}`",
        "",
        f"{name} uses it, and {who}:",
        "",
        "```text",
        *seen.lines,
    ]
    if seen.labels:
        lines += ["", " ".join(f"[{label}]" for label in seen.labels)]
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    configure(LogLevel.ERROR, LogFormat.TEXT)
    sys.stdout.write(asyncio.run(page()))
