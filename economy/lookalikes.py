"""What makes two texts look alike to a reader. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data


@lru_cache(maxsize=8_192)
def skeleton(name: str) -> str:
    """What `name` looks like: equal for names that readers take for one another.

    Case, marks, white space and invisible characters do not count; look-alikes (Cyrillic a, Greek o, 1 for l) become
    the Latin letter they resemble.
    """
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(_looks_like(character) for character in folded if _is_seen(character))


def _is_seen(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZM"


@lru_cache(maxsize=4_096)
def _looks_like(character: str) -> str:
    if character in _DIGITS:
        return _DIGITS[character]
    if character.isascii():
        return character
    for alike in confusables_data.get(character, ()):
        found = str(alike["c"])
        if found.isascii() and found.isalnum():
            return "".join(_DIGITS.get(each, each) for each in found.casefold())
    return character


# Letters and digits that are one stroke in many fonts, each folded to one of its group.
_DIGITS = {"0": "o", "1": "l", "i": "l", "|": "l", "5": "s"}
