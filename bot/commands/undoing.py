"""`/undo`, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from adapters.contract import FieldValue, Line, Listing, Node, Reply, Visibility
from bot.asked import Asked
from bot.commands.registry import asks, command, tells
from bot.kinds import kind_name
from bot.meanings import usage
from bot.telling import Done, Telling
from bot.wording import Words
from economy.ledger import Undone, UndonePart
from economy.refusals import Code
from economy.rules.escrow import CLAIM
from economy.rules.undoing import SENT, Undo, UndoSince
from economy.values import NO_REASON, EntryNumber, MemberId, Reason, Sighting, receipt_id

LISTED_MAX = 10
"""How many entries a question about many lists."""


@command(
    visibility=Visibility.PUBLIC,
    examples=("undo", "undo 1042W", "undo 1042W sent by mistake", "undo @bo 2h spam"),
)
async def undo(
    asked: Asked,
    receipt: Annotated[EntryNumber | None, "what to undo; your latest tip or gift if left out"] = None,
    *,
    member: Annotated[Sighting | None, "for moderators: undo all that this member took part in"] = None,
    since: Annotated[datetime | None, "and since when: 2h, 3d or 2026-01-05"] = None,
    reason: Annotated[Reason, "why; moderators must say"] = NO_REASON,
) -> Reply:
    """Take back what you just sent; moderators take back any tip, gift or correction."""
    if member is None and since is None:
        return await asked.submit(Undo(by=asked.by, of=receipt, reason=reason))
    if member is None or since is None or receipt is not None:
        option, needed = ("member", "whose") if member is None else ("since", "since when")
        line = usage(asked.command.spec)
        asked.refuse(Code.INVALID_ARGUMENT, rule="missing", option=option, needed=needed, usage=line)
    return await asked.submit(UndoSince(by=asked.by, member=member.identity, since=since, reason=reason))


@tells(Undone)
def undone(receipt: Undone, done: Done, words: Words) -> Telling:
    lines = [_sentence(receipt, words)]
    missing = sum(part.missing for part in receipt.parts)
    if missing:
        lines.append(
            words.lines(
                "{missing} had been spent and stays where it is.",
                "{missing} had been spent and stay where they are.",
                missing,
                missing=words.coins(missing),
            )
        )
    touched = _holders(receipt.parts) - {receipt.actor}
    single = receipt.parts[0] if len(receipt.parts) == 1 else None
    return Telling(
        nodes=tuple(lines),
        fields=_fields(receipt),
        pings=tuple(words.shown[member].identity for member in sorted(touched) if member in words.shown),
        replaces=None if single is None else receipt_id(single.number),
    )


@asks(Undone)
def ask_undo(receipt: Undone, done: Done, words: Words) -> Telling:
    first = words.lines(
        "Undo {n} entry, {amount} in all?",
        "Undo {n} entries, {amount} in all?",
        len(receipt.parts),
        amount=words.coins(_taken(receipt.parts)),
    )
    lines: list[Node] = [first, Listing(tuple(_listed(part, words) for part in receipt.parts[:LISTED_MAX]))]
    if len(receipt.parts) > LISTED_MAX:
        more = len(receipt.parts) - LISTED_MAX
        lines.append(words.lines("And {n} more.", "And {n} more.", more))
    missing = sum(part.missing for part in receipt.parts)
    if missing:
        lines.append(
            words.lines(
                "{missing} has been spent and would stay.",
                "{missing} have been spent and would stay.",
                missing,
                missing=words.coins(missing),
            )
        )
    return Telling(nodes=tuple(lines), fields=_fields(receipt))


def _sentence(receipt: Undone, words: Words) -> Line:
    actor, amount = words.name(receipt.actor), words.coins(_taken(receipt.parts))
    if len(receipt.parts) > 1:
        return words.lines(
            "{actor} undid {n} entry: {amount} went back.",
            "{actor} undid {n} entries: {amount} went back.",
            len(receipt.parts),
            actor=actor,
            amount=amount,
        )
    part = receipt.parts[0]
    if part.kind == CLAIM:
        return words.line("{amount} that waited went back to {sender}.", amount=amount, sender=words.name(part.actor))
    holders = sorted(_holders(receipt.parts))
    if part.actor == receipt.actor and part.kind == "gift":
        return words.line(
            "{actor} took back a gift to {receiver} ({amount}).",
            actor=actor,
            receiver=words.name(part.receiver),
            amount=_taken(receipt.parts),
        )
    if part.actor == receipt.actor and part.kind in SENT and holders:
        return words.line(
            "{actor} took back {amount} from {holders}.", actor=actor, amount=amount, holders=words.people(holders)
        )
    return words.line(
        "{actor} undid {receipt} ({kind}): {amount} went back.",
        actor=actor,
        receipt=receipt_id(part.number),
        kind=kind_name(part.kind, words),
        amount=amount,
    )


def _listed(part: UndonePart, words: Words) -> Line:
    return words.line(
        "{receipt}: {kind} by {actor}, {amount}",
        receipt=receipt_id(part.number),
        kind=kind_name(part.kind, words),
        actor=words.name(part.actor),
        amount=words.coins(_taken([part])),
    )


def _taken(parts: Iterable[UndonePart]) -> int:
    return sum(taken.amount for part in parts for taken in part.taken)


def _holders(parts: Iterable[UndonePart]) -> set[MemberId]:
    """The members from whom something was taken."""
    return {MemberId(taken.holder) for part in parts for taken in part.taken if taken.holder > 0}


def _fields(receipt: Undone) -> dict[str, FieldValue]:
    return {
        "receipts": [receipt_id(part.number) for part in receipt.parts],
        "taken": _taken(receipt.parts),
        "missing": sum(int(part.missing) for part in receipt.parts),
    }
