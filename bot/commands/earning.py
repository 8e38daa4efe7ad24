"""`/daily`, and how what is earned reads."""

from __future__ import annotations

from adapters.contract import Line, Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.earning import ClaimDaily, DailyClaimed, Welcomed
from economy.settings import Feature


@command(feature=Feature.DAILY, examples=("daily",), in_menu=True)
async def daily(asked: Asked) -> Reply:
    """Claim today's free coins."""
    return await asked.submit(ClaimDaily(by=asked.by))


@tells(DailyClaimed)
def daily_claimed(receipt: DailyClaimed, done: Done, words: Words) -> Telling:
    lines = [
        words.line(
            "You got {amount}. The next are yours {when}.",
            amount=words.coins(receipt.amount),
            when=words.until(receipt.next_at),
        )
    ]
    if receipt.streak > 1:
        lines.append(_streak(receipt, words))
    return Telling(
        nodes=tuple(lines),
        fields={
            "amount": int(receipt.amount),
            "streak": receipt.streak,
            "next_at": receipt.next_at.isoformat(),
        },
    )


def _streak(receipt: DailyClaimed, words: Words) -> Line:
    if receipt.bonus:
        return words.lines(
            "That is {n} day in a row, which added {bonus}.",
            "That is {n} days in a row, which added {bonus}.",
            receipt.streak,
            bonus=words.coins(receipt.bonus),
        )
    return words.lines("That is {n} day in a row.", "That is {n} days in a row.", receipt.streak)


@tells(Welcomed)
def welcomed(receipt: Welcomed, done: Done, words: Words) -> Telling:
    line = words.line(
        "Welcome, {member}: {amount} to begin with.",
        member=words.name(receipt.member),
        amount=words.coins(receipt.amount),
    )
    return Telling(nodes=(line,), fields={"amount": int(receipt.amount)})
