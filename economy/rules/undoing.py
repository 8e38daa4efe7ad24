"""Undo: posts the reverse of an entry and points at it; nothing is deleted or edited. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

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
)
from economy.ledger import Entry, Posting, Taken, Undone, UndonePart, legs_of
from economy.refusals import Code, Refusal, refuse
from economy.rules.adjusting import UNCAPPED
from economy.rules.escrow import ESCROWED, freed, is_open
from economy.rules.gifting import Gifted
from economy.rules.permissions import Right, may, must_be_allowed
from economy.values import (
    COINS_MAX,
    ISSUERS,
    NO_REASON,
    Asset,
    Coins,
    EntryNumber,
    Identity,
    MemberId,
    Own,
    Owner,
    Reason,
    Role,
    receipt_id,
)

UNDOABLE = frozenset({"tip", "reaction", "claim", "claimed", "gift", "coins", "daily", "welcome", "chest"})
"""Kinds of entry that can be undone. Purchases, payouts and exchanges have reversals of their own."""

SENT = frozenset({"tip", "reaction", "claim", "gift"})
"""Kinds that their sender may take back."""

UNDO_SINCE_MAX = 500
"""The most entries that one order takes back."""


class EntryUndone(Event, frozen=True, kw_only=True, tag="entry_undone"):
    actor: MemberId
    numbers: tuple[EntryNumber, ...]


class Undo(Order, frozen=True, kw_only=True, tag="undo"):
    """Takes one entry back: one's own tip or gift within the window, or, for moderators, any, with a reason.

    Without a receipt it is the latest tip or gift that the person sent.
    """

    kind: ClassVar[str] = "undo"

    of: EntryNumber | None = None
    reason: Reason = NO_REASON

    def needs(self) -> Needs:
        if self.of is None:
            return Needs(latest_by=self.by, chest=True)
        return Needs(receipts=(self.of,), chest=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := books.must_move():
            return refusal
        number = self.of if self.of is not None else books.latest.get(actor.id)
        entry = books.entries.get(number) if number is not None else None
        if entry is None:
            return refuse(Code.UNKNOWN_RECEIPT if self.of is not None else Code.NOTHING_TO_UNDO)
        as_sender = self._is_senders(books, actor, entry, now)
        if refusal := self._must_be_undoable(books, actor, entry, as_sender=as_sender):
            return refusal
        reversal = Reversal(books)
        part = reversal.take_back(entry)
        if isinstance(part, Refusal):
            return part
        if part.missing and as_sender:
            return refuse(Code.INSUFFICIENT_FUNDS, rule="undo_spent", missing=int(part.missing))
        if not part.taken and part.missing:
            return refuse(Code.NOTHING_TO_UNDO, rule="spent", missing=int(part.missing))
        if not part.taken and part.own:
            return refuse(Code.NOTHING_TO_UNDO, rule="own")
        facts, frees = freed(books, (entry,))
        return Decision(
            receipt=Undone(actor=actor.id, parts=(part,)),
            postings=reversal.postings,
            facts=facts,
            undoes=(entry.number,),
            frees=frees,
            reason=self.reason,
            events=(EntryUndone(actor=actor.id, numbers=(entry.number,)),),
        )

    def _is_senders(self, books: Books, actor: Member, entry: Entry, now: datetime) -> bool:
        """Whether this is a sender's undo: whole or not at all. Moderators who give a reason act as such."""
        if books.heir(entry.actor) != actor.id or entry.kind not in SENT:
            return False
        if not is_open(entry) and not _in_window(books, entry, now):
            return False
        return not self.reason or _must_judge(books, actor, entry) is not None

    def _must_be_undoable(self, books: Books, actor: Member, entry: Entry, *, as_sender: bool) -> Refusal | None:
        own = books.heir(entry.actor) == actor.id and entry.kind in SENT
        staff = may(books.roles_of(actor), Right.UNDO_ANY)
        if not own and not staff:
            return must_be_allowed(books, actor, Right.UNDO_ANY)
        if entry.kind not in UNDOABLE:
            return refuse(Code.NOTHING_TO_UNDO, rule="kind", kind=entry.kind)
        if entry.undone_by is not None and entry.kind in ESCROWED:
            # Taken up, or back where it came from.
            return refuse(Code.NOTHING_TO_UNDO, rule="claim_over")
        if entry.undone_by is not None:
            return refuse(Code.ALREADY_UNDONE, receipt=receipt_id(entry.number))
        if as_sender:
            # What comes back is received.
            if actor.flags.get(FREEZE) in ("receive", "both"):
                return refuse(Code.FROZEN, rule="receive", appeal=books.settings.appeal, own=True)
            return None
        # Who names no receipt and gives no reason asks as a sender, also if they are staff.
        if not staff or (own and self.of is None and not self.reason):
            return refuse(Code.UNDO_WINDOW_OVER, seconds=books.settings.undo_window)
        if refusal := _must_judge(books, actor, entry):
            return refusal
        return None if self.reason else refuse(Code.REASON_REQUIRED)


def _in_window(books: Books, entry: Entry, now: datetime) -> bool:
    """Whether the sender may still take it back. A window of 0 is none, also for a clock that stands still."""
    window = books.settings.undo_window
    return window > 0 and now - entry.at <= timedelta(seconds=window)


def _must_judge(books: Books, actor: Member, entry: Entry) -> Refusal | None:
    """Whether `actor` may take `entry` back as one of those who may undo any.

    Nobody under a daily cap decides on coins for themself, and bought coins and earnings that the operator granted
    or removed are the operator's to restore: an undo must not do what a correction may not.
    """
    if entry.kind == "coins" and any(posting.asset is not Asset.BONUS for posting in entry.postings):
        return must_be_allowed(books, actor, Right.ADJUST_BOUGHT)
    gives_to_actor = any(books.heir(posting.source) == actor.id for posting in entry.postings)
    if gives_to_actor and UNCAPPED.isdisjoint(books.roles_of(actor)):
        return refuse(Code.NOT_ALLOWED, rule="undo_self", roles=",".join(role for role in Role if role in UNCAPPED))
    return None


class Reversal:
    """Collects the reverse of one or more entries against what their receivers still hold.

    Legs are taken back last spent first; each gives back exactly what it took, as the asset it was taken from. Of those
    who went on as somebody else it is taken, or given back, as that one's.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._there: dict[tuple[Owner, Asset], int] = {}
        self._postings: list[Posting] = []
        self._leg = 0

    @property
    def postings(self) -> tuple[Posting, ...]:
        return tuple(self._postings)

    def take_back(self, entry: Entry) -> UndonePart | Refusal:
        heir = self._books.heir
        taken: list[Taken] = []
        missing = own = 0
        for leg in reversed(legs_of(entry.postings)):
            amount = int(leg[0].amount)
            first, last = leg[0], leg[-1]  # by which the giver gave, and by which the holder holds
            if first.source == Own.ESCROW:
                # What was let out of escrow does not wait again: it goes back to whoever had put it there.
                continue
            giver, holder = heir(first.source), heir(last.destination)
            if giver == holder and first.asset is last.asset:
                own += amount
                continue
            can = min(amount, self._available(holder, last.asset))
            missing += amount - can
            if can == 0:
                continue
            if refusal := self._must_fit(giver, first.asset, can):
                return refusal
            for posting in reversed(leg):
                source, destination = heir(posting.destination), heir(posting.source)
                self._postings.append(Posting(source, destination, posting.asset, Coins(can), self._leg))
            self._leg += 1
            self._shift(holder, last.asset, -can)
            self._shift(giver, first.asset, can)
            taken.append(Taken(holder, last.asset, giver, first.asset, Coins(can)))
        receiver = heir(entry.receipt.creator) if isinstance(entry.receipt, Gifted) else 0
        return UndonePart(
            entry.number,
            entry.kind,
            MemberId(heir(entry.actor)),
            MemberId(receiver),
            entry.at,
            entry.time_zone,
            tuple(taken),
            Coins(missing),
            Coins(own),
        )

    def _available(self, owner: Owner, asset: Asset) -> int:
        """What is still there to take. What went to an issuer was burned, and can be issued again."""
        if owner in ISSUERS:
            return COINS_MAX
        if (owner, asset) not in self._there:
            if owner > 0:
                there = self._books.members[MemberId(owner)].holds(asset)
            elif owner == Own.ESCROW:
                there = COINS_MAX  # what waits is all there: only an entry that still waits is taken back
            else:
                there = self._books.house.get(asset, 0) if owner == Own.HOUSE else 0
            self._there[owner, asset] = max(0, there)
        return self._there[owner, asset]

    def _shift(self, owner: Owner, asset: Asset, difference: int) -> None:
        """Keeps track of what is there while one order takes back several entries."""
        if owner not in ISSUERS:
            self._there[owner, asset] = self._available(owner, asset) + difference

    def _must_fit(self, owner: Owner, asset: Asset, amount: int) -> Refusal | None:
        if owner > 0 and self._available(owner, asset) + amount > COINS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="balance", limit=COINS_MAX, member_id=owner)
        return None


class UndoSince(Order, frozen=True, kw_only=True, tag="undo_since"):
    """Takes back all that a member sent, received or was granted since a time, as one entry.

    Asked first, with the list as it was shown (`numbers`); what was undone meanwhile, and what the actor may not
    take back, is left out.
    """

    kind: ClassVar[str] = "undo"

    member: Identity
    since: datetime
    reason: Reason
    numbers: tuple[EntryNumber, ...] | None = None

    def needs(self) -> Needs:
        if self.numbers is not None:
            return Needs(people=(self.member,), receipts=self.numbers, chest=True)
        return Needs(people=(self.member,), since=(self.member, self.since), chest=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := books.must_move() or must_be_allowed(books, actor, Right.UNDO_ANY):
            return refusal
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        member = books.find(self.member)
        if member is None:
            return refuse(Code.UNKNOWN_MEMBER, name=self.member.native_id)
        entries = self._entries(books, actor, member)
        if len(entries) > UNDO_SINCE_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="undo_since", limit=UNDO_SINCE_MAX)
        reversal = Reversal(books)
        parts = _take_back_all(reversal, entries)
        if isinstance(parts, Refusal):
            return parts
        if not parts:
            return refuse(Code.NOTHING_TO_UNDO)
        receipt = Undone(actor=actor.id, parts=parts)
        if self.numbers is None:
            agreed = msgspec.structs.replace(self, numbers=tuple(part.number for part in parts))
            offer = Offer(label="confirm", order=agreed, presser=actor.id, expires=now + CONFIRM_FOR)
            return Question(about=receipt, offers=(offer,), why=("bulk",))
        facts, frees = freed(books, (books.entries[part.number] for part in parts))
        return Decision(
            receipt=receipt,
            postings=reversal.postings,
            facts=facts,
            undoes=tuple(part.number for part in parts),
            frees=frees,
            reason=self.reason,
            events=(EntryUndone(actor=actor.id, numbers=tuple(part.number for part in parts)),),
        )

    def _entries(self, books: Books, actor: Member, member: Member) -> list[Entry]:
        """What there is to take back."""
        numbers = self.numbers if self.numbers is not None else books.since.get(member.id, ())
        return [
            entry
            for number in numbers
            if (entry := books.entries.get(number)) is not None
            and entry.kind in UNDOABLE
            and entry.undone_by is None
            and _must_judge(books, actor, entry) is None
        ]


def _take_back_all(reversal: Reversal, entries: Iterable[Entry]) -> tuple[UndonePart, ...] | Refusal:
    """Newest first, so that what was sent on is back before what it came from is taken."""
    parts: list[UndonePart] = []
    for entry in sorted(entries, key=lambda entry: entry.number, reverse=True):
        part = reversal.take_back(entry)
        if isinstance(part, Refusal):
            return part
        if part.taken:
            parts.append(part)
    return tuple(parts)
