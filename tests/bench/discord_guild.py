"""A Discord with one large server whose members tip, look at their balance and at boards, and press buttons.

`python -m tests.bench.discord_guild MEMBERS`; see `arrivals`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter, deque
from typing import Any, Final

from tests.adapters.discord.checks import nested
from tests.adapters.discord.peer import Interaction, Peer
from tests.adapters.discord.people import PRESS, Person
from tests.adapters.discord.rest import listening
from tests.adapters.discord.state import Guild, User
from tests.bench.arrivals import PATIENCE_S, Arrived, Where, arrive, serve
from tests.bench.filling import PLACE, person, person_name

MIX: Final = {"tip": 70, "balance": 10, "top": 5, "press": 15}
"""In a hundred. What is pressed are the buttons under the tips before: half of them somebody's thanks."""
RECENT: Final = 2_000


class Town:
    """The server and what happened in it last."""

    def __init__(self, peer: Peer, members: int) -> None:
        self._peer = peer
        self._users = [User(person_name(each), id=int(person(each).native_id)) for each in range(1, members + 1)]
        peer.users |= {user.id: user for user in self._users}
        self._guild = Guild("lobby", self._users[0], id=int(PLACE.native_id))
        for user in self._users:
            self._guild.join(user)
        peer.guilds[self._guild.id] = self._guild
        self._channel = next(iter(self._guild.channels.values()))
        self._chance = random.Random(11)
        self._tips: deque[tuple[User, dict[str, Any]]] = deque(maxlen=RECENT)
        self._under_way: set[asyncio.Task[None]] = set()
        self._took: list[float] = []

    async def run(self, rate: float, seconds: float) -> Arrived:
        await self._peer.until(lambda: bool(self._peer.gateway.connected()), within_s=PATIENCE_S)
        self._took = []
        self._peer.requests.clear()
        acts = await arrive(self._act, rate, seconds, self._chance)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=PATIENCE_S)
        # An answer that came too late is told elsewhere, by a message.
        asked = Counter(each.path for each in self._peer.requests if each.method == "GET")
        return Arrived(seconds, acts, acts, tuple(self._took), dict(asked), tuple(self._peer.problems))

    async def _act(self, due: float) -> None:
        (kind,) = self._chance.choices([*MIX], [*MIX.values()])
        by, to = self._chance.sample(self._users, 2)
        if kind == "press" and self._tips:
            interaction = await self._press(by)
        elif kind in ("tip", "press"):
            interaction = await Person(self._peer, by, self._guild).send("tip", to=to, amount="1")
        else:
            interaction = await Person(self._peer, by, self._guild).send(kind)
        task = asyncio.create_task(self._answered(interaction, due, to if kind == "tip" else None))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _press(self, by: User) -> Interaction:
        receiver, message = self._chance.choice(self._tips)
        label = self._chance.choice(("Thank", "My coins"))
        custom_ids = {each["label"]: each["custom_id"] for each in nested(message["components"]) if each["type"] == 2}
        if label not in custom_ids:
            label = "My coins"
        data = {"component_type": 2, "custom_id": custom_ids.get(label, "m:coins")}
        who = receiver if label == "Thank" else by
        return await self._peer.interact(PRESS, who, self._channel, data, message=message)

    async def _answered(self, interaction: Interaction, due: float, receiver: User | None) -> None:
        await interaction.answered.wait()
        self._took.append(time.perf_counter() - due)
        if receiver is not None and interaction.seen:
            self._tips.append((receiver, interaction.seen[0]))
        # The world does not end with a benchmark, but memory does.
        del self._peer.interactions[interaction.token]


async def main(members: int) -> None:
    peer = Peer()
    peer.is_strict = False
    town = Town(peer, members)
    async with listening(peer):
        await serve(Where((peer.url, peer.gateway_url)), town.run)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
