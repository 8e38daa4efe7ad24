"""Which revision a store's tables are at."""

from __future__ import annotations

from typing import Final

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.errors import SchemaMismatchError

HEAD: Final = "0008"
"""The revision that this release reads and writes."""


async def revision_of(connection: AsyncConnection) -> str | None:
    """The revision of the tables; None where there are none."""
    if not await connection.run_sync(lambda bound: inspect(bound).has_table("alembic_version")):
        return None
    found = await connection.exec_driver_sql("SELECT version_num FROM alembic_version")
    revision: str | None = found.scalar_one_or_none()
    return revision


async def must_be_head(connection: AsyncConnection) -> None:
    """Raises SchemaMismatchError unless the tables are those of this release."""
    found = await revision_of(connection)
    if found != HEAD:
        raise mismatch(found)


def mismatch(found: str | None) -> SchemaMismatchError:
    """What is to be said of tables at revision `found`, which is not ours."""
    if found is None:
        return SchemaMismatchError("the store has no tables yet: `florin db upgrade` makes them")
    return SchemaMismatchError(
        f"the store's tables are at revision {found}, and this release needs {HEAD}: run `florin db upgrade` if "
        "the store is older, or a newer Florin if it is not"
    )
