"""Joining and leaving a community, and what a member chose to show of themself. Pure.

They are entries like all else: boards follow them, and can be rebuilt.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from economy.books import AMOUNT_HIDDEN, HIDDEN, PRESENT, ROLE_PREFIX, Books, Decision, Needs, Order, Outcome
from economy.ledger import Receipt
from economy.values import MemberId, Role

KEPT = frozenset({Role.OWNER, Role.OPERATOR, Role.CREATOR})
"""Roles that outlast a leave."""


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
        facts = () if member.is_present else (member.fact(PRESENT, True),)
        return Decision(receipt=Joined(member=member.id), facts=facts)


class Left(Receipt, frozen=True, kw_only=True, tag="left"):
    member: MemberId


class Leave(Order, frozen=True, kw_only=True, tag="leave"):
    """`by` left the place. Coins stay theirs; roles given by name end, so that nobody returns as staff unnoticed.

    Owner and operator stay what they are: a community must not lose its owner by a click.
    """

    kind: ClassVar[str] = "leave"
    acts: ClassVar[bool] = False

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        facts = [member.fact(PRESENT, False)] if member.is_present else []
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
