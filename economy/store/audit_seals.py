"""The audit's walk over a community's seals, beside its entries."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.projections.seals import GENESIS, Seal, SealedEntry, Sealing
from economy.store.audit_walk import Findings
from economy.store.tables import seals
from economy.values import receipt_id

SEALS_MAX: Final = 1_000
"""Seals in memory at a time."""

_FOLLOWING = (
    select(seals.c.number, seals.c.first_entry, seals.c.last_entry, seals.c.digest)
    .where(seals.c.community_id == bindparam("community"), seals.c.number > bindparam("after"))
    .order_by(seals.c.number)
    .limit(bindparam("most"))
)


class SealWalk:
    """Takes the entries of one community in order, and holds each range against its seal.

    A seal that does not match is told, and the next is held against what is stored of it: so a change of entries
    breaks the one seal over them, and a changed seal breaks itself and the one after.
    """

    def __init__(self, connection: AsyncConnection, community: int, findings: Findings) -> None:
        self._connection = connection
        self._community = community
        self._findings = findings
        self._read: deque[Seal] = deque()
        self._before = Seal(0, 0, 0, GENESIS)
        self._sealing: Sealing | None = None
        self.seals = 0

    async def take(self, entries: Sequence[SealedEntry]) -> None:
        taken = 0
        while taken < len(entries) and (seal := await self._current()) is not None:
            start = taken
            while taken < len(entries) and entries[taken].number <= seal.last:
                taken += 1
            self._begun(seal).take(entries[start:taken])
            if taken < len(entries):
                self._close(seal)

    async def finish(self) -> None:
        """After the last entry: closes what is open. Entries that are not sealed yet are no problem."""
        while (seal := await self._current()) is not None:
            self._begun(seal)
            self._close(seal)

    async def _current(self) -> Seal | None:
        if not self._read:
            asked = {"community": self._community, "after": self._before.number, "most": SEALS_MAX}
            self._read.extend(Seal(*row) for row in await self._connection.execute(_FOLLOWING, asked))
        return self._read[0] if self._read else None

    def _begun(self, seal: Seal) -> Sealing:
        if self._sealing is None:
            # By what should follow, not by what the seal says of itself.
            before = self._before
            self._sealing = Sealing(self._community, before.number + 1, before.last + 1, before.digest)
            if (seal.number, seal.first) != (before.number + 1, before.last + 1):
                self._tell(seal, f"follows seal {before.number}, which ends with entry {before.last}")
        return self._sealing

    def _close(self, seal: Seal) -> None:
        made = self._begun(seal).seal()
        if made.last < seal.last:
            self._tell(seal, f"is of entries up to {seal.last}, and the last of them is {made.last}")
        elif made.digest != seal.digest:
            self._tell(seal, "does not match: these entries, or this seal or the one before, were changed")
        self.seals += 1
        self._before = seal
        self._sealing = None
        self._read.popleft()

    def _tell(self, seal: Seal, detail: str) -> None:
        ends = f"{receipt_id(seal.first)} to {receipt_id(seal.last)}"
        self._findings.tell("seal", self._community, f"seal {seal.number}, entries {ends}", detail)
