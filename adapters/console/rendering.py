"""A reply -> plain lines, coloured text or a JSON object. Nothing here reaches a terminal that could command it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import assert_never

from rich.cells import cell_len
from rich.text import Text

from adapters.contract import File, Line, Listing, Name, Node, Picture, Plain, Reply, Span, Strong, Table

_BREAKS = re.compile(r"[\n\r\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\ud800-\udfff]")
_ESCAPED_IN_JSON = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_BULLET = "- "
_GAP = "  "


def inert(text: str) -> str:
    """`text` on one line, without anything that a terminal would obey.

    Wording made names inert already; this holds if it ever fails to. Isolates stay: they keep a name in its place.
    """
    return _COMMANDS.sub("", _BREAKS.sub(" ", text))


# --- plain ----------------------------------------------------------------------------------------------------------


def plain(reply: Reply) -> str:
    """The reply's text, lines divided by line feeds. Files stand as `[file NAME]`, pictures as their words."""
    return "\n".join(line.plain for line in painted(reply.nodes))


def labels(reply: Reply) -> list[str]:
    return [inert(button.label) for button in reply.buttons]


def record(line: int, person: str, place: str | None, reply: Reply) -> str:
    """The reply as a JSON object on one line. `place` is where it was said, None in private."""
    answer = {
        "line": line,
        "person": inert(person),
        "place": None if place is None else inert(place),
        "command": reply.command,
        "outcome": reply.outcome,
        "code": reply.code,
        "receipt": reply.receipt,
        "fields": reply.fields,
        "visibility": reply.visibility.value,
        "text": plain(reply),
        "buttons": labels(reply),
    }
    text = json.dumps(answer, ensure_ascii=False)
    return _ESCAPED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


# --- coloured -------------------------------------------------------------------------------------------------------


def painted(nodes: Iterable[Node]) -> list[Text]:
    """The nodes line by line, with styles that a terminal in colour shows and plain text forgets."""
    return [line for node in nodes for line in _painted_node(node)]


def _painted_node(node: Node) -> list[Text]:
    match node:
        case Line():
            return [_painted_line(node)]
        case Table():
            return _painted_table(node)
        case Listing():
            return [Text(_BULLET, "dim").append_text(_painted_line(item)) for item in node.items]
        case File():
            return [Text(f"[file {inert(node.name)}]", "magenta")]
        case Picture():
            return [Text(inert(line)) for line in node.words.split("\n")]
        case never:
            assert_never(never)


def _painted_line(line: Line) -> Text:
    return Text().join([_painted_span(span) for span in line.spans])


def _painted_span(span: Span) -> Text:
    match span:
        case Plain():
            return Text(inert(span.text))
        case Strong():
            return Text(inert(span.text), "bold")
        case Name():
            return Text(inert(span.text), "cyan")
        case never:
            assert_never(never)


def _painted_table(table: Table) -> list[Text]:
    rows = [[inert(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [_row(row, widths, table.right_aligned) for row in rows]
    headings = [Text(lines[0], "bold")] if any(table.headings) else []
    return headings + [Text(line) for line in lines[1:]]


def _row(cells: Sequence[str], widths: Sequence[int], right_aligned: Sequence[int]) -> str:
    padded = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        # Cells on a terminal, not characters: a wide or joined one would push its row out of line.
        padding = " " * (width - cell_len(cell))
        padded.append(padding + cell if column in right_aligned else cell + padding)
    return _GAP.join(padded).rstrip()
