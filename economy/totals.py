"""Day totals that rules read: what was earned, adjusted and received as diamonds on a local day. Pure.

They follow from entries alone, so the audit can add them up again.
"""

from __future__ import annotations

from economy.ledger import Entry, Undone
from economy.values import Asset, MemberId, local_date

EARNED = "earned"
"""What a member got from /daily and chatting that day; bounded by `earn_limit_daily`."""

ADJUSTED = "adjusted"
"""What a moderator moved by /coins that day, whichever way; bounded by `moderator_limit_daily`."""

DIAMONDS = "diamonds"
"""Diamonds that came from gifts that day and were not undone: what is still on hold."""

Totals = dict[tuple[MemberId, str, int], int]
"""(member, name of the total, ordinal of the local day) -> difference."""


def totals_of(entry: Entry) -> Totals:
    """What `entry` adds to the day totals, signed. An undo lowers the day of the first entry, not its own."""
    day = local_date(entry.at, entry.time_zone).toordinal()
    totals: Totals = {}

    def add(member: int, name: str, on: int, amount: int) -> None:
        key = (MemberId(member), name, on)
        totals[key] = totals.get(key, 0) + amount

    match entry.kind:
        case "daily":
            for posting in entry.postings:
                add(posting.destination, EARNED, day, posting.amount)
        case "coins":
            for posting in entry.postings:
                if max(posting.source, posting.destination) > 0:
                    add(entry.actor, ADJUSTED, day, posting.amount)
        case "gift":
            for posting in entry.postings:
                if posting.asset is Asset.DIAMOND:
                    add(posting.destination, DIAMONDS, day, posting.amount)
        case "undo" if isinstance(entry.receipt, Undone):
            for part in entry.receipt.parts:
                if part.kind == "gift":
                    on = local_date(part.at, part.time_zone).toordinal()
                    for taken in part.taken:
                        if taken.held_as is Asset.DIAMOND:
                            add(taken.holder, DIAMONDS, on, -taken.amount)
        case _:
            pass
    return totals
