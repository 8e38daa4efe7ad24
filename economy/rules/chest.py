"""The community chest: the house's free coins, spent on the community by treasurers. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from economy.books import CONFIRM_FOR, Books, Decision, Event, Needs, Offer, Order, Outcome, Question
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
        receivers = {}
        for identity in self.receivers.people:
            receiver = books.must_receive(actor, identity)
            if isinstance(receiver, Refusal):
                return receiver
            receivers[receiver.id] = receiver
        there = books.house.get(Asset.BONUS, 0)
        each = self._each(there, len(receivers))
        total = each * len(receivers)
        if total > COINS_MAX:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if not each or total > there:
            return refuse(Code.INSUFFICIENT_FUNDS, rule="chest", needed=total or len(receivers), available=there)
        legs = Legs()
        for receiver in receivers.values():
            if refusal := books.must_fit(receiver, Asset.BONUS, each):
                return refusal
            legs.move(Own.HOUSE, receiver.id, Asset.BONUS, each)
        receipt = ChestTipped(actor=actor.id, tips=tuple(TipPart(id, Coins(each)) for id in receivers))
        if not self.confirmed and total >= books.settings.confirm_from:
            agreed = msgspec.structs.replace(self, amount=AmountWord.exact(each), split=False, confirmed=True)
            offer = Offer(label="confirm", order=agreed, presser=actor.id, expires=now + CONFIRM_FOR)
            return Question(about=receipt, offers=(offer,), why=("large",))
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

    def _each(self, there: int, heads: int) -> int:
        match self.amount.kind:
            case AmountKind.ALL:
                return there // heads
            case AmountKind.HALF:
                return there // 2 // heads
            case AmountKind.EXACT:
                return int(self.amount.coins) // heads if self.split else int(self.amount.coins)
