"""What owners decide of a place on its platform: which of its roles stand for ours, what its channels are for. Pure.

Both live in the community's flags, by the platform and the native id. The platform says at each act who holds its
roles and where it happens; what that means is looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from economy.books import Books, Decision, Event, Member, Needs, Order, Outcome
from economy.ledger import Fact, Receipt
from economy.refusals import Code, Refusal, Value, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.values import MemberId, Role, plain_text

MAP_PREFIX: Final = "map."
CHANNEL_PREFIX: Final = "channel."
ANNOUNCE_PREFIX: Final = "announce."
LOG_PREFIX: Final = "log."
LOCAL_PREFIX: Final = "at."
"""Marks what was set for a place that joined the community, by which it ends when the place leaves."""
MAPPED: Final = (Role.OWNER, Role.TREASURER, Role.MODERATOR, Role.AUDITOR)
"""Roles that a platform's role can stand for. Operators are named one by one."""
NAME_LENGTH_MAX: Final = 100
NATIVE_ID_LENGTH_MAX: Final = 60


class ChannelUse(StrEnum):
    """What commands are answered in a channel."""

    COMMANDS = "commands"
    PRIVATE = "private"  # so that only who asked sees the answer
    NONE = "none"


class Notices(StrEnum):
    """What is told in a channel without being asked for."""

    ANNOUNCEMENTS = "announcements"
    LOG = "log"


PREFIX_OF: Final = {Notices.ANNOUNCEMENTS: ANNOUNCE_PREFIX, Notices.LOG: LOG_PREFIX}


# --- looking up -----------------------------------------------------------------------------------------------------


def mapped_roles(flags: Mapping[str, Value], platform: str, held: Iterable[str]) -> frozenset[Role]:
    """Our roles that the platform's roles in `held` stand for."""
    found = (flags.get(f"{MAP_PREFIX}{platform}:{native_id}") for native_id in held)
    return frozenset(Role(value.partition(" ")[0]) for value in found if isinstance(value, str))


def mapping(flags: Mapping[str, Value]) -> list[tuple[Role, str]]:
    """All that is mapped: our role and the name of the platform's, as it was when it was mapped."""
    return [(Role(role), called) for _, role, called in _set(flags, MAP_PREFIX)]


def channel_use(flags: Mapping[str, Value], platform: str, channel: str | None) -> ChannelUse:
    found = None if channel is None else flags.get(f"{CHANNEL_PREFIX}{platform}:{channel}")
    return ChannelUse(found.partition(" ")[0]) if isinstance(found, str) else ChannelUse.COMMANDS


def channels_used(flags: Mapping[str, Value]) -> list[tuple[ChannelUse, str]]:
    """The channels that are not for everything, with their names."""
    return [(ChannelUse(use), called) for _, use, called in _set(flags, CHANNEL_PREFIX)]


def notice_channels(flags: Mapping[str, Value], notices: Notices) -> list[tuple[str, str, str, str]]:
    """Where something is told: platform, place, channel and its name, for each place that has a channel for it."""
    found = []
    for name, channel, called in _set(flags, PREFIX_OF[notices]):
        platform, _, place = name.partition(":")
        found.append((platform, place, channel, called))
    return found


def _set(flags: Mapping[str, Value], prefix: str) -> list[tuple[str, str, str]]:
    """The flags with a prefix, in order: their names without it, and the first word and the rest of their values."""
    found = []
    for name, value in sorted(flags.items()):
        if name.startswith(prefix) and isinstance(value, str):
            first, _, rest = value.partition(" ")
            found.append((name.removeprefix(prefix), first, rest))
    return found


def local_facts(books: Books, fact: Fact) -> tuple[Fact, ...]:
    """A fact about a place that joined, with the mark by which it ends when the place leaves."""
    if books.home is None:
        return (fact,)
    mark = f"{LOCAL_PREFIX}{books.home}:{fact.name}"
    return (fact, books.community_fact(mark, None if fact.after is None else True))


def may_decide_here(books: Books, actor: Member, place: str | None = None) -> Refusal | None:
    """Whoever owns a place that joined decides over its channels; elsewhere whoever may change settings does."""
    is_here = books.place is not None and place in (None, books.place.native_id)
    if books.home is not None and is_here and Role.OWNER in books.attested:
        return None
    return must_be_allowed(books, actor, Right.SETTINGS)


# --- orders ---------------------------------------------------------------------------------------------------------


class RoleMapped(Receipt, frozen=True, kw_only=True, tag="role_mapped"):
    """`group` is the platform's role by name; `role` is None where it stands for none any more."""

    actor: MemberId
    group: str
    role: Role | None


class RoleMappingChanged(Event, frozen=True, kw_only=True, tag="role_mapping_changed"):
    actor: MemberId
    group: str
    role: Role | None


class MapRole(Order, frozen=True, kw_only=True, tag="map_role"):
    """Whoever holds a role of the platform's has one of ours by that, as long as they hold it; None ends that."""

    kind: ClassVar[str] = "roles"

    group: str
    name: str
    role: Role | None

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.APPOINT):
            return refusal
        if self.role is Role.OWNER and books.home is not None:
            return refuse(Code.NOT_ALLOWED, rule="joined_owner")
        if self.role is not None and self.role not in MAPPED:
            return refuse(Code.INVALID_ARGUMENT, rule="choice", option="role", choices=",".join(MAPPED))
        if not _is_id(self.group):
            return refuse(Code.INVALID_ARGUMENT, rule="not_a_group", option="group")
        called = plain_text(self.name)[:NAME_LENGTH_MAX]
        value = None if self.role is None else f"{self.role} {called}"
        return Decision(
            receipt=RoleMapped(actor=actor.id, group=called, role=self.role),
            facts=local_facts(books, books.community_fact(f"{MAP_PREFIX}{self.by.platform}:{self.group}", value)),
            events=(RoleMappingChanged(actor=actor.id, group=called, role=self.role),),
        )


class ChannelSet(Receipt, frozen=True, kw_only=True, tag="channel_set"):
    """`name` is None where notices are told nowhere any more."""

    actor: MemberId
    name: str | None
    use: ChannelUse | None = None
    notices: Notices | None = None


class ChannelsChanged(Event, frozen=True, kw_only=True, tag="channels_changed"):
    actor: MemberId
    use: ChannelUse | None = None
    notices: Notices | None = None


class UseChannel(Order, frozen=True, kw_only=True, tag="use_channel"):
    """What commands are answered in a channel of the place."""

    kind: ClassVar[str] = "channels"

    channel: str
    name: str
    use: ChannelUse

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := may_decide_here(books, actor):
            return refusal
        if not _is_id(self.channel):
            return refuse(Code.INVALID_ARGUMENT, rule="not_a_channel", option="channel")
        called = plain_text(self.name)[:NAME_LENGTH_MAX]
        value = None if self.use is ChannelUse.COMMANDS else f"{self.use} {called}"
        return Decision(
            receipt=ChannelSet(actor=actor.id, name=called, use=self.use),
            facts=local_facts(books, books.community_fact(f"{CHANNEL_PREFIX}{self.by.platform}:{self.channel}", value)),
            events=(ChannelsChanged(actor=actor.id, use=self.use),),
        )


class TellIn(Order, frozen=True, kw_only=True, tag="tell_in"):
    """In which channel of a place something is told unasked; without a channel, nowhere there."""

    kind: ClassVar[str] = "channels"

    place: str
    notices: Notices
    channel: str | None = None
    name: str = ""

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        is_for_all = self.notices is Notices.ANNOUNCEMENTS
        if refusal := (
            may_decide_here(books, actor, self.place) if is_for_all else must_be_allowed(books, actor, Right.SETTINGS)
        ):
            return refusal
        if self.channel is not None and not _is_id(self.channel):
            return refuse(Code.INVALID_ARGUMENT, rule="not_a_channel", option="channel")
        called = None if self.channel is None else plain_text(self.name)[:NAME_LENGTH_MAX]
        value = None if self.channel is None else f"{self.channel} {called}"
        return Decision(
            receipt=ChannelSet(actor=actor.id, name=called, notices=self.notices),
            facts=local_facts(
                books, books.community_fact(f"{PREFIX_OF[self.notices]}{self.by.platform}:{self.place}", value)
            ),
            events=(ChannelsChanged(actor=actor.id, notices=self.notices),),
        )


def _is_id(native_id: str) -> bool:
    return 0 < len(native_id) <= NATIVE_ID_LENGTH_MAX and native_id.isascii() and " " not in native_id
