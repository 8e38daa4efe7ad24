"""`/gift`, `/gifts` and `/catalogue`, and how gifts read."""

from __future__ import annotations

from typing import Annotated, Literal

from adapters.contract import FieldValue, Line, Node, Reply, Table, Visibility
from bot.asked import Asked
from bot.commands.registry import asks, command, tells
from bot.commands.tipping import noted
from bot.gifts import gift_name, gifts_counted
from bot.options import FIRST_PAGE, ONCE, Count, GiftName, Page
from bot.paging import page_buttons
from bot.telling import Done, Telling
from bot.wording import Words
from economy.catalogue import Gift, catalogue
from economy.refusals import Code
from economy.rules.creating import GiftsTurned, TurnGifts
from economy.rules.gifting import CatalogueChanged, ChangeGift, Gifted, SendGift
from economy.rules.permissions import Right
from economy.settings import Feature
from economy.values import COINS_MAX, NO_NOTE, Coins, Note, Sighting

GIFTS_A_PAGE = 12


@command(
    visibility=Visibility.PUBLIC,
    feature=Feature.GIFTS,
    examples=("gift rose @bo", "gift rose x3 @bo well played"),
    in_menu=True,
)
async def gift(
    asked: Asked,
    gift: Annotated[GiftName, "which gift; /gifts shows them"],
    *,
    count: Annotated[Count, "how many of it"] = ONCE,
    to: Annotated[Sighting, "who gets it"],
    message: Annotated[Note, "a few words with it"] = NO_NOTE,
) -> Reply:
    """Send a gift to somebody."""
    return await asked.submit(
        SendGift(
            by=asked.by,
            gift=gift,
            count=count,
            to=to.identity,
            message=message,
            told_in=asked.spot,
            veiled=asked.invocation.veiled,
        )
    )


@tells(Gifted)
def gifted(receipt: Gifted, done: Done, words: Words) -> Telling:
    line = words.line(
        "{sender} sent {receiver} {gift} ({cost}).",
        sender=words.name(receipt.sender),
        receiver=words.name(receipt.creator),
        gift=gifts_counted(receipt.gift, receipt.count, words),
        cost=int(receipt.cost),
    )
    shown = words.shown.get(receipt.creator)
    return Telling(
        nodes=(line, *noted(done, words)),
        fields=_gift_fields(receipt, words),
        pings=() if shown is None else (shown.identity,),
    )


@asks(Gifted)
def ask_gift(receipt: Gifted, done: Done, words: Words) -> Telling:
    lines = [
        words.line(
            "Send {receiver} {gift} for {cost}?",
            receiver=words.name(receipt.creator),
            gift=gifts_counted(receipt.gift, receipt.count, words),
            cost=words.coins(receipt.cost),
        )
    ]
    if "price_changed" in done.why:
        lines.insert(0, words.line("The price has changed: one costs {price} now.", price=words.coins(receipt.price)))
    return Telling(
        nodes=(*lines, *words.lookalikes([receipt.creator])),
        fields=_gift_fields(receipt, words),
    )


def _gift_fields(receipt: Gifted, words: Words) -> dict[str, FieldValue]:
    return {
        "gift": receipt.gift,
        "count": receipt.count,
        "cost": int(receipt.cost),
        "creator": words.field(receipt.creator),
        "diamond": int(receipt.diamond),
        "bonus": int(receipt.bonus),
        "house": int(receipt.house),
    }


# --- the catalogue --------------------------------------------------------------------------------------------


@command(visibility=Visibility.PUBLIC, feature=Feature.GIFTS, examples=("gifts", "gifts 500", "gifts off"))
async def gifts(
    asked: Asked,
    turn: Annotated[Literal["on", "off"] | None, "whether you take gifts yourself"] = None,
    *,
    budget: Annotated[Coins | None, "only what costs this or less"] = None,
    page: Annotated[Page, "which page"] = FIRST_PAGE,
) -> Reply:
    """See all gifts by price, or turn gifts to yourself on or off."""
    if turn is not None:
        return await asked.submit(TurnGifts(by=asked.by, on=turn == "on"))
    if budget == 0:
        asked.refuse(Code.INVALID_AMOUNT, limit=COINS_MAX)
    fitting = [gift for gift in catalogue(asked.reader.community_flags) if budget is None or gift.price <= budget]
    start = (page - 1) * GIFTS_A_PAGE
    shown = fitting[start : start + GIFTS_A_PAGE]
    line = "gifts" if budget is None else f"gifts {int(budget)}"
    more = start + GIFTS_A_PAGE < len(fitting)
    words = await asked.words_for((), public=True)
    rows: list[FieldValue] = [{"gift": gift.slug, "price": gift.price} for gift in shown]
    return asked.reply(
        Telling(
            nodes=_gift_nodes(shown, budget, words),
            fields={"rows": rows, "page": int(page), "budget": None if budget is None else int(budget)},
            buttons=page_buttons(line, page, words, has_more=more, named=True),
        )
    )


def _gift_nodes(shown: list[Gift], budget: Coins | None, words: Words) -> tuple[Node, ...]:
    if not shown:
        if budget is not None:
            return (words.line("No gift costs {budget} or less.", budget=words.coins(budget)),)
        return (words.line("There are no gifts on this page."),)
    table = Table(
        (words.text("Gift"), words.text("Price")),
        tuple((f"{gift.emoji} {gift_name(gift.slug, words)}", words.score(gift.price)) for gift in shown),
        right_aligned=(1,),
    )
    return (
        table,
        words.line("Send one: /gift {gift} @name", gift=shown[0].slug),
        _shares(words),
    )


def _shares(words: Words) -> Line:
    """Where the coins of a gift go."""
    share = words.percent(words.settings.share)
    if words.settings.feature_on(Feature.CHEST):
        return words.line("Whoever gets it receives {share} of its price; the rest goes to the chest.", share=share)
    return words.line("Whoever gets it receives {share} of its price.", share=share)


@tells(GiftsTurned, visibility=Visibility.PRIVATE)
def gifts_turned(receipt: GiftsTurned, done: Done, words: Words) -> Telling:
    line = (
        words.line("You take gifts again.")
        if receipt.on
        else words.line("You take no gifts now; people can still tip you. /gifts on brings them back.")
    )
    return Telling(nodes=(line,), fields={"on": receipt.on})


# --- what an owner changes ------------------------------------------------------------------------------------


@command(name="catalogue price", right=Right.CATALOGUE, examples=("catalogue price rose 2",))
async def catalogue_price(
    asked: Asked, gift: Annotated[GiftName, "which gift"], price: Annotated[Coins, "what one costs from now on"]
) -> Reply:
    """Set what a gift costs. What was sent before stays as it was."""
    return await asked.submit(ChangeGift(by=asked.by, gift=gift, price=price))


@command(name="catalogue retire", right=Right.CATALOGUE, examples=("catalogue retire lion",))
async def catalogue_retire(asked: Asked, gift: Annotated[GiftName, "which gift"]) -> Reply:
    """Take a gift out of the catalogue."""
    return await asked.submit(ChangeGift(by=asked.by, gift=gift, retired=True))


@command(name="catalogue return", right=Right.CATALOGUE, examples=("catalogue return lion",))
async def catalogue_return(
    asked: Asked,
    gift: Annotated[GiftName, "which gift"],
    price: Annotated[Coins | None, "what it costs; as before if left out"] = None,
) -> Reply:
    """Bring a retired gift back."""
    return await asked.submit(ChangeGift(by=asked.by, gift=gift, price=price))


@tells(CatalogueChanged)
def catalogue_changed(receipt: CatalogueChanged, done: Done, words: Words) -> Telling:
    name = gift_name(receipt.gift, words)
    if receipt.price is None:
        line = words.line("The {gift} is not given any more. /catalogue return brings it back.", gift=name)
    else:
        line = words.line("The {gift} costs {price} now.", gift=name, price=words.coins(receipt.price))
    price: FieldValue = None if receipt.price is None else int(receipt.price)
    return Telling(nodes=(line,), fields={"gift": receipt.gift, "price": price})
