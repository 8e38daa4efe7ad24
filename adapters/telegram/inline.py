"""`@bot ...` typed in any chat: what may be shown there. No coin moves here, since nobody can tell where it is."""

from __future__ import annotations

from typing import Final

from telegram import InlineQuery, InlineQueryResultArticle, InlineQueryResultsButton, InputTextMessageContent
from telegram.constants import ParseMode
from telegram.error import TelegramError

from adapters.contract import Conversation, Hint, Invocation, Reply, Visibility
from adapters.telegram import reading
from adapters.telegram.acquaintance import Acquaintance
from adapters.telegram.logs import log, problem_of
from adapters.telegram.rendering import Written, pages, short, written

TITLE_UNITS_MAX: Final = 60
KEPT_S: Final = 5


async def answer(query: InlineQuery, conversation: Conversation, acquaintance: Acquaintance) -> None:
    """Offers the boards and the catalogue of the community that the person was last in; an amount narrows the gifts."""
    user = query.from_user
    home = await acquaintance.home(user.id)
    locale = user.language_code or "en"
    results: list[InlineQueryResultArticle] = []
    if home is not None:
        for command, words in _lines(query.query):
            reply = await conversation.say(
                Invocation(
                    act=f"telegram:inline:{query.id}:{command}",
                    person=reading.sighting(user),
                    place=reading.place(home),
                    command=command,
                    words=words,
                    private=True,
                    locale=locale,
                )
            )
            if reply.visibility is Visibility.PUBLIC and reply.code is None:
                results.append(_result(len(results), reply))
    told = conversation.hint(Hint.INLINE, locale)
    button = InlineQueryResultsButton(short(written(told.nodes), TITLE_UNITS_MAX), start_parameter="inline")
    try:
        await query.answer(results, cache_time=KEPT_S, is_personal=True, button=button)
    except TelegramError as problem:
        # Whoever typed has typed on.
        log.info("inline not answered", problem=problem_of(problem))


def _lines(typed: str) -> list[tuple[str, tuple[str, ...]]]:
    amount = tuple(word for word in typed.split()[:1] if word.isascii() and word.isdigit())
    return [("gifts", amount), ("top", ()), ("top", ("creators",))]


def _result(number: int, reply: Reply) -> InlineQueryResultArticle:
    lines = written(reply.nodes)
    page = pages(lines)[0]
    title, *rest = page.plain.split("\n")
    return InlineQueryResultArticle(
        id=str(number),
        title=short([Written("", title)], TITLE_UNITS_MAX),
        description=short([Written("", "\n".join(rest))], TITLE_UNITS_MAX),
        input_message_content=InputTextMessageContent(page.html, parse_mode=ParseMode.HTML),
    )
