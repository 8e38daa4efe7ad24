"""`/receipt`: what an entry was, told in full to its own and barely to others."""

from __future__ import annotations

from typing import Annotated

from msgspec.structs import replace

from adapters.contract import FieldValue, Line, Reply
from bot.asked import Asked
from bot.commands.registry import command, teller_of
from bot.telling import Done, Telling, members_in
from bot.wording import Words
from economy.ledger import Receipt, Undone
from economy.refusals import Code
from economy.rules.adjusting import Adjusted
from economy.rules.claiming import Return, TakeUp
from economy.rules.escrow import ESCROWED
from economy.rules.gifting import Gifted
from economy.rules.permissions import Right
from economy.rules.undoing import Undo
from economy.settings import Feature
from economy.values import EntryNumber, MemberId, receipt_id
from economy.views import EntryView


@command(feature=Feature.HISTORY, examples=("receipt 1042W",))
async def receipt(asked: Asked, receipt: Annotated[EntryNumber, "its number and letter, such as 1042W"]) -> Reply:
    """Look at a receipt: your own in full, anybody else's whether it is genuine."""
    entry = await asked.economy.reads.entry(asked.community_id, receipt)
    if entry is None:
        asked.refuse(Code.UNKNOWN_RECEIPT)
    staff = asked.may(Right.SEE_AUDIT)
    settled = await _settled_by(asked, entry)
    own = asked.reader.member_id in (entry.actor, *entry.touched)
    if not own and not staff:
        return _stands(asked, entry, settled)
    shown = (
        entry.receipt if staff or entry.actor == asked.reader.member_id else _own_part(entry.receipt, asked.member_id)
    )
    words = await asked.words_for({entry.actor, *members_in(shown)})
    done = Done(at=entry.at, time_zone=entry.time_zone, number=entry.number, note=entry.note)
    telling = teller_of(type(shown))[0](shown, done, words)
    first = words.line(
        "{receipt}, {when}, by {actor}:",
        receipt=receipt_id(entry.number),
        when=words.moment(entry.at),
        actor=words.name(entry.actor),
    )
    fields: dict[str, FieldValue] = {
        **_genuine(entry, settled),
        "kind": entry.kind,
        "actor": words.field(entry.actor),
        "at": entry.at.isoformat(),
        "note": entry.note,
        "reason": entry.reason,
        **telling.fields,
    }
    return asked.reply(Telling(nodes=(first, *telling.nodes, *_beside(entry, shown, words, settled)), fields=fields))


async def _settled_by(asked: Asked, entry: EntryView) -> str:
    """The kind of what ended an entry; empty where it stands."""
    if entry.undone_by is None:
        return ""
    if entry.kind not in ESCROWED:
        return Undo.kind
    ended = await asked.economy.reads.entry(asked.community_id, entry.undone_by)
    return Undo.kind if ended is None else ended.kind


def _own_part(found: Receipt, member: MemberId) -> Receipt:
    """Of an order that touched many, what touched this one: the others' is theirs."""
    if isinstance(found, Adjusted):
        return replace(found, rows=tuple(row for row in found.rows if row.member == member))
    if isinstance(found, Undone):
        return replace(found, parts=tuple(part for part in found.parts if _touches(part, member)))
    return found


def _touches(part: object, member: MemberId) -> bool:
    return member in members_in((part,))


def _beside(entry: EntryView, shown: Receipt, words: Words, settled: str) -> list[Line]:
    """What the public message leaves out: the split, the reason, and whether it still stands."""
    lines: list[Line] = []
    if isinstance(shown, Gifted):
        lines.append(_split(shown, words))
    if entry.reason:
        lines.append(words.line("Reason: {reason}", reason=words.said(entry.reason)))
    if entry.undone_by is not None:
        by = receipt_id(entry.undone_by)
        match settled:
            case TakeUp.kind:
                lines.append(words.line("It was taken up by {receipt}.", receipt=by))
            case Return.kind:
                lines.append(words.line("Nobody took it up: it went back by {receipt}.", receipt=by))
            case _:
                lines.append(words.line("It was undone by {receipt}.", receipt=by))
    return lines


def _split(gift: Gifted, words: Words) -> Line:
    got = int(gift.diamond + gift.bonus)
    if gift.diamond:
        return words.line(
            "{receiver} got {got} of it, {earned} of that as earnings; {house} went to the house.",
            receiver=words.name(gift.creator),
            got=words.coins(got),
            earned=int(gift.diamond),
            house=int(gift.house),
        )
    return words.line(
        "{receiver} got {got} of it; {house} went to the house.",
        receiver=words.name(gift.creator),
        got=words.coins(got),
        house=int(gift.house),
    )


def _stands(asked: Asked, entry: EntryView, settled: str) -> Reply:
    """To everyone else: whether it is genuine, and nothing more."""
    name = receipt_id(entry.number)
    if _holds(settled):
        line = asked.words.line("{receipt} is genuine, and it stands.", receipt=name)
    else:
        line = asked.words.line("{receipt} is genuine, and was undone.", receipt=name)
    return asked.reply(Telling(nodes=(line,), fields=_genuine(entry, settled)))


def _genuine(entry: EntryView, settled: str) -> dict[str, FieldValue]:
    return {"receipt": receipt_id(entry.number), "genuine": True, "undone": not _holds(settled)}


def _holds(settled: str) -> bool:
    """Whether what was sent was not taken back: what waited and was taken up has come where it should."""
    return settled in ("", TakeUp.kind)
