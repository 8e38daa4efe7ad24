"""Tips by reaction: a chosen emoji under a message tips whoever wrote it a set amount. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from economy.books import REACTIONS, REACTIONS_TOLD, Books, Decision, Member, Needs, Order, Outcome
from economy.ledger import Legs, Receipt
from economy.refusals import Code, Refusal, refuse
from economy.rules.tipping import CoinsTipped, TipPart, Tipped
from economy.settings import Feature, Settings
from economy.totals import REACTED
from economy.values import Asset, Coins, Identity, MemberId, local_date


class ReactionsTurned(Receipt, frozen=True, kw_only=True, tag="reactions_turned"):
    member: MemberId
    on: bool


class TurnReactions(Order, frozen=True, kw_only=True, tag="turn_reactions"):
    """Whether one's own reactions tip. They do not until one says so."""

    kind: ClassVar[str] = "reactions"

    on: bool

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        if refusal := books.must_be_on(Feature.REACTIONS):
            return refusal
        return Decision(
            receipt=ReactionsTurned(member=member.id, on=self.on),
            facts=(member.fact(REACTIONS, True if self.on else None),),
        )


class ReactionShort(Receipt, frozen=True, kw_only=True, tag="reaction_short"):
    """Why a reaction tipped nothing: told once a day, by an entry that moves no coins. `rule` is `funds` or `limit`."""

    member: MemberId
    rule: str
    needed: Coins
    available: Coins


def is_the_one(emoji: str, settings: Settings) -> bool:
    """Whether this is the emoji that tips. How it is to be drawn is no part of it."""
    return _plain(emoji) == _plain(settings.reaction_emoji)


def _plain(emoji: str) -> str:
    return emoji.replace("\ufe0f", "").replace("\ufe0e", "").strip()


class TipByReaction(Order, frozen=True, kw_only=True, tag="tip_by_reaction"):
    """`by` put an emoji under a message of `author`'s. Spends free coins alone, since a reaction cannot be asked."""

    kind: ClassVar[str] = "reaction"

    author: Identity
    emoji: str

    def needs(self) -> Needs:
        return Needs(people=(self.author,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        sender = books.actor(self.by)
        receiver = self._must_be_meant(books, sender)
        if isinstance(receiver, Refusal):
            return receiver
        amount = books.settings.reaction_amount
        left = books.settings.reaction_limit_daily - sender.total(REACTED, books.today(now))
        if amount > left:
            return _tell_once(books, sender, "limit", now, needed=amount, available=max(0, left))
        if amount > sender.holds(Asset.BONUS):
            return _tell_once(books, sender, "funds", now, needed=amount, available=sender.holds(Asset.BONUS))
        if refusal := books.must_fit(receiver, Asset.BONUS, amount):
            return refusal
        legs = Legs()
        legs.move(sender.id, receiver.id, Asset.BONUS, amount)
        tips = (TipPart(receiver.id, Coins(amount)),)
        return Decision(
            receipt=Tipped(sender=sender.id, tips=tips, bought=Coins(0)),
            postings=legs.postings,
            events=(CoinsTipped(sender=sender.id, tips=tips),),
        )

    def _must_be_meant(self, books: Books, sender: Member) -> Member | Refusal:
        settings = books.settings
        if refusal := books.must_be_on(Feature.TIPPING) or books.must_be_on(Feature.REACTIONS):
            return refusal
        if sender.flags.get(REACTIONS) is not True or not is_the_one(self.emoji, settings):
            return refuse(Code.NOT_ALLOWED, rule="reactions_off")
        if settings.reaction_amount >= settings.confirm_from:
            return refuse(Code.NOT_ALLOWED, rule="reactions_off")
        return books.must_send(sender) or books.must_receive(sender, self.author)


def _tell_once(books: Books, sender: Member, rule: str, now: datetime, *, needed: int, available: int) -> Outcome:
    today = local_date(now, books.settings.time_zone).isoformat()
    if sender.flags.get(REACTIONS_TOLD) == today:
        if rule == "limit":
            return refuse(Code.LIMIT_EXCEEDED, rule="reaction_limit", needed=needed, available=available)
        return refuse(Code.INSUFFICIENT_FUNDS, rule="reaction_funds", needed=needed, available=available)
    return Decision(
        receipt=ReactionShort(member=sender.id, rule=rule, needed=Coins(needed), available=Coins(available)),
        facts=(sender.fact(REACTIONS_TOLD, today),),
    )
