"""What an entry adds to the boards, who is listed on them, and how scores are counted into buckets. Pure.

Adding a board is a line in `Board` and `_BOARDS`, its rule in `board_changes` and, if it has no periods, a line in
`periods_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, NewType, Protocol, cast

from economy.books import HIDDEN, PRESENT
from economy.ledger import Connected, Entry, Posting, Undone, UndonePart
from economy.values import Asset, Coins, EntryNumber, MemberId, Own, day_start, local_date, zone


class Board(StrEnum):
    CREATORS = "creators"
    SUPPORTERS = "supporters"
    TIPPERS = "tippers"
    BALANCE = "balance"


class Period(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


START_OF_ALL_US = 0
"""What stands for the start of the period `all`, which has none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class ScoreChange(NamedTuple):
    """One member's score on one board changes by `amount` (signed), in all periods that hold `at`."""

    board: Board
    member: MemberId
    amount: int
    at: datetime
    time_zone: str


Series = NewType("Series", int)
"""A board in one period as one number, by which the store keeps its scores together: see `series_of`."""

ScoreKey = tuple[Series, MemberId]
"""Names one score."""

ScoreSum = tuple[int, EntryNumber]
"""What entries add to one score, and the last of them that changed it. A plain tuple: there are ten to a gift."""

Stretch = tuple[Series, ...]
"""Series that the same is added to, such as a board in all the periods that hold a moment."""

StretchSums = dict[tuple[Stretch, MemberId], ScoreSum]
"""What is added to scores, once for a stretch. No series is in two stretches."""


class _GiftReceipt(Protocol):
    """What boards read of a gift's receipt. Structural, as projections do not know the rules."""

    @property
    def sender(self) -> MemberId: ...

    @property
    def creator(self) -> MemberId: ...

    @property
    def cost(self) -> Coins: ...


# --- periods ---


def periods_of(board: Board) -> tuple[Period, ...]:
    """The periods a board has. A balance is what it is now."""
    return (Period.ALL,) if board is Board.BALANCE else tuple(Period)


def period_start(at: datetime, time_zone: str, period: Period) -> datetime | None:
    """When the period that holds `at` began, in UTC; None for `all`. Weeks begin on Monday.

    Where a clock change repeats an hour, its two runs are two hours; where it skips midnight, the day begins with
    the first moment that was.
    """
    match period:
        case Period.HOUR:
            local = at.astimezone(zone(time_zone))
            return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        case Period.DAY:
            return day_start(local_date(at, time_zone), time_zone)
        case Period.WEEK:
            today = local_date(at, time_zone)
            return day_start(today - timedelta(days=today.weekday()), time_zone)
        case Period.MONTH:
            return day_start(local_date(at, time_zone).replace(day=1), time_zone)
        case Period.ALL:
            return None


def start_us(at: datetime, time_zone: str, period: Period) -> int:
    """`period_start` as the store writes it."""
    start = period_start(at, time_zone, period)
    return START_OF_ALL_US if start is None else (start - _EPOCH) // _MICROSECOND


# Their places are in stored numbers: add at the end, and leave what is there.
_BOARDS = (Board.CREATORS, Board.SUPPORTERS, Board.TIPPERS, Board.BALANCE)
_PERIODS = (Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH, Period.ALL)
_PART_BITS = 3  # room for eight of each
_PART = (1 << _PART_BITS) - 1
_SECOND_US = 1_000_000


def series_of(board: Board, period: Period, start_us: int) -> Series:
    """The number of a board in the period that starts at `start_us`: the start in seconds, then board and period.

    Periods start at whole seconds, as clocks of all time zones go.
    """
    parts = _BOARDS.index(board) << _PART_BITS | _PERIODS.index(period)
    return Series((start_us // _SECOND_US) << 2 * _PART_BITS | parts)


def parts_of(series: int) -> tuple[Board, Period, int]:
    """The board, the period, and its start in UTC microseconds since 1970 (0 for `all`)."""
    board, period = _BOARDS[series >> _PART_BITS & _PART], _PERIODS[series & _PART]
    return board, period, (series >> 2 * _PART_BITS) * _SECOND_US


@lru_cache(maxsize=8192)
def _stretch(board: Board, minute: datetime, time_zone: str) -> Stretch:
    """A board in every period. No zone has changed its clocks within a minute since they were standardised."""
    return tuple(series_of(board, period, start_us(minute, time_zone, period)) for period in periods_of(board))


# --- what an entry adds ---


def board_changes(entry: Entry) -> list[ScoreChange]:
    """What `entry` adds to every board, signed. An undo lowers the periods of the entry it took back."""
    found = _balance_changes(entry)
    match entry.kind:
        case "gift":
            gift = cast(_GiftReceipt, entry.receipt)
            found.append(_change(Board.CREATORS, gift.creator, gift.cost, entry))
            found.append(_change(Board.SUPPORTERS, gift.sender, gift.cost, entry))
        case "tip" | "reaction":
            found.extend(_tip_changes(entry))
        case "claimed":
            # Taken out of escrow by way of whoever had put it there: that half is no tip.
            found.extend(_tip_changes(entry, [each for each in entry.postings if each.source != Own.ESCROW]))
        case "undo" if isinstance(entry.receipt, Undone):
            for part in entry.receipt.parts:
                found.extend(_undone_changes(part))
        case _:
            pass
    return found


def _change(board: Board, member: int, amount: int, of: Entry | UndonePart) -> ScoreChange:
    return ScoreChange(board, MemberId(member), int(amount), of.at, of.time_zone)


def _balance_changes(entry: Entry) -> list[ScoreChange]:
    sums: dict[int, int] = {}
    for posting in entry.postings:
        if posting.asset is not Asset.DIAMOND:
            if posting.source > 0:
                sums[posting.source] = sums.get(posting.source, 0) - posting.amount
            if posting.destination > 0:
                sums[posting.destination] = sums.get(posting.destination, 0) + posting.amount
    return [_change(Board.BALANCE, member, amount, entry) for member, amount in sums.items() if amount]


def _tip_changes(entry: Entry, postings: Iterable[Posting] | None = None) -> list[ScoreChange]:
    """Sent less received: what left a member counts for them, what arrived counts against them.

    Of a leg that turns bought coins into free ones, the coins leave the one and the free ones reach the other.
    """
    found = []
    for posting in entry.postings if postings is None else postings:
        if posting.source > 0:
            found.append(_change(Board.TIPPERS, posting.source, posting.amount, entry))
        if posting.destination > 0:
            found.append(_change(Board.TIPPERS, posting.destination, -posting.amount, entry))
    return found


def _undone_changes(part: UndonePart) -> list[ScoreChange]:
    match part.kind:
        case "gift" if part.taken:
            amount = sum(taken.amount for taken in part.taken)
            return [
                _change(Board.CREATORS, part.receiver, -amount, part),
                _change(Board.SUPPORTERS, part.actor, -amount, part),
            ]
        case "tip" | "reaction" | "claimed":
            return [
                change
                for taken in part.taken
                for change in (
                    _change(Board.TIPPERS, taken.giver, -taken.amount, part),
                    _change(Board.TIPPERS, taken.holder, taken.amount, part),
                )
            ]
        case _:
            return []


def score_sums(entries: Iterable[Entry]) -> dict[ScoreKey, ScoreSum]:
    """What `entries`, in order of their numbers, add to each score.

    An entry whose changes of a score cancel out has not changed it, so that the same entries come to the same
    scores, however they are cut. Who goes on as another leaves them every score that they had.
    """
    sums = stretch_sums(entries)
    return {(series, member): found for (stretch, member), found in sums.items() for series in stretch}


def stretch_sums(entries: Iterable[Entry]) -> StretchSums:
    """`score_sums`, by stretches: most entries speak of one moment only, and add the same to all its periods."""
    sums: StretchSums = {}
    for entry in entries:
        number = entry.number
        for key, amount in _keyed(entry):
            before = sums.get(key)
            sums[key] = (amount, number) if before is None else (before[0] + amount, number)
        if succession := succession_in(entry):
            _hand_over(sums, succession)
    stretches = {stretch for stretch, _ in sums}
    apart = len(set(chain.from_iterable(stretches))) == sum(map(len, stretches))
    return sums if apart else series_apart(sums)


def series_apart(sums: StretchSums) -> StretchSums:
    """The same with a stretch for each series, which earlier ones may have had in common."""
    found: StretchSums = {}
    for (stretch, member), (amount, number) in sums.items():
        for series in stretch:
            before = found.get(((series,), member), (0, number))
            found[(series,), member] = (before[0] + amount, max(before[1], number))
    return found


class Succession(NamedTuple):
    """With entry `number`, `formerly` went on as `member`."""

    formerly: MemberId
    member: MemberId
    number: EntryNumber


def succession_in(entry: Entry) -> Succession | None:
    receipt = entry.receipt
    if isinstance(receipt, Connected) and receipt.formerly:
        return Succession(receipt.formerly, receipt.member, entry.number)
    return None


def successions(entries: Iterable[Entry]) -> dict[MemberId, Succession]:
    """Who went on in `entries`, in order of their numbers: as whom at last, and with which of the entries."""
    found: dict[MemberId, Succession] = {}
    for entry in entries:
        if succession := succession_in(entry):
            formerly, member, number = succession
            for each, (_, heir, _) in found.items():
                if heir == formerly:
                    found[each] = Succession(each, member, number)
            found[formerly] = succession
    return found


def handed_over(scores: Mapping[tuple[Stretch, MemberId], int], gone: Mapping[MemberId, Succession]) -> StretchSums:
    """What the `scores` of those who are `gone` add to their successors'."""
    sums: StretchSums = {}
    for (stretch, member), amount in scores.items():
        _, heir, number = gone[member]
        before = sums.get((stretch, heir), (0, number))
        sums[stretch, heir] = (before[0] + amount, max(before[1], number))
    return sums


def _hand_over(sums: StretchSums, succession: Succession) -> None:
    gone = {key: sums.pop(key)[0] for key in [key for key in sums if key[1] == succession.formerly]}
    for key, (amount, number) in handed_over(gone, {succession.formerly: succession}).items():
        before = sums.get(key, (0, number))
        sums[key] = (before[0] + amount, number)


_Keyed = list[tuple[tuple[Stretch, MemberId], int]]


def _keyed(entry: Entry) -> _Keyed:
    """What an entry changes, by the stretch that it counts in; each once."""
    keyed: _Keyed = [
        ((_stretch(board, at.replace(second=0, microsecond=0), time_zone), member), amount)
        for board, member, amount, at, time_zone in board_changes(entry)
    ]
    if isinstance(entry.receipt, Undone):
        # Its parts may be of several moments, and what one adds to a period they share, another may take.
        keyed = [(((series,), member), amount) for (stretch, member), amount in keyed for series in stretch]
    return keyed if len(dict(keyed)) == len(keyed) else _netted(keyed)


def _netted(keyed: _Keyed) -> _Keyed:
    sums: dict[tuple[Stretch, MemberId], int] = {}
    for key, amount in keyed:
        sums[key] = sums.get(key, 0) + amount
    return [(key, amount) for key, amount in sums.items() if amount]


def listed_changes(entry: Entry) -> dict[MemberId, dict[str, bool]]:
    """Whom `entry` hides, shows, lets join or leave: by member, the flags it set (`present`, `hidden`)."""
    found: dict[MemberId, dict[str, bool]] = {}
    for fact in entry.facts:
        if fact.subject > 0 and fact.name in (PRESENT, HIDDEN):
            found.setdefault(fact.subject, {})[fact.name] = fact.after is True
    return found


def is_listed(*, present: bool, hidden: bool) -> bool:
    """Whether a member is on the boards: leavers and those who hide are not."""
    return present and not hidden


# --- buckets ---

_STEPS_BITS = 6  # 64 steps per power of two


def bucket(score: int) -> int:
    """The bucket that counts `score` (1 or more): up to 127 one each, then 64 to each power of two, in order."""
    shift = max(0, score.bit_length() - 1 - _STEPS_BITS)
    return (shift << _STEPS_BITS) + (score >> shift)


def bucket_top(number: int) -> int:
    """The greatest score in a bucket."""
    shift = max(0, (number >> _STEPS_BITS) - 1)
    return ((number - (shift << _STEPS_BITS) + 1) << shift) - 1
