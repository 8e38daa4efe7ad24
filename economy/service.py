"""The public face of the economy: `Economy` submits orders and answers queries; its ports are protocols here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct

from economy.books import Order, Question
from economy.catching_up import CatchingUp
from economy.ledger import Receipt
from economy.refusals import Code, Refusal, Value
from economy.rules.claiming import TipWaits
from economy.rules.gifting import Gifted
from economy.rules.offers import Press
from economy.settings import Feature
from economy.values import (
    CommunityId,
    EntryNumber,
    IdempotencyKey,
    Identity,
    MemberId,
    Place,
    Role,
    Sighting,
    fitting_key,
)
from economy.views import (
    AuditPage,
    Balance,
    BoardPage,
    Chest,
    Claim,
    EntryView,
    HistoryPage,
    Named,
    OwnRank,
    Reader,
    Shown,
)

# What doors and the conversation take from here besides the names defined below.
__all__ = ["Identity", "Place", "Role", "Sighting"]


class Submission(Struct, frozen=True):
    """An order with what the door knows: the place, the key that names the human act, what the actor is there
    according to the platform at this moment (`standing`, `held`, `administers`: what that makes them in the community
    is decided behind the lock, see `economy.rules.standing`), and who was seen (the actor always is). `said_at`: when
    it was said, where it may have been long on its way."""

    place: Place
    key: IdempotencyKey
    order: Order
    standing: frozenset[Role] = frozenset()
    sightings: tuple[Sighting, ...] = ()
    said_at: datetime | None = None
    held: frozenset[str] = frozenset()
    administers: bool = False


LATE_AFTER = timedelta(minutes=10)
"""An order that was said longer ago is not carried out any more: whoever gave it has given it up, or given it again."""


PATIENCE_S: Final = 1.0
"""How long whoever asks for a board waits for it to be up to date."""


class Offered(Struct, frozen=True):
    """A stored offer as a button needs it."""

    nonce: str
    label: str
    expires: datetime


class Answer(Struct, frozen=True):
    """What an order came to. `number` is the entry's (None without one). `repeated` says that this is an earlier
    answer given again."""

    outcome: Receipt | Question | Refusal
    at: datetime
    time_zone: str = "UTC"
    number: EntryNumber | None = None
    offered: tuple[Offered, ...] = ()
    repeated: bool = False


class Clock(Protocol):
    """Tells the time. The real one reads the system's; a transcript's stands still."""

    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        ...


class Journal(Protocol):
    """The one writer of a process."""

    async def submit(self, submission: Submission) -> Answer:
        """Carries an order out: at once with others that wait, and answers only what is committed.

        A full queue or a locked store answers the refusal `busy`, a store that cannot be written to `read_only`;
        nothing was written then. Cancelling the caller
        does not cancel the order: the same key finds its answer.
        """
        ...

    async def drained(self) -> None:
        """Waits until everything that was submitted has been answered."""
        ...

    async def move_place(self, old: Place, new: Place) -> bool:
        """The platform gave a place a new id: the community meets under that from now on. Whether it does.

        It does not where nobody ever spoke in the old one, nor where coins moved under the new one already.
        """
        ...


class Notice(Struct, frozen=True):
    """That an entry has something to tell others: `event` is what it is called. `attempts` counts how often somebody
    set out to tell it. `platform`: the only one that it is still to be told on."""

    id: int
    community_id: CommunityId
    number: EntryNumber
    event: str
    attempts: int
    platform: str | None = None


TELLING_ATTEMPTS_MAX: Final = 16
"""How often it is tried to tell a notice, before it is given up."""


class Sent(Struct, frozen=True):
    """A gift that was sent, and the entry that took it back, if one did."""

    number: EntryNumber
    at: datetime
    gift: Gifted
    undone_by: EntryNumber | None = None


class Outbox(Protocol):
    """What committed entries have to tell others, until it was told."""

    async def lease(
        self, now: datetime, *, limit: int, for_s: float, platforms: Collection[str] | None = None
    ) -> list[Notice]:
        """The next notices that are due, earliest entry first: nobody else gets them for `for_s` seconds. With
        `platforms`, those of communities that meet there: the others are for processes with other doors."""
        ...

    async def hand_on(self, notice: Notice, platforms: Sequence[str], now: datetime) -> None:
        """It is still to be told on these platforms, by processes with doors to them, each by itself. Where there are
        none, it is forgotten after a week."""
        ...

    async def done(self, notices: Sequence[Notice]) -> None:
        """They were told, or there was nobody to tell: they are forgotten."""
        ...

    async def later(self, notices: Sequence[Notice], due: datetime) -> None:
        """They could not be told: they are due again then."""
        ...

    async def give_up(self, notices: Sequence[Notice], now: datetime) -> None:
        """They could not be told, and are not tried again: they stay for a while, for whoever looks."""
        ...

    async def sweep(self, now: datetime) -> int:
        """Forgets what was given up long ago. How many were forgotten."""
        ...

    async def becomes(self, notices: Sequence[Notice], event: str, due: datetime) -> None:
        """They were told; what is left of each is another notice of the same entry, due then."""
        ...


class Due(Struct, frozen=True):
    """That the hour of what waits in escrow is past: `by` put it there, in the community that meets in `place`, with
    entry `number`. `attempts` counts how often somebody set out to return it."""

    place: Place
    by: Identity
    number: EntryNumber
    attempts: int


class WaitingNow(Struct, frozen=True):
    """What waits anywhere: the names that are waited for (some of them, where there are too many), whether these are
    all, and the next hour at which something goes back."""

    names: frozenset[str] = frozenset()
    are_all: bool = True
    next_due: datetime | None = None


class Escrow(Protocol):
    """What waits in escrow, in all communities. Leases only share the work: its rule says what is returned, once."""

    async def lease(self, now: datetime, *, limit: int, for_s: float) -> list[Due]:
        """What is due, earliest first: nobody else gets it for `for_s` seconds."""
        ...

    async def waiting(self) -> WaitingNow: ...


class Projector(Protocol):
    """Brings boards and day totals up to date with the entries."""

    async def catch_up(self, community_id: CommunityId, *, wait_s: float) -> None:
        """Returns when the projections have every entry committed before the call, or after `wait_s` seconds."""
        ...


class Reads(Protocol):
    """Queries: consistent snapshots, never used to decide about money. Where a place or person is unknown they
    answer as an empty community or wallet would."""

    async def reader(self, place: Place, identity: Identity) -> Reader: ...

    async def community_flags(self, community_id: CommunityId) -> dict[str, Value]:
        """What a community has set, by name."""
        ...

    async def shown(
        self, community_id: CommunityId, member_ids: Sequence[MemberId], *, platform: str = ""
    ) -> dict[MemberId, Shown]:
        """How members are shown; whoever has several identities by the one on `platform`."""
        ...

    async def member(self, community_id: CommunityId, identity: Identity) -> MemberId | None:
        """The member behind an identity, also one who left; None for someone never seen there."""
        ...

    async def names(self, place: Place, *, limit: int = 500) -> list[Named]:
        """Members who are present, last seen first."""
        ...

    async def homes(self, identity: Identity, *, limit: int = 20) -> list[Place]:
        """The places of the identity's platform whose communities it is a member of, last seen in first."""
        ...

    async def balance(self, community_id: CommunityId, member_id: MemberId, now: datetime) -> Balance: ...

    async def chest(self, community_id: CommunityId) -> Chest: ...

    async def history(
        self, community_id: CommunityId, member_id: MemberId, *, page: int = 1, size: int = 10
    ) -> HistoryPage: ...

    async def entry(self, community_id: CommunityId, number: EntryNumber) -> EntryView | None: ...

    async def sent_around(
        self, community_id: CommunityId, number: EntryNumber, *, apart: timedelta, most: int
    ) -> list[Sent]:
        """The gift of an entry and those that its sender sent around it without a pause longer than `apart`, in order;
        of those before it and of those after it the nearest `most`. Empty where the entry is no gift."""
        ...

    async def busy_senders(
        self, community_id: CommunityId, numbers: Sequence[EntryNumber], *, apart: timedelta
    ) -> set[EntryNumber]:
        """Those of the entries whose actors had done something else at most `apart` before."""
        ...

    async def board(
        self,
        community_id: CommunityId,
        board: str,
        period: str,
        *,
        now: datetime,
        reader: MemberId | None,
        page: int = 1,
        size: int = 10,
    ) -> BoardPage: ...

    async def rank(
        self, community_id: CommunityId, boards: Sequence[str], period: str, *, now: datetime, of: MemberId
    ) -> OwnRank | None:
        """Where a member stands on the first of `boards` that they are on; None where they are on none."""
        ...

    async def audit(
        self,
        community_id: CommunityId,
        *,
        member: MemberId | None = None,
        actor: MemberId | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        refused: bool = False,
        page: int = 1,
        size: int = 10,
    ) -> AuditPage: ...

    async def text(self, community_id: CommunityId, author: MemberId, topic: str) -> str:
        """The author's latest text of a topic that was not removed, else empty."""
        ...

    async def claims(self, community_id: CommunityId, member_id: MemberId) -> list[Claim]:
        """What waits of the member's, the first to go back first."""
        ...

    async def blocked_by(self, community_id: CommunityId, member_id: MemberId) -> list[MemberId]: ...

    async def is_on_anywhere(self, feature: Feature) -> bool:
        """Whether any community turned on a feature that is off at first."""
        ...

    async def holders(self, community_id: CommunityId, role: Role) -> list[MemberId]: ...

    async def offer_order(self, place: Place, nonce: str) -> Order | None:
        """The order behind a button, as stored; it never changes, so reading it outside the journal is safe. Also one
        of a community that the place met in before: what was pressed then is answered again."""
        ...


class Economy:
    """Submits orders and answers queries. All doors of a process share one."""

    def __init__(self, journal: Journal, reads: Reads, projector: Projector, clock: Clock) -> None:
        self._journal = journal
        self._catching_up = CatchingUp(projector.catch_up)
        self.reads = reads
        self.clock = clock
        self.put_in_escrow = 0
        """How often something was put in escrow by this process."""

    async def submit(self, submission: Submission) -> Answer:
        """Carries out an order. See `Journal.submit`."""
        answer = await self._journal.submit(submission)
        if isinstance(answer.outcome, TipWaits):
            self.put_in_escrow += 1
        return answer

    async def move_place(self, old: Place, new: Place) -> bool:
        """See `Journal.move_place`."""
        return await self._journal.move_place(old, new)

    async def press(self, place: Place, nonce: str, submission_of: PressedBy) -> Answer:
        """Carries out the order behind a stored offer, once, whoever presses how often.

        The key is the offer's, not the press's, so five presses are one act. An offer that is gone, used up or from
        another place answers `expired`.
        """
        order = await self.reads.offer_order(place, nonce) if is_nonce(nonce) else None
        if order is None:
            return Answer(Refusal(Code.EXPIRED, {"rule": "unknown"}), self.clock.now())
        identity = submission_of.sighting.identity
        return await self.submit(
            Submission(
                place,
                fitting_key(f"offer:{nonce}:{identity}"),
                Press(by=identity, nonce=nonce, inner=order),
                submission_of.standing,
                (submission_of.sighting,),
                held=submission_of.held,
                administers=submission_of.administers,
            )
        )

    async def board(
        self,
        community_id: CommunityId,
        board: str,
        period: str,
        *,
        reader: MemberId | None,
        page: int = 1,
    ) -> BoardPage:
        """A board that already knows what was committed before the question, within a second's patience."""
        await self._catching_up.catch_up(community_id, wait_s=PATIENCE_S)
        return await self.reads.board(community_id, board, period, now=self.clock.now(), reader=reader, page=page)

    async def rank(
        self, community_id: CommunityId, boards: Sequence[str], period: str, *, of: MemberId
    ) -> OwnRank | None:
        """Where a member stands on the first of `boards` that they are on, as up to date as `board`."""
        await self._catching_up.catch_up(community_id, wait_s=PATIENCE_S)
        return await self.reads.rank(community_id, boards, period, now=self.clock.now(), of=of)


class PressedBy(Struct, frozen=True):
    """Who pressed a button, as the door knows them."""

    sighting: Sighting
    standing: frozenset[Role] = frozenset()
    held: frozenset[str] = frozenset()
    administers: bool = False


def is_nonce(text: str) -> bool:
    """Whether `text` can be an offer's nonce at all; anything else comes from an older release or a forger."""
    return 8 <= len(text) <= 32 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()
