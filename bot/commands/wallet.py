"""`/balance` and `/history`: what is one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from adapters.contract import FieldValue, File, Line, Node, Reply, Table
from bot.asked import Asked
from bot.commands.claiming import waiting
from bot.commands.registry import command
from bot.kinds import asset_name, kind_name
from bot.options import FIRST_PAGE, Page
from bot.paging import look, page_buttons
from bot.rows import written
from bot.telling import Telling
from bot.wording import Words
from economy.books import AMOUNT_HIDDEN, WAITING
from economy.refusals import Code
from economy.rules.earning import daily_amount
from economy.rules.escrow import CLAIM
from economy.rules.permissions import Right
from economy.settings import Feature
from economy.values import Asset, MemberId, Sighting, local_date, receipt_id
from economy.views import Balance, HistoryRow

EXPORT_PAGE = 100
EXPORT_PAGES_MAX = 20
"""An export holds the latest 2,000 rows, and says if there are more."""


# --- balance --------------------------------------------------------------------------------------------------


@command(aliases=("wallet", "bal", "money"), examples=("balance", "balance @bo"), in_menu=True)
async def balance(asked: Asked, member: Annotated[Sighting | None, "whose; yours if left out"] = None) -> Reply:
    """See how many coins you have, or somebody else has."""
    subject = asked.member_id if member is None else await asked.member(member)
    if member is not None and subject != asked.reader.member_id:
        return await _balance_of(asked, member, subject)
    found = await asked.economy.reads.balance(asked.community_id, subject, asked.now)
    lines = _own_lines(found, asked)
    if asked.reader.flags.get(WAITING):
        lines += waiting(await asked.economy.reads.claims(asked.community_id, subject), asked.words)
    return asked.reply(Telling(nodes=tuple(lines), fields=_balance_fields(found)))


async def _balance_of(asked: Asked, member: Sighting, subject: MemberId) -> Reply:
    """Somebody else's coins, unless they hide them; their earnings are for staff."""
    staff = asked.may(Right.SEE_WALLETS)
    theirs = await asked.economy.reads.reader(asked.invocation.place, member.identity)
    if theirs.flags.get(AMOUNT_HIDDEN) is True and not staff:
        asked.refuse(Code.NOT_ALLOWED, rule="hidden", member_id=subject)
    found = await asked.economy.reads.balance(asked.community_id, subject, asked.now)
    words = await asked.words_for([subject])
    lines = [
        words.line(
            "{name} has {amount}{parts}.",
            name=words.name(subject),
            amount=_coins(found, words),
            parts=_parts(found, words) if staff else "",
        )
    ]
    fields = {"member": words.field(subject), **_balance_fields(found)}
    if staff:
        lines += _earnings(found, words)
    else:
        fields |= {"diamond": None, "diamond_held": None}
    return asked.reply(Telling(nodes=tuple(lines), fields=fields))


def _own_lines(found: Balance, asked: Asked) -> list[Line]:
    words = asked.words
    lines = [words.line("You have {amount}{parts}.", amount=_coins(found, words), parts=_parts(found, words))]
    return [*lines, *_earnings(found, words), *_to_earn(found, asked)]


def _coins(found: Balance, words: Words) -> str:
    return words.coins(found.coin + found.bonus)


def _parts(found: Balance, words: Words) -> str:
    """Which of them are bought, where some are."""
    if not found.coin:
        return ""
    return words.text(" ({bought} bought, {free} free)", bought=found.coin, free=found.bonus)


def _earnings(found: Balance, words: Words) -> list[Line]:
    if not found.diamond:
        return []
    if not found.held:
        return [words.line("Earnings: {amount}.", amount=found.diamond)]
    if len(found.held) == 1 and found.held[0].amount >= found.diamond:
        day = words.day(found.held[0].day)
        return [words.line("Earnings: {amount}, all of them from {day}.", amount=found.diamond, day=day)]
    held = ", ".join(
        words.text("{part} of them from {day}", part=part.amount, day=words.day(part.day)) for part in found.held
    )
    return [words.line("Earnings: {amount}, {held}.", amount=found.diamond, held=held)]


def _to_earn(found: Balance, asked: Asked) -> list[Line]:
    """What is still to be had today, and what was."""
    words, settings = asked.words, asked.reader.settings
    lines = []
    left = settings.earn_limit_daily - found.earned_today
    amount = min(daily_amount(settings, asked.reader.flags, local_date(asked.now, settings.time_zone)), left)
    if amount > 0 and not found.daily_claimed and settings.feature_on(Feature.DAILY):
        lines.append(words.line("/daily gives you {amount} today.", amount=words.coins(amount)))
    if found.earned_today:
        limit = settings.earn_limit_daily
        lines.append(words.line("Earned today: {earned} of {limit}.", earned=found.earned_today, limit=limit))
    return lines


def _balance_fields(found: Balance) -> dict[str, FieldValue]:
    return {
        "coin": found.coin,
        "bonus": found.bonus,
        "diamond": found.diamond,
        "diamond_held": found.diamond_held,
    }


# --- history --------------------------------------------------------------------------------------------------


@command(feature=Feature.HISTORY, examples=("history", "history 2", "history csv"))
async def history(
    asked: Asked,
    form: Annotated[Literal["csv"] | None, "all of it as a file"] = None,
    page: Annotated[Page, "which page"] = FIRST_PAGE,
) -> Reply:
    """See what came into your wallet and went out of it."""
    if form is not None:
        return await _export(asked)
    found = await asked.economy.reads.history(asked.community_id, asked.member_id, page=page)
    words = await asked.words_for(member for row in found.rows for member in row.counterparts)
    nodes: tuple[Node, ...] = (_table(found.rows, words),)
    if not found.rows:
        nodes = (_nothing(page, words),)
    fields: dict[str, FieldValue] = {"rows": [_row_fields(row, words) for row in found.rows], "page": int(page)}
    buttons = page_buttons("history", page, words, has_more=found.has_more)
    if found.rows:
        buttons = (*buttons, look(words.text("As a file"), "history csv"))
    return asked.reply(Telling(nodes=nodes, fields=fields, buttons=buttons))


def _nothing(page: Page, words: Words) -> Line:
    if page > FIRST_PAGE:
        return words.line("There is nothing on this page.")
    return words.line("Nothing has come in or gone out yet. /daily is a beginning.")


def _table(rows: Sequence[HistoryRow], words: Words) -> Table:
    return Table(
        (
            words.text("Receipt"),
            words.text("When"),
            words.text("What"),
            words.text("Change"),
            words.text("After"),
            words.text("With"),
            words.text("Note"),
        ),
        tuple(
            (
                receipt_id(row.number),
                words.moment(row.at),
                _what(row, words),
                _change(row, words),
                words.number(row.balance_after),
                ", ".join(words.name(member).text for member in row.counterparts),
                words.said(row.note or row.reason),
            )
            for row in rows
        ),
        right_aligned=(3, 4),
    )


def _what(row: HistoryRow, words: Words) -> str:
    name = kind_name(row.kind, words)
    if row.kind == CLAIM and row.settled_by == "claimed":
        return words.text("{kind}, taken up", kind=name)
    if row.kind == CLAIM:
        return words.text("{kind}, given back", kind=name) if row.undone else words.text("{kind}, waiting", kind=name)
    return words.text("{kind}, undone", kind=name) if row.undone else name


def _change(row: HistoryRow, words: Words) -> str:
    amount = words.signed(row.amount)
    return amount if row.asset is Asset.BONUS else f"{amount} {asset_name(row.asset, words)}"


def _row_fields(row: HistoryRow, words: Words) -> FieldValue:
    return {
        "receipt": receipt_id(row.number),
        "kind": row.kind,
        "amount": row.amount,
        "asset": str(row.asset),
        "counterpart": ", ".join(words.field(member) for member in row.counterparts) or None,
        "note": row.note,
        "at": row.at.isoformat(),
    }


async def _export(asked: Asked) -> Reply:
    rows: list[HistoryRow] = []
    has_more = True
    for page in range(1, EXPORT_PAGES_MAX + 1):
        found = await asked.economy.reads.history(asked.community_id, asked.member_id, page=page, size=EXPORT_PAGE)
        rows += found.rows
        has_more = found.has_more
        if not has_more:
            break
    words = await asked.words_for(member for row in rows for member in row.counterparts)
    heading = ("receipt", "at", "kind", "amount", "asset", "balance_after", "counterpart", "note", "undone")
    lines = [
        (
            receipt_id(row.number),
            row.at.isoformat(),
            row.kind,
            row.amount,
            str(row.asset),
            row.balance_after,
            ", ".join(words.field(member) for member in row.counterparts),
            row.note,
            "yes" if row.undone else "no",
        )
        for row in rows
    ]
    said: list[Node] = [words.lines("Your history, {n} row.", "Your history, {n} rows.", len(rows))]
    if has_more:
        said.append(words.line("These are the latest; what came before is in /history."))
    nodes = (*said, File("history.csv", written([heading, *lines])))
    return asked.reply(Telling(nodes=nodes, fields={"rows": len(rows), "complete": not has_more}))
