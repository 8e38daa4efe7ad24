"""Two identities become one person by a one-time code that both sides confirm, and part again. Pure.

    ana on Discord     Connect             a code, told to her alone
    ana on Telegram    EnterCode, Agree    sees whom it joins her to and what becomes shared; agrees
    ana on Discord     Connect, Confirm    sees the same from the other side; confirms

Whoever talks somebody into a code still needs the button that says what is given away. The one known longer stays; in
each community where the other is a member, one entry moves all they have and notes the successor: `Confirm` in the
community it is pressed in, `Succeed` in all others, all of them or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from msgspec.structs import replace

from economy.books import (
    ACTED,
    BLOCK_PREFIX,
    CONFIRM_FOR,
    DAILY_DAY,
    DAILY_STREAK,
    FREEZE,
    HIDDEN,
    PRESENT,
    WAITING,
    Books,
    Decision,
    Event,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
    Question,
)
from economy.ledger import Connected, Disconnected, Fact, Legs, Receipt, TotalMoved
from economy.links import (
    APART,
    CODE_FOR,
    COMMUNITIES_MAX,
    GUESSES_MAX,
    IDENTITIES_MAX,
    LINKS,
    SUCCESSOR,
    JoinCode,
    Linking,
    former_ids,
    plain_code,
    with_links,
)
from economy.refusals import Code, Refusal, Value, refuse
from economy.rules.presence import place_flag, places_of_both
from economy.totals import ADJUSTED, DIAMONDS, EARNED, REACTED
from economy.values import Asset, Coins, Identity, MemberId

HOLD_DAYS_MAX: Final = 366
"""How far back a member's totals can still matter: the longest hold, and a day for other time zones."""

_CARRIED: Final = (FREEZE, HIDDEN, DAILY_DAY)
"""Flags that whoever leaves a person starts with, so that nobody gets rid of them by leaving. Days in a row are none of
them: they are worth coins, and stay with the person."""

_CAPPED: Final = (ADJUSTED, EARNED, REACTED)
"""Totals of the day that have a limit, which leaving is no way round."""


class CodeGiven(Receipt, frozen=True, kw_only=True, tag="code_given"):
    """A code to be entered from the other identity. Told to who asked, and in no entry."""

    code: str
    expires: datetime


class ConnectionAsked(Receipt, frozen=True, kw_only=True, tag="connection_asked"):
    """What is asked before two identities become one person, and in no entry: the other is named as they were seen.
    `platform` is empty where both are on the same.

    The amounts are the reader's own here; `communities` is in how many the reader is a member.
    """

    member: MemberId
    other: str
    platform: str
    coin: int
    bonus: int
    diamond: int
    communities: int


class ConnectionAgreed(Receipt, frozen=True, kw_only=True, tag="connection_agreed"):
    """Whoever entered a code agrees; whoever asked for it has yet to confirm, until `expires`."""

    member: MemberId
    expires: datetime


class DisconnectionAsked(Receipt, frozen=True, kw_only=True, tag="disconnection_asked"):
    """What is asked before identities leave a person. The amounts are what stays, here."""

    member: MemberId
    who: Leaving
    identities: int
    coin: int
    bonus: int
    diamond: int
    communities: int


class Leaving(StrEnum):
    THIS = "this"
    OTHERS = "others"


class MembersConnected(Event, frozen=True, kw_only=True, tag="members_connected"):
    member: MemberId
    formerly: MemberId


class MembersDisconnected(Event, frozen=True, kw_only=True, tag="members_disconnected"):
    member: MemberId
    left: tuple[MemberId, ...]


# --- the code -------------------------------------------------------------------------------------------------------


class Connect(Order, frozen=True, kw_only=True, tag="connect"):
    """Asks for a code, or, once somebody entered it and agreed, what is to be confirmed. A code that nobody has
    entered is given again, unless a `new` one is wanted."""

    kind: ClassVar[str] = "connect"

    new: bool = False

    def needs(self) -> Needs:
        return Needs(identities=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor, linking = books.actor(self.by), _linking(books)
        if actor.is_bot:
            return refuse(Code.NOT_ALLOWED, rule="bots")
        own = linking.own
        if own is None or not own.holds(now) or self.new:
            own = JoinCode(self.by, actor.name, linking.fresh, now + CODE_FOR)
        if own.other is None:
            return Question(about=CodeGiven(code=own.code, expires=own.expires), offers=(), why=("code",))
        if refusal := _must_be_joinable(books, linking):
            return refusal
        order = Confirm(by=self.by, other=own.other, code=own.code)
        offer = Offer(label="confirm", order=order, presser=actor.id, expires=own.expires)
        about = _asked(self.by, actor, own.other_name, own.other, linking)
        return Question(about=about, offers=(offer,), why=("connect",))


class EnterCode(Order, frozen=True, kw_only=True, tag="enter_code"):
    """Enters the code that one's other identity asked for. Asks first: nothing is agreed by entering."""

    kind: ClassVar[str] = "connect"

    code: str

    def needs(self) -> Needs:
        return Needs(identities=True, entered=plain_code(self.code))

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor, linking = books.actor(self.by), _linking(books)
        code = _entered(self.by, actor, linking, now)
        if isinstance(code, Refusal):
            return code
        if refusal := _must_be_joinable(books, linking):
            return refusal
        agree = Agree(by=self.by, code=code.code)
        expires = min(code.expires, now + CONFIRM_FOR)
        offer = Offer(label="confirm", order=agree, presser=actor.id, expires=expires)
        about = _asked(self.by, actor, code.name, code.owner, linking)
        return Question(about=about, offers=(offer,), why=("connect",))


class Agree(Order, frozen=True, kw_only=True, tag="agree"):
    """Agrees to become one person with whoever asked for the code, who has yet to confirm it."""

    kind: ClassVar[str] = "connect"

    code: str

    def needs(self) -> Needs:
        return Needs(identities=True, entered=self.code)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor, linking = books.actor(self.by), _linking(books)
        code = _entered(self.by, actor, linking, now)
        if isinstance(code, Refusal):
            return code
        if refusal := _must_be_joinable(books, linking):
            return refusal
        return Decision(receipt=ConnectionAgreed(member=actor.id, expires=code.expires))


def _linking(books: Books) -> Linking:
    if books.linking is None:
        raise LookupError("an order about identities says so in its needs")
    return books.linking


def _entered(by: Identity, actor: Member, linking: Linking, now: datetime) -> JoinCode | Refusal:
    """The code that was entered, if it holds and nobody else used it."""
    if actor.is_bot:
        return refuse(Code.NOT_ALLOWED, rule="bots")
    if linking.guesses >= GUESSES_MAX:
        return refuse(Code.LIMIT_EXCEEDED, rule="codes", limit=GUESSES_MAX, minutes=CODE_FOR // timedelta(minutes=1))
    code = linking.entered
    if code is None or not code.holds(now) or code.other not in (None, by):
        # One answer for all, so that guessing tells nothing.
        return refuse(Code.EXPIRED, rule="code", minutes=CODE_FOR // timedelta(minutes=1))
    if code.owner == by:
        return refuse(Code.INVALID_ARGUMENT, rule="own_code")
    return code


def _must_be_joinable(books: Books, linking: Linking) -> Refusal | None:
    """Whether the two could become one person, as far as can be seen from here."""
    if linking.stays == linking.goes:
        return refuse(Code.INVALID_ARGUMENT, rule="connected")
    if linking.joined_identities > IDENTITIES_MAX:
        return refuse(Code.LIMIT_EXCEEDED, rule="identities", limit=IDENTITIES_MAX)
    if linking.moved_communities > COMMUNITIES_MAX:
        return refuse(Code.LIMIT_EXCEEDED, rule="communities", limit=COMMUNITIES_MAX)
    if refusal := books.must_move():
        return refusal
    here = (books.members.get(linking.stays), books.members.get(linking.goes))
    return next((no for member in here if member and (no := _must_be_free(books, member))), None)


def _must_be_free(books: Books, member: Member) -> Refusal | None:
    if member.flags.get(FREEZE) is not None:
        return refuse(Code.FROZEN, rule="connect", appeal=books.settings.appeal)
    if any(balance < 0 for balance in member.wallet.values()):
        return refuse(Code.IN_DEBT, rule="connect", owed=-min(member.wallet.values()))
    return None


def _asked(by: Identity, actor: Member, name: str, other: Identity, linking: Linking) -> ConnectionAsked:
    return ConnectionAsked(
        member=actor.id,
        other=name,
        platform="" if other.platform == by.platform else other.platform,
        coin=actor.holds(Asset.COIN),
        bonus=actor.holds(Asset.BONUS),
        diamond=actor.holds(Asset.DIAMOND),
        communities=linking.communities,
    )


# --- becoming one ---------------------------------------------------------------------------------------------------


class Confirm(Order, frozen=True, kw_only=True, tag="confirm_connection"):
    """Makes one person of who asked for a code and `other`, who entered it and agreed."""

    kind: ClassVar[str] = "connect"

    other: Identity
    code: str

    def needs(self) -> Needs:
        return Needs(identities=True, entered=self.code)

    def decide(self, books: Books, now: datetime) -> Outcome:
        linking = _linking(books)
        code = linking.entered
        if code is None or not code.holds(now) or (code.owner, code.other) != (self.by, self.other):
            return refuse(Code.EXPIRED, rule="code", minutes=CODE_FOR // timedelta(minutes=1))
        return _must_be_joinable(books, linking) or succeed(books, linking.goes, linking.stays, now)


class Succeed(Order, frozen=True, kw_only=True, tag="succeed"):
    """What `Confirm` does in each of the other communities. The journal gives it, nobody else."""

    kind: ClassVar[str] = "connect"

    goes: MemberId
    stays: MemberId

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        return books.must_move() or succeed(books, self.goes, self.stays, now)


def succeed(books: Books, goes: MemberId, stays: MemberId, now: datetime) -> Decision | Refusal:
    """One member goes on as another, with all they have."""
    target, source = books.members[stays], books.members.get(goes)
    if source is None:
        return Decision(receipt=Connected(member=stays))
    for member in (source, target):
        if refusal := _must_be_free(books, member):
            return refusal
    legs = Legs()
    for asset in Asset:
        if refusal := books.must_fit(target, asset, source.holds(asset)):
            return refusal
        legs.move(source.id, target.id, asset, source.holds(asset))
    totals = tuple(
        TotalMoved(name, day, amount)
        for (name, day), amount in sorted(source.totals.items())
        if amount and _matters(name, day, books.today(now))
    )
    receipt = Connected(
        member=target.id,
        formerly=source.id,
        coin=Coins(source.holds(Asset.COIN)),
        bonus=Coins(source.holds(Asset.BONUS)),
        diamond=Coins(source.holds(Asset.DIAMOND)),
        totals=totals,
    )
    return Decision(
        receipt=receipt,
        postings=legs.postings,
        facts=tuple(_facts(source, target)),
        events=(MembersConnected(member=target.id, formerly=source.id),),
    )


def _facts(source: Member, target: Member) -> Iterator[Fact]:
    """Every flag of the one who goes ends, and counts for the one who stays."""
    names = {**source.flags, **target.flags, PRESENT: True, ACTED: True}
    former = source.ids
    own_blocks = {f"{BLOCK_PREFIX}{each}" for each in (*former, *target.ids)}
    there = places_of_both(source.flags, target.flags)
    for name in sorted((names.keys() | there) - {LINKS, SUCCESSOR}):
        after = None if name in own_blocks else True if name in there else _merged(name, source, target)
        if after != target.flags.get(name):
            yield target.fact(name, after)
    for name, value in sorted(source.flags.items()):
        if value is not None and name not in (SUCCESSOR, LINKS):
            yield source.fact(name, None)
    yield source.fact(SUCCESSOR, int(target.id))
    yield target.fact(LINKS, with_links(target.flags.get(LINKS), *former))
    # Whoever went on as the one who goes now has this successor: nobody has to follow a chain.
    for each in former[1:]:
        yield Fact(each, SUCCESSOR, int(source.id), int(target.id))


def _merged(name: str, source: Member, target: Member) -> Value:
    """A flag of both: what was ever said, given or claimed by either counts."""
    theirs, own = source.flags.get(name), target.flags.get(name)
    if name == WAITING:
        return sum(count for count in (theirs, own) if isinstance(count, int)) or None
    if name == DAILY_DAY:
        return max((day for day in (theirs, own) if isinstance(day, str)), default=None)
    if name == DAILY_STREAK:
        return _streak(source, target)
    if name == APART:
        left = sorted({*former_ids(theirs), *former_ids(own)}.difference(source.ids, target.ids))
        return with_links(None, *left) or None
    if name == ACTED or True in (theirs, own):
        return True
    return theirs if own is None else own


def _streak(source: Member, target: Member) -> Value:
    """The days in a row that either claimed, up to the latest claim."""
    claims = sorted(
        (date.fromisoformat(day), streak)
        for member in (source, target)
        if isinstance(day := member.flags.get(DAILY_DAY), str)
        and isinstance(streak := member.flags.get(DAILY_STREAK), int)
    )
    if not claims:
        return None
    (first, before), (last, streak) = claims[0], claims[-1]
    if first == last:
        return max(before, streak)
    # The day before was claimed as well, by the other of the two.
    follows = last - first <= timedelta(days=streak)
    return max(streak, before + (last - first).days) if follows else streak


# --- parting --------------------------------------------------------------------------------------------------------


class Disconnect(Order, frozen=True, kw_only=True, tag="disconnect"):
    """Asks before identities leave the person: the one that speaks, or all others. No coins move."""

    kind: ClassVar[str] = "disconnect"

    who: Leaving = Leaving.THIS

    def needs(self) -> Needs:
        return Needs(identities=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor, linking = books.actor(self.by), _linking(books)
        others = tuple(sorted(identity for identity in linking.identities if identity != self.by))
        if not others:
            return refuse(Code.INVALID_ARGUMENT, rule="not_connected")
        if linking.communities > COMMUNITIES_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="communities", limit=COMMUNITIES_MAX)
        leaving = (self.by,) if self.who is Leaving.THIS else others
        about = DisconnectionAsked(
            member=actor.id,
            who=self.who,
            identities=len(leaving),
            coin=actor.holds(Asset.COIN),
            bonus=actor.holds(Asset.BONUS),
            diamond=actor.holds(Asset.DIAMOND),
            communities=linking.communities,
        )
        order = Depart(by=self.by, leaving=leaving, identities=tuple(sorted(linking.identities)))
        offer = Offer(label="confirm", order=order, presser=actor.id, expires=now + CONFIRM_FOR)
        return Question(about=about, offers=(offer,), why=("disconnect",))


class Depart(Order, frozen=True, kw_only=True, tag="depart"):
    """Makes a new person of each of `leaving`. `identities` are those that the person had when it was asked."""

    kind: ClassVar[str] = "disconnect"

    leaving: tuple[Identity, ...]
    identities: tuple[Identity, ...]

    def needs(self) -> Needs:
        return Needs(identities=True, leaving=self.leaving)

    def decide(self, books: Books, now: datetime) -> Outcome:
        linking = _linking(books)
        if tuple(sorted(linking.identities)) != self.identities:
            return refuse(Code.EXPIRED, rule="unknown")
        decision = depart(books, books.actor(self.by).id, linking.newcomers, now)
        if self.by not in self.leaving or not books.actor(self.by).is_present:
            return decision
        # Whoever leaves is there, as they have just said so.
        newcomer = linking.newcomers[self.leaving.index(self.by)]
        here = [Fact(newcomer, PRESENT, None, True)]
        if books.home is not None:
            here.append(Fact(newcomer, place_flag(books.home), None, True))
        return replace(decision, facts=(*decision.facts, *here))


class Separate(Order, frozen=True, kw_only=True, tag="separate"):
    """What `Depart` does in each of the other communities. The journal gives it, nobody else."""

    kind: ClassVar[str] = "disconnect"

    member: MemberId
    left: tuple[MemberId, ...]

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        return depart(books, self.member, self.left, now)


def depart(books: Books, member_id: MemberId, left: tuple[MemberId, ...], now: datetime) -> Decision:
    """New members begin with nothing, and with all that was done already: no second welcome, no second claim."""
    member = books.members[member_id]
    today = books.today(now)
    facts = [member.fact(LINKS, with_links(member.flags.get(LINKS), *(-each for each in left)))]
    apart = with_links(member.flags.get(APART), *member.ids)
    for each in left:
        facts += [Fact(each, ACTED, None, True), Fact(each, APART, None, apart)]
        facts += [Fact(each, name, None, value) for name in _CARRIED if (value := member.flags.get(name)) is not None]
    totals = tuple(TotalMoved(name, today, amount) for name in _CAPPED if (amount := member.total(name, today)))
    return Decision(
        receipt=Disconnected(member=member.id, left=left, totals=totals),
        facts=tuple(facts),
        events=(MembersDisconnected(member=member.id, left=left),),
    )


def _matters(name: str, day: int, today: int) -> bool:
    """Whether a total of that day can still decide something."""
    return day >= today - (HOLD_DAYS_MAX if name == DIAMONDS else 1)
