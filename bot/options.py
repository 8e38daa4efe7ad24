"""The types that a command's parameters may have, beside those of `economy.values`.

The registry reads an option's kind off its parameter's type; the parser makes the value.

| annotation | option | what a command function gets |
| --- | --- | --- |
| `Sighting` | MEMBER | the person named, or replied to where the option is required |
| `Receivers` | RECEIVERS | people, or everyone of a role |
| `Targets` | TARGETS | one member, a role, or the rows of a file |
| `AmountWord` | AMOUNT | a number, `ALL` or `HALF` |
| `Coins` | COINS | a plain number, 0 included: the rule decides about 0 |
| `Count`, `Page` | COUNT, PAGE | a number above 0 |
| `GiftName` | GIFT | the gift's slug, or what was typed where no gift is called that |
| `EntryNumber` | RECEIPT | the number behind a typed id |
| `SettingName` | SETTING | the setting's name, or what was typed |
| `datetime` | TIME | a moment in UTC |
| `Group`, `Channel` | GROUP, CHANNEL | a role or a channel of the platform's own |
| a `StrEnum`, `Literal[...]` | CHOICE | one of its values |
| `str` | WORD | one word |
| `Note`, `Reason`, `Rest` | TEXT | all that is left |
"""

from __future__ import annotations

from typing import NewType

from msgspec import Struct

from adapters.contract import Unseen
from economy.rules.adjusting import Target
from economy.values import NOTE_LENGTH_MAX, REASON_LENGTH_MAX, Note, Role, Sighting

Count = NewType("Count", int)
Page = NewType("Page", int)
GiftName = NewType("GiftName", str)
SettingName = NewType("SettingName", str)
Rest = NewType("Rest", str)

ONCE = Count(1)
FIRST_PAGE = Page(1)
PAGE_MAX = 100_000

TEXT_LENGTH_MAX: dict[object, int] = {Note: NOTE_LENGTH_MAX}
"""The most characters of a text, by its type."""


def longest(kind: object) -> int:
    """The most characters that a text of this type may have."""
    return TEXT_LENGTH_MAX.get(kind, REASON_LENGTH_MAX)


class Receivers(Struct, frozen=True):
    """Who gets it, as named: people, or everyone who holds a role. With `group` they are the holders of a role of the
    platform's own, which is called so. `unseen` are those whom nobody here has seen yet."""

    people: tuple[Sighting, ...] = ()
    role: Role | None = None
    group: str = ""
    unseen: tuple[Unseen, ...] = ()


class Targets(Struct, frozen=True):
    """Whom staff correct: one person, a role, the holders of a role of the platform's own (`holders`), or rows of a
    file, each with its own amount."""

    person: Sighting | None = None
    role: Role | None = None
    rows: tuple[Target, ...] = ()
    holders: tuple[Sighting, ...] = ()

    @property
    def from_file(self) -> bool:
        return bool(self.rows)
