"""The community chest: the house's free coins, spent on the community by treasurers. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from economy.books import CONFIRM_FOR, Books, Decision, Event, Member, Needs, Offer, Order, Outcome, Question
from economy.ledger import Legs, Receipt, Text
from economy.refusals import Code, Refusal, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.rules.tipping import RECEIVERS_MAX, Receivers, TipPart
from economy.rules.words import must_be_decent
from economy.settings import Feature
from economy.values import COINS_MAX, NO_NOTE, AmountKind, AmountWord, Asset, Coins, MemberId, Note, Own


class ChestTipped(Receipt, frozen=True, kw_only=True, tag="chest_tipped"):
    actor: MemberId
    tips: tuple[TipPart, ...]

    @property
    def total(self) -> int:
        return sum(part.amount for part in self.tips)


class ChestSpent(Event, frozen=True, kw_only=True, tag="chest_spent"):
    actor: MemberId
    tips: tuple[TipPart, ...]


class TipFromChest(Order, frozen=True, kw_only=True, tag="tip_from_chest"):
    """Free coins of the community's own to members. Treasurers cannot tip themselves from it."""

    kind: ClassVar[str] = "chest"

    receivers: Receivers
    amount: AmountWord
    split: bool = False
    note: Note = NO_NOTE
    confirmed: bool = False

    def needs(self) -> Needs:
        return Needs(people=self.receivers.people, chest=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := self._must_be_possible(books):
            return refusal
        receivers: dict[MemberId, Member] = {}
        for identity in self.receivers.people:
            receiver = books.must_receive(actor, identity)
            if isinstance(receiver, Refusal):
                return receiver
            receivers[receiver.id] = receiver
        each = self._each(books.house.get(Asset.BONUS, 0), len(receivers))
        if isinstance(each, Refusal):
            return each
        legs = Legs()
        for receiver in receivers.values():
            if refusal := books.must_fit(receiver, Asset.BONUS, each):
                return refusal
            legs.move(Own.HOUSE, receiver.id, Asset.BONUS, each)
        receipt = ChestTipped(actor=actor.id, tips=tuple(TipPart(to, Coins(each)) for to in receivers))
        if why := self._why_ask(books, receipt.total):
            agreed = msgspec.structs.replace(self, amount=AmountWord.exact(each), split=False, confirmed=True)
            offer = Offer(label="confirm", order=agreed, presser=actor.id, expires=now + CONFIRM_FOR)
            return Question(about=receipt, offers=(offer,), why=why)
        return Decision(
            receipt=receipt,
            postings=legs.postings,
            events=(ChestSpent(actor=actor.id, tips=receipt.tips),),
            texts=(Text(actor.id, "note", self.note),) if self.note else (),
        )

    def _must_be_possible(self, books: Books) -> Refusal | None:
        actor = books.actor(self.by)
        if refusal := books.must_be_on(Feature.CHEST) or must_be_allowed(books, actor, Right.SPEND_CHEST):
            return refusal
        if not self.receivers.people:
            return refuse(Code.INVALID_ARGUMENT, rule="receivers")
        if len(self.receivers.people) > RECEIVERS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="receivers", limit=RECEIVERS_MAX)
        return books.must_send(actor) or must_be_decent(books, self.note)

    def _each(self, there: int, heads: int) -> int | Refusal:
        """What each receiver gets; a remainder stays in the chest."""
        match self.amount.kind:
            case AmountKind.ALL:
                pot = there
            case AmountKind.HALF:
                pot = there // 2
            case AmountKind.EXACT:
                pot = int(self.amount.coins) * (1 if self.split else heads)
                if not 1 <= pot <= COINS_MAX:
                    return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if pot > there or pot < heads:
            return refuse(Code.INSUFFICIENT_FUNDS, rule="chest", needed=max(pot, heads), available=there)
        return min(pot, COINS_MAX) // heads

    def _why_ask(self, books: Books, total: int) -> tuple[str, ...]:
        if self.confirmed:
            return ()
        reasons = {"large": total >= books.settings.confirm_from, "all": self.amount.kind is AmountKind.ALL}
        return tuple(name for name, holds in reasons.items() if holds)
