"""Who is in a place: whoever speaks, comes or goes there tells the economy so, once."""

from __future__ import annotations

from collections import OrderedDict

from economy.books import PRESENT, Order
from economy.refusals import Refusal
from economy.rules.configuring import Appoint
from economy.rules.presence import Join, Leave, is_in
from economy.service import Economy, Submission
from economy.values import Identity, Place, Role, Sighting, fitting_key
from economy.views import Reader

KNOWN_MAX = 50_000
"""How many people this process remembers to be present. Those it forgets are looked up again."""


def _looks(person: Sighting) -> tuple[str, bool]:
    return person.name, person.is_bot


class Presence:
    """Joins whoever is in a place and was not known to be. Remembers whom it has seen, within bounds."""

    def __init__(self, economy: Economy) -> None:
        self._economy = economy
        self._known: OrderedDict[tuple[Place, Identity], tuple[str, bool]] = OrderedDict()

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        """They spoke, so they are there."""
        if self._known.get((place, person.identity)) != _looks(person):
            await self.reader(place, person, act)

    async def came(self, place: Place, person: Sighting, act: str) -> Refusal | None:
        """They joined the place; answers why that could not be noted."""
        reader = await self._economy.reads.reader(place, person.identity)
        # Of a bot the store may think that it is a person.
        is_new_bot = person.is_bot and self._known.get((place, person.identity)) != _looks(person)
        if is_new_bot or self._is_news(reader, place, person):
            return await self._join(place, person, act)
        return None

    async def reader(self, place: Place, person: Sighting, act: str, *, private: bool = False) -> Reader:
        """Who asks, as the store knows them, after they joined. Speaking to the bot alone brings nobody back who
        left, and who the platform says is elsewhere does not join."""
        reader = await self._economy.reads.reader(place, person.identity)
        if not self._is_news(reader, place, person, private=private) or await self._join(place, person, act):
            return reader
        return await self._economy.reads.reader(place, person.identity)

    def _is_news(self, reader: Reader, place: Place, person: Sighting, *, private: bool = False) -> bool:
        """Whether the store is to be told that they are there, or are called otherwise."""
        if person.present is False or (private and reader.flags.get(PRESENT) is False):
            return False
        changed = self._known.get((place, person.identity), _looks(person)) != _looks(person)
        is_there = is_in(reader.flags, reader.home) if person.present else reader.flags.get(PRESENT) is True
        if is_there and not changed:
            self._remember(place, person)
            return False
        return True

    async def _join(self, place: Place, person: Sighting, act: str) -> Refusal | None:
        refusal = await self._submit(place, person, Join(by=person.identity), f"{act}:join")
        if refusal is None:
            self._remember(place, person)
        return refusal

    async def went(self, place: Place, person: Sighting, act: str) -> Refusal | None:
        """They left; nothing happens where they were never known. Answers why that could not be noted."""
        self._known.pop((place, person.identity), None)
        reader = await self._economy.reads.reader(place, person.identity)
        if not is_in(reader.flags, reader.home):
            return None
        return await self._submit(place, person, Leave(by=person.identity), f"{act}:leave")

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Refusal | None:
        """The platform gives them a role, with the standing that it vouches for. Answers why it is not theirs."""
        await self.heard(place, person, act)
        order = Appoint(by=person.identity, member=person.identity, role=role)
        return await self._submit(place, person, order, act, standing)

    async def _submit(
        self, place: Place, person: Sighting, order: Order, key: str, standing: frozenset[Role] = frozenset()
    ) -> Refusal | None:
        answer = await self._economy.submit(Submission(place, fitting_key(key), order, standing, (person,)))
        return answer.outcome if isinstance(answer.outcome, Refusal) else None

    def _remember(self, place: Place, person: Sighting) -> None:
        self._known[place, person.identity] = _looks(person)
        self._known.move_to_end((place, person.identity))
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
