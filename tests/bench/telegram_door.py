"""What the door to Telegram costs: an update in, its answer out, beside python-telegram-bot with nothing around it.

Both sides read the same updates with the library's own models and send an answer by it; a request takes no network and
no time. The conversation answers at once, as the economy behind it is measured elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from telegram import Update
from telegram.constants import ParseMode
from telegram.ext import Application, ApplicationBuilder, CallbackContext, CommandHandler
from telegram.request import BaseRequest, RequestData

from adapters.contract import (
    CommandSpec,
    Conversation,
    Invocation,
    Name,
    Plain,
    Pressed,
    Reply,
    Visibility,
)
from adapters.contract import Line as Words
from adapters.telegram.door import Line, TelegramDoor
from adapters.telegram.intake import Webhook
from adapters.telegram.pacing import Limits
from bot.commands.registry import specs
from economy.service import Identity, Place, Role, Sighting
from tests.bench.bench import NO_STORE, Bench
from tests.bench.figures import Row, spread

COST: Final = Row("Telegram update in, reply out / bare python-telegram-bot, CPU", "x", 1.6, 1.3, least=False)
A_ROUND: Final = 2_000
GROUP: Final = -1_001_000_000_000
PEOPLE: Final = 200
UNLIMITED: Final = Limits(overall_per_s=10**9, chat_per_s=10**9, chat_at_once=10**6, group_per_minute=10**9)


class Canned(BaseRequest):
    """Answers every request from memory."""

    def __init__(self) -> None:
        chat = {"id": GROUP, "type": "supergroup", "title": "lobby"}
        me = {"id": 1, "is_bot": True, "first_name": "Florin", "username": "florin_bot"}
        sent = {"message_id": 5, "date": 1_780_000_000, "chat": chat, "from": me, "text": "bo tipped cy 5 coins."}
        owner = {"status": "creator", "user": _user(0), "is_anonymous": False}
        self._answers = {
            "getMe": me | {"can_join_groups": True, "can_read_all_group_messages": True},
            "sendMessage": sent,
            "getChatAdministrators": [owner],
            "getMyCommands": [],
        }

    @property
    def read_timeout(self) -> float:
        return 1.0

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        asked = url.rpartition("/")[2]
        result = self._answers.get(asked, True)
        if asked == "getChatMember" and request_data is not None:
            result = {"status": "member", "user": _user(int(request_data.json_parameters["user_id"]) - 5_000_000_000)}
        return 200, json.dumps({"ok": True, "result": result}).encode()


def _user(number: int) -> dict[str, Any]:
    return {"id": 5_000_000_000 + number, "is_bot": False, "first_name": f"member {number}", "username": f"m{number}"}


def tips(first: int) -> list[dict[str, Any]]:
    """Tips by answering somebody, in one group, as Telegram brings them."""
    chat = {"id": GROUP, "type": "supergroup", "title": "lobby"}
    found = []
    for number in range(first, first + A_ROUND):
        sender, receiver = _user(number % PEOPLE), _user((number + 1) % PEOPLE)
        post = {"message_id": 2 * number, "date": 1_780_000_000, "chat": chat, "from": receiver, "text": "look"}
        message = {
            "message_id": 2 * number + 1,
            "date": 1_780_000_000,
            "chat": chat,
            "from": sender,
            "text": "/tip 5 well done",
            "entities": [{"type": "bot_command", "offset": 0, "length": 4}],
            "reply_to_message": post,
        }
        found.append({"update_id": number, "message": message})
    return found


class Answering(Conversation):
    """Answers every command with one line that names somebody."""

    def __init__(self) -> None:
        self._specs = specs()
        self.answered = 0

    async def say(self, invocation: Invocation) -> Reply:
        self.answered += 1
        receiver = invocation.replied_to
        if receiver is None:
            raise RuntimeError("a tip of the benchmark answers somebody")
        spans = (Name(invocation.person.name), Plain(" tipped "), Name(receiver.name, receiver.identity))
        return Reply(
            command="tip",
            outcome="tip",
            visibility=Visibility.PUBLIC,
            nodes=(Words((*spans, Plain(" 5 coins."))),),
            pings=(receiver.identity,),
        )

    async def press(self, pressed: Pressed) -> Reply:
        raise NotImplementedError

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        raise NotImplementedError

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None:
        raise NotImplementedError

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None:
        raise NotImplementedError

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None:
        return None

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        return False

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None:
        raise NotImplementedError

    async def uses_reactions(self, place: Place) -> bool:
        return False

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None:
        raise NotImplementedError

    async def complete(self, invocation: Invocation) -> list[str]:
        raise NotImplementedError

    def specs(self) -> tuple[CommandSpec, ...]:
        return self._specs

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        return spec.help

    async def suggest(self, invocation: Invocation, option: str) -> list[Any]:
        raise NotImplementedError

    def hint(self, hint: Any, locale: str, **values: str) -> Reply:
        raise NotImplementedError

    def languages(self) -> tuple[str, ...]:
        return ()

    def translated(self, text: str) -> dict[str, str]:
        raise NotImplementedError

    async def homes(self, person: Identity) -> list[Place]:
        raise NotImplementedError

    async def moved(self, old: Place, new: Place) -> bool:
        raise NotImplementedError


class Remembering:
    """A memory that is a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], str] = {}

    async def get(self, kind: str, key: str) -> str | None:
        return self._kept.get((kind, key))

    async def put(self, kind: str, key: str, value: str, *, keep: timedelta) -> None:
        self._kept[kind, key] = value

    async def swap(self, kind: str, key: str, before: str | None, after: str, *, keep: timedelta) -> bool:
        if self._kept.get((kind, key)) != before:
            return False
        self._kept[kind, key] = after
        return True

    async def drop(self, kind: str, key: str) -> None:
        self._kept.pop((kind, key), None)


AnyApplication = Application[Any, Any, Any, Any, Any, Any]


@asynccontextmanager
async def bare() -> AsyncIterator[AnyApplication]:
    """The library alone: a command, and one answer to it."""
    application = ApplicationBuilder().token("1:bench").request(Canned()).updater(None).build()

    async def tip(update: Update, context: CallbackContext[Any, Any, Any, Any]) -> None:
        if update.message is not None and update.message.reply_to_message is not None:
            receiver = update.message.reply_to_message.from_user
            name = receiver.mention_html() if receiver else ""
            await update.message.reply_text(
                f"{update.message.from_user.full_name if update.message.from_user else ''} tipped {name} 5 coins.",
                parse_mode=ParseMode.HTML,
                do_quote=True,
            )

    application.add_handler(CommandHandler("tip", tip))
    async with application:
        yield application


@asynccontextmanager
async def ours(conversation: Answering) -> AsyncIterator[TelegramDoor]:
    webhook = Webhook(url="https://florin.example/telegram", host="127.0.0.1", port=0, secret="s" * 40)
    door = TelegramDoor(
        Line(token="1:bench", webhook=webhook, limits=UNLIMITED), conversation, Remembering(), request=Canned()
    )
    running = asyncio.create_task(door.run())
    await door.ready.wait()
    try:
        yield door
    finally:
        await door.close()
        await running


async def updates(bench: Bench) -> None:
    conversation = Answering()
    ratios: list[float] = []
    costs: list[list[float]] = [[], []]
    async with bare() as application, ours(conversation) as door:
        for round_ in range(bench.sizes.runs + 1):
            raw = tips(round_ * A_ROUND + 1)
            took = []
            for bot, take in ((application.bot, application.process_update), (door.bot, door.take)):
                began_s = time.process_time()
                for each in raw:
                    await take(Update.de_json(each, bot))
                took.append((time.process_time() - began_s) / A_ROUND * 1e6)
            if round_:  # the first one warms
                ratios.append(took[1] / took[0])
                for side, cost_us in zip(costs, took, strict=True):
                    side.append(cost_us)
    if conversation.answered != A_ROUND * (bench.sizes.runs + 1):
        raise RuntimeError(f"the door did not take every update: {conversation.answered}")
    detail = f"{spread(costs[1])} us an update, bare {spread(costs[0])} us; the conversation answers at once"
    bench.found(COST, NO_STORE, ratios, detail)
