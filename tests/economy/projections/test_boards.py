"""What entries add to the boards."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.ledger import Entry
from economy.projections.boards import (
    Board,
    Period,
    bucket,
    bucket_top,
    listed_changes,
    parts_of,
    period_start,
    score_sums,
    series_of,
    start_us,
    stretch_sums,
)
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.chest import TipFromChest
from economy.rules.gifting import SendGift
from economy.rules.presence import Hide, Hideable, Join, Leave
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo, UndoSince
from economy.values import (
    AmountWord,
    Asset,
    Coins,
    EntryNumber,
    IdempotencyKey,
    MemberId,
    Reason,
    Role,
)
from tests.economy.projections.town import Town, gift, person, tip, undo


def scores(town: Town, board: Board, period: Period = Period.ALL, at: datetime | None = None) -> dict[str, int]:
    """The scores of a board by name, without those at 0, in the period that holds `at` (by default, now)."""
    wanted = series_of(board, period, start_us(at or town.now, town.books.settings.time_zone, period))
    names = {member.id: member.name for member in town.books.members.values()}
    return {
        names[member]: amount
        for (series, member), (amount, _) in score_sums(town.entries).items()
        if series == wanted and amount
    }


def named_sums(town: Town) -> Iterator[tuple[Board, Period, int, MemberId, int]]:
    """What each score comes to: board, period, its start, member, amount."""
    for (series, member), (amount, _) in score_sums(town.entries).items():
        yield (*parts_of(series), member, amount)


def test_a_gift_counts_its_whole_cost_for_both():
    town = Town("ana", "bo", coin=300, bonus=300)
    town.do(gift("ana", "bo", count=4))
    assert scores(town, Board.CREATORS) == {"bo": 400}
    assert scores(town, Board.SUPPORTERS) == {"ana": 400}
    assert scores(town, Board.TIPPERS) == {}


def test_a_gift_counts_also_where_its_receiver_gets_no_share():
    town = Town("ana", "bo", bonus=100)
    town.set("creator_share", 0)
    town.do(gift("ana", "bo"))
    assert scores(town, Board.CREATORS) == {"bo": 100}


@pytest.mark.parametrize("period", list(Period))
def test_a_score_counts_in_every_period(period):
    town = Town("ana", "bo", bonus=500)
    town.do(gift("ana", "bo"))
    town.wait(days=40)
    town.do(gift("ana", "bo"))
    assert scores(town, Board.SUPPORTERS, period) == {"ana": 200 if period is Period.ALL else 100}


def test_tippers_are_ranked_by_sent_less_received():
    town = Town("ana", "bo", "cy", coin=50, bonus=50)
    town.do(tip("ana", "bo", "cy", amount=40))
    town.do(tip("bo", "ana", amount=15))
    assert scores(town, Board.TIPPERS) == {"ana": 65, "bo": -25, "cy": -40}


def test_a_ring_of_tips_climbs_nothing():
    town = Town("ana", "bo", "cy", bonus=100)
    for _ in range(5):
        town.do(tip("ana", "bo", amount=100))
        town.do(tip("bo", "cy", amount=100))
        town.do(tip("cy", "ana", amount=100))
    assert scores(town, Board.TIPPERS) == {}


def test_tips_from_the_chest_are_no_member_s_tips():
    town = Town("ana", "bo")
    town.books.house[Asset.BONUS] = 100
    entry = town.do(
        TipFromChest(by=person("ana"), receivers=Receivers((person("bo"),)), amount=AmountWord.exact(60)),
        Role.TREASURER,
    )
    assert isinstance(entry, Entry)
    assert scores(town, Board.TIPPERS) == {}
    assert scores(town, Board.BALANCE) == {"bo": 60}


def test_the_balance_board_counts_coins_and_never_earnings():
    town = Town("ana", "bo", coin=100)
    town.do(gift("ana", "bo"))
    assert town.books.actor(person("bo")).holds(Asset.DIAMOND) == 50
    assert scores(town, Board.BALANCE) == {"ana": -100}
    assert scores(town, Board.BALANCE, Period.DAY) == {}


def test_an_undone_gift_lowers_the_periods_of_the_gift():
    town = Town("ana", "bo", "mo", bonus=500)
    town.do(gift("ana", "bo"))
    then = town.now
    town.wait(days=40)
    town.do(gift("ana", "bo"))
    town.do(undo(1), Role.MODERATOR)
    for period in (Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH):
        assert scores(town, Board.SUPPORTERS, period, then) == {}
        assert scores(town, Board.CREATORS, period, then) == {}
        assert scores(town, Board.SUPPORTERS, period) == {"ana": 100}
    assert scores(town, Board.CREATORS) == {"bo": 100}


def test_an_undo_lowers_the_period_that_the_time_zone_of_then_names():
    town = Town("ana", "bo", "mo", bonus=500, time_zone="Asia/Tokyo")
    town.do(gift("ana", "bo"))
    then = town.now
    town.set("time_zone", "America/New_York")
    town.do(undo(1), Role.MODERATOR)
    days = {
        (start, amount)
        for board, period, start, _, amount in named_sums(town)
        if board is Board.CREATORS and period is Period.DAY
    }
    assert days == {(start_us(then, "Asia/Tokyo", Period.DAY), 0)}


def test_a_partial_undo_lowers_the_boards_by_exactly_what_was_taken():
    town = Town("ana", "bo", "cy", "mo", bonus=0)
    town.books.actor(person("ana")).wallet[Asset.BONUS] = 100
    town.do(gift("ana", "bo"))  # bo has 50 of it, the house 50
    town.do(tip("bo", "cy", amount=20))
    town.do(undo(1), Role.MODERATOR)  # 30 of bo's are left
    assert scores(town, Board.CREATORS) == {"bo": 20}
    assert scores(town, Board.SUPPORTERS) == {"ana": 20}


def test_an_undone_tip_takes_from_the_sender_and_gives_back_to_the_receivers():
    town = Town("ana", "bo", "cy", "mo")
    town.books.actor(person("ana")).wallet[Asset.BONUS] = 20
    town.books.actor(person("ana")).wallet[Asset.COIN] = 20
    town.do(tip("ana", "bo", "cy", amount=20))
    town.do(tip("cy", "bo", amount=5))
    town.do(undo(1), Role.MODERATOR)
    assert scores(town, Board.TIPPERS) == {"ana": 5, "bo": -5}


def test_one_entry_may_take_back_many():
    town = Town("ana", "bo", "mo", bonus=500)
    since = town.now
    town.do(tip("ana", "bo"))
    town.do(gift("ana", "bo"))
    numbers = (EntryNumber(1), EntryNumber(2))
    reason = Reason("a mistake")
    order = UndoSince(by=person("mo"), member=person("ana"), since=since, reason=reason, numbers=numbers)
    town.do(order, Role.MODERATOR)
    assert len(town.entries) == 3
    for board in Board:
        assert scores(town, board) == {}


def test_a_correction_counts_for_the_balance_alone():
    town = Town("ana", "bo")
    order = Adjust(
        by=person("ana"),
        action=Action.ADD,
        asset=Asset.BONUS,
        rows=(Target(person("bo"), Coins(70)),),
        reason=Reason("a prize"),
    )
    town.do(order, Role.OWNER)
    assert {board for board, *_ in named_sums(town)} == {Board.BALANCE}
    assert scores(town, Board.BALANCE) == {"bo": 70}


def test_joining_leaving_hiding_and_showing_are_seen():
    town = Town("ana")
    orders = [
        Leave(by=person("ana")),
        Join(by=person("ana")),
        Hide(by=person("ana")),
        Hide(by=person("ana"), hidden=False),
    ]
    for order in orders:
        town.do(order)
    ana = town.id("ana")
    assert [listed_changes(entry) for entry in town.entries] == [
        {ana: {"present": False}},
        {ana: {"present": True}},
        {ana: {"hidden": True}},
        {ana: {"hidden": False}},
    ]


def test_hiding_the_amount_leaves_a_member_on_the_boards():
    town = Town("ana")
    town.do(Hide(by=person("ana"), what=Hideable.AMOUNT))
    assert listed_changes(town.entries[0]) == {}


def test_an_entry_that_cancels_itself_out_has_not_reached_anything():
    town = Town("ana", "bo", bonus=100)
    town.do(tip("ana", "bo"))
    first = town.entries[0]
    back = type(first.postings[0])(MemberId(2), MemberId(1), Asset.BONUS, Coins(10), 1)
    both = Entry(
        number=EntryNumber(2),
        key=IdempotencyKey("test:2"),
        kind="tip",
        actor=first.actor,
        reason=first.reason,
        at=first.at,
        time_zone="UTC",
        postings=(*first.postings, back),
        facts=(),
        receipt=first.receipt,
    )
    assert {reached for _, reached in score_sums([first, both]).values()} == {1}


# --- properties ---

NAMES = ("ana", "bo", "cy", "mo")
orders = st.one_of(
    st.builds(tip, st.sampled_from(NAMES), st.sampled_from(NAMES), amount=st.integers(1, 200)),
    st.builds(gift, st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.builds(undo, st.integers(1, 40)),
)


def town_after(steps: list[tuple[Tip | SendGift | Undo, int]]) -> Town:
    town = Town(*NAMES, coin=300, bonus=300, time_zone="Europe/Berlin")
    for order, hours in steps:
        town.wait(hours=hours)
        town.do(order, Role.MODERATOR)
    return town


@given(st.sampled_from(Board), st.sampled_from(Period), st.integers(-(2**40), 2**40).map(lambda s: s * 1_000_000))
def test_a_series_tells_its_board_its_period_and_when_that_starts(board, period, start):
    assert parts_of(series_of(board, period, start)) == (board, period, start)


histories = st.lists(st.tuples(orders, st.integers(0, 60)), max_size=40).map(town_after)


@given(histories)
def test_the_scores_of_tippers_sum_to_nothing_in_every_period(town):
    sums: dict[tuple[Period, int], int] = {}
    for board, period, start, _, amount in named_sums(town):
        if board is Board.TIPPERS:
            sums[period, start] = sums.get((period, start), 0) + amount
    assert set(sums.values()) <= {0}


@given(histories)
def test_the_periods_of_a_board_sum_to_the_whole(town):
    sums: dict[tuple[Board, MemberId, Period], int] = {}
    for board, period, _, member, amount in named_sums(town):
        sums[board, member, period] = sums.get((board, member, period), 0) + amount
    for (board, member, _), amount in sums.items():
        assert amount == sums[board, member, Period.ALL]


@given(histories)
def test_what_creators_have_is_what_supporters_gave_and_never_below_nothing(town):
    of = {board: scores(town, board) for board in (Board.CREATORS, Board.SUPPORTERS)}
    assert sum(of[Board.CREATORS].values()) == sum(of[Board.SUPPORTERS].values())
    assert all(score > 0 for board in of.values() for score in board.values())


@given(histories)
def test_undoing_everything_that_is_still_there_brings_boards_down_by_what_was_taken(town):
    """Whatever is left on the boards in the end is what receivers had spent."""
    for number in reversed(town.undoable()):
        town.do(undo(number), Role.MODERATOR)
    missing = sum(
        part.missing
        for entry in town.entries
        if entry.kind == "undo"
        for part in entry.receipt.parts
        if part.kind == "gift"
    )
    left = sum(e.receipt.cost for e in town.entries if e.kind == "gift" and not town.books.entries[e.number].undone_by)
    assert sum(scores(town, Board.CREATORS).values()) == missing + left


@given(histories, st.integers(1, 7))
def test_scores_are_the_same_however_the_entries_are_cut(town, size):
    joined: dict = {}
    for first in range(0, len(town.entries), size):
        for key, (amount, reached) in score_sums(town.entries[first : first + size]).items():
            joined[key] = (joined.get(key, (0, 0))[0] + amount, reached)
    assert joined == score_sums(town.entries)


@given(histories)
def test_no_series_is_in_two_stretches_and_all_is_there(town):
    together = stretch_sums(town.entries)
    stretches = {stretch for stretch, _ in together}
    assert len({series for stretch in stretches for series in stretch}) == sum(map(len, stretches))
    alone = [found for entry in town.entries for found in score_sums([entry]).items()]
    added: dict = {}
    for key, (amount, reached) in alone:
        added[key] = (added.get(key, (0, 0))[0] + amount, reached)
    assert score_sums(town.entries) == added


@given(st.integers(1, 2**62), st.integers(1, 2**62))
def test_buckets_grow_with_scores(one, other):
    low, high = sorted((one, other))
    assert bucket(low) <= bucket(high)
    assert bucket(low) < bucket(high) or high <= bucket_top(bucket(low))


@given(st.integers(1, 2**62))
def test_a_bucket_ends_at_its_top(score):
    number = bucket(score)
    assert score <= bucket_top(number)
    assert bucket(bucket_top(number)) == number
    assert bucket(bucket_top(number) + 1) == number + 1


def test_small_scores_have_buckets_of_their_own():
    assert [bucket(score) for score in range(1, 129)] == list(range(1, 129))


def test_a_power_of_two_has_64_buckets():
    assert bucket(2**41) - bucket(2**40) == 64


def test_a_moment_is_in_the_period_that_it_starts():
    at = datetime(2026, 1, 5, tzinfo=UTC)
    assert period_start(at, "UTC", Period.WEEK) == at
