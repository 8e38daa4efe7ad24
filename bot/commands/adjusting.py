"""`/coins`: corrections by staff, and how they read."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from adapters.contract import FieldValue, Line, Node, Reply, Table
from bot.asked import Asked
from bot.commands.registry import asks, command, tells
from bot.kinds import asset_name
from bot.options import Targets
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.adjusting import Action, Adjust, Adjusted, AdjustedRow, Target
from economy.rules.permissions import Right
from economy.values import NO_REASON, Asset, Coins, Reason

ROWS_SHOWN_MAX = 20
"""How many rows a reply shows; its fields hold them all."""


class Pot(StrEnum):
    """Which coins, in the words of people."""

    FREE = "free"
    BOUGHT = "bought"
    EARNINGS = "earnings"


ASSET_OF = {Pot.FREE: Asset.BONUS, Pot.BOUGHT: Asset.COIN, Pot.EARNINGS: Asset.DIAMOND}

Who = Annotated[Targets, "whom: a member, id:… for one who left, a role, or a file of rows"]
Amount = Annotated[Coins | None, "how many; a file says it in each row"]
Which = Annotated[Pot, "free coins, or the operator's: bought ones or earnings"]
Why = Annotated[Reason, "why, for the record"]


@command(name="coins add", right=Right.ADJUST_FREE, examples=("coins add @bo 100 won the quiz",))
async def coins_add(
    asked: Asked, who: Who, amount: Amount = None, which: Which = Pot.FREE, reason: Why = NO_REASON
) -> Reply:
    """Give coins to members, with a reason."""
    return await _adjust(asked, Action.ADD, who, amount, which, reason)


@command(name="coins remove", right=Right.ADJUST_FREE, examples=("coins remove @bo 100 counted twice",))
async def coins_remove(
    asked: Asked, who: Who, amount: Amount = None, which: Which = Pot.FREE, reason: Why = NO_REASON
) -> Reply:
    """Take coins from members, with a reason."""
    return await _adjust(asked, Action.REMOVE, who, amount, which, reason)


@command(name="coins set", right=Right.ADJUST_FREE, examples=("coins set @bo 0 a fresh start",))
async def coins_set(
    asked: Asked, who: Who, amount: Amount = None, which: Which = Pot.FREE, reason: Why = NO_REASON
) -> Reply:
    """Set how many coins members have, with a reason."""
    return await _adjust(asked, Action.SET, who, amount, which, reason)


async def _adjust(
    asked: Asked, action: Action, who: Targets, amount: Coins | None, which: Pot, reason: Reason
) -> Reply:
    coins = amount or Coins(0)
    named = who.holders if who.person is None else (who.person,)
    rows = who.rows or tuple(Target(person.identity, coins) for person in named)
    return await asked.submit(
        Adjust(
            by=asked.by,
            action=action,
            asset=ASSET_OF[which],
            rows=rows,
            role=who.role,
            role_amount=coins if who.role is not None else Coins(0),
            reason=reason,
        )
    )


@tells(Adjusted)
def adjusted(receipt: Adjusted, done: Done, words: Words) -> Telling:
    if len(receipt.rows) == 1:
        return Telling(nodes=(_sentence(receipt, receipt.rows[0], words),), fields=_fields(receipt, words))
    first = words.lines("Done for {n} member.", "Done for {n} members.", len(receipt.rows))
    return Telling(nodes=(first, *_rows(receipt, words)), fields=_fields(receipt, words))


@asks(Adjusted)
def ask_adjust(receipt: Adjusted, done: Done, words: Words) -> Telling:
    total = sum(abs(row.moved) for row in receipt.rows)
    first = words.lines(
        "Correct {n} member, moving {total} in all? After it they have:",
        "Correct {n} members, moving {total} in all? After it they have:",
        len(receipt.rows),
        total=words.coins(total),
    )
    return Telling(nodes=(first, *_rows(receipt, words)), fields=_fields(receipt, words))


def _sentence(receipt: Adjusted, row: AdjustedRow, words: Words) -> Line:
    name, amount = words.name(row.member), words.coins(row.amount)
    which = "" if receipt.asset is Asset.BONUS else f" ({asset_name(receipt.asset, words)})"
    balance = _after(receipt.asset, row.balance, words)
    match receipt.action:
        case Action.ADD:
            return words.line(
                "{name} got {amount}{which} and has {balance} now.",
                name=name,
                amount=amount,
                which=which,
                balance=balance,
            )
        case Action.REMOVE:
            return words.line(
                "{amount}{which} were taken from {name}, who has {balance} now.",
                name=name,
                amount=amount,
                which=which,
                balance=balance,
            )
        case Action.SET:
            return words.line("{name} has {amount}{which} now.", name=name, amount=amount, which=which)


def _after(asset: Asset, balance: int, words: Words) -> str:
    """What they have after; of which kind, where that is not the usual one."""
    match asset:
        case Asset.COIN:
            return words.bought(balance)
        case Asset.BONUS:
            return words.number(balance)
        case Asset.DIAMOND:
            return words.text("{n} in earnings", n=balance)


def _rows(receipt: Adjusted, words: Words) -> tuple[Node, ...]:
    """Who, by how much, and what they have after: the first of them."""
    shown = receipt.rows[:ROWS_SHOWN_MAX]
    table = Table(
        (words.text("Member"), words.text("Change"), words.text("After")),
        tuple((words.name(row.member).text, words.signed(row.moved), words.number(row.balance)) for row in shown),
        right_aligned=(1, 2),
    )
    more = len(receipt.rows) - len(shown)
    return (table, words.lines("And {n} more.", "And {n} more.", more)) if more else (table,)


def _fields(receipt: Adjusted, words: Words) -> dict[str, FieldValue]:
    asset = str(receipt.asset)
    rows: list[FieldValue] = [
        {
            "member": words.field(row.member),
            "asset": asset,
            "amount": int(row.amount),
            "balance": int(row.balance),
        }
        for row in receipt.rows
    ]
    if len(rows) == 1 and isinstance(rows[0], dict):
        return {"action": str(receipt.action), **rows[0]}
    return {"action": str(receipt.action), "asset": asset, "rows": rows}
