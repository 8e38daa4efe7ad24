"""CPU time of a loop's thread, by what it is spent on: every step of every task belongs to a part."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import defaultdict
from collections.abc import Coroutine, Generator
from typing import Any, Final

from msgspec import Struct

from adapters.contract import Conversation, Invocation, Pressed, Reply
from tests.bench.machine import memory_mb, own_cpu_s

DOOR: Final = "door"
CONVERSATION: Final = "conversation"

LOOK_EVERY_S: Final = 0.002

PART_OF: Final = {
    "StoreJournal._run": "journal",
    "StoreProjector.run": "boards and seals",
    "StoreMemory._write_all": "memory of the door",
    "Gathered._answer_all": "questions",
    "Relay.run": "relay",
}
"""By the name of what a task runs. Whatever such a task starts belongs to it as well."""


class Spent(Struct, frozen=True):
    """What a process used so far. `parts_s` are of the loop's thread; `cpu_s` are of all, those that SQLite works in
    among them."""

    cpu_s: float
    parts_s: dict[str, float]
    memory_mb: float


class Parts:
    """Counts for one loop, from when it is installed in it.

    Every few milliseconds of the process's time it is looked what the loop is at, and all of the loop's time since the
    look before counts for that: to ask for the time at every step would take longer than most steps.
    """

    def __init__(self) -> None:
        self.part = DOOR
        self._since_s = 0.0
        self._spent: defaultdict[str, float] = defaultdict(float)

    def install(self) -> None:
        """To be called in the main thread, which alone is told of signals."""
        asyncio.get_running_loop().set_task_factory(self._task)
        self._since_s = time.thread_time()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, LOOK_EVERY_S, LOOK_EVERY_S)

    def _look(self, *_: object) -> None:
        now_s = time.thread_time()
        self._spent[self.part] += now_s - self._since_s
        self._since_s = now_s

    def spent(self, pid: int) -> Spent:
        self._look()
        return Spent(own_cpu_s(), dict(self._spent), memory_mb(pid))

    def _task(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any] | Generator[Any, None, Any], **more: Any
    ) -> asyncio.Task[Any]:
        part = PART_OF.get(getattr(work, "__qualname__", ""), self.part)
        return asyncio.Task(Steps(self, part, work), loop=loop, **more)


class Steps(Coroutine[Any, Any, Any]):
    """A coroutine whose steps belong to a part."""

    def __init__(self, parts: Parts, part: str, work: Any) -> None:
        self._parts = parts
        self._part = part
        self._work = work

    def send(self, value: Any, /) -> Any:
        parts = self._parts
        before, parts.part = parts.part, self._part
        try:
            return self._work.send(value)
        finally:
            parts.part = before

    def throw(self, kind: Any, value: Any = None, traceback: Any = None, /) -> Any:
        parts = self._parts
        before, parts.part = parts.part, self._part
        try:
            return self._work.throw(kind if value is None else value)
        finally:
            parts.part = before

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self

    def __iter__(self) -> Steps:
        return self

    def __next__(self) -> Any:
        return self.send(None)


class Counted:
    """A conversation whose time is told from its door's."""

    def __init__(self, parts: Parts, conversation: Conversation) -> None:
        self._parts = parts
        self._conversation = conversation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conversation, name)

    async def say(self, invocation: Invocation) -> Reply:
        reply: Reply = await Steps(self._parts, CONVERSATION, self._conversation.say(invocation))
        return reply

    async def press(self, pressed: Pressed) -> Reply:
        reply: Reply = await Steps(self._parts, CONVERSATION, self._conversation.press(pressed))
        return reply
