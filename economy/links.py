"""A person's identities: which are one person's, and by which code two of them are being joined. Pure.

A person who is joined to another goes on as that one. In each community where both were members, the member who went
keeps one flag, `SUCCESSOR`, and everything else is the successor's. Members' ids stand in entries for good, so a
successor is known under earlier ids as well (`former_ids`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from economy.values import Identity, MemberId

SUCCESSOR: Final = "successor"
"""Flag of a member who went on as another: the other's id. It always leads to somebody who did not go on themself."""

LINKS: Final = "links"
"""Flag of a member whose identities changed, by which a process sees that what it has in mind is out of date: the ids
that went on as this one, and, below zero, of those who left it."""

APART: Final = "apart"
"""Flag of a member who left another: the ids of that one. Whoever had blocked that one has blocked this one."""

CODE_FOR: Final = timedelta(minutes=10)
GUESSES_MAX: Final = 5
"""Wrong codes that an identity may enter in `CODE_FOR`."""

CODE_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are taken for one another, 0 and O, 1 and I."""
CODE_LENGTH: Final = 8

IDENTITIES_MAX: Final = 10
COMMUNITIES_MAX: Final = 500
"""In how many communities a person may be a member to be joined: all of it is one transaction."""


class JoinCode(Struct, frozen=True):
    """A one-time code. `owner` asked for it; `other` entered it and agreed, None while nobody did.

    Names are as the door knew them at that moment, since neither has to be known where the other speaks.
    """

    owner: Identity
    name: str
    code: str
    expires: datetime
    other: Identity | None = None
    other_name: str = ""

    def holds(self, now: datetime) -> bool:
        return now < self.expires


class Linking(Struct, frozen=True):
    """What an order about identities sees beyond its community.

    `fresh` is a code that nobody has. `own` is the code that the actor's identity asked for, `entered` the one that was
    given. `stays` and `goes` are the persons behind the two identities of a code: the one known longer stays.
    `newcomers` are persons to be, one for each identity that leaves.
    """

    fresh: str
    own: JoinCode | None = None
    entered: JoinCode | None = None
    guesses: int = 0
    identities: tuple[Identity, ...] = ()
    """All of the actor's."""
    communities: int = 0
    """In how many communities the actor is a member."""
    joined_identities: int = 0
    """How many one person would have."""
    moved_communities: int = 0
    """In how many communities something would move."""
    stays: MemberId = MemberId(0)
    goes: MemberId = MemberId(0)
    newcomers: tuple[MemberId, ...] = ()


def former_ids(links: object) -> tuple[MemberId, ...]:
    """The ids of those who went on as the member with this `LINKS`, or those in `APART`."""
    if not isinstance(links, str):
        return ()
    return tuple(MemberId(int(word)) for word in links.split() if not word.startswith("-"))


def with_links(links: object, *ids: int) -> str:
    """`LINKS` with more ids; below zero for who left."""
    return " ".join([*(links.split() if isinstance(links, str) else ()), *map(str, ids)])


def plain_code(text: str) -> str:
    """A code as it is kept, of however it was typed; not necessarily one that there is."""
    return "".join(character for character in text.upper() if character.isalnum())


def shown_code(code: str) -> str:
    """A code as people read it: `7Q4K-M2XD`."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"
