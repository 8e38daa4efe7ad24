"""From places to communities and from identities to members, which are made where they are missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from economy import codec
from economy.links import LINKS
from economy.lookalikes import skeleton
from economy.refusals import Value
from economy.store import tables
from economy.store.bulk import Bulk, Insert, Query, Row, Update, Wanted, grouped
from economy.store.errors import StoreError
from economy.store.names import storable
from economy.values import CommunityId, Identity, MemberId, Place, Sighting

CACHED_MAX: Final = 50_000
"""Members and places kept in mind; those known longest go first."""

SEEN_STEP_US: Final = 60_000_000
"""How stale 'last seen' may be: writing it with every order would double the work."""

_PLACES = Query(
    "SELECT p.platform, p.native_id, p.community_id, coalesce(p.own_id, 0), coalesce(p.former_id, 0)"
    " FROM {places} CROSS JOIN places AS p"
    " WHERE p.platform = w.v AND p.native_id = w.u",
    Wanted("places", "text", "text"),
)
_PEOPLE = Query(
    "SELECT w.c, i.platform, i.native_id, i.person_id, i.is_bot, m.name, m.seen_us, l.value"  # noqa: S608
    " FROM {people} CROSS JOIN identities AS i"
    " LEFT JOIN members AS m ON m.community_id = w.c AND m.person_id = i.person_id"
    " LEFT JOIN flags AS l ON l.community_id = w.c AND l.subject = i.person_id"
    f" AND l.name = '{LINKS}'"
    " WHERE i.platform = w.v AND i.native_id = w.u",
    Wanted("people", "text", "text"),
)
# Whoever becomes a member of one more community holds their identity meanwhile, so that it stays theirs.
_HOLD = Query(
    "SELECT i.platform, i.native_id, i.person_id FROM identities AS i WHERE (i.platform, i.native_id) IN"
    " (SELECT w.v, w.u FROM {people}) ORDER BY i.platform, i.native_id FOR SHARE",
    Wanted("people", "text", "text"),
)
_NEW_COMMUNITY = Insert(tables.communities, "id", "created_us")
_NEW_COUNTER = Insert(tables.counters, "community_id", "last_entry")
_NEW_PLACE = Insert(tables.places, "platform", "native_id", "community_id")
_NEW_PERSON = Insert(tables.persons, "id", "created_us")
_NEW_IDENTITY = Insert(tables.identities, "platform", "native_id", "person_id", "is_bot")
_NEW_MEMBER = Insert(tables.members, "community_id", "person_id", "name", "skeleton", "seen_us")
_SEEN = Update(tables.members, put=("name", "skeleton", "seen_us"), keys=("community_id", "person_id"))
_SEEN_AGAIN = Update(tables.members, put=("seen_us",), keys=("community_id", "person_id"))
_IS_BOT = Update(tables.identities, put=("is_bot",), keys=("platform", "native_id"))

Who = tuple[CommunityId, Identity]


class Meeting(Struct, frozen=True):
    """Where a place meets. `home`: the community that began in it, where it is with another one; `former`: the other
    one that it left last."""

    community: CommunityId
    home: CommunityId | None = None
    former: CommunityId | None = None

    @property
    def others(self) -> tuple[CommunityId, ...]:
        """Where it met before: what was said then may be delivered again."""
        return tuple(each for each in (self.home, self.former) if each is not None and each != self.community)


def meeting_of(community: int, home: int, former: int) -> Meeting:
    """As the store has it, where 0 is none."""
    return Meeting(CommunityId(community), CommunityId(home) if home else None, CommunityId(former) if former else None)


class PlaceMovedError(Exception):
    """Behind the lock, places are seen to meet elsewhere than this process knew."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(places)
        super().__init__(f"{len(self.places)} places meet elsewhere")


async def change_community(connection: AsyncConnection, place: Place, home: CommunityId, there: CommunityId) -> None:
    """The place in which the community `home` began meets `there` from now on; both are locked. Home again, it keeps
    in mind where it was."""
    at = tables.places.c
    where = (
        (at.own_id == home) if there == home else (at.platform == place.platform) & (at.native_id == place.native_id)
    )
    put = {"own_id": None, "former_id": at.community_id} if there == home else {"own_id": home}
    found: CursorResult[Any] = await connection.execute(
        update(tables.places).where(where).values(community_id=there, **put)
    )
    if found.rowcount != 1:
        raise StoreError(f"{found.rowcount} places went from one community to another, not one")


async def move_place(connection: AsyncConnection, old: Place, new: Place) -> bool:
    """Lets the community of `old` meet in `new` instead; what was founded there meanwhile gives way, unless coins moved
    in it. Whether it meets there now."""
    at = tables.places.c
    where = {place: (at.platform == place.platform) & (at.native_id == place.native_id) for place in (old, new)}
    found = await connection.execute(select(at.platform, at.native_id, at.community_id).where(where[old] | where[new]))
    communities = {Place(row.platform, row.native_id): row.community_id for row in found}
    if connection.dialect.name == "postgresql" and communities:
        # Batches share these: none is under way while it is looked whether coins moved.
        ids = tables.communities.c.id
        locked = select(ids).where(ids.in_(sorted(set(communities.values())))).order_by(ids).with_for_update()
        await connection.execute(locked)
    if old not in communities:
        # Moved already, perhaps by another process, or never spoken in.
        return new in communities
    own, other = communities[old], communities.get(new)
    if other is not None and other != own:
        touched = select(tables.postings.c.entry).where(tables.postings.c.community_id == other).limit(1)
        if (await connection.execute(touched)).first() is not None:
            return False
    if other is not None:
        await connection.execute(delete(tables.places).where(where[new]))
    renamed = {"platform": new.platform, "native_id": new.native_id}
    await connection.execute(update(tables.places).where(where[old]).values(renamed))
    return True


class StaleError(Exception):
    """Somebody is not, or no more, the member that was known by this identity: to be looked up again."""

    def __init__(self, members: Set[MemberId]) -> None:
        super().__init__("identities have become another member's")
        self.members = members


class Known(Struct, frozen=True):
    """What the store has of an identity in a community. `seen_us` is None for someone who is no member there.

    `links` tells whether identities came or went since (`economy.links`).
    """

    id: MemberId
    name: str
    seen_us: int | None
    is_bot: bool
    links: Value = None


class Directory:
    """Remembers who is who. What a batch finds or makes is `learned` once it is committed."""

    def __init__(self, bulk: Bulk, cached_max: int = CACHED_MAX) -> None:
        self._bulk = bulk
        self._cached_max = cached_max
        self._places: dict[Place, Meeting] = {}
        self._people: dict[Who, Known] = {}

    def resolving(self, connection: AsyncConnection, now_us: int) -> Resolving:
        return Resolving(self._bulk, connection, self._places, self._people, now_us)

    def forget_places(self, places: Iterable[Place]) -> None:
        """Places that meet elsewhere now: they are looked up again."""
        for place in places:
            self._places.pop(place, None)

    def learn(self, resolved: Resolving) -> None:
        """Keeps what a committed batch found."""
        self._places.update(resolved.new_places)
        # Who is no member yet may become one by another process: only members are kept.
        self._people.update((who, known) for who, known in resolved.changed.items() if known.seen_us is not None)
        for kept in (self._places, self._people):
            _forget_oldest(kept, self._cached_max)

    def forget(self, members: Set[MemberId]) -> None:
        """Forgets by which identities these were known."""
        for who in [who for who, known in self._people.items() if known.id in members]:
            del self._people[who]


def _forget_oldest(kept: dict[Any, Any], cached_max: int) -> None:
    while len(kept) > cached_max:
        del kept[next(iter(kept))]


class Resolving:
    """The names of one batch, being resolved in its transaction."""

    def __init__(
        self,
        bulk: Bulk,
        connection: AsyncConnection,
        places: dict[Place, Meeting],
        people: dict[Who, Known],
        now_us: int,
    ) -> None:
        self._bulk = bulk
        self._connection = connection
        self._places = places
        self._people = people
        self._now_us = now_us
        self.new_places: dict[Place, Meeting] = {}
        self.changed: dict[Who, Known] = {}
        self._seen: tuple[Update, list[Row]] = (_SEEN_AGAIN, [])
        self._bots: list[Row] = []

    async def communities(self, places: Iterable[Place]) -> None:
        """Finds the communities of `places`; a place never spoken in starts a new one."""
        missing = [place for place in dict.fromkeys(places) if place not in self._places]
        if not missing:
            return
        pairs = {0: [(place.platform, place.native_id) for place in missing]}
        for platform, native_id, *meeting in await self._bulk.query(self._connection, _PLACES, pairs):
            self.new_places[Place(platform, native_id)] = meeting_of(*meeting)
        missing = [place for place in missing if place not in self.new_places]
        if missing:
            await self._found_communities(missing)

    async def _found_communities(self, places: Sequence[Place]) -> None:
        ids = await self._bulk.new_ids(self._connection, tables.communities, len(places))
        await self._write(_NEW_COMMUNITY, [(each, self._now_us) for each in ids])
        await self._write(_NEW_COUNTER, [(each, 0) for each in ids])
        founded = list(zip(places, ids, strict=True))
        await self._write(_NEW_PLACE, [(place.platform, place.native_id, each) for place, each in founded])
        self.new_places.update((place, Meeting(CommunityId(each))) for place, each in founded)

    def meeting(self, place: Place) -> Meeting:
        found = self._places.get(place)
        return self.new_places[place] if found is None else found

    def member(self, who: Who) -> Known | None:
        """The member behind `who`; None for someone who is not one."""
        known = self.changed.get(who) or self._people.get(who)
        return known if known is not None and known.seen_us is not None else None

    async def people(self, named: Iterable[Who], seen: dict[Who, Sighting | None], present: set[Who]) -> None:
        """Finds everyone `named` or `seen`, and makes members of those `present` who are none.

        `seen` has the latest sighting of each that their platform vouches for; None for someone without one, whose
        name and whether they are a bot stay as they were.
        """
        await self._find([who for who in dict.fromkeys((*named, *seen)) if who not in self._people])
        await self._make([who for who in seen if who in present and self.member(who) is None], seen)
        self._note_changes(seen, present)

    async def _find(self, missing: Sequence[Who]) -> None:
        if not missing:
            return
        pairs = grouped((community, (identity.platform, identity.native_id)) for community, identity in missing)
        for c, platform, native_id, person, is_bot, name, seen_us, links in await self._bulk.query(
            self._connection, _PEOPLE, pairs
        ):
            who = (c, Identity(platform, native_id))
            self.changed[who] = Known(
                person, name or "", seen_us, bool(is_bot), None if links is None else codec.read_value(links)
            )

    async def _make(self, wanted: Sequence[Who], seen: dict[Who, Sighting | None]) -> None:
        if not wanted:
            return
        known = {who[1]: self.changed[who].id for who in wanted if who in self.changed}
        if known and self._bulk.locks_rows:
            await self._hold(known)
        new = [identity for identity in dict.fromkeys(who[1] for who in wanted) if identity not in known]
        if new:
            ids = await self._bulk.new_ids(self._connection, tables.persons, len(new))
            known.update((identity, MemberId(each)) for identity, each in zip(new, ids, strict=True))
            bots = {identity: sighting.is_bot for (_, identity), sighting in seen.items() if sighting}
            await self._write(_NEW_PERSON, [(each, self._now_us) for each in ids])
            # In one order in every process, else two that meet the same people would wait for each other.
            rows = sorted((who.platform, who.native_id, known[who], bots.get(who, False)) for who in new)
            await self._write(_NEW_IDENTITY, rows)
        for who in wanted:
            sighting = seen[who]
            name = storable(sighting.name if sighting else who[1].native_id)
            is_bot = sighting is not None and sighting.is_bot
            self.changed[who] = Known(known[who[1]], name, self._now_us, is_bot)
        members = {(who[0], known[who[1]]): self.changed[who].name for who in wanted}
        await self._write(
            _NEW_MEMBER, [(*member, name, skeleton(name), self._now_us) for member, name in sorted(members.items())]
        )

    async def _hold(self, known: dict[Identity, MemberId]) -> None:
        """Raises StaleError where an identity has become another person's."""
        asked = {0: sorted((identity.platform, identity.native_id) for identity in known)}
        for platform, native_id, person in await self._bulk.query(self._connection, _HOLD, asked):
            if known[Identity(platform, native_id)] != person:
                raise StaleError({known[Identity(platform, native_id)]})

    async def note(self) -> None:
        """Writes what was seen, once its members are locked: who wrote first and locked then would wait in circles."""
        await self._write(*self._seen)
        await self._write(_IS_BOT, self._bots)

    def _note_changes(self, seen: dict[Who, Sighting | None], present: set[Who]) -> None:
        """Takes down names, 'last seen' and 'is a bot' where they are not what the store has."""
        members: dict[tuple[CommunityId, MemberId], tuple[str, int]] = {}
        renamed = False
        bots: dict[Identity, bool] = {}
        for who, sighting in seen.items():
            known = self.member(who)
            if known is None:
                continue
            name = known.name if sighting is None or sighting.name == known.name else storable(sighting.name)
            is_bot = sighting.is_bot if sighting else known.is_bot
            seen_us = known.seen_us or 0
            if who in present and self._now_us - seen_us >= SEEN_STEP_US:
                seen_us = self._now_us
            if (name, seen_us) != (known.name, known.seen_us):
                members[who[0], known.id] = (name, seen_us)
                renamed |= name != known.name
            if is_bot is not known.is_bot:
                bots[who[1]] = is_bot
            if (name, seen_us, is_bot) != (known.name, known.seen_us, known.is_bot):
                self.changed[who] = Known(known.id, name, seen_us, is_bot, known.links)
        if renamed:
            self._seen = (
                _SEEN,
                [(name, skeleton(name), at, *member) for member, (name, at) in sorted(members.items())],
            )
        else:
            self._seen = (_SEEN_AGAIN, [(at, *member) for member, (_, at) in sorted(members.items())])
        self._bots = [(is_bot, who.platform, who.native_id) for who, is_bot in bots.items()]

    async def _write(self, statement: Insert | Update, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._bulk.write(self._connection, statement, rows)
