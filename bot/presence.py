"""Who is in a place: whoever speaks, comes or goes there tells the economy so, once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from economy.books import PRESENT, Order
from economy.refusals import Refusal
from economy.rules.configuring import Appoint
from economy.rules.presence import Join, Leave
from economy.service import Economy, Submission
from economy.values import KEY_LENGTH_MAX, IdempotencyKey, Identity, Place, Role, Sighting
from economy.views import Reader

KNOWN_MAX = 50_000
"""How many people this process remembers to be present. Those it forgets are looked up again."""


class Presence:
    """Joins whoever is in a place and was not known to be. Remembers whom it has seen, within bounds."""

    def __init__(self, economy: Economy) -> None:
        self._economy = economy
        self._known: OrderedDict[tuple[Place, Identity], str] = OrderedDict()

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        """They spoke, so they are there."""
        if self._known.get((place, person.identity)) != person.name:
            await self.reader(place, person, act)

    async def reader(self, place: Place, person: Sighting, act: str, *, private: bool = False) -> Reader:
        """Who asks, as the store knows them, after they joined. Speaking to the bot alone brings nobody back who
        left, and who the platform says is elsewhere does not join."""
        reader = await self._economy.reads.reader(place, person.identity)
        renamed = self._known.get((place, person.identity), person.name) != person.name
        left = reader.flags.get(PRESENT) is False
        if person.present is False or (private and left):
            return reader
        if reader.flags.get(PRESENT) is True and not renamed:
            self._remember(place, person)
            return reader
        if not await self._join(place, person, act):
            return reader
        return await self._economy.reads.reader(place, person.identity)

    async def _join(self, place: Place, person: Sighting, act: str) -> bool:
        joined = await self._submit(place, person, Join(by=person.identity), f"{act}:join")
        if joined:
            self._remember(place, person)
        return joined

    async def went(self, place: Place, person: Sighting, act: str) -> None:
        """They left; nothing happens where they were never known."""
        self._known.pop((place, person.identity), None)
        reader = await self._economy.reads.reader(place, person.identity)
        if reader.flags.get(PRESENT) is True:
            await self._submit(place, person, Leave(by=person.identity), f"{act}:leave")

    async def appoint(self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]) -> None:
        """The platform gives them a role, with the standing that it vouches for."""
        await self.heard(place, person, act)
        order = Appoint(by=person.identity, member=person.identity, role=role)
        await self._submit(place, person, order, act, standing)

    async def _submit(
        self, place: Place, person: Sighting, order: Order, key: str, standing: frozenset[Role] = frozenset()
    ) -> bool:
        answer = await self._economy.submit(Submission(place, _fitting(key), order, standing, (person,)))
        return not isinstance(answer.outcome, Refusal)

    def _remember(self, place: Place, person: Sighting) -> None:
        self._known[place, person.identity] = person.name
        self._known.move_to_end((place, person.identity))
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)


def _fitting(text: str) -> IdempotencyKey:
    """`text` as a key; one that is too long is named by its digest."""
    if len(text) <= KEY_LENGTH_MAX:
        return IdempotencyKey(text)
    return IdempotencyKey(f"digest:{hashlib.sha256(text.encode()).hexdigest()}")
