"""What one member sends in quick succession."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.codec import read_receipt
from economy.rules.gifting import Gifted
from economy.service import Sent
from economy.store.tables import entries, reversals
from economy.store.timing import from_us
from economy.values import CommunityId, EntryNumber

FIRST_PAGE: Final = 8
"""Entries that are read at once: few have sent more just now."""
PAGE: Final = 200

_GIFT: Final = "gift"

_COLUMNS = (entries.c.number, entries.c.kind, entries.c.actor, entries.c.at_us, entries.c.receipt, reversals.c.by_entry)
_UNDONE = (reversals.c.community_id == entries.c.community_id) & (reversals.c.original == entries.c.number)
_ONE = (
    select(*_COLUMNS)
    .outerjoin(reversals, _UNDONE)
    .where(entries.c.community_id == bindparam("community"), entries.c.number == bindparam("number"))
)
_OWN = (
    select(*_COLUMNS)
    .outerjoin(reversals, _UNDONE)
    .where(entries.c.community_id == bindparam("community"), entries.c.actor == bindparam("actor"))
    .limit(bindparam("most"))
)
_BEFORE = _OWN.where(entries.c.number < bindparam("number")).order_by(entries.c.number.desc())
_AFTER = _OWN.where(entries.c.number > bindparam("number")).order_by(entries.c.number)

_earlier = entries.alias("earlier")
# The one entry before, by its index, whatever it was: looking for a gift could take all that somebody ever did.
_LAST_AT = (
    select(_earlier.c.at_us)
    .where(
        _earlier.c.community_id == entries.c.community_id,
        _earlier.c.actor == entries.c.actor,
        _earlier.c.number < entries.c.number,
    )
    .order_by(_earlier.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_BUSY = select(entries.c.number).where(
    entries.c.community_id == bindparam("community"),
    entries.c.number.in_(bindparam("numbers", expanding=True)),
    entries.c.at_us - bindparam("apart_us") <= _LAST_AT,
)


async def sent_around(
    connection: AsyncConnection, community_id: CommunityId, number: EntryNumber, apart: timedelta, most: int
) -> list[Sent]:
    """The gift of an entry, and the gifts of the same sender before and after it without a longer pause, in order."""
    row = (await connection.execute(_ONE, {"community": community_id, "number": number})).one_or_none()
    if row is None or row.kind != _GIFT:
        return []
    before = await _walk(connection, _BEFORE, community_id, row, apart, most)
    after = await _walk(connection, _AFTER, community_id, row, apart, most)
    return [sent for each in (*reversed(before), row, *after) if (sent := _sent(each)) is not None]


async def _walk(
    connection: AsyncConnection, pages: Any, community_id: CommunityId, start: Any, apart: timedelta, most: int
) -> list[Any]:
    """Away from an entry, one gift after the other, until its sender paused."""
    apart_us = apart // timedelta(microseconds=1)
    found: list[Any] = []
    last_us, number, size = start.at_us, start.number, FIRST_PAGE
    while True:
        asked = {"community": community_id, "actor": start.actor, "number": number, "most": size}
        rows = (await connection.execute(pages, asked)).all()
        for row in rows:
            if abs(row.at_us - last_us) > apart_us:
                return found
            if row.kind == _GIFT:
                found.append(row)
                last_us = row.at_us
            if len(found) == most:
                return found
        if len(rows) < size:
            return found
        number, size = rows[-1].number, PAGE


def _sent(row: Any) -> Sent | None:
    gift = read_receipt(row.receipt)
    if not isinstance(gift, Gifted):
        return None
    undone_by = None if row.by_entry is None else EntryNumber(row.by_entry)
    return Sent(EntryNumber(row.number), from_us(row.at_us), gift, undone_by)


async def busy_senders(
    connection: AsyncConnection, community_id: CommunityId, numbers: Sequence[EntryNumber], apart: timedelta
) -> set[EntryNumber]:
    """Those of the entries whose actors had done something else at most `apart` before."""
    asked = {"community": community_id, "numbers": list(numbers), "apart_us": apart // timedelta(microseconds=1)}
    return {EntryNumber(number) for number in (await connection.execute(_BUSY, asked)).scalars()}
