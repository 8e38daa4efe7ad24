"""Boards by page with ranks, from an index and a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import AMOUNT_HIDDEN
from economy.codec import write_value
from economy.projections.boards import (
    START_OF_ALL_US,
    Board,
    Period,
    bucket,
    bucket_top,
    period_start,
    periods_of,
    series_of,
)
from economy.store.reads.members import settings_of
from economy.store.tables import flags, histogram, scores
from economy.store.timing import to_us
from economy.values import CommunityId, MemberId
from economy.views import BoardPage, BoardRow, OwnRank

PAGE_MAX: Final = 10_000
SIZE_MAX: Final = 100
"""Pages beyond these hold nothing."""

_OF_SERIES = (scores.c.community_id == bindparam("community"), scores.c.series == bindparam("series"))
_ON_BOARD = (*_OF_SERIES, scores.c.standing.is_not(None))
_PAGE = (
    select(scores.c.member_id, scores.c.standing)
    .where(*_ON_BOARD)
    .order_by(scores.c.standing.desc(), scores.c.since, scores.c.member_id)
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
_OWN = select(scores.c.score).where(*_OF_SERIES, scores.c.member_id == bindparam("member"))
_IN_BUCKETS_ABOVE = select(cast(func.coalesce(func.sum(histogram.c.members), 0), BigInteger)).where(
    histogram.c.community_id == bindparam("community"),
    histogram.c.series == bindparam("series"),
    histogram.c.bucket > bindparam("bucket"),
)
_ABOVE_IN_BUCKET = (
    select(func.count())
    .select_from(scores)
    .where(*_ON_BOARD, scores.c.standing > bindparam("score"), scores.c.standing <= bindparam("top"))
)
_AMOUNT_HIDDEN = select(flags.c.subject).where(
    flags.c.community_id == bindparam("community"),
    flags.c.subject.in_(bindparam("ids", expanding=True)),
    flags.c.name == AMOUNT_HIDDEN,
    flags.c.value == write_value(True),
)


async def board(
    connection: AsyncConnection,
    community_id: CommunityId,
    name: str,
    period_name: str,
    *,
    now: datetime,
    reader: MemberId | None,
    page: int,
    size: int,
) -> BoardPage:
    """A page of a board in the period that holds `now`; a board without periods has but one.

    Raises ValueError for a board or period that there is not.
    """
    asked_board = Board(name)
    period = Period(period_name)
    if period not in periods_of(asked_board):
        period = Period.ALL
    settings = await settings_of(connection, community_id)
    start = period_start(now, settings.time_zone, period)
    series = series_of(asked_board, period, START_OF_ALL_US if start is None else to_us(start))
    on_board = {"community": community_id, "series": series}
    rows, has_more = await _page(connection, on_board, reader, page, size)
    own = await _own_score(connection, on_board, reader)
    return BoardPage(
        board=str(asked_board),
        period=str(period),
        start=start,
        rows=rows,
        page=page,
        has_more=has_more,
        own_rank=await _rank(connection, on_board, own) if own > 0 else None,
        own_score=max(0, own),
    )


async def rank(
    connection: AsyncConnection,
    community_id: CommunityId,
    names: Sequence[str],
    period_name: str,
    *,
    now: datetime,
    of: MemberId,
) -> OwnRank | None:
    """Where a member stands on the first of these boards that they are on. Raises ValueError as `board` does."""
    settings = await settings_of(connection, community_id)
    period = Period(period_name)
    start = period_start(now, settings.time_zone, period)
    for name in names:
        series = series_of(Board(name), period, START_OF_ALL_US if start is None else to_us(start))
        on_board = {"community": community_id, "series": series}
        if (own := await _own_score(connection, on_board, of)) > 0:
            return OwnRank(name, await _rank(connection, on_board, own))
    return None


async def _page(
    connection: AsyncConnection, on_board: dict[str, Any], reader: MemberId | None, page: int, size: int
) -> tuple[tuple[BoardRow, ...], bool]:
    if not (1 <= page <= PAGE_MAX and 1 <= size <= SIZE_MAX):
        return (), False
    skipped = (page - 1) * size
    found = (await connection.execute(_PAGE, {**on_board, "most": size + 1, "skipped": skipped})).all()
    if not found:
        return (), False
    listed = [(MemberId(row.member_id), int(row.standing)) for row in found[:size]]
    secret = await _amounts_hidden(connection, on_board, [member for member, _ in listed])
    rank = await _rank(connection, on_board, listed[0][1]) if skipped else 1
    rows = []
    for place, (member, score) in enumerate(listed):
        if place and score < listed[place - 1][1]:
            rank = skipped + place + 1
        rows.append(BoardRow(rank, member, None if member in secret and member != reader else score))
    return tuple(rows), len(found) > size


async def _own_score(connection: AsyncConnection, on_board: dict[str, Any], reader: MemberId | None) -> int:
    """The reader's score, on the board or hidden from it; 0 for none."""
    found = await connection.execute(_OWN, {**on_board, "member": reader})
    return found.scalar_one_or_none() or 0


async def _rank(connection: AsyncConnection, on_board: dict[str, Any], score: int) -> int:
    """One more than there are listed members with a greater score: equals share it."""
    number = bucket(score)
    above = (await connection.execute(_IN_BUCKETS_ABOVE, {**on_board, "bucket": number})).scalar_one()
    top = bucket_top(number)
    if score == top:
        return int(above) + 1
    within = await connection.execute(_ABOVE_IN_BUCKET, {**on_board, "score": score, "top": top})
    return int(above) + int(within.scalar_one()) + 1


async def _amounts_hidden(
    connection: AsyncConnection, on_board: dict[str, Any], member_ids: Sequence[MemberId]
) -> frozenset[int]:
    asked = {"community": on_board["community"], "ids": member_ids}
    return frozenset((await connection.execute(_AMOUNT_HIDDEN, asked)).scalars())
