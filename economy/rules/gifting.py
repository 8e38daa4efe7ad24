"""Gifts: a catalogue gift from one member to another. Bought coins pay the creator first. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from economy.books import (
    CONFIRM_FOR,
    GIFTS_OFF,
    Books,
    Decision,
    Event,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
    Question,
)
from economy.catalogue import GIFT_PREFIX, Gift, find_gift, known_gift
from economy.ledger import Legs, Receipt, Text
from economy.refusals import Code, Refusal, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.rules.tipping import with_daily
from economy.rules.words import must_be_decent
from economy.settings import Feature
from economy.values import COINS_MAX, NO_NOTE, Asset, Coins, Identity, MemberId, Note, Own, Spot


class Gifted(Receipt, frozen=True, kw_only=True, tag="gifted"):
    """`cost` is `price` times `count`. The receiver got `diamond` and `bonus`, the house the rest of both assets.

    `bought` is how much of the cost was paid with bought coins. `told_in` is where everyone was to see it; None where
    only its sender was, or where its sender was not to be named. `veiled`: they gave it in the name of a place, and
    everyone but moderators is to see 'a moderator'.
    """

    sender: MemberId
    creator: MemberId
    gift: str
    emoji: str
    count: int
    price: Coins
    cost: Coins
    bought: Coins
    diamond: Coins
    bonus: Coins
    house: Coins
    told_in: Spot | None = None
    veiled: bool = False


class GiftSent(Event, frozen=True, kw_only=True, tag="gift_sent"):
    sender: MemberId
    creator: MemberId
    gift: str
    count: int
    cost: Coins


class SendGift(Order, frozen=True, kw_only=True, tag="send_gift"):
    """A gift from the catalogue, `count` times, to one member.

    `agreed_price` is set by the confirm button: the price that was shown. If it has changed since, the gift is
    refused and the new price is asked for. `told_in`, `veiled`: see `Gifted`.
    """

    kind: ClassVar[str] = "gift"

    gift: str
    count: int = 1
    to: Identity
    message: Note = NO_NOTE
    agreed_price: int | None = None
    told_in: Spot | None = None
    veiled: bool = False

    def needs(self) -> Needs:
        return Needs(people=(self.to,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        sender = books.actor(self.by)
        found = self._must_be_possible(books, sender)
        if isinstance(found, Refusal):
            return found
        gift, receiver = found
        cost = gift.price * self.count
        if self.count < 1 or cost > COINS_MAX:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if refusal := books.must_hold(sender, cost):
            return with_daily(books, sender, refusal, now)
        receipt, legs = _settle(books, sender, receiver, gift, self)
        for asset, amount in ((Asset.DIAMOND, receipt.diamond), (Asset.BONUS, receipt.bonus)):
            if refusal := books.must_fit(receiver, asset, amount):
                return refusal
        if self.agreed_price is None and cost >= books.settings.confirm_from:
            return self._ask(sender, receipt, ("large",), now)
        if self.agreed_price is not None and self.agreed_price != gift.price:
            return self._ask(sender, receipt, ("price_changed",), now)
        return Decision(
            receipt=receipt,
            postings=legs.postings,
            events=(
                GiftSent(sender=sender.id, creator=receiver.id, gift=gift.slug, count=self.count, cost=receipt.cost),
            ),
            texts=(Text(sender.id, "message", self.message),) if self.message else (),
        )

    def _must_be_possible(self, books: Books, sender: Member) -> tuple[Gift, Member] | Refusal:
        if refusal := books.must_be_on(Feature.GIFTS) or books.must_send(sender):
            return refusal
        gift = find_gift(self.gift, books.flags)
        if gift is None:
            return refuse(Code.UNKNOWN_GIFT, gift=self.gift, retired=known_gift(self.gift))
        receiver = books.must_receive(sender, self.to)
        if isinstance(receiver, Refusal):
            return receiver
        if receiver.flags.get(GIFTS_OFF) is True:
            return refuse(Code.GIFTS_OFF, rule="receiver", member_id=receiver.id)
        if books.settings.creators_only and not receiver.is_creator:
            return refuse(Code.GIFTS_OFF, rule="creators_only", member_id=receiver.id)
        return must_be_decent(books, self.message) or (gift, receiver)

    def _ask(self, sender: Member, terms: Gifted, why: tuple[str, ...], now: datetime) -> Question:
        agreed = msgspec.structs.replace(self, agreed_price=int(terms.price))
        offer = Offer(label="confirm", order=agreed, presser=sender.id, expires=now + CONFIRM_FOR)
        return Question(about=terms, offers=(offer,), why=why)


def _settle(books: Books, sender: Member, receiver: Member, gift: Gift, order: SendGift) -> tuple[Gifted, Legs]:
    """Who gets what of the cost. The share is rounded up per asset, the house takes the rest by subtraction."""
    cost = gift.price * order.count
    bought = min(cost, sender.holds(Asset.COIN))
    free = cost - bought
    share = books.settings.share
    earned, received = share.of(bought), share.of(free)
    legs = Legs()
    if receiver.is_creator:
        legs.turn(sender.id, Asset.COIN, receiver.id, Asset.DIAMOND, earned)
    else:
        legs.turn(sender.id, Asset.COIN, receiver.id, Asset.BONUS, earned)
    legs.move(sender.id, Own.HOUSE, Asset.COIN, bought - earned)
    legs.move(sender.id, receiver.id, Asset.BONUS, received)
    legs.move(sender.id, Own.HOUSE, Asset.BONUS, free - received)
    receipt = Gifted(
        sender=sender.id,
        creator=receiver.id,
        gift=gift.slug,
        emoji=gift.emoji,
        count=order.count,
        price=Coins(gift.price),
        cost=Coins(cost),
        bought=Coins(bought),
        diamond=Coins(earned if receiver.is_creator else 0),
        bonus=Coins(received + (0 if receiver.is_creator else earned)),
        house=Coins(cost - earned - received),
        told_in=order.told_in,
        veiled=order.veiled,
    )
    return receipt, legs


class CatalogueChanged(Receipt, frozen=True, kw_only=True, tag="catalogue_changed"):
    """`price` is the gift's price now; None where it was retired."""

    actor: MemberId
    gift: str
    price: Coins | None


class ChangeGift(Order, frozen=True, kw_only=True, tag="change_gift"):
    """Sets the price of a gift, retires it, or brings it back (`price` None leaves the price as it was)."""

    kind: ClassVar[str] = "catalogue"

    gift: str
    price: Coins | None = None
    retired: bool = False

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.CATALOGUE):
            return refusal
        if not known_gift(self.gift):
            return refuse(Code.UNKNOWN_GIFT, gift=self.gift, retired=False)
        if self.price is not None and self.price < 1:
            return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        prefix = f"{GIFT_PREFIX}{self.gift}"
        facts = [books.community_fact(f"{prefix}.retired", True if self.retired else None)]
        if self.price is not None:
            facts.append(books.community_fact(f"{prefix}.price", int(self.price)))
        flags = {**books.flags, **{fact.name: fact.after for fact in facts}}
        changed = find_gift(self.gift, flags)
        return Decision(
            receipt=CatalogueChanged(actor=actor.id, gift=self.gift, price=Coins(changed.price) if changed else None),
            facts=tuple(facts),
        )
