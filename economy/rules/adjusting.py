"""Corrections by staff: adding, removing and setting what members hold. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec
from msgspec import Struct

from economy.books import CONFIRM_FOR, Books, Decision, Event, Member, Needs, Offer, Order, Outcome, Question
from economy.ledger import Legs, Receipt
from economy.refusals import Code, Refusal, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.totals import ADJUSTED
from economy.values import COINS_MAX, NO_REASON, Asset, Coins, Identity, MemberId, Reason, Role

ROWS_MAX = 5_000
"""The most members one order adjusts."""

UNCAPPED = frozenset({Role.OPERATOR, Role.OWNER})
"""Whose adjustments know no daily limit, and who may adjust themselves."""


class Action(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    SET = "set"


class Target(Struct, frozen=True):
    """One row: whom, and how much (from a file each row has its own amount)."""

    member: Identity
    amount: Coins


class AdjustedRow(Struct, frozen=True):
    """`amount` as given, `moved` as it came to (signed), `balance` of that asset after."""

    member: MemberId
    amount: Coins
    moved: int
    balance: Coins


class Adjusted(Receipt, frozen=True, kw_only=True, tag="adjusted"):
    actor: MemberId
    action: Action
    asset: Asset
    rows: tuple[AdjustedRow, ...]


class CoinsAdjusted(Event, frozen=True, kw_only=True, tag="coins_adjusted"):
    actor: MemberId
    action: Action
    asset: Asset
    rows: tuple[AdjustedRow, ...]


class Adjust(Order, frozen=True, kw_only=True, tag="adjust"):
    """Adds to, removes from or sets one asset of members: named in rows, or everyone who holds a role.

    More than one row asks first, with who and how much. Nothing is half-done: one row that cannot be carried out
    refuses them all.
    """

    kind: ClassVar[str] = "coins"

    action: Action
    asset: Asset
    rows: tuple[Target, ...] = ()
    role: Role | None = None
    role_amount: Coins = Coins(0)
    reason: Reason = NO_REASON
    confirmed: bool = False

    def needs(self) -> Needs:
        return Needs(people=tuple(row.member for row in self.rows), role=self.role)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := self._must_be_possible(books, actor):
            return refusal
        targets = self._targets(books, actor)
        if isinstance(targets, Refusal):
            return targets
        rows: list[AdjustedRow] = []
        legs = Legs()
        for member, amount in targets:
            row = self._row(books, legs, member, amount)
            if isinstance(row, Refusal):
                return row
            rows.append(row)
        if refusal := self._must_be_within_limit(books, actor, rows, now):
            return refusal
        receipt = Adjusted(actor=actor.id, action=self.action, asset=self.asset, rows=tuple(rows))
        if (len(rows) > 1 or self.role is not None) and not self.confirmed:
            return self._ask(actor, targets, receipt, now)
        event = CoinsAdjusted(actor=actor.id, action=self.action, asset=self.asset, rows=receipt.rows)
        return Decision(receipt=receipt, postings=legs.postings, reason=self.reason, events=(event,))

    def _must_be_possible(self, books: Books, actor: Member) -> Refusal | None:
        right = Right.ADJUST_FREE if self.asset is Asset.BONUS else Right.ADJUST_BOUGHT
        if refusal := must_be_allowed(books, actor, right) or books.must_move():
            return refusal
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        return None if self.rows or self.role else refuse(Code.INVALID_ARGUMENT, rule="rows")

    def _targets(self, books: Books, actor: Member) -> list[tuple[Member, int]] | Refusal:
        targets: dict[MemberId, tuple[Member, int]] = {}
        if self.role is not None:
            for member_id in books.holders.get(self.role, ()):
                targets[member_id] = (books.members[member_id], int(self.role_amount))
            if not targets:
                return refuse(Code.UNKNOWN_MEMBER, rule="nobody_in_role", role=str(self.role))
        for number, row in enumerate(self.rows, start=1):
            member = books.find(row.member)
            where = {"row": number} if len(self.rows) > 1 else {}
            if member is None:
                return refuse(Code.UNKNOWN_MEMBER, name=row.member.native_id, **where)
            if member.is_bot:
                return refuse(Code.RECIPIENT_IS_BOT, member_id=member.id, **where)
            if member.id in targets:
                return refuse(Code.AMBIGUOUS, rule="twice", member_id=member.id, **where)
            targets[member.id] = (member, int(row.amount))
        if len(targets) > ROWS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="rows", limit=ROWS_MAX)
        if actor.id in targets and UNCAPPED.isdisjoint(books.roles_of(actor)):
            return refuse(Code.NOT_ALLOWED, rule="adjust_self")
        return list(targets.values())

    def _row(self, books: Books, legs: Legs, member: Member, amount: int) -> AdjustedRow | Refusal:
        before = member.holds(self.asset)
        match self.action:
            case Action.ADD:
                moved = amount
            case Action.REMOVE:
                moved = -amount
            case Action.SET:
                moved = amount - before
        if amount == 0 and self.action is not Action.SET:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if before + moved < 0:
            return refuse(Code.INSUFFICIENT_FUNDS, rule="remove", needed=amount, available=before, member_id=member.id)
        if moved > 0:
            if refusal := books.must_fit(member, self.asset, moved):
                return refusal
            legs.issue(member.id, self.asset, moved)
        else:
            legs.burn(member.id, self.asset, -moved)
        return AdjustedRow(member.id, Coins(amount), moved, Coins(before + moved))

    def _must_be_within_limit(
        self, books: Books, actor: Member, rows: list[AdjustedRow], now: datetime
    ) -> Refusal | None:
        wanted = sum(abs(row.moved) for row in rows)
        if wanted > COINS_MAX:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if not UNCAPPED.isdisjoint(books.roles_of(actor)):
            return None
        used = actor.total(ADJUSTED, books.today(now))
        limit = books.settings.moderator_limit_daily
        if used + wanted > limit:
            return refuse(Code.LIMIT_EXCEEDED, rule="adjusted", limit=limit, left=max(0, limit - used))
        return None

    def _ask(self, actor: Member, targets: list[tuple[Member, int]], terms: Adjusted, now: datetime) -> Question:
        agreed = msgspec.structs.replace(
            self,
            rows=tuple(Target(member.identity, Coins(amount)) for member, amount in targets),
            role=None,
            confirmed=True,
        )
        offer = Offer(label="confirm", order=agreed, presser=actor.id, expires=now + CONFIRM_FOR)
        return Question(about=terms, offers=(offer,), why=("bulk",))
