"""Who stands in a receipt, and who stands there by now, where somebody went on as another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from economy.ledger import Taken
from economy.values import MemberId

S = TypeVar("S", bound=Struct)

_MEMBER: tuple[object, ...] = (MemberId, MemberId | None)
_MEMBERS: object = tuple[MemberId, ...]


def members_in(value: object) -> Iterator[MemberId]:
    """Every member that a receipt, or a part of one, names; some more than once."""
    match value:
        case Taken(holder=holder, giver=giver):
            yield from (MemberId(owner) for owner in (holder, giver) if owner > 0)
        case Struct():
            for name, hint in hints_of(type(value)).items():
                found = getattr(value, name)
                if hint in _MEMBER:
                    yield from (member for member in (found,) if member)
                elif hint == _MEMBERS:
                    yield from found
                else:
                    yield from members_in(found)
        case tuple():
            for item in value:
                yield from members_in(item)
        case _:
            pass


def renamed(value: S, heirs: Mapping[MemberId, MemberId]) -> S:
    """A receipt with whoever went on as another named as that one."""
    found: S = _renamed(value, heirs) if heirs else value
    return found


def _renamed(value: Any, heirs: Mapping[MemberId, MemberId]) -> Any:
    match value:
        case Taken(holder=holder, giver=giver):
            now = {"holder": heirs.get(MemberId(holder), holder), "giver": heirs.get(MemberId(giver), giver)}
            return msgspec.structs.replace(value, **now)
        case Struct():
            changed = {name: _field(getattr(value, name), hint, heirs) for name, hint in hints_of(type(value)).items()}
            return msgspec.structs.replace(value, **changed)
        case tuple():
            return tuple(_renamed(item, heirs) for item in value)
        case _:
            return value


def _field(found: Any, hint: object, heirs: Mapping[MemberId, MemberId]) -> Any:
    if hint in _MEMBER:
        return heirs.get(found, found)
    if hint == _MEMBERS:
        return tuple(heirs.get(member, member) for member in found)
    return _renamed(found, heirs)


@cache
def hints_of(kind: type) -> dict[str, object]:
    """The fields that may name members, or hold what does: not those of a plain type such as `str`."""
    return {
        name: hint
        for name, hint in get_type_hints(kind).items()
        if not name.startswith("__") and not (isinstance(hint, type) and not issubclass(hint, Struct))
    }
