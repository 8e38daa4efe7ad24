"""Buttons that turn pages: each carries the command line of the page that it shows."""

from __future__ import annotations

from adapters.contract import BUTTON_DATA_BYTES_MAX, Button
from bot.wording import Words

LOOK = "q:"
"""Begins the data of a button that only looks; a command line follows."""


def look(label: str, line: str) -> Button:
    """A button that gives a command which changes nothing."""
    return Button(label=label, data=f"{LOOK}{line}")


def page_buttons(line: str, page: int, words: Words, *, has_more: bool, named: bool = False) -> tuple[Button, ...]:
    """Back and next, as far as there are such pages. `named`: the page is written `page:2`, as another number may
    stand before it. A line that is too long for a button has none."""
    written = f"{line} page:{{}}" if named else f"{line} {{}}"
    turns = []
    if page > 1:
        turns.append(look(words.text("Back"), written.format(page - 1)))
    if has_more:
        turns.append(look(words.text("Next"), written.format(page + 1)))
    return tuple(button for button in turns if len(button.data.encode()) <= BUTTON_DATA_BYTES_MAX)
