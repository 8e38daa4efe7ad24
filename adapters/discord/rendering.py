"""A reply -> what Discord shows. Pure; escapes everything, and pings only whom the reply addresses.

Sentences are plain content. What holds a table or a picture, or is long, becomes a layout of components, which reads
better than an embed and takes more text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

from msgspec import Struct
from rich.cells import cell_len

from adapters.contract import Button, File, Line, Listing, Name, Node, Picture, Plain, Reply, Span, Strong, Table
from adapters.discord.settings import PLATFORM

Component = dict[str, Any]

CONTENT_MAX: Final = 2_000
LAYOUT_MAX: Final = 4_000
"""Characters of all texts of one message's components together."""
COMPONENTS_MAX: Final = 40
"""Counting those inside others."""
ROWS_MAX: Final = 5
ROW_MAX: Final = 5
LABEL_MAX: Final = 80
CUSTOM_ID_MAX: Final = 100
FILES_MAX: Final = 10
DESCRIPTION_MAX: Final = 1_024
PINGS_MAX: Final = 100
"""People that one message may ping; Discord refuses the whole message for one more."""

FROM: Final = "g:"
"""Before any other data, in direct messages: the place that the button means."""

_ACTION_ROW, _BUTTON, _TEXT, _GALLERY, _FILE, _CONTAINER = 1, 2, 10, 12, 13, 17
_PRIMARY, _SECONDARY = 1, 2

_MARKUP = re.compile(r"[\\*_~|`<\[\]]|(?<=https)[:]|(?<=http)[:]|@(?=everyone|here)")
_AT_START = re.compile(r"^(\s*)([#>+-]|[0-9]+(?=[.)]))", re.MULTILINE)
_BREAKS = re.compile(r"[\n\r\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_FENCE = re.compile(r"`{3,}")
_SUFFIX = re.compile(r" \(….{1,4}\)$")
_GAP = "  "
_NOTHING = "\u200b"
_REST = "reply.txt"


class Upload(Struct, frozen=True):
    """A file to be sent with a message; `words` describe a picture."""

    name: str
    content: bytes
    words: str = ""


class Sheet(Struct, frozen=True):
    """A reply as Discord gets it: content with rows of buttons, or a layout that holds everything.

    `pings` are the ids of the people who are told of it.
    """

    content: str | None
    components: list[Component]
    uploads: tuple[Upload, ...]
    pings: tuple[int, ...]

    @property
    def is_layout(self) -> bool:
        return self.content is None


def from_place(place_id: int) -> str:
    """What the data of buttons stands in, in direct messages: the place that they mean. For `rendered`'s `wrap`."""
    return f"{FROM}{place_id}|{{}}"


def rendered(reply: Reply, *, layout: bool = False, wrap: str = "{}") -> Sheet:
    """The reply as a message. `layout` makes it one even where plain content would do, as a message that is one
    already cannot become another kind. `wrap` is put around the data of buttons, such as `g:1|{}`."""
    pinged = {identity.native_id for identity in reply.pings if identity.platform == PLATFORM}
    if len(pinged) > PINGS_MAX:
        # Nobody is chosen over others: all are named, and none is pinged.
        pinged = set()
    # Somebody addressed twenty times over is told once.
    pings = tuple(sorted(int(native_id) for native_id in pinged))
    uploads = tuple(_uploads(reply.nodes))[:FILES_MAX]
    if not layout and not any(isinstance(node, Table | Picture) for node in reply.nodes):
        text = "\n".join(_texts(reply.nodes, pinged))
        if len(text) <= CONTENT_MAX:
            # Discord takes no message without a word in it.
            return Sheet(text if text.strip() or uploads else _NOTHING, _rows(reply.buttons, wrap), uploads, pings)
    return _layout(reply, pinged, uploads, pings, wrap)


def _layout(reply: Reply, pinged: set[str], uploads: tuple[Upload, ...], pings: tuple[int, ...], wrap: str) -> Sheet:
    inside: list[Component] = []
    left = LAYOUT_MAX
    lines: list[str] = []
    is_cut = False

    def flush() -> None:
        nonlocal left, is_cut
        if not lines:
            return
        text, fits = _fitting("\n".join(lines), left)
        lines.clear()
        is_cut |= not fits
        if text.strip():
            left -= len(text)
            inside.append({"type": _TEXT, "content": text})

    for node in reply.nodes:
        match node:
            case Table():
                flush()
                fenced, fits = _fenced(node, left)
                is_cut |= not fits
                if fenced:
                    left -= len(fenced)
                    inside.append({"type": _TEXT, "content": fenced})
            case Picture():
                flush()
                name = next(upload.name for upload in uploads if upload.content is node.png)
                item = {"media": {"url": f"attachment://{name}"}, "description": node.words[:DESCRIPTION_MAX]}
                inside.append({"type": _GALLERY, "items": [item]})
            case File():
                flush()
            case Line() | Listing():
                lines += _texts([node], pinged)
            case never:
                assert_never(never)
    flush()
    if is_cut:
        uploads = (*uploads[: FILES_MAX - 1], Upload(_REST, plain(reply).encode()))
    pictured = {node.png for node in reply.nodes if isinstance(node, Picture)}
    shown = [upload for upload in uploads if upload.content not in pictured]
    inside += [{"type": _FILE, "file": {"url": f"attachment://{upload.name}"}} for upload in shown]
    inside += _rows(reply.buttons, wrap)
    return Sheet(None, [{"type": _CONTAINER, "components": inside}], uploads, pings)


def _rows(buttons: Sequence[Button], wrap: str) -> list[Component]:
    """Rows of buttons, five each."""
    drawn = [_button(button, wrap) for button in buttons[: ROWS_MAX * ROW_MAX]]
    return [
        {"type": _ACTION_ROW, "components": drawn[start : start + ROW_MAX]} for start in range(0, len(drawn), ROW_MAX)
    ]


def _button(button: Button, wrap: str) -> Component:
    # What changes something stands out from what only looks.
    style = _SECONDARY if button.data.startswith(("q:", "t:", "a:", "m:")) else _PRIMARY
    return {
        "type": _BUTTON,
        "style": style,
        "label": _one_line(button.label)[:LABEL_MAX],
        "custom_id": wrap.format(button.data),
    }


# --- texts ----------------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """`text` as Discord shows it unchanged within a line: no mark-up, no link, no mention."""
    return _MARKUP.sub(r"\\\g<0>", _one_line(text))


def _at_start(found: re.Match[str]) -> str:
    """What would make a heading, a quote or a list at the start of a line."""
    return f"{found[1]}{found[2]}\\" if found[2][0].isdigit() else f"{found[1]}\\{found[2]}"


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return _COMMANDS.sub("", _BREAKS.sub(" ", text))


def _texts(nodes: Iterable[Node], pinged: set[str]) -> list[str]:
    """The lines of nodes that are text."""
    lines: list[str] = []
    for node in nodes:
        match node:
            case Line():
                lines.append(_line(node, pinged))
            case Listing():
                lines += [f"- {_line(item, pinged)}" for item in node.items]
            case Table() | Picture() | File():
                continue
            case never:
                assert_never(never)
    return lines


def _line(line: Line, pinged: set[str]) -> str:
    text = "".join(_span(span, pinged) for span in line.spans)
    # Only where a line begins do these mean something, so it is looked at as a whole.
    return _AT_START.sub(_at_start, text)


def _span(span: Span, pinged: set[str]) -> str:
    match span:
        case Plain(text=text):
            return escaped(text)
        case Strong(text=text):
            return f"**{escaped(text)}**"
        case Name(text=text, identity=identity):
            if identity is not None and identity.platform == PLATFORM and identity.native_id in pinged:
                # Only a mention reaches whom it names; the sign of a look-alike stays beside it.
                suffix = _SUFFIX.search(text)
                return f"<@{identity.native_id}>{escaped(suffix[0]) if suffix else ''}"
            return escaped(text)
        case never:
            assert_never(never)


def _fitting(text: str, room: int) -> tuple[str, bool]:
    """As many whole lines as there is room for, and whether that is all of it."""
    if len(text) <= room:
        return text, True
    kept: list[str] = []
    for line in text.split("\n"):
        room -= len(line) + 1
        if room < 2:
            break
        kept.append(line)
    return "\n".join([*kept, "…"]) if kept else "", False


# --- tables ---------------------------------------------------------------------------------------------------------


def _fenced(table: Table, room: int) -> tuple[str, bool]:
    fence = "```"
    text, fits = _fitting("\n".join(tabulated(table)), room - 2 * len(fence) - 2)
    return (f"{fence}\n{text}\n{fence}" if text else ""), fits


def tabulated(table: Table) -> list[str]:
    """A table's lines in columns, for letters that are all as wide."""
    rows = [[_cell(cell) for cell in row] for row in (table.headings, *table.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = [_table_row(row, widths, table.right_aligned) for row in rows]
    return lines if any(table.headings) else lines[1:]


def _cell(text: str) -> str:
    return _FENCE.sub(lambda found: "\u200b".join(found[0]), _one_line(text))


def _table_row(cells: Sequence[str], widths: Sequence[int], right_aligned: Sequence[int]) -> str:
    padded = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        padding = " " * (width - cell_len(cell))
        padded.append(padding + cell if column in right_aligned else cell + padding)
    return _GAP.join(padded).rstrip()


# --- files ----------------------------------------------------------------------------------------------------------


def _uploads(nodes: Iterable[Node]) -> Iterable[Upload]:
    for number, node in enumerate(nodes):
        match node:
            case File(name=name, content=content):
                yield Upload(_file_name(name), content)
            case Picture(png=png, words=words):
                yield Upload(f"picture-{number}.png", png, words)
            case Line() | Table() | Listing():
                continue
            case never:
                assert_never(never)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "file"


def plain(reply: Reply) -> str:
    """All that a reply says, without mark-up."""
    lines: list[str] = []
    for node in reply.nodes:
        match node:
            case Line():
                lines.append(_plain(node))
            case Listing():
                lines += [f"- {_plain(item)}" for item in node.items]
            case Table():
                lines += tabulated(node)
            case Picture(words=words):
                lines.append(words)
            case File(name=name):
                lines.append(f"[{name}]")
            case never:
                assert_never(never)
    return "\n".join(lines)


def _plain(line: Line) -> str:
    return "".join(_one_line(span.text) for span in line.spans)
