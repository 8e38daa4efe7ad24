"""What `florin doctor` looks at on Telegram's side. It changes nothing, and what it tells holds no token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from telegram import Bot, ChatMember
from telegram.error import InvalidToken, TelegramError

from adapters.contract import CommandSpec
from adapters.telegram import menus
from adapters.telegram.calling import Patience, Requests
from adapters.telegram.door import Line
from adapters.telegram.found import GroupState, TelegramState
from adapters.telegram.logs import problem_of

TIMEOUT_S: Final = 10.0


async def look(
    line: Line,
    groups: Sequence[int],
    specs: Iterable[CommandSpec],
    help_of: menus.HelpOf,
    languages: Iterable[str] = (),
) -> TelegramState:
    """Asks Telegram about the bot, and about each of `groups`. `languages`: what there are menus in beside English."""
    request = Requests(connections=1, patience=Patience(connect_s=TIMEOUT_S, read_s=TIMEOUT_S))
    unused = Requests(connections=1, patience=Patience())
    bot = Bot(line.token, base_url=f"{line.api_url}/bot", request=request, get_updates_request=unused)
    try:
        async with bot:
            webhook = await bot.get_webhook_info()
            return TelegramState(
                bot_id=bot.id,
                handle=bot.username,
                sees_all=bool(bot.bot.can_read_all_group_messages),
                inline=bool(bot.bot.supports_inline_queries),
                webhook=webhook.url,
                pending=webhook.pending_update_count,
                failed_at=webhook.last_error_date,
                failure=webhook.last_error_message or "",
                menus_kept=await menus.are_up(bot, specs, help_of, languages),
                groups=tuple([await _group(bot, group) for group in groups]),
            )
    except InvalidToken:
        return TelegramState(problem="Telegram does not know the token", knows_token=False)
    except TelegramError as problem:
        return TelegramState(problem=problem_of(problem))
    finally:
        # The library leaves them open where it never learned who the bot is.
        await request.shutdown()
        await unused.shutdown()


async def _group(bot: Bot, chat_id: int) -> GroupState:
    title = str(chat_id)
    try:
        chat = await bot.get_chat(chat_id)
        title = chat.title or title
        own = await bot.get_chat_member(chat_id, bot.id)
    except TelegramError as problem:
        return GroupState(title, problem=problem_of(problem))
    if own.status in (ChatMember.LEFT, ChatMember.BANNED):
        return GroupState(title, problem="the bot is not there any more")
    return GroupState(
        title,
        own.status == ChatMember.ADMINISTRATOR,
        bool(getattr(own, "can_delete_messages", False)),
    )
