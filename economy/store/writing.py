"""From decisions to rows: a constant number of statements, however many orders there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Final

from msgspec import Struct
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from economy import codec
from economy.refusals import Code, Refusal, Value, refuse
from economy.service import Answer
from economy.store import tables
from economy.store.bulk import Bulk, Delete, Insert, Part, Row, Update, grouped
from economy.store.deciding import Deciding, Drafted, StoredReply
from economy.store.errors import StoreError
from economy.store.queries import OWN_BALANCES
from economy.store.reading import State
from economy.store.timing import to_us
from economy.totals import totals_of
from economy.values import ISSUERS, Asset, CommunityId, EntryNumber
from economy.values import Own as AccountOwner

SUPPLY_MAX: Final = 2**62
"""How much of an asset a community can issue: the floor of `mint` and `sales`."""

_ACCOUNT: Final = ("community_id", "owner", "asset")
_NEW_ANSWERS: Final = Insert(
    tables.answers, "community_id", "key", "digest", "kind", "actor", "code", "at_us", "answer"
)
_NEW_OFFERS: Final = Insert(tables.offers, "community_id", "nonce", "label", "presser", "expires_us", "order")
_BOUND_OFFERS: Final = Update(tables.offers, put=("order",), keys=("community_id", "nonce"))
_USED_OFFERS: Final = Update(tables.offers, put=("used_by",), keys=("community_id", "nonce"), numbered="used_by")
_NEW_ACCOUNTS: Final = Insert(tables.accounts, *_ACCOUNT, "balance")
_BALANCES: Final = Update(tables.accounts, add=("balance",), keys=_ACCOUNT)
_MISSING_ACCOUNTS: Final = Insert(tables.accounts, *_ACCOUNT, "balance", conflict="ON CONFLICT DO NOTHING")
_FLAGS: Final = Insert(
    tables.flags,
    *("community_id", "subject", "name", "value"),
    conflict="ON CONFLICT (community_id, subject, name) DO UPDATE SET value = excluded.value",
)
_TOTALS: Final = Insert(
    tables.totals,
    *("community_id", "member_id", "day", "name", "amount"),
    conflict="ON CONFLICT (community_id, member_id, day, name) DO UPDATE SET amount = totals.amount + excluded.amount",
)
_ENTRIES: Final = Insert(
    tables.entries,
    *("community_id", "number", "key", "digest", "kind", "actor", "reason", "at_us", "time_zone", "receipt"),
    numbered="number",
)
_POSTINGS: Final = Insert(
    tables.postings,
    *("community_id", "entry", "ordinal", "leg", "source", "destination", "asset", "amount"),
    *("source_after", "destination_after"),
    numbered="entry",
)
_FACTS: Final = Insert(
    tables.facts, "community_id", "entry", "ordinal", "subject", "name", "before", "after", numbered="entry"
)
_REVERSALS: Final = Insert(tables.reversals, "community_id", "original", "by_entry", numbered="by_entry")
_TEXTS: Final = Insert(tables.texts, "community_id", "entry", "author", "topic", "text", "removed", numbered="entry")
_REMOVED_TEXTS: Final = Update(tables.texts, put=("removed", "text"), keys=("community_id", "entry"))
_OUTBOX: Final = Insert(
    tables.outbox, "community_id", "entry", "event", "due_us", "leased_until_us", "attempts", numbered="entry"
)
_WAITING: Final = Insert(
    tables.waiting, "community_id", "entry", "name", "due_us", "leased_until_us", "attempts", numbered="entry"
)
_FREED: Final = Delete(tables.waiting, "community_id", "entry")


AccountKey = tuple[CommunityId, int, Asset]


class OwnFloorError(Exception):
    """The store refused what would take one of the communities' own accounts below its floor."""

    def __init__(self, differences: Mapping[AccountKey, int]) -> None:
        super().__init__("an account of a community's own would fall below its floor")
        self.differences = differences


async def floor_refusal(
    bulk: Bulk, connection: AsyncConnection, differences: Mapping[AccountKey, int]
) -> Refusal | None:
    """Why the store refuses `differences`: the supply is used up, or the community has too little."""
    wanted = grouped((c, owner) for c, owner, _ in differences)
    found = await bulk.query(connection, OWN_BALANCES, wanted)
    balances = {(c, owner, asset): balance for c, owner, asset, balance in found}
    for account, difference in differences.items():
        balance = balances.get(account, 0)
        if account[1] in ISSUERS and balance + difference < -SUPPLY_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="supply")
        if account[1] not in ISSUERS and balance + difference < 0:
            name = AccountOwner(account[1]).name.lower()
            return refuse(Code.INSUFFICIENT_FUNDS, rule=name, needed=-difference, available=balance)
    return None


async def write(
    bulk: Bulk, connection: AsyncConnection, deciding: Deciding, state: State, at_us: int, known: Set[AccountKey]
) -> Written:
    """Writes everything but the commit, and answers those whose orders became entries.

    The counter that numbers entries and the community's own accounts come last, so that other processes wait for
    them as briefly as can be; of the latter, those not in `known` are made first. Raises OwnFloorError if one of
    them would fall below its floor.
    """
    drafts, replies = deciding.drafts, deciding.replies
    counts: dict[int, int] = dict(sorted(Counter(draft.community for draft in drafts).items()))
    if bulk.locks_rows and not drafts and not replies:
        # An answer found under its key may be on this server only: it is told behind a commit of our own.
        counts = dict.fromkeys(sorted(state.books), 0)
    sums = Sums(drafts, state.accounts)
    changed, parts = sums.rows()
    ends = {c: 0 if bulk.locks_rows else state.last_entries[CommunityId(c)] + count for c, count in counts.items()}
    rows = EntryRows(at_us)
    for draft, number in zip(drafts, _numbers(drafts, counts, ends), strict=True):
        rows.add(draft, number)
    written, last = await bulk.write_together(
        connection, [changed, *parts, *_reply_rows(replies, at_us), (_FREED, _freed(drafts))], counts, rows.parts()
    )
    _must_be_all(changed[1], written[0])
    if not bulk.locks_rows and last != ends:
        raise StoreError(f"entries were numbered up to {ends}, and the counters say {last}")
    for draft, number in zip(drafts, _numbers(drafts, counts, last), strict=True):
        if draft.waiting is not None:
            entry = draft.entry
            draft.waiting.answer = Answer(entry.receipt, entry.at, entry.time_zone, EntryNumber(number))
    await _write_own(bulk, connection, sums.own, known)
    return Written({CommunityId(c): EntryNumber(last[c]) for c, count in counts.items() if count}, frozenset(sums.own))


def _freed(drafts: Sequence[Drafted]) -> list[Row]:
    return [(draft.community, number) for draft in drafts for number in draft.decision.frees]


class Written(Struct, frozen=True):
    """What others want to know of a batch once it is committed."""

    last_entries: dict[CommunityId, EntryNumber]
    own_accounts: frozenset[AccountKey]


def _reply_rows(replies: Sequence[StoredReply], at_us: int) -> tuple[Part, Part, Part]:
    answers: list[Row] = []
    offers: list[Row] = []
    bound: list[Row] = []
    for reply in replies:
        waiting, refusal = reply.waiting, reply.stored.refusal
        c = waiting.community
        code = refusal.code.value if refusal else None
        text = codec.write_answer(reply.stored)
        answers.append((c, waiting.key, waiting.digest, waiting.order.kind, waiting.actor, code, at_us, text))
        offers += (
            (c, nonce, offer.label, offer.presser, to_us(offer.expires), codec.write_order(offer.order))
            for nonce, offer in reply.offers
        )
        if reply.binds is not None and waiting.beside is not None:
            bound.append((codec.write_order(reply.binds.order), waiting.beside, reply.binds.nonce))
    return (_NEW_ANSWERS, answers), (_NEW_OFFERS, offers), (_BOUND_OFFERS, bound)


def _numbers(drafts: Sequence[Drafted], counts: Mapping[int, int], ends: Mapping[int, int]) -> list[int]:
    """The number of each draft, without gaps, where a community's last one has the number in `ends`."""
    following = {c: ends[c] - count for c, count in counts.items()}
    numbers = []
    for draft in drafts:
        following[draft.community] += 1
        numbers.append(following[draft.community])
    return numbers


async def _write_own(
    bulk: Bulk, connection: AsyncConnection, differences: Mapping[AccountKey, int], known: Set[AccountKey]
) -> None:
    new = sorted(differences.keys() - known)
    await bulk.write(connection, _MISSING_ACCOUNTS, [(c, owner, asset.value, 0) for c, owner, asset in new])
    rows = [(sum_, c, owner, asset.value) for (c, owner, asset), sum_ in sorted(differences.items())]
    try:
        _must_be_all(rows, await bulk.write(connection, _BALANCES, rows))
    except IntegrityError as problem:
        raise OwnFloorError(differences) from problem


def _must_be_all(rows: Sequence[Row], found: int) -> None:
    """Balances that change are all there: one that is not would be money lost."""
    if found != len(rows):
        raise StoreError(f"{len(rows)} balances to change, and {found} found")


class Sums:
    """What a batch adds up to: balances and totals by difference, and the last value of each flag."""

    def __init__(self, drafts: Sequence[Drafted], existing: Set[AccountKey]) -> None:
        self.own: dict[AccountKey, int] = {}
        self._existing = existing
        self._members: dict[AccountKey, int] = {}
        self._flags: dict[tuple[CommunityId, int, str], str] = {}
        self._totals: dict[tuple[CommunityId, int, int, str], int] = {}
        for draft in drafts:
            self._add(draft)

    def _add(self, draft: Drafted) -> None:
        c, entry = draft.community, draft.entry
        for posting in entry.postings:
            amount = int(posting.amount)
            for owner, difference in ((posting.source, -amount), (posting.destination, amount)):
                sums = self._members if owner > 0 else self.own
                account = (c, int(owner), posting.asset)
                sums[account] = sums.get(account, 0) + difference
        for fact in entry.facts:
            self._flags[c, fact.subject, fact.name] = value_text(fact.after)
        for (member, name, day), amount in totals_of(entry).items():
            total = (c, member, day, name)
            self._totals[total] = self._totals.get(total, 0) + amount

    def rows(self) -> tuple[Part, list[Part]]:
        """The members' balances that change, and what else there is to write."""
        new: list[Row] = []
        changed: list[Row] = []
        for account in sorted(self._members):
            c, owner, asset = account
            if account in self._existing:
                changed.append((self._members[account], c, owner, asset.value))
            else:
                new.append((c, owner, asset.value, self._members[account]))
        flags: list[Row] = [(*flag, text) for flag, text in self._flags.items()]
        totals: list[Row] = [(*total, amount) for total, amount in self._totals.items()]
        return (_BALANCES, changed), [(_NEW_ACCOUNTS, new), (_FLAGS, flags), (_TOTALS, totals)]


class EntryRows:
    """The rows that hold an entry's number."""

    def __init__(self, at_us: int) -> None:
        self._at_us = at_us
        self._entries: list[Row] = []
        self._postings: list[Row] = []
        self._facts: list[Row] = []
        self._reversals: list[Row] = []
        self._texts: list[Row] = []
        self._removed: list[Row] = []
        self._outbox: list[Row] = []
        self._used: list[Row] = []
        self._waiting: list[Row] = []

    def add(self, draft: Drafted, number: int) -> None:
        """`number` as `Bulk.write_together` has it of what is numbered."""
        c, entry, decision, at_us = draft.community, draft.entry, draft.decision, self._at_us
        receipt = codec.write_receipt(entry.receipt)
        key, reason = str(entry.key), str(entry.reason)
        self._entries.append(
            (c, number, key, draft.digest, entry.kind, entry.actor, reason, at_us, entry.time_zone, receipt)
        )
        for i, (posting, after) in enumerate(zip(entry.postings, draft.after, strict=True)):
            accounts = (int(posting.source), int(posting.destination), posting.asset.value)
            self._postings.append((c, number, i, posting.leg, *accounts, int(posting.amount), *after))
        for i, fact in enumerate(entry.facts):
            values = (value_text(fact.before), value_text(fact.after))
            self._facts.append((c, number, i, fact.subject, fact.name, *values))
        for original in decision.undoes:
            self._reversals.append((c, original, number))
        for text in decision.texts:
            self._texts.append((c, number, text.author, text.topic, str(text.text), False))
        if decision.removes_text_of is not None:
            self._removed.append((True, "", c, decision.removes_text_of))
        for event in decision.events:
            self._outbox.append((c, number, codec.write_event(event), at_us, 0, 0))
        if decision.waits is not None:
            self._waiting.append((c, number, decision.waits.name, to_us(decision.waits.until), 0, 0))
        if draft.pressed is not None:
            self._used.append((number, c, draft.pressed))

    def parts(self) -> list[Part]:
        return [
            (_ENTRIES, self._entries),
            (_POSTINGS, self._postings),
            (_FACTS, self._facts),
            (_REVERSALS, self._reversals),
            (_TEXTS, self._texts),
            (_REMOVED_TEXTS, self._removed),
            (_OUTBOX, self._outbox),
            (_USED_OFFERS, self._used),
            (_WAITING, self._waiting),
        ]


def value_text(value: Value) -> str:
    """A flag's value as JSON."""
    return "true" if value is True else codec.write_value(value)
