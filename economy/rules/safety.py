"""Blocking by members, freezing by staff. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from economy.books import BLOCK_PREFIX, FREEZE, FREEZE_ALL, Books, Decision, Event, Member, Needs, Order, Outcome
from economy.ledger import Fact, Receipt
from economy.links import APART, former_ids
from economy.refusals import Code, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.values import NO_REASON, Identity, MemberId, Reason, Role

BLOCKS_MAX = 200


class Blocked(Receipt, frozen=True, kw_only=True, tag="blocked"):
    member: MemberId
    other: MemberId
    blocked: bool


class Block(Order, frozen=True, kw_only=True, tag="block"):
    """Refuses another member's tips, gifts and notes to oneself, without telling them why; or no longer."""

    kind: ClassVar[str] = "block"

    other: Identity
    blocked: bool = True

    def needs(self) -> Needs:
        return Needs(people=(self.other,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        other = books.find(self.other)
        if other is None:
            return refuse(Code.UNKNOWN_MEMBER, name=self.other.native_id)
        if other.id == member.id:
            return refuse(Code.INVALID_ARGUMENT, rule="block_self")
        blocks = sum(value is True for name, value in member.flags.items() if name.startswith(BLOCK_PREFIX))
        if self.blocked and blocks >= BLOCKS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="blocks", limit=BLOCKS_MAX)
        return Decision(
            receipt=Blocked(member=member.id, other=other.id, blocked=self.blocked),
            facts=self._facts(member, other),
        )

    def _facts(self, member: Member, other: Member) -> tuple[Fact, ...]:
        """Whoever goes on as another is blocked as the one or the other, and accepted again as both."""
        if self.blocked:
            return (member.fact(f"{BLOCK_PREFIX}{other.id}", True),)
        first, *former = other.ids
        blocked_as = [name for each in former if member.flags.get(name := f"{BLOCK_PREFIX}{each}") is True]
        left = former_ids(other.flags.get(APART))
        apart = any(member.flags.get(f"{BLOCK_PREFIX}{each}") is True for each in left)
        return (
            member.fact(f"{BLOCK_PREFIX}{first}", False if apart else None),
            *(member.fact(name, None) for name in blocked_as),
        )


class Scope(StrEnum):
    SEND = "send"
    RECEIVE = "receive"
    BOTH = "both"


class Frozen(Receipt, frozen=True, kw_only=True, tag="frozen"):
    """`member` is None where everyone is meant; `scope` is None once lifted."""

    actor: MemberId
    member: MemberId | None
    scope: Scope | None


class MovementFrozen(Event, frozen=True, kw_only=True, tag="movement_frozen"):
    actor: MemberId
    member: MemberId | None
    scope: Scope | None


class Freeze(Order, frozen=True, kw_only=True, tag="freeze"):
    """Stops a member from sending, receiving or both; `scope` None lifts it."""

    kind: ClassVar[str] = "freeze"

    member: Identity
    scope: Scope | None = Scope.BOTH
    reason: Reason = NO_REASON

    def needs(self) -> Needs:
        return Needs(people=(self.member,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.FREEZE):
            return refusal
        member = books.find(self.member)
        if member is None:
            return refuse(Code.UNKNOWN_MEMBER, name=self.member.native_id)
        if not member.roles.isdisjoint({Role.OWNER, Role.OPERATOR}) and member.id != actor.id:
            return refuse(Code.NOT_ALLOWED, rule="freeze_owner")
        if member.id == actor.id and Role.OWNER not in books.roles_of(actor):
            # Else a moderator whom the owner has frozen would lift it.
            return refuse(Code.NOT_ALLOWED, rule="freeze_self", roles=str(Role.OWNER))
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        scope = str(self.scope) if self.scope else None
        return Decision(
            receipt=Frozen(actor=actor.id, member=member.id, scope=self.scope),
            facts=(member.fact(FREEZE, scope),),
            reason=self.reason,
            events=(MovementFrozen(actor=actor.id, member=member.id, scope=self.scope),),
        )


class FreezeAll(Order, frozen=True, kw_only=True, tag="freeze_all"):
    """Stops all movement of coins in the community until lifted."""

    kind: ClassVar[str] = "freeze"

    frozen: bool = True
    reason: Reason = NO_REASON

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.FREEZE_ALL):
            return refusal
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        scope = Scope.BOTH if self.frozen else None
        return Decision(
            receipt=Frozen(actor=actor.id, member=None, scope=scope),
            facts=(books.community_fact(FREEZE_ALL, True if self.frozen else None),),
            reason=self.reason,
            events=(MovementFrozen(actor=actor.id, member=None, scope=scope),),
        )
