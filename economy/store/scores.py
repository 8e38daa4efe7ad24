"""Writing what projections came to: scores with their histogram, and day totals, all by difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import HIDDEN, PRESENT
from economy.projections.boards import (
    Series,
    Stretch,
    StretchSums,
    Succession,
    bucket,
    handed_over,
    is_listed,
    series_apart,
)
from economy.projections.days import DayKey, DaySum
from economy.store.bulk_rows import RowsStatement
from economy.values import MemberId

# In order of the primary key, so that neighbours share pages.
_ADD_SCORES: Final = RowsStatement(
    """
    INSERT INTO scores (community_id, member_id, series, score, reached, listed, standing, since)
    SELECT {community}, w.member_id, p.series, w.score, w.reached, w.listed,
        CASE WHEN w.listed AND w.score > 0 THEN w.score END, CASE WHEN w.listed AND w.score > 0 THEN w.reached END
    FROM {rows} CROSS JOIN {pairs} WHERE p.of_stretch = w.stretch
    ORDER BY w.member_id, p.series
    ON CONFLICT (community_id, member_id, series)
    DO UPDATE SET score = scores.score + excluded.score, reached = excluded.reached,
        standing = CASE WHEN scores.listed AND scores.score + excluded.score > 0
            THEN scores.score + excluded.score END,
        since = CASE WHEN scores.listed AND scores.score + excluded.score > 0 THEN excluded.reached END
    RETURNING member_id, series, score, listed
    """,
    pairs=("of_stretch", "series"),
    member_id="bigint",
    stretch="bigint",
    score="bigint",
    reached="bigint",
    listed="boolean",
)
# CROSS JOIN: SQLite knows nothing of the rows' number, and would go through the community's scores instead.
_SET_LISTED: Final = """
    UPDATE scores SET listed = {is_listed}, standing = {standing}, since = {since}
    WHERE community_id = {{community}} AND (member_id, series) IN (
        SELECT s.member_id, s.series FROM {{rows}} CROSS JOIN scores AS s
        WHERE s.community_id = {{community}} AND s.member_id = w.member_id AND s.listed <> {is_listed}
    )
    RETURNING series, score
    """
_LIST: Final = RowsStatement(
    _SET_LISTED.format(
        is_listed="true",
        standing="CASE WHEN score > 0 THEN score END",
        since="CASE WHEN score > 0 THEN reached END",
    ),
    member_id="bigint",
)
_UNLIST: Final = RowsStatement(_SET_LISTED.format(is_listed="false", standing="NULL", since="NULL"), member_id="bigint")
_TAKE: Final = RowsStatement(
    """
    DELETE FROM scores WHERE community_id = {community} AND member_id IN (SELECT w.gone FROM {rows})
    RETURNING series, member_id, score, standing
    """,
    gone="bigint",
)
_COUNT_MORE: Final = RowsStatement(
    """
    INSERT INTO histogram (community_id, series, bucket, members)
    SELECT {community}, w.series, w.bucket, w.members FROM {rows} WHERE true
    ON CONFLICT (community_id, series, bucket)
    DO UPDATE SET members = histogram.members + excluded.members
    """,
    series="bigint",
    bucket="bigint",
    members="bigint",
)
# The bucket is there, since a score was counted in it: found by the conflict, as each needs one look-up only.
_COUNT_FEWER: Final = RowsStatement(
    """
    INSERT INTO histogram (community_id, series, bucket, members)
    SELECT {community}, w.series, w.bucket, w.fewer FROM {rows} WHERE true
    ON CONFLICT (community_id, series, bucket)
    DO UPDATE SET members = histogram.members - excluded.members
    """,
    series="bigint",
    bucket="bigint",
    fewer="bigint",
)
# An empty bucket is no row, so that a rebuilt histogram has the same rows.
_DROP_EMPTY: Final = RowsStatement(
    """
    DELETE FROM histogram WHERE community_id = {community} AND members = 0 AND (series, bucket) IN
    (SELECT w.of_series, w.of_bucket FROM {rows})
    """,
    of_series="bigint",
    of_bucket="bigint",
    fewer="bigint",
)
_ADD_DAYS: Final = RowsStatement(
    """
    INSERT INTO day_totals (community_id, day, name, entries, amount)
    SELECT {community}, w.day, w.name, w.entries, w.amount FROM {rows} WHERE true
    ON CONFLICT (community_id, day, name)
    DO UPDATE SET entries = day_totals.entries + excluded.entries, amount = day_totals.amount + excluded.amount
    """,
    day="bigint",
    name="text",
    entries="bigint",
    amount="bigint",
)
_VISIBILITY: Final = RowsStatement(
    """
    SELECT flags.subject, flags.name, flags.value FROM {rows} CROSS JOIN flags
    WHERE flags.community_id = {community} AND flags.subject = w.member_id AND flags.name = w.flag
    """,
    member_id="bigint",
    flag="text",
)


class Histogram:
    """Collects how many members more or fewer a bucket counts."""

    def __init__(self) -> None:
        self._more: dict[tuple[int, int], int] = {}

    def move(self, series: int, before: int, after: int) -> None:
        """One listed member's score goes from `before` to `after`; 0 or less is in no bucket."""
        if before > 0:
            self._count((series, bucket(before)), -1)
        if after > 0:
            self._count((series, bucket(after)), 1)

    def _count(self, where: tuple[int, int], more: int) -> None:
        self._more[where] = self._more.get(where, 0) + more

    async def write(self, connection: AsyncConnection, community_id: int) -> None:
        more = [(*where, count) for where, count in sorted(self._more.items()) if count > 0]
        fewer = [(*where, -count) for where, count in sorted(self._more.items()) if count < 0]
        await _COUNT_MORE.run(connection, community_id, more)
        await _COUNT_FEWER.run(connection, community_id, fewer)
        await _DROP_EMPTY.run(connection, community_id, fewer)


async def listed_now(connection: AsyncConnection, community_id: int, member_ids: Iterable[int]) -> dict[int, bool]:
    """Whether each member is on the boards, by their flags as they are."""
    asked = {member_id: {PRESENT: False, HIDDEN: False} for member_id in sorted(member_ids)}
    rows = [(member_id, name) for member_id in asked for name in (PRESENT, HIDDEN)]
    for member_id, name, value in await _VISIBILITY.run(connection, community_id, rows):
        asked[member_id][name] = value == "true"
    return {member_id: is_listed(present=found[PRESENT], hidden=found[HIDDEN]) for member_id, found in asked.items()}


async def add_scores(
    connection: AsyncConnection,
    community_id: int,
    sums: StretchSums,
    listed: Mapping[int, bool],
    moved: Iterable[int],
    gone: Mapping[MemberId, Succession],
) -> None:
    """Adds `sums`, and the scores of those who are `gone`, to the scores; lists the members in `moved` as `listed`
    says, and keeps the histogram in step."""
    histogram = Histogram()
    sums = await _with_handed_over(connection, community_id, sums, gone, histogram)
    for series, before, after in await _add(connection, community_id, sums, listed):
        histogram.move(series, before, after)
    for series, score in await _LIST.run(
        connection, community_id, [(member_id,) for member_id in sorted(moved) if listed[member_id]]
    ):
        histogram.move(series, 0, score)
    for series, score in await _UNLIST.run(
        connection, community_id, [(member_id,) for member_id in sorted(moved) if not listed[member_id]]
    ):
        histogram.move(series, score, 0)
    await histogram.write(connection, community_id)


async def _with_handed_over(
    connection: AsyncConnection,
    community_id: int,
    sums: StretchSums,
    gone: Mapping[MemberId, Succession],
    histogram: Histogram,
) -> StretchSums:
    """Takes the scores of those who are `gone` off the boards; `sums` with what they are to their successors."""
    if not gone:
        return sums
    taken: dict[tuple[Stretch, MemberId], int] = {}
    for series, member, score, standing in await _TAKE.run(
        connection, community_id, [(each,) for each in sorted(gone)]
    ):
        taken[(Series(series),), MemberId(member)] = score
        if standing is not None:
            histogram.move(series, standing, 0)
    together = series_apart(sums)
    for key, (score, reached) in handed_over(taken, gone).items():
        before = together.get(key, (0, reached))
        together[key] = (before[0] + score, max(before[1], reached))
    return together


async def _add(
    connection: AsyncConnection, community_id: int, sums: StretchSums, listed: Mapping[int, bool]
) -> list[tuple[int, int, int]]:
    """Adds `sums`; of each score that stands on a board, before or after, its series and both."""
    numbers: dict[Stretch, int] = {}
    rows = [
        (member, numbers.setdefault(stretch, len(numbers)), score, reached, listed[member])
        for (stretch, member), (score, reached) in sums.items()
    ]
    pairs = [(number, series) for stretch, number in numbers.items() for series in stretch]
    stretch_of = {series: stretch for stretch in numbers for series in stretch}
    changed = []
    for member, series, score, is_on in await _ADD_SCORES.run(connection, community_id, rows, *pairs):
        if is_on:
            before = score - sums[stretch_of[series], member][0]
            if score > 0 or before > 0:
                changed.append((series, before, score))
    return changed


async def add_days(connection: AsyncConnection, community_id: int, sums: Mapping[DayKey, DaySum]) -> None:
    """Adds `sums` to the day totals."""
    await _ADD_DAYS.run(connection, community_id, [(*key, *found) for key, found in sorted(sums.items())])
