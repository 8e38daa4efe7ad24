"""Creators: joining, approval, profile and favourites; and turning gifts off. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from economy.books import CREATOR, FAVOURITES, GIFTS_OFF, ROLE_PREFIX, Books, Decision, Needs, Order, Outcome
from economy.catalogue import find_gift, known_gift
from economy.ledger import Receipt, Text
from economy.refusals import Code, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.rules.words import must_be_decent
from economy.settings import Feature
from economy.values import NO_REASON, Identity, MemberId, Note, Reason, Role

FAVOURITES_MAX = 5


class CreatorChanged(Receipt, frozen=True, kw_only=True, tag="creator_changed"):
    """`state` is `creator`, `asked` (a moderator has to approve) or `none`."""

    actor: MemberId
    member: MemberId
    state: str


class BeCreator(Order, frozen=True, kw_only=True, tag="be_creator"):
    """Becomes a creator, who earns from bought coins; or (`wanted` False) stops being one. Earnings stay."""

    kind: ClassVar[str] = "creator"

    wanted: bool = True

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        if refusal := books.must_be_on(Feature.CREATORS):
            return refusal
        if member.is_bot:
            return refuse(Code.NOT_ALLOWED, rule="bots")
        if not self.wanted:
            facts = [member.fact(CREATOR, None)]
            if member.flags.get(f"{ROLE_PREFIX}{Role.CREATOR}") is True:
                facts.append(member.fact(f"{ROLE_PREFIX}{Role.CREATOR}", None))
            return Decision(receipt=CreatorChanged(actor=member.id, member=member.id, state="none"), facts=tuple(facts))
        at_once = member.is_creator or not books.settings.creator_approval
        return Decision(
            receipt=CreatorChanged(actor=member.id, member=member.id, state="creator" if at_once else "asked"),
            facts=(member.fact(CREATOR, True if at_once else "asked"),),
        )


class JudgeCreator(Order, frozen=True, kw_only=True, tag="judge_creator"):
    """A moderator approves or declines (with a reason) who asked to be a creator."""

    kind: ClassVar[str] = "creator"

    member: Identity
    approved: bool
    reason: Reason = NO_REASON

    def needs(self) -> Needs:
        return Needs(people=(self.member,), sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := books.must_be_on(Feature.CREATORS) or must_be_allowed(books, actor, Right.APPROVE_CREATORS):
            return refusal
        member = books.find(self.member)
        if member is None:
            return refuse(Code.UNKNOWN_MEMBER, name=self.member.native_id)
        if member.flags.get(CREATOR) != "asked":
            return refuse(Code.INVALID_ARGUMENT, rule="not_asked", member_id=member.id)
        if self.approved and member.id == actor.id and Role.OWNER not in books.roles_of(actor):
            return refuse(Code.NOT_ALLOWED, rule="approve_self", roles="owner")
        if not self.approved and not self.reason:
            return refuse(Code.REASON_REQUIRED)
        return Decision(
            receipt=CreatorChanged(actor=actor.id, member=member.id, state="creator" if self.approved else "none"),
            facts=(member.fact(CREATOR, True if self.approved else None),),
            reason=self.reason,
        )


class ProfileChanged(Receipt, frozen=True, kw_only=True, tag="profile_changed"):
    member: MemberId
    favourites: tuple[str, ...] | None


class DescribeCreator(Order, frozen=True, kw_only=True, tag="describe_creator"):
    """Sets a creator's profile text (empty removes it) or favourite gifts, which givers are shown."""

    kind: ClassVar[str] = "profile"

    profile: Note | None = None
    favourites: tuple[str, ...] | None = None

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        if refusal := books.must_be_on(Feature.CREATORS):
            return refusal
        if not member.is_creator:
            return refuse(Code.NOT_ALLOWED, rule="creators_only", roles="creator")
        if self.profile and (refusal := must_be_decent(books, self.profile)):
            return refusal
        facts = []
        if self.favourites is not None:
            chosen = tuple(dict.fromkeys(self.favourites))
            for slug in chosen:
                if find_gift(slug, books.flags) is None:
                    return refuse(Code.UNKNOWN_GIFT, gift=slug, retired=known_gift(slug))
            if len(chosen) > FAVOURITES_MAX:
                return refuse(Code.LIMIT_EXCEEDED, rule="favourites", limit=FAVOURITES_MAX)
            facts.append(member.fact(FAVOURITES, ",".join(chosen) or None))
        texts = () if self.profile is None else (Text(member.id, "profile", self.profile),)
        return Decision(
            receipt=ProfileChanged(member=member.id, favourites=self.favourites),
            facts=tuple(facts),
            texts=texts,
        )


class GiftsTurned(Receipt, frozen=True, kw_only=True, tag="gifts_turned"):
    member: MemberId
    on: bool


class TurnGifts(Order, frozen=True, kw_only=True, tag="turn_gifts"):
    """Whether the member can receive gifts."""

    kind: ClassVar[str] = "gifts"

    on: bool

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        return Decision(
            receipt=GiftsTurned(member=member.id, on=self.on),
            facts=(member.fact(GIFTS_OFF, None if self.on else True),),
        )
