"""What orders about a person's identities read and write beyond their community, in the journal's transaction.

All communities of such an order are one transaction: what it comes to is everywhere or nowhere, also when the process
dies in the midst of it. On PostgreSQL the identities are held first, then members as always: whoever becomes a member
of one more community holds their identity too (`lookup`), so that nobody is left behind.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Table, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import Order, Question
from economy.ledger import Receipt
from economy.links import (
    CODE_FOR,
    CODE_LENGTH,
    CODE_LETTERS,
    COMMUNITIES_MAX,
    IDENTITIES_MAX,
    JoinCode,
    Linking,
)
from economy.lookalikes import skeleton
from economy.refusals import Code, Refusal
from economy.rules.connecting import (
    Agree,
    CodeGiven,
    Confirm,
    Connect,
    Depart,
    Disconnect,
    EnterCode,
    Separate,
    Succeed,
)
from economy.service import Submission
from economy.store.batch import Waiting
from economy.store.bulk import Bulk
from economy.store.lookup import Resolving, StaleError
from economy.store.names import storable
from economy.store.reading import Reading, State
from economy.store.tables import connect_codes, identities, members, persons
from economy.store.timing import from_us, to_us
from economy.values import CommunityId, Identity, MemberId, fitting_key

DrawCode = Callable[[], str]
"""Draws a code: `CODE_LENGTH` of `CODE_LETTERS`, not to be guessed."""

_NO_CODE: Final = {"name": "", "code": None, "expires_us": 0, "other_platform": None, "other_native_id": None}


def draw_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


class Connecting:
    """One order about identities. `companions` are what it is in the other communities that it touches."""

    def __init__(
        self,
        bulk: Bulk,
        connection: AsyncConnection,
        waiting: Waiting,
        resolved: Resolving,
        now: datetime,
        draw: DrawCode,
    ) -> None:
        self._bulk = bulk
        self._connection = connection
        self._waiting = waiting
        self._order: Order = waiting.order
        self._resolved = resolved
        self._now = now
        self._draw = draw
        self._people: dict[Identity, MemberId] = {}
        """The identities of the persons it is about."""
        self._bots: set[MemberId] = set()
        self._names: dict[tuple[CommunityId, MemberId], str] = {}
        """Where these persons are members, and what they are called there."""
        self._linking = Linking("")
        self.companions: list[Waiting] = []

    # --- reading ------------------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Finds who it is about, holding their identities where they may become another's."""
        own, entered, guesses = await self._codes()
        parts = isinstance(self._order, (Disconnect, Depart))
        other = None if parts else _other_in(entered if self._waiting.needs.entered else own, self._order.by)
        about = [self._order.by] if other is None else [self._order.by, other]
        await self._hold(about)
        actor = self._people[self._order.by]
        partner = actor if other is None else self._people[other]
        stays, goes = min(actor, partner), max(actor, partner)
        self._names = await self._memberships({actor, partner})
        self._linking = Linking(
            fresh=self._draw(),
            own=own,
            entered=entered,
            guesses=guesses,
            identities=tuple(self._identities_of(actor)),
            communities=len(self._communities_of(actor)),
            joined_identities=len(self._people),
            moved_communities=len(self._communities_of(goes)),
            stays=stays,
            goes=goes,
        )
        self._add_companions()

    async def _codes(self) -> tuple[JoinCode | None, JoinCode | None, int]:
        """The code that the actor asked for, the one that was entered, and the actor's wrong guesses."""
        by, entered = self._order.by, self._waiting.needs.entered
        found = await self._connection.execute(
            select(connect_codes)
            .where(or_(_any_of(connect_codes, (by,)), connect_codes.c.code == (entered or None)))
            .order_by(connect_codes.c.platform, connect_codes.c.native_id)
            .with_for_update()
        )
        codes: dict[Identity, Any] = {Identity(row.platform, row.native_id): row for row in found}
        own = codes.get(by)
        guesses = own.guesses if own is not None and to_us(self._now) < own.guesses_until_us else 0
        typed = next((row for row in codes.values() if entered and row.code == entered), None)
        return _code(own), _code(typed), guesses

    async def _hold(self, about: Sequence[Identity]) -> None:
        """All identities of the persons behind these. Raises StaleError where one was known as another's."""
        asked = select(identities).where(_any_of(identities, about))
        found = {Identity(row.platform, row.native_id): row.person_id for row in await self._connection.execute(asked)}
        whole = (
            select(identities)
            .where(identities.c.person_id.in_(sorted(found.values())))
            .order_by(identities.c.platform, identities.c.native_id)
        )
        if isinstance(self._order, (Confirm, Depart)):
            whole = whole.with_for_update()
        rows = (await self._connection.execute(whole)).all()
        self._people = {Identity(row.platform, row.native_id): MemberId(row.person_id) for row in rows}
        self._bots = {MemberId(row.person_id) for row in rows if row.is_bot}
        known = self._resolved.member((self._waiting.community, self._order.by))
        moved = {MemberId(person) for each, person in found.items() if self._people.get(each) != person}
        if known is not None and known.id != found[self._order.by]:
            moved.add(known.id)
        if moved:
            raise StaleError(moved)

    async def _memberships(self, people: Iterable[MemberId]) -> dict[tuple[CommunityId, MemberId], str]:
        asked = select(members.c.community_id, members.c.person_id, members.c.name)
        found = await self._connection.execute(asked.where(members.c.person_id.in_(sorted(set(people)))))
        return {(row.community_id, MemberId(row.person_id)): row.name for row in found}

    def _add_companions(self) -> None:
        linking, order = self._linking, self._order
        if isinstance(order, Confirm) and self._can_be_confirmed(order):
            by = self._identities_of(linking.stays)[0]
            self._accompany(linking.goes, Succeed(by=by, goes=linking.goes, stays=linking.stays))
        elif self._can_depart(order):
            actor = self._people[order.by]
            self._accompany(actor, Separate(by=order.by, member=actor, left=()))

    def _can_be_confirmed(self, order: Confirm) -> bool:
        """As far as the rule will say so as well: else there is nothing to do elsewhere."""
        linking, code = self._linking, self._linking.entered
        fits = code is not None and code.holds(self._now) and (code.owner, code.other) == (order.by, order.other)
        within = linking.joined_identities <= IDENTITIES_MAX and linking.moved_communities <= COMMUNITIES_MAX
        return fits and within and linking.stays != linking.goes

    def _can_depart(self, order: Order) -> bool:
        """As far as the rule will say so as well."""
        return isinstance(order, Depart) and order.identities == self._linking.identities

    async def draw_newcomers(self) -> None:
        """Draws who those that leave will be. To be called once it is sure that it is decided: an id that is drawn is
        gone."""
        order = self._order
        if not isinstance(order, Depart) or not self._can_depart(order):
            return
        drawn = await self._bulk.new_ids(self._connection, persons, len(order.leaving))
        self._linking = replace(self._linking, newcomers=tuple(map(MemberId, drawn)))
        for companion in self.companions:
            actor = self._people[order.by]
            companion.order = Separate(by=order.by, member=actor, left=self._linking.newcomers)

    def _accompany(self, person: MemberId, order: Order) -> None:
        """`order`, in every other community of a person."""
        first = self._waiting
        key = fitting_key(f"{first.key}:{order.kind}")
        for community in self._communities_of(person):
            if community != first.community:
                submission = Submission(first.submission.place, key, order)
                companion = Waiting(submission, asyncio.get_running_loop().create_future())
                companion.community = community
                self.companions.append(companion)

    def add_to(self, reading: Reading) -> None:
        """Has everyone read whom the order and its companions are about."""
        linking = self._linking
        for each in (self._waiting, *self.companions):
            c = each.community
            name = self._names.get((c, linking.goes)) or self._names.get((c, linking.stays), "")
            if (c, linking.goes) in self._names:
                for person in (linking.goes, linking.stays):
                    reading.add(c, person, name, self._identities_of(person), is_bot=person in self._bots)

    def show(self, state: State) -> None:
        state.books[self._waiting.community].linking = self._linking

    # --- writing ------------------------------------------------------------------------------------------------

    async def write(self) -> None:
        """What the order came to. To be called once it was decided, in this transaction."""
        outcome = self._waiting.answer.outcome if self._waiting.answer else None
        match self._order, outcome:
            case Connect(), Question(about=CodeGiven() as given):
                await self._put_code(given)
            case EnterCode() | Agree(), Refusal(code=Code.EXPIRED, fields={"rule": "code"}):
                await self._count_guess()
            case Agree(code=code), Receipt():
                await self._note_other(code)
            case Confirm(), Receipt():
                await self._join()
            case Depart(leaving=leaving), Receipt():
                await self._part(leaving)
            case _:
                pass

    @property
    def _own_name(self) -> str:
        """What the actor is called where they speak: a person may have another name on each platform."""
        seen = {sighting.identity: sighting.name for sighting in self._waiting.submission.sightings}
        by = self._order.by
        return storable(seen[by] if by in seen else self._names[self._waiting.community, self._people[by]])

    async def _put_code(self, given: CodeGiven) -> None:
        await self._put(
            self._order.by,
            name=self._own_name,
            code=given.code,
            expires_us=to_us(given.expires),
            other_platform=None,
            other_native_id=None,
            other_name="",
        )

    async def _count_guess(self) -> None:
        until_us = to_us(self._now + CODE_FOR)
        if self._linking.guesses:
            await self._put(self._order.by, guesses=self._linking.guesses + 1)
        else:
            await self._put(self._order.by, guesses=1, guesses_until_us=until_us)

    async def _put(self, owner: Identity, **values: Any) -> None:
        """Makes or changes an identity's row."""
        new = {**_NO_CODE, "other_name": "", "guesses": 0, "guesses_until_us": 0, **values}
        dialect = postgresql if self._bulk.locks_rows else sqlite
        statement = dialect.insert(connect_codes).values(platform=owner.platform, native_id=owner.native_id, **new)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=["platform", "native_id"], set_=values)
        )

    async def _note_other(self, code: str) -> None:
        by = self._order.by
        await self._connection.execute(
            update(connect_codes)
            .where(connect_codes.c.code == code)
            .values(other_platform=by.platform, other_native_id=by.native_id, other_name=self._own_name)
        )

    async def _join(self) -> None:
        linking = self._linking
        await self._connection.execute(
            update(identities).where(identities.c.person_id == linking.goes).values(person_id=linking.stays)
        )
        # Used once. Others that these accounts asked for hold: each has to be confirmed by the account itself.
        used = _any_of(connect_codes, (self._order.by,))
        await self._connection.execute(update(connect_codes).where(used).values(_NO_CODE))
        at = {c: name for (c, member), name in self._names.items() if member == linking.goes}
        missing = [(c, linking.stays, name) for c, name in at.items() if (c, linking.stays) not in self._names]
        await self._make_members(missing)

    async def _part(self, leaving: Sequence[Identity]) -> None:
        at_us = to_us(self._now)
        actor = self._people[self._order.by]
        for identity, newcomer in zip(leaving, self._linking.newcomers, strict=True):
            await self._connection.execute(insert(persons).values(id=newcomer, created_us=at_us))
            await self._connection.execute(
                update(identities).where(_any_of(identities, (identity,))).values(person_id=newcomer)
            )
        at = [(c, name) for (c, member), name in self._names.items() if member == actor]
        called = {(c, each): name for c, name in at for each in self._linking.newcomers}
        if self._order.by in leaving:
            newcomer = self._linking.newcomers[leaving.index(self._order.by)]
            called[self._waiting.community, newcomer] = self._own_name
        await self._make_members([(*member, name) for member, name in called.items()])

    async def _make_members(self, rows: Sequence[tuple[CommunityId, MemberId, str]]) -> None:
        if rows:
            seen_us = to_us(self._now)
            await self._connection.execute(
                insert(members),
                [
                    {"community_id": c, "person_id": who, "name": name, "skeleton": skeleton(name), "seen_us": seen_us}
                    for c, who, name in sorted(rows)
                ],
            )

    # --- helping ------------------------------------------------------------------------------------------------

    def _identities_of(self, person: MemberId) -> list[Identity]:
        return sorted(identity for identity, of in self._people.items() if of == person)

    def _communities_of(self, person: MemberId) -> list[CommunityId]:
        return sorted(c for c, member in self._names if member == person)


def _any_of(table: Table, asked: Iterable[Identity]) -> ColumnElement[bool]:
    """Rows of these identities."""
    return tuple_(table.c.platform, table.c.native_id).in_([(each.platform, each.native_id) for each in asked])


def _code(row: Any) -> JoinCode | None:
    if row is None or row.code is None:
        return None
    other = None if row.other_platform is None else Identity(row.other_platform, row.other_native_id)
    owner = Identity(row.platform, row.native_id)
    return JoinCode(owner, row.name, row.code, from_us(row.expires_us), other, row.other_name)


def _other_in(code: JoinCode | None, by: Identity) -> Identity | None:
    """Who would be joined to `by`."""
    if code is None:
        return None
    return code.other if code.owner == by else code.owner
