"""Adds everything up again, from the first entry, and names what does not agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.ledger import Entry, Undone
from economy.store.audit_compare import Comparison
from economy.store.audit_seals import SealWalk
from economy.store.audit_walk import Beside, Findings, Problem, Walk
from economy.store.engine import Store
from economy.store.projector import PROJECTION
from economy.store.replay import StoredEntries, last_number, read_stored, read_these
from economy.store.scratch import Scratch
from economy.store.tables import (
    accounts,
    answers,
    counters,
    entries,
    facts,
    postings,
    reversals,
    scores,
    watermarks,
)
from economy.values import receipt_id

__all__ = ["AuditReport", "Problem", "audit"]

CHUNK: Final = 1_000
"""Entries in memory at a time."""

_UNREADABLE: Final = (msgspec.MsgspecError, KeyError, TypeError, ValueError)

Progress = Callable[[int, int], None]
"""Told how many entries of how many have been walked."""


class AuditReport(Struct, frozen=True):
    """What an audit came to. `figures`: communities, entries, postings, accounts, seals, and problems in all (of which
    `problems` names the first few of each sort)."""

    ok: bool
    problems: tuple[Problem, ...]
    figures: dict[str, int]


async def audit(store: Store, *, progress: Progress | None = None) -> AuditReport:
    """Walks every entry of every community in one snapshot, in bounded memory, while the store is in use."""
    findings = Findings()
    figures = {"communities": 0, "entries": 0, "postings": 0, "accounts": 0, "seals": 0}
    async with store.read(long=True) as opened:
        connection = await _snapshot(opened)
        known = await _communities(connection)
        total = (await connection.execute(select(func.count()).select_from(entries))).scalar_one()
        for community in known:
            with Scratch() as scratch:
                walking = _Walking(connection, community, scratch, findings)
                async for walked in walking.walk():
                    figures["entries"] += walked
                    if progress is not None:
                        progress(figures["entries"], total)
                comparison = Comparison(connection, community, scratch, findings, walking.moved_late)
                await comparison.compare()
            figures["postings"] += walking.postings
            figures["seals"] += walking.seals
            figures["accounts"] += comparison.accounts
        figures["communities"] = len(known)
    figures["problems"] = sum(findings.counts.values())
    return AuditReport(not findings.problems, tuple(findings.problems), figures)


async def _snapshot(connection: AsyncConnection) -> AsyncConnection:
    """The connection, whose statements all see the state that the first one sees."""
    if connection.dialect.name == "sqlite":
        return connection
    return await connection.execution_options(isolation_level="REPEATABLE READ")


async def _communities(connection: AsyncConnection) -> Sequence[int]:
    """Every community that has anything, also one that lost its counter."""
    found: set[int] = set()
    for table in (counters, entries, accounts, scores):
        found.update((await connection.execute(select(table.c.community_id).distinct())).scalars())
    return sorted(found)


class _Walking:
    """Reads one community's entries in order, with what stands beside them."""

    def __init__(self, connection: AsyncConnection, community: int, scratch: Scratch, findings: Findings) -> None:
        self._connection = connection
        self._community = community
        self._scratch = scratch
        self._findings = findings
        self.moved_late: set[int] = set()
        self.postings = 0
        self.seals = 0

    def _tell(self, what: str, where: str, detail: str) -> None:
        self._findings.tell(what, self._community, where, detail)

    async def walk(self) -> AsyncIterator[int]:
        """Takes every entry in order; yields how many, chunk by chunk."""
        last = await last_number(self._connection, self._community)
        projected = await self._watermark(last)
        walk = Walk(self._community, self._scratch, self._findings, projected)
        seals = SealWalk(self._connection, self._community, self._findings)
        after = 0
        while (stored := await read_stored(self._connection, self._community, after=after, most=CHUNK)).heads:
            after = stored.heads[-1][0]
            found = self._decode(stored)
            walk.take(found, Beside(stored.afters(), stored.undoes(), await self._originals(found)))
            await seals.take(stored.sealed())
            yield len(stored.heads)
        if after != last:
            self._tell("numbering", "counter", f"counts {last} entries, and the last is {after}")
        await seals.finish()
        self.postings = walk.postings
        self.seals = seals.seals
        self.moved_late = walk.moved_late
        await self._find_strays()

    async def _watermark(self, last: int) -> int:
        found = await self._connection.execute(
            select(watermarks.c.entry).where(
                watermarks.c.community_id == self._community, watermarks.c.projection == PROJECTION
            )
        )
        watermark: int = found.scalar_one_or_none() or 0
        if watermark > last:
            self._tell("watermark", PROJECTION, f"stands at {watermark}, and there are {last} entries")
        return watermark

    def _decode(self, stored: StoredEntries) -> list[Entry]:
        """The entries that can be read; the others are told and left out."""
        try:
            return stored.entries()
        except _UNREADABLE:
            return [entry for each in stored.apart() for entry in self._decode_one(each)]

    def _decode_one(self, stored: StoredEntries) -> list[Entry]:
        try:
            return stored.entries()
        except _UNREADABLE as problem:
            where = f"entry {receipt_id(stored.heads[0][0])}"
            self._tell("unreadable", where, f"{type(problem).__name__}: {problem}")
            return []

    async def _originals(self, found: Sequence[Entry]) -> Mapping[int, Entry]:
        """The entries that `found` take back, as far as they can be read: the others have been told of."""
        wanted = [part.number for entry in found if isinstance(entry.receipt, Undone) for part in entry.receipt.parts]
        originals: dict[int, Entry] = {}
        for first in range(0, len(wanted), CHUNK):
            try:
                read = await read_these(self._connection, self._community, wanted[first : first + CHUNK])
            except _UNREADABLE:
                continue
            originals.update((entry.number, entry) for entry in read)
        return originals

    async def _find_strays(self) -> None:
        """Keys answered twice, and parts of entries that are not there."""
        twice = (
            select(entries.c.key)
            .where(entries.c.community_id == self._community)
            .group_by(entries.c.key)
            .having(func.count() > 1)
        )
        answered = (
            select(entries.c.key)
            .join(answers, and_(answers.c.community_id == entries.c.community_id, answers.c.key == entries.c.key))
            .where(entries.c.community_id == self._community)
        )
        for statement in (twice, answered):
            for key in (await self._connection.execute(statement.limit(CHUNK))).scalars():
                self._tell("key", f"key {key}", "has more than one answer")
        for table, column in ((postings, postings.c.entry), (facts, facts.c.entry), (reversals, reversals.c.by_entry)):
            for number in await self._without_entry(table, column):
                self._tell("stray", f"entry {receipt_id(number)}", f"is not there, and {table.name} speak of it")

    async def _without_entry(self, table: Table, column: ColumnElement[int]) -> Iterable[int]:
        statement = (
            select(column)
            .distinct()
            .outerjoin(entries, and_(entries.c.community_id == table.c.community_id, entries.c.number == column))
            .where(table.c.community_id == self._community, entries.c.number.is_(None))
            .order_by(column)
            .limit(CHUNK)
        )
        return (await self._connection.execute(statement)).scalars().all()
