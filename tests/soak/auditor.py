"""Looks at the books from outside, again and again, while others write to them.

It copies what was told before it takes its snapshot: else it reports losses that never were.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.engine import Store, unhurried
from economy.store.errors import StoreError
from economy.store.tables import answers
from tests.soak.diary import Diaries
from tests.soak.findings import Outcome
from tests.soak.plants import act_of

LOOKED_BACK: Final = 2_000
"""How many entries that were seen are looked at once more: a server that came back may have lost them."""

CHUNK: Final = 500


class Auditor:
    """Follows the only community of a store: each entry is read when it is new, and everything that follows from the
    entries is compared each time."""

    def __init__(self, store: Store, diaries: Diaries, outcome: Outcome, every_s: float) -> None:
        self._store = store
        self._diaries = diaries
        self._every_s = every_s
        self.outcome = outcome
        self._findings = outcome.findings
        self._number_of: dict[str, int] = {}
        self._key_of: dict[int, str] = {}
        self._last = 0
        self._told: dict[str, int] = {}
        """What was told, and not yet looked for."""
        self._balances: Counter[tuple[int, str]] = Counter()
        self._audited_at: float | None = None

    async def run(self) -> None:
        """Audits until cancelled. A store that cannot be read is tried again; the time it takes is nobody's gap."""
        while True:
            try:
                # Cut off in the midst of a statement, a connection would be left to the collector.
                await unhurried(self.audit())
            except (StoreError, DBAPIError, OSError):
                self._audited_at = None
            await asyncio.sleep(self._every_s)

    async def audit(self) -> None:
        """One look. Raises what a store raises that cannot be read; nothing of that look counts then."""
        self._told.update(self._diaries.take_new())
        self._findings.doubled.update(self._diaries.contradictions)
        async with self._store.read() as opened:
            connection = await snapshot(opened)
            await self._look_back(connection)
            await self._follow(connection)
            await self._compare(connection)
            await self._must_be_there(connection, self._told)
        self._told.clear()
        self.outcome.entries = self._last
        self.outcome.orders = len(self._diaries.told)
        self._count()

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._audited_at is not None:
            self.outcome.gap_s = max(self.outcome.gap_s, now - self._audited_at)
        self._audited_at = now
        self.outcome.audits += 1

    async def audit_all(self) -> None:
        """As if nothing had been seen before."""
        self._number_of.clear()
        self._key_of.clear()
        self._balances.clear()
        self._last = 0
        await self.audit()
        async with self._store.read() as opened:
            connection = await snapshot(opened)
            await self._must_be_there(connection, self._diaries.told)
            await self._must_not_be_there(connection, self._diaries.unwritten())

    async def _look_back(self, connection: AsyncConnection) -> None:
        """What was there is still there, under the same number."""
        from_ = max(0, self._last - LOOKED_BACK)
        seen = {number: self._key_of[number] for number in range(from_ + 1, self._last + 1)}
        found = dict(
            await _rows(
                connection, f"SELECT number, key FROM entries WHERE number > {from_} AND number <= {self._last}"
            )
        )
        for number, key in seen.items():
            if found.get(number) != key:
                self._findings.lost[act_of(key)] = f"entry {number} was there, and now holds {found.get(number)}"

    async def _follow(self, connection: AsyncConnection) -> None:
        # All is read before any of it is taken: a server that dies in between must not leave half a look.
        new = await _rows(connection, f"SELECT number, key FROM entries WHERE number > {self._last} ORDER BY number")
        moved = await _rows(
            connection,
            "SELECT entry, source, destination, asset, amount, source_after, destination_after FROM postings"
            f" WHERE entry > {self._last} ORDER BY entry, ordinal",
        )
        [(counted,)] = await _rows(connection, "SELECT coalesce(sum(last_entry), 0) FROM counters")
        for number, key in new:
            if number != self._last + 1:
                self._findings.broken["numbering"] = f"entry {number} follows {self._last}"
            self._last = number
            self._key_of[number] = key
            act = act_of(key)
            if act in self._number_of:
                self._findings.doubled[act] = f"is entry {self._number_of[act]} and entry {number}"
            else:
                self._number_of[act] = number
        self._add_up(moved)
        if counted != self._last:
            self._findings.broken["counter"] = f"counts {counted} entries, and the last is {self._last}"

    def _add_up(self, moved: Iterable[Any]) -> None:
        for entry, source, destination, asset, amount, *balances in moved:
            self._balances[source, asset] -= amount
            self._balances[destination, asset] += amount
            for owner, told in zip((source, destination), balances, strict=True):
                if owner > 0 and told != self._balances[owner, asset]:
                    where = f"account {owner} {asset}"
                    text = f"holds {told} after entry {entry}, and its postings come to {self._balances[owner, asset]}"
                    self._findings.broken.setdefault(where, text)

    async def _compare(self, connection: AsyncConnection) -> None:
        """Per asset everything sums to 0, and each balance is what its postings come to."""
        found = {
            (owner, asset): balance
            for owner, asset, balance in await _rows(connection, "SELECT owner, asset, balance FROM accounts")
        }
        per_asset: Counter[str] = Counter()
        for (_, asset), balance in found.items():
            per_asset[asset] += int(balance)
        for asset, left in per_asset.items():
            if left:
                self._findings.broken[f"conservation of {asset}"] = f"all balances sum to {left}"
        for account in found.keys() | self._balances.keys():
            if found.get(account, 0) != self._balances[account]:
                owner, asset = account
                text = f"holds {found.get(account, 0)}, and its postings come to {self._balances[account]}"
                self._findings.broken.setdefault(f"account {owner} {asset}", text)

    async def _must_be_there(self, connection: AsyncConnection, told: dict[str, int]) -> None:
        """What somebody was told as done is in the snapshot, which is younger."""
        without_entry = []
        for key, number in told.items():
            if not number:
                without_entry.append(key)
            elif self._number_of.get(key) is None:
                self._findings.lost[key] = f"was told as entry {number}, and is not there"
            elif self._number_of[key] != number:
                self._findings.doubled[key] = f"was told as entry {number}, and is entry {self._number_of[key]}"
        kept = await _answered(connection, without_entry)
        for key in without_entry:
            if key not in kept:
                self._findings.lost[key] = "was answered, and the answer is not there"
            elif key in self._number_of:
                self._findings.doubled[key] = f"has an answer, and is entry {self._number_of[key]} too"

    async def _must_not_be_there(self, connection: AsyncConnection, unwritten: Sequence[str]) -> None:
        for key in {*(await _answered(connection, unwritten)), *(self._number_of.keys() & set(unwritten))}:
            self._findings.doubled[key] = "was told as not written, and is there"


async def snapshot(opened: AsyncConnection) -> AsyncConnection:
    """The connection, whose statements all see the state that the first one sees."""
    if opened.dialect.name == "sqlite":
        return opened
    return await opened.execution_options(isolation_level="REPEATABLE READ")


async def _rows(connection: AsyncConnection, query: str) -> Iterable[Any]:
    return (await connection.exec_driver_sql(query)).all()


async def _answered(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of these keys have an answer that made no entry."""
    found: set[str] = set()
    for first in range(0, len(keys), CHUNK):
        part = keys[first : first + CHUNK]
        found.update((await connection.execute(select(answers.c.key).where(answers.c.key.in_(part)))).scalars())
    return found
