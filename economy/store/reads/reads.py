"""`economy.service.Reads` on a store: each query is one look at it, or a part of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import Order
from economy.codec import read_order
from economy.ledger import COMMUNITY
from economy.refusals import Value
from economy.service import Sent
from economy.settings import FEATURE_PREFIX, Feature
from economy.store.engine import Store
from economy.store.reads import boards as standings
from economy.store.reads import claims, history, members, records, runs, wallets
from economy.store.reads.gathering import Gathered
from economy.store.tables import communities, flags, offers
from economy.values import CommunityId, EntryNumber, Identity, MemberId, Place, Role
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

_OFFER = select(offers.c.order).where(offers.c.nonce == bindparam("nonce"), offers.c.community_id.in_(members.MET_IN))


class StoreReads:
    """Answers queries from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers = Gathered(store, members.readers)
        self._shown = Gathered(store, members.shown)

    async def reader(self, place: Place, identity: Identity) -> Reader:
        return await self._readers.ask((place, identity))

    async def community_flags(self, community_id: CommunityId) -> dict[str, Value]:
        return await self._store.look(members.flags_of, community_id, COMMUNITY)

    async def shown(
        self, community_id: CommunityId, member_ids: Sequence[MemberId], *, platform: str = ""
    ) -> dict[MemberId, Shown]:
        return await self._shown.ask((community_id, frozenset(member_ids), platform))

    async def member(self, community_id: CommunityId, identity: Identity) -> MemberId | None:
        return await self._store.look(members.find, community_id, identity)

    async def names(self, place: Place, *, limit: int = 500) -> list[Named]:
        return await self._store.look(members.names, place, limit)

    async def places(self, platform: str, *, limit: int = 20) -> list[Place]:
        """The places of a platform, the newest community's first."""
        return await self._store.look(members.places_on, platform, limit)

    async def homes(self, identity: Identity, *, limit: int = 20) -> list[Place]:
        return await self._store.look(members.homes, identity, limit)

    async def balance(self, community_id: CommunityId, member_id: MemberId, now: datetime) -> Balance:
        return await self._store.look(wallets.balance, community_id, member_id, now)

    async def chest(self, community_id: CommunityId) -> Chest:
        return await self._store.look(wallets.chest, community_id)

    async def history(
        self, community_id: CommunityId, member_id: MemberId, *, page: int = 1, size: int = 10
    ) -> HistoryPage:
        return await self._store.look(history.history, community_id, member_id, page, size)

    async def entry(self, community_id: CommunityId, number: EntryNumber) -> EntryView | None:
        return await self._store.look(history.entry, community_id, number)

    async def sent_around(
        self, community_id: CommunityId, number: EntryNumber, *, apart: timedelta, most: int
    ) -> list[Sent]:
        return await self._store.look(runs.sent_around, community_id, number, apart, most)

    async def busy_senders(
        self, community_id: CommunityId, numbers: Sequence[EntryNumber], *, apart: timedelta
    ) -> set[EntryNumber]:
        return await self._store.look(runs.busy_senders, community_id, numbers, apart)

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
    ) -> BoardPage:
        """Raises ValueError for a board or period that there is not."""
        return await self._store.look(
            standings.board, community_id, board, period, now=now, reader=reader, page=page, size=size
        )

    async def rank(
        self, community_id: CommunityId, boards: Sequence[str], period: str, *, now: datetime, of: MemberId
    ) -> OwnRank | None:
        """Raises ValueError for a board or period that there is not."""
        return await self._store.look(standings.rank, community_id, boards, period, now=now, of=of)

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
    ) -> AuditPage:
        sought = records.Sought(member=member, actor=actor, kind=kind, since=since)
        search = records.refused if refused else records.records
        return await self._store.look(search, community_id, sought, page, size)

    async def text(self, community_id: CommunityId, author: MemberId, topic: str) -> str:
        return await self._store.look(history.text, community_id, author, topic)

    async def claims(self, community_id: CommunityId, member_id: MemberId) -> list[Claim]:
        return await self._store.look(claims.of, community_id, member_id)

    async def blocked_by(self, community_id: CommunityId, member_id: MemberId) -> list[MemberId]:
        """Whom the member blocks."""
        return await self._store.look(members.blocked_by, community_id, member_id)

    async def is_on_anywhere(self, feature: Feature) -> bool:
        """Whether any community turned on a feature that is off at first."""
        turned = (flags.c.community_id == communities.c.id) & (flags.c.subject == COMMUNITY)
        turned &= (flags.c.name == FEATURE_PREFIX + feature) & (flags.c.value == "true")
        async with self._store.read() as connection:
            found = await connection.execute(select(communities.c.id).where(exists().where(turned)).limit(1))
            return found.first() is not None

    async def holders(self, community_id: CommunityId, role: Role) -> list[MemberId]:
        return await self._store.look(members.holders, community_id, role)

    async def offer_order(self, place: Place, nonce: str) -> Order | None:
        return await self._store.look(_offer_order, place, nonce)


async def _offer_order(connection: AsyncConnection, place: Place, nonce: str) -> Order | None:
    asked = {"platform": place.platform, "native_id": place.native_id, "nonce": nonce}
    stored = (await connection.execute(_OFFER, asked)).scalar_one_or_none()
    return None if stored is None else read_order(stored)
