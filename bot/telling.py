"""What a topic says of a receipt, before it becomes a `Reply`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import get_type_hints

from msgspec import Struct

from adapters.contract import Button, FieldValue, Node
from economy.ledger import Taken
from economy.refusals import Refusal
from economy.values import EntryNumber, Identity, MemberId, receipt_id


class Done(Struct, frozen=True, kw_only=True):
    """What surrounds a receipt when it is told: the words that came with it, when, and under which number.

    `note` is what the sender wrote beside it, `code` what was drawn to be handed on. `number` is None where no entry
    was written. `why` is set while the economy asks first.
    """

    at: datetime
    time_zone: str = "UTC"
    number: EntryNumber | None = None
    note: str = ""
    why: tuple[str, ...] = ()
    code: str = ""

    @property
    def receipt_id(self) -> str | None:
        return None if self.number is None else receipt_id(self.number)


class Telling(Struct, frozen=True, kw_only=True):
    """Nodes for people, fields for scripts, and who is addressed. See `Reply` for each."""

    nodes: tuple[Node, ...]
    fields: dict[str, FieldValue] = {}
    buttons: tuple[Button, ...] = ()
    pings: tuple[Identity, ...] = ()
    replaces: str | None = None


def members_in(value: object) -> set[MemberId]:
    """Every member that a receipt or refusal names."""
    return set(_members(value))


def _members(value: object) -> Iterator[MemberId]:
    if isinstance(value, Refusal):
        for name, field in value.fields.items():
            if name.endswith("_id") and type(field) is int:
                yield MemberId(field)
    elif isinstance(value, Taken):
        yield from (MemberId(owner) for owner in (value.holder, value.giver) if owner > 0)
    elif isinstance(value, Struct):
        for name, hint in _hints(type(value)).items():
            found = getattr(value, name)
            if hint in _MEMBER_HINTS:
                yield from (member for member in _as_tuple(found) if member > 0)
            elif isinstance(found, Struct | tuple):
                yield from _members(found)
    elif isinstance(value, tuple):
        for item in value:
            yield from _members(item)


_MEMBER_HINTS: tuple[object, ...] = (MemberId, MemberId | None, tuple[MemberId, ...])


@cache
def _hints(kind: type) -> dict[str, object]:
    """The fields that may name members, or hold what does: not those of a plain type such as `str`."""
    return {
        name: hint
        for name, hint in get_type_hints(kind).items()
        if not name.startswith("__") and not (isinstance(hint, type) and not issubclass(hint, Struct))
    }


def _as_tuple(found: object) -> Sequence[MemberId]:
    if found is None:
        return ()
    return found if isinstance(found, tuple) else (found,)
