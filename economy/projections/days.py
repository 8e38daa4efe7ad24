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
    moved: dict[str, int] = {}
    for posting in entry.postings:
        moved[posting.asset] = moved.get(posting.asset, 0) + posting.amount
    if not moved:
        return {}
    day = local_date(entry.at, entry.time_zone).toordinal()
    return {DayKey(day, f"{entry.kind}.{asset}"): amount for asset, amount in moved.items()}


def day_sums(entries: Iterable[Entry]) -> dict[DayKey, DaySum]:
    """What `entries` add to each day total."""
    counts: dict[DayKey, int] = {}
    amounts: dict[DayKey, int] = {}
    for entry in entries:
        for key, amount in day_changes(entry).items():
            counts[key] = counts.get(key, 0) + 1
            amounts[key] = amounts.get(key, 0) + amount
    return {key: DaySum(counts[key], amount) for key, amount in amounts.items()}
