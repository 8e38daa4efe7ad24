"""Writes seals over what is committed, about once a second, for the projector to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.projections.seals import GENESIS, Seal, Sealing
from economy.store.bulk import Insert
from economy.store.engine import Store
from economy.store.replay import read_stored
from economy.store.tables import counters, seals

ENTRIES_MAX: Final = 1_000
"""Entries under one seal at most: what a mismatch narrows the search down to."""

COMMUNITIES_MAX: Final = 100
"""Communities sealed in one transaction at most."""

_LATEST = (
    select(seals.c.number, seals.c.first_entry, seals.c.last_entry, seals.c.digest)
    .where(seals.c.community_id == bindparam("community"))
    .order_by(seals.c.number.desc())
    .limit(1)
)
SEALED = (
    select(seals.c.last_entry)
    .where(seals.c.community_id == counters.c.community_id)
    .order_by(seals.c.number.desc())
    .limit(1)
    .correlate(counters)
    .scalar_subquery()
)
"""The last sealed entry of a community, for queries of `counters`; null where none is sealed."""
_UNSEALED = (
    select(counters.c.community_id)
    .where(counters.c.last_entry > func.coalesce(SEALED, 0))
    .order_by(counters.c.community_id)
)
# Whoever comes second with a number had the same entries before them, and seals those that follow next time.
_NEW_SEALS = Insert(
    seals,
    *("community_id", "number", "first_entry", "last_entry", "digest"),
    conflict="ON CONFLICT (community_id, number) DO NOTHING",
)


class Sealer:
    """Seals entries as they are found. Any number of processes may do so on the same store: no seal is written twice.

    A seal that is there is never changed, not even one that does not match: it is the evidence.
    """

    def __init__(self, store: Store, *, entries_max: int = ENTRIES_MAX) -> None:
        self._store = store
        self._entries_max = entries_max

    async def seal_next(self) -> bool:
        """One more seal for every community that has entries without; whether any had as many as fit under it."""
        async with self._store.read() as connection:
            unsealed = (await connection.execute(_UNSEALED)).scalars().all()
        is_behind = False
        for start in range(0, len(unsealed), COMMUNITIES_MAX):
            is_behind |= await self._seal_these(unsealed[start : start + COMMUNITIES_MAX])
        return is_behind

    async def _seal_these(self, communities: Sequence[int]) -> bool:
        async with self._store.read() as connection:
            made = [(community, await self._seal(connection, community)) for community in communities]
        rows = [(c, seal.number, seal.first, seal.last, seal.digest) for c, seal in made if seal.last >= seal.first]
        if rows:
            async with self._store.write() as connection:
                await self._store.bulk.write(connection, _NEW_SEALS, rows)
        return any(seal.last - seal.first + 1 >= self._entries_max for _, seal in made)

    async def _seal(self, connection: AsyncConnection, community: int) -> Seal:
        latest = (await connection.execute(_LATEST, {"community": community})).one_or_none()
        number, _, sealed, digest = latest or (0, 0, 0, GENESIS)
        sealing = Sealing(community, number + 1, sealed + 1, digest)
        while (left := sealed + self._entries_max - sealing.last) > 0:
            stored = await read_stored(connection, community, after=sealing.last, most=left)
            if not stored.heads:
                break
            sealing.take(stored.sealed())
        return sealing.seal()
