"""The log that `/audit` searches: entries by member, actor, kind and time; and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.reads.history import PAGE_MAX, SIZE_MAX, views
from economy.store.reads.members import ids_of
from economy.store.replay import last_number, read_these
from economy.store.tables import answers, entries, facts, postings
from economy.store.timing import from_us, to_us
from economy.values import CommunityId, MemberId
from economy.views import AuditPage, RefusedView

CLOCK_SLACK: Final = timedelta(hours=2)
"""By how much a clock that was set back may have put entries out of the order of their times."""


class Sought(Struct, frozen=True, kw_only=True):
    """What to look for; None looks for all. `member` is whom an entry touches or whose doing it is."""

    member: MemberId | None = None
    actor: MemberId | None = None
    kind: str | None = None
    since: datetime | None = None


async def records(
    connection: AsyncConnection, community_id: CommunityId, sought: Sought, page: int, size: int
) -> AuditPage:
    """Entries, newest first."""
    if not (1 <= page <= PAGE_MAX and 1 <= size <= SIZE_MAX):
        return AuditPage((), (), page, has_more=False)
    first = 0
    if sought.since is not None:
        first = await _first_since(connection, community_id, to_us(sought.since - CLOCK_SLACK))
    most = page * size + 1
    actors = await _known_as(connection, community_id, sought.actor)
    wanted = _matching(community_id, sought, actors, first)
    if sought.member is not None:
        members = await ids_of(connection, community_id, sought.member)
        wanted = _touching(community_id, members, wanted, most)
    statement = wanted.limit(size + 1).offset((page - 1) * size)
    numbers = (await connection.execute(statement)).scalars().all()
    found = (await read_these(connection, community_id, numbers[:size]))[::-1]
    return AuditPage(await views(connection, community_id, found), (), page, has_more=len(numbers) > size)


async def refused(
    connection: AsyncConnection, community_id: CommunityId, sought: Sought, page: int, size: int
) -> AuditPage:
    """Refusals, newest first. A refusal touches nobody but who was refused."""
    if not (1 <= page <= PAGE_MAX and 1 <= size <= SIZE_MAX):
        return AuditPage((), (), page, has_more=False)
    conditions: list[ColumnElement[bool]] = [answers.c.community_id == community_id, answers.c.code.is_not(None)]
    asked_for = [await _known_as(connection, community_id, actor) for actor in (sought.member, sought.actor)]
    conditions += [answers.c.actor.in_(ids) for ids in asked_for if ids]
    if sought.kind is not None:
        conditions.append(answers.c.kind == sought.kind)
    if sought.since is not None:
        conditions.append(answers.c.at_us >= to_us(sought.since))
    statement = (
        select(answers.c.kind, answers.c.actor, answers.c.code, answers.c.at_us)
        .where(*conditions)
        .order_by(answers.c.at_us.desc(), answers.c.key)
        .limit(size + 1)
        .offset((page - 1) * size)
    )
    rows = (await connection.execute(statement)).all()
    found = tuple(RefusedView(row.kind, row.actor, row.code, from_us(row.at_us)) for row in rows[:size])
    return AuditPage((), found, page, has_more=len(rows) > size)


async def _known_as(
    connection: AsyncConnection, community_id: CommunityId, member: MemberId | None
) -> tuple[MemberId, ...]:
    """Under which ids a member acted; empty where nobody is asked for."""
    return () if member is None else await ids_of(connection, community_id, member)


def _matching(community_id: CommunityId, sought: Sought, actors: Sequence[MemberId], first: int) -> Select[int]:
    """The numbers of entries that match all but the member."""
    conditions: list[ColumnElement[bool]] = [entries.c.community_id == community_id]
    if actors:
        conditions.append(entries.c.actor.in_(actors))
    if sought.kind is not None:
        conditions.append(entries.c.kind == sought.kind)
    if sought.since is not None:
        conditions += [entries.c.number >= first, entries.c.at_us >= to_us(sought.since)]
    return select(entries.c.number).where(*conditions).order_by(entries.c.number.desc())


def _touching(community_id: CommunityId, members: Sequence[MemberId], matching: Select[int], most: int) -> Select[int]:
    """Of the entries that match, those that touch the member with these ids. Every way to be touched has its index and
    its limit."""
    ways: list[tuple[Any, Any]] = [
        (postings.c.entry, postings.c.source),
        (postings.c.entry, postings.c.destination),
        (facts.c.entry, facts.c.subject),
    ]
    sides = []
    for (entry, touched), member in product(ways, members):
        side = (
            matching.join(
                entry.table, (entry.table.c.community_id == entries.c.community_id) & (entry == entries.c.number)
            )
            .with_only_columns(entry.label("number"))
            .where(entry.table.c.community_id == community_id, touched == member)
            .order_by(None)
            .order_by(entry.desc())
        )
        sides.append(side.distinct().limit(most).subquery())
    sides += [matching.where(entries.c.actor == member).limit(most).subquery() for member in members]
    together = union(*(select(side.c.number) for side in sides)).subquery()
    return select(together.c.number).order_by(together.c.number.desc())


async def _first_since(connection: AsyncConnection, community_id: CommunityId, since_us: int) -> int:
    """The first entry that is not older, found by halving: numbers are given in the order of time."""
    low, high = 1, await last_number(connection, community_id) + 1
    while low < high:
        middle = (low + high) // 2
        statement = select(entries.c.at_us).where(entries.c.community_id == community_id, entries.c.number == middle)
        at_us = (await connection.execute(statement)).scalar_one_or_none()
        if at_us is not None and at_us < since_us:
            low = middle + 1
        else:
            high = middle
    return low
