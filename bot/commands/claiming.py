"""`/claims`, and how tips to somebody not yet seen read: while they wait, and when they are taken up. `/tip` makes
them."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.contract import FieldValue, Line, Listing, Node, Reply
from bot.asked import Asked
from bot.commands.registry import asks, command, tells
from bot.commands.tipping import noted
from bot.naming import inert, isolated
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.claiming import TipsTaken, TipWaits
from economy.settings import Feature
from economy.values import receipt_id
from economy.views import Claim


@command(feature=Feature.CLAIMS)
async def claims(asked: Asked) -> Reply:
    """See which tips of yours wait for somebody not yet seen here."""
    found = await asked.economy.reads.claims(asked.community_id, asked.member_id)
    nodes: tuple[Node, ...] = (asked.words.line("No tip of yours waits for anybody."),)
    if found:
        nodes = (Listing(tuple(waiting(found, asked.words))),)
    rows: list[FieldValue] = [
        {
            "receipt": receipt_id(claim.number),
            "to": inert(claim.name),
            "amount": claim.amount,
            "waits_until": claim.until.isoformat(),
        }
        for claim in found
    ]
    return asked.reply(Telling(nodes=nodes, fields={"rows": rows}))


def waiting(claims: Iterable[Claim], words: Words) -> list[Line]:
    """What is theirs as long as nobody takes it up."""
    return [
        words.lines(
            "{amount} for {name} waits until {when}; /undo {receipt} takes it back.",
            "{amount} for {name} wait until {when}; /undo {receipt} takes them back.",
            claim.amount,
            amount=words.coins(claim.amount),
            name=isolated(inert(claim.name)),
            when=words.moment(claim.until),
            receipt=receipt_id(claim.number),
        )
        for claim in claims
    ]


@tells(TipWaits)
def tip_waits(receipt: TipWaits, done: Done, words: Words) -> Telling:
    waits_for = _called(done, words)
    lines = [
        words.line(
            "{sender} tipped {name} {amount}.",
            sender=words.name(receipt.sender),
            name=waits_for,
            amount=words.coins(receipt.amount),
        ),
        words.lines(
            "{name} was not seen here yet: the coin waits until {when}, and goes back after that.",
            "{name} was not seen here yet: the coins wait until {when}, and go back after that.",
            int(receipt.amount),
            name=waits_for,
            when=words.moment(receipt.until),
        ),
    ]
    return Telling(
        nodes=(*lines, *noted(done, words)),
        fields=_fields(receipt, waits_for),
    )


@asks(TipWaits)
def ask_tip_waits(receipt: TipWaits, done: Done, words: Words) -> Telling:
    waits_for, amount = _called(done, words), words.coins(receipt.amount)
    lines = [
        words.line("Tip {name} {amount}?", name=waits_for, amount=amount),
        words.lines(
            "{name} was not seen here yet: the coin would wait until {when}, and go back after that.",
            "{name} was not seen here yet: the coins would wait until {when}, and go back after that.",
            int(receipt.amount),
            name=waits_for,
            when=words.moment(receipt.until),
        ),
    ]
    if receipt.bought:
        lines.append(_spends_bought(int(receipt.bought), waits_for, words))
    fields: dict[str, FieldValue] = {
        "to": waits_for,
        "amount": int(receipt.amount),
        "waits_until": receipt.until.isoformat(),
    }
    return Telling(nodes=tuple(lines), fields=fields)


def _fields(receipt: TipWaits, waits_for: str) -> dict[str, FieldValue]:
    return {"to": waits_for, "amount": int(receipt.amount), "waits_until": receipt.until.isoformat()}


def _spends_bought(bought: int, receiver: str, words: Words) -> Line:
    return words.lines(
        "This turns {amount} into a free one; {receiver} earns nothing from it.",
        "This turns {amount} into free ones; {receiver} earns nothing from it.",
        bought,
        amount=words.bought(bought),
        receiver=receiver,
    )


def _called(done: Done, words: Words) -> str:
    """Whom it waits for, as the sender wrote them. Receipts hold no names: later on it is somebody."""
    return isolated(inert(done.waits_for)) if done.waits_for else words.text("somebody")


@tells(TipsTaken)
def tips_taken(receipt: TipsTaken, done: Done, words: Words) -> Telling:
    senders = list(dict.fromkeys(tip.sender for tip in receipt.tips))
    line = words.line(
        "{member} is here now and gets {amount} that waited, from {senders}.",
        member=words.name(receipt.member),
        amount=words.coins(receipt.total),
        senders=words.people(senders),
    )
    return Telling(
        nodes=(line,),
        fields={
            "member": words.field(receipt.member),
            "amount": receipt.total,
            "tips": [{"from": words.field(tip.sender), "amount": int(tip.amount)} for tip in receipt.tips],
        },
        pings=tuple(words.shown[each].identity for each in (receipt.member,) if each in words.shown),
    )
