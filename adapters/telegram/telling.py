"""Tells what nobody asked for: announcements and the log, in a group or one of its topics; and an owner alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from telegram import ChatMember
from telegram.error import RetryAfter, TelegramError
from telegram.ext import ExtBot

from adapters.contract import Delivery, Memory, Reply, Told
from adapters.telegram.logs import log, problem_of
from adapters.telegram.pacing import Urgency
from adapters.telegram.rendering import pages, written
from adapters.telegram.sending import Sender, Target, Unreachable

WHOLE_GROUP: Final = "0"
"""What stands for a topic where it is told in none."""
KEEP: Final = timedelta(days=2)
"""How long it is remembered what was told: longer than anything waits to be told."""

_KIND: Final = "told"


async def tell(sender: Sender, memory: Memory, chat: int, topic: str, reply: Reply, nonce: str) -> Told:
    """Tells something in a group. What may have arrived is not told twice: an announcement is worth less than a
    flood. Never raises."""
    if not await memory.swap(_KIND, nonce, None, "1", keep=KEEP):
        return Told(Delivery.TOLD)
    target = Target(chat=chat, topic=None if topic == WHOLE_GROUP else int(topic))
    is_begun = False
    try:
        for page in pages(written(reply.nodes, pings=reply.pings)):
            await sender.text(page, target, urgency=Urgency.ANNOUNCEMENT)
            is_begun = True
    except Unreachable:
        await memory.drop(_KIND, nonce)
        return Told(Delivery.REFUSED, "to write there")
    except RetryAfter:
        if not is_begun:
            await memory.drop(_KIND, nonce)
            return Told(Delivery.LATER)
    except TelegramError as problem:
        log.warning("announcement in doubt", chat=chat, problem=problem_of(problem))
    return Told(Delivery.TOLD)


async def warn(sender: Sender, bot: ExtBot[int], chat: int, reply: Reply) -> None:
    """Tells the group's owner something in their own chat with the bot, if they have one; never raises."""
    try:
        for administrator in await bot.get_chat_administrators(chat):
            if administrator.status == ChatMember.OWNER:
                for page in pages(written(reply.nodes)):
                    await sender.text(page, Target(chat=administrator.user.id), urgency=Urgency.ANNOUNCEMENT)
    except (Unreachable, TelegramError) as problem:
        log.info("owner not told", chat=chat, problem=type(problem).__name__)
