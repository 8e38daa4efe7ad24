"""What rules see and what they answer: `Books`, `Needs`, `Order`, `Decision`. Pure.

`Books` is the little part of one community's state that the orders of a batch asked to see. Rules read it and
answer a decision; `Books.apply` is the only thing that changes it, and only through entries. The same class serves
the journal and the model in the tests, so both decide alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec
from msgspec import Struct

from economy.ledger import COMMUNITY, Entry, Fact, Posting, Receipt, Text, changes
from economy.links import APART, LINKS, Linking, former_ids
from economy.refusals import Code, Refusal, Value, refuse
from economy.settings import Feature, Settings
from economy.totals import totals_of
from economy.values import (
    COINS_MAX,
    NO_REASON,
    Asset,
    CommunityId,
    EntryNumber,
    Identity,
    InvitationCode,
    MemberId,
    Own,
    Owner,
    Place,
    Reason,
    Role,
    local_date,
)

# Flags of a member. What has more than one of a kind has a prefix.
PRESENT = "present"
IN_PREFIX = "in."  # a place of several, by the community that began in it; 0 where this one began
ACTED = "acted"
FREEZE = "frozen"  # `send`, `receive` or `both`
GIFTS_OFF = "gifts_off"
HIDDEN = "hidden"
AMOUNT_HIDDEN = "amount_hidden"
CREATOR = "creator"  # True, or `asked` while a moderator has to approve
DAILY_DAY = "daily.day"  # ISO date of the last claim
DAILY_STREAK = "daily.streak"
ROLE_PREFIX = "role."
BLOCK_PREFIX = "block."
FAVOURITES = "favourites"  # gift slugs, comma separated
WAITING = "waiting"  # how many tips of theirs wait for somebody
REACTIONS = "reactions"  # True while reactions of theirs tip
REACTIONS_TOLD = "reactions.told"  # ISO date on which they were last told why one did not
# Flags of the community.
FREEZE_ALL = "frozen"
WORD_PREFIX = "word."


class Needs(Struct, frozen=True):
    """What an order must see before its rule can decide. The journal locks it and puts it in the books.

    `people`: members with wallet, flags and today's totals (the actor is always among them). `role`: everyone
    known to hold it. `chest`: the house's accounts. `receipts`: entries by number, with who undid them, and the
    members they touch. `latest_by`: the latest tip or gift that this person sent. `since`: every entry that can be
    undone in which the person sent, acted or received since the time. `offers`: stored offers by nonce. `waiting`:
    the entries by which coins wait in escrow for these names.
    `identities`: the actor's identities are being joined or parted, so that communities beside this one are touched
    (`Books.linking`); such an order is alone in its batch. `entered`: the code that was entered. `leaving`: the
    identities that leave. `sets_community`: changes settings, other flags of the community or who holds a role, so
    others must not read them meanwhile. `code`: the invitation of another community, and `home`: the community that
    began in the place it is about, which are beside this one then (see `Books.beside`). `enters`: `by` becomes known
    there, to act.
    """

    people: tuple[Identity, ...] = ()
    role: Role | None = None
    chest: bool = False
    receipts: tuple[EntryNumber, ...] = ()
    latest_by: Identity | None = None
    since: tuple[Identity, datetime] | None = None
    offers: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    sets_community: bool = False
    identities: bool = False
    entered: str = ""
    leaving: tuple[Identity, ...] = ()
    code: InvitationCode | None = None
    home: CommunityId | None = None
    enters: bool = False

    @property
    def moves(self) -> bool:
        """Whether a second community is asked for; such an order is alone in its batch."""
        return self.code is not None or self.home is not None

    @property
    def looks_back(self) -> bool:
        """Whether earlier entries are asked for; such an order is never behind others in a batch."""
        return bool(self.receipts or self.latest_by or self.since or self.waiting)


class Order(Struct, frozen=True, kw_only=True, tag_field="order", omit_defaults=True):
    """A request to change something, in the imperative. Subclasses are the orders of `economy.rules`.

    `by` is who asks. Everything else is as the person gave it: what has to be looked up (`all`, a price, who holds
    a role) is resolved by the rule. `kind` names its entries. `acts`: it is an act of a member's own, so
    they are there, and it may be their first. `is_timed`: the hour gives it, and `by` is whom it is about, who need not
    be there.
    """

    kind: ClassVar[str] = ""
    acts: ClassVar[bool] = True
    is_timed: ClassVar[bool] = False

    by: Identity

    def needs(self) -> Needs:
        raise NotImplementedError

    def decide(self, books: Books, now: datetime) -> Outcome:
        raise NotImplementedError


class Event(Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """What others may want to know of an entry; goes through the outbox."""


class Offer(Struct, frozen=True, kw_only=True):
    """A button that moves money or changes something, before the journal gives it its nonce.

    `label` names the button (`confirm`, `daily`). Only `presser` may press it. `terms` are what was shown (price,
    total) and are checked again when it is pressed; the order holds them too.
    """

    label: str
    order: Order
    presser: MemberId
    expires: datetime


class Waits(Struct, frozen=True):
    """That what an entry puts in escrow waits for `name` until then. A name is somebody who was never seen by it,
    with their platform: `telegram:@zoe`."""

    name: str
    until: datetime


class Decision(Struct, frozen=True, kw_only=True):
    """A rule's yes: becomes one entry.

    `undoes` are the earlier entries that it takes back or settles; each can be that once. `waits` says whom its coins
    wait for, `frees` which of `undoes` wait no more. `moves`: the place that it is about meets in the community beside
    from now on, or comes back from it; the entry that this one gets of it.
    """

    receipt: Receipt
    postings: tuple[Posting, ...] = ()
    facts: tuple[Fact, ...] = ()
    events: tuple[Event, ...] = ()
    texts: tuple[Text, ...] = ()
    reason: Reason = NO_REASON
    undoes: tuple[EntryNumber, ...] = ()
    waits: Waits | None = None
    frees: tuple[EntryNumber, ...] = ()
    removes_text_of: EntryNumber | None = None
    moves: Decision | None = None


class Question(Struct, frozen=True, kw_only=True):
    """A rule's 'are you sure': writes no entry, stores its offers. `about` says what would be done. `binds`: an offer
    of the community beside, with the order that it holds from now on."""

    about: Receipt
    offers: tuple[Offer, ...]
    why: tuple[str, ...]
    binds: StoredOffer | None = None


class Hint(Struct, frozen=True, kw_only=True):
    """A refusal together with what the person may do about it at the press of a button."""

    refusal: Refusal
    offers: tuple[Offer, ...]


Outcome = Decision | Question | Refusal | Hint


class StoredOffer(Struct, frozen=True, kw_only=True):
    """An offer as the store has it."""

    nonce: str
    label: str
    order: Order
    presser: MemberId
    expires: datetime
    used: bool = False


class Member:
    """One member as the books have them. Changed by `Books.apply` alone."""

    __slots__ = ("flags", "id", "identity", "is_bot", "name", "totals", "wallet")

    def __init__(
        self,
        member_id: MemberId,
        identity: Identity,
        name: str = "",
        *,
        is_bot: bool = False,
        wallet: dict[Asset, int] | None = None,
        flags: dict[str, Value] | None = None,
        totals: dict[tuple[str, int], int] | None = None,
    ) -> None:
        self.id = member_id
        self.identity = identity
        self.name = name
        self.is_bot = is_bot
        self.wallet = wallet if wallet is not None else {}
        self.flags = flags if flags is not None else {}
        self.totals = totals if totals is not None else {}

    def holds(self, asset: Asset) -> int:
        return self.wallet.get(asset, 0)

    @property
    def spendable(self) -> int:
        """What can be tipped or given: bought and free coins together."""
        return self.holds(Asset.COIN) + self.holds(Asset.BONUS)

    @property
    def is_present(self) -> bool:
        return self.flags.get(PRESENT) is True

    @property
    def is_creator(self) -> bool:
        return self.flags.get(CREATOR) is True or self.flags.get(ROLE_PREFIX + Role.CREATOR) is True

    @property
    def roles(self) -> frozenset[Role]:
        """The roles stored for this member by name."""
        stored = {
            Role(name.removeprefix(ROLE_PREFIX))
            for name, value in self.flags.items()
            if name.startswith(ROLE_PREFIX) and value is True
        }
        if self.is_creator:
            stored.add(Role.CREATOR)
        return frozenset(stored)

    @property
    def ids(self) -> tuple[MemberId, ...]:
        """Under which this member stands in entries: their own id, and those of who went on as them."""
        links = self.flags.get(LINKS)
        return (self.id,) if links is None else (self.id, *former_ids(links))

    def blocks(self, other: Member) -> bool:
        """Whether `other` is blocked, also as whom they were before, unless they were accepted again since."""
        named = self.flags.get(f"{BLOCK_PREFIX}{other.id}")
        if named is not None:
            return named is True
        known_as = (*other.ids[1:], *former_ids(other.flags.get(APART)))
        return any(self.flags.get(f"{BLOCK_PREFIX}{each}") is True for each in known_as)

    def total(self, name: str, day: int) -> int:
        """A day's total: `day` is the ordinal of the local date."""
        return self.totals.get((name, day), 0)

    def fact(self, name: str, after: Value) -> Fact:
        """The fact that sets one of this member's flags."""
        return Fact(self.id, name, self.flags.get(name), after)


class Books:
    """What the orders of a batch see of one community."""

    def __init__(self, flags: dict[str, Value] | None = None) -> None:
        self.flags: dict[str, Value] = flags if flags is not None else {}
        self.settings = Settings.of(self.flags)
        self.members: dict[MemberId, Member] = {}
        self._by_identity: dict[Identity, Member] = {}
        self.holders: dict[Role, tuple[MemberId, ...]] = {}
        self.house: dict[Asset, int] = {}
        self.entries: dict[EntryNumber, Entry] = {}
        self.latest: dict[MemberId, EntryNumber] = {}
        self.since: dict[MemberId, tuple[EntryNumber, ...]] = {}
        self.offers: dict[str, StoredOffer] = {}
        self.heirs: dict[MemberId, MemberId] = {}
        """Of those in `entries` who went on as somebody else: as whom."""
        self.linking: Linking | None = None
        self.waiting: dict[str, tuple[EntryNumber, ...]] = {}
        self.standing: frozenset[Role] = frozenset()
        """The roles that whoever gives the order being decided has by what the door attests."""
        self.attested: frozenset[Role] = frozenset()
        """What they are on the platform, in that place, whatever it means here."""
        self.id = CommunityId(0)
        self.place: Place | None = None
        """Where the order is given."""
        self.home: CommunityId | None = None
        """The community that began there, if that is another one: the place joined this one."""
        self.beside: Books | None = None
        """The other community that the order asked to see."""
        self.tries = 0
        """How many codes were lately wrong here."""

    # --- looking up -------------------------------------------------------------------------------------------

    def add(self, member: Member, *identities: Identity) -> None:
        self.members[member.id] = member
        for identity in identities or (member.identity,):
            self._by_identity[identity] = member

    def find(self, identity: Identity) -> Member | None:
        return self._by_identity.get(identity)

    def actor(self, identity: Identity) -> Member:
        """Who gives the order; the journal has made sure that they are a member."""
        return self._by_identity[identity]

    def heir(self, owner: Owner) -> Owner:
        """Who stands now where `owner` stands in an earlier entry."""
        return self.heirs.get(MemberId(owner), owner)

    def community_fact(self, name: str, after: Value) -> Fact:
        return Fact(COMMUNITY, name, self.flags.get(name), after)

    def roles_of(self, actor: Member) -> frozenset[Role]:
        """The actor's roles at this moment: those stored and those the door attests."""
        return actor.roles | self.standing

    def today(self, now: datetime) -> int:
        """The ordinal of the community's calendar day."""
        return local_date(now, self.settings.time_zone).toordinal()

    # --- rules that many topics share ---------------------------------------------------------------------------

    def must_be_on(self, feature: Feature) -> Refusal | None:
        return None if self.settings.feature_on(feature) else refuse(Code.FEATURE_OFF, feature=str(feature))

    def must_move(self) -> Refusal | None:
        """Refuses while everyone is frozen."""
        if self.flags.get(FREEZE_ALL) is True:
            return refuse(Code.FROZEN, rule="everyone", appeal=self.settings.appeal)
        return None

    def must_send(self, sender: Member) -> Refusal | None:
        """Whether `sender` may part with coins at all."""
        if refusal := self.must_move():
            return refusal
        if sender.is_bot:
            return refuse(Code.NOT_ALLOWED, rule="bots")
        if not sender.is_present:
            return refuse(Code.NOT_ALLOWED, rule="absent")
        if sender.flags.get(FREEZE) in ("send", "both"):
            return refuse(Code.FROZEN, rule="send", appeal=self.settings.appeal)
        if any(balance < 0 for balance in sender.wallet.values()):
            return refuse(Code.IN_DEBT, owed=-min(sender.wallet.values()))
        return None

    def must_receive(self, sender: Member, identity: Identity) -> Member | Refusal:
        """The member behind `identity`, if they can get coins from `sender`."""
        receiver = self.find(identity)
        if receiver is not None and receiver.is_bot:
            return refuse(Code.RECIPIENT_IS_BOT, member_id=receiver.id)
        if receiver is None:
            return refuse(Code.UNKNOWN_MEMBER, name=identity.native_id)
        if not receiver.is_present:
            return refuse(Code.UNKNOWN_MEMBER, rule="left", name=receiver.name)
        if receiver.id == sender.id:
            return refuse(Code.SELF_TRANSFER)
        if receiver.flags.get(FREEZE) in ("receive", "both"):
            return refuse(Code.FROZEN, rule="receive", member_id=receiver.id, appeal=self.settings.appeal)
        if receiver.blocks(sender):
            return refuse(Code.BLOCKED, member_id=receiver.id)
        return receiver

    def must_hold(self, sender: Member, needed: int) -> Refusal | None:
        if needed > sender.spendable:
            return refuse(Code.INSUFFICIENT_FUNDS, needed=needed, available=sender.spendable)
        return None

    def must_fit(self, receiver: Member, asset: Asset, amount: int) -> Refusal | None:
        """Whether the receiver's account can take `amount` more."""
        if receiver.holds(asset) + amount > COINS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="balance", limit=COINS_MAX, member_id=receiver.id)
        return None

    # --- changing -------------------------------------------------------------------------------------------------

    def apply(self, entry: Entry, undoes: Iterable[EntryNumber] = ()) -> None:
        """Carries an entry into the books. Raises OverdrawnError, changing nothing, if a member would fall below 0.

        A rule that lets that happen has a bug; the store's own CHECK stands behind this one.
        """
        moved = changes(entry.postings)
        for (owner, asset), difference in moved.items():
            if owner > 0 and difference < 0 and self.members[MemberId(owner)].holds(asset) + difference < 0:
                raise OverdrawnError(f"entry {entry.kind} would overdraw member {owner} of {asset}")
        for (owner, asset), difference in moved.items():
            if owner > 0:
                wallet = self.members[MemberId(owner)].wallet
                wallet[asset] = wallet.get(asset, 0) + difference
            elif owner == Own.HOUSE:
                self.house[asset] = self.house.get(asset, 0) + difference
        for fact in entry.facts:
            if fact.subject == COMMUNITY:
                self.flags[fact.name] = fact.after
                self.settings = Settings.of(self.flags)
            elif fact.subject in self.members:
                self.members[fact.subject].flags[fact.name] = fact.after
        for (subject, name, day), difference in totals_of(entry).items():
            if subject in self.members:
                totals = self.members[subject].totals
                totals[name, day] = totals.get((name, day), 0) + difference
        for number in undoes:
            if number in self.entries:
                self.entries[number] = msgspec.structs.replace(self.entries[number], undone_by=entry.number)


class OverdrawnError(Exception):
    """A rule answered a decision that would take more than is there: a bug, told loudly."""


CONFIRM_FOR = timedelta(minutes=5)
"""How long a button that moves money can be pressed."""
