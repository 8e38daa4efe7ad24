"""Tips: coins from one member to others, who can spend them and never turn them into money. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec
from msgspec import Struct

from economy.books import CONFIRM_FOR, Books, Decision, Event, Hint, Member, Needs, Offer, Order, Outcome, Question
from economy.ledger import Legs, Posting, Receipt, Text
from economy.refusals import Code, Refusal, refuse
from economy.rules.earning import daily_offer
from economy.rules.permissions import Right, must_be_allowed
from economy.rules.words import must_be_decent
from economy.settings import Feature
from economy.values import (
    COINS_MAX,
    NO_NOTE,
    AmountKind,
    AmountWord,
    Asset,
    Coins,
    Identity,
    MemberId,
    Note,
    Role,
)

RECEIVERS_MAX = 50
"""The most people one tip can name; a role may hold more."""


class Receivers(Struct, frozen=True):
    """Who gets it: members by name, or everyone known to hold a role. With `group` the members are those who hold the
    platform's role of that name, as its door knows them."""

    people: tuple[Identity, ...] = ()
    role: Role | None = None
    group: str = ""

    @property
    def by_role(self) -> bool:
        return self.role is not None or bool(self.group)


class TipPart(Struct, frozen=True):
    to: MemberId
    amount: Coins


class Tipped(Receipt, frozen=True, kw_only=True, tag="tipped"):
    """`bought` is how many of the coins had been bought; `skipped` holders of the role could not receive."""

    sender: MemberId
    tips: tuple[TipPart, ...]
    bought: Coins
    role: Role | None = None
    skipped: tuple[MemberId, ...] = ()

    @property
    def total(self) -> int:
        return sum(part.amount for part in self.tips)


class CoinsTipped(Event, frozen=True, kw_only=True, tag="coins_tipped"):
    sender: MemberId
    tips: tuple[TipPart, ...]


class Tip(Order, frozen=True, kw_only=True, tag="tip"):
    """Coins from one member to others. They arrive as `bonus`.

    `amount` is what each gets, or with `split` (and always for `all` and `half`) what they share; a remainder stays
    with the sender. `agreed_bought` is set by the confirm button: how many bought coins the sender agreed to turn
    into free ones.
    """

    kind: ClassVar[str] = "tip"

    receivers: Receivers
    amount: AmountWord
    split: bool = False
    note: Note = NO_NOTE
    confirmed: bool = False
    agreed_bought: Coins = Coins(0)
    role: Role | None = None

    def needs(self) -> Needs:
        return Needs(people=self.receivers.people, role=self.receivers.role)

    def decide(self, books: Books, now: datetime) -> Outcome:
        sender = books.actor(self.by)
        if refusal := self._must_be_possible(books, sender):
            return refusal
        found = self._find_receivers(books, sender)
        if isinstance(found, Refusal):
            return found
        receivers, skipped = found
        each = self._each(books, sender, len(receivers))
        if isinstance(each, Refusal):
            return each if each.rule == "split" else with_daily(books, sender, each, now)
        total = each * len(receivers)
        if total > COINS_MAX:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if refusal := books.must_hold(sender, total):
            return with_daily(books, sender, refusal, now)
        for receiver in receivers:
            if refusal := books.must_fit(receiver, Asset.BONUS, each):
                return refusal
        bought = max(0, total - sender.holds(Asset.BONUS))
        receipt = Tipped(
            sender=sender.id,
            tips=tuple(TipPart(receiver.id, Coins(each)) for receiver in receivers),
            bought=Coins(bought),
            role=self.receivers.role or self.role,
            skipped=tuple(member.id for member in skipped),
        )
        if why := self._why_ask(books, total, bought):
            return self._ask(sender, receivers, receipt, why, now)
        return Decision(
            receipt=receipt,
            postings=_pay(sender, receivers, each),
            events=(CoinsTipped(sender=sender.id, tips=receipt.tips),),
            texts=(Text(sender.id, "note", self.note),) if self.note else (),
        )

    def _must_be_possible(self, books: Books, sender: Member) -> Refusal | None:
        if refusal := books.must_be_on(Feature.TIPPING) or books.must_send(sender):
            return refusal
        if (self.receivers.by_role or self.role) and (refusal := must_be_allowed(books, sender, Right.TIP_ROLES)):
            return refusal
        if not self.receivers.role and not self.receivers.people:
            return refuse(Code.INVALID_ARGUMENT, rule="receivers")
        if len(self.receivers.people) > RECEIVERS_MAX and not (self.confirmed or self.receivers.group):
            return refuse(Code.LIMIT_EXCEEDED, rule="receivers", limit=RECEIVERS_MAX)
        return must_be_decent(books, self.note)

    def _find_receivers(self, books: Books, sender: Member) -> tuple[list[Member], list[Member]] | Refusal:
        """Named receivers: all or none. Of a role: those who can receive, and those who cannot."""
        role = self.receivers.role or self.role or self.receivers.group
        if not role:
            receivers: dict[MemberId, Member] = {}
            for identity in self.receivers.people:
                receiver = books.must_receive(sender, identity)
                if isinstance(receiver, Refusal):
                    return receiver
                receivers[receiver.id] = receiver
            return list(receivers.values()), []
        able: list[Member] = []
        skipped: list[Member] = []
        for holder in self._holders(books):
            if holder.id != sender.id:
                can = isinstance(books.must_receive(sender, holder.identity), Member)
                (able if can else skipped).append(holder)
        if not able:
            return refuse(Code.UNKNOWN_MEMBER, rule="nobody_in_role", role=str(role))
        return able, skipped

    def _holders(self, books: Books) -> list[Member]:
        """Who holds the role; once confirmed, whoever of them was shown."""
        if self.receivers.role is not None:
            return [books.members[member_id] for member_id in books.holders.get(self.receivers.role, ())]
        found = (books.find(identity) for identity in self.receivers.people)
        return [member for member in found if member is not None]

    def _each(self, books: Books, sender: Member, heads: int) -> int | Refusal:
        match self.amount.kind:
            case AmountKind.ALL:
                pot = sender.spendable
            case AmountKind.HALF:
                pot = sender.spendable // 2
            case AmountKind.EXACT if self.amount.coins < 1:
                return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
            case AmountKind.EXACT if self.split:
                pot = int(self.amount.coins)
                if refusal := books.must_hold(sender, pot):
                    return refusal
            case AmountKind.EXACT:
                return int(self.amount.coins)
        if sender.spendable and pot < heads:
            return refuse(Code.INSUFFICIENT_FUNDS, rule="split", pot=pot, people=heads, available=sender.spendable)
        return pot // heads or refuse(Code.INSUFFICIENT_FUNDS, needed=heads, available=sender.spendable)

    def _why_ask(self, books: Books, total: int, bought: int) -> tuple[str, ...]:
        """Why to ask first; after a confirmation only if more bought coins would go than was agreed."""
        if self.confirmed:
            return ("bought",) if bought > self.agreed_bought else ()
        reasons = {
            "large": total >= books.settings.confirm_from,
            "all": self.amount.kind is AmountKind.ALL,
            "role": self.receivers.by_role,
            "bought": bought > 0,
        }
        return tuple(name for name, holds in reasons.items() if holds)

    def _ask(
        self, sender: Member, receivers: list[Member], terms: Tipped, why: tuple[str, ...], now: datetime
    ) -> Question:
        """Captures who and how much, as shown: what `all` or a role comes to later does not matter any more."""
        agreed = msgspec.structs.replace(
            self,
            receivers=Receivers(tuple(receiver.identity for receiver in receivers), group=self.receivers.group),
            amount=AmountWord.exact(terms.tips[0].amount),
            split=False,
            confirmed=True,
            agreed_bought=terms.bought,
            role=terms.role,
        )
        offer = Offer(label="confirm", order=agreed, presser=sender.id, expires=now + CONFIRM_FOR)
        return Question(about=terms, offers=(offer,), why=why)


def with_daily(books: Books, sender: Member, refusal: Refusal, now: datetime) -> Refusal | Hint:
    """Adds the button that claims /daily for someone who lacks coins and has not claimed."""
    offer = daily_offer(books, sender, now)
    return Hint(refusal=refusal, offers=(offer,)) if offer else refusal


def _pay(sender: Member, receivers: list[Member], each: int) -> tuple[Posting, ...]:
    """`bonus` is spent first, then `coin`, which goes back to its issuer and arrives as `bonus`."""
    legs = Legs()
    free = sender.holds(Asset.BONUS)
    rest: list[tuple[Member, int]] = []
    for receiver in receivers:
        from_bonus = min(free, each)
        free -= from_bonus
        legs.move(sender.id, receiver.id, Asset.BONUS, from_bonus)
        if each > from_bonus:
            rest.append((receiver, each - from_bonus))
    for receiver, amount in rest:
        legs.turn(sender.id, Asset.COIN, receiver.id, Asset.BONUS, amount)
    return legs.postings
