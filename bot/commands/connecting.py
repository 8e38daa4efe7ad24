"""`/connect` and `/disconnect`: one person's accounts on several platforms, and how that reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from adapters.contract import FieldValue, Line, Listing, Reply
from bot.asked import Asked
from bot.commands.registry import asks, command, tells
from bot.telling import Done, Telling
from bot.wording import Words
from economy.ledger import Connected, Disconnected
from economy.links import shown_code
from economy.rules.connecting import (
    CodeGiven,
    Connect,
    ConnectionAgreed,
    ConnectionAsked,
    Disconnect,
    DisconnectionAsked,
    EnterCode,
    Leaving,
)

NEW: Final = "new"
PLATFORMS: Final = {"discord": "Discord", "telegram": "Telegram"}
"""What platforms call themselves; others go by the name of their door."""


@command(examples=("connect", "connect 7Q4K-M2XD", "connect new"))
async def connect(
    asked: Asked,
    code: Annotated[str | None, "the code from your other account; nothing to get one, new for another"] = None,
) -> Reply:
    """Make two accounts of yours, such as on Discord and Telegram, one person with one wallet."""
    if code is None or code.casefold() == NEW:
        return await asked.submit(Connect(by=asked.by, new=code is not None))
    return await asked.submit(EnterCode(by=asked.by, code=code))


@command(examples=("disconnect", "disconnect others"))
async def disconnect(asked: Asked, who: Annotated[Leaving, "this account, or all your others"] = Leaving.THIS) -> Reply:
    """Part accounts that were connected. No coins move: whoever leaves starts anew."""
    return await asked.submit(Disconnect(by=asked.by, who=who))


# --- connecting -----------------------------------------------------------------------------------------------------


@tells(CodeGiven)
@asks(CodeGiven)
def ask_for_code(receipt: CodeGiven, done: Done, words: Words) -> Telling:
    code = shown_code(receipt.code)
    return Telling(
        nodes=(
            words.line("Your code is {code}, for {time}.", code=code, time=_left(receipt, done, words)),
            Listing(
                (
                    words.line("Say /connect {code} to me from your other account, in private.", code=code),
                    words.line("Then say /connect here again, see who it is, and confirm."),
                )
            ),
            words.line("Give it to nobody: whoever you confirm can spend all that is yours."),
        ),
        fields={"code": code, "expires": receipt.expires.isoformat()},
    )


@tells(ConnectionAsked)
@asks(ConnectionAsked)
def ask_to_connect(receipt: ConnectionAsked, done: Done, words: Words) -> Telling:
    other = words.called(receipt.other)
    if receipt.platform:
        other = words.text("{name} on {platform}", name=other, platform=_platform(receipt.platform))
    lines = [
        words.line("You and {other} would be one person, with one wallet in every community.", other=other),
        words.line("Whoever uses that account could spend what is yours: {what}.", what=_what(receipt, words)),
        words.line("Confirm only if it is your own. /disconnect parts the two again, and brings no coins back."),
    ]
    fields: dict[str, FieldValue] = {
        "other": receipt.other,
        "platform": receipt.platform or None,
        "coin": receipt.coin,
        "bonus": receipt.bonus,
        "diamond": receipt.diamond,
        "communities": receipt.communities,
    }
    return Telling(nodes=tuple(lines), fields=fields)


@tells(ConnectionAgreed)
def agreed(receipt: ConnectionAgreed, done: Done, words: Words) -> Telling:
    line = words.line(
        "Agreed. Now say /connect from the account that gave the code, and confirm there, within {time}.",
        time=_left(receipt, done, words),
    )
    return Telling(nodes=(line,), fields={"expires": receipt.expires.isoformat()})


@tells(Connected)
def connected(receipt: Connected, done: Done, words: Words) -> Telling:
    coins = int(receipt.coin + receipt.bonus)
    lines = [words.line("Your accounts are one person now, in every community.")]
    if coins or receipt.diamond:
        came = [words.coins(coins)] if coins else []
        came += [words.text("{amount} of earnings", amount=int(receipt.diamond))] if receipt.diamond else []
        lines.append(words.line("Here {what} came along. /balance shows them all.", what=", ".join(came)))
    fields: dict[str, FieldValue] = {
        "member": words.field(receipt.member),
        "coin": int(receipt.coin),
        "bonus": int(receipt.bonus),
        "diamond": int(receipt.diamond),
    }
    return Telling(nodes=tuple(lines), fields=fields)


# --- parting --------------------------------------------------------------------------------------------------------


@tells(DisconnectionAsked)
@asks(DisconnectionAsked)
def ask_to_disconnect(receipt: DisconnectionAsked, done: Done, words: Words) -> Telling:
    what = _what(receipt, words)
    lines: list[Line]
    if receipt.who is Leaving.THIS:
        lines = [
            words.line("This account would be a person of its own again, with nothing."),
            words.line("What is yours stays with your other accounts: {what}.", what=what),
        ]
    else:
        lines = [
            words.lines(
                "Your other account would be a person of its own again, with nothing.",
                "Your {n} other accounts would each be a person of their own again, with nothing.",
                receipt.identities,
            ),
            words.line("What is yours stays with this one: {what}.", what=what),
        ]
    fields: dict[str, FieldValue] = {
        "who": str(receipt.who),
        "coin": receipt.coin,
        "bonus": receipt.bonus,
        "diamond": receipt.diamond,
        "communities": receipt.communities,
    }
    return Telling(nodes=tuple(lines), fields=fields)


@tells(Disconnected)
def disconnected(receipt: Disconnected, done: Done, words: Words) -> Telling:
    line = words.line("Your accounts are no longer one person. No coins have moved; /connect joins them again.")
    return Telling(nodes=(line,), fields={"member": words.field(receipt.member)})


# --- helping --------------------------------------------------------------------------------------------------------


def _left(receipt: CodeGiven | ConnectionAgreed, done: Done, words: Words) -> str:
    """How long the code holds, in minutes begun."""
    minutes = -(-(receipt.expires - done.at) // timedelta(minutes=1))
    return words.span(60 * max(1, minutes))


def _platform(name: str) -> str:
    return PLATFORMS.get(name, name)


def _what(receipt: ConnectionAsked | DisconnectionAsked, words: Words) -> str:
    """The reader's own coins here, and that there are others elsewhere."""
    parts = [words.text("{coins} here", coins=words.coins(receipt.coin + receipt.bonus))]
    if receipt.diamond:
        parts.append(words.text("{amount} of earnings", amount=receipt.diamond))
    if (elsewhere := receipt.communities - 1) > 0:
        parts.append(
            words.texts(
                "and what you have in {n} other community", "and what you have in {n} other communities", elsewhere
            )
        )
    return ", ".join(parts)
