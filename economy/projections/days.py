"""What an entry adds to the day totals that statistics read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from economy.ledger import Entry
from economy.values import local_date


class DayKey(NamedTuple):
    """`day`: ordinal of the local date; `name`: kind of entry and asset, such as `tip.bonus`."""

    day: int
    name: str


class DaySum(NamedTuple):
    """How many entries moved this asset that day, and how much of it."""

    entries: int
    amount: int


def day_changes(entry: Entry) -> dict[DayKey, int]:
    """How much of each asset `entry` moved, on its own local day. An undo counts as what it is, on its own day."""
    day = local_date(entry.at, entry.time_zone).toordinal()
    moved: dict[DayKey, int] = {}
    for posting in entry.postings:
        key = DayKey(day, f"{entry.kind}.{posting.asset}")
        moved[key] = moved.get(key, 0) + posting.amount
    return moved


def day_sums(entries: Iterable[Entry]) -> dict[DayKey, DaySum]:
    """What `entries` add to each day total."""
    sums: dict[DayKey, DaySum] = {}
    for entry in entries:
        for key, amount in day_changes(entry).items():
            before = sums.get(key, DaySum(0, 0))
            sums[key] = DaySum(before.entries + 1, before.amount + amount)
    return sums
