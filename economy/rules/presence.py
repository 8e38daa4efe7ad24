"""Joining and leaving a community, and what a member chose to show of themself. Pure.

They are entries like all else: boards follow them, and can be rebuilt. Whoever is in several places of a community is
in it as long as they are in one of them. Which ones is noted only of members who were seen in a place that joined: all
others are where the community began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from economy.books import AMOUNT_HIDDEN, HIDDEN, IN_PREFIX, PRESENT, ROLE_PREFIX, Books, Decision, Needs, Order, Outcome
from economy.ledger import Receipt
from economy.refusals import Value
from economy.rules.communities import joined_places
from economy.values import CommunityId, MemberId, Role

KEPT = frozenset({Role.OWNER, Role.OPERATOR, Role.CREATOR})
"""Roles that outlast a leave."""


def is_in(flags: Mapping[str, Value], home: CommunityId | None) -> bool:
    """Whether a member is in a place: the one in which the community `home` began, None where theirs did."""
    if flags.get(PRESENT) is not True:
        return False
    if home is not None:
        return flags.get(f"{IN_PREFIX}{home}") is True
    return flags.get(_BEGAN) is True or not any(_places(flags))


_BEGAN: Final = f"{IN_PREFIX}0"


def place_flag(home: CommunityId | None) -> str:
    """The flag of a member by which it is noted that they are in a place, if it is noted."""
    return _BEGAN if home is None else f"{IN_PREFIX}{home}"


def places_of_both(one: Mapping[str, Value], other: Mapping[str, Value]) -> frozenset[str]:
    """What is to be noted of somebody who was two members so far: where either of them is."""
    there = {name for flags in (one, other) for name in _places(flags)}
    is_where_it_began = any(is_in(flags, None) for flags in (one, other))
    return frozenset({*there, _BEGAN} if there and is_where_it_began else there)


def _places(flags: Mapping[str, Value]) -> Iterator[str]:
    """The flags of the places that a member is noted to be in."""
    return (name for name, value in flags.items() if name.startswith(IN_PREFIX) and value is True)


class Joined(Receipt, frozen=True, kw_only=True, tag="joined"):
    member: MemberId


class Join(Order, frozen=True, kw_only=True, tag="join"):
    """`by` is in the place: they came, or spoke there for the first time. Joining again changes nothing."""

    kind: ClassVar[str] = "join"
    acts: ClassVar[bool] = False

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        facts = [] if member.is_present else [member.fact(PRESENT, True)]
        noted = set(_places(member.flags))
        here = place_flag(books.home)
        if member.is_present and not noted and books.home is not None:
            # So far there was nothing to note: they were where it began.
            facts.append(member.fact(_BEGAN, True))
        if (noted or books.home is not None) and here not in noted:
            facts.append(member.fact(here, True))
        return Decision(receipt=Joined(member=member.id), facts=tuple(facts))


class Left(Receipt, frozen=True, kw_only=True, tag="left"):
    member: MemberId


class Leave(Order, frozen=True, kw_only=True, tag="leave"):
    """`by` left the place. If they are in no other one, coins stay theirs; roles given by name end, so that nobody
    returns as staff unnoticed.

    Owner and operator stay what they are: a community must not lose its owner by a click.
    """

    kind: ClassVar[str] = "leave"
    acts: ClassVar[bool] = False

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        here = place_flag(books.home)
        noted = set(_places(member.flags))
        if member.is_present and not is_in(member.flags, books.home):
            return Decision(receipt=Left(member=member.id))
        there = {_BEGAN, *(place_flag(place.home) for place in joined_places(books.flags))}
        if member.is_present and (noted & there) - {here}:
            return Decision(receipt=Left(member=member.id), facts=(member.fact(here, None),))
        facts = [member.fact(PRESENT, False)] if member.is_present else []
        facts += [member.fact(name, None) for name in sorted(noted)]
        facts += [
            member.fact(name, None)
            for name, value in sorted(member.flags.items())
            if name.startswith(ROLE_PREFIX) and value is True and name.removeprefix(ROLE_PREFIX) not in KEPT
        ]
        return Decision(receipt=Left(member=member.id), facts=tuple(facts))


class Hideable(StrEnum):
    ME = "me"
    AMOUNT = "amount"


class Visibility(Receipt, frozen=True, kw_only=True, tag="visibility"):
    member: MemberId
    what: Hideable
    hidden: bool


class Hide(Order, frozen=True, kw_only=True, tag="hide"):
    """Keeps the member off the boards, or keeps their amounts off, or (`hidden` False) shows them again."""

    kind: ClassVar[str] = "hide"

    what: Hideable = Hideable.ME
    hidden: bool = True

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        name = HIDDEN if self.what is Hideable.ME else AMOUNT_HIDDEN
        return Decision(
            receipt=Visibility(member=member.id, what=self.what, hidden=self.hidden),
            facts=(member.fact(name, True if self.hidden else None),),
        )
