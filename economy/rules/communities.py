"""Several places, one community: a place joins another's by a one-time code, and leaves it again. Pure.

The code is the consent of the one owner, who asks for it; pressing the button after reading what will happen is the
other's. A community keeps all it has while its place meets elsewhere: nothing is merged, and nothing is lost.

In the flags of a community, places that joined it are named by the community that began in them, which stays the same
when a platform gives a place another id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from economy.books import (
    CONFIRM_FOR,
    ROLE_PREFIX,
    Books,
    Decision,
    Event,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
    Question,
    StoredOffer,
)
from economy.ledger import Fact, Receipt
from economy.refusals import Code, Refusal, Value, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.rules.places import LOCAL_PREFIX, NAME_LENGTH_MAX
from economy.values import CommunityId, InvitationCode, MemberId, Place, Role, plain_text

PLACE_PREFIX: Final = "place."
MEETS_IN: Final = "meets_in"
"""In the flags of a community whose place is with another one: which, since when, and its name."""
LEFT: Final = "left"
"""In the same flags: which community its place left last, and when."""
BEGAN_IN: Final = "began_in"
"""What the place is called in which a community began, once others joined it."""

CODE_LABEL: Final = "code"
"""The label of the offer behind a code. It is no button: whoever types the code takes it."""
CODE_FOR: Final = timedelta(minutes=10)
TRIES_FOR: Final = timedelta(minutes=10)
TRIES_MAX: Final = 5
"""How many wrong codes are looked at in `TRIES_FOR`."""
PLACES_MAX: Final = 50
REST_FOR: Final = timedelta(minutes=10)
"""How long a place that left stays home before it joins another community: what was said in it before may still be
delivered again, and is known in the community it left last and its own."""
HERE: Final = CommunityId(0)
"""The place where it is said, wherever a place is named by the community that began in it."""


# --- looking up -----------------------------------------------------------------------------------------------------


class JoinedPlace(Struct, frozen=True):
    """A place that joined, by the community that began in it; what it was called then."""

    home: CommunityId
    since: datetime
    platform: str
    name: str


def joined_places(flags: Mapping[str, Value]) -> list[JoinedPlace]:
    """The places that joined a community, the first one first."""
    found = []
    for flag, value in flags.items():
        if flag.startswith(PLACE_PREFIX) and isinstance(value, str):
            since, platform, *name = value.split(" ", 2)
            home = CommunityId(int(flag.removeprefix(PLACE_PREFIX)))
            found.append(JoinedPlace(home, datetime.fromisoformat(since), platform, "".join(name)))
    return sorted(found, key=lambda place: (place.since, place.home))


# --- inviting -------------------------------------------------------------------------------------------------------


class PlaceInvited(Receipt, frozen=True, kw_only=True, tag="place_invited"):
    """A code was given out."""

    actor: MemberId


class AdmitPlace(Order, frozen=True, kw_only=True, tag="admit_place"):
    """What a code stands for; nobody can give this order. `name`: what the place is called where it was given out,
    `began`: whether the community began there. `taken_by`: the place where it was typed first."""

    kind: ClassVar[str] = "community"

    name: str
    began: bool
    taken_by: Place | None = None

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        return refuse(Code.EXPIRED, rule="unknown")


class InvitePlace(Order, frozen=True, kw_only=True, tag="invite_place"):
    """Asks for a code by which another place can join this community. `name`: what this one is called."""

    kind: ClassVar[str] = "community"

    name: str

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.PLACES):
            return refusal
        if len(joined_places(books.flags)) >= PLACES_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="places", limit=PLACES_MAX)
        order = AdmitPlace(by=self.by, name=_called(self.name), began=books.home is None)
        offer = Offer(label=CODE_LABEL, order=order, presser=actor.id, expires=now + CODE_FOR)
        return Question(about=PlaceInvited(actor=actor.id), offers=(offer,), why=(CODE_LABEL,))


# --- joining --------------------------------------------------------------------------------------------------------


class PlaceJoined(Receipt, frozen=True, kw_only=True, tag="place_joined"):
    """The place `name` meets in the community of the place `there`, whose coins are called so. `invited_by` is told
    in that community alone."""

    actor: MemberId
    home: CommunityId
    name: str
    platform: str
    there: str
    currency_many: str
    own_currency_many: str
    time_zone: str
    joined_staff: str = "none"
    invited_by: MemberId | None = None


class PlacesChanged(Event, frozen=True, kw_only=True, tag="places_changed"):
    actor: MemberId


class JoinPlace(Order, frozen=True, kw_only=True, tag="join_place"):
    """The place where it is said joins the community that a code is from, first asking. `code` as it was typed;
    `name`: what this place is called."""

    kind: ClassVar[str] = "community"

    code: str
    name: str
    confirmed: bool = False

    def needs(self) -> Needs:
        return Needs(sets_community=True, code=InvitationCode.parse(self.code), enters=self.confirmed)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := _must_be_free(books, actor, now):
            return refusal
        admitted = self._admitted(books, now)
        if isinstance(admitted, Refusal):
            return admitted
        there, offer, order = admitted
        if refusal := _must_have_rested(books, there, now):
            return refusal
        if len(joined_places(there.flags)) >= PLACES_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="places", limit=PLACES_MAX)
        if not self.confirmed:
            return self._question(books, there, offer, order, actor, now)
        return self._decision(books, there, offer, order, actor, now)

    def _admitted(self, books: Books, now: datetime) -> tuple[Books, StoredOffer, AdmitPlace] | Refusal:
        """The community that the code is from, and what was given out there. One refusal for all that is wrong with a
        code: whoever guesses learns nothing."""
        wrong = refuse(Code.INVALID_ARGUMENT, rule="code")
        code, there = InvitationCode.parse(self.code), books.beside
        if books.tries >= TRIES_MAX:
            return refuse(
                Code.LIMIT_EXCEEDED, rule="place_codes", limit=TRIES_MAX, seconds=int(TRIES_FOR.total_seconds())
            )
        if code is None or there is None:
            return wrong
        offer = there.offers.get(code.secret)
        if offer is None or not isinstance(offer.order, AdmitPlace) or offer.used or now >= offer.expires:
            return wrong
        if there.id == books.id:
            return refuse(Code.INVALID_ARGUMENT, rule="own_place_code")
        if there.flags.get(MEETS_IN) is not None:
            # Its own place went elsewhere since: nobody would be left there who owns it.
            return wrong
        return wrong if offer.order.taken_by not in (None, books.place) else (there, offer, offer.order)

    def _question(
        self, books: Books, there: Books, offer: StoredOffer, order: AdmitPlace, actor: Member, now: datetime
    ) -> Question:
        """From here on the code is this place's: in a group, others may have read it."""
        return Question(
            about=self._receipt(books, there, order, actor),
            offers=(
                Offer(
                    label="confirm",
                    order=msgspec.structs.replace(self, confirmed=True),
                    presser=actor.id,
                    expires=min(now + CONFIRM_FOR, offer.expires),
                ),
            ),
            why=("join",),
            binds=msgspec.structs.replace(offer, order=msgspec.structs.replace(order, taken_by=books.place)),
        )

    def _decision(
        self, books: Books, there: Books, offer: StoredOffer, order: AdmitPlace, actor: Member, now: datetime
    ) -> Decision:
        receipt = self._receipt(books, there, order, actor)
        facts = [there.community_fact(f"{PLACE_PREFIX}{books.id}", f"{_at(now)} {receipt.platform} {receipt.name}")]
        if order.began and order.name and there.flags.get(BEGAN_IN) != order.name:
            facts.append(there.community_fact(BEGAN_IN, order.name))
        return Decision(
            receipt=receipt,
            facts=(books.community_fact(MEETS_IN, f"{there.id} {_at(now)} {order.name}"),),
            moves=Decision(
                receipt=msgspec.structs.replace(receipt, invited_by=offer.presser),
                facts=tuple(facts),
                events=(PlacesChanged(actor=actor.id),),
            ),
        )

    def _receipt(self, books: Books, there: Books, order: AdmitPlace, actor: Member) -> PlaceJoined:
        return PlaceJoined(
            actor=actor.id,
            home=books.id,
            name=_called(self.name),
            platform=self.by.platform,
            there=order.name,
            currency_many=there.settings.currency_many,
            own_currency_many=books.settings.currency_many,
            time_zone=there.settings.time_zone,
            joined_staff=there.settings.joined_staff,
        )


def _must_be_free(books: Books, actor: Member, now: datetime) -> Refusal | None:
    """Whether the place can go elsewhere: it is home, and nobody else's home is with it."""
    if books.home is not None:
        return refuse(Code.NOT_ALLOWED, rule="joined_already")
    if refusal := must_be_allowed(books, actor, Right.PLACES):
        return refusal
    if others := len(joined_places(books.flags)):
        return refuse(Code.NOT_ALLOWED, rule="others_joined", places=others)
    return None


def _must_have_rested(books: Books, there: Books, now: datetime) -> Refusal | None:
    found = books.flags.get(LEFT)
    if not isinstance(found, str):
        return None
    community, _, at = found.partition(" ")
    again_at = datetime.fromisoformat(at) + REST_FOR
    if int(community) == there.id or now >= again_at:
        return None
    return refuse(Code.NOT_ALLOWED, rule="left_lately", again_at=again_at.isoformat())


# --- leaving --------------------------------------------------------------------------------------------------------


class PlaceParted(Receipt, frozen=True, kw_only=True, tag="place_parted"):
    """The place `name` is home again, where the coins are called so. `removed`: it was sent away by the owner of the
    community, rather than left."""

    actor: MemberId
    home: CommunityId
    name: str
    platform: str
    currency_many: str
    own_currency_many: str
    removed: bool = False


class PartPlace(Order, frozen=True, kw_only=True, tag="part_place"):
    """A place that joined goes home, first asking: the one where it is said, or the one that `home` names."""

    kind: ClassVar[str] = "community"

    home: CommunityId = HERE
    confirmed: bool = False

    def needs(self) -> Needs:
        return Needs(sets_community=True, home=self.home, enters=self.confirmed)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor, own = books.actor(self.by), books.beside
        is_here = self.home in (HERE, books.home)
        if is_here and books.home is None:
            return self._not_joined(books, actor)
        place = next((each for each in joined_places(books.flags) if own is not None and each.home == own.id), None)
        owns_it = is_here and _owns(books, own, actor)
        if not owns_it and (refusal := must_be_allowed(books, actor, Right.PLACES)):
            return refusal
        if own is None or place is None:
            return refuse(Code.INVALID_ARGUMENT, rule="no_such_place")
        receipt = PlaceParted(
            actor=actor.id,
            home=own.id,
            name=place.name,
            platform=place.platform,
            currency_many=books.settings.currency_many,
            own_currency_many=own.settings.currency_many,
            removed=not is_here,
        )
        if not self.confirmed:
            # What is confirmed names the place: a button must not mean another one later.
            agreed = msgspec.structs.replace(self, home=own.id, confirmed=True)
            offer = Offer(label="confirm", order=agreed, presser=actor.id, expires=now + CONFIRM_FOR)
            return Question(about=receipt, offers=(offer,), why=("leave",))
        events = (PlacesChanged(actor=actor.id),)
        ended = (books.community_fact(f"{PLACE_PREFIX}{own.id}", None), *_local_ends(books, own.id))
        home = (own.community_fact(MEETS_IN, None), own.community_fact(LEFT, f"{books.id} {_at(now)}"))
        return Decision(
            receipt=receipt, facts=ended, events=events, moves=Decision(receipt=receipt, facts=home, events=events)
        )

    def _not_joined(self, books: Books, actor: Member) -> Refusal:
        if refusal := must_be_allowed(books, actor, Right.PLACES):
            return refusal
        if others := len(joined_places(books.flags)):
            return refuse(Code.NOT_ALLOWED, rule="began_here", places=others)
        return refuse(Code.NOT_ALLOWED, rule="alone")


def _owns(books: Books, own: Books | None, actor: Member) -> bool:
    """Whether somebody owns the place itself: the platform says so, or they own what began there by name."""
    if Role.OWNER in books.attested:
        return True
    at_home = None if own is None else own.members.get(actor.id)
    return at_home is not None and at_home.flags.get(ROLE_PREFIX + Role.OWNER) is True


def _local_ends(books: Books, home: CommunityId) -> Iterator[Fact]:
    """The end of all that was set for a place that leaves."""
    prefix = f"{LOCAL_PREFIX}{home}:"
    for mark, value in sorted(books.flags.items()):
        if mark.startswith(prefix) and value is True:
            yield books.community_fact(mark, None)
            yield books.community_fact(mark.removeprefix(prefix), None)


def _called(name: str) -> str:
    return plain_text(name)[:NAME_LENGTH_MAX]


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")
