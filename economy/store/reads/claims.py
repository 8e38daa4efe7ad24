"""What waits of a member's for somebody not yet seen."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.links import SUCCESSOR
from economy.store.tables import entries, flags, postings, waiting
from economy.store.timing import from_us
from economy.values import CommunityId, EntryNumber, MemberId, Own
from economy.views import Claim

# Under which ids the member went before, if they were joined to somebody.
_FORMER: Final = select(flags.c.subject).where(
    flags.c.community_id == bindparam("community"),
    flags.c.name == SUCCESSOR,
    flags.c.value == cast(bindparam("member"), Text),
)
_OF: Final = (
    select(waiting.c.entry, waiting.c.name, waiting.c.due_us, cast(func.sum(postings.c.amount), BigInteger))
    .join(entries, (entries.c.community_id == waiting.c.community_id) & (entries.c.number == waiting.c.entry))
    .join(postings, (postings.c.community_id == waiting.c.community_id) & (postings.c.entry == waiting.c.entry))
    .where(
        waiting.c.community_id == bindparam("community"),
        (entries.c.actor == bindparam("member")) | entries.c.actor.in_(_FORMER),
        postings.c.destination == int(Own.ESCROW),
    )
    .group_by(waiting.c.entry, waiting.c.name, waiting.c.due_us)
    .order_by(waiting.c.due_us, waiting.c.entry)
)


async def of(connection: AsyncConnection, community_id: CommunityId, member_id: MemberId) -> list[Claim]:
    found = await connection.execute(_OF, {"community": community_id, "member": member_id})
    return [
        Claim(EntryNumber(number), name.partition(":")[2], int(amount), from_us(due_us))
        for number, name, due_us, amount in found
    ]
