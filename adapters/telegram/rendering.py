"""Reply nodes -> Telegram's HTML, and the same as plain text. Pure.

Nothing that people wrote is ever markup here: every text is escaped, whatever wording did with it before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final, TypeGuard, assert_never

from msgspec import Struct
from rich.cells import cell_len

from adapters.contract import File, Line, Listing, Name, Node, Picture, Plain, Span, Strong, Table
from economy.service import Identity

TEXT_UNITS_MAX: Final = 4096
"""UTF-16 units of a message, counted after its markup is taken out."""

PLATFORM: Final = "telegram"
BULLET: Final = "- "
_GAP: Final = "  "
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"[\n\r\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")

Words = Callable[[str], str]
"""Changes a text of ours before it is escaped, such as `/tip` to `/tip@bot`."""


def as_they_are(text: str) -> str:
    return text


def units(text: str) -> int:
    """How long Telegram takes a text to be: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def inert(text: str) -> str:
    """`text` on one line, without what Telegram refuses or would show as something else."""
    return _UNSENDABLE.sub("", _BREAKS.sub(" ", text))


class Written(Struct, frozen=True):
    """One line, or the rows of one table: as HTML, and as plain text for where HTML is refused."""

    html: str
    plain: str


class Addressing:
    """Lets our own words name commands as they have to be written where the bot sees only what is addressed to it."""

    def __init__(self, commands: Iterable[str], handle: str) -> None:
        names = "|".join(sorted(map(re.escape, commands), key=len, reverse=True))
        # Not inside a path, an address or another word.
        self._command = re.compile(rf"(?<![\w/.@:])/({names})(?![\w@/])")
        self._to = rf"/\1@{handle}"

    def __call__(self, text: str) -> str:
        return self._command.sub(self._to, text)


# --- nodes ----------------------------------------------------------------------------------------------------------


def written(nodes: Iterable[Node], *, pings: Iterable[Identity] = (), words: Words = as_they_are) -> list[Written]:
    """The nodes in order, with links to those in `pings` alone: a link to somebody notifies them.

    Files leave their names and pictures their words: the files themselves are sent beside them.
    """
    writing = _Writing(frozenset(pings), words)
    return [line for node in nodes for line in writing.node(node)]


class _Writing:
    def __init__(self, pings: frozenset[Identity], words: Words) -> None:
        self._pings = pings
        self._words = words

    def node(self, node: Node) -> list[Written]:
        match node:
            case Line():
                return [self._line(node)]
            case Table():
                return [_table(node)]
            case Listing():
                items = map(self._line, node.items)
                return [Written(BULLET + item.html, BULLET + item.plain) for item in items]
            case File():
                return [_literal(f"[file {node.name}]")]
            case Picture():
                return [_literal(line) for line in node.words.split("\n")]
            case never:
                assert_never(never)

    def _line(self, line: Line) -> Written:
        parts = [self._span(span) for span in line.spans]
        return Written("".join(part.html for part in parts), "".join(part.plain for part in parts))

    def _span(self, span: Span) -> Written:
        match span:
            case Plain(text):
                return _literal(self._words(text))
            case Strong(text):
                shown = _literal(self._words(text))
                return Written(f"<b>{shown.html}</b>", shown.plain) if shown.plain.strip() else shown
            case Name(text, identity):
                shown = _literal(text)
                if identity not in self._pings or not _is_of_telegram(identity) or not shown.plain.strip():
                    return shown
                return Written(f'<a href="tg://user?id={identity.native_id}">{shown.html}</a>', shown.plain)
            case never:
                assert_never(never)


def _literal(text: str) -> Written:
    text = inert(text)
    return Written(escape(text, quote=False), text)


def _is_of_telegram(identity: Identity | None) -> TypeGuard[Identity]:
    return identity is not None and identity.platform == PLATFORM and identity.native_id.isdigit()


def _table(table: Table) -> Written:
    """Rows of even width, by cells as a screen counts them."""
    rows = [[inert(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [_row(row, widths, table.right_aligned) for row in rows]
    text = "\n".join(lines if any(table.headings) else lines[1:])
    return Written(f"<pre>{escape(text, quote=False)}</pre>", text)


def _row(cells: Sequence[str], widths: Sequence[int], right_aligned: Sequence[int]) -> str:
    padded = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        padding = " " * (width - cell_len(cell))
        padded.append(padding + cell if column in right_aligned else cell + padding)
    return _GAP.join(padded).rstrip()


# --- messages -------------------------------------------------------------------------------------------------------


def pages(lines: Iterable[Written], most: int = TEXT_UNITS_MAX) -> list[Written]:
    """The lines put together into as few messages as hold them; what is too long for one is cut between lines, or where
    a single one is too long, within it and without its markup."""
    found: list[Written] = []
    html: list[str] = []
    plain: list[str] = []
    length = 0
    for line in (part for whole in lines for part in _fitting(whole, most)):
        more = units(line.plain) + 1
        if plain and length + more > most:
            found.append(Written("\n".join(html), "\n".join(plain)))
            html, plain, length = [], [], 0
        html.append(line.html)
        plain.append(line.plain)
        length += more
    if plain:
        found.append(Written("\n".join(html), "\n".join(plain)))
    return found


def _fitting(line: Written, most: int) -> list[Written]:
    if units(line.plain) < most:
        return [line]
    parts = list(_cut(line.plain, most - 1))
    if line.html.startswith("<pre>"):
        return [Written(f"<pre>{escape(part, quote=False)}</pre>", part) for part in parts]
    return [Written(escape(part, quote=False), part) for part in parts]


def _cut(text: str, most: int) -> Iterable[str]:
    """Pieces of at most so many units, between lines where there are some."""
    piece = ""
    for whole in text.splitlines(keepends=True):
        part = whole
        if piece and units(piece + part) > most:
            yield piece.rstrip("\n")
            piece = ""
        while units(part) > most:
            # No character has more than two units.
            head = part[: most // 2]
            yield piece + head if units(piece + head) <= most else head
            piece, part = "", part[len(head) :]
        piece += part
    if piece:
        yield piece


def short(lines: Iterable[Written], most: int) -> str:
    """Plain text for where there is little room: an alert, a description. Cut with an ellipsis."""
    text = "\n".join(line.plain for line in lines)
    if units(text) <= most:
        return text
    while units(text) > most - 1:
        text = text[: max(1, len(text) * (most - 1) // units(text)) - 1]
    return f"{text.rstrip()}…"
