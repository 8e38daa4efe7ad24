"""A server on a Discord in tests, and Florin at it: the real client, the real conversation, a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.discord.door import Door
from bot.app import Florin, open_florin
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.people import Person
from tests.adapters.discord.rest import listening
from tests.adapters.discord.state import Channel, Guild, User
from tests.bot.talk import StandingClock


@dataclass
class Town:
    """A server called lobby, owned by ana, where mo (a moderator), bo (100 coins) and cy are members."""

    peer: Peer
    guild: Guild
    people: dict[str, Person]
    clock: StandingClock
    address: str
    florin: Florin
    door: Door

    def person(self, name: str, channel: Channel | None = None) -> Person:
        found = self.people[name]
        return found if channel is None else Person(self.peer, found.user, self.guild, channel)

    def user(self, name: str) -> User:
        return self.people[name].user


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with listening(Peer()) as found:
        yield found
        assert not found.problems, found.problems


@pytest.fixture
def enter(peer: Peer, tmp_path: Path) -> Callable:
    """Opens the town, with settings of the door as given."""

    @asynccontextmanager
    async def open_town(*, defer_after_s: float = 1.5, **settings) -> AsyncIterator[Town]:
        names = ("ana", "mo", "bo", "cy")
        users = {name: peer.user(name) for name in names}
        guild = peer.guild("lobby", users["ana"])
        for user in users.values():
            guild.join(user)
        clock = StandingClock()
        address = f"sqlite:///{tmp_path / 'florin.db'}"
        async with AsyncExitStack() as stack:
            florin = await stack.enter_async_context(open_florin(address, clock))
            door = await stack.enter_async_context(
                opened_door(
                    peer,
                    florin.conversation,
                    florin.memory_of(Door.platform),
                    defer_after_s=defer_after_s,
                    **settings,
                )
            )
            people = {name: Person(peer, user, guild) for name, user in users.items()}
            town = Town(peer, guild, people, clock, address, florin, door)
            await people["ana"].use("roles give", member=users["mo"], role="moderator")
            await people["ana"].use("coins add", who=users["bo"], amount=100, reason="to begin with")
            yield town

    return open_town


@pytest.fixture
async def town(enter: Callable) -> AsyncIterator[Town]:
    async with enter() as found:
        yield found
