"""Buttons -> inline keyboards, and what comes back when one is pressed.

What a button carries has 64 bytes. A button in a message that others see, or in one far from its place, says so in a
head before its own data: `chat.topic.presser~o:nonce`, each a number in base 36 or nothing. It needs nothing kept, so
it works after a restart and in another process. Where head and data are too long together, the data is kept and a
token stands for it.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from msgspec import Struct
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from adapters.contract import BUTTON_DATA_BYTES_MAX, Button, Memory

DOOR: Final = "d:"
"""Begins the data of a button that this door answers itself."""

KEPT: Final = "k:"
KEPT_FOR: Final = timedelta(days=7)
A_ROW: Final = 3
LABEL_UNITS_ROW: Final = 34
"""What fits beside each other on a narrow screen, roughly."""

_DIGITS: Final = string.digits + string.ascii_lowercase
_HEAD: Final = re.compile(r"(-?[0-9a-z]{0,13})\.(-?[0-9a-z]{0,13})\.(-?[0-9a-z]{0,13})~(.*)", re.ASCII | re.DOTALL)


class Head(Struct, frozen=True):
    """Where a button belongs, and who alone may press it. Numbers are Telegram's ids."""

    chat: int | None = None
    topic: int | None = None
    presser: int | None = None


NO_HEAD: Final = Head()


def packed(head: Head, data: str) -> str:
    if head == NO_HEAD:
        return data
    parts = (head.chat, head.topic, head.presser)
    return f"{'.'.join('' if part is None else _in_36(part) for part in parts)}~{data}"


def unpacked(data: str) -> tuple[Head, str]:
    """Head and data; what has no head that can be read is all data."""
    found = _HEAD.fullmatch(data)
    if found is None:
        return NO_HEAD, data
    try:
        chat, topic, presser = (int(part, 36) if part else None for part in found.groups()[:3])
    except ValueError:
        return NO_HEAD, data
    return Head(chat, topic, presser), found[4]


def _in_36(number: int) -> str:
    sign, number = ("-", -number) if number < 0 else ("", number)
    digits = ""
    while number or not digits:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return sign + digits


async def data_of(button: Button, head: Head, memory: Memory) -> str:
    """What the button carries: at most 64 bytes."""
    data = packed(head, button.data)
    if len(data.encode()) <= BUTTON_DATA_BYTES_MAX:
        return data
    token = hashlib.sha256(data.encode()).hexdigest()[:32]
    await memory.put("button", token, data, keep=KEPT_FOR)
    return f"{KEPT}{token}"


async def head_and_data(data: str, memory: Memory) -> tuple[Head, str]:
    """The opposite of `data_of`. What was kept and is gone comes back as it came: it will be told to be expired."""
    if data.startswith(KEPT):
        data = await memory.get("button", data.removeprefix(KEPT)) or data
    return unpacked(data)


def rows(buttons: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup | None:
    """The buttons in rows as they fit; None without any."""
    if not buttons:
        return None
    found: list[list[InlineKeyboardButton]] = []
    for button in buttons:
        row = found[-1] if found else []
        if found and len(row) < A_ROW and sum(len(each.text) + 4 for each in (*row, button)) <= LABEL_UNITS_ROW:
            row.append(button)
        else:
            found.append([button])
    return InlineKeyboardMarkup(found)
