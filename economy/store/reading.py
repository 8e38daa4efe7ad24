"""From rows to books: what the orders of a batch have to see, in as few questions as there can be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from msgspec import Struct, field
from sqlalchemy.ext.asyncio import AsyncConnection

from economy import codec
from economy.books import CREATOR, ROLE_PREFIX, Books, Member, StoredOffer
from economy.ledger import COMMUNITY
from economy.links import LINKS, SUCCESSOR
from economy.refusals import Value
from economy.rules.communities import TRIES_FOR
from economy.rules.connecting import HOLD_DAYS_MAX
from economy.settings import Settings
from economy.store.batch import Waiting
from economy.store.bulk import Bulk, grouped
from economy.store.lookback import LookBack, Of
from economy.store.lookup import Meeting, PlaceMovedError, Resolving, StaleError, Who, meeting_of
from economy.store.queries import (
    HOLDERS,
    LOCK_CHESTS,
    LOCK_COMMUNITIES,
    LOCK_COUNTERS,
    LOCK_MEMBERS_SHARE_COMMUNITIES,
    PROFILES,
    STATE,
    WRONG_CODES,
)
from economy.store.timing import from_us, to_us
from economy.values import Asset, CommunityId, EntryNumber, Identity, MemberId, Own, Place, Role


class FirstAnswer(Struct, frozen=True):
    """What the order under a key came to before. `text` is a receipt where `number` is above 0."""

    number: EntryNumber
    at_us: int
    digest: str
    text: str
    time_zone: str


class Part(IntEnum):
    """What a row of `STATE` tells of."""

    ENTRY_KEY = 1
    ANSWER_KEY = 2
    ACCOUNT = 3
    FLAG = 4
    TOTAL = 5
    COUNTER = 6
    REVERSAL = 7
    OFFER = 8
    PLACE = 9


# Plain numbers: an enum's member is looked up anew for every row.
_ACCOUNT: Final = int(Part.ACCOUNT)
_FLAG: Final = int(Part.FLAG)
_ASSETS: Final = {asset.value: asset for asset in Asset}


class State(Struct):
    """What a batch reads: books by community, and besides them what only the journal looks at."""

    books: dict[CommunityId, Books]
    keys: dict[tuple[CommunityId, str], FirstAnswer] = field(default_factory=dict)
    accounts: set[tuple[CommunityId, int, Asset]] = field(default_factory=set)
    """The members' accounts that exist."""
    last_entries: dict[CommunityId, int] = field(default_factory=dict)
    wrong_codes: dict[CommunityId, int] = field(default_factory=dict)


def role_flags(role: Role) -> tuple[str, ...]:
    """The flags by which a member is known to hold `role`."""
    return (ROLE_PREFIX + role, CREATOR) if role is Role.CREATOR else (ROLE_PREFIX + role,)


def holds(member: Member, role: Role) -> bool:
    return any(member.flags.get(name) is True for name in role_flags(role))


class Reading:
    """Reads the state that a batch needs, after locking it where rows are locked one by one."""

    def __init__(self, bulk: Bulk, connection: AsyncConnection, batch: Sequence[Waiting], now: datetime) -> None:
        self._bulk = bulk
        self._connection = connection
        self._batch = batch
        self._today = now.astimezone(UTC).date().toordinal()
        # Who goes on as another takes along what may still matter; for all others it is what was done these days.
        self._days = HOLD_DAYS_MAX if any(each.needs.identities for each in batch) else 1
        self._members: dict[Of, Member] = {}
        self._flags: dict[CommunityId, dict[str, Value]] = {each.community: {} for each in batch}
        self._beside = {each.beside for each in batch if each.beside is not None}
        self._flags.update((c, {}) for c in self._beside)
        self._state = State({c: Books() for c in self._flags})
        self._now_us = to_us(now)
        # Orders that others bring along in other communities are given nowhere.
        given = [each for each in batch if each.meeting.community == each.community]
        self._meetings = {each.submission.place: each.meeting for each in given}
        self._found: dict[Place, Meeting] = {}
        self._back = LookBack(bulk, connection)
        self._roles = {(each.community, each.needs.role) for each in batch if each.needs.role is not None}
        self._searches = bool(self._roles) or any(
            each.needs.latest_by or each.needs.since or each.needs.waiting for each in batch
        )

    async def read(self, resolved: Resolving, named: Iterable[Who]) -> State:
        for who in named:
            known = resolved.member(who)
            if known is not None:
                self._add((who[0], known.id), who[1], known.name, is_bot=known.is_bot)
        await self._widen(resolved)
        if self._bulk.locks_rows:
            await self._lock()
            # What was looked for may have come meanwhile, from another process; whom it is about is locked only now.
            if self._searches and await self._widen(resolved):
                await self._lock()
        await self._read_state()
        if self._found != self._meetings:
            raise PlaceMovedError(place for place in self._meetings if self._found.get(place) != self._meetings[place])
        await self._read_wrong_codes()
        self._must_be_current(resolved, named)
        self._complete()
        return self._state

    def add(
        self, community: CommunityId, member: MemberId, name: str, identities: Iterable[Identity], *, is_bot: bool
    ) -> None:
        """Adds a member whom no order names."""
        for identity in identities:
            self._add((community, member), identity, name, is_bot=is_bot)

    def _must_be_current(self, resolved: Resolving, named: Iterable[Who]) -> None:
        """Raises StaleError where what was known before the lock is so no more: nobody acts as whom they were."""
        stale = {member.id for member in self._members.values() if member.flags.get(SUCCESSOR) is not None}
        for who in named:
            known = resolved.member(who)
            if known is not None and self._members[who[0], known.id].flags.get(LINKS) != known.links:
                stale.add(known.id)
        if stale:
            raise StaleError(stale)

    def _add(self, key: Of, identity: Identity, name: str, *, is_bot: bool) -> None:
        member = self._members.get(key)
        if member is None:
            member = self._members[key] = Member(key[1], identity, name, is_bot=is_bot)
        self._state.books[key[0]].add(member, identity)

    async def _widen(self, resolved: Resolving) -> bool:
        """Adds the members that orders do not name: holders of roles, and whoever earlier entries touch.

        Whether there are any who were not known before.
        """
        more: set[Of] = set()
        self._back = LookBack(self._bulk, self._connection)
        if self._roles:
            wanted = grouped((c, name) for c, role in sorted(self._roles) for name in role_flags(role))
            found = await self._bulk.query(self._connection, HOLDERS, wanted)
            more.update((c, member) for c, member in found if member != COMMUNITY)
        if any(each.needs.looks_back for each in self._batch):
            await self._back.read(self._batch, resolved)
            more |= self._back.touched
        unknown = grouped(sorted(more - self._members.keys()))
        if unknown:
            found = await self._bulk.query(self._connection, PROFILES, unknown)
            for c, member, name, platform, native_id, is_bot in found:
                self._add((c, member), Identity(platform, native_id), name, is_bot=bool(is_bot))
        return bool(unknown)

    async def _lock(self) -> None:
        """Members in id order, so that opposite tips cannot wait for each other; settings shared; chests last."""
        setters = {each.community for each in self._batch if each.needs.sets_community} | self._beside
        shared = {0: sorted(self._flags.keys() - setters)}
        members = grouped(sorted(self._members))
        await self._bulk.query(self._connection, LOCK_MEMBERS_SHARE_COMMUNITIES, members, shared)
        if setters:
            await self._bulk.query(self._connection, LOCK_COMMUNITIES, {0: sorted(setters)})
        chests = self._chests()
        if chests:
            # Counters before the communities' own accounts, as everywhere.
            await self._bulk.query(self._connection, LOCK_COUNTERS, {0: sorted(self._flags)})
            await self._bulk.query(self._connection, LOCK_CHESTS, grouped(sorted(chests)))

    def _chests(self) -> set[tuple[CommunityId, int]]:
        return {(each.community, int(Own.HOUSE)) for each in self._batch if each.needs.chest}

    async def _read_state(self) -> None:
        keys = grouped((c, each.key) for each in self._batch for c in (each.community, *each.meeting.others))
        owners = grouped((*self._members, *((c, COMMUNITY) for c in self._flags), *self._chests()))
        numbers = grouped(self._back.entries)
        offers = grouped(
            (
                *((each.community, nonce) for each in self._batch for nonce in each.needs.offers),
                *((each.needs.code.community, each.needs.code.secret) for each in self._batch if each.needs.code),
            )
        )
        places = {0: [(place.platform, place.native_id) for place in self._meetings]}
        rows = await self._bulk.query(
            self._connection,
            STATE,
            *(keys, owners, numbers, offers, places),
            numbers=(self._today - self._days, self._today + 1),
        )
        for row in rows:
            # Most rows are balances and flags.
            if row[0] == _ACCOUNT:
                self._put_account(row[1], row[2], _ASSETS[row[5]], row[3])
            elif row[0] == _FLAG:
                self._put_flag(row[1], row[2], row[5], row[6])
            else:
                self._put(row)

    def _put_flag(self, c: CommunityId, subject: MemberId, name: str, text: str) -> None:
        flags = self._members[c, subject].flags if subject else self._flags[c]
        flags[name] = True if text == "true" else codec.read_value(text)

    def _put(self, row: Sequence[Any]) -> None:
        """Another row of `STATE`: its part, the community, three numbers and four texts."""
        part, c, first, second, third, text, *texts = row
        match part:
            case Part.TOTAL:
                self._members[c, first].totals[text, second] = third
            case Part.ENTRY_KEY | Part.ANSWER_KEY:
                self._state.keys[c, text] = FirstAnswer(first, second, *texts)
            case Part.COUNTER:
                self._state.last_entries[c] = first
            case Part.REVERSAL:
                self._back.mark_undone(c, first, second)
            case Part.PLACE:
                self._found[Place(text, texts[0])] = meeting_of(c, first, second)
            case _:
                # Part.OFFER: the last there is.
                self._state.books[c].offers[text] = StoredOffer(
                    nonce=text,
                    label=texts[0],
                    order=codec.read_order(texts[1]),
                    presser=first,
                    expires=from_us(second),
                    used=third > 0,
                )

    async def _read_wrong_codes(self) -> None:
        typed = sorted({each.community for each in self._batch if each.needs.code is not None})
        if typed:
            since_us = self._now_us - TRIES_FOR // timedelta(microseconds=1)
            found = await self._bulk.query(self._connection, WRONG_CODES, {0: typed}, numbers=(since_us,))
            self._state.wrong_codes.update((c, count) for c, count in found)

    def _put_account(self, c: CommunityId, owner: int, asset: Asset, balance: int) -> None:
        if owner == Own.HOUSE:
            self._state.books[c].house[asset] = balance
        else:
            self._members[c, MemberId(owner)].wallet[asset] = balance
            self._state.accounts.add((c, owner, asset))

    def _complete(self) -> None:
        """What follows from the rows: settings, who holds a role, and what looking back found."""
        for c, flags in self._flags.items():
            self._state.books[c].id = c
            self._state.books[c].flags = flags
            self._state.books[c].settings = Settings.of(flags)
        for c, role in self._roles:
            books = self._state.books[c]
            books.holders[role] = tuple(sorted(each.id for each in books.members.values() if holds(each, role)))
        for (c, number), entry in self._back.entries.items():
            self._state.books[c].entries[number] = entry
        for (c, member), number in self._back.latest.items():
            self._state.books[c].latest[member] = number
        for (c, name), numbers in self._back.waiting.items():
            self._state.books[c].waiting[name] = tuple(numbers)
        for (c, member), numbers in self._back.since.items():
            self._state.books[c].since[member] = tuple(sorted(numbers))
        for (c, member), heir in self._back.heirs.items():
            self._state.books[c].heirs[member] = heir
