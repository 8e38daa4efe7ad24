"""The audit's walk over a community's entries in order: what each must keep, and what all add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from economy.codec import write_value
from economy.ledger import Connected, Entry, Undone, UndonePart, legs_of
from economy.links import SUCCESSOR
from economy.projections.boards import (
    ScoreKey,
    ScoreSum,
    Series,
    Stretch,
    handed_over,
    listed_changes,
    score_sums,
    succession_in,
    successions,
)
from economy.projections.days import day_sums
from economy.rules.claiming import TipsTaken
from economy.store.scratch import Key, Scratch
from economy.totals import totals_of
from economy.values import ISSUERS, Asset, MemberId, Own, receipt_id

GRANTS: Final = frozenset({"coins", "daily", "welcome"})
"""Kinds that may bring coins in or take them out; every other kind only moves them, and so does an undo of it."""

PROBLEMS_MAX: Final = 10
"""Problems of one sort that are named in one community; the first is where to look."""


class Problem(Struct, frozen=True):
    """Something that does not add up. `where` names an entry by its receipt's id, or an account or row."""

    what: str
    community: int
    where: str
    detail: str


class Findings:
    """Collects problems, of each sort the first few."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.counts: dict[tuple[str, int], int] = {}

    def tell(self, what: str, community: int, where: str, detail: str) -> None:
        count = self.counts[what, community] = self.counts.get((what, community), 0) + 1
        if count <= PROBLEMS_MAX:
            self.problems.append(Problem(what, community, where, detail))


class Beside(Struct, frozen=True):
    """What stands beside the entries of a chunk: balances as their postings have them (after source, after
    destination), the reversals by entry, and the entries that were taken back."""

    afters: Mapping[int, Sequence[tuple[int | None, int | None]]]
    reversed_by: Mapping[int, Sequence[int]]
    originals: Mapping[int, Entry]


class Walk:
    """Takes the entries of one community in order, chunk by chunk."""

    def __init__(self, community: int, scratch: Scratch, findings: Findings, projected: int) -> None:
        self._community = community
        self._scratch = scratch
        self._findings = findings
        self._projected = projected
        self._next = 1
        self.last = 0
        self.postings = 0
        self._heirs: dict[int, int] = {}
        """Who went on as somebody else, as far as was walked: as whom."""
        self.moved_late: set[int] = set()
        """Members who hid, showed, left or joined after the last projected entry."""

    def take(self, entries: Sequence[Entry], beside: Beside) -> None:
        for entry in entries:
            self._must_follow(entry)
            self._must_conserve(entry)
            self._must_back_diamonds(entry)
            self._must_reverse(entry, beside)
            self._must_leave_nothing(entry)
            self.postings += len(entry.postings)
        self._add_balances(entries, beside)
        self._add_facts(entries)
        self._add_sums(entries)

    def _tell(self, what: str, entry: Entry, detail: str) -> None:
        self._findings.tell(what, self._community, f"entry {receipt_id(entry.number)}", detail)

    # --- each entry for itself ---

    def _must_follow(self, entry: Entry) -> None:
        if entry.number != self._next:
            self._tell("numbering", entry, f"number {entry.number} follows {self._next - 1}")
        self._next = entry.number + 1
        self.last = entry.number

    def _must_conserve(self, entry: Entry) -> None:
        """Outside mint and sales, the sum of coin and bonus changes by what was granted and nothing else."""
        change = sum(
            (posting.source in ISSUERS) * posting.amount - (posting.destination in ISSUERS) * posting.amount
            for posting in entry.postings
            if posting.asset is not Asset.DIAMOND
        )
        if entry.kind in GRANTS:
            return
        allowed = 0
        if isinstance(entry.receipt, Undone):
            allowed = sum(_given_back(part) for part in entry.receipt.parts if part.kind in GRANTS)
        if change != allowed:
            self._tell("conservation", entry, f"{entry.kind} changes the coins there are by {change}, not by {allowed}")

    def _must_back_diamonds(self, entry: Entry) -> None:
        """Every diamond that is issued sets a coin aside, and every one that is burned frees it."""
        held = issued = 0
        for posting in entry.postings:
            if posting.asset is Asset.COIN:
                held += ((posting.destination == Own.HELD) - (posting.source == Own.HELD)) * posting.amount
            elif posting.asset is Asset.DIAMOND:
                issued += ((posting.source == Own.MINT) - (posting.destination == Own.MINT)) * posting.amount
        if held != issued:
            self._tell("held", entry, f"diamonds outstanding change by {issued}, the coins held for them by {held}")

    def _must_reverse(self, entry: Entry, beside: Beside) -> None:
        """An undo takes back entries that were there, once each, and at most what they gave."""
        parts = entry.receipt.parts if isinstance(entry.receipt, Undone) else ()
        told, kept = sorted(_settled(entry)), sorted(beside.reversed_by.get(entry.number, ()))
        if told != kept:
            self._tell("reversal", entry, f"it says that it took back {told}, and the reversals say {kept}")
        if not parts:
            return
        taken = sum(taken.amount for part in parts for taken in part.taken)
        moved = sum(leg[0].amount for leg in legs_of(entry.postings))
        if taken != moved:
            self._tell("reversal", entry, f"it says that it took back {taken} coins, and moves {moved}")
        before = self._scratch.get("undone", [(part.number,) for part in parts])
        for part in parts:
            if (part.number,) in before:
                self._tell("reversal", entry, f"takes back {receipt_id(part.number)}, as {before[part.number,]} did")
            self._must_match(entry, part, beside.originals.get(part.number))
        self._scratch.put("undone", {(part.number,): receipt_id(entry.number) for part in parts})

    def _must_match(self, entry: Entry, part: UndonePart, original: Entry | None) -> None:
        name = receipt_id(part.number)
        if original is None or original.number >= entry.number:
            self._tell("reversal", entry, f"takes back {name}, which was not there")
            return
        # What came out of escrow on its way was no part of what was given.
        given = sum(leg[0].amount for leg in legs_of(original.postings) if leg[0].source != Own.ESCROW)
        taken = sum(taken.amount for taken in part.taken)
        if taken + part.missing + part.own != given:
            self._tell("reversal", entry, f"of the {given} coins of {name} it takes {taken} and misses {part.missing}")
        told = (part.kind, part.actor, part.at, part.time_zone)
        actor = self._heirs.get(original.actor, original.actor)
        if told != (original.kind, actor, original.at, original.time_zone):
            self._tell("reversal", entry, f"describes {name} otherwise than it is")

    def _must_leave_nothing(self, entry: Entry) -> None:
        """Nobody moves the coins of somebody who went on as another, nor gives them any; nobody goes on twice."""
        for posting in entry.postings:
            for owner in {posting.source, posting.destination} & self._heirs.keys():
                self._tell("successor", entry, f"moves coins of {owner}, who went on as {self._heirs[owner]}")
        for fact in entry.facts:
            if fact.name == SUCCESSOR and isinstance(fact.after, int):
                self._heirs[fact.subject] = fact.after
                if fact.after in self._heirs:
                    self._tell("successor", entry, f"leaves {fact.subject} to {fact.after}, who went on themself")
        receipt = entry.receipt
        if isinstance(receipt, Connected) and receipt.formerly and self._heirs.get(receipt.formerly) != receipt.member:
            self._tell(
                "successor", entry, f"says that {receipt.formerly} went on as {receipt.member}, and sets no such"
            )

    # --- what they add up to ---

    def _add_balances(self, entries: Sequence[Entry], beside: Beside) -> None:
        touched: set[Key] = {
            (owner, posting.asset)
            for entry in entries
            for posting in entry.postings
            for owner in (posting.source, posting.destination)
        } | {(succession.formerly, asset) for succession in successions(entries).values() for asset in Asset}
        balances = {key: int(balance) for key, balance in self._scratch.get("balance", touched).items()}
        for entry in entries:
            if entry.postings:
                self._add_entry(entry, balances, beside.afters.get(entry.number, ()))
            if succession := succession_in(entry):
                for asset in Asset:
                    if left := balances.get((succession.formerly, asset), 0):
                        self._tell("successor", entry, f"leaves {left} {asset} with {succession.formerly}, who went on")
        self._scratch.put("balance", balances)

    def _add_entry(
        self, entry: Entry, balances: dict[Key, int], afters: Sequence[tuple[int | None, int | None]]
    ) -> None:
        for posting, after in zip(entry.postings, afters, strict=False):
            asset, amount = posting.asset, int(posting.amount)
            for owner, change, told in (
                (posting.source, -amount, after[0]),
                (posting.destination, amount, after[1]),
            ):
                balance = balances[owner, asset] = balances.get((owner, asset), 0) + change
                if told != (balance if owner > 0 else None):
                    self._tell("running", entry, f"leaves account {owner} {asset} with {balance}, and says {told}")
        spent = {(posting.source, posting.asset) for posting in entry.postings if posting.source not in ISSUERS}
        for owner, asset in sorted(account for account in spent if balances[account] < 0):
            self._tell("floor", entry, f"leaves account {owner} {asset} below 0")

    def _add_facts(self, entries: Sequence[Entry]) -> None:
        told = [(entry, fact) for entry in entries for fact in entry.facts]
        keys: set[Key] = {(fact.subject, fact.name) for _, fact in told}
        latest = self._scratch.get("flag", keys)
        for entry, fact in told:
            key, before = (fact.subject, fact.name), write_value(fact.before)
            if latest.get(key, "null") != before:
                was = latest.get(key, "null")
                self._tell("fact", entry, f"flag {fact.subject} {fact.name} was {was}, and it says {before}")
            latest[key] = write_value(fact.after)
        self._scratch.put("flag", latest)

    def _add_sums(self, entries: Sequence[Entry]) -> None:
        totals: dict[Key, int] = {}
        for entry in entries:
            for (member, name, day), amount in totals_of(entry).items():
                key = (member, day, name)
                totals[key] = totals.get(key, 0) + amount
        self._scratch.add("total", totals)
        projected = [entry for entry in entries if entry.number <= self._projected]
        scores = self._with_handed_over(score_sums(projected), projected)
        self._scratch.add("score", {key: score for key, (score, _) in scores.items()})
        self._scratch.put("reached", {key: reached for key, (_, reached) in scores.items()})
        days = day_sums(projected)
        self._scratch.add("day entries", {key: found.entries for key, found in days.items()})
        self._scratch.add("day amount", {key: found.amount for key, found in days.items()})
        for entry in entries[len(projected) :]:
            self.moved_late.update(listed_changes(entry))

    def _with_handed_over(self, scores: dict[ScoreKey, ScoreSum], entries: Sequence[Entry]) -> dict[ScoreKey, ScoreSum]:
        """`scores` with those that their members had before and left to somebody else in `entries`."""
        gone = successions(entries)
        if not gone:
            return scores
        self._scratch.take_of("reached", gone.keys())
        before: dict[tuple[Stretch, MemberId], int] = {}
        for (series, member), score in self._scratch.take_of("score", gone.keys()).items():
            before[(Series(int(series)),), MemberId(int(member))] = int(score)
        for ((series,), member), (amount, number) in handed_over(before, gone).items():
            key = (series, member)
            sums = scores.get(key, (0, number))
            scores[key] = (sums[0] + amount, max(sums[1], number))
        return scores


def _settled(entry: Entry) -> list[int]:
    """The earlier entries that `entry` says it took back, or took up out of escrow."""
    match entry.receipt:
        case Undone(parts=parts):
            return [part.number for part in parts]
        case TipsTaken(tips=tips):
            return [tip.number for tip in tips]
        case _:
            return []


def _given_back(part: UndonePart) -> int:
    """What the undo of a grant changes: a grant's coins go, and those of a correction downwards return."""
    return sum(
        int(taken.amount) if taken.holder in ISSUERS else -int(taken.amount)
        for taken in part.taken
        if taken.holder in ISSUERS or taken.giver in ISSUERS
    )
