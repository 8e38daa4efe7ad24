"""An economy in memory, over the same rules as the journal: what every store has to come to.

One order at a time, everything kept in plain dictionaries. Each rule sees only what its order's `needs()` asked for,
so that an order which asks for too little fails here as it would on a store.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from economy.books import (
    ACTED,
    Books,
    Decision,
    Hint,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
    Question,
    StoredOffer,
    Waits,
)
from economy.codec import digest
from economy.ledger import COMMUNITY, Connected, Disconnected, Entry, Receipt, Text, changes
from economy.links import CODE_FOR, SUCCESSOR, JoinCode, Linking
from economy.refusals import Code, Refusal, Value, refuse
from economy.rules.connecting import Agree, CodeGiven, Confirm, Connect, Depart, EnterCode
from economy.rules.earning import Welcome
from economy.rules.offers import Press
from economy.rules.presence import Join
from economy.rules.undoing import SENT, UNDOABLE
from economy.service import Answer, Offered
from economy.settings import Settings
from economy.totals import totals_of
from economy.values import (
    NO_REASON,
    Asset,
    EntryNumber,
    IdempotencyKey,
    Identity,
    MemberId,
    Own,
    Owner,
    Role,
)

NOBODY: frozenset[Role] = frozenset()


class ModelEconomy:
    """One community. `submit` does what the journal does, at once and without a store."""

    def __init__(self, called: str = "") -> None:
        """Members are called as their identities are, or all of them as `called`."""
        self.called = called
        self.codes: dict[Identity, JoinCode] = {}
        self.guesses: dict[Identity, tuple[int, datetime]] = {}
        self.drawn = 0
        self.flags: dict[str, Value] = {}
        self.members: dict[MemberId, Member] = {}
        self.accounts: dict[tuple[Owner, Asset], int] = {}
        self.entries: dict[EntryNumber, Entry] = {}
        self.offers: dict[str, StoredOffer] = {}
        self.answers: dict[str, tuple[str, Answer]] = {}
        self.texts: dict[EntryNumber, tuple[Text, ...]] = {}
        self.waiting: dict[EntryNumber, Waits] = {}
        self._identities: dict[Identity, MemberId] = {}

    # --- looking ----------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return Settings.of(self.flags)

    def member(self, identity: Identity) -> Member:
        return self.members[self._identities[identity]]

    def people(self) -> set[MemberId]:
        """Everybody who has an identity."""
        return set(self._identities.values())

    def shared_identities(self) -> tuple[Identity, ...]:
        """Those of a person who has more than one."""
        of = list(self._identities.values())
        return tuple(identity for identity, person in self._identities.items() if of.count(person) > 1)

    def balance(self, owner: Owner, asset: Asset) -> int:
        return self.accounts.get((owner, asset), 0)

    def wallet(self, identity: Identity) -> tuple[int, int, int]:
        """coin, bonus and diamond."""
        owner = self._identities[identity]
        return self.balance(owner, Asset.COIN), self.balance(owner, Asset.BONUS), self.balance(owner, Asset.DIAMOND)

    def fork(self) -> ModelEconomy:
        """The same economy, to go another way from here."""
        other = ModelEconomy(self.called)
        other.codes = dict(self.codes)
        other.guesses = dict(self.guesses)
        other.drawn = self.drawn
        other.flags = dict(self.flags)
        other.accounts = dict(self.accounts)
        other.entries = dict(self.entries)
        other.offers = dict(self.offers)
        other.answers = dict(self.answers)
        other.texts = dict(self.texts)
        other.waiting = dict(self.waiting)
        other._identities = dict(self._identities)
        other.members = {member_id: _twin(member) for member_id, member in self.members.items()}
        return other

    # --- carrying out -----------------------------------------------------------------------------------------

    def meet(self, identity: Identity, *, is_bot: bool = False) -> Member:
        """Makes a person a member, or finds them. Whoever gives an order is met by that."""
        if identity not in self._identities:
            member_id = MemberId(len(self.members) + 1)
            self._identities[identity] = member_id
            name = self.called or identity.native_id
            self.members[member_id] = Member(member_id, identity, name, is_bot=is_bot)
        return self.member(identity)

    def submit(self, order: Order, key: str, standing: frozenset[Role] = NOBODY, now: datetime | None = None) -> Answer:
        """Carries out one order. The same key with the same order answers as it did the first time."""
        assert now is not None, "time is an argument"
        words = digest(order)
        if key in self.answers:
            first_words, first = self.answers[key]
            if first_words != words:
                return Answer(refuse(Code.KEY_REUSED), now, self.settings.time_zone)
            return msgspec.structs.replace(first, repeated=True)
        actor = self.meet(order.by)
        if order.inner.acts if isinstance(order, Press) else order.acts:
            if not actor.is_present:
                self._carry_out(Join(by=order.by), f"{key}:join", NOBODY, now)
            if self.settings.welcome_grant and actor.flags.get(ACTED) is not True:
                self._carry_out(Welcome(by=order.by), f"welcome:{actor.id}", NOBODY, now)
        answer = self._carry_out(order, key, standing, now)
        self.answers[key] = (words, answer)
        return answer

    def _carry_out(self, order: Order, key: str, standing: frozenset[Role], now: datetime) -> Answer:
        time_zone = self.settings.time_zone
        outcome = order.decide(self._books(order, standing, now), now)
        becomes = self._note_code(order, outcome, now)
        offered = self._store_offers(outcome, key)
        match outcome:
            case Decision():
                entry = self._write(order, outcome, key, now)
                self._become(becomes)
                return Answer(entry.receipt, now, time_zone, entry.number)
            case Hint():
                return Answer(outcome.refusal, now, time_zone, offered=offered)
            case Question():
                return Answer(Question(about=outcome.about, offers=(), why=outcome.why), now, time_zone, None, offered)
            case Refusal():
                return Answer(outcome, now, time_zone)

    def _books(self, order: Order, standing: frozenset[Role], now: datetime) -> Books:
        """What `order` asked to see, and nothing else."""
        needs = order.needs()
        books = Books(dict(self.flags))
        books.standing = standing
        for identity in (order.by, *needs.people):
            if identity in self._identities:
                books.add(self.member(identity), identity)
        if needs.identities:
            books.linking = self._linking(order, books, now)
        if needs.role is not None:
            holders = [member for member in self.members.values() if needs.role in member.roles]
            books.holders[needs.role] = tuple(member.id for member in holders)
            self._add_all(books, books.holders[needs.role])
        if needs.chest:
            books.house = {asset: self.balance(Own.HOUSE, asset) for asset in Asset}
        for number in self._looked_back(books, needs):
            entry = self.entries[number]
            books.entries[number] = entry
            owners = {owner for posting in entry.postings for owner in (posting.source, posting.destination)}
            touched = {MemberId(owner) for owner in (*owners, entry.actor) if owner > 0}
            books.heirs.update((member, self.heir(member)) for member in touched if self.heir(member) != member)
            self._add_all(books, map(self.heir, touched))
        books.offers = {nonce: self.offers[nonce] for nonce in needs.offers if nonce in self.offers}
        return books

    def _add_all(self, books: Books, member_ids: Iterable[MemberId]) -> None:
        for member_id in member_ids:
            member = self.members[member_id]
            books.add(member, *(identity for identity, of in self._identities.items() if of == member_id))

    def heir(self, member_id: MemberId) -> MemberId:
        """Whom a member went on as."""
        found = self.members[member_id].flags.get(SUCCESSOR)
        return MemberId(found) if isinstance(found, int) else member_id

    # --- identities -------------------------------------------------------------------------------------------

    def _linking(self, order: Order, books: Books, now: datetime) -> Linking:
        """One community is all there is here."""
        inner = order.inner if isinstance(order, Press) else order
        needs, by = inner.needs(), inner.by
        entered = next((code for code in self.codes.values() if needs.entered and code.code == needs.entered), None)
        own = self.codes.get(by)
        code = entered if needs.entered else own
        other = None if code is None else code.other if code.owner == by else code.owner
        actor = self._identities[by]
        partner = actor if other is None else self._identities[other]
        self._add_all(books, {actor, partner})
        together = [identity for identity, of in self._identities.items() if of in (actor, partner)]
        ours = tuple(sorted(identity for identity, of in self._identities.items() if of == actor))
        leaves = isinstance(inner, Depart) and inner.identities == ours
        guesses, until = self.guesses.get(by, (0, now))
        return Linking(
            fresh=f"CODE{self.drawn + 1:04}",
            own=own,
            entered=entered,
            guesses=guesses if now < until else 0,
            identities=ours,
            communities=1,
            joined_identities=len(together),
            moved_communities=1,
            stays=min(actor, partner),
            goes=max(actor, partner),
            newcomers=tuple(MemberId(len(self.members) + 1 + n) for n in range(len(needs.leaving) if leaves else 0)),
        )

    def _note_code(self, order: Order, outcome: Outcome, now: datetime) -> dict[Identity, MemberId]:
        """What an order about identities does beside its entry; who is somebody else once that is written."""
        becomes: dict[Identity, MemberId] = {}
        order = order.inner if isinstance(order, Press) else order
        match order, outcome:
            case Connect(by=by), Question(about=CodeGiven() as given):
                self.drawn += 1
                self.codes[by] = JoinCode(by, self.called or by.native_id, given.code, given.expires)
            case EnterCode(by=by) | Agree(by=by), Refusal(code=Code.EXPIRED, fields={"rule": "code"}):
                guesses, until = self.guesses.get(by, (0, now))
                self.guesses[by] = (guesses + 1, until) if guesses and now < until else (1, now + CODE_FOR)
            case Agree(by=by, code=code), Decision():
                for owner, known in self.codes.items():
                    if known.code == code:
                        name = self.called or by.native_id
                        self.codes[owner] = msgspec.structs.replace(known, other=by, other_name=name)
            case Confirm(), Decision(receipt=Connected(member=stays)):
                people = {self._identities[order.by], self._identities[order.other]}
                becomes = {identity: stays for identity, of in self._identities.items() if of in people}
                del self.codes[order.by]
            case Depart(leaving=leaving), Decision(receipt=Disconnected(member=member, left=left)):
                for identity, newcomer in zip(leaving, left, strict=True):
                    becomes[identity] = newcomer
                    name = self.called or identity.native_id
                    name = name if identity == order.by else self.members[member].name
                    self.members[newcomer] = Member(newcomer, identity, name)
            case _:
                pass
        return becomes

    def _become(self, becomes: dict[Identity, MemberId]) -> None:
        self._identities |= becomes
        for identity, member in sorted(self._identities.items(), reverse=True) if becomes else ():
            self.members[member].identity = identity

    def _looked_back(self, books: Books, needs: Needs) -> list[EntryNumber]:
        found = [number for number in needs.receipts if number in self.entries]
        for name in needs.waiting:
            books.waiting[name] = tuple(number for number, waits in self.waiting.items() if waits.name == name)
            found.extend(books.waiting[name])
        if needs.latest_by in self._identities:
            sender = self._identities[needs.latest_by]
            ids = self.members[sender].ids
            sent = [entry.number for entry in self.entries.values() if entry.actor in ids and entry.kind in SENT]
            if sent:
                books.latest[sender] = sent[-1]
                found.append(sent[-1])
        if needs.since is not None and needs.since[0] in self._identities:
            member_id, since = self._identities[needs.since[0]], needs.since[1]
            books.since[member_id] = tuple(
                entry.number
                for entry in self.entries.values()
                if entry.at >= since
                and entry.undone_by is None
                and entry.kind in UNDOABLE
                and any(_in(entry, each) for each in self.members[member_id].ids)
            )
            found.extend(books.since[member_id])
        return found

    def _store_offers(self, outcome: Outcome, key: str) -> tuple[Offered, ...]:
        offers: tuple[Offer, ...] = outcome.offers if isinstance(outcome, Question | Hint) else ()
        offered = []
        for ordinal, offer in enumerate(offers):
            nonce = f"nonce-{len(self.offers):04}"
            self.offers[nonce] = StoredOffer(
                nonce=nonce, label=offer.label, order=offer.order, presser=offer.presser, expires=offer.expires
            )
            assert ordinal < 2, f"{key}: one answer has a button or two"
            offered.append(Offered(nonce, offer.label, offer.expires))
        return tuple(offered)

    def _write(self, order: Order, decision: Decision, key: str, now: datetime) -> Entry:
        actor = self.member(order.by)
        facts = decision.facts
        sets = any(fact.subject == COMMUNITY for fact in facts)
        assert order.needs().sets_community or not sets, "others may read the flag meanwhile"
        acts = order.inner.acts if isinstance(order, Press) else order.acts
        is_own = not acts or isinstance(order, Welcome) or isinstance(decision.receipt, Connected)
        if not is_own and actor.flags.get(ACTED) is not True:
            facts = (*facts, actor.fact(ACTED, True))
        entry = Entry(
            number=EntryNumber(len(self.entries) + 1),
            key=IdempotencyKey(key),
            kind=order.inner.kind if isinstance(order, Press) else order.kind,
            actor=actor.id,
            reason=decision.reason or NO_REASON,
            at=now,
            time_zone=self.settings.time_zone,
            postings=decision.postings,
            facts=facts,
            receipt=decision.receipt,
        )
        self.record(entry, decision.undoes)
        self.texts[entry.number] = decision.texts
        if decision.removes_text_of is not None:
            self.texts[decision.removes_text_of] = ()
        if decision.waits is not None:
            self.waiting[entry.number] = decision.waits
        for number in decision.frees:
            assert number in decision.undoes, "what waits no more is settled"
            del self.waiting[number]
        if isinstance(order, Press):
            self.offers[order.nonce] = msgspec.structs.replace(self.offers[order.nonce], used=True)
        return entry

    def record(self, entry: Entry, undoes: Iterable[EntryNumber] = ()) -> None:
        """Carries an entry into balances, flags and totals, by plain addition: not by `Books.apply`."""
        self.entries[entry.number] = entry
        for (owner, asset), difference in changes(entry.postings).items():
            self.accounts[owner, asset] = self.balance(owner, asset) + difference
            if owner > 0:
                self.members[MemberId(owner)].wallet[asset] = self.accounts[owner, asset]
        for fact in entry.facts:
            flags = self.members[fact.subject].flags if fact.subject else self.flags
            assert flags.get(fact.name) == fact.before, f"{fact.name} was not {fact.before!r}"
            flags[fact.name] = fact.after
        for (member_id, name, day), difference in totals_of(entry).items():
            totals = self.members[member_id].totals
            totals[name, day] = totals.get((name, day), 0) + difference
        for number in undoes:
            assert self.entries[number].undone_by is None, f"{number} undone twice"
            self.entries[number] = msgspec.structs.replace(self.entries[number], undone_by=entry.number)


def _twin(member: Member) -> Member:
    return Member(
        member.id,
        member.identity,
        member.name,
        is_bot=member.is_bot,
        wallet=dict(member.wallet),
        flags=dict(member.flags),
        totals=dict(member.totals),
    )


def _in(entry: Entry, member_id: MemberId) -> bool:
    touched = {owner for posting in entry.postings for owner in (posting.source, posting.destination)}
    return entry.actor == member_id or member_id in touched


def receipt_of(answer: Answer) -> Any:
    """The receipt of an order that was carried out; fails the test where it was not."""
    assert isinstance(answer.outcome, Receipt), answer.outcome
    return answer.outcome
