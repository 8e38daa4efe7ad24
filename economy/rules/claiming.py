"""Tips to somebody not yet seen: they wait in escrow until the person comes, or go back at their hour. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from economy.books import (
    CONFIRM_FOR,
    FREEZE,
    Books,
    Decision,
    Event,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
    Question,
    Waits,
)
from economy.ledger import Entry, Legs, Posting, Receipt, Text, Undone
from economy.refusals import Code, Refusal, refuse
from economy.rules.escrow import CLAIM, freed, is_open, one_more, waiting_of
from economy.rules.tipping import CoinsTipped, TipPart, with_daily
from economy.rules.undoing import Reversal
from economy.rules.words import must_be_decent
from economy.settings import Feature
from economy.values import (
    COINS_MAX,
    NO_NOTE,
    AmountKind,
    AmountWord,
    Asset,
    Coins,
    EntryNumber,
    MemberId,
    Note,
    Own,
)

CLAIMS_MAX: Final = 20
"""The most tips of one sender that wait at a time."""

TAKEN_MAX: Final = 100
"""The most that are taken up by one entry."""

NAME_LENGTH_MAX: Final = 80


class TipWaits(Receipt, frozen=True, kw_only=True, tag="tip_waits"):
    """Whom it waits for stands beside the entry, as long as it waits: receipts hold no names. `bought` is how many of
    the coins had been bought."""

    sender: MemberId
    amount: Coins
    bought: Coins
    until: datetime


class TipUnseen(Order, frozen=True, kw_only=True, tag="tip_unseen"):
    """Coins for somebody by a name under which nobody was seen here yet. They wait as they are, and arrive as `bonus`.

    `name` is the platform's own, such as `telegram:@zoe`; whoever goes by it when they come is who is meant.
    """

    kind: ClassVar[str] = CLAIM

    name: str
    amount: AmountWord
    note: Note = NO_NOTE
    confirmed: bool = False
    agreed_bought: Coins = Coins(0)

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        sender = books.actor(self.by)
        if refusal := self._must_be_possible(books, sender):
            return refusal
        amount = self._amount(sender)
        if isinstance(amount, Refusal):
            return with_daily(books, sender, amount, now) if amount.code is Code.INSUFFICIENT_FUNDS else amount
        if refusal := books.must_hold(sender, amount):
            return with_daily(books, sender, refusal, now)
        if waiting_of(sender) >= CLAIMS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="claims", limit=CLAIMS_MAX)
        free = min(amount, sender.holds(Asset.BONUS))
        bought = amount - free
        until = now + timedelta(days=books.settings.claim_days)
        receipt = TipWaits(sender=sender.id, amount=Coins(amount), bought=Coins(bought), until=until)
        if why := self._why_ask(books, receipt):
            agreed = msgspec.structs.replace(
                self, amount=AmountWord.exact(amount), confirmed=True, agreed_bought=receipt.bought
            )
            offer = Offer(label="confirm", order=agreed, presser=sender.id, expires=now + CONFIRM_FOR)
            return Question(about=receipt, offers=(offer,), why=why)
        legs = Legs()
        legs.move(sender.id, Own.ESCROW, Asset.BONUS, free)
        legs.move(sender.id, Own.ESCROW, Asset.COIN, bought)
        return Decision(
            receipt=receipt,
            postings=legs.postings,
            facts=(one_more(sender),),
            texts=(Text(sender.id, "note", self.note),) if self.note else (),
            waits=Waits(self.name, until),
        )

    def _must_be_possible(self, books: Books, sender: Member) -> Refusal | None:
        if refusal := books.must_be_on(Feature.TIPPING) or books.must_be_on(Feature.CLAIMS):
            return refusal
        if not 0 < len(self.name) <= NAME_LENGTH_MAX or not self.name.isascii() or not self.name.isprintable():
            return refuse(Code.UNKNOWN_MEMBER, name=self.name[:NAME_LENGTH_MAX])
        return books.must_send(sender) or must_be_decent(books, self.note)

    def _amount(self, sender: Member) -> int | Refusal:
        match self.amount.kind:
            case AmountKind.ALL:
                amount = sender.spendable
            case AmountKind.HALF:
                amount = sender.spendable // 2
            case AmountKind.EXACT:
                amount = int(self.amount.coins)
                if not 1 <= amount <= COINS_MAX:
                    return refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
        return amount or refuse(Code.INSUFFICIENT_FUNDS, needed=1, available=sender.spendable)

    def _why_ask(self, books: Books, terms: TipWaits) -> tuple[str, ...]:
        if self.confirmed:
            return ("bought",) if terms.bought > self.agreed_bought else ()
        reasons = {
            "large": terms.amount >= books.settings.confirm_from,
            "all": self.amount.kind is AmountKind.ALL,
            "bought": terms.bought > 0,
        }
        return tuple(name for name, holds in reasons.items() if holds)


class TakenTip(Struct, frozen=True):
    """A tip that waited: the entry by which it did, and whose it was."""

    number: EntryNumber
    sender: MemberId
    amount: Coins


class TipsTaken(Receipt, frozen=True, kw_only=True, tag="tips_taken"):
    """What waited for somebody, and is theirs now."""

    member: MemberId
    tips: tuple[TakenTip, ...]

    @property
    def total(self) -> int:
        return sum(tip.amount for tip in self.tips)


class TakeUp(Order, frozen=True, kw_only=True, tag="take_up"):
    """`by` is here, and goes by these names: what waits for them is theirs.

    What is past its hour goes back instead, and so in the end does what they cannot have: their own, that of somebody
    they blocked. That of somebody who may not send now waits on.
    """

    kind: ClassVar[str] = "claimed"
    acts: ClassVar[bool] = False

    names: tuple[str, ...]

    def needs(self) -> Needs:
        return Needs(waiting=self.names)

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        if refusal := books.must_move():
            return refusal
        if member.is_bot:
            return refuse(Code.RECIPIENT_IS_BOT, member_id=member.id)
        if not member.is_present:
            return refuse(Code.NOT_ALLOWED, rule="absent")
        if member.flags.get(FREEZE) in ("receive", "both"):
            return refuse(Code.FROZEN, rule="receive", appeal=books.settings.appeal, own=True)
        taken = self._theirs(books, member, now)[:TAKEN_MAX]
        if not taken:
            return refuse(Code.NOTHING_TO_UNDO, rule="claim_over")
        tips = tuple(TakenTip(entry.number, MemberId(books.heir(entry.actor)), Coins(_held(entry))) for entry in taken)
        receipt = TipsTaken(member=member.id, tips=tips)
        if refusal := books.must_fit(member, Asset.BONUS, receipt.total):
            return refusal
        facts, numbers = freed(books, taken)
        return Decision(
            receipt=receipt,
            postings=_hand_over(books, taken, member),
            facts=facts,
            undoes=numbers,
            frees=numbers,
            events=tuple(_tipped(tip, member) for tip in tips),
        )

    def _theirs(self, books: Books, member: Member, now: datetime) -> list[Entry]:
        found = {number for name in self.names for number in books.waiting.get(name, ())}
        entries = [books.entries[number] for number in sorted(found) if number in books.entries]
        return [entry for entry in entries if _may_have(books, member, entry, now)]


def _may_have(books: Books, member: Member, entry: Entry, now: datetime) -> bool:
    if not is_open(entry) or not isinstance(entry.receipt, TipWaits) or now >= entry.receipt.until:
        return False
    sender = books.members[MemberId(books.heir(entry.actor))]
    return sender.id != member.id and not member.blocks(sender) and sender.flags.get(FREEZE) not in ("send", "both")


def _held(entry: Entry) -> int:
    return sum(posting.amount for posting in entry.postings if posting.destination == Own.ESCROW)


def _hand_over(books: Books, taken: list[Entry], member: Member) -> tuple[Posting, ...]:
    """Out of escrow by way of whoever put it there, so that it is their tip, as any other."""
    legs = Legs()
    for entry in taken:
        sender = books.heir(entry.actor)
        for posting in entry.postings:
            legs.move(Own.ESCROW, sender, posting.asset, int(posting.amount))
        for posting in entry.postings:
            if posting.asset is Asset.BONUS:
                legs.move(sender, member.id, Asset.BONUS, int(posting.amount))
            else:
                legs.turn(sender, posting.asset, member.id, Asset.BONUS, int(posting.amount))
    return legs.postings


def _tipped(tip: TakenTip, member: Member) -> Event:
    return CoinsTipped(sender=tip.sender, tips=(TipPart(member.id, tip.amount),))


class Return(Order, frozen=True, kw_only=True, tag="return"):
    """Gives what waited in entry `of` back to its sender, `by`, once its hour is past: also to one who left, or may
    not receive: it is theirs."""

    kind: ClassVar[str] = "refund"
    acts: ClassVar[bool] = False
    is_timed: ClassVar[bool] = True

    of: EntryNumber

    def needs(self) -> Needs:
        return Needs(receipts=(self.of,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        entry = books.entries.get(self.of)
        if entry is None or not is_open(entry) or not isinstance(entry.receipt, TipWaits):
            return refuse(Code.NOTHING_TO_UNDO, rule="claim_over")
        if now < entry.receipt.until or books.actor(self.by).id != books.heir(entry.actor):
            return refuse(Code.NOT_ALLOWED, rule="waits")
        if refusal := books.must_move():
            return refusal
        reversal = Reversal(books)
        part = reversal.take_back(entry)
        if isinstance(part, Refusal):
            return part
        facts, numbers = freed(books, (entry,))
        return Decision(
            receipt=Undone(actor=part.actor, parts=(part,)),
            postings=reversal.postings,
            facts=facts,
            undoes=numbers,
            frees=numbers,
        )
