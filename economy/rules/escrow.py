"""What lies in escrow: coins that an entry set aside until somebody takes them or their time is over. Pure.

Such an entry is settled once, by the entry that takes the coins out again: taken up, undone, or returned at its hour.
How many wait of somebody's is a flag of theirs, so that it can be bounded.
"""

from __future__ import annotations

from collections.abc import Iterable

from economy.books import WAITING, Books, Member
from economy.ledger import Entry, Fact
from economy.values import EntryNumber, MemberId

CLAIM = "claim"
"""The kind of entry by which a tip waits for somebody not yet seen."""

ESCROWED = frozenset({CLAIM})
"""Kinds of entry that set coins aside."""


def is_open(entry: Entry) -> bool:
    """Whether an entry's coins still wait."""
    return entry.kind in ESCROWED and entry.undone_by is None


def waiting_of(member: Member) -> int:
    """How many entries of theirs wait."""
    found = member.flags.get(WAITING)
    return found if type(found) is int else 0


def one_more(member: Member) -> Fact:
    return member.fact(WAITING, waiting_of(member) + 1)


def freed(books: Books, entries: Iterable[Entry]) -> tuple[tuple[Fact, ...], tuple[EntryNumber, ...]]:
    """What is to be noted where `entries` are settled: of whose coins fewer wait, and which of the entries waited."""
    numbers: list[EntryNumber] = []
    fewer: dict[MemberId, int] = {}
    for entry in entries:
        if is_open(entry):
            numbers.append(entry.number)
            # Of whoever went on as somebody else it is theirs.
            owner = MemberId(books.heir(entry.actor))
            fewer[owner] = fewer.get(owner, 0) + 1
    facts = []
    for member_id, count in sorted(fewer.items()):
        member = books.members[member_id]
        facts.append(member.fact(WAITING, waiting_of(member) - count or None))
    return tuple(facts), tuple(numbers)
