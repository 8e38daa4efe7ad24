"""A member's own entries, newest first, and single entries as receipts show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import BindParameter, Select, bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.codec import read_receipt
from economy.ledger import Entry
from economy.rules.gifting import Gifted
from economy.store.reads.members import heirs, ids_of
from economy.store.replay import read_these
from economy.store.tables import entries, postings, reversals, texts
from economy.store.timing import from_us
from economy.succession import members_in, renamed
from economy.values import Asset, CommunityId, EntryNumber, MemberId
from economy.views import EntryView, HistoryPage, HistoryRow

PAGE_MAX: Final = 1_000
SIZE_MAX: Final = 100
"""Pages beyond these hold nothing: nobody leafs that far, and scripts should not make us."""

_NOTES: Final = ("note", "message")


class _Change(Struct):
    """One asset's change by one entry, as postings add up to it."""

    number: int
    asset: str
    amount: int = 0
    balance_after: int = 0
    legs: set[int] = set()


async def history(
    connection: AsyncConnection, community_id: CommunityId, member_id: MemberId, page: int, size: int
) -> HistoryPage:
    """The member's entries, one row per entry and asset that it changed."""
    if not (1 <= page <= PAGE_MAX and 1 <= size <= SIZE_MAX):
        return HistoryPage((), page, has_more=False)
    wanted = page * size + 1
    most = wanted
    ids = await ids_of(connection, community_id, member_id)
    while True:
        numbers = await _touching(connection, community_id, ids, most)
        changes = await _changes(connection, community_id, ids, numbers)
        if len(changes) >= wanted or len(numbers) < most:
            break
        # Some entries gave with one hand what they took with the other, and are no rows.
        most *= 2
    rows = await _rows(connection, community_id, ids, changes[(page - 1) * size : page * size])
    return HistoryPage(rows, page, has_more=len(changes) > page * size)


_ids: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)


@cache
def _touching_as(count: int) -> Select[int]:
    """The latest entries that touch a member who has `count` ids. Each way to be touched stops at the most that is
    wanted: the whole history is never read."""
    ways = [
        select(postings.c.entry)
        .distinct()
        .where(postings.c.community_id == bindparam("community"), end == bindparam(f"id{place}"))
        .order_by(postings.c.entry.desc())
        .limit(bindparam("most"))
        .subquery()
        for place in range(count)
        for end in (postings.c.source, postings.c.destination)
    ]
    sides = union(*(select(way.c.entry) for way in ways)).subquery()
    return select(sides.c.entry).order_by(sides.c.entry.desc()).limit(bindparam("most"))


_OWN = (
    select(
        postings.c.entry,
        postings.c.leg,
        postings.c.source,
        postings.c.destination,
        postings.c.asset,
        postings.c.amount,
        postings.c.source_after,
        postings.c.destination_after,
    )
    .where(
        postings.c.community_id == bindparam("community"),
        postings.c.entry.in_(bindparam("numbers", expanding=True)),
        postings.c.source.in_(_ids) | postings.c.destination.in_(_ids),
    )
    .order_by(postings.c.entry.desc(), postings.c.ordinal)
)
_LEGS = (
    select(postings.c.entry, postings.c.leg, postings.c.source, postings.c.destination)
    .where(
        postings.c.community_id == bindparam("community"),
        postings.c.entry.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(postings.c.entry, postings.c.ordinal)
)
settling = entries.alias("settling")
_HEADS = (
    select(
        entries.c.number,
        entries.c.kind,
        entries.c.actor,
        entries.c.reason,
        entries.c.at_us,
        entries.c.receipt,
        reversals.c.by_entry,
        settling.c.kind.label("settled_by"),
        texts.c.text,
    )
    .outerjoin(
        reversals,
        (reversals.c.community_id == entries.c.community_id) & (reversals.c.original == entries.c.number),
    )
    .outerjoin(
        settling,
        (settling.c.community_id == reversals.c.community_id) & (settling.c.number == reversals.c.by_entry),
    )
    .outerjoin(
        texts,
        (texts.c.community_id == entries.c.community_id)
        & (texts.c.entry == entries.c.number)
        & texts.c.topic.in_(_NOTES)
        & (texts.c.removed == False),  # noqa: E712  # SQL
    )
    .where(entries.c.community_id == bindparam("community"), entries.c.number.in_(bindparam("numbers", expanding=True)))
)


async def _touching(
    connection: AsyncConnection, community_id: CommunityId, ids: Sequence[MemberId], most: int
) -> Sequence[int]:
    asked = {"community": community_id, "most": most, **{f"id{place}": each for place, each in enumerate(ids)}}
    return (await connection.execute(_touching_as(len(ids)), asked)).scalars().all()


async def _changes(
    connection: AsyncConnection, community_id: CommunityId, ids: Sequence[MemberId], numbers: Sequence[int]
) -> list[_Change]:
    """What each entry changed, by asset; newest first.

    What came along when somebody went on as this member is a change: it was another wallet before.
    """
    found: dict[tuple[int, str], _Change] = {}
    asked = {"community": community_id, "ids": ids, "numbers": numbers}
    for entry, leg, source, destination, asset, amount, source_after, destination_after in await connection.execute(
        _OWN, asked
    ):
        change = found.setdefault((entry, asset), _Change(entry, asset, legs=set()))
        change.legs.add(leg)
        if source in ids and (source == ids[0] or destination not in ids):
            change.amount -= amount
            change.balance_after = source_after
        if destination in ids and (destination == ids[0] or source not in ids):
            change.amount += amount
            change.balance_after = destination_after
    return [change for change in found.values() if change.amount]


async def _rows(
    connection: AsyncConnection, community_id: CommunityId, ids: Sequence[MemberId], changes: Sequence[_Change]
) -> tuple[HistoryRow, ...]:
    asked = {"community": community_id, "numbers": sorted({change.number for change in changes})}
    heads = {row.number: row for row in await connection.execute(_HEADS, asked)}
    others: dict[tuple[int, int], set[int]] = {}
    for entry, leg, source, destination in await connection.execute(_LEGS, asked):
        others.setdefault((entry, leg), set()).update((source, destination))
    rows = []
    for change in changes:
        head = heads[change.number]
        met = {owner for leg in change.legs for owner in others[change.number, leg]}
        rows.append(
            HistoryRow(
                number=EntryNumber(change.number),
                kind=head.kind,
                amount=change.amount,
                asset=Asset(change.asset),
                balance_after=change.balance_after,
                counterparts=_counterparts(head, ids, met),
                note=head.text or "",
                reason=head.reason,
                at=from_us(head.at_us),
                undone=head.by_entry is not None,
                settled_by=head.settled_by or "",
            )
        )
    return tuple(rows)


def _counterparts(head: Any, ids: Sequence[MemberId], met: Iterable[int]) -> tuple[MemberId, ...]:
    """The members on the other end; where there is none, whoever ordered it."""
    if head.kind == "gift" and isinstance(gift := read_receipt(head.receipt), Gifted):
        # With no share for the receiver, no posting leads to them.
        return (gift.creator if gift.sender in ids else gift.sender,)
    found = {MemberId(owner) for owner in met if owner > 0}.difference(ids)
    if not found and head.actor not in ids:
        found = {MemberId(head.actor)}
    return tuple(sorted(found))


# --- single entries ---

_UNDOES = select(reversals.c.by_entry, reversals.c.original).where(
    reversals.c.community_id == bindparam("community"),
    reversals.c.by_entry.in_(bindparam("numbers", expanding=True)),
)


async def entry(connection: AsyncConnection, community_id: CommunityId, number: EntryNumber) -> EntryView | None:
    found = await read_these(connection, community_id, [number])
    return (await views(connection, community_id, found))[0] if found else None


async def views(
    connection: AsyncConnection, community_id: CommunityId, found: Sequence[Entry]
) -> tuple[EntryView, ...]:
    """Entries with what is looked up beside them: notes, and who took back whom."""
    asked = {"community": community_id, "numbers": [entry.number for entry in found]}
    heads = {row.number: row for row in await connection.execute(_HEADS, asked)}
    named = {member for each in found for member in (each.actor, *_touched(each), *members_in(each.receipt))}
    now = await heirs(connection, community_id, named)
    undoes: dict[int, list[EntryNumber]] = {}
    for by_entry, original in await connection.execute(_UNDOES, asked):
        undoes.setdefault(by_entry, []).append(EntryNumber(original))
    return tuple(
        EntryView(
            number=each.number,
            kind=each.kind,
            actor=now.get(each.actor, each.actor),
            reason=each.reason,
            at=each.at,
            time_zone=each.time_zone,
            receipt=renamed(each.receipt, now),
            note=heads[each.number].text or "",
            facts=each.facts,
            touched=tuple(sorted({now.get(member, member) for member in _touched(each)})),
            undone_by=heads[each.number].by_entry,
            undoes=tuple(sorted(undoes.get(each.number, ()))),
        )
        for each in found
    )


def _touched(entry: Entry) -> tuple[MemberId, ...]:
    owners = {owner for posting in entry.postings for owner in (posting.source, posting.destination)}
    return tuple(sorted(MemberId(owner) for owner in owners if owner > 0))


# --- texts ---

_TEXT = (
    select(texts.c.text, texts.c.removed)
    .where(
        texts.c.community_id == bindparam("community"),
        texts.c.author.in_(_ids),
        texts.c.topic == bindparam("topic"),
    )
    .order_by(texts.c.entry.desc())
    .limit(1)
)


async def text(connection: AsyncConnection, community_id: CommunityId, author: MemberId, topic: str) -> str:
    """The author's latest text of a topic; empty if it was removed: the one before it does not come back."""
    asked = {"community": community_id, "ids": await ids_of(connection, community_id, author), "topic": topic}
    row = (await connection.execute(_TEXT, asked)).one_or_none()
    return "" if row is None or row.removed else row.text
