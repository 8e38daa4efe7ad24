"""Takes away what nobody needs any more: words that only point to an answer, and commands that were answered."""

from __future__ import annotations

import asyncio
from typing import Final

from adapters.telegram.sending import Sender, Sent

AFTER_S: Final = 30.0
AT_ONCE_MAX: Final = 1_000


class Sweeper:
    """Removes messages a while after they were sent; what is still there at the end, at the end."""

    def __init__(self, sender: Sender, after_s: float = AFTER_S) -> None:
        self._sender = sender
        self._after_s = after_s
        self._due: dict[Sent, asyncio.TimerHandle] = {}
        self._removing: set[asyncio.Task[None]] = set()

    def later(self, sent: Sent) -> None:
        """Removes it in a while. Where too much waits already it stays."""
        if sent not in self._due and len(self._due) < AT_ONCE_MAX:
            loop = asyncio.get_running_loop()
            self._due[sent] = loop.call_later(self._after_s, self._remove, sent)

    def _remove(self, sent: Sent) -> None:
        self._due.pop(sent).cancel()
        task = asyncio.create_task(self._sender.remove(sent), name="sweeping")
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def close(self) -> None:
        for sent in list(self._due):
            self._remove(sent)
        while self._removing:
            await asyncio.wait(self._removing)
