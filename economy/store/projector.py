"""Brings boards, day totals and seals up to date with the entries, from a watermark onwards, whatever dies when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.projections.boards import StretchSums, Succession, listed_changes, stretch_sums, successions
from economy.projections.days import DayKey, DaySum, day_sums
from economy.store.bulk_rows import RowsStatement
from economy.store.engine import Store, unhurried
from economy.store.errors import StoreError
from economy.store.replay import last_number, read_entries
from economy.store.scores import add_days, add_scores, listed_now
from economy.store.sealer import Sealer
from economy.store.tables import PROJECTED, counters, watermarks
from economy.values import CommunityId, EntryNumber, MemberId

PROJECTION: Final = "boards"
"""What the watermark of boards and day totals is called: one transaction updates them all."""

ENTRIES_MAX: Final = 250
"""Entries added up in one transaction, so that the journal never waits long behind it, nor callers for the loop."""

GATHER_S: Final = 0.1
"""How long to gather entries after the first: a lone caller should not pay a transaction of ours for each."""

POLL_S: Final = 0.5
"""How often to look for entries of other processes."""

SEAL_S: Final = 1.0
"""How often to seal what was committed: evidence can wait longer than a board."""

log = logging.getLogger(__name__)

_OURS = (watermarks.c.community_id == bindparam("community"), watermarks.c.projection == PROJECTION)
_WATERMARK = select(watermarks.c.entry).where(*_OURS)
_LOCK_WATERMARK = _WATERMARK.with_for_update()
_LOCK_FREE_WATERMARK = _WATERMARK.with_for_update(skip_locked=True)
_MOVE_WATERMARK = update(watermarks).where(*_OURS).values(entry=bindparam("reached"))
_FIRST_WATERMARK = RowsStatement(
    "INSERT INTO watermarks (community_id, projection, entry) SELECT {community}, w.name, 0 FROM {rows} WHERE true"
    " ON CONFLICT (community_id, projection) DO NOTHING RETURNING entry",
    name="text",
)
_BEHIND = (
    select(counters.c.community_id)
    .outerjoin(
        watermarks,
        (watermarks.c.community_id == counters.c.community_id) & (watermarks.c.projection == PROJECTION),
    )
    .where(counters.c.last_entry > func.coalesce(watermarks.c.entry, 0))
    .order_by(counters.c.community_id)
)


class _Step(Struct, frozen=True):
    """How far one transaction went: the watermark after it, and whether more was there than it takes."""

    reached: int
    has_more: bool = False


class _Sums(Struct, frozen=True):
    """What the entries up to `reached` add to what was there."""

    reached: int
    scores: StretchSums
    days: dict[DayKey, DaySum]
    listed: dict[int, bool]
    moved: set[int]
    has_more: bool
    gone: dict[MemberId, Succession]


class StoreProjector:
    """Adds up committed entries. Any number of processes may run one on the same store: none counts twice."""

    def __init__(self, store: Store, *, entries_max: int = ENTRIES_MAX) -> None:
        self._store = store
        self._entries_max = entries_max
        self._turn = asyncio.Lock()
        self._committed = asyncio.Event()
        self._catching_up: set[asyncio.Task[None]] = set()
        self._sealer = Sealer(store)
        self._seals_due_s = 0.0

    def wake(self, _reached: Mapping[CommunityId, EntryNumber]) -> None:
        """Entries were committed: for the journal to call after each commit."""
        self._committed.set()

    async def run(self) -> None:
        """Keeps projections current until cancelled. A store that fails is told in the log, once, and tried again."""
        waits_for = None
        while True:
            try:
                # Cut off in the midst of a statement, a connection would keep its lock until it is collected.
                has_more = await unhurried(self._advance_all())
                await unhurried(self._seal_when_due())
                waits_for = None
            except Exception as problem:  # noqa: BLE001  # boards that wait are better than boards that never move again
                if type(problem) is not waits_for:
                    log.warning("projections wait: %s", type(problem).__name__)
                waits_for = type(problem)
                has_more = False
            if not has_more:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._committed.wait(), POLL_S)
                await asyncio.sleep(GATHER_S)
            self._committed.clear()

    async def drain(self) -> None:
        """Returns when projections have every entry committed before the call."""
        for community_id in await self._behind():
            await self._advance_to_end(community_id)
        while await self._sealer.seal_next():
            pass

    async def close(self) -> None:
        """Waits for what `catch_up` left under way."""
        if self._catching_up:
            await asyncio.wait(self._catching_up)

    async def catch_up(self, community_id: CommunityId, *, wait_s: float) -> None:
        """Returns when projections have every entry committed before the call, or after `wait_s` seconds."""
        task = asyncio.create_task(self._catch_up(community_id))
        self._catching_up.add(task)
        task.add_done_callback(self._catching_up.discard)
        await asyncio.wait((task,), timeout=wait_s)
        if task.done():
            task.result()

    async def rebuild(self, community_id: CommunityId | None = None) -> None:
        """Forgets what projections came to, of one community or of all, and adds it up from the first entry.

        Seals stay as they are: one that does not match is evidence, and told by the audit.
        """
        async with self._store.read() as connection:
            known = (await connection.execute(select(counters.c.community_id))).scalars().all()
        for each in known if community_id is None else [community_id]:
            async with self._store.write(long=True) as connection:
                # Other processes' projectors wait for the watermark, which is there all along.
                await _FIRST_WATERMARK.run(connection, each, [(PROJECTION,)])
                await connection.execute(_LOCK_WATERMARK, {"community": each})
                for table in PROJECTED:
                    if table is not watermarks:
                        await connection.execute(delete(table).where(table.c.community_id == each))
                await connection.execute(_MOVE_WATERMARK, {"community": each, "reached": 0})
            await self._advance_to_end(each)

    async def _seal_when_due(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._seals_due_s:
            is_behind = await self._sealer.seal_next()
            self._seals_due_s = now_s if is_behind else now_s + SEAL_S

    # --- advancing ---

    async def _catch_up(self, community_id: int) -> None:
        try:
            await self._advance_to_end(community_id)
        except StoreError as problem:
            # The question is answered from what there is; `run` tries again.
            log.warning("projections wait: %s", type(problem).__name__)

    async def _advance_to_end(self, community_id: int) -> None:
        async with self._store.read() as connection:
            wanted = await last_number(connection, community_id)
            reached = await _watermark(connection, community_id)
        before = -1
        while before < reached < wanted:
            before, reached = reached, (await self._advance(community_id)).reached

    async def _behind(self) -> Sequence[int]:
        async with self._store.read() as connection:
            return (await connection.execute(_BEHIND)).scalars().all()

    async def _advance_all(self) -> bool:
        """One step for every community that is behind, but for those that another process is at; whether any has
        more than a step takes."""
        steps = [await self._advance(community_id, waits=False) for community_id in await self._behind()]
        return any(step.has_more for step in steps)

    async def _advance(self, community_id: int, *, waits: bool = True) -> _Step:
        """Adds up the next entries of a community. In turn, so that none are added up twice."""
        async with self._turn:
            if self._store.bulk.locks_rows:
                return await self._advance_alone(community_id, waits=waits)
            async with self._store.read() as connection:
                after = await _watermark(connection, community_id)
                sums = await self._add_up(connection, community_id, after)
            if sums is None:
                return _Step(after)
            async with self._store.write() as connection:
                # Read and added up before the write lock was taken, as the journal goes on meanwhile.
                there = await self._lock(connection, community_id)
                if there == after:
                    await _write(connection, community_id, sums)
            return _Step(sums.reached, sums.has_more) if there == after else _Step(there or 0, has_more=True)

    async def _advance_alone(self, community_id: int, *, waits: bool) -> _Step:
        """Where locks are on rows, nobody but another projector waits for the watermark's: of two processes that
        add up the same entries, the work of one would be for nothing."""
        async with self._store.write() as connection:
            after = await self._lock(connection, community_id, waits=waits)
            sums = None if after is None else await self._add_up(connection, community_id, after)
            if sums is None:
                return _Step(after or 0)
            await _write(connection, community_id, sums)
        return _Step(sums.reached, sums.has_more)

    async def _lock(self, connection: AsyncConnection, community_id: int, *, waits: bool = True) -> int | None:
        """The watermark, locked, and made where there is none; None where another process has it and is not waited
        for."""
        asked = _LOCK_WATERMARK if waits else _LOCK_FREE_WATERMARK
        found: int | None = (await connection.execute(asked, {"community": community_id})).scalar_one_or_none()
        if found is not None:
            return found
        if await _FIRST_WATERMARK.run(connection, community_id, [(PROJECTION,)]):
            # Nobody else's, then, but none at all.
            return 0
        # Made by another process while we were about to: whoever waits takes it up where that one left it.
        return await self._lock(connection, community_id) if waits else None

    async def _add_up(self, connection: AsyncConnection, community_id: int, after: int) -> _Sums | None:
        entries = await read_entries(connection, community_id, after=after, most=self._entries_max)
        if not entries:
            return None
        scores = stretch_sums(entries)
        moved = {int(member) for entry in entries for member in listed_changes(entry)}
        # Flags are read after the entries, so they are at least as new; where they are newer, the entry that set
        # them is still to come, and lists the member's other scores then.
        gone = successions(entries)
        shown = moved | {member for _, member in scores} | {each.member for each in gone.values()}
        listed = await listed_now(connection, community_id, shown)
        has_more = len(entries) == self._entries_max
        return _Sums(entries[-1].number, scores, day_sums(entries), listed, moved, has_more, gone)


async def _watermark(connection: AsyncConnection, community_id: int) -> int:
    return (await connection.execute(_WATERMARK, {"community": community_id})).scalar_one_or_none() or 0


async def _write(connection: AsyncConnection, community_id: int, sums: _Sums) -> None:
    """Writes the sums and moves the watermark, which is locked."""
    await add_scores(connection, community_id, sums.scores, sums.listed, sums.moved, sums.gone)
    await add_days(connection, community_id, sums.days)
    await connection.execute(_MOVE_WATERMARK, {"community": community_id, "reached": sums.reached})
