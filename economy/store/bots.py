"""Which bot of each platform a store is for: a token of another would move coins that are not its."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.engine import Store
from economy.store.tables import bots


class StoreBots:
    """`adapters.contract.Bots` of one platform."""

    def __init__(self, store: Store, platform: str) -> None:
        self._store = store
        self._platform = platform

    async def claim(self, bot: str) -> str:
        """The bot that the store is for: `bot`, where it was for none so far."""
        insert = postgresql.insert if self._store.server is not None else sqlite.insert
        claimed = insert(bots).values(platform=self._platform, native_id=bot).on_conflict_do_nothing()
        async with self._store.write() as connection:
            await connection.execute(claimed)
            return (await known(connection))[self._platform]


async def forget(store: Store, platform: str) -> str | None:
    """The store is for the next bot of the platform that comes. Answers for which it was."""
    async with store.write() as connection:
        was: str | None = (
            await connection.execute(delete(bots).where(bots.c.platform == platform).returning(bots.c.native_id))
        ).scalar_one_or_none()
    return was


async def known(connection: AsyncConnection) -> dict[str, str]:
    """Every bot that the store is for, by platform."""
    found = await connection.execute(select(bots.c.platform, bots.c.native_id).order_by(bots.c.platform))
    return {row.platform: row.native_id for row in found}
