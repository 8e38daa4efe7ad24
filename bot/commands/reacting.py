"""`/reactions`, and how tips by reaction read where there is none."""

from __future__ import annotations

from typing import Annotated, Literal

from adapters.contract import FieldValue, Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.telling import Done, Telling
from bot.wording import Words
from economy.books import REACTIONS
from economy.rules.reacting import ReactionShort, ReactionsTurned, TurnReactions
from economy.settings import Feature, Settings


@command(feature=Feature.REACTIONS, examples=("reactions on", "reactions off"))
async def reactions(
    asked: Asked,
    turn: Annotated[Literal["on", "off"] | None, "whether your reactions tip; they do not until you say so"] = None,
) -> Reply:
    """Let a reaction of yours tip whoever wrote the message, or stop that."""
    if turn is not None:
        return await asked.submit(TurnReactions(by=asked.by, on=turn == "on"))
    is_on = asked.reader.flags.get(REACTIONS) is True
    return asked.reply(_now(asked.words, asked.reader.settings, on=is_on))


@tells(ReactionsTurned)
def reactions_turned(receipt: ReactionsTurned, done: Done, words: Words) -> Telling:
    return _now(words, words.settings, on=receipt.on)


def _now(words: Words, settings: Settings, *, on: bool) -> Telling:
    emoji, amount = words.said(settings.reaction_emoji), words.coins(settings.reaction_amount)
    if on:
        lines = (
            words.line("Your {emoji} under a message tips whoever wrote it {amount}.", emoji=emoji, amount=amount),
            words.line(
                "At most {limit} a day, free coins only. Taking it away takes nothing back. /reactions off stops it.",
                limit=words.coins(settings.reaction_limit_daily),
            ),
        )
    else:
        lines = (
            words.line("Your reactions tip nobody."),
            words.line(
                "/reactions on lets your {emoji} under a message tip whoever wrote it {amount}.",
                emoji=emoji,
                amount=amount,
            ),
        )
    return Telling(nodes=lines, fields={"on": on, "emoji": settings.reaction_emoji})


@tells(ReactionShort)
def reaction_short(receipt: ReactionShort, done: Done, words: Words) -> Telling:
    needed, available = words.coins(receipt.needed), words.coins(receipt.available)
    if receipt.rule == "limit":
        line = words.lines(
            "Your reaction tipped nobody: it takes {needed}, and {available} is left of the {limit} that you can tip "
            "by reactions in a day.",
            "Your reaction tipped nobody: it takes {needed}, and {available} are left of the {limit} that you can tip "
            "by reactions in a day.",
            int(receipt.available),
            needed=needed,
            available=available,
            limit=words.coins(words.settings.reaction_limit_daily),
        )
    else:
        line = words.lines(
            "Your reaction tipped nobody: it takes {needed}, and you have {available} that is free. Reactions never "
            "spend bought ones.",
            "Your reaction tipped nobody: it takes {needed}, and you have {available} that are free. Reactions never "
            "spend bought ones.",
            int(receipt.available),
            needed=needed,
            available=available,
        )
    after = words.line("I say so once a day. /reactions off stops reactions from tipping.")
    fields: dict[str, FieldValue] = {
        "rule": receipt.rule,
        "needed": int(receipt.needed),
        "available": int(receipt.available),
    }
    return Telling(nodes=(line, after), fields=fields)
