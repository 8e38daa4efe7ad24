"""What a topic says of a receipt, before it becomes a `Reply`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from adapters.contract import Button, FieldValue, Node
from economy import succession
from economy.refusals import Refusal
from economy.values import EntryNumber, Identity, MemberId, receipt_id


class Done(Struct, frozen=True, kw_only=True):
    """What surrounds a receipt when it is told: the words that came with it, when, and under which number.

    `note` is what the sender wrote beside it; `waits_for` is whom coins wait for, as the sender named them; `code` what
    was drawn to be handed on. `number` is None where no entry was written. `why` is set while the economy asks first.
    """

    at: datetime
    time_zone: str = "UTC"
    number: EntryNumber | None = None
    note: str = ""
    why: tuple[str, ...] = ()
    code: str = ""
    waits_for: str = ""

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
    if isinstance(value, Refusal):
        fields = value.fields.items()
        return {MemberId(field) for name, field in fields if name.endswith("_id") and type(field) is int}
    return {member for member in succession.members_in(value) if member > 0}
