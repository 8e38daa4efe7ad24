"""`/tip`, and how tips read."""

from __future__ import annotations

from typing import Annotated, Literal

from adapters.contract import Button, FieldValue, Line, Reply, Visibility
from bot.asked import Asked, receivers_of
from bot.commands.registry import asks, command, tells
from bot.options import Receivers
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.claiming import TipUnseen
from economy.rules.tipping import Tip, TipPart, Tipped
from economy.settings import Feature
from economy.values import NO_NOTE, AmountWord, Note


@command(
    aliases=("give", "pay", "send"),
    visibility=Visibility.PUBLIC,
    feature=Feature.TIPPING,
    examples=("tip @bo 50", "tip @bo @cy split 1k thanks, you two", "tip @bo half"),
    in_menu=True,
)
async def tip(
    asked: Asked,
    to: Annotated[Receivers, "who gets it: one or more members, or a role"],
    *,
    how: Annotated[Literal["each", "split"], "whether each gets the amount or they share it"] = "each",
    amount: Annotated[AmountWord, "how much: 50, 1,000, 2.5k, all or half"],
    note: Annotated[Note, "a few words with it"] = NO_NOTE,
) -> Reply:
    """Send coins from your wallet to one or more members."""
    if len(to.unseen) == 1 and not to.people and asked.reader.settings.feature_on(Feature.CLAIMS):
        name = f"{asked.by.platform}:{to.unseen[0].key}"
        return await asked.submit(TipUnseen(by=asked.by, name=name, amount=amount, note=note))
    return await asked.submit(
        Tip(by=asked.by, receivers=receivers_of(to), amount=amount, split=how == "split", note=note)
    )


@tells(Tipped)
def tipped(receipt: Tipped, done: Done, words: Words) -> Telling:
    lines = [
        words.line(
            "{sender} tipped {receivers} {amount}.",
            sender=words.name(receipt.sender),
            receivers=words.people([part.to for part in receipt.tips]),
            amount=amount_each(receipt.tips, words),
        )
    ]
    if receipt.skipped:
        lines.append(_skipped(receipt, words))
    return Telling(
        nodes=(*lines, *noted(done, words)),
        fields={"tips": tips_field(receipt.tips, words)},
        pings=tuple(words.shown[part.to].identity for part in receipt.tips if part.to in words.shown),
    )


@asks(Tipped)
def ask_tip(receipt: Tipped, done: Done, words: Words) -> Telling:
    receivers = [part.to for part in receipt.tips]
    lines = [
        words.line(
            "Tip {receivers} {amount}?", receivers=words.people(receivers), amount=amount_each(receipt.tips, words)
        )
    ]
    if len(receivers) > 1:
        lines.append(words.line("That is {total} in all.", total=words.coins(receipt.total)))
    buttons: tuple[Button, ...] = ()
    if receipt.bought:
        lines.append(_spends_bought(receipt, words))
        buttons = (Button(label=words.text("Send a gift instead"), data=f"q:gifts {int(receipt.total)}"),)
    if receipt.skipped:
        lines.append(_skipped(receipt, words))
    lines += words.lookalikes(receivers)
    return Telling(nodes=tuple(lines), fields={"tips": tips_field(receipt.tips, words)}, buttons=buttons)


def _spends_bought(receipt: Tipped, words: Words) -> Line:
    bought = int(receipt.bought)
    if len(receipt.tips) > 1:
        return words.lines(
            "This turns {amount} into a free one; nobody earns anything from it.",
            "This turns {amount} into free ones; nobody earns anything from it.",
            bought,
            amount=words.bought(bought),
        )
    return words.lines(
        "This turns {amount} into a free one; {receiver} earns nothing from it.",
        "This turns {amount} into free ones; {receiver} earns nothing from it.",
        bought,
        amount=words.bought(bought),
        receiver=words.name(receipt.tips[0].to),
    )


def _skipped(receipt: Tipped, words: Words) -> Line:
    return words.line("Left out, as they cannot receive: {names}.", names=words.people(receipt.skipped))


def amount_each(tips: tuple[TipPart, ...], words: Words) -> str:
    """What every receiver gets: `50 coins`, or `50 coins each`."""
    amount = words.coins(tips[0].amount)
    return amount if len(tips) == 1 else words.text("{amount} each", amount=amount)


def tips_field(tips: tuple[TipPart, ...], words: Words) -> FieldValue:
    return [{"to": words.field(part.to), "amount": int(part.amount)} for part in tips]


def noted(done: Done, words: Words) -> tuple[Line, ...]:
    """The words that came with it, if there were any."""
    return (words.quote(done.note),) if done.note else ()
