"""Entries read back, in the order of their commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.codec import read_receipt, read_value
from economy.ledger import Entry, Fact, Posting
from economy.projections.seals import SealedEntry
from economy.store.tables import counters, entries, facts, postings, reversals
from economy.store.timing import from_us
from economy.values import Asset, Coins, EntryNumber, IdempotencyKey, MemberId, Reason

POSTINGS_MAX: Final = 20_000
"""The most postings that one reading holds in memory, unless a single entry has more."""

_Rows = Sequence[Sequence[Any]]
_ASSETS: Final = {asset.value: asset for asset in Asset}

_HEAD = (
    select(
        entries.c.number,
        entries.c.key,
        entries.c.kind,
        entries.c.actor,
        entries.c.reason,
        entries.c.at_us,
        entries.c.time_zone,
        entries.c.receipt,
    )
    .where(entries.c.community_id == bindparam("community"))
    .order_by(entries.c.number)
)
_POSTING = (
    select(
        postings.c.entry,
        postings.c.source,
        postings.c.destination,
        postings.c.asset,
        postings.c.amount,
        postings.c.leg,
        postings.c.source_after,
        postings.c.destination_after,
    )
    .where(postings.c.community_id == bindparam("community"))
    .order_by(postings.c.entry, postings.c.ordinal)
)
_FACT = (
    select(facts.c.entry, facts.c.subject, facts.c.name, facts.c.before, facts.c.after)
    .where(facts.c.community_id == bindparam("community"))
    .order_by(facts.c.entry, facts.c.ordinal)
)
_REVERSAL = (
    select(reversals.c.by_entry, reversals.c.original)
    .where(reversals.c.community_id == bindparam("community"))
    .order_by(reversals.c.by_entry, reversals.c.original)
)
_after: BindParameter[int] = bindparam("after")
_last: BindParameter[int] = bindparam("last")
_numbers: BindParameter[Sequence[int]] = bindparam("numbers", expanding=True)
_HEADS = _HEAD.where(entries.c.number > _after).limit(bindparam("most"))
_POSTINGS = _POSTING.where(postings.c.entry > _after, postings.c.entry <= _last)
_FACTS = _FACT.where(facts.c.entry > _after, facts.c.entry <= _last)
_REVERSALS = _REVERSAL.where(reversals.c.by_entry > _after, reversals.c.by_entry <= _last)
_THESE_HEADS = _HEAD.where(entries.c.number.in_(_numbers))
_THESE_POSTINGS = _POSTING.where(postings.c.entry.in_(_numbers))
_THESE_FACTS = _FACT.where(facts.c.entry.in_(_numbers))
_LAST = select(counters.c.last_entry).where(counters.c.community_id == bindparam("community"))


async def last_number(connection: AsyncConnection, community_id: int) -> int:
    """The number of the community's latest entry, 0 before the first."""
    return (await connection.execute(_LAST, {"community": community_id})).scalar_one_or_none() or 0


class StoredEntries(Struct, frozen=True):
    """Consecutive entries as their rows are, in order, with everything that is written once with them."""

    heads: _Rows
    postings: _Rows
    facts: _Rows
    reversals: _Rows

    def entries(self) -> list[Entry]:
        """Raises `msgspec.MsgspecError`, KeyError, TypeError or ValueError for what is no entry."""
        return _join(self.heads, self.postings, self.facts)

    def sealed(self) -> list[SealedEntry]:
        """What of them is sealed; made of any rows, also of such as are no entry."""
        moved: dict[int, list[tuple[Any, ...]]] = {}
        for entry, source, destination, asset, amount, leg, source_after, destination_after in self.postings:
            moved.setdefault(entry, []).append(
                (leg, source, destination, asset, amount, source_after, destination_after)
            )
        told: dict[int, list[tuple[Any, ...]]] = {}
        for entry, subject, name, before, after in self.facts:
            told.setdefault(entry, []).append((subject, name, before, after))
        undoes = self.undoes()
        return [
            SealedEntry(
                number,
                kind,
                actor,
                at_us,
                time_zone,
                receipt,
                moved.get(number, ()),
                told.get(number, ()),
                undoes.get(number, ()),
            )
            for number, _, kind, actor, _, at_us, time_zone, receipt in self.heads
        ]

    def apart(self) -> Iterator[StoredEntries]:
        """Each entry for itself."""
        for head in self.heads:
            number = head[0]
            parts = ([row for row in rows if row[0] == number] for rows in (self.postings, self.facts, self.reversals))
            yield StoredEntries([head], *parts)

    def afters(self) -> dict[int, list[tuple[int | None, int | None]]]:
        """By entry, the balances (of source, of destination) that each of its postings says it leaves."""
        found: dict[int, list[tuple[int | None, int | None]]] = {}
        for row in self.postings:
            found.setdefault(row[0], []).append((row[6], row[7]))
        return found

    def undoes(self) -> dict[int, list[int]]:
        """By entry, the numbers of those that it took back."""
        found: dict[int, list[int]] = {}
        for by_entry, original in self.reversals:
            found.setdefault(by_entry, []).append(original)
        return found


async def read_stored(connection: AsyncConnection, community_id: int, *, after: int, most: int) -> StoredEntries:
    """The entries that follow number `after`: at most `most`, fewer where they hold many postings."""
    heads, moved, told = await _read_rows(connection, community_id, after=after, most=most)
    if not heads:
        return StoredEntries((), (), (), ())
    span = {"community": community_id, "after": after, "last": heads[-1][0]}
    return StoredEntries(heads, moved, told, (await connection.execute(_REVERSALS, span)).all())


async def read_entries(connection: AsyncConnection, community_id: int, *, after: int, most: int) -> list[Entry]:
    """The entries that follow number `after`: at most `most`, fewer where they hold many postings."""
    return _join(*await _read_rows(connection, community_id, after=after, most=most))


async def _read_rows(
    connection: AsyncConnection, community_id: int, *, after: int, most: int
) -> tuple[_Rows, _Rows, _Rows]:
    """Heads, postings and facts of the entries that follow."""
    span = {"community": community_id, "after": after}
    heads: _Rows = (await connection.execute(_HEADS, {**span, "most": most})).all()
    if not heads:
        return (), (), ()
    span["last"] = heads[-1][0]
    moved = (await connection.execute(_POSTINGS.limit(POSTINGS_MAX), span)).all()
    if len(moved) == POSTINGS_MAX:
        # The last of them may have been cut: it is left for the next reading, unless it is all there is.
        span["last"] = max(moved[-1].entry - 1, heads[0][0])
        heads = [head for head in heads if head[0] <= span["last"]]
        moved = (await connection.execute(_POSTINGS, span)).all()
    return heads, moved, (await connection.execute(_FACTS, span)).all()


async def read_these(connection: AsyncConnection, community_id: int, numbers: Sequence[int]) -> list[Entry]:
    """The entries of these numbers, in order; those there are."""
    asked = {"community": community_id, "numbers": numbers}
    heads = (await connection.execute(_THESE_HEADS, asked)).all()
    moved = (await connection.execute(_THESE_POSTINGS, asked)).all()
    return _join(heads, moved, (await connection.execute(_THESE_FACTS, asked)).all())


def _join(heads: _Rows, moved: _Rows, told: _Rows) -> list[Entry]:
    postings_of: dict[int, list[Posting]] = {}
    for entry, source, destination, asset, amount, leg, _, _ in moved:
        postings_of.setdefault(entry, []).append(Posting(source, destination, _ASSETS[asset], Coins(amount), leg))
    facts_of: dict[int, list[Fact]] = {}
    for entry, subject, name, before, after in told:
        facts_of.setdefault(entry, []).append(Fact(MemberId(subject), name, read_value(before), read_value(after)))
    return [
        Entry(
            number=EntryNumber(number),
            key=IdempotencyKey(key),
            kind=kind,
            actor=MemberId(actor),
            reason=Reason(reason),
            at=from_us(at_us),
            time_zone=time_zone,
            postings=tuple(postings_of.get(number, ())),
            facts=tuple(facts_of.get(number, ())),
            receipt=read_receipt(receipt),
        )
        for number, key, kind, actor, reason, at_us, time_zone, receipt in heads
    ]
