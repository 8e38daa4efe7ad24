"""Adds everything up again, from the first entry, and names what does not agree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Select, Table, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import HIDDEN, PRESENT
from economy.ledger import Entry, Undone
from economy.projections.boards import bucket, is_listed
from economy.store.audit_walk import Beside, Findings, Problem, Walk, account_key
from economy.store.engine import Store
from economy.store.projector import PROJECTION
from economy.store.replay import last_number, read_entries, read_these
from economy.store.scratch import Scratch
from economy.store.tables import (
    accounts,
    answers,
    counters,
    day_totals,
    entries,
    facts,
    flags,
    histogram,
    postings,
    reversals,
    scores,
    totals,
    watermarks,
)
from economy.values import ISSUERS, Asset, Own, receipt_id

__all__ = ["AuditReport", "Problem", "audit"]

CHUNK: Final = 1_000
"""Entries, or rows of another table, in memory at a time."""

_UNREADABLE: Final = (msgspec.MsgspecError, KeyError, TypeError, ValueError)

Progress = Callable[[int, int], None]
"""Told how many entries of how many have been walked."""


class AuditReport(Struct, frozen=True):
    """What an audit came to. `figures`: communities, entries, postings, accounts, and problems in all (of which
    `problems` names the first few of each sort)."""

    ok: bool
    problems: tuple[Problem, ...]
    figures: dict[str, int]


async def audit(store: Store, *, progress: Progress | None = None) -> AuditReport:
    """Walks every entry of every community in one snapshot, in bounded memory, while the store is in use."""
    findings = Findings()
    figures = {"communities": 0, "entries": 0, "postings": 0, "accounts": 0}
    async with store.read() as opened:
        connection = await _snapshot(opened)
        known = await _communities(connection)
        total = (await connection.execute(select(func.count()).select_from(entries))).scalar_one()
        for community in known:
            with Scratch() as scratch:
                one = _Audit(connection, community, scratch, findings)
                async for walked in one.walk():
                    figures["entries"] += walked
                    if progress is not None:
                        progress(figures["entries"], total)
                await one.compare()
            figures["postings"] += one.postings
            figures["accounts"] += one.accounts
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


class _Audit:
    """The audit of one community."""

    def __init__(self, connection: AsyncConnection, community: int, scratch: Scratch, findings: Findings) -> None:
        self._connection = connection
        self._community = community
        self._scratch = scratch
        self._findings = findings
        self._moved_late: set[int] = set()
        self.postings = 0
        self.accounts = 0

    def _tell(self, what: str, where: str, detail: str) -> None:
        self._findings.tell(what, self._community, where, detail)

    def _rows(self, table: Table) -> Select[Any]:
        return select(table).where(table.c.community_id == self._community)

    async def _chunks(self, statement: Select[Any]) -> AsyncIterator[Sequence[Any]]:
        streamed = await self._connection.stream(statement.execution_options(yield_per=CHUNK))
        async for rows in streamed.partitions(CHUNK):
            yield rows

    # --- the walk ---

    async def walk(self) -> AsyncIterator[int]:
        """Takes every entry in order; yields how many, chunk by chunk."""
        last = await last_number(self._connection, self._community)
        projected = await self._watermark(last)
        walk = Walk(self._community, self._scratch, self._findings, projected)
        after = 0
        while True:
            found, reached = await self._read(after)
            if reached == after:
                break
            after = reached
            walk.take(found, await self._beside(found))
            yield len(found)
        if after != last:
            self._tell("numbering", "counter", f"counts {last} entries, and the last is {after}")
        self.postings = walk.postings
        self._moved_late = walk.moved_late
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

    async def _read(self, after: int) -> tuple[list[Entry], int]:
        """The next entries, and the number to go on from. What cannot be read is told and left out."""
        try:
            found = await read_entries(self._connection, self._community, after=after, most=CHUNK)
        except _UNREADABLE:
            return await self._read_one(after)
        return found, found[-1].number if found else after

    async def _read_one(self, after: int) -> tuple[list[Entry], int]:
        following = select(func.min(entries.c.number)).where(
            entries.c.community_id == self._community, entries.c.number > after
        )
        number = (await self._connection.execute(following)).scalar_one()
        try:
            return await read_these(self._connection, self._community, [number]), number
        except _UNREADABLE as problem:
            self._tell("unreadable", f"entry {receipt_id(number)}", f"{type(problem).__name__}: {problem}")
            return [], number

    async def _beside(self, found: Sequence[Entry]) -> Beside:
        if not found:
            return Beside({}, {}, {})
        first, last = found[0].number, found[-1].number
        afters: dict[int, list[tuple[int | None, int | None]]] = {}
        statement = (
            select(postings.c.entry, postings.c.source_after, postings.c.destination_after)
            .where(postings.c.community_id == self._community, postings.c.entry.between(first, last))
            .order_by(postings.c.entry, postings.c.ordinal)
        )
        for entry, source_after, destination_after in await self._connection.execute(statement):
            afters.setdefault(entry, []).append((source_after, destination_after))
        reversed_by: dict[int, list[int]] = {}
        undone = select(reversals.c.by_entry, reversals.c.original).where(
            reversals.c.community_id == self._community, reversals.c.by_entry.between(first, last)
        )
        for by_entry, original in await self._connection.execute(undone):
            reversed_by.setdefault(by_entry, []).append(original)
        return Beside(afters, reversed_by, await self._originals(found))

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

    # --- comparing with what is stored ---

    async def compare(self) -> None:
        """Takes what is stored from what the walk came to: nothing may be left."""
        await self._compare_accounts()
        await self._compare_flags()
        await self._compare_sums("total", totals, lambda row: f"{row.member_id} {row.day} {row.name}", "amount")
        await self._compare_sums("day entries", day_totals, lambda row: f"{row.day} {row.name}", "entries")
        await self._compare_sums("day amount", day_totals, lambda row: f"{row.day} {row.name}", "amount")
        await self._compare_scores()

    def _tell_left(self, name: str) -> None:
        for key, difference in self._scratch.left(name):
            more = f"{difference} more" if difference > 0 else f"{-difference} fewer"
            self._tell(name, key, f"the entries come to {more} than is stored")

    async def _compare_sums(self, name: str, table: Table, key: Callable[[Any], str], column: str) -> None:
        async for rows in self._chunks(self._rows(table)):
            self._scratch.add(name, {key(row): -getattr(row, column) for row in rows})
        self._tell_left(name)

    async def _compare_accounts(self) -> None:
        async for rows in self._chunks(self._rows(accounts)):
            self.accounts += len(rows)
            self._scratch.add("balance", {account_key(row.owner, row.asset): -row.balance for row in rows})
            for row in rows:
                if row.balance < 0 and row.owner not in ISSUERS:
                    self._tell("floor", f"account {account_key(row.owner, row.asset)}", f"stands at {row.balance}")
        self._tell_left("balance")
        sums = (
            select(accounts.c.asset, cast(func.sum(accounts.c.balance), BigInteger).label("balance"))
            .where(accounts.c.community_id == self._community)
            .group_by(accounts.c.asset)
        )
        for asset, balance in await self._connection.execute(sums):
            if balance:
                self._tell("sum", asset, f"all balances come to {balance}, not to 0")
        await self._compare_held()

    async def _compare_held(self) -> None:
        mine = accounts.c.community_id == self._community
        held = select(func.coalesce(func.sum(accounts.c.balance), 0)).where(
            mine, accounts.c.owner == Own.HELD, accounts.c.asset == Asset.COIN
        )
        owed = select(func.coalesce(func.sum(accounts.c.balance), 0)).where(
            mine, accounts.c.owner > 0, accounts.c.asset == Asset.DIAMOND
        )
        there = int((await self._connection.execute(held)).scalar_one())
        wanted = int((await self._connection.execute(owed)).scalar_one())
        if there != wanted:
            self._tell("held", f"account {account_key(Own.HELD, Asset.COIN)}", f"holds {there} for {wanted} diamonds")

    async def _compare_flags(self) -> None:
        stored = 0
        async for rows in self._chunks(self._rows(flags)):
            told = self._scratch.get("flag", [f"{row.subject} {row.name}" for row in rows])
            for row in rows:
                key = f"{row.subject} {row.name}"
                stored += key in told
                if told.get(key) != row.value:
                    self._tell("flag", key, f"is {row.value}, and its latest fact says {told.get(key)}")
        if stored != (wanted := self._scratch.count("flag")):
            self._tell("flag", "flags", f"{wanted} have facts, and {stored} of them are stored")

    async def _compare_scores(self) -> None:
        async for rows in self._chunks(self._rows(scores)):
            named = {f"{row.board} {row.period} {row.start_us} {row.member_id}": row for row in rows}
            self._scratch.add("score", {name: -row.score for name, row in named.items()})
            reached = self._scratch.get("reached", named)
            for name, row in named.items():
                if reached.get(name) != row.reached:
                    self._tell("score", name, f"was reached by entry {reached.get(name)}, not by {row.reached}")
            self._must_list_right(rows)
            counted: dict[str, int] = {}
            for row in rows:
                if row.listed and row.score > 0:
                    key = f"{row.board} {row.period} {row.start_us} {bucket(row.score)}"
                    counted[key] = counted.get(key, 0) + 1
            self._scratch.add("histogram", counted)
        self._tell_left("score")
        await self._compare_sums(
            "histogram", histogram, lambda row: f"{row.board} {row.period} {row.start_us} {row.bucket}", "members"
        )

    def _must_list_right(self, rows: Sequence[Any]) -> None:
        """Who is listed follows their flags, unless the entries that set them are still to be projected."""
        members = {row.member_id for row in rows} - self._moved_late
        told = self._scratch.get("flag", [f"{member} {name}" for member in members for name in (PRESENT, HIDDEN)])
        for row in rows:
            if row.member_id in members:
                present, hidden = (told.get(f"{row.member_id} {name}") == "true" for name in (PRESENT, HIDDEN))
                if bool(row.listed) is not is_listed(present=present, hidden=hidden):
                    where = f"{row.board} {row.period} {row.start_us} {row.member_id}"
                    self._tell("listed", where, f"is {'on' if row.listed else 'off'} the board, against their flags")
