"""What waits in escrow, and whose hour it is: leased, so that processes share the work, and what one that dies had
taken is left to the next."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, case, cast, exists, func, select, tuple_, update

from economy.links import SUCCESSOR
from economy.service import Due, WaitingNow
from economy.store.engine import Store
from economy.store.skew import Skew
from economy.store.tables import entries, flags, identities, places, waiting
from economy.store.timing import from_us, to_us
from economy.values import EntryNumber, Identity, Place

NAMES_MAX: Final = 10_000
"""Names that are told of at a time."""


class StoreEscrow:
    """`economy.service.Escrow` on a store. Leases go by the database's clock, wherever their holders are."""

    def __init__(self, store: Store, skew: Skew | None = None) -> None:
        self._store = store
        self._skew = skew or Skew(store)

    async def lease(self, now: datetime, *, limit: int, for_s: float) -> list[Due]:
        """What is due, earliest first: nobody else gets it for `for_s` seconds. Due is what is past its hour by both
        clocks: the rule goes by this machine's, and none that is ahead gives anything back early."""
        here_us = to_us(now)
        now_us = here_us + await self._skew.us()
        is_due = (waiting.c.due_us <= min(here_us, now_us)) & (waiting.c.leased_until_us <= now_us) & _MEETS
        row = (waiting.c.community_id, waiting.c.entry)
        async with self._store.read() as connection:
            # Most looks find nothing, and only a writer would hold up the journal.
            if (await connection.execute(select(waiting.c.entry).where(is_due).limit(1))).first() is None:
                return []
        due = select(*row).where(is_due).order_by(waiting.c.due_us).limit(limit).with_for_update(skip_locked=True)
        async with self._store.write() as connection:
            wanted = [tuple(each) for each in (await connection.execute(due)).all()]
            taking = (
                update(waiting)
                .where(tuple_(*row).in_(wanted))
                .values(leased_until_us=now_us + round(for_s * 1_000_000), attempts=waiting.c.attempts + 1)
            )
            await connection.execute(taking)
            found = (await connection.execute(_WHOSE.where(tuple_(*row).in_(wanted)))).all()
        # Whoever has several identities, and a community that meets in several places, is told of by one.
        whose = {
            (each.community_id, each.entry): Due(
                Place(each.place_platform, each.place_id),
                Identity(each.platform, each.native_id),
                EntryNumber(each.entry),
                each.attempts,
            )
            for each in found
        }
        return [whose[key] for key in wanted if key in whose]

    async def waiting(self) -> WaitingNow:
        """As `lease` has it: what somebody has for a while is due when that while is over."""
        skew_us = await self._skew.us()
        is_over, is_free = waiting.c.due_us + max(0, -skew_us), waiting.c.leased_until_us - skew_us
        can_be_had = case((is_free > is_over, is_free), else_=is_over)
        async with self._store.read() as connection:
            names = select(waiting.c.name).distinct().limit(NAMES_MAX + 1)
            found = (await connection.execute(names)).scalars().all()
            next_us = (await connection.execute(select(func.min(can_be_had)).where(_MEETS))).scalar_one_or_none()
        return WaitingNow(
            frozenset(found[:NAMES_MAX]), len(found) <= NAMES_MAX, None if next_us is None else from_us(next_us)
        )


# While its place is with another community, nothing can be given back in one: it waits until that comes home, and is in
# nobody's way.
_MEETS: Final = exists().where(places.c.community_id == waiting.c.community_id)
successors = flags.alias("successors")
# Of whoever went on as somebody else it is theirs.
_owner = case(
    (successors.c.value.is_(None) | (successors.c.value == "null"), entries.c.actor),
    else_=cast(successors.c.value, BigInteger),
)
_WHOSE: Final = (
    select(
        waiting.c.community_id,
        waiting.c.entry,
        waiting.c.attempts,
        identities.c.platform,
        identities.c.native_id,
        places.c.platform.label("place_platform"),
        places.c.native_id.label("place_id"),
    )
    .join(entries, (entries.c.community_id == waiting.c.community_id) & (entries.c.number == waiting.c.entry))
    .outerjoin(
        successors,
        (successors.c.community_id == waiting.c.community_id)
        & (successors.c.subject == entries.c.actor)
        & (successors.c.name == SUCCESSOR),
    )
    .join(identities, identities.c.person_id == _owner)
    .join(places, places.c.community_id == waiting.c.community_id)
)
