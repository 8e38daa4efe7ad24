"""Rows of `member,amount` from a file, and cells on their way into one. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from adapters.contract import Attachment
from bot.amounts import read_coins
from bot.refused import refuse_asked
from economy.refusals import Code
from economy.rules.adjusting import ROWS_MAX, Target
from economy.values import COINS_MAX, Identity

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""

ID_LENGTH_MAX = 100


def rows_of(file: Attachment, platform: str, locale: str) -> tuple[Target, ...]:
    """The rows of a CSV file, `member,amount` each, with or without that heading; members by native id or `@name`.

    All or nothing: raises `Refused` naming the first row (counted from 1, without the heading) that is wrong.
    """
    try:
        lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        refuse_asked(Code.INVALID_ARGUMENT, rule="file")
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if lines and [cell.strip().lower() for cell in lines[0]] == ["member", "amount"]:
        lines = lines[1:]
    if not lines:
        refuse_asked(Code.INVALID_ARGUMENT, rule="rows")
    if len(lines) > ROWS_MAX:
        refuse_asked(Code.LIMIT_EXCEEDED, rule="rows", limit=ROWS_MAX)
    rows: dict[Identity, Target] = {}
    for number, line in enumerate(lines, start=1):
        if len(line) != 2:
            refuse_asked(Code.INVALID_ARGUMENT, rule="row", row=number)
        member = line[0].strip().removeprefix("@").removeprefix("id:")
        if not 0 < len(member) <= ID_LENGTH_MAX or member.startswith(_FORMULA):
            refuse_asked(Code.INVALID_ARGUMENT, rule="row", row=number)
        identity = Identity(platform, file.id_of(member))
        if identity in rows:
            refuse_asked(Code.AMBIGUOUS, rule="twice", name=member, row=number)
        amount = read_coins(line[1].strip(), locale)
        if amount is None:
            refuse_asked(Code.INVALID_AMOUNT, row=number, limit=COINS_MAX)
        rows[identity] = Target(identity, amount)
    return tuple(rows.values())


def written(rows: Iterable[Sequence[str | int | None]]) -> bytes:
    """Rows as CSV, with a mark for spreadsheets that it is UTF-8. Texts that look like formulas are disarmed by an
    apostrophe; numbers are the bot's own and stay numbers."""
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet)
    for row in rows:
        writer.writerow([_disarmed(cell) if isinstance(cell, str) else cell for cell in row])
    return sheet.getvalue().encode("utf-8-sig")


def _disarmed(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
