"""Telegram's limits, kept before Telegram has to say so: 30 messages a second, 1 a second in a chat, 20 a minute in a
group. Answers to people go before announcements; whoever is told to wait waits.

Each process keeps to the limits by itself. Where several share them, Telegram's own word (`retry_after`) holds.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from enum import IntEnum
from itertools import count
from typing import Any, Final

from msgspec import Struct
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from adapters.telegram.logs import log

RETRIES_MAX: Final = 3
CHATS_MAX: Final = 10_000
WAITING_MAX: Final = 200
"""How many messages may wait for a turn in one chat before hints are left out."""

_SENDING: Final = ("send", "edit", "copy", "forward")
"""How the methods that the limits are about begin."""


class Urgency(IntEnum):
    """Lower goes first."""

    ANSWER = 1
    ANNOUNCEMENT = 2


class Limits(Struct, frozen=True, kw_only=True):
    """How many messages may go: in a second to all chats, in a second to one, in a minute to one group. Of those a few
    may go at once."""

    overall_per_s: int = 30
    chat_per_s: int = 1
    chat_at_once: int = 3
    group_per_minute: int = 20


class Bucket:
    """So many at once, and one more every `every_s` seconds."""

    __slots__ = ("_at_once", "_every_s", "_full_at")

    def __init__(self, at_once: int, every_s: float) -> None:
        self._at_once = at_once
        self._every_s = every_s
        self._full_at = 0.0

    def wait_s(self, now: float) -> float:
        """How long until one more is allowed."""
        return max(0.0, self._full_at - now - (self._at_once - 1) * self._every_s)

    def take(self, now: float) -> None:
        self._full_at = max(self._full_at, now) + self._every_s

    def hold(self, until: float) -> None:
        """Nothing more before `until`."""
        self._full_at = max(self._full_at, until + (self._at_once - 1) * self._every_s)

    def is_full(self, now: float) -> bool:
        return self._full_at <= now


class ChatPace:
    """The buckets of one chat."""

    __slots__ = ("buckets",)

    def __init__(self, limits: Limits, *, is_group: bool) -> None:
        self.buckets = [Bucket(limits.chat_at_once, 1 / limits.chat_per_s)]
        if is_group:
            self.buckets.append(Bucket(limits.group_per_minute, 60 / limits.group_per_minute))

    def wait_s(self, now: float) -> float:
        return max(bucket.wait_s(now) for bucket in self.buckets)


Request = Callable[..., Coroutine[Any, Any, Any]]


class Pacer(BaseRateLimiter[int]):
    """Lets requests go when their turn comes. `rate_limit_args` is an `Urgency`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._overall = Bucket(limits.overall_per_s, 1 / limits.overall_per_s)
        self._chats: dict[int, ChatPace] = {}
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._moving: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def initialize(self) -> None:
        """Nothing is needed before the first request."""

    async def shutdown(self) -> None:
        """Whoever still waits for a turn gets none."""
        if self._moving is not None:
            self._moving.cancel()
            self._moving = None
        for *_, turn in self._waiting:
            turn.cancel()
        self._waiting.clear()

    def wait_s(self, chat_id: int) -> float:
        """How long a message to a chat would wait for its turn now."""
        now = _now()
        ahead = any(chat == chat_id for _, _, chat, _ in self._waiting)
        return max(self._overall.wait_s(now), self._pace(chat_id).wait_s(now), 1.0 if ahead else 0.0)

    def is_crowded(self, chat_id: int) -> bool:
        """Whether `WAITING_MAX` messages wait for a turn in a chat."""
        return sum(chat == chat_id for _, _, chat, _ in self._waiting) >= WAITING_MAX

    async def process_request(
        self,
        callback: Request,
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Makes the request in its turn, and again where Telegram says to wait: then nothing was done."""
        chat_id = data.get("chat_id")
        paced = chat_id if endpoint.startswith(_SENDING) and isinstance(chat_id, int) else None
        for attempt in range(RETRIES_MAX + 1):
            if paced is not None:
                await self._turn(paced, rate_limit_args or Urgency.ANSWER)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as told:
                after_s = _seconds(told)
                log.warning("told to wait", method=endpoint, seconds=after_s)
                if attempt == RETRIES_MAX:
                    raise
                if paced is not None:
                    self._hold(paced, after_s)
                else:
                    await asyncio.sleep(after_s)
        raise AssertionError("the last attempt returns or raises")

    def _hold(self, chat_id: int, seconds: float) -> None:
        until = _now() + seconds
        for bucket in self._pace(chat_id).buckets:
            bucket.hold(until)

    # --- turns ------------------------------------------------------------------------------------------------------

    async def _turn(self, chat_id: int, urgency: int) -> None:
        now = _now()
        pace = self._pace(chat_id)
        if not self._waiting and not self._overall.wait_s(now) and not pace.wait_s(now):
            self._take(pace, now)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), chat_id, turn))
        self._arrived.set()
        if self._moving is None or self._moving.done():
            self._moving = asyncio.create_task(self._move(), name="pacer")
        await turn

    async def _move(self) -> None:
        """Gives turns, as long as anybody waits: to the most urgent whose chat may have one."""
        while self._waiting:
            self._arrived.clear()
            wait_s = self._give()
            if wait_s > 0:
                try:
                    await asyncio.wait_for(self._arrived.wait(), wait_s)
                except TimeoutError:
                    continue

    def _give(self) -> float:
        """Gives every turn that can be given now. How long until the next one can be."""
        now = _now()
        later: list[tuple[int, int, int, asyncio.Future[None]]] = []
        soonest = 0.0
        while self._waiting:
            overall_s = self._overall.wait_s(now)
            if overall_s > 0:
                soonest = min(soonest or overall_s, overall_s)
                break
            waiting = heapq.heappop(self._waiting)
            _, _, chat_id, turn = waiting
            if turn.done():
                continue
            pace = self._pace(chat_id)
            wait_s = pace.wait_s(now)
            if wait_s > 0:
                later.append(waiting)
                soonest = min(soonest or wait_s, wait_s)
                continue
            self._take(pace, now)
            turn.set_result(None)
        for waiting in later:
            heapq.heappush(self._waiting, waiting)
        return soonest

    def _take(self, pace: ChatPace, now: float) -> None:
        self._overall.take(now)
        for bucket in pace.buckets:
            bucket.take(now)

    def _pace(self, chat_id: int) -> ChatPace:
        pace = self._chats.get(chat_id)
        if pace is None:
            if len(self._chats) >= CHATS_MAX:
                now = _now()
                self._chats = {
                    chat: kept for chat, kept in self._chats.items() if not all(b.is_full(now) for b in kept.buckets)
                }
            pace = self._chats[chat_id] = ChatPace(self._limits, is_group=chat_id < 0)
        return pace


def _now() -> float:
    return asyncio.get_running_loop().time()


def _seconds(told: RetryAfter) -> float:
    after = told.retry_after
    return float(after if isinstance(after, int) else after.total_seconds()) + 0.1
