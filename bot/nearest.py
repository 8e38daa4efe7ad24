"""What somebody may have meant who mistyped a name. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LENGTH_MAX = 40
MEANT_MAX = 3
LIKENESS_MIN = 0.75
"""Of 1: below it a guess is more of a riddle than a help."""


def nearest(typed: str, known: Iterable[str]) -> list[str]:
    """The names that are like what was typed, likest first: `hlep` -> `help`, `tpi` -> `tip`. Mostly none or one."""
    typed, names = typed[:LENGTH_MAX], list(known)
    swapped = [name for name in names if sorted(name) == sorted(typed)]
    like = difflib.get_close_matches(typed, names, n=MEANT_MAX, cutoff=LIKENESS_MIN)
    return list(dict.fromkeys([*swapped, *like]))[:MEANT_MAX]
