"""The outbox: what committed entries have to tell others, drained by leases, so that processes share the work and a
process that dies leaves its part to the next."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, exists, insert, select, update

from economy.service import Notice
from economy.store.engine import Store
from economy.store.skew import Skew
from economy.store.tables import outbox, places
from economy.store.timing import to_us
from economy.values import CommunityId, EntryNumber

HANDED_ON_FOR: Final = timedelta(days=7)
"""How long a notice waits for a process with a door to its platform, once others were told."""

DEAD_US: Final = 2**62
"""When a notice that nobody can be told of is due: never. It stays for a while, for whoever looks; what it was leased
until says since when."""

DEAD_KEPT_FOR: Final = timedelta(days=30)
DEAD_KEPT_MAX: Final = 10_000
"""The newest of those that nobody could be told of stay."""


class StoreOutbox:
    """`economy.service.Outbox` on a store. Leases go by the database's clock, wherever their holders are."""

    def __init__(self, store: Store, skew: Skew | None = None) -> None:
        self._store = store
        self._skew = skew or Skew(store)

    async def lease(
        self, now: datetime, *, limit: int, for_s: float, platforms: Collection[str] | None = None
    ) -> list[Notice]:
        """The next notices that are due, earliest entry first: nobody else gets them for `for_s` seconds. With
        `platforms`, those of communities that meet there: the others are for processes with other doors."""
        now_us = to_us(now) + await self._skew.us()
        is_due = (outbox.c.due_us <= now_us) & (outbox.c.leased_until_us <= now_us)
        if platforms is not None:
            here = (places.c.community_id == outbox.c.community_id) & places.c.platform.in_(sorted(platforms))
            is_due &= exists().where(here) & (outbox.c.platform.is_(None) | outbox.c.platform.in_(sorted(platforms)))
        async with self._store.read() as connection:
            # Most looks find nothing, and only a writer would hold up the journal.
            if (await connection.execute(select(outbox.c.id).where(is_due).limit(1))).first() is None:
                return []
        due = select(outbox.c.id).where(is_due).order_by(outbox.c.id).limit(limit).with_for_update(skip_locked=True)
        until_us = now_us + round(for_s * 1_000_000)
        taking = (
            update(outbox)
            .where(outbox.c.id.in_(due.scalar_subquery()))
            .values(leased_until_us=until_us, attempts=outbox.c.attempts + 1)
            .returning(
                outbox.c.id,
                outbox.c.community_id,
                outbox.c.entry,
                outbox.c.event,
                outbox.c.attempts,
                outbox.c.platform,
            )
        )
        async with self._store.write() as connection:
            rows = (await connection.execute(taking)).all()
        return sorted(
            (
                Notice(
                    row.id,
                    CommunityId(row.community_id),
                    EntryNumber(row.entry),
                    _tag(row.event),
                    row.attempts,
                    row.platform,
                )
                for row in rows
            ),
            key=lambda notice: notice.id,
        )

    async def hand_on(self, notice: Notice, platforms: Sequence[str], now: datetime) -> None:
        """It is still to be told on these platforms, by processes with doors to them, each by itself. Where there are
        none, it is forgotten after a week."""
        now_us = to_us(now) + await self._skew.us()
        rows = [
            {
                "community_id": notice.community_id,
                "entry": notice.number,
                "event": json.dumps({"event": notice.event}, separators=(",", ":")),
                "due_us": now_us,
                "leased_until_us": 0,
                "attempts": 0,
                "platform": platform,
            }
            for platform in platforms
        ]
        left = outbox.c.platform.is_not(None) & (outbox.c.due_us < now_us - HANDED_ON_FOR // timedelta(microseconds=1))
        async with self._store.write() as connection:
            await connection.execute(insert(outbox), rows)
            await connection.execute(delete(outbox).where(left))

    async def done(self, notices: Sequence[Notice]) -> None:
        """They were told, or there was nobody to tell: they are forgotten."""
        if notices:
            async with self._store.write() as connection:
                await connection.execute(delete(outbox).where(outbox.c.id.in_([notice.id for notice in notices])))

    async def later(self, notices: Sequence[Notice], due: datetime) -> None:
        """They could not be told: they are due again then."""
        await self._put_off(notices, to_us(due) + await self._skew.us(), 0)

    async def give_up(self, notices: Sequence[Notice], now: datetime) -> None:
        """They could not be told, and are not tried again."""
        await self._put_off(notices, DEAD_US, to_us(now) + await self._skew.us())

    async def sweep(self, now: datetime) -> int:
        """Forgets what was given up long ago, and more than is worth looking at. How many were forgotten."""
        before_us = to_us(now - DEAD_KEPT_FOR) + await self._skew.us()
        is_dead = outbox.c.due_us == DEAD_US
        newest = select(outbox.c.id).where(is_dead).order_by(outbox.c.leased_until_us.desc(), outbox.c.id.desc())
        too_many = newest.offset(DEAD_KEPT_MAX).limit(DEAD_KEPT_MAX).scalar_subquery()
        is_over = is_dead & ((outbox.c.leased_until_us < before_us) | outbox.c.id.in_(too_many))
        async with self._store.read() as connection:
            if (await connection.execute(select(outbox.c.id).where(is_over).limit(1))).first() is None:
                return 0
        async with self._store.write() as connection:
            return (await connection.execute(delete(outbox).where(is_over))).rowcount

    async def _put_off(self, notices: Sequence[Notice], due_us: int, leased_until_us: int) -> None:
        if notices:
            values = {"due_us": due_us, "leased_until_us": leased_until_us}
            async with self._store.write() as connection:
                await connection.execute(
                    update(outbox).where(outbox.c.id.in_([notice.id for notice in notices])).values(values)
                )

    async def becomes(self, notices: Sequence[Notice], event: str, due: datetime) -> None:
        """They were told; what is left of each is another notice of the same entry, due then."""
        if notices:
            values = {
                "event": json.dumps({"event": event}, separators=(",", ":")),
                "due_us": to_us(due) + await self._skew.us(),
                "leased_until_us": 0,
                "attempts": 0,
            }
            async with self._store.write() as connection:
                await connection.execute(
                    update(outbox).where(outbox.c.id.in_([notice.id for notice in notices])).values(values)
                )


def _tag(event: str) -> str:
    """An event's name: all that is read of it, as its entry says the rest."""
    return str(json.loads(event)["event"])
