"""Columns of many values as PostgreSQL reads arrays from text.

The driver's own arrays ask of every element whether it is an array itself, which costs more than all the rest of a
batch; joined by the interpreter, a column costs a tenth of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_END: Final = "\x01"
_BETWEEN: Final = '","'


def parameter(place: int, of: str) -> str:
    """Parameter `place` of a statement as an array of the type `of`, out of what `array_text` makes."""
    return f"CAST(CAST(${place} AS text) AS {of}[])"


def array_text(values: Sequence[Any]) -> str:
    """`values` as the text of an array: all of them numbers, booleans or texts, None among them as NULL."""
    if None in values:
        return f"{{{','.join(['NULL' if value is None else _element(value) for value in values])}}}"
    if not values or not isinstance(values[0], str):
        # As plain numbers: a subclass may show itself otherwise, and a boolean reads 0 and 1 as well.
        return f"{{{','.join(map(int.__repr__, values))}}}"
    joined = _END.join(values)
    if joined.count(_END) >= len(values):
        return f"{{{','.join(map(_element, values))}}}"
    return f'{{"{_escaped(joined).replace(_END, _BETWEEN)}"}}'


def _element(value: Any) -> str:
    return f'"{_escaped(value)}"' if isinstance(value, str) else int.__repr__(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
