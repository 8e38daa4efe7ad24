"""What is told in one message that is kept up to date, such as a combo: everyone sees its latest state in the end.

Edits wait for their turn like everything else, and what came later meanwhile takes the place of what waited. Which
state is the latest is remembered with all that it says, so that of two processes that tell one strand, the later word
stands, whichever edit arrives last.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from telegram import InlineKeyboardMarkup

from adapters.contract import Memory, Strand
from adapters.telegram.posts import ATTEMPTS, Keyboard, Posts
from adapters.telegram.rendering import Written

KEPT_FOR: Final = timedelta(hours=12)


class Said(Struct, frozen=True):
    """What a strand's message says from a step on, with its buttons as JSON."""

    step: int
    html: str
    plain: str
    alone: str | None = None
    shared: str | None = None

    @property
    def written(self) -> Written:
        return Written(self.html, self.plain)

    @property
    def keyboard(self) -> Keyboard:
        return Keyboard(_read(self.alone), _read(self.shared))


Publish = Callable[[Written, Keyboard], Awaitable[None]]
"""Sends a new message, and remembers where the strand's first receipt stands."""

_encode = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Said)


class _Turn:
    """Whoever has something to tell of one strand in this process, one after the other."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.latest: Said | None = None
        self.shown = 0
        self.waiting = 0


class Strands:
    """Tells strands, each in its message."""

    def __init__(self, posts: Posts, memory: Memory) -> None:
        self._posts = posts
        self._memory = memory
        self._turns: dict[tuple[int, str], _Turn] = {}

    async def tell(self, strand: Strand, page: Written, chat: int, keyboard: Keyboard, publish: Publish) -> None:
        """Returns when this, or what came later, is shown. Raises as sending does."""
        said = Said(strand.step, page.html, page.plain, _write(keyboard.alone), _write(keyboard.shared))
        name = (chat, strand.key)
        turn = self._turns.setdefault(name, _Turn())
        turn.waiting += 1
        if turn.latest is None or turn.latest.step <= said.step:
            turn.latest = said
        try:
            async with turn.lock:
                if turn.shown < said.step:
                    latest = turn.latest
                    await self._show(strand, latest, chat, publish)
                    turn.shown = latest.step
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(name, None)

    async def _show(self, strand: Strand, said: Said, chat: int, publish: Publish) -> None:
        if strand.begins and said.step == strand.step:
            await publish(said.written, said.keyboard)
            return
        key = f"{chat}:{strand.key}"
        for _ in range(ATTEMPTS):
            found = await self._memory.get("strand", key)
            before = None if found is None else _decoder.decode(found)
            if before is not None and before.step > said.step:
                # Another process was told of what came later.
                return
            if not await self._memory.swap("strand", key, found, _encode(said).decode(), keep=KEPT_FOR):
                continue
            if not await self._posts.restate(said.written, chat, strand.key, said.keyboard):
                # Its message was removed, or was never sent.
                await publish(said.written, said.keyboard)
            found = await self._memory.get("strand", key)
            if found is None or (latest := _decoder.decode(found)).step <= said.step:
                return
            # Another process showed what came later, and this may have arrived after it.
            said = latest


def _write(keyboard: InlineKeyboardMarkup | None) -> str | None:
    return None if keyboard is None else keyboard.to_json()


def _read(keyboard: str | None) -> InlineKeyboardMarkup | None:
    return None if keyboard is None else InlineKeyboardMarkup.de_json(json.loads(keyboard))
