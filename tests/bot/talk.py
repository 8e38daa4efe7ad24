"""A talk with the bot over a real store: people by name, commands as one would type them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from adapters.contract import (
    Channel,
    Group,
    Invocation,
    Line,
    Listing,
    Mention,
    Pressed,
    Reply,
    RoleMention,
    Table,
    Word,
)
from bot.app import Florin, open_florin
from economy.values import Identity, Place, Role, Sighting

LOBBY = Place("test", "lobby")
VOUCHED = frozenset({Role.OWNER, Role.OPERATOR})


class StandingClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: int) -> None:
        self.at += timedelta(**by)


def person(name: str, *, is_bot: bool = False) -> Sighting:
    return Sighting(Identity("test", name), name, is_bot)


class Talk:
    """Speaks for everyone. Each message is a new act, unless it is given one."""

    def __init__(self, florin: Florin, clock: StandingClock, run: str) -> None:
        self.florin = florin
        self.clock = clock
        self._run = run
        self._acts = count(1)

    def act(self) -> str:
        return f"test:message:{self._run}:{next(self._acts)}"

    async def join(self, *names: str, place: Place = LOBBY) -> None:
        for name in names:
            await self.florin.conversation.came(place, person(name), self.act())

    async def appoint(self, name: str, role: Role, *, place: Place = LOBBY) -> None:
        """The platform itself gives a role."""
        await self.florin.conversation.appoint(place, person(name), role, self.act(), VOUCHED)

    async def say(
        self,
        name: str,
        text: str,
        *,
        place: Place = LOBBY,
        standing: frozenset[Role] = frozenset(),
        held: frozenset[str] = frozenset(),
        channel: str | None = None,
        private: bool = False,
        act: str | None = None,
        veiled: bool = False,
    ) -> Reply:
        """`name` types `text`: a command with its slash; `@name` mentions a member, `@@role` a role, `&name` one
        of the platform's own, `#name` a channel."""
        command, *words = text.removeprefix("/").split()
        return await self.florin.conversation.say(
            Invocation(
                act=act or self.act(),
                person=person(name),
                place=place,
                command=command,
                words=tuple(map(_word, words)),
                standing=standing,
                held=held,
                channel=channel,
                private=private,
                veiled=veiled,
            )
        )

    async def press(self, name: str, reply: Reply, label: str, *, channel: str | None = None) -> Reply:
        """`name` presses a button of a reply."""
        button = next(button for button in reply.buttons if button.label == label)
        return await self.florin.conversation.press(
            Pressed(act=self.act(), person=person(name), place=LOBBY, data=button.data, channel=channel)
        )


def _word(text: str) -> Word:
    if text.startswith("@@"):
        return RoleMention(Role(text[2:]))
    if text.startswith("&") and len(text) > 1:
        return Group(text[1:], text[1:])
    if text.startswith("#") and len(text) > 1:
        return Channel(text[1:], text[1:])
    return Mention(person(text[1:])) if text.startswith("@") else text


@asynccontextmanager
async def talking(folder: Path, clock: StandingClock | None = None, *, run: str = "first") -> AsyncIterator[Talk]:
    """A conversation on the store in `folder`. `run` makes its acts differ from those of others on it."""
    at = clock or StandingClock()
    async with open_florin(f"sqlite:///{folder / 'florin.db'}", at) as florin:
        yield Talk(florin, at, run)


async def people_of_the_lobby(folder: Path) -> None:
    """Makes a store where ana owns the lobby and runs this Florin, mo moderates there, bo (100 coins) and cy are
    members. Tests copy it, which is quicker than making it anew."""
    async with talking(folder) as talk:
        await talk.join("ana", "mo", "bo", "cy")
        await talk.appoint("ana", Role.OWNER)
        await talk.appoint("ana", Role.OPERATOR)
        await talk.say("ana", "/roles give @mo moderator")
        await talk.say("ana", "/coins add @bo 100 to begin with")


def text_of(reply: Reply) -> str:
    """What a reply says, a line a line, tables included."""
    lines: list[str] = []
    for node in reply.nodes:
        match node:
            case Line():
                lines.append(_line(node))
            case Listing():
                lines += map(_line, node.items)
            case Table():
                lines += [" | ".join(row) for row in (node.headings, *node.rows)]
            case _:
                lines.append(f"<{type(node).__name__}>")
    return "\n".join(lines)


def _line(line: Line) -> str:
    return "".join(span.text for span in line.spans)
