"""Writes the entries of an in-memory town into a store, row by row, as a journal would have.

So what is read and projected can be tried without the journal, and with histories that it would never write.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import Member
from economy.codec import write_receipt, write_value
from economy.ledger import Entry, Undone, changes
from economy.lookalikes import skeleton
from economy.rules.claiming import TipWaits
from economy.store.engine import Store, open_store
from economy.store.projector import StoreProjector
from economy.store.schema import upgrade
from economy.store.tables import (
    accounts,
    communities,
    counters,
    entries,
    facts,
    flags,
    identities,
    members,
    persons,
    places,
    postings,
    reversals,
    totals,
    waiting,
)
from economy.store.timing import to_us
from economy.totals import totals_of
from economy.values import Asset, CommunityId, MemberId, Place
from tests.economy.projections.town import START, Town

_template: list[bytes] = []


async def new_store(folder: Path) -> Store:
    """An empty SQLite store with all tables and triggers."""
    return await open_store(await new_address(folder))


async def new_address(folder: Path) -> str:
    """Where such a store is, before anybody opens it. Migrated once, then copied."""
    if not _template:
        made = folder / "template.sqlite"
        await upgrade(f"sqlite:///{made}")
        _template.append(made.read_bytes())
    file = folder / "store.sqlite"
    file.write_bytes(_template[0])
    return f"sqlite:///{file}"


def place(number: int) -> Place:
    return Place("console", f"room{number}")


class Chronicle:
    """One community of a store, and how much of its town is written. `write` may be called again and again."""

    def __init__(self, store: Store, town: Town, number: int = 1) -> None:
        self.store = store
        self.town = town
        self.id = CommunityId(number)
        self._written = 0
        self._wallets: dict[tuple[int, Asset], int] = {}
        self._begun = False

    async def write(self, connection: AsyncConnection | None = None) -> None:
        """Writes the town's new entries in one transaction (that of `connection`, if given)."""
        if connection is None:
            async with self.store.write() as opened:
                return await self.write(opened)
        if not self._begun:
            await self._begin(connection)
            self._begun = True
        for entry in self.town.entries[self._written :]:
            await self._write_entry(connection, entry)
        self._written = len(self.town.entries)
        return None

    async def _begin(self, connection: AsyncConnection) -> None:
        """The community, its place and its members."""
        await self._insert(connection, communities, id=self.id, created_us=0)
        await self._insert(connection, counters, community_id=self.id, last_entry=0)
        room = place(self.id)
        await self._insert(connection, places, platform=room.platform, native_id=room.native_id, community_id=self.id)
        for member in self.town.books.members.values():
            await self._write_member(connection, member)

    async def _write_member(self, connection: AsyncConnection, member: Member) -> None:
        identity = member.identity
        await self._insert(connection, persons, ignore=True, id=member.id, created_us=0)
        await self._insert(
            connection,
            identities,
            ignore=True,
            platform=identity.platform,
            native_id=identity.native_id,
            person_id=member.id,
            is_bot=False,
        )
        await self._insert(
            connection,
            members,
            community_id=self.id,
            person_id=member.id,
            name=member.name,
            skeleton=skeleton(member.name),
            seen_us=to_us(START),
        )

    async def _write_entry(self, connection: AsyncConnection, entry: Entry) -> None:
        key: dict[str, Any] = {"community_id": self.id, "entry": entry.number}
        await self._insert(
            connection,
            entries,
            community_id=self.id,
            number=entry.number,
            key=str(entry.key),
            digest="",
            kind=entry.kind,
            actor=entry.actor,
            reason=str(entry.reason),
            at_us=to_us(entry.at),
            time_zone=entry.time_zone,
            receipt=write_receipt(entry.receipt),
        )
        for ordinal, posting in enumerate(entry.postings):
            after: dict[int, int | None] = {}
            for owner, amount in ((posting.source, -posting.amount), (posting.destination, int(posting.amount))):
                held = self._wallets.get((owner, posting.asset), 0) + amount
                self._wallets[owner, posting.asset] = held
                after[owner] = held if owner > 0 else None
            await self._insert(
                connection,
                postings,
                **key,
                ordinal=ordinal,
                leg=posting.leg,
                source=posting.source,
                destination=posting.destination,
                asset=str(posting.asset),
                amount=int(posting.amount),
                source_after=after[posting.source],
                destination_after=after[posting.destination],
            )
        for owner, asset in changes(entry.postings):
            held = self._wallets[owner, asset]
            await self._put(connection, accounts, owner=owner, asset=str(asset), put={"balance": held})
        for ordinal, fact in enumerate(entry.facts):
            before, value = write_value(fact.before), write_value(fact.after)
            await self._insert(
                connection,
                facts,
                **key,
                ordinal=ordinal,
                subject=fact.subject,
                name=fact.name,
                before=before,
                after=value,
            )
            await self._put_flag(connection, fact.subject, fact.name, fact.after)
        for member_id, name, day in totals_of(entry):
            if member_id in self.town.books.members:
                amount = self.town.books.members[MemberId(member_id)].total(name, day)
                await self._put(connection, totals, member_id=member_id, day=day, name=name, put={"amount": amount})
        if isinstance(entry.receipt, Undone):
            for part in entry.receipt.parts:
                await self._insert(
                    connection, reversals, community_id=self.id, original=part.number, by_entry=entry.number
                )
        if isinstance(entry.receipt, TipWaits):
            key |= {"due_us": to_us(entry.receipt.until), "leased_until_us": 0, "attempts": 0}
            await self._insert(connection, waiting, **key, name="console:@zoe")
        await connection.execute(
            counters.update().where(counters.c.community_id == self.id).values(last_entry=entry.number)
        )

    async def _put_flag(self, connection: AsyncConnection, subject: int, name: str, value: Any) -> None:
        await self._put(connection, flags, subject=subject, name=name, put={"value": write_value(value)})

    async def _put(self, connection: AsyncConnection, table: Table, *, put: dict[str, Any], **key: Any) -> None:
        """Inserts the row, or changes it where its key is there."""
        insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgres
        await connection.execute(
            insert(table)
            .values(community_id=self.id, **key, **put)
            .on_conflict_do_update(index_elements=["community_id", *key], set_=put)
        )

    async def _insert(self, connection: AsyncConnection, table: Table, *, ignore: bool = False, **values: Any) -> None:
        insert = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgres
        statement = insert(table).values(**values)
        await connection.execute(statement.on_conflict_do_nothing() if ignore else statement)


async def keep(store: Store, town: Town, number: int = 1) -> Chronicle:
    """Writes a town and projects it."""
    kept = Chronicle(store, town, number)
    await kept.write()
    await StoreProjector(store).drain()
    return kept
