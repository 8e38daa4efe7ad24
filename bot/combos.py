"""Combos: the same gift from the same member to the same member in the same spot, again and again without a pause.

A combo is told as one line with the running count. What it is follows from the entries alone, so every process and
every door tells the same, also after a restart. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct

from adapters.contract import FieldValue, Line
from bot.gifts import gift_name, gifts_counted
from bot.wording import Words
from economy.rules.gifting import Gifted
from economy.service import Sent
from economy.values import EntryNumber, Spot, receipt_id

PAUSE: Final = timedelta(seconds=30)
"""A combo goes on with a send that comes no later than this after the one before."""

OVER_AFTER: Final = PAUSE + timedelta(seconds=2)
"""When nothing can join any more: what was sent within the pause is committed by then."""

STALE_AFTER: Final = timedelta(minutes=10)
"""Nobody wants to hear of the end of a combo that ended longer ago than this."""

SENDS_MAX: Final = 1_000
"""So many sends make the longest combo. Any more are told one by one, since a combo is read whole for each of them."""

LATEST: Final = EntryNumber(2**62)
"""As of this, a combo is what it is now."""


class Combo(Struct, frozen=True):
    """The sends of one combo in order, as of an entry: those that were taken back by then included."""

    sends: tuple[Sent, ...]
    as_of: EntryNumber

    @property
    def key(self) -> str:
        """What tells it from any other."""
        return receipt_id(self.sends[0].number)

    @property
    def begins(self) -> bool:
        """Whether it is only one send so far, and so no combo yet."""
        return len(self.sends) == 1

    @property
    def gift(self) -> Gifted:
        return self.sends[0].gift

    @property
    def spot(self) -> Spot | None:
        return self.gift.told_in

    @property
    def last(self) -> Sent:
        return self.sends[-1]

    @property
    def standing(self) -> tuple[Sent, ...]:
        """Those that were not taken back."""
        return tuple(sent for sent in self.sends if sent.undone_by is None or sent.undone_by > self.as_of)

    @property
    def count(self) -> int:
        """How many of the gift stand."""
        return sum(sent.gift.count for sent in self.standing)

    @property
    def cost(self) -> int:
        return sum(int(sent.gift.cost) for sent in self.standing)


def combo_of(around: Sequence[Sent], number: EntryNumber, as_of: EntryNumber = LATEST) -> Combo | None:
    """The combo that the gift `number` belongs to, among what its sender sent `around` it, as it was after the entry
    `as_of`. None where the gift was told to nobody, or belongs to more than a combo holds."""
    this = next((sent for sent in around if sent.number == number), None)
    if this is None or this.gift.told_in is None:
        return None
    before = [sent for sent in around if sent.number < number]
    after = [sent for sent in around if number < sent.number <= as_of]
    if len(before) >= SENDS_MAX or len(after) >= SENDS_MAX:
        # What was looked up may not be all.
        return None
    sends = [*_going_on(this, before[::-1])[::-1], this, *_going_on(this, after)]
    return Combo(tuple(sends), as_of) if len(sends) <= SENDS_MAX else None


def _goes_with(one: Gifted, other: Gifted) -> bool:
    return (one.sender, one.creator, one.gift, one.told_in) == (
        other.sender,
        other.creator,
        other.gift,
        other.told_in,
    )


def _going_on(this: Sent, others: Iterable[Sent]) -> list[Sent]:
    """What goes on from a send without a pause, in either direction."""
    found: list[Sent] = []
    at = this.at
    for sent in others:
        if not _goes_with(sent.gift, this.gift):
            continue
        if abs(sent.at - at) > PAUSE:
            break
        found.append(sent)
        at = sent.at
    return found


# --- how it reads -----------------------------------------------------------------------------------------------------


def running(combo: Combo, words: Words) -> Line | None:
    """`ana sent bo rose x7 (7).`; None where all of it was taken back."""
    standing = combo.standing
    if not standing:
        return None
    gift = combo.gift
    counted = gifts_counted(gift.gift, combo.count, words)
    if len(standing) > 1:
        counted = words.text("{gift} x{n}", gift=gift_name(gift.gift, words), n=words.number(combo.count))
    return words.line(
        "{sender} sent {receiver} {gift} ({cost}).",
        sender=words.name(gift.sender),
        receiver=words.name(gift.creator),
        gift=counted,
        cost=combo.cost,
    )


def ended(combo: Combo, words: Words) -> Line | None:
    """`ana's combo: 12 roses for bo.`; None where too little of it stands to be one."""
    if len(combo.standing) < 2:
        return None
    return words.line(
        "{sender}'s combo: {gifts} for {receiver}.",
        sender=words.name(combo.gift.sender),
        gifts=gifts_counted(combo.gift.gift, combo.count, words),
        receiver=words.name(combo.gift.creator),
    )


def combo_fields(combo: Combo) -> dict[str, FieldValue]:
    """What scripts are told of it."""
    return {"combo": {"sends": len(combo.standing), "count": combo.count, "cost": combo.cost}}
