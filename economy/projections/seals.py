"""Seals: a chain of digests over consecutive ranges of entries, by which a change behind Florin's back is seen. Pure.

What is digested names nobody: members by their ids, and neither keys (which hold the platforms' ids) nor reasons,
notes or names. So identities and texts can be removed, and every seal still holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

GENESIS: Final = ""
"""What stands where the first seal would have the digest before it."""

_json: Final = msgspec.json.Encoder()


class SealedEntry(Struct, frozen=True, array_like=True, gc=False):
    """What of an entry is sealed, as stored: `receipt` and the facts' values are their JSON text.

    Each posting is (leg, source, destination, asset, amount, source after, destination after), each fact (subject,
    name, before, after), both in the order of the entry. `undoes` are the numbers of the entries that it took back,
    ascending.
    """

    number: int
    kind: str
    actor: int
    at_us: int
    time_zone: str
    receipt: str
    postings: Sequence[Sequence[int | str | None]]
    facts: Sequence[Sequence[int | str]]
    undoes: Sequence[int]


class Seal(Struct, frozen=True):
    """The entries from `first` to `last`, both included, of one community, and all seals before.

    Seals are numbered from 1 without gaps. `digest` is 64 hexadecimal digits.
    """

    number: int
    first: int
    last: int
    digest: str


def canonical(entry: SealedEntry) -> bytes:
    """The entry as JSON in the canonical form of RFC 8785: arrays, whole numbers, strings, null; no white space."""
    return _json.encode(entry)


class Sealing:
    """Digests one range of entries, which are taken in order. `before` is the digest of the seal before it."""

    def __init__(self, community: int, number: int, first: int, before: str) -> None:
        self._number = number
        self._first = first
        self._last = first - 1
        self._hash = hashlib.sha256(_json.encode(["seal", community, number, first, before]))

    @property
    def last(self) -> int:
        """The number of the last entry that was taken; the one before the first, while none was."""
        return self._last

    def take(self, entries: Iterable[SealedEntry]) -> None:
        """Takes the next entries, each of which follows the one before by 1."""
        update = self._hash.update
        for entry in entries:
            # The line's end is in no JSON: without it two entries could be cut otherwise.
            update(canonical(entry) + b"\n")
            self._last = entry.number

    def seal(self) -> Seal:
        return Seal(self._number, self._first, self._last, self._hash.hexdigest())
