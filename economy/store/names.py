"""Display names as the store keeps them."""

from __future__ import annotations

NAME_LENGTH_MAX = 128


def storable(name: str) -> str:
    """`name` without what a database refuses (NUL, lone surrogates), cut to a length that any platform keeps to."""
    return name.encode("utf-8", "ignore").decode().replace("\0", "")[:NAME_LENGTH_MAX]
