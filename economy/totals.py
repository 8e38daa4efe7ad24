"""Day totals that rules read: what was earned, adjusted, tipped by reactions and received as diamonds on
a local day. Pure.

They follow from entries alone, so the audit can add them up again.
"""

from __future__ import annotations

from collections.abc import Iterator

from economy.ledger import Connected, Disconnected, Entry, Undone, UndonePart
from economy.values import Asset, MemberId, local_date

EARNED = "earned"
"""What a member got from /daily and chatting that day; bounded by `earn_limit_daily`."""

ADJUSTED = "adjusted"
"""What a moderator moved by /coins that day, whichever way; bounded by `moderator_limit_daily`."""

REACTED = "reacted"
"""What a member tipped by reactions that day; bounded by `reaction_limit_daily`."""

DIAMONDS = "diamonds"
"""Diamonds that came from gifts that day and were not undone: what is still on hold."""

Totals = dict[tuple[MemberId, str, int], int]
"""(member, name of the total, ordinal of the local day) -> difference."""

_COUNTED = frozenset({"daily", "coins", "gift", "reaction", "undo", "connect", "disconnect"})


def totals_of(entry: Entry) -> Totals:
    """What `entry` adds to the day totals, signed. An undo lowers the day of the first entry, not its own."""
    if entry.kind not in _COUNTED:
        return {}
    day = _day(entry)
    totals: Totals = {}
    for member, name, on, amount in (*_own_day(entry, day), *_undone_days(entry), *_moved_days(entry)):
        key = (MemberId(member), name, on)
        totals[key] = totals.get(key, 0) + amount
    return totals


def _own_day(entry: Entry, day: int) -> Iterator[tuple[int, str, int, int]]:
    for posting in entry.postings:
        match entry.kind:
            case "daily":
                yield posting.destination, EARNED, day, int(posting.amount)
            case "coins" if max(posting.source, posting.destination) > 0:
                yield entry.actor, ADJUSTED, day, int(posting.amount)
            case "reaction" if posting.source > 0:
                yield posting.source, REACTED, day, int(posting.amount)
            case "gift" if posting.asset is Asset.DIAMOND:
                yield posting.destination, DIAMONDS, day, int(posting.amount)
            case _:
                pass


def _undone_days(entry: Entry) -> Iterator[tuple[int, str, int, int]]:
    if isinstance(entry.receipt, Undone):
        for part in entry.receipt.parts:
            for taken in part.taken:
                if part.kind == "gift" and taken.held_as is Asset.DIAMOND:
                    yield taken.holder, DIAMONDS, _day(part), -int(taken.amount)


def _moved_days(entry: Entry) -> Iterator[tuple[int, str, int, int]]:
    """Totals go with whoever goes on as another; who leaves starts with what counts for that day."""
    match entry.receipt:
        case Connected(member=member, formerly=formerly, totals=totals):
            for total in totals:
                yield formerly, total.name, total.day, -total.amount
                yield member, total.name, total.day, total.amount
        case Disconnected(left=left, totals=totals):
            for newcomer in left:
                for total in totals:
                    yield newcomer, total.name, total.day, total.amount
        case _:
            pass


def _day(of: Entry | UndonePart) -> int:
    return local_date(of.at, of.time_zone).toordinal()
