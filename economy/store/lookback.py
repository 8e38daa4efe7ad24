"""Earlier entries that an order asks for: by number, its sender's latest, all since a time, or those that wait for a
name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from economy import codec
from economy.ledger import Entry, Fact, Posting
from economy.links import former_ids
from economy.store.batch import Waiting
from economy.store.bulk import Bulk, grouped
from economy.store.lookup import Known, Resolving
from economy.store.queries import ENTRIES, HEIRS, LATEST, SINCE, WAITING
from economy.store.timing import from_us, to_us
from economy.values import (
    Asset,
    Coins,
    CommunityId,
    EntryNumber,
    IdempotencyKey,
    MemberId,
    Reason,
)

Of = tuple[CommunityId, MemberId]


class LookBack:
    """What the orders of a batch find when they look back."""

    def __init__(self, bulk: Bulk, connection: AsyncConnection) -> None:
        self._bulk = bulk
        self._connection = connection
        self.latest: dict[Of, EntryNumber] = {}
        self.since: dict[Of, list[EntryNumber]] = {}
        self.waiting: dict[tuple[CommunityId, str], list[EntryNumber]] = {}
        self.entries: dict[tuple[CommunityId, EntryNumber], Entry] = {}
        self.touched: set[Of] = set()
        """The members whom the entries moved coins of, set flags of, or came from; for those who went on as somebody
        else, that one."""
        self.heirs: dict[Of, MemberId] = {}

    async def read(self, batch: Sequence[Waiting], resolved: Resolving) -> None:
        numbers = {(each.community, number) for each in batch for number in each.needs.receipts}
        numbers |= await self._find_latest(batch, resolved)
        numbers |= await self._find_since(batch, resolved)
        numbers |= await self._find_waiting(batch)
        if numbers:
            await self._read_entries(grouped(sorted(numbers)))
            await self._find_heirs()

    async def _find_latest(self, batch: Sequence[Waiting], resolved: Resolving) -> set[tuple[CommunityId, EntryNumber]]:
        senders: dict[Of, MemberId] = {}
        for each in batch:
            sender = each.needs.latest_by
            if sender is not None and (known := resolved.member((each.community, sender))):
                senders.update(((each.community, known_as), known.id) for known_as in _ids(known))
        if senders:
            for c, known_as, number in await self._bulk.query(self._connection, LATEST, grouped(sorted(senders))):
                if number is not None:
                    sent = (c, senders[c, known_as])
                    self.latest[sent] = max(number, self.latest.get(sent, number))
        return {(c, number) for (c, _), number in self.latest.items()}

    async def _find_since(self, batch: Sequence[Waiting], resolved: Resolving) -> set[tuple[CommunityId, EntryNumber]]:
        asked: dict[Of, tuple[MemberId, int]] = {}
        for each in batch:
            since = each.needs.since
            if since is not None and (known := resolved.member((each.community, since[0]))):
                asked.update(((each.community, known_as), (known.id, to_us(since[1]))) for known_as in _ids(known))
        found: dict[Of, set[EntryNumber]] = {}
        if asked:
            pairs = grouped((c, (known_as, at_us)) for (c, known_as), (_, at_us) in asked.items())
            for c, known_as, number in await self._bulk.query(self._connection, SINCE, pairs):
                found.setdefault((c, asked[c, known_as][0]), set()).add(number)
        self.since = {of: sorted(numbers) for of, numbers in found.items()}
        return {(c, number) for (c, _), numbers in self.since.items() for number in numbers}

    async def _find_waiting(self, batch: Sequence[Waiting]) -> set[tuple[CommunityId, EntryNumber]]:
        names = {(each.community, name) for each in batch for name in each.needs.waiting}
        if names:
            for c, name, number in await self._bulk.query(self._connection, WAITING, grouped(sorted(names))):
                self.waiting.setdefault((c, name), []).append(number)
        return {(c, number) for (c, _), numbers in self.waiting.items() for number in numbers}

    async def _read_entries(self, numbers: dict[int, list[Any]]) -> None:
        heads: dict[tuple[CommunityId, EntryNumber], Sequence[Any]] = {}
        postings: dict[tuple[int, int], list[Posting]] = {}
        facts: dict[tuple[int, int], list[Fact]] = {}
        for tag, c, number, *rest in await self._bulk.query(self._connection, ENTRIES, numbers):
            if tag == 1:
                heads[c, number] = rest
                self._touch(c, rest[0])
            elif tag == 2:
                _, leg, source, destination, amount, asset, *_ = rest
                posting = Posting(source, destination, Asset(asset), Coins(amount), leg)
                postings.setdefault((c, number), []).append(posting)
                self._touch(c, source, destination)
            else:
                _, subject, _, _, _, name, before, after, *_ = rest
                fact = Fact(subject, name, codec.read_value(before), codec.read_value(after))
                facts.setdefault((c, number), []).append(fact)
                self._touch(c, subject)
        for key, head in heads.items():
            self.entries[key] = _entry(key[1], head, postings.get(key, ()), facts.get(key, ()))

    async def _find_heirs(self) -> None:
        for c, member, value in await self._bulk.query(self._connection, HEIRS, grouped(sorted(self.touched))):
            self.heirs[c, member] = MemberId(int(value))
        self.touched = {(c, self.heirs.get((c, member), member)) for c, member in self.touched}

    def mark_undone(self, community: CommunityId, original: EntryNumber, by_entry: EntryNumber) -> None:
        entry = self.entries[community, original]
        self.entries[community, original] = msgspec.structs.replace(entry, undone_by=by_entry)

    def _touch(self, community: CommunityId, *owners: int) -> None:
        self.touched.update((community, MemberId(owner)) for owner in owners if owner > 0)


def _ids(known: Known) -> tuple[MemberId, ...]:
    return (known.id, *former_ids(known.links))


def _entry(number: EntryNumber, head: Sequence[Any], postings: Iterable[Posting], facts: Iterable[Fact]) -> Entry:
    actor, at_us, _, _, _, key, kind, reason, time_zone, receipt = head
    return Entry(
        number,
        IdempotencyKey(key),
        kind,
        actor,
        Reason(reason),
        from_us(at_us),
        time_zone,
        tuple(postings),
        tuple(facts),
        codec.read_receipt(receipt),
    )
