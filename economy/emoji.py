"""What a platform has as one reaction: a single emoji, and no letter of any script. Pure."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import category

_JOINER: Final = "\u200d"
_KEYCAP: Final = re.compile("[0-9#*]\ufe0f?\u20e3")
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
# How the one before is drawn, its skin, and the tags of a region's flag.
_ADDED: Final = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]+")
_SYMBOLS: Final = frozenset({"So", "Sm", "Sk"})
_AS_WELL: Final = frozenset("\u203c\u2049\u2139\u3030\u303d")
"""Emoji that are letters or punctuation by their category: \u203c \u2049 \u2139 \u3030 \u303d."""
_FIRST: Final = "\u2000"
"""Below this only these two: what else is a symbol there stands on keyboards."""
_BELOW: Final = frozenset("\u00a9\u00ae")


def is_emoji(text: str) -> bool:
    """Whether `text` is one emoji, which may be several joined to one picture. How it is drawn is no part of it. Newer
    ones than Python knows are taken for emoji."""
    if _KEYCAP.fullmatch(text) or _FLAG.fullmatch(text):
        return True
    return bool(text) and all(_is_picture(part) for part in text.split(_JOINER))


def _is_picture(part: str) -> bool:
    """Whether this is one character with no more than how it is to be drawn."""
    if not part or not (len(part) == 1 or _ADDED.fullmatch(part[1:])):
        return False
    first = part[0]
    if first in _AS_WELL or first in _BELOW:
        return True
    return first >= _FIRST and (category(first) in _SYMBOLS or (category(first) == "Cn" and first >= "\U0001f000"))
