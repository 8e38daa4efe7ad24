"""What a member or the chest holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import DAILY_DAY
from economy.codec import read_value
from economy.store.reads.members import settings_of
from economy.store.tables import accounts, flags, totals
from economy.totals import DIAMONDS, EARNED
from economy.values import Asset, CommunityId, MemberId, Own, Owner, local_date
from economy.views import Balance, Chest, HeldUntil

_WALLET = select(accounts.c.asset, accounts.c.balance).where(
    accounts.c.community_id == bindparam("community"), accounts.c.owner == bindparam("owner")
)
_TOTALS = (
    select(totals.c.day, totals.c.name, totals.c.amount)
    .where(
        totals.c.community_id == bindparam("community"),
        totals.c.member_id == bindparam("owner"),
        totals.c.day >= bindparam("since"),
    )
    .order_by(totals.c.day)
)
_DAILY = select(flags.c.value).where(
    flags.c.community_id == bindparam("community"),
    flags.c.subject == bindparam("owner"),
    flags.c.name == DAILY_DAY,
)


async def _wallet(connection: AsyncConnection, community_id: CommunityId, owner: Owner) -> dict[str, int]:
    found = await connection.execute(_WALLET, {"community": community_id, "owner": owner})
    return {row.asset: row.balance for row in found}


async def chest(connection: AsyncConnection, community_id: CommunityId) -> Chest:
    return Chest((await _wallet(connection, community_id, Own.HOUSE)).get(Asset.BONUS, 0))


async def balance(
    connection: AsyncConnection, community_id: CommunityId, member_id: MemberId, now: datetime
) -> Balance:
    """A member's wallet, with what is on hold on the local day of `now`."""
    settings = await settings_of(connection, community_id)
    today = local_date(now, settings.time_zone).toordinal()
    asked = {"community": community_id, "owner": member_id, "since": today - settings.diamond_hold}
    wallet = await _wallet(connection, community_id, member_id)
    rows = (await connection.execute(_TOTALS, asked)).all()
    received = [(row.day, row.amount) for row in rows if row.name == DIAMONDS and row.amount > 0]
    held = held_until(received, wallet.get(Asset.DIAMOND, 0), settings.diamond_hold)
    claimed = (await connection.execute(_DAILY, asked)).scalar_one_or_none()
    return Balance(
        coin=wallet.get(Asset.COIN, 0),
        bonus=wallet.get(Asset.BONUS, 0),
        diamond=wallet.get(Asset.DIAMOND, 0),
        diamond_held=sum(part.amount for part in held),
        held=held,
        daily_claimed=_day_of(claimed) >= today,
        earned_today=sum(row.amount for row in rows if row.name == EARNED and row.day == today),
    )


def _day_of(claimed: str | None) -> int:
    """The ordinal of a stored day; 0 for none."""
    day = None if claimed is None else read_value(claimed)
    return date.fromisoformat(day).toordinal() if isinstance(day, str) else 0


def held_until(received: Sequence[tuple[int, int]], diamonds: int, hold: int) -> tuple[HeldUntil, ...]:
    """The parts of a balance of `diamonds` that are on hold, by the first day on which they are available.

    `received` are days (ordinals) that are still on hold and what came on them, earliest first. A hold of `hold` days
    ends with the last of them, so the day after is the first. Where less is there than came, the latest is kept back
    first: what remains of the earlier days becomes available with them.
    """
    parts = []
    for day, amount in reversed(received):
        kept = min(amount, diamonds)
        diamonds -= kept
        if kept:
            parts.append(HeldUntil(kept, date.fromordinal(day + hold + 1)))
    return tuple(reversed(parts))
