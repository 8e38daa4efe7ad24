"""How Florin fares while it runs: figures for whoever watches it, and what each order came to for whoever logs it.

Nothing in here is a name, a note or a word that people wrote; a key names an act by its platform's numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct, field

from economy.values import CommunityId, EntryNumber


class Carried(Struct, frozen=True):
    """One order that was answered. `outcome` is `done`, `asked`, `refused`, `failed`, or `repeated` for an answer that
    was given before; a refusal has its code. `took_s` counts from its arrival to its answer. `number` is the entry's,
    if it became one."""

    key: str
    kind: str
    outcome: str
    code: str
    community: CommunityId
    number: EntryNumber | None
    took_s: float


class Observer(Protocol):
    """Is told of every order, a batch at a time, once all callers have their answers."""

    def carried_out(self, orders: Sequence[Carried]) -> None:
        """Must be quick: the next batch waits meanwhile. What it raises is logged, and harms nobody."""
        ...


class Spread(Struct):
    """How values are spread: how many are at most each bound, and how many beyond the last."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def so_far(self) -> Spread:
        """A copy, which later values leave alone."""
        return Spread(self.bounds, self.counts.copy(), self.total)


class JournalFigures(Struct, frozen=True, kw_only=True):
    """The writer of this process, since it began."""

    state: str
    """`open`; `read_only` while the store cannot be written to; `stopped` once its disk has failed."""
    waiting: int
    """Orders that wait to be carried out."""
    waiting_max: int
    orders: Mapping[tuple[str, str, str], int]
    """How many orders by kind, outcome and the refusal's code (empty for none)."""
    batch_orders: Spread
    """Orders carried out together."""
    batch_s: Spread
    """Seconds from taking a batch up to answering it: reading, deciding, writing, and the commit."""
    again: int
    """Batches that had to be written again."""


class Behind(Struct, frozen=True):
    """What follows from entries and has not been made of them yet, in all communities together. `seconds` is the age
    of the oldest such entry, 0 without any."""

    entries: int
    seconds: float


class OutboxFigures(Struct, frozen=True):
    """Events that are to be told. Counts end at 100,000."""

    waiting: int
    dead: int
    """Tried so often that nobody tries again."""
    oldest_s: float
    """For how long the first of those waiting has been due."""


class Connections(Struct, frozen=True):
    """Connections to the database: those in use, and how many are kept open at most."""

    used: int
    kept: int


class FileFigures(Struct, frozen=True):
    """Bytes of a store's file, of the log beside it, and of what is free there."""

    size: int
    log_size: int
    disk_free: int


class StoreFigures(Struct, frozen=True, kw_only=True):
    """The database. What it has to be asked for is None while it does not answer."""

    database: str
    answer_s: float | None
    """How long it took to answer."""
    problem: str
    """Why it does not answer; empty if it does."""
    losses: tuple[str, ...] = ()
    """How it could lose what was answered."""
    is_loss_allowed: bool = False
    file: FileFigures | None = None
    projector: Behind | None = None
    sealer: Behind | None = None
    outbox: OutboxFigures | None = None


class Figures(Struct, frozen=True):
    """Everything, of one moment. The store's may be a second old."""

    journal: JournalFigures
    store: StoreFigures
    writers: Connections
    readers: Connections


class Watch(Protocol):
    """Takes the figures."""

    async def figures(self) -> Figures:
        """Answers within a few seconds, whatever the database does."""
        ...
