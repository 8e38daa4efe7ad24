"""Who is who: readers with their roles and flags, how members are shown, who holds what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Select, bindparam, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import BLOCK_PREFIX, CREATOR, PRESENT, ROLE_PREFIX, Member
from economy.codec import read_value, write_value
from economy.ledger import COMMUNITY
from economy.links import LINKS, SUCCESSOR, former_ids
from economy.refusals import Value
from economy.settings import Settings
from economy.store.bulk import Bulk, Query, Wanted, grouped
from economy.store.tables import flags, identities, members, places
from economy.values import CommunityId, Identity, MemberId, Place, Role
from economy.views import Named, Reader, Shown

SUFFIX_LENGTH: Final = 4
"""How many characters of the native id tell a look-alike apart."""

_TRUE: Final = write_value(True)
_LOOKED_UP_TO: Final = (ROLE_PREFIX + Role.OWNER, ROLE_PREFIX + Role.CREATOR, CREATOR)
"""Flags of those whom others may want to be taken for."""

_THERE = (places.c.platform == bindparam("platform"), places.c.native_id == bindparam("native_id"))
MET_IN: Final = union_all(
    *(select(column).where(*_THERE) for column in (places.c.community_id, places.c.own_id, places.c.former_id))
)
"""The communities that a place meets in, and met in before."""
_COMMUNITY = select(places.c.community_id).where(*_THERE)
_MEMBER = (
    select(members.c.person_id, members.c.name, identities.c.is_bot)
    .join(identities, identities.c.person_id == members.c.person_id)
    .where(
        members.c.community_id == bindparam("community"),
        identities.c.platform == bindparam("platform"),
        identities.c.native_id == bindparam("native_id"),
    )
)
_FLAGS = select(flags.c.name, flags.c.value).where(
    flags.c.community_id == bindparam("community"), flags.c.subject == bindparam("subject")
)


# What every command begins with. Everywhere the first row of what is found has no flag.
_IN_PLACES = Query(
    "SELECT p.platform, p.native_id, p.community_id, p.own_id, NULL, NULL"  # noqa: S608
    " FROM {places} CROSS JOIN places AS p WHERE p.platform = w.v AND p.native_id = w.u"
    " UNION ALL "
    "SELECT p.platform, p.native_id, p.community_id, p.own_id, f.name, f.value"
    " FROM {places} CROSS JOIN places AS p CROSS JOIN flags AS f"
    f" WHERE p.platform = w.v AND p.native_id = w.u AND f.community_id = p.community_id AND f.subject = {COMMUNITY}",
    Wanted("places", "text", "text"),
)
_PEOPLE = Query(
    "SELECT w.c, i.platform, i.native_id, m.person_id, NULL, NULL"
    " FROM {people} CROSS JOIN identities AS i CROSS JOIN members AS m"
    " WHERE i.platform = w.v AND i.native_id = w.u AND m.community_id = w.c AND m.person_id = i.person_id"
    " UNION ALL "
    "SELECT w.c, i.platform, i.native_id, m.person_id, f.name, f.value"
    " FROM {people} CROSS JOIN identities AS i CROSS JOIN members AS m CROSS JOIN flags AS f"
    " WHERE i.platform = w.v AND i.native_id = w.u AND m.community_id = w.c AND m.person_id = i.person_id"
    " AND f.community_id = w.c AND f.subject = i.person_id",
    Wanted("people", "text", "text"),
)


async def community_of(connection: AsyncConnection, place: Place) -> CommunityId | None:
    found = await connection.execute(_COMMUNITY, {"platform": place.platform, "native_id": place.native_id})
    return found.scalar_one_or_none()


async def flags_of(connection: AsyncConnection, community_id: CommunityId, subject: MemberId) -> dict[str, Value]:
    """Every flag of a member, or of the community itself (`COMMUNITY`)."""
    found = await connection.execute(_FLAGS, {"community": community_id, "subject": subject})
    return {name: read_value(value) for name, value in found}


async def settings_of(connection: AsyncConnection, community_id: CommunityId) -> Settings:
    return Settings.of(await flags_of(connection, community_id, COMMUNITY))


async def find(connection: AsyncConnection, community_id: CommunityId, identity: Identity) -> MemberId | None:
    """The member behind an identity, also one who left."""
    asked = {"community": community_id, "platform": identity.platform, "native_id": identity.native_id}
    row = (await connection.execute(_MEMBER, asked)).one_or_none()
    return None if row is None else MemberId(row.person_id)


class _Community(Struct, frozen=True):
    id: CommunityId
    settings: Settings
    flags: dict[str, Value]


async def readers(
    connection: AsyncConnection, bulk: Bulk, asked: Sequence[tuple[Place, Identity]]
) -> dict[tuple[Place, Identity], Reader]:
    """Who asks where, each as the store knows them."""
    communities, homes_of = await _communities(connection, bulk, {place for place, _ in asked})
    people = grouped(
        (communities[place].id, (who.platform, who.native_id)) for place, who in asked if place in communities
    )
    ids: dict[tuple[CommunityId, Identity], MemberId] = {}
    found: dict[tuple[CommunityId, Identity], dict[str, Value]] = {}
    for c, platform, native_id, person_id, name, value in await bulk.query(connection, _PEOPLE, people):
        who = (c, Identity(platform, native_id))
        ids[who] = MemberId(person_id)
        own = found.setdefault(who, {})
        if name is not None:
            own[name] = read_value(value)
    return {
        (place, identity): _reader(identity, community, ids.get(who), found.get(who, {}), homes_of.get(place))
        if (community := communities.get(place)) and (who := (community.id, identity))
        else Reader(None, None, Settings(), frozenset(), {}, {})
        for place, identity in asked
    }


async def _communities(
    connection: AsyncConnection, bulk: Bulk, asked: Collection[Place]
) -> tuple[dict[Place, _Community], dict[Place, CommunityId]]:
    """The community of each place, and for those that joined another's the one that began there."""
    places_asked = {0: sorted((place.platform, place.native_id) for place in asked)}
    ids: dict[Place, CommunityId] = {}
    own_ids: dict[Place, CommunityId] = {}
    found: dict[CommunityId, dict[str, Value]] = {}
    rows = await bulk.query(connection, _IN_PLACES, places_asked)
    for platform, native_id, community_id, own_id, name, value in rows:
        ids[Place(platform, native_id)] = community_id
        if own_id is not None:
            own_ids[Place(platform, native_id)] = own_id
        own = found.setdefault(community_id, {})
        if name is not None:
            own[name] = read_value(value)
    made = {id_: _Community(id_, Settings.of(own), own) for id_, own in found.items()}
    return {place: made[id_] for place, id_ in ids.items()}, own_ids


def _reader(
    identity: Identity,
    community: _Community,
    member_id: MemberId | None,
    own: dict[str, Value],
    home: CommunityId | None,
) -> Reader:
    roles = frozenset[Role]() if member_id is None else Member(member_id, identity, flags=own).roles
    return Reader(community.id, member_id, community.settings, roles, own, community.flags, home)


# --- who went on as whom ---

_LINKS = select(flags.c.value).where(
    flags.c.community_id == bindparam("community"), flags.c.subject == bindparam("subject"), flags.c.name == LINKS
)
_HEIRS = select(flags.c.subject, flags.c.value).where(
    flags.c.community_id == bindparam("community"),
    flags.c.subject.in_(bindparam("ids", expanding=True)),
    flags.c.name == SUCCESSOR,
)


async def ids_of(connection: AsyncConnection, community_id: CommunityId, member_id: MemberId) -> tuple[MemberId, ...]:
    """Under which a member stands in entries: the member's own id, and those of who went on as them."""
    found = await connection.execute(_LINKS, {"community": community_id, "subject": member_id})
    links = found.scalar_one_or_none()
    return (member_id,) if links is None else (member_id, *former_ids(read_value(links)))


async def heirs(
    connection: AsyncConnection, community_id: CommunityId, member_ids: Iterable[MemberId]
) -> dict[MemberId, MemberId]:
    """Of these members, who went on as somebody else, and as whom."""
    asked = {"community": community_id, "ids": sorted(set(member_ids))}
    return {MemberId(subject): MemberId(int(value)) for subject, value in await connection.execute(_HEIRS, asked)}


# --- how members are shown ---

_LIKE_SOMEONE = (
    "SELECT 1 FROM members AS alike CROSS JOIN flags AS f"  # noqa: S608
    " WHERE m.skeleton <> '' AND alike.community_id = w.c AND alike.skeleton = m.skeleton"
    " AND alike.person_id <> m.person_id"
    " AND f.community_id = w.c AND f.subject = alike.person_id"
    f" AND f.name IN ({', '.join(map(repr, _LOOKED_UP_TO))}) AND f.value = '{_TRUE}'"
)
_SHOWN = Query(
    f"SELECT w.c, w.v, m.name, i.platform, i.native_id, i.is_bot, EXISTS ({_LIKE_SOMEONE})"  # noqa: S608
    " FROM {members} LEFT JOIN flags AS h ON h.community_id = w.c AND h.subject = w.v"
    # Whoever went on as somebody else is shown as that one.
    f" AND h.name = '{SUCCESSOR}' CROSS JOIN members AS m CROSS JOIN identities AS i"
    " WHERE m.community_id = w.c AND m.person_id = coalesce(CAST(h.value AS bigint), w.v)"
    " AND i.person_id = m.person_id"
    # Of a person's identities, the first: always the same one.
    " ORDER BY w.c, w.v, i.platform, i.native_id",
    Wanted("members"),
)

AskedShown = tuple[CommunityId, frozenset[MemberId], str]
"""The members of a community, and the platform on which they are shown."""


async def shown(
    connection: AsyncConnection, bulk: Bulk, asked: Sequence[AskedShown]
) -> dict[AskedShown, dict[MemberId, Shown]]:
    """Members by id, for each who asks, by their identity on the platform if they have one there. Who looks like the
    owner or a creator, and is not the same member, gets a suffix."""
    wanted = {(community_id, member_id) for community_id, member_ids, _ in asked for member_id in member_ids}
    found: dict[tuple[CommunityId, MemberId], list[Shown]] = {}
    rows = await bulk.query(connection, _SHOWN, grouped(sorted(wanted)))
    for c, person_id, name, platform, native_id, is_bot, is_alike in rows:
        member_id = MemberId(person_id)
        suffix = native_id[-SUFFIX_LENGTH:] if is_alike else ""
        each = Shown(member_id, name, Identity(platform, native_id), suffix, bool(is_bot))
        found.setdefault((c, member_id), []).append(each)
    return {
        (c, member_ids, platform): {
            member_id: _on(platform, found[c, member_id]) for member_id in sorted(member_ids) if (c, member_id) in found
        }
        for c, member_ids, platform in asked
    }


def _on(platform: str, identities_of: Sequence[Shown]) -> Shown:
    return next((each for each in identities_of if each.identity.platform == platform), identities_of[0])


_NAMES = (
    select(members.c.name, identities.c.platform, identities.c.native_id)
    .join(identities, identities.c.person_id == members.c.person_id)
    .join(
        flags,
        (flags.c.community_id == members.c.community_id)
        & (flags.c.subject == members.c.person_id)
        & (flags.c.name == PRESENT)
        & (flags.c.value == _TRUE),
    )
    .where(members.c.community_id == bindparam("community"), identities.c.platform == bindparam("platform"))
    .order_by(members.c.seen_us.desc(), members.c.person_id)
    .limit(bindparam("most"))
)


async def names(connection: AsyncConnection, place: Place, limit: int) -> list[Named]:
    """Members who are present, as the place's platform knows them, last seen first."""
    community_id = await community_of(connection, place)
    asked = {"community": community_id, "platform": place.platform, "most": limit}
    return [
        Named(name, Identity(platform, native_id))
        for name, platform, native_id in await connection.execute(_NAMES, asked)
    ]


_HOMES = (
    select(places.c.native_id)
    .join(members, members.c.community_id == places.c.community_id)
    .join(identities, identities.c.person_id == members.c.person_id)
    .where(
        places.c.platform == bindparam("platform"),
        identities.c.platform == bindparam("platform"),
        identities.c.native_id == bindparam("native_id"),
    )
    .order_by(members.c.seen_us.desc(), places.c.native_id)
    .limit(bindparam("most"))
)


async def homes(connection: AsyncConnection, identity: Identity, limit: int) -> list[Place]:
    """The places of the identity's platform whose communities it is a member of, last seen in first."""
    asked = {"platform": identity.platform, "native_id": identity.native_id, "most": limit}
    return [Place(identity.platform, native_id) for native_id in (await connection.execute(_HOMES, asked)).scalars()]


async def places_on(connection: AsyncConnection, platform: str, limit: int) -> list[Place]:
    asked = select(places.c.native_id).where(places.c.platform == platform)
    found = await connection.execute(asked.order_by(places.c.community_id.desc(), places.c.native_id).limit(limit))
    return [Place(platform, native_id) for native_id in found.scalars()]


# --- who holds what ---


def _subjects(*names: str) -> Select[int]:
    return (
        select(flags.c.subject)
        .distinct()
        .where(
            flags.c.community_id == bindparam("community"),
            flags.c.name.in_(names),
            flags.c.value == _TRUE,
            flags.c.subject > 0,
        )
        .order_by(flags.c.subject)
    )


async def holders(connection: AsyncConnection, community_id: CommunityId, role: Role) -> list[MemberId]:
    """Everyone known to hold a role, also those who left."""
    names = (ROLE_PREFIX + role, CREATOR) if role is Role.CREATOR else (ROLE_PREFIX + role,)
    found = await connection.execute(_subjects(*names), {"community": community_id})
    return [MemberId(subject) for subject in found.scalars()]


_BLOCKS = (
    select(func.substr(flags.c.name, len(BLOCK_PREFIX) + 1))
    .where(
        flags.c.community_id == bindparam("community"),
        flags.c.subject == bindparam("subject"),
        flags.c.name.startswith(BLOCK_PREFIX, autoescape=True),
        flags.c.value == _TRUE,
    )
    .order_by(flags.c.name)
)


async def blocked_by(connection: AsyncConnection, community_id: CommunityId, member_id: MemberId) -> list[MemberId]:
    """Whom a member blocks."""
    found = await connection.execute(_BLOCKS, {"community": community_id, "subject": member_id})
    blocked = {MemberId(int(other)) for other in found.scalars()}
    now = await heirs(connection, community_id, blocked)
    return sorted({now.get(member, member) for member in blocked})
