"""Who is who: readers with their roles and flags, how members are shown, who holds what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, bindparam, exists, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from economy.books import BLOCK_PREFIX, CREATOR, PRESENT, ROLE_PREFIX, Member
from economy.codec import read_value, write_value
from economy.ledger import COMMUNITY
from economy.refusals import Value
from economy.settings import Settings
from economy.store.tables import flags, identities, members, places
from economy.values import CommunityId, Identity, MemberId, Place, Role
from economy.views import Named, Reader, Shown

SUFFIX_LENGTH: Final = 4
"""How many characters of the native id tell a look-alike apart."""

_TRUE: Final = write_value(True)
_LOOKED_UP_TO: Final = (ROLE_PREFIX + Role.OWNER, ROLE_PREFIX + Role.CREATOR, CREATOR)
"""Flags of those whom others may want to be taken for."""

_COMMUNITY = select(places.c.community_id).where(
    places.c.platform == bindparam("platform"), places.c.native_id == bindparam("native_id")
)
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


# One question for what every command begins with. 1: the community and its flags, 2: the member and theirs; the first
# row of each has no flag.
_IN_PLACE = (places.c.platform == bindparam("platform"), places.c.native_id == bindparam("native_id"))
_IDENTITY = (
    identities.c.platform == bindparam("by_platform"),
    identities.c.native_id == bindparam("by_native_id"),
)
_OF_MEMBER = (members.c.community_id == places.c.community_id) & (members.c.person_id == identities.c.person_id)
_READER = union_all(
    select(literal(1), places.c.community_id, literal(None), literal(None)).where(*_IN_PLACE),
    select(literal(1), places.c.community_id, flags.c.name, flags.c.value)
    .join(flags, (flags.c.community_id == places.c.community_id) & (flags.c.subject == COMMUNITY))
    .where(*_IN_PLACE),
    select(literal(2), members.c.person_id, literal(None), literal(None))
    .select_from(places.join(identities, *_IDENTITY[:1]).join(members, _OF_MEMBER))
    .where(*_IN_PLACE, *_IDENTITY),
    select(literal(2), members.c.person_id, flags.c.name, flags.c.value)
    .select_from(
        places.join(identities, *_IDENTITY[:1])
        .join(members, _OF_MEMBER)
        .join(flags, (flags.c.community_id == members.c.community_id) & (flags.c.subject == members.c.person_id))
    )
    .where(*_IN_PLACE, *_IDENTITY),
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


async def reader(connection: AsyncConnection, place: Place, identity: Identity) -> Reader:
    asked = {
        "platform": place.platform,
        "native_id": place.native_id,
        "by_platform": identity.platform,
        "by_native_id": identity.native_id,
    }
    ids: dict[int, int] = {}
    found: dict[int, dict[str, Value]] = {1: {}, 2: {}}
    for whose, id_, name, value in await connection.execute(_READER, asked):
        ids[whose] = id_
        if name is not None:
            found[whose][name] = read_value(value)
    if 1 not in ids:
        return Reader(None, None, Settings(), frozenset(), {}, {})
    community_id, settings = CommunityId(ids[1]), Settings.of(found[1])
    if 2 not in ids:
        return Reader(community_id, None, settings, frozenset(), {}, found[1])
    member_id = MemberId(ids[2])
    roles = Member(member_id, identity, flags=found[2]).roles
    return Reader(community_id, member_id, settings, roles, found[2], found[1])


# --- how members are shown ---

_alike = members.alias("alike")
_SHOWN = (
    select(
        members.c.person_id,
        members.c.name,
        identities.c.platform,
        identities.c.native_id,
        identities.c.is_bot,
        exists()
        .where(
            members.c.skeleton != "",
            _alike.c.community_id == members.c.community_id,
            _alike.c.skeleton == members.c.skeleton,
            _alike.c.person_id != members.c.person_id,
            flags.c.community_id == _alike.c.community_id,
            flags.c.subject == _alike.c.person_id,
            flags.c.name.in_(_LOOKED_UP_TO),
            flags.c.value == _TRUE,
        )
        .label("is_alike"),
    )
    .join(identities, identities.c.person_id == members.c.person_id)
    .where(members.c.community_id == bindparam("community"), members.c.person_id.in_(bindparam("ids", expanding=True)))
    # Of a person's identities, the first: always the same one.
    .order_by(members.c.person_id, identities.c.platform, identities.c.native_id)
)


async def shown(
    connection: AsyncConnection, community_id: CommunityId, member_ids: Sequence[MemberId]
) -> dict[MemberId, Shown]:
    """Members by id. Who looks like the owner or a creator, and is not the same member, gets a suffix."""
    found: dict[MemberId, Shown] = {}
    asked = {"community": community_id, "ids": sorted(set(member_ids))}
    for person_id, name, platform, native_id, is_bot, is_alike in await connection.execute(_SHOWN, asked):
        member_id = MemberId(person_id)
        suffix = native_id[-SUFFIX_LENGTH:] if is_alike else ""
        found.setdefault(member_id, Shown(member_id, name, Identity(platform, native_id), suffix, bool(is_bot)))
    return found


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
    return sorted(MemberId(int(other)) for other in found.scalars())
