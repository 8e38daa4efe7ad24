"""The audit's second half: what is stored, taken from what the entries come to. Nothing may be left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence, Set
from typing import Any, Final

from sqlalchemy import BigInteger, Select, Table, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import HIDDEN, PRESENT
from economy.codec import write_value
from economy.ledger import COMMUNITY
from economy.projections.boards import bucket, is_listed, parts_of
from economy.rules.communities import PLACE_PREFIX
from economy.rules.escrow import ESCROWED
from economy.store.audit_walk import Findings
from economy.store.scratch import Key, Scratch
from economy.store.tables import (
    accounts,
    day_totals,
    entries,
    flags,
    histogram,
    places,
    postings,
    reversals,
    scores,
    totals,
    waiting,
)
from economy.values import ISSUERS, Asset, Own, receipt_id

_JOINED: Final = f"{PLACE_PREFIX}%"

ROWS_MAX: Final = 1_000
"""Rows in memory at a time."""


class Comparison:
    """Compares one community's rows with what its walk left in the scratch.

    `moved_late` are members whose latest listing is not projected yet.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        community: int,
        scratch: Scratch,
        findings: Findings,
        moved_late: Set[int],
    ) -> None:
        self._connection = connection
        self._community = community
        self._scratch = scratch
        self._findings = findings
        self._moved_late = moved_late
        self.accounts = 0

    def _tell(self, what: str, where: str, detail: str) -> None:
        self._findings.tell(what, self._community, where, detail)

    def _rows(self, table: Table) -> Select[Any]:
        return select(table).where(table.c.community_id == self._community)

    async def _chunks(self, statement: Select[Any]) -> AsyncIterator[Sequence[Any]]:
        streamed = await self._connection.stream(statement.execution_options(yield_per=ROWS_MAX))
        async for rows in streamed.partitions(ROWS_MAX):
            yield rows

    async def compare(self) -> None:
        await self._compare_accounts()
        await self._compare_flags()
        await self._compare_sums("total", totals, lambda row: (row.member_id, row.day, row.name), "amount")
        await self._compare_sums("day entries", day_totals, lambda row: (row.day, row.name), "entries")
        await self._compare_sums("day amount", day_totals, lambda row: (row.day, row.name), "amount")
        await self._compare_scores()
        await self._compare_places()

    def _tell_left(self, name: str, *, of_series: bool = False) -> None:
        for key, difference in self._scratch.left(name):
            more = f"{difference} more" if difference > 0 else f"{-difference} fewer"
            series, _, rest = key.partition(" ")
            where = f"{_board_text(int(series))} {rest}" if of_series else key
            self._tell(name, where, f"the entries come to {more} than is stored")

    async def _compare_sums(
        self, name: str, table: Table, key: Callable[[Any], Key], column: str, *, of_series: bool = False
    ) -> None:
        async for rows in self._chunks(self._rows(table)):
            self._scratch.add(name, {key(row): -getattr(row, column) for row in rows})
        self._tell_left(name, of_series=of_series)

    async def _compare_accounts(self) -> None:
        async for rows in self._chunks(self._rows(accounts)):
            self.accounts += len(rows)
            self._scratch.add("balance", {(row.owner, row.asset): -row.balance for row in rows})
            for row in rows:
                if row.balance < 0 and row.owner not in ISSUERS:
                    self._tell("floor", f"account {row.owner} {row.asset}", f"stands at {row.balance}")
        self._tell_left("balance")
        sums = (
            select(accounts.c.asset, cast(func.sum(accounts.c.balance), BigInteger).label("balance"))
            .where(accounts.c.community_id == self._community)
            .group_by(accounts.c.asset)
        )
        for asset, balance in await self._connection.execute(sums):
            if balance:
                self._tell("sum", asset, f"all balances come to {balance}, not to 0")
        await self._compare_held()
        await self._compare_escrow()

    async def _compare_held(self) -> None:
        mine = accounts.c.community_id == self._community
        held = select(func.coalesce(func.sum(accounts.c.balance), 0)).where(
            mine, accounts.c.owner == Own.HELD, accounts.c.asset == Asset.COIN
        )
        owed = select(func.coalesce(func.sum(accounts.c.balance), 0)).where(
            mine, accounts.c.owner > 0, accounts.c.asset == Asset.DIAMOND
        )
        there = int((await self._connection.execute(held)).scalar_one())
        wanted = int((await self._connection.execute(owed)).scalar_one())
        if there != wanted:
            self._tell("held", f"account {int(Own.HELD)} {Asset.COIN}", f"holds {there} for {wanted} diamonds")

    async def _compare_escrow(self) -> None:
        """What lies in escrow is what waits, and what waits is what was put there and not settled."""
        mine = waiting.c.community_id == self._community
        put = (
            select(postings.c.asset, cast(func.sum(postings.c.amount), BigInteger))
            .join(waiting, (waiting.c.community_id == postings.c.community_id) & (waiting.c.entry == postings.c.entry))
            .where(mine, postings.c.destination == int(Own.ESCROW))
            .group_by(postings.c.asset)
        )
        waits = {asset: int(amount) for asset, amount in await self._connection.execute(put)}
        there = select(accounts.c.asset, accounts.c.balance).where(
            accounts.c.community_id == self._community, accounts.c.owner == int(Own.ESCROW)
        )
        held = {asset: int(balance) for asset, balance in await self._connection.execute(there)}
        for asset in sorted(waits.keys() | held.keys()):
            if waits.get(asset, 0) != held.get(asset, 0):
                detail = f"holds {held.get(asset, 0)}, and {waits.get(asset, 0)} wait"
                self._tell("escrow", f"account {int(Own.ESCROW)} {asset}", detail)
        is_open = (
            select(entries.c.number)
            .outerjoin(
                reversals,
                (reversals.c.community_id == entries.c.community_id) & (reversals.c.original == entries.c.number),
            )
            .where(
                entries.c.community_id == self._community,
                entries.c.kind.in_(sorted(ESCROWED)),
                reversals.c.original.is_(None),
            )
        )
        unsettled = set((await self._connection.execute(is_open)).scalars())
        listed = set((await self._connection.execute(select(waiting.c.entry).where(mine))).scalars())
        for number in sorted(unsettled ^ listed):
            detail = "waits, and is not listed" if number in unsettled else "is listed, and does not wait"
            self._tell("escrow", f"entry {receipt_id(number)}", detail)

    async def _compare_places(self) -> None:
        """The places that meet here besides the one where it began are those that joined by an entry."""
        flag = (flags.c.community_id == self._community, flags.c.subject == COMMUNITY, flags.c.name.like(_JOINED))
        told = await self._connection.execute(select(flags.c.name, flags.c.value).where(*flag))
        joined = {name.removeprefix(PLACE_PREFIX) for name, value in told if value != write_value(None)}
        here = (places.c.community_id == self._community, places.c.own_id.is_not(None))
        meet = {
            str(own_id) for own_id in (await self._connection.execute(select(places.c.own_id).where(*here))).scalars()
        }
        for home in sorted(joined ^ meet):
            detail = "joined, and does not meet here" if home in joined else "meets here, and did not join"
            self._tell("place", f"place of community {home}", detail)

    async def _compare_flags(self) -> None:
        stored = 0
        async for rows in self._chunks(self._rows(flags)):
            told = self._scratch.get("flag", [(row.subject, row.name) for row in rows])
            for row in rows:
                key = (row.subject, row.name)
                stored += key in told
                if told.get(key) != row.value:
                    self._tell(
                        "flag", f"{row.subject} {row.name}", f"is {row.value}, and its latest fact says {told.get(key)}"
                    )
        if stored != (flagged := self._scratch.count("flag")):
            self._tell("flag", "flags", f"{flagged} have facts, and {stored} of them are stored")

    async def _compare_scores(self) -> None:
        async for rows in self._chunks(self._rows(scores)):
            keyed: dict[Key, Any] = {(row.series, row.member_id): row for row in rows}
            self._scratch.add("score", {key: -row.score for key, row in keyed.items()})
            reached = self._scratch.get("reached", keyed.keys())
            counted: dict[Key, int] = {}
            for key, row in keyed.items():
                if reached.get(key) != row.reached:
                    self._tell("score", _place(row), f"was reached by entry {reached.get(key)}, not by {row.reached}")
                stands = (row.score, row.reached) if row.listed and row.score > 0 else (None, None)
                if (row.standing, row.since) != stands:
                    self._tell("score", _place(row), f"stands at {row.standing} since {row.since}, not at {stands[0]}")
                if stands[0] is not None:
                    of = (row.series, bucket(row.score))
                    counted[of] = counted.get(of, 0) + 1
            self._must_list_right(rows)
            self._scratch.add("histogram", counted)
        self._tell_left("score", of_series=True)
        await self._compare_sums(
            "histogram", histogram, lambda row: (row.series, row.bucket), "members", of_series=True
        )

    def _must_list_right(self, rows: Sequence[Any]) -> None:
        """Who is listed follows their flags, unless the entries that set them are still to be projected."""
        members = {row.member_id for row in rows} - self._moved_late
        told = self._scratch.get("flag", [(member, name) for member in members for name in (PRESENT, HIDDEN)])
        wanted = {
            member: is_listed(
                present=told.get((member, PRESENT)) == "true", hidden=told.get((member, HIDDEN)) == "true"
            )
            for member in members
        }
        for row in rows:
            if wanted.get(row.member_id, row.listed) != row.listed:
                on = "on" if row.listed else "off"
                self._tell("listed", _place(row), f"is {on} the board, against their flags")


def _place(score: Any) -> str:
    return f"{_board_text(score.series)} {score.member_id}"


def _board_text(series: int) -> str:
    return " ".join(map(str, parts_of(series)))
