"""What a person sees of a message on Discord: its marks made into what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.adapters.discord.checks import nested

_MARKS = re.compile(
    r"\\(?P<escaped>[^0-9A-Za-z\s])"
    r"|(?P<strong>\*\*)"
    r"|<@!?(?P<user>[0-9]+)>"
    r"|(?P<mark>\*|__?|~~|\|\||`|\]\(|https?:|<[#:a])"
)
_LINE_MARK = re.compile(r"^\s*(#{1,3} |-# |> |>>> |\* |[0-9]+[.)] )")


def lines_of(message: dict[str, Any], name_of: Callable[[int], str]) -> list[str]:
    """The message's lines. Fails where something that people wrote would be taken for mark-up."""
    lines: list[str] = []
    if message["content"]:
        lines += _text(message["content"], name_of)
    for component in nested(message["components"]):
        match component["type"]:
            case 10:
                lines += _text(component["content"], name_of)
            case 12:
                lines += [line for item in component["items"] for line in item["description"].split("\n")]
            case _:
                pass
    pictured = {item["media"]["url"] for each in nested(message["components"]) for item in each.get("items") or ()}
    lines += [f"[file {each['filename']}]" for each in message["attachments"] if each["url"] not in pictured]
    return lines


def labels_of(message: dict[str, Any]) -> list[str]:
    """The labels of its buttons."""
    return [each["label"] for each in nested(message["components"]) if each["type"] == 2]


def _text(text: str, name_of: Callable[[int], str]) -> list[str]:
    lines: list[str] = []
    in_block = False
    for line in text.split("\n"):
        if line == "```":
            in_block = not in_block
        elif in_block:
            assert "```" not in line
            lines.append(line)
        else:
            lines.append(_line(line, name_of))
    assert not in_block
    return lines


def _line(line: str, name_of: Callable[[int], str]) -> str:
    assert _LINE_MARK.match(line) is None, f"mark-up at the start of {line!r}"
    strong = 0

    def shown(found: re.Match[str]) -> str:
        nonlocal strong
        if found["escaped"]:
            return found["escaped"]
        if found["strong"]:
            strong += 1
            return ""
        if found["user"]:
            return name_of(int(found["user"]))
        raise AssertionError(f"mark-up {found['mark']!r} in {line!r}")

    seen = _MARKS.sub(shown, line)
    assert strong % 2 == 0, f"mark-up that does not end in {line!r}"
    return seen
