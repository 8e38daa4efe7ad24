"""Entries as the audit tells them: in a few words, what was moved, or what was set, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bot.kinds import asset_name
from bot.naming import inert
from bot.telling import members_in
from bot.wording import Words
from economy.books import ACTED, BLOCK_PREFIX, IN_PREFIX, PRESENT
from economy.ledger import COMMUNITY, Connected, Disconnected, Fact, Receipt, Undone
from economy.refusals import Value
from economy.rules.adjusting import Adjusted
from economy.rules.chest import ChestTipped
from economy.rules.claiming import TipsTaken, TipWaits
from economy.rules.communities import PlaceJoined, PlaceParted
from economy.rules.earning import DailyClaimed, Welcomed
from economy.rules.escrow import ESCROWED
from economy.rules.gifting import Gifted
from economy.rules.tipping import Tipped
from economy.values import MemberId, receipt_id
from economy.views import EntryView

_PARTS_MAX: Final = 20
"""The most entries that one undo is told by."""


def named(entries: Iterable[EntryView]) -> Iterator[MemberId]:
    """Everyone whom a page of entries names."""
    for entry in entries:
        yield entry.actor
        yield from entry.touched
        yield from members_in(entry.receipt)
        for fact in entry.facts:
            yield from (member for member in (fact.subject, _blocked_in(fact)) if member)


def gist(entry: EntryView, words: Words) -> str:
    """An entry in a few words: what was moved, or what was set, before and after."""
    moved = _moved(entry.receipt, words)
    what = f"{entry.kind}: {moved}" if moved else entry.kind
    # Claims and grants set flags as well; what they moved says it all.
    if not moved and (facts := told(entry)):
        what += ": " + "; ".join(_changed(fact, words) for fact in facts)
    if entry.undone_by is not None:
        by = receipt_id(entry.undone_by)
        # What waited may have been taken up, which is no undo.
        ended = words.text("settled by {receipt}", receipt=by)
        what += f" ({ended if entry.kind in ESCROWED else words.text('undone by {receipt}', receipt=by)})"
    return what


def told(entry: EntryView) -> list[Fact]:
    """The facts that the entry's kind does not say already. A first order is noted with whatever it was; what becomes
    of flags when accounts are joined follows from them, and ids never leave the bot."""
    if isinstance(entry.receipt, Connected | Disconnected):
        return []
    return [fact for fact in entry.facts if fact.name not in (ACTED, PRESENT) and not fact.name.startswith(IN_PREFIX)]


def _moved(receipt: Receipt, words: Words) -> str:
    match receipt:
        case Tipped() | ChestTipped():
            return _to(words.coins(receipt.total), (part.to for part in receipt.tips), words)
        case Gifted():
            return _to(
                f"{receipt.gift} ×{words.number(receipt.count)}, {words.coins(receipt.cost)}", (receipt.creator,), words
            )
        case Adjusted():
            moved = words.number(sum(row.moved for row in receipt.rows))
            return _to(
                f"{receipt.action} {moved} ({asset_name(receipt.asset, words)})",
                (row.member for row in receipt.rows),
                words,
            )
        case TipWaits():
            return words.text("{amount} in escrow", amount=words.coins(receipt.amount))
        case TipsTaken():
            return _to(words.coins(receipt.total), (receipt.member,), words)
        case DailyClaimed() | Welcomed():
            return words.coins(receipt.amount)
        case PlaceJoined():
            return f"+ {inert(receipt.name)} ({receipt.platform}) → {inert(receipt.there)}"
        case PlaceParted():
            return f"- {inert(receipt.name)} ({receipt.platform})"
        case Connected():
            return words.text("{coins} of another account", coins=words.coins(receipt.coin + receipt.bonus))
        case Disconnected():
            return words.texts("{n} account left", "{n} accounts left", len(receipt.left))
        case Undone():
            return ", ".join(receipt_id(part.number) for part in receipt.parts[:_PARTS_MAX])
        case _:
            return ""


def _to(what: str, members: Iterable[MemberId], words: Words) -> str:
    return f"{what} → {''.join(span.text for span in words.people(list(members)))}"


def _changed(fact: Fact, words: Words) -> str:
    return f"{fact_name(fact, words)} {_fact_value(fact.before, words)} → {_fact_value(fact.after, words)}"


def fact_name(fact: Fact, words: Words) -> str:
    """What was set: a setting, or somebody's flag."""
    blocked = _blocked_in(fact)
    name = f"{BLOCK_PREFIX}{words.field(blocked)}" if blocked else inert(fact.name)
    return name if fact.subject == COMMUNITY else f"{words.field(fact.subject)} {name}"


def _blocked_in(fact: Fact) -> MemberId | None:
    """Whom a fact about blocking names by id; ids never leave the bot."""
    found = fact.name.removeprefix(BLOCK_PREFIX)
    return MemberId(int(found)) if fact.name.startswith(BLOCK_PREFIX) and found.isdigit() else None


def _fact_value(value: Value, words: Words) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return words.text("on") if value else words.text("off")
        case int():
            return words.number(value)
        case _:
            return inert(value)
