"""Public answers in groups: few messages that are kept up to date, rather than many.

Tips and gifts to one post make one list under it. What cannot be sent at once, since the group's budget is used up, is
put together and sent as one. An answer that takes another's place (an undo) changes the very line that it takes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec
from msgspec import Struct
from telegram import InlineKeyboardMarkup
from telegram.error import TelegramError

from adapters.contract import Memory
from adapters.telegram.logs import log, problem_of
from adapters.telegram.pacing import Pacer
from adapters.telegram.rendering import TEXT_UNITS_MAX, Written, units
from adapters.telegram.sending import Sender, Sent, Target, Unreachable

KEPT_FOR: Final = timedelta(days=3)
LIST_KEPT_FOR: Final = timedelta(hours=12)
"""How long tips to a post join the list under it."""

PARTS_MAX: Final = 40
ATTEMPTS: Final = 8


class Part(Struct, frozen=True):
    """What one answer says in a message, under the receipt that it is about."""

    receipt: str | None
    html: str
    plain: str

    @property
    def written(self) -> Written:
        return Written(self.html, self.plain)


class Post(Struct, frozen=True):
    """A message and all that it says."""

    message: int
    parts: tuple[Part, ...]

    def text(self) -> Written:
        return Written("\n".join(part.html for part in self.parts), "\n".join(part.plain for part in self.parts))


class Keyboard(Struct, frozen=True):
    """The buttons under a message that says one thing, and those of them that make sense under several."""

    alone: InlineKeyboardMarkup | None = None
    shared: InlineKeyboardMarkup | None = None


_encode = msgspec.json.Encoder().encode
_decoder: Final = msgspec.json.Decoder(Post)
_thanks: Final = msgspec.json.Decoder(Written)


class _Waiting(Struct, eq=False):
    part: Part
    target: Target
    keyboard: Keyboard
    sent: asyncio.Future[None]


class Posts:
    """Publishes in groups, and remembers where what is."""

    def __init__(self, sender: Sender, memory: Memory, pacer: Pacer) -> None:
        self._sender = sender
        self._memory = memory
        self._pacer = pacer
        self._waiting: dict[tuple[int, int | None], list[_Waiting]] = {}
        self._talking: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Lets go of what still waits for its turn: whoever waited for it was given up before."""
        for task in self._talking:
            task.cancel()
        if self._talking:
            await asyncio.wait(self._talking)

    def is_crowded(self, chat: int) -> bool:
        """Whether so much waits for its turn in a chat that nothing should be added that can be left unsaid."""
        return self._pacer.is_crowded(chat)

    async def is_published(self, chat: int, receipt: str) -> bool:
        return await self._memory.get("receipt", f"{chat}:{receipt}") is not None

    # --- new messages -----------------------------------------------------------------------------------------------

    async def publish(self, pages: Sequence[Written], target: Target, receipt: str | None, keyboard: Keyboard) -> None:
        """Sends pages, the buttons under the last. A short one about a receipt, or without buttons, may be put together
        with others."""
        if len(pages) == 1 and (receipt is not None or keyboard.alone is None):
            part = Part(receipt, pages[0].html, pages[0].plain)
            if self._pacer.wait_s(target.chat) > 0 or (target.chat, target.topic) in self._waiting:
                await self._wait(part, target, keyboard)
            else:
                await self._say(part, target, keyboard)
            return
        for number, page in enumerate(pages, start=1):
            is_last = number == len(pages)
            sent = await self._sender.text(page, target, keyboard.alone if is_last else None)
            if is_last and receipt is not None:
                await self._keep_receipt(sent, receipt)

    async def _say(self, part: Part, target: Target, keyboard: Keyboard) -> None:
        sent = await self._sender.text(part.written, target, keyboard.alone)
        if part.receipt is not None:
            await self._keep_receipt(sent, part.receipt)

    async def _wait(self, part: Part, target: Target, keyboard: Keyboard) -> None:
        """Says it together with all that waits for the same turn."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (target.chat, target.topic)
        queue = self._waiting.get(place)
        if queue is not None:
            queue.append(_Waiting(part, target, keyboard, sent))
        else:
            self._waiting[place] = [_Waiting(part, target, keyboard, sent)]
            task = asyncio.create_task(self._talk(place), name=f"talking in {target.chat}")
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)
        await sent

    async def _talk(self, place: tuple[int, int | None]) -> None:
        try:
            while self._waiting[place]:
                await asyncio.sleep(self._pacer.wait_s(place[0]))
                together = _fitting(self._waiting[place])
                try:
                    await self._say_together(together)
                except Exception as problem:  # noqa: BLE001  # whoever waits gets it, and those after them their turn
                    _fail(together, problem)
                except BaseException:
                    _fail(together, Unreachable())
                    raise
                else:
                    for waiting in together:
                        if not waiting.sent.done():
                            waiting.sent.set_result(None)
        finally:
            _fail(self._waiting.pop(place), Unreachable())

    async def _say_together(self, together: Sequence[_Waiting]) -> None:
        if len(together) == 1:
            await self._say(together[0].part, together[0].target, together[0].keyboard)
            return
        target = msgspec.structs.replace(together[0].target, under=None)
        parts = tuple(waiting.part for waiting in together)
        sent = await self._sender.text(Post(0, parts).text(), target, together[0].keyboard.shared)
        post = Post(sent.message, parts)
        with suppress(Exception):  # as below
            await self._memory.put("post", f"{sent.chat}:{sent.message}", _encode(post).decode(), keep=KEPT_FOR)
        for part in parts:
            if part.receipt is not None:
                await self._keep_receipt(sent, part.receipt)

    async def _keep_receipt(self, sent: Sent, receipt: str) -> None:
        with suppress(Exception):  # the message is there, whether or not it can be found again
            await self._memory.put("receipt", f"{sent.chat}:{receipt}", str(sent.message), keep=KEPT_FOR)

    # --- lists under posts ------------------------------------------------------------------------------------------

    async def list_under(self, page: Written, target: Target, receipt: str, keyboard: Keyboard) -> None:
        """Adds to the list of tips and gifts under the post `target.under`, or begins it."""
        key = f"{target.chat}:{target.under}"
        part = Part(receipt, page.html, page.plain)
        for _ in range(ATTEMPTS):
            found = await self._memory.get("list", key)
            if found is None:
                sent = await self._sender.text(page, target, keyboard.shared)
                post = Post(sent.message, (part,))
                if await self._memory.swap("list", key, None, _encode(post).decode(), keep=LIST_KEPT_FOR):
                    await self._memory.put("receipt", f"{target.chat}:{receipt}", f"list:{target.under}", keep=KEPT_FOR)
                else:
                    # Two began at once, and both lists stand.
                    await self._keep_receipt(sent, receipt)
                return
            post = _decoder.decode(found)
            more = Post(post.message, (*post.parts, part))
            if len(more.parts) > PARTS_MAX or units(more.text().plain) > TEXT_UNITS_MAX:
                await self._memory.drop("list", key)
                continue
            if not await self._memory.swap("list", key, found, _encode(more).decode(), keep=LIST_KEPT_FOR):
                continue
            if await self._edit(target.chat, more, keyboard):
                await self._memory.put("receipt", f"{target.chat}:{receipt}", f"list:{target.under}", keep=KEPT_FOR)
                return
            # Somebody removed it: begin another.
            await self._memory.drop("list", key)
        await self._say(part, target, keyboard)

    # --- changes ----------------------------------------------------------------------------------------------------

    async def replace(
        self, pages: Sequence[Written], chat: int, old: str, receipt: str | None, keyboard: Keyboard
    ) -> bool:
        """Puts an answer where that of receipt `old` stands. False where it is not to be found or changed."""
        found = await self._memory.get("receipt", f"{chat}:{old}")
        if found is None or len(pages) != 1:
            return False
        part = Part(receipt or old, pages[0].html, pages[0].plain)
        return await self._put(found, part, chat, old, keyboard)

    async def restate(self, page: Written, chat: int, receipt: str, keyboard: Keyboard) -> bool:
        """Says something else where receipt `receipt` stands, which goes on standing there. False as for `replace`."""
        found = await self._memory.get("receipt", f"{chat}:{receipt}")
        if found is None:
            return False
        return await self._put(found, Part(receipt, page.html, page.plain), chat, receipt, keyboard)

    async def _put(self, found: str, part: Part, chat: int, old: str, keyboard: Keyboard) -> bool:
        if found.startswith("list:"):
            return await self._replace_part("list", f"{chat}:{found.removeprefix('list:')}", chat, old, part, keyboard)
        if await self._memory.get("post", f"{chat}:{found}") is not None:
            return await self._replace_part("post", f"{chat}:{found}", chat, old, part, keyboard)
        page = part.written
        if part.receipt == old and (thanks := await self._memory.get("thanks", f"{chat}:{found}")) is not None:
            page = _below(page, _thanks.decode(thanks))
        return await self._sender.edit(Sent(chat, int(found)), page, keyboard.alone)

    async def keep_thanks(self, sent: Sent, thanks: Written) -> None:
        """Whatever else is said where somebody gave thanks, those stay."""
        await self._memory.put("thanks", f"{sent.chat}:{sent.message}", _encode(thanks).decode(), keep=LIST_KEPT_FOR)

    async def _replace_part(self, kind: str, key: str, chat: int, old: str, part: Part, keyboard: Keyboard) -> bool:
        for _ in range(ATTEMPTS):
            found = await self._memory.get(kind, key)
            if found is None:
                return False
            post = _decoder.decode(found)
            if all(each.receipt != old for each in post.parts):
                return False
            changed = Post(post.message, tuple(part if each.receipt == old else each for each in post.parts))
            if await self._memory.swap(kind, key, found, _encode(changed).decode(), keep=KEPT_FOR):
                return await self._edit(chat, changed, keyboard)
        return False

    async def _edit(self, chat: int, post: Post, keyboard: Keyboard) -> bool:
        try:
            return await self._sender.edit(Sent(chat, post.message), post.text(), keyboard.shared)
        except TelegramError as problem:
            # It may be there, and will be with the next change.
            log.warning("edit in doubt", chat=chat, problem=problem_of(problem))
            return True


def _below(page: Written, more: Written) -> Written:
    return Written(f"{page.html}\n{more.html}", f"{page.plain}\n{more.plain}")


def _fail(together: Sequence[_Waiting], problem: Exception) -> None:
    for waiting in together:
        if not waiting.sent.done():
            waiting.sent.set_exception(problem)


def _fitting(waiting: list[_Waiting]) -> list[_Waiting]:
    """Takes from the front as many as fit into one message."""
    together: list[_Waiting] = []
    length = 0
    while waiting and len(together) < PARTS_MAX:
        more = units(waiting[0].part.plain) + 1
        if together and length + more > TEXT_UNITS_MAX:
            break
        length += more
        together.append(waiting.pop(0))
    return together
