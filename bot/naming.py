"""Names as they came from a platform, made inert: no mention, no control, no trick of direction or stacking. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from economy.views import Shown

NAME_LENGTH_MAX = 32
"""In base characters, with what is put on them."""

MARKS_MAX = 2
"""The most combining marks on one base character."""

NOBODY = "someone"

_FSI, _PDI = "\u2068", "\u2069"
_JOINER = "\u200d"
_UNSEEN_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
"""Letters and marks that show nothing, beside the control and format characters."""

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_SUFFIX_LENGTH = 4


@lru_cache(maxsize=8192)
def inert(name: str) -> str:
    """`name` as it may stand in any text: in NFC, at most 32 characters, none of them able to mention, hide, stack
    or turn the text around; `someone` if nothing is left."""
    kept: list[str] = []
    bases = marks = 0
    for position, character in enumerate(spelled := unicodedata.normalize("NFC", name[:1_000])):
        kind = unicodedata.category(character)
        if character == _JOINER and _joins_emoji(spelled, position):
            kept.append(character)
        elif kind in _DROPPED or character in _UNSEEN_LETTERS:
            continue
        elif kind.startswith("M"):
            marks += 1
            if kept and marks <= MARKS_MAX:
                kept.append(character)
        else:
            bases, marks = bases + 1, 0
            if bases > NAME_LENGTH_MAX:
                break
            kept.append(" " if kind in _SPACES else character)
    # A leading @ could mention; one inside is shown as its wide twin, which cannot.
    plain = " ".join("".join(kept).split()).lstrip("@ ").replace("@", "\uff20")
    return plain or NOBODY


def _joins_emoji(text: str, position: int) -> bool:
    """Whether the joiner at `position` holds an emoji together, as in a family."""
    before = text[position - 1] if position else ""
    if before == "\ufe0f":
        before = text[position - 2] if position > 1 else ""
    after = text[position + 1 : position + 2]
    return (
        bool(before and after)
        and unicodedata.category(before) in ("So", "Sk")
        and unicodedata.category(after) in ("So", "Sk")
    )


def is_right_to_left(text: str) -> bool:
    """Whether any letter of it runs from right to left."""
    return any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)


def isolated(text: str) -> str:
    """`text`, kept from turning around what stands beside it."""
    return f"{_FSI}{text}{_PDI}" if is_right_to_left(text) else text


@lru_cache(maxsize=8192)
def shown_text(shown: Shown) -> str:
    """A member's name for a text: inert, isolated where it runs from right to left, and with the end of the native
    id where it looks like the owner's or a creator's."""
    suffix = inert(shown.suffix)[-_SUFFIX_LENGTH:] if shown.suffix else ""
    return isolated(inert(shown.name)) + (f" (…{suffix})" if suffix else "")
