"""Accounts, postings, facts and entries: what is written once and never changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from economy.refusals import Value
from economy.values import Asset, Coins, EntryNumber, IdempotencyKey, MemberId, Own, Owner, Reason

COMMUNITY = MemberId(0)
"""The subject of facts about the community itself."""


class Posting(Struct, frozen=True, gc=False):
    """One movement: `amount` (above 0) of one asset from one owner's account to another's.

    Postings that only make sense together (one asset goes back to its issuer, another is issued for it) share a
    `leg`: an undo takes back whole legs, last spent first.
    """

    source: Owner
    destination: Owner
    asset: Asset
    amount: Coins
    leg: int = 0

    def __post_init__(self) -> None:
        if self.amount < 1:
            raise ValueError("a posting moves at least 1")
        if self.source == self.destination:
            raise ValueError("a posting moves between two accounts")


class Fact(Struct, frozen=True, gc=False):
    """One thing set: flag `name` of `subject` (a member, or `COMMUNITY`), with what it was before and is after."""

    subject: MemberId
    name: str
    before: Value
    after: Value


class Text(Struct, frozen=True):
    """Words a person wrote, kept beside the entry and apart from it, so that they can be removed.

    `topic` is `note`, `message` or `profile`; `author` wrote it.
    """

    author: MemberId
    topic: str
    text: str


class Receipt(Struct, frozen=True, kw_only=True, tag_field="receipt", omit_defaults=True):
    """What an order answers when it is done: MemberIds, numbers and slugs; never names, never prose."""


class Taken(Struct, frozen=True):
    """What an undo took back by one leg: from `holder`, who held it as `held_as`, to `giver`, as `given_as`."""

    holder: Owner
    held_as: Asset
    giver: Owner
    given_as: Asset
    amount: Coins


class UndonePart(Struct, frozen=True, omit_defaults=True):
    """One entry that an undo took back, with what boards and totals need to lower its own period.

    `receiver` is the creator of a gift, else 0. `own` had gone between two who are one person now, and stays.
    """

    number: EntryNumber
    kind: str
    actor: MemberId
    receiver: MemberId
    at: datetime
    time_zone: str
    taken: tuple[Taken, ...]
    missing: Coins
    own: Coins = Coins(0)


class Undone(Receipt, frozen=True, kw_only=True, tag="undone"):
    """The entries that an undo took back. Where a receiver had spent part, `missing` stayed with them."""

    actor: MemberId
    parts: tuple[UndonePart, ...]


class TotalMoved(Struct, frozen=True):
    """A day's total that goes with a member; `day` is the ordinal of the local date."""

    name: str
    day: int
    amount: int


class Connected(Receipt, frozen=True, kw_only=True, tag="connected"):
    """Two persons became one. `formerly`, with what they had here, goes on as `member`.

    `formerly` is 0 where they were no member here. Boards move their scores with this entry.
    """

    member: MemberId
    formerly: MemberId = MemberId(0)
    coin: Coins = Coins(0)
    bonus: Coins = Coins(0)
    diamond: Coins = Coins(0)
    totals: tuple[TotalMoved, ...] = ()


class Disconnected(Receipt, frozen=True, kw_only=True, tag="disconnected"):
    """Identities of `member` became new persons, `left`, who have nothing. `totals` of the day count for them too."""

    member: MemberId
    left: tuple[MemberId, ...]
    totals: tuple[TotalMoved, ...] = ()


class Entry(Struct, frozen=True):
    """The postings and facts of one order, numbered in the order of commits within its community.

    `time_zone` is the community's at the time, so that local days stay what they were. `receipt` is the order's
    answer: ids and numbers only. `undone_by` is looked up, not stored in the entry.
    """

    number: EntryNumber
    key: IdempotencyKey
    kind: str
    actor: MemberId
    reason: Reason
    at: datetime
    time_zone: str
    postings: tuple[Posting, ...]
    facts: tuple[Fact, ...]
    receipt: Receipt
    undone_by: EntryNumber | None = None


def changes(postings: Iterable[Posting]) -> dict[tuple[Owner, Asset], int]:
    """What the postings add to each account, signed. The values of each asset sum to 0 by construction."""
    sums: dict[tuple[Owner, Asset], int] = {}
    for posting in postings:
        amount = int(posting.amount)
        source = (posting.source, posting.asset)
        destination = (posting.destination, posting.asset)
        sums[source] = sums.get(source, 0) - amount
        sums[destination] = sums.get(destination, 0) + amount
    return sums


ISSUER = {Asset.COIN: Own.SALES, Asset.BONUS: Own.MINT, Asset.DIAMOND: Own.MINT}
"""Who alone issues an asset, and takes back what is burned."""


class Legs:
    """Collects postings leg by leg, leaving out movements of nothing.

    legs = Legs()
    legs.move(ana, bo, Asset.BONUS, 20)
    legs.turn(ana, Asset.COIN, bo, Asset.BONUS, 30)
    decision = Decision(postings=legs.postings, ...)
    """

    def __init__(self) -> None:
        self._postings: list[Posting] = []
        self._leg = 0

    @property
    def postings(self) -> tuple[Posting, ...]:
        return tuple(self._postings)

    def move(self, source: Owner, destination: Owner, asset: Asset, amount: int) -> None:
        """One asset from one owner to another."""
        if amount:
            self._add((source, destination, asset), amount)

    def turn(self, source: Owner, given: Asset, destination: Owner, received: Asset, amount: int) -> None:
        """`given` goes back to its issuer and `received` is issued for it, one for one.

        A diamond's coins wait in `held` instead, so that what is owed is always there.
        """
        if not amount:
            return
        back = Own.HELD if received is Asset.DIAMOND and given is Asset.COIN else ISSUER[given]
        self._add((source, back, given), amount, (ISSUER[received], destination, received))

    def issue(self, destination: Owner, asset: Asset, amount: int) -> None:
        """Coins out of nothing: a grant. A diamond's coin is set aside with it."""
        if not amount:
            return
        if asset is Asset.DIAMOND:
            self._add((Own.SALES, Own.HELD, Asset.COIN), amount, (Own.MINT, destination, Asset.DIAMOND))
        else:
            self._add((ISSUER[asset], destination, asset), amount)

    def burn(self, source: Owner, asset: Asset, amount: int) -> None:
        """The opposite of `issue`."""
        if not amount:
            return
        if asset is Asset.DIAMOND:
            self._add((source, Own.MINT, Asset.DIAMOND), amount, (Own.HELD, Own.SALES, Asset.COIN))
        else:
            self._add((source, ISSUER[asset], asset), amount)

    def _add(self, first: tuple[Owner, Owner, Asset], amount: int, *more: tuple[Owner, Owner, Asset]) -> None:
        for source, destination, asset in (first, *more):
            self._postings.append(Posting(source, destination, asset, Coins(amount), self._leg))
        self._leg += 1


def legs_of(postings: Iterable[Posting]) -> list[tuple[Posting, ...]]:
    """The postings of an entry, grouped by leg, in the order they were spent."""
    grouped: dict[int, list[Posting]] = {}
    for posting in postings:
        grouped.setdefault(posting.leg, []).append(posting)
    return [tuple(grouped[leg]) for leg in sorted(grouped)]
