"""`/chest`: the community's own coins, and how spending them reads."""

from __future__ import annotations

from typing import Annotated, Literal

from adapters.contract import Reply, Visibility
from bot.asked import Asked, receivers_of
from bot.commands.registry import asks, command, tells
from bot.commands.tipping import amount_each, noted, tips_field
from bot.options import Receivers
from bot.telling import Done, Telling
from bot.wording import Words
from economy.refusals import Code
from economy.rules.chest import ChestTipped, TipFromChest
from economy.rules.permissions import Right
from economy.settings import Feature
from economy.values import NO_NOTE, AmountWord, Note


@command(visibility=Visibility.PUBLIC, feature=Feature.CHEST, examples=("chest",))
async def chest(asked: Asked) -> Reply:
    """See what the community's chest holds."""
    there = await asked.economy.reads.chest(asked.community_id)
    words = await asked.words_for((), public=True)
    lines = [words.line("The chest holds {amount}.", amount=words.coins(there.bonus))]
    if there.bonus == 0 and words.settings.feature_on(Feature.GIFTS):
        lines.append(words.line("Gifts paid with free coins leave a part in it."))
    return asked.reply(Telling(nodes=tuple(lines), fields={"bonus": there.bonus}))


@command(
    name="chest tip",
    visibility=Visibility.PUBLIC,
    feature=Feature.CHEST,
    right=Right.SPEND_CHEST,
    examples=("chest tip @bo 50 for the drawing", "chest tip @bo @cy split 100"),
)
async def chest_tip(
    asked: Asked,
    to: Annotated[Receivers, "who gets it: one or more members"],
    *,
    how: Annotated[Literal["each", "split"], "whether each gets the amount or they share it"] = "each",
    amount: Annotated[AmountWord, "how much: 50, 1,000, 2.5k, all or half"],
    note: Annotated[Note, "a few words with it"] = NO_NOTE,
) -> Reply:
    """Tip members from the community's chest."""
    if to.role is not None or to.group:
        asked.refuse(Code.INVALID_ARGUMENT, rule="receivers")
    return await asked.submit(
        TipFromChest(by=asked.by, receivers=receivers_of(to), amount=amount, split=how == "split", note=note)
    )


@tells(ChestTipped)
def chest_tipped(receipt: ChestTipped, done: Done, words: Words) -> Telling:
    line = words.line(
        "{actor} tipped {receivers} {amount} from the chest.",
        actor=words.name(receipt.actor),
        receivers=words.people([part.to for part in receipt.tips]),
        amount=amount_each(receipt.tips, words),
    )
    return Telling(
        nodes=(line, *noted(done, words)),
        fields={"tips": tips_field(receipt.tips, words)},
        pings=tuple(words.shown[part.to].identity for part in receipt.tips if part.to in words.shown),
    )


@asks(ChestTipped)
def ask_chest_tip(receipt: ChestTipped, done: Done, words: Words) -> Telling:
    receivers = [part.to for part in receipt.tips]
    lines = [
        words.line(
            "Tip {receivers} {amount} from the chest?",
            receivers=words.people(receivers),
            amount=amount_each(receipt.tips, words),
        )
    ]
    if len(receivers) > 1:
        lines.append(words.line("That is {total} in all.", total=words.coins(receipt.total)))
    return Telling(nodes=(*lines, *words.lookalikes(receivers)), fields={"tips": tips_field(receipt.tips, words)})
