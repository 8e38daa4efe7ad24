"""The console as a platform of its own: its places, its people, and who of them is a bot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from economy.service import Identity, Place, Role, Sighting

PLATFORM = "console"
FIRST_PLACE = "lobby"

ROLE_WORDS = {
    "treasurers": Role.TREASURER,
    "moderators": Role.MODERATOR,
    "auditors": Role.AUDITOR,
    "creators": Role.CREATOR,
}
"""Roles that `@word` names. A person who goes by that name is named by their id, as `id:moderators`."""

VOUCHED = frozenset({Role.OWNER, Role.OPERATOR})
"""What the console attests when it appoints somebody: whoever sits at the machine runs this Florin."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def storable(name: str) -> str:
    """`name` with what no database keeps (controls, lone surrogates) spelled out."""
    return _CONTROL.sub(lambda found: f"%{ord(found[0]):04x}", name)


def native_id(name: str) -> str:
    """A person's id. The case of their name does not matter."""
    return storable(name.casefold())


@dataclass(slots=True)
class Person:
    """Somebody at the console. `name` as it was first written; `place` is where they last were."""

    name: str
    identity: Identity
    is_bot: bool = False
    place: Place | None = None
    left: set[Place] = field(default_factory=set)


class World:
    """Who was seen in this run, and where the conversation is now."""

    def __init__(self) -> None:
        self.place = Place(PLATFORM, FIRST_PLACE)
        self.places = [self.place]
        self._people: dict[str, Person] = {}
        self._unseen: set[str] = set()

    @property
    def people(self) -> tuple[Person, ...]:
        """Everyone seen in this run, in the order they were first seen."""
        return tuple(self._people.values())

    def move(self, name: str) -> Place:
        """From here on people speak in the place `name`."""
        self.place = Place(PLATFORM, storable(name))
        if self.place not in self.places:
            self.places.append(self.place)
        return self.place

    def find(self, name: str) -> Person | None:
        return self._people.get(native_id(name))

    def person(self, name: str) -> Person:
        """The person of that name, who begins to exist by it."""
        identity = Identity(PLATFORM, native_id(name))
        return self._people.setdefault(identity.native_id, Person(name, identity))

    def arrive(self, name: str, place: Place | None = None) -> Person:
        """`name` is in `place`, or where the conversation is now: they act there, or a line says so."""
        person = self.person(name)
        person.place = place or self.place
        person.left.discard(person.place)
        self._unseen.discard(person.identity.native_id)
        return person

    def expect(self, name: str) -> None:
        """Somebody can be named so whom nobody has seen yet."""
        self._unseen.add(native_id(name))

    def is_unseen(self, name: str) -> bool:
        return native_id(name) in self._unseen

    def depart(self, name: str) -> Person:
        person = self.person(name)
        person.place = self.place
        person.left.add(self.place)
        return person

    def place_of(self, person: Person) -> Place:
        """What somebody means who speaks to the bot alone."""
        return person.place or self.place

    def sighting(self, person: Person, place: Place) -> Sighting:
        return Sighting(person.identity, person.name, person.is_bot, present=place not in person.left)

    def mentioned(self, name: str) -> Sighting:
        """Somebody named in a message. Whether they ever joined is for the store to say."""
        person = self.find(name)
        if person is None:
            return Sighting(Identity(PLATFORM, native_id(name)), name)
        return Sighting(person.identity, person.name, person.is_bot)

    def role(self, word: str) -> Role | None:
        """The role that `@word` names. Nobody takes that from it by their name."""
        return ROLE_WORDS.get(word.casefold())
