"""What is told in one message that is kept up to date, such as a combo: everyone sees its latest state in the end.

Whoever has something to tell of a strand waits for those before, and then tells the latest that is known: what it said
itself may be out of date by then. A server is one process's, so nobody else edits meanwhile; where a strand's message
is, the next process is told by the memory.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import discord
import msgspec
import structlog
from msgspec import Struct

from adapters.contract import Memory, Reply, Strand, Visibility
from adapters.discord.rendering import rendered
from adapters.discord.sending import BrokenLine, changed
from economy.service import Place

REMEMBERED_MAX: Final = 10_000
KEPT_FOR: Final = timedelta(hours=12)

_log = structlog.get_logger("adapters.discord")


class Standing(Struct, frozen=True):
    """Where a strand is told, and up to which step."""

    channel_id: int
    message_id: int
    step: int


class _Turn:
    """Whoever has something to tell of one strand, one after the other."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.latest: Reply | None = None
        self.waiting = 0


class Means(Struct, frozen=True):
    """How whoever tells something can tell it. `anew` makes a new public message and answers its id. `in_place` puts it
    into the message `message_id`, whose button was pressed, and answers the id of the message that says it now, None
    where it could not. `elsewhere` answers where everyone sees it in another message."""

    channel_id: int | None
    anew: Callable[[Reply], Awaitable[int | None]]
    elsewhere: Callable[[Reply], Awaitable[object]]
    in_place: Callable[[Reply], Awaitable[int | None]] | None = None
    message_id: int | None = None


def _step(reply: Reply) -> int:
    return 0 if reply.strand is None else reply.strand.step


def elsewhere(reply: Reply) -> Reply:
    """What is answered where everyone sees the news in another message."""
    return msgspec.structs.replace(reply, visibility=Visibility.PRIVATE, buttons=(), pings=(), strand=None)


def by_itself(reply: Reply) -> Reply:
    """A reply that is told beside its strand, under which the buttons are."""
    return reply if reply.strand is None else msgspec.structs.replace(reply, buttons=())


class Strands:
    """Tells strands, each in its message. Without a memory, those of another process are not found."""

    def __init__(self, client: discord.Client, memory: Memory | None) -> None:
        self._client = client
        self._memory = memory
        self._turns: dict[tuple[Place, str], _Turn] = {}
        self._standing: OrderedDict[tuple[Place, str], Standing] = OrderedDict()
        self._thanks: OrderedDict[int, Reply] = OrderedDict()

    async def tell(self, place: Place, reply: Reply, strand: Strand, means: Means) -> None:
        """Returns when this, or what came later, is shown, and whoever said it was answered."""
        if not await self._in_turn(place, reply, strand, means):
            await means.elsewhere(elsewhere(reply))

    async def restate(self, place: Place, reply: Reply, strand: Strand) -> None:
        """Brings the strand's message up to date, where there is one."""
        await self._in_turn(place, reply, strand, None)

    async def _in_turn(self, place: Place, reply: Reply, strand: Strand, means: Means | None) -> bool:
        """Whether it was shown by way of what was said itself."""
        name = (place, strand.key)
        turn = self._turns.setdefault(name, _Turn())
        turn.waiting += 1
        if turn.latest is None or _step(turn.latest) <= strand.step:
            turn.latest = reply
        try:
            async with turn.lock:
                return await self._show(name, strand, turn.latest, means)
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(name, None)

    async def _show(self, name: tuple[Place, str], strand: Strand, latest: Reply, means: Means | None) -> bool:
        there = None if strand.begins else await self._find(name)
        if there is not None and there.step >= strand.step:
            return False
        if there is not None and means is not None and means.in_place and there.message_id == means.message_id:
            shown_in = await means.in_place(self._with_thanks(latest, there.message_id))
            if shown_in is not None:
                self._keep(name, Standing(there.channel_id, shown_in, _step(latest)))
                return True
        if there is not None and await self._edit(there, latest):
            self._keep(name, msgspec.structs.replace(there, step=_step(latest)))
            return False
        if means is None:
            return False
        message_id = await means.anew(latest)
        if message_id is not None and means.channel_id is not None:
            self._keep(name, Standing(means.channel_id, message_id, _step(latest)))
            await self._remember(name)
        return True

    async def _edit(self, there: Standing, reply: Reply) -> bool:
        """False where the message cannot be changed any more."""
        channel = self._client.get_partial_messageable(there.channel_id)
        told: dict[str, Any] = changed(rendered(self._with_thanks(reply, there.message_id)))
        try:
            await channel.get_partial_message(there.message_id).edit(**told)
        except (discord.NotFound, discord.Forbidden) as error:
            _log.info("not edited", code=error.code)
            return False
        except (discord.HTTPException, *BrokenLine) as error:
            # It may be there, and will be with the next change.
            _log.warning("edit in doubt", error=type(error).__name__)
        return True

    # --- what is remembered -----------------------------------------------------------------------------------------

    def keep_thanks(self, message_id: int, thanks: Reply) -> None:
        """Whatever else is said in a message under which somebody gave thanks, those stay."""
        self._thanks[message_id] = thanks
        if len(self._thanks) > REMEMBERED_MAX:
            self._thanks.popitem(last=False)

    def _with_thanks(self, reply: Reply, message_id: int) -> Reply:
        thanks = self._thanks.get(message_id)
        return reply if thanks is None else msgspec.structs.replace(reply, nodes=(*reply.nodes, *thanks.nodes))

    def _keep(self, name: tuple[Place, str], standing: Standing) -> None:
        self._standing[name] = standing
        self._standing.move_to_end(name)
        if len(self._standing) > REMEMBERED_MAX:
            self._standing.popitem(last=False)

    async def _remember(self, name: tuple[Place, str]) -> None:
        if self._memory is None:
            return
        there = self._standing[name]
        where = f"{there.channel_id}:{there.message_id}"
        with suppress(Exception):  # the message is there, whether or not it can be found again
            await self._memory.put("strand", f"{name[0].native_id}:{name[1]}", where, keep=KEPT_FOR)

    async def _find(self, name: tuple[Place, str]) -> Standing | None:
        there = self._standing.get(name)
        if there is not None or self._memory is None:
            return there
        found = None
        with suppress(Exception):  # then it gets a new message
            found = await self._memory.get("strand", f"{name[0].native_id}:{name[1]}")
        channel_id, _, message_id = (found or "").partition(":")
        return Standing(int(channel_id), int(message_id), 0) if message_id.isdigit() and channel_id.isdigit() else None
