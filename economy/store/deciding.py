"""Deciding a batch: each order in order of arrival, against books that already hold what came before it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from economy import codec
from economy.books import (
    ACTED,
    CREATOR,
    ROLE_PREFIX,
    Books,
    Decision,
    Hint,
    Member,
    Offer,
    Order,
    Outcome,
    Question,
    StoredOffer,
)
from economy.ledger import COMMUNITY, Connected, Entry
from economy.refusals import Code, Refusal, refuse
from economy.rules.communities import CODE_LABEL
from economy.rules.earning import Welcome
from economy.rules.presence import Join, Leave, is_in
from economy.rules.standing import standing_of
from economy.service import LATE_AFTER, Answer, Offered
from economy.store.batch import Waiting
from economy.store.errors import describe
from economy.store.reading import FirstAnswer, State, holds
from economy.store.timing import from_us
from economy.values import (
    Asset,
    CommunityId,
    EntryNumber,
    IdempotencyKey,
    MemberId,
    Place,
    Role,
    code_secret,
    fitting_key,
)

log = logging.getLogger(__name__)

Nonce = Callable[[], str]
"""Draws the name of an offer: 8 to 32 letters, digits, - and _, not to be guessed."""


class Drafted(Struct, frozen=True):
    """A decision that will be written. `entry` is numbered as if no other process wrote meanwhile.

    `after` are the balances of source and destination after each posting, None for the community's own.
    """

    community: CommunityId
    entry: Entry
    decision: Decision
    digest: str
    after: tuple[tuple[int | None, int | None], ...]
    waiting: Waiting | None = None
    pressed: str | None = None


class StoredReply(Struct, frozen=True):
    """An answer that makes no entry, with the offers behind its buttons."""

    waiting: Waiting
    stored: codec.StoredAnswer
    offers: tuple[tuple[str, Offer], ...] = ()
    binds: StoredOffer | None = None


class Moved(Struct, frozen=True):
    """A place that meets in the community `there` from now on; `home` began in it."""

    place: Place
    home: CommunityId
    there: CommunityId


class Deciding:
    """One batch, decided. `drafts` and `replies` are what has to be written of it."""

    def __init__(self, state: State, now: datetime, nonce: Nonce) -> None:
        self._state = state
        self._now = now
        self._nonce = nonce
        self._first: dict[tuple[CommunityId, str], Waiting] = {}
        self._last = dict(state.last_entries)
        self.drafts: list[Drafted] = []
        self.replies: list[StoredReply] = []
        self.moved: list[Moved] = []

    def decide(self, batch: Sequence[Waiting], instead: Refusal | None = None) -> None:
        """Answers or fails each order. With `instead` the rule is not asked: the store refused what it said."""
        for waiting in batch:
            if self._answered_before(waiting):
                continue
            try:
                self._carry_out(waiting, instead)
            except Exception as problem:  # noqa: BLE001  # a bug in one rule harms one order
                waiting.fail(problem)
                log.error("order failed: %s", describe(problem))
            else:
                self._first[waiting.community, waiting.key] = waiting

    def decide_together(self, waiting: Waiting, companions: Sequence[Waiting]) -> None:
        """Answers or fails an order that is one with its `companions` in other communities: all of them, or none."""
        if self._answered_before(waiting):
            return
        try:
            decided = [(each, each.order.decide(self._state.books[each.community], self._now)) for each in companions]
            no = next((outcome for _, outcome in decided if isinstance(outcome, Refusal)), None)
            self._carry_out(waiting, no)
            if self.drafts and self.drafts[-1].waiting is waiting:
                for each, decision in decided:
                    self._draft_with(each, decision)
        except Exception as problem:  # noqa: BLE001  # as above; and nothing is written of half an order
            self.drafts.clear()
            self.replies.clear()
            waiting.fail(problem)
            log.error("order failed: %s", describe(problem))

    def _draft_with(self, companion: Waiting, outcome: Outcome) -> None:
        if not isinstance(outcome, Decision):
            raise TypeError(f"{companion.order.kind} in another community answers yes or no")
        books = self._state.books[companion.community]
        self._draft(companion.community, books, companion.order, companion.submission.key, outcome, None)

    def knows(self, waiting: Waiting) -> bool:
        """Whether there is an answer under its key."""
        return self._stored(waiting) is not None

    def _answered_before(self, waiting: Waiting) -> bool:
        key = (waiting.community, waiting.key)
        if first := self._first.get(key):
            same = first.digest == waiting.digest
            waiting.same_as = first if same else None
        elif stored := self._stored(waiting):
            same = stored.digest == waiting.digest
            waiting.answer = first_answer(stored, repeated=not waiting.decided) if same else None
        else:
            return False
        if not same:
            waiting.answer = Answer(refuse(Code.KEY_REUSED), self._now)
        return True

    def _stored(self, waiting: Waiting) -> FirstAnswer | None:
        """What the order came to before, wherever the place met then: a message may be delivered again long after."""
        met_in = (waiting.community, *waiting.meeting.others)
        return next((found for c in met_in if (found := self._state.keys.get((c, waiting.key)))), None)

    def _carry_out(self, waiting: Waiting, instead: Refusal | None) -> None:
        books = self._state.books[waiting.community]
        actor = books.actor(waiting.submission.order.by)
        waiting.actor = actor.id
        self._place(waiting, books)
        self._note_presence(waiting, books, actor)
        new = waiting.acts and actor.flags.get(ACTED) is not True
        if new and books.settings.welcome_grant and instead is None:
            # Where it cannot be given now, as while everyone is frozen, the next order is the first.
            new = self._write_own(waiting.community, books, Welcome(by=actor.identity), f"welcome:{actor.id}")
        books.standing = self._standing(waiting, books)
        waiting.decided = True
        outcome = instead or self._too_late(waiting) or waiting.submission.order.decide(books, self._now)
        match outcome:
            case Decision():
                if new and actor.flags.get(ACTED) is not True and not isinstance(outcome.receipt, Connected):
                    outcome = _and_acted(outcome, actor)
                self._draft(waiting.community, books, waiting.order, waiting.submission.key, outcome, waiting)
                if outcome.moves is not None and waiting.beside is not None:
                    self._move(waiting, waiting.beside, outcome.moves)
            case Refusal():
                self._reply(waiting, books, codec.StoredAnswer(refusal=outcome), ())
            case Hint():
                self._reply(waiting, books, codec.StoredAnswer(refusal=outcome.refusal), outcome.offers)
            case Question():
                stored = codec.StoredAnswer(about=outcome.about, why=outcome.why)  # type: ignore[arg-type]  # a stored one
                self._reply(waiting, books, stored, outcome.offers, outcome.binds)

    def _place(self, waiting: Waiting, books: Books) -> None:
        """What the books have for this order alone: where it is given, and the community beside."""
        submission = waiting.submission
        books.place, books.home, books.attested = submission.place, waiting.meeting.home, submission.standing
        books.beside = None if waiting.beside is None else self._state.books[waiting.beside]
        books.tries = self._state.wrong_codes.get(waiting.community, 0)

    def _standing(self, waiting: Waiting, books: Books) -> frozenset[Role]:
        """What the place makes of whoever gives an order there."""
        submission = waiting.submission
        return standing_of(
            books.flags,
            books.settings,
            submission.place.platform,
            joined=books.home is not None,
            attested=submission.standing,
            held=submission.held,
            administers=submission.administers,
        )

    def _move(self, waiting: Waiting, there: CommunityId, told: Decision) -> None:
        """The place that an order is about goes to the community beside, or comes home to it, which has an entry of
        its own."""
        key = fitting_key(f"{waiting.key}:place")
        self._draft(there, self._state.books[there], waiting.order, key, told, None)
        # A code is another community's, and used up by that; whoever leaves comes home.
        code = waiting.needs.code
        home = waiting.community if code is not None else there
        if code is not None:
            self.drafts[-1] = msgspec.structs.replace(self.drafts[-1], pressed=code.secret)
        self.moved.append(Moved(waiting.submission.place, home, there))

    def _too_late(self, waiting: Waiting) -> Refusal | None:
        """What was said too long ago; coming, going and pressing are not said."""
        said_at = waiting.submission.said_at
        if said_at is None or not waiting.acts or self._now - said_at <= LATE_AFTER:
            return None
        return refuse(Code.EXPIRED, rule="said_long_ago")

    # --- what the journal writes of itself ------------------------------------------------------------------------

    def _note_presence(self, waiting: Waiting, books: Books, actor: Member) -> None:
        """Joining and leaving are entries, also where nobody said so: whoever acts is there, unless the door knows that
        they left and speak from elsewhere."""
        if not waiting.acts:
            return
        key = waiting.key
        own = [each.present for each in waiting.submission.sightings if each.identity == waiting.submission.order.by]
        is_news = not actor.is_present or (True in own and not is_in(actor.flags, books.home))
        if is_news and False not in own:
            self._write_own(waiting.community, books, Join(by=actor.identity), f"{key}:join")
        for sighting in waiting.submission.sightings:
            member = books.find(sighting.identity)
            if sighting.present is None or member is None or member is actor:
                continue
            is_there = is_in(member.flags, books.home)
            if sighting.present and not is_there:
                self._write_own(waiting.community, books, Join(by=member.identity), f"{key}:join:{member.id}")
            elif is_there and not sighting.present:
                self._write_own(waiting.community, books, Leave(by=member.identity), f"{key}:leave:{member.id}")

    def _write_own(self, community: CommunityId, books: Books, order: Order, key: str) -> bool:
        """Whether its rule let it be."""
        books.standing = frozenset()
        decision = order.decide(books, self._now)
        if isinstance(decision, Decision):
            self._draft(community, books, order, fitting_key(key), decision, None)
        return isinstance(decision, Decision)

    # --- what comes of it -----------------------------------------------------------------------------------------

    def _draft(
        self,
        community: CommunityId,
        books: Books,
        order: Order,
        key: IdempotencyKey,
        decision: Decision,
        waiting: Waiting | None,
    ) -> None:
        number = EntryNumber(self._last[community] + 1)
        entry = Entry(
            number,
            key,
            order.kind,
            books.actor(order.by).id,
            decision.reason,
            self._now,
            books.settings.time_zone,
            decision.postings,
            decision.facts,
            decision.receipt,
        )
        after = balances_after(books, entry)
        books.apply(entry, decision.undoes)
        self._last[community] = number
        _follow_roles(books, entry)
        pressed = waiting.pressed if waiting else None
        if pressed is not None:
            books.offers[pressed] = msgspec.structs.replace(books.offers[pressed], used=True)
        digest = waiting.digest if waiting else codec.digest(order)
        self.drafts.append(Drafted(community, entry, decision, digest, after, waiting, pressed))

    def _reply(
        self,
        waiting: Waiting,
        books: Books,
        stored: codec.StoredAnswer,
        offers: tuple[Offer, ...],
        binds: StoredOffer | None = None,
    ) -> None:
        named = tuple((self._name(offer), offer) for offer in offers)
        offered = tuple(codec.OfferedText(nonce, offer.label, offer.expires) for nonce, offer in named)
        stored = msgspec.structs.replace(stored, offered=offered, time_zone=books.settings.time_zone)
        self.replies.append(StoredReply(waiting, stored, named, binds))
        waiting.answer = _answer(stored, self._now)

    def _name(self, offer: Offer) -> str:
        nonce = self._nonce()
        return code_secret(nonce) if offer.label == CODE_LABEL else nonce


def first_answer(stored: FirstAnswer, *, repeated: bool) -> Answer:
    """What the order under a key came to, told again."""
    at = from_us(stored.at_us)
    if stored.number:
        receipt = codec.read_receipt(stored.text)
        return Answer(receipt, at, stored.time_zone, stored.number, repeated=repeated)
    return msgspec.structs.replace(_answer(codec.read_answer(stored.text), at), repeated=repeated)


def _answer(stored: codec.StoredAnswer, at: datetime) -> Answer:
    offered = tuple(Offered(each.nonce, each.label, each.expires) for each in stored.offered)
    return Answer(stored.outcome(), at, stored.time_zone, offered=offered)


def balances_after(books: Books, entry: Entry) -> tuple[tuple[int | None, int | None], ...]:
    """The members' balances after each posting of an entry that is not yet in the books."""
    balances: dict[tuple[int, Asset], int] = {}
    after: list[tuple[int | None, int | None]] = []
    for posting in entry.postings:
        pair: list[int | None] = []
        for owner, difference in ((posting.source, -posting.amount), (posting.destination, +posting.amount)):
            if owner < 0:
                pair.append(None)
                continue
            account = (owner, posting.asset)
            before = balances.get(account)
            if before is None:
                before = books.members[MemberId(owner)].holds(posting.asset)
            balances[account] = before + difference
            pair.append(before + difference)
        after.append((pair[0], pair[1]))
    return tuple(after)


def _and_acted(decision: Decision, actor: Member) -> Decision:
    """A member's first order of their own is remembered, since the welcome grant comes with it, once. Becoming somebody
    else sees to that itself."""
    return msgspec.structs.replace(decision, facts=(*decision.facts, actor.fact(ACTED, True)))


def _follow_roles(books: Books, entry: Entry) -> None:
    """Who holds a role, after an entry that gave or took one."""
    for fact in entry.facts:
        if fact.subject != COMMUNITY and (fact.name == CREATOR or fact.name.startswith(ROLE_PREFIX)):
            for role in books.holders:
                held = {each for each in books.holders[role] if holds(books.members[each], role)}
                if fact.subject in books.members and holds(books.members[fact.subject], role):
                    held.add(fact.subject)
                books.holders[role] = tuple(sorted(held))
