"""`economy.service.Reads` on a store: each query is one read transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from economy.books import Order
from economy.codec import read_order
from economy.ledger import COMMUNITY
from economy.refusals import Value
from economy.store.engine import Store
from economy.store.reads import boards, history, members, records, wallets
from economy.store.tables import offers
from economy.values import CommunityId, EntryNumber, Identity, MemberId, Place, Role
from economy.views import (
    AuditPage,
    Balance,
    BoardPage,
    Chest,
    EntryView,
    HistoryPage,
    Named,
    Reader,
    Shown,
)


class StoreReads:
    """Answers queries from a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reader(self, place: Place, identity: Identity) -> Reader:
        async with self._store.read() as connection:
            return await members.reader(connection, place, identity)

    async def community_flags(self, community_id: CommunityId) -> dict[str, Value]:
        async with self._store.read() as connection:
            return await members.flags_of(connection, community_id, COMMUNITY)

    async def shown(self, community_id: CommunityId, member_ids: Sequence[MemberId]) -> dict[MemberId, Shown]:
        async with self._store.read() as connection:
            return await members.shown(connection, community_id, member_ids)

    async def member(self, community_id: CommunityId, identity: Identity) -> MemberId | None:
        async with self._store.read() as connection:
            return await members.find(connection, community_id, identity)

    async def names(self, place: Place, *, limit: int = 500) -> list[Named]:
        async with self._store.read() as connection:
            return await members.names(connection, place, limit)

    async def balance(self, community_id: CommunityId, member_id: MemberId, now: datetime) -> Balance:
        async with self._store.read() as connection:
            return await wallets.balance(connection, community_id, member_id, now)

    async def chest(self, community_id: CommunityId) -> Chest:
        async with self._store.read() as connection:
            return await wallets.chest(connection, community_id)

    async def history(
        self, community_id: CommunityId, member_id: MemberId, *, page: int = 1, size: int = 10
    ) -> HistoryPage:
        async with self._store.read() as connection:
            return await history.history(connection, community_id, member_id, page, size)

    async def entry(self, community_id: CommunityId, number: EntryNumber) -> EntryView | None:
        async with self._store.read() as connection:
            return await history.entry(connection, community_id, number)

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
        async with self._store.read() as connection:
            return await boards.board(
                connection, community_id, board, period, now=now, reader=reader, page=page, size=size
            )

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
        async with self._store.read() as connection:
            return await search(connection, community_id, sought, page, size)

    async def text(self, community_id: CommunityId, author: MemberId, topic: str) -> str:
        async with self._store.read() as connection:
            return await history.text(connection, community_id, author, topic)

    async def blocked_by(self, community_id: CommunityId, member_id: MemberId) -> list[MemberId]:
        """Whom the member blocks."""
        async with self._store.read() as connection:
            return await members.blocked_by(connection, community_id, member_id)

    async def holders(self, community_id: CommunityId, role: Role) -> list[MemberId]:
        async with self._store.read() as connection:
            return await members.holders(connection, community_id, role)

    async def offer_order(self, community_id: CommunityId, nonce: str) -> Order | None:
        async with self._store.read() as connection:
            found = await connection.execute(
                select(offers.c.order).where(offers.c.community_id == community_id, offers.c.nonce == nonce)
            )
            stored = found.scalar_one_or_none()
        return None if stored is None else read_order(stored)
