"""Where updates come from: fetched by one process, or brought to a webhook of many.

Either way Telegram is told that an update was taken only after it was done and answered, so that what a crash cut off
comes again: what was done already is found under its key.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from msgspec import Struct
from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken, TelegramError

from adapters.contract import DoorError, Memory
from adapters.telegram.calling import Requests
from adapters.telegram.logs import log, problem_of

Take = Callable[[Update], Coroutine[None, None, None]]

WANTED: Final = (
    Update.MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
    Update.CHAT_MEMBER,
    Update.MY_CHAT_MEMBER,
    Update.MESSAGE_REACTION,
)
"""Edits and posts of channels are not among them: they ask for nothing. Reactions come only where the bot is an
administrator."""

TAKEN_WITHIN_S: Final = 10.0
"""How long Telegram waits for one update. What takes longer (an answer whose turn is far off) goes on by itself."""

FINISHED_WITHIN_S: Final = 10.0
"""How long a shutdown waits for what is under way: an answer whose turn is far off could keep it for minutes."""

LEASE: Final = timedelta(seconds=15)
POLL_S: Final = 25
CONFLICTS_MAX: Final = 5
BODY_BYTES_MAX: Final = 1_000_000
BODY_WITHIN_S: Final = 10.0
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # its name
UNKNOWN_TOKEN: Final = "Telegram does not know this token any more: ask @BotFather for the current one."  # noqa: S105


class Webhook(Struct, frozen=True, kw_only=True):
    """`url` is what Telegram calls, `host` and `port` where we listen, `secret` what tells Telegram from others.

    For tests the port may be 0: any free one, which then stands in the address where `:0` stood.
    """

    url: str
    host: str
    port: int
    secret: str


class Taking:
    """Takes updates, several at once, and knows which are under way."""

    def __init__(
        self, take: Take, within_s: float = TAKEN_WITHIN_S, finish_within_s: float = FINISHED_WITHIN_S
    ) -> None:
        self._take = take
        self._within_s = within_s
        self._finish_within_s = finish_within_s
        self._under_way: set[asyncio.Task[None]] = set()

    async def together(self, updates: Sequence[Update]) -> None:
        """Returns when all are done, or as long as they may take."""
        tasks = [asyncio.create_task(self._take(update), name=f"update {update.update_id}") for update in updates]
        for task in tasks:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=self._within_s)

    async def finish(self) -> None:
        """Waits for what is under way, but no longer than a shutdown may take: the rest is cut off."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._finish_within_s)
        if cut := list(self._under_way):
            log.warning("updates cut off", number=len(cut))
            for task in cut:
                task.cancel()
            await asyncio.wait(cut)


class Fetching(Requests):
    """Fetches updates, and keeps them as they came for whoever asked: the bot is told that there are none.

    It would read all before it gives any, end at one that it cannot read, at every attempt anew, and log all that was
    fetched with what people wrote.
    """

    _fetched: Sequence[dict[str, Any]] = ()

    async def do_request(self, *asked: Any, **more: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*asked, **more)
        if status != HTTPStatus.OK:
            return status, body
        found = self.parse_json_payload(body).get("result")
        if not isinstance(found, list) or not all(_is_numbered(each) for each in found):
            raise TelegramError("Invalid server response")
        self._fetched = found
        return status, b'{"ok":true,"result":[]}'

    def taken(self) -> Sequence[dict[str, Any]]:
        """What was fetched last, once."""
        found, self._fetched = self._fetched, ()
        return found


def _is_numbered(update: object) -> bool:
    return isinstance(update, dict) and isinstance(update.get("update_id"), int)


def _read(update: dict[str, Any], bot: Bot) -> Update:
    """An update that asks for nothing stands for one that cannot be read, which is so stepped over."""
    try:
        return Update.de_json(update, bot)
    except Exception as problem:  # noqa: BLE001  # whatever the library makes of it
        log.error("update not read", update=update["update_id"], problem=type(problem).__name__)
        return Update(update["update_id"])


class Polling:
    """Fetches updates. Only one process may: others would take every second message from it, unseen."""

    def __init__(
        self,
        bot: Bot,
        fetching: Fetching,
        memory: Memory,
        taking: Taking,
        *,
        poll_s: int = POLL_S,
        lease: timedelta = LEASE,
    ) -> None:
        self._bot = bot
        self._fetching = fetching
        self._memory = memory
        self._taking = taking
        self._poll_s = poll_s
        self._lease = lease
        self._name = secrets.token_hex(8)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Fetches until stopped. Raises DoorError where another process does."""
        await self._be_the_only_one()
        renewing = asyncio.create_task(self._stay_the_only_one(), name="the one who fetches")
        try:
            await self._end_webhook()
            await self._fetch()
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            with suppress(Exception):
                if await self._memory.get("fetching", "by") == self._name:
                    await self._memory.drop("fetching", "by")

    def stop(self) -> None:
        self._stopping.set()

    async def _be_the_only_one(self) -> None:
        """Waits as long as a process that died could still count as fetching."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._lease.total_seconds() + 1
        while not await self._memory.swap("fetching", "by", None, self._name, keep=self._lease):
            if loop.time() > give_up_at:
                raise DoorError(
                    "Another process fetches this bot's messages already. Stop it, or set FLORIN_TELEGRAM__WEBHOOK for"
                    " all of them."
                )
            await self._pause(1.0)
            if self._stopping.is_set():
                return

    async def _stay_the_only_one(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            with suppress(Exception):  # the store is away: Telegram itself refuses a second one
                await self._memory.swap("fetching", "by", self._name, self._name, keep=self._lease)

    async def _end_webhook(self) -> None:
        """Nothing can be fetched while updates are brought elsewhere."""
        pause_s = 0.0
        while not self._stopping.is_set():
            try:
                await self._bot.delete_webhook()
            except InvalidToken as problem:
                raise DoorError(UNKNOWN_TOKEN) from problem
            except TelegramError as problem:
                log.warning("webhook not ended", problem=problem_of(problem))
                await self._pause(pause_s := min(30.0, pause_s * 2 or 0.5))
            else:
                return

    async def _fetch(self) -> None:
        next_id: int | None = None
        pause_s, conflicts = 0.0, 0
        while not self._stopping.is_set():
            try:
                updates = await self._asked(next_id)
            except InvalidToken as problem:
                raise DoorError(UNKNOWN_TOKEN) from problem
            except Conflict as problem:
                conflicts += 1
                if conflicts >= CONFLICTS_MAX:
                    raise DoorError("Another program fetches this bot's messages: stop it.") from problem
                await self._pause(pause_s := min(2.0, pause_s + 0.5))
            except TelegramError as problem:
                log.warning("nothing fetched", problem=problem_of(problem))
                await self._pause(pause_s := min(30.0, pause_s * 2 or 0.5))
            else:
                pause_s, conflicts = 0.0, 0
                await self._taking.together(updates)
                if updates:
                    next_id = updates[-1].update_id + 1
        if next_id is not None:
            # So that the next process does not get the last of them again.
            with suppress(TelegramError):
                await self._bot.get_updates(offset=next_id, limit=1, timeout=0, allowed_updates=WANTED)

    async def _asked(self, next_id: int | None) -> Sequence[Update]:
        """The next updates; none where we are to stop meanwhile."""
        asking = asyncio.ensure_future(
            self._bot.get_updates(offset=next_id, timeout=self._poll_s, allowed_updates=WANTED)
        )
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return ()
            asking.result()
            return [_read(update, self._bot) for update in self._fetching.taken()]
        finally:
            for task in (asking, stopping):
                if not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


class Listening:
    """Serves the webhook. Any number of processes may, behind one address."""

    def __init__(self, bot: Bot, webhook: Webhook, taking: Taking) -> None:
        self._bot = bot
        self._webhook = webhook
        self._taking = taking
        self._stopping = asyncio.Event()
        self.port = webhook.port

    async def run(self) -> None:
        """Serves until stopped. Raises DoorError where it cannot."""
        served = web.Application(client_max_size=BODY_BYTES_MAX)
        served.router.add_post("/{path:.*}", self._called)
        runner = web.AppRunner(served, access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, self._webhook.host, self._webhook.port)
        try:
            await site.start()
        except OSError as problem:
            await runner.cleanup()
            raise DoorError(
                f"Nothing can listen at {self._webhook.host}:{self._webhook.port}, as FLORIN_TELEGRAM__WEBHOOK_LISTEN"
                f" says: {problem.strerror}."
            ) from problem
        self.port = runner.addresses[0][1]
        try:
            await self._announce()
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    def stop(self) -> None:
        self._stopping.set()

    async def _announce(self) -> None:
        """Tells Telegram where to call. It is the same for every process, so it does not matter who says so last."""
        while not self._stopping.is_set():
            try:
                await self._bot.set_webhook(
                    self._webhook.url.replace(":0/", f":{self.port}/"),
                    secret_token=self._webhook.secret,
                    allowed_updates=WANTED,
                    max_connections=100,
                )
            except InvalidToken as problem:
                raise DoorError(UNKNOWN_TOKEN) from problem
            except TelegramError as problem:
                log.warning("webhook not set", problem=problem_of(problem))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), 5.0)
            else:
                return

    async def _called(self, request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._webhook.secret.encode()):
            return web.Response(status=403)
        if "Content-Encoding" in request.headers:
            # Telegram does not compress; others could send little that unfolds to much.
            return web.Response(status=415)
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        try:
            update = Update.de_json(json.loads(body), self._bot)
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.Response(status=400)
        await self._taking.together([update])
        return web.Response()
