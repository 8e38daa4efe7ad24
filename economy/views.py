"""What queries answer: plain values, ready for wording. Amounts are signed only where it says so."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from economy.ledger import Fact, Receipt
from economy.links import LINKS, former_ids
from economy.refusals import Value
from economy.settings import Settings
from economy.values import Asset, CommunityId, EntryNumber, Identity, MemberId, Role


class Shown(Struct, frozen=True):
    """How a member is shown: the last-seen display name, as it came. `suffix` tells a look-alike of the owner or a
    creator apart from them: the last characters of the native id, else empty."""

    member_id: MemberId
    name: str
    identity: Identity
    suffix: str = ""
    is_bot: bool = False


class Reader(Struct, frozen=True):
    """Who asks, in which community, as the store knows both. `member_id` is None for someone never seen there;
    `community_id` is None for a place never spoken in. `home`: the community that began in the place, where that joined
    another one."""

    community_id: CommunityId | None
    member_id: MemberId | None
    settings: Settings
    roles: frozenset[Role]
    flags: dict[str, Value]
    community_flags: dict[str, Value]
    home: CommunityId | None = None

    @property
    def ids(self) -> tuple[MemberId, ...]:
        """Under which they stand in entries and on buttons: their own id, and those of who went on as them."""
        return () if self.member_id is None else (self.member_id, *former_ids(self.flags.get(LINKS)))


class HeldUntil(Struct, frozen=True):
    amount: int
    day: date
    """The first local day on which the amount is available."""


class Balance(Struct, frozen=True):
    """A member's wallet. `diamond` includes what is held; `held` lists the parts on hold by day, earliest first."""

    coin: int
    bonus: int
    diamond: int
    diamond_held: int
    held: tuple[HeldUntil, ...]
    daily_claimed: bool
    earned_today: int


class HistoryRow(Struct, frozen=True):
    """One asset's change by one entry, signed. `counterparts` are the other members in it."""

    number: EntryNumber
    kind: str
    amount: int
    asset: Asset
    balance_after: int
    counterparts: tuple[MemberId, ...]
    note: str
    reason: str
    at: datetime
    undone: bool
    settled_by: str = ""
    """The kind of the entry that undid it; of what waits, that took it out of escrow."""


class HistoryPage(Struct, frozen=True):
    rows: tuple[HistoryRow, ...]
    page: int
    has_more: bool


class EntryView(Struct, frozen=True):
    """An entry as its readers may see it: `/receipt` and `/audit`. `touched` are the members it moved coins of."""

    number: EntryNumber
    kind: str
    actor: MemberId
    reason: str
    at: datetime
    time_zone: str
    receipt: Receipt
    note: str
    facts: tuple[Fact, ...]
    touched: tuple[MemberId, ...]
    undone_by: EntryNumber | None
    undoes: tuple[EntryNumber, ...]


class RefusedView(Struct, frozen=True):
    """A refusal as `/audit refused` lists it."""

    kind: str
    actor: MemberId
    code: str
    at: datetime


class AuditPage(Struct, frozen=True):
    entries: tuple[EntryView, ...]
    refused: tuple[RefusedView, ...]
    page: int
    has_more: bool


class BoardRow(Struct, frozen=True):
    """`score` is None where the member hides the amount."""

    rank: int
    member_id: MemberId
    score: int | None


class OwnRank(Struct, frozen=True):
    """Where a member stands on a board."""

    board: str
    rank: int


class BoardPage(Struct, frozen=True):
    """A page of a board. `own_rank` is None where the reader has no score above 0."""

    board: str
    period: str
    start: datetime | None
    rows: tuple[BoardRow, ...]
    page: int
    has_more: bool
    own_rank: int | None
    own_score: int


class Claim(Struct, frozen=True):
    """A tip that waits for somebody not yet seen: `name` is how they were named, without their platform."""

    number: EntryNumber
    name: str
    amount: int
    until: datetime


class Chest(Struct, frozen=True):
    bonus: int


class Named(Struct, frozen=True):
    """A member as completion offers them."""

    name: str
    identity: Identity
