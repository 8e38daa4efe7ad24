"""Bringing projections up to date for those who ask, once for all who ask before it begins."""

from __future__ import annotations

import asyncio
from typing import Protocol

from economy.values import CommunityId


class CatchUp(Protocol):
    async def __call__(self, community_id: CommunityId, *, wait_s: float) -> None:
        """Returns when projections have every entry committed before the call, or after `wait_s` seconds."""
        ...


class CatchingUp:
    """One that is under way may not have what was committed since it began, so whoever comes meanwhile waits for the
    next, all of them for the same."""

    def __init__(self, catch_up: CatchUp) -> None:
        self._catch_up = catch_up
        self._under_way: dict[CommunityId, asyncio.Task[None]] = {}
        self._next: dict[CommunityId, asyncio.Task[None]] = {}

    async def catch_up(self, community_id: CommunityId, *, wait_s: float) -> None:
        """As `CatchUp`."""
        task = self._next.get(community_id)
        if task is None:
            before = self._under_way.get(community_id)
            task = asyncio.create_task(self._run(community_id, before, wait_s), name="catching up")
            self._next[community_id] = task
        await asyncio.wait((task,), timeout=wait_s)
        if task.done():
            task.result()

    async def _run(self, community_id: CommunityId, before: asyncio.Task[None] | None, wait_s: float) -> None:
        if before is not None:
            await asyncio.wait((before,))
        self._under_way[community_id] = self._next.pop(community_id)
        try:
            await self._catch_up(community_id, wait_s=wait_s)
        finally:
            # Unless the next has begun already.
            if self._under_way.get(community_id) is asyncio.current_task():
                del self._under_way[community_id]
