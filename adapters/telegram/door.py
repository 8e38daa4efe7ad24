"""The door itself: puts its parts together, opens, and closes so that nothing under way is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from telegram import Update
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, CallbackContext, ExtBot, TypeHandler
from telegram.request import BaseRequest

from adapters.contract import Bots, Conversation, Delivery, DoorError, Memory, Reply, Told, must_be_ours
from adapters.telegram import menus
from adapters.telegram.acquaintance import Acquaintance
from adapters.telegram.calling import Patience, Requests
from adapters.telegram.intake import LEASE, POLL_S, Fetching, Listening, Polling, Taking, Webhook
from adapters.telegram.listening import Listener
from adapters.telegram.logs import log, problem_of
from adapters.telegram.pacing import Limits, Pacer, Urgency
from adapters.telegram.posting import Postman
from adapters.telegram.posts import Posts
from adapters.telegram.reading import chat_and_topic, chat_id_of
from adapters.telegram.rendering import PLATFORM, Addressing, pages, written
from adapters.telegram.room import Me, Room, Turns
from adapters.telegram.sending import Sender, Target, Unreachable, is_unsent
from adapters.telegram.standing import Rights
from adapters.telegram.sweeping import AFTER_S, Sweeper
from adapters.telegram.titles import Titles
from economy.service import Place, Role

CONNECTIONS: Final = 64
FETCHED_WITHIN_S: Final = 10.0
"""How much longer than it was told to wait Telegram may take until updates come."""
TOLD_KEPT_FOR: Final = timedelta(days=2)
API: Final = "https://api.telegram.org"


class Line(Struct, frozen=True, kw_only=True):
    """How Telegram is reached. Without a webhook updates are fetched. `operators` are user ids.

    The rest is for tests: other addresses, other limits, and shorter times.
    """

    token: str
    operators: frozenset[int] = frozenset()
    webhook: Webhook | None = None
    api_url: str = API
    file_url: str = API
    limits: Limits = Limits()
    poll_s: int = POLL_S
    lease: timedelta = LEASE
    sweep_after_s: float = AFTER_S


class TelegramDoor:
    """An `Adapter`: `run` serves until `close`. `request` makes requests in another way than over the network."""

    platform = PLATFORM

    def __init__(
        self,
        line: Line,
        conversation: Conversation,
        memory: Memory,
        bots: Bots | None = None,
        *,
        request: BaseRequest | None = None,
    ) -> None:
        self._line = line
        self._bots = bots
        self._conversation = conversation
        self._memory = memory
        self._pacer = Pacer(line.limits)
        fetching = Fetching(connections=2, patience=Patience(read_s=FETCHED_WITHIN_S))
        self._requests: tuple[BaseRequest, BaseRequest] = (
            request or Requests(connections=CONNECTIONS, patience=Patience()),
            fetching,
        )
        self._application = _application(line, self._pacer, *self._requests)
        self._bot: ExtBot[int] = self._application.bot
        self._listener: Listener | None = None
        self._room: Room | None = None
        self._taking = Taking(self._application.process_update)
        self._intake: Polling | Listening = (
            Polling(self._bot, fetching, memory, self._taking, poll_s=line.poll_s, lease=line.lease)
            if line.webhook is None
            else Listening(self._bot, line.webhook, self._taking)
        )
        self._sender = Sender(self._bot, self._moved)
        self._posts = Posts(self._sender, memory, self._pacer)
        self._sweeper = Sweeper(self._sender, line.sweep_after_s)
        self._stopping = asyncio.Event()
        self._closed = asyncio.Event()
        self.ready = asyncio.Event()
        """Set once the bot knows who it is and serves."""

    @property
    def bot(self) -> ExtBot[int]:
        """The client: what updates that `take` is given are read with."""
        return self._bot

    @property
    def port(self) -> int:
        """Where the webhook listens."""
        return self._intake.port if isinstance(self._intake, Listening) else 0

    async def run(self) -> None:
        """Serves until closed. Raises DoorError where it cannot."""
        menus_up: asyncio.Task[None] | None = None
        try:
            if not await self._introduce():
                return
            if self._bots is not None:
                ours = str(self._bot.id)
                must_be_ours(PLATFORM, ours, await self._bots.claim(ours))
            self._listener = self._listening()
            self._application.add_handler(TypeHandler(Update, self._heard))
            self._application.add_error_handler(_failed)
            menus_up = asyncio.create_task(self._put_up_menus(), name="menus")
            self.ready.set()
            await self._intake.run()
        finally:
            await self._taking.finish()
            await self._posts.close()
            await self._sweeper.close()
            if menus_up is not None:
                menus_up.cancel()
                with suppress(asyncio.CancelledError):
                    await menus_up
            await self._application.shutdown()
            for request in self._requests:
                # The application leaves them open where it never learned who the bot is.
                await request.shutdown()
            self._closed.set()

    async def close(self) -> None:
        """Takes nothing new, finishes what is under way."""
        self._stopping.set()
        self._intake.stop()
        await self._closed.wait()

    async def tell(self, place: Place, channel: str, reply: Reply, *, nonce: str) -> Told:
        """Tells something unasked in a topic of a group; the same nonce again is seen once. Never raises."""
        is_marked, is_begun = False, False
        try:
            chat, topic = chat_and_topic(channel)
            if not await self._memory.swap("told", nonce, None, "", keep=TOLD_KEPT_FOR):
                # It was sent, or nobody knows whether it was: it is not sent twice.
                return Told(Delivery.TOLD)
            is_marked = True
            for page in pages(written(reply.nodes)):
                await self._sender.text(page, Target(chat=chat, topic=topic), urgency=Urgency.ANNOUNCEMENT)
                is_begun = True
        except Unreachable as problem:
            return Told(Delivery.REFUSED, problem_of(problem.__cause__ or problem))
        except Exception as problem:  # noqa: BLE001  # the memory may be away
            if isinstance(problem, BadRequest) and not is_begun:
                return Told(Delivery.REFUSED, problem_of(problem))
            if not is_begun and (not isinstance(problem, TelegramError) or is_unsent(problem)):
                log.warning("announcement put off", channel=channel, problem=problem_of(problem))
                if is_marked:
                    # Else the next attempt would take it to be told.
                    with suppress(Exception):
                        await self._memory.drop("told", nonce)
                return Told(Delivery.LATER)
            log.warning("announcement in doubt", channel=channel, problem=problem_of(problem))
        return Told(Delivery.TOLD)

    async def warn(self, place: Place, reply: Reply) -> None:
        """Tells whoever owns a group something directly; never raises."""
        if self._room is None:
            return
        found = await self._room.rights.administrators(chat_id_of(place))
        owners = [] if found is None else [user for user, each in found.standings.items() if Role.OWNER in each.roles]
        for owner in owners:
            with suppress(Unreachable, TelegramError):
                for page in pages(written(reply.nodes)):
                    await self._sender.text(page, Target(chat=owner), urgency=Urgency.ANNOUNCEMENT)

    async def take(self, update: Update) -> None:
        """One update, as python-telegram-bot hands it on."""
        await self._application.process_update(update)

    async def _introduce(self) -> bool:
        """Learns who the bot is. False where it is to stop before Telegram could be reached."""
        pause_s = 0.5
        while not self._stopping.is_set():
            try:
                await self._application.initialize()
            except InvalidToken as problem:
                raise DoorError(
                    "Telegram does not know FLORIN_TELEGRAM__TOKEN: copy it again from @BotFather."
                ) from problem
            except TelegramError as problem:
                log.warning("telegram not reached", problem=problem_of(problem))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause_s)
                pause_s = min(30.0, pause_s * 2)
            else:
                return True
        return False

    def _listening(self) -> Listener:
        bot = self._bot
        me = Me(bot.id, bot.username or "", bool(bot.bot.can_read_all_group_messages))
        names = {word for spec in self._conversation.specs() for word in (spec.name.partition(" ")[0], *spec.aliases)}
        rights = Rights(bot, self._line.operators, asyncio.get_running_loop().time)
        postman = Postman(
            self._sender,
            self._posts,
            self._sweeper,
            self._conversation,
            self._memory,
            addressing=Addressing(names, me.handle),
            link=lambda payload: f"https://t.me/{me.handle}?start={payload}",
        )
        self._room = Room(
            me=me,
            bot=bot,
            conversation=self._conversation,
            memory=self._memory,
            rights=rights,
            titles=Titles(bot),
            acquaintance=Acquaintance(bot, self._conversation, self._memory),
            postman=postman,
            specs=self._conversation.specs(),
            turns=Turns(),
        )
        return Listener(self._room)

    async def _heard(self, update: Update, _context: CallbackContext[Any, Any, Any, Any]) -> None:
        if self._listener is not None:
            await self._listener.take(update)

    async def _moved(self, old: int, new: int) -> None:
        if self._listener is not None:
            await self._listener.attendance.moved(old, new)

    async def _put_up_menus(self) -> None:
        try:
            talk = self._conversation
            await menus.put_up(self._bot, talk.specs(), talk.help_of, talk.languages())
        except TelegramError as problem:
            log.warning("menus not set", problem=problem_of(problem))


async def _failed(update: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
    """What nobody foresaw: logged without what anybody wrote."""
    number = update.update_id if isinstance(update, Update) else None
    log.error("update failed", update=number, exc_info=context.error)


def _application(
    line: Line, pacer: Pacer, request: BaseRequest, fetching: BaseRequest
) -> Application[Any, Any, Any, Any, Any, Any]:
    return (
        ApplicationBuilder()
        .token(line.token)
        .base_url(f"{line.api_url}/bot")
        .base_file_url(f"{line.file_url}/file/bot")
        .request(request)
        .get_updates_request(fetching)
        .rate_limiter(pacer)
        .updater(None)
        .build()
    )
