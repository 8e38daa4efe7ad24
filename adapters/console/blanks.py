"""Words of an answer that a script cannot know beforehand, such as a code that is drawn.

`{name}` in an expected line takes the place of one word, which is kept; in what comes after, it stands for that word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BLANK = re.compile(r"\{([a-z_]+)\}")


class Blanks:
    """What the blanks of one script stand for."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def filled(self, text: str) -> str:
        """`text` with every word that is known by now."""
        return _BLANK.sub(lambda found: self._kept.get(found[1], found[0]), text)

    def expected(self, lines: Sequence[str], answered: Sequence[str]) -> list[str]:
        """The expected lines, with words out of those that were answered instead of them, where they fit."""
        for line, told in zip(lines, answered, strict=False):
            pattern, seen = "", set[str]()
            for place, part in enumerate(_BLANK.split(self.filled(line))):
                if place % 2 == 0:
                    pattern += re.escape(part)
                else:
                    pattern += f"(?P={part})" if part in seen else rf"(?P<{part}>\S+)"
                    seen.add(part)
            if found := re.fullmatch(pattern, told):
                self._kept.update(found.groupdict())
        return [self.filled(line) for line in lines]
