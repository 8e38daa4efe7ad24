"""Postings balance by construction, and legs keep together what an undo takes back together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.ledger import Entry, Legs, Posting, Taken, Undone, UndonePart, changes, legs_of
from economy.rules.presence import Joined
from economy.totals import ADJUSTED, DIAMONDS, EARNED, totals_of
from economy.values import COINS_MAX, NO_REASON, Asset, Coins, EntryNumber, IdempotencyKey, MemberId, Own

steady = settings(derandomize=True, database=None, deadline=None, max_examples=200)
ANA, BO = MemberId(1), MemberId(2)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
owners = st.sampled_from([1, 2, 3, Own.MINT, Own.SALES, Own.HOUSE, Own.HELD])


def entry(kind: str, *moved: Posting, receipt: Joined | Undone | None = None, at: datetime = NOON) -> Entry:
    return Entry(
        EntryNumber(1),
        IdempotencyKey("test:1"),
        kind,
        ANA,
        NO_REASON,
        at,
        "UTC",
        moved,
        (),
        receipt or Joined(member=ANA),
    )


def test_a_posting_moves_at_least_one_between_two_accounts():
    with pytest.raises(ValueError, match="at least 1"):
        Posting(ANA, BO, Asset.COIN, Coins(0))
    with pytest.raises(ValueError, match="two accounts"):
        Posting(ANA, ANA, Asset.COIN, Coins(1))


@steady
@given(st.lists(st.tuples(owners, owners, st.sampled_from(Asset), st.integers(1, COINS_MAX)), max_size=8))
def test_postings_sum_to_nothing_per_asset(rows):
    moved = [Posting(a, b, asset, Coins(amount)) for a, b, asset, amount in rows if a != b]
    sums = changes(moved)
    for asset in Asset:
        assert sum(amount for (_, of), amount in sums.items() if of is asset) == 0


def test_legs_leave_out_movements_of_nothing():
    legs = Legs()
    legs.move(ANA, BO, Asset.BONUS, 0)
    legs.turn(ANA, Asset.COIN, BO, Asset.BONUS, 0)
    legs.issue(ANA, Asset.DIAMOND, 0)
    legs.burn(ANA, Asset.DIAMOND, 0)
    assert legs.postings == ()


def test_bought_coins_turned_into_free_ones_go_back_to_sales():
    legs = Legs()
    legs.turn(ANA, Asset.COIN, BO, Asset.BONUS, 30)
    assert legs.postings == (
        Posting(ANA, Own.SALES, Asset.COIN, Coins(30), 0),
        Posting(Own.MINT, BO, Asset.BONUS, Coins(30), 0),
    )


def test_bought_coins_turned_into_diamonds_wait_in_held():
    legs = Legs()
    legs.turn(ANA, Asset.COIN, BO, Asset.DIAMOND, 30)
    assert legs.postings == (
        Posting(ANA, Own.HELD, Asset.COIN, Coins(30), 0),
        Posting(Own.MINT, BO, Asset.DIAMOND, Coins(30), 0),
    )


@pytest.mark.parametrize(("asset", "issuer"), [(Asset.COIN, Own.SALES), (Asset.BONUS, Own.MINT)])
def test_a_grant_comes_from_the_issuer_and_burning_gives_it_back(asset, issuer):
    issued, burned = Legs(), Legs()
    issued.issue(ANA, asset, 5)
    burned.burn(ANA, asset, 5)
    assert issued.postings == (Posting(issuer, ANA, asset, Coins(5)),)
    assert burned.postings == (Posting(ANA, issuer, asset, Coins(5)),)


def test_a_granted_diamond_sets_a_coin_aside_and_a_burned_one_frees_it():
    issued, burned = Legs(), Legs()
    issued.issue(ANA, Asset.DIAMOND, 5)
    burned.burn(ANA, Asset.DIAMOND, 5)
    assert issued.postings == (
        Posting(Own.SALES, Own.HELD, Asset.COIN, Coins(5)),
        Posting(Own.MINT, ANA, Asset.DIAMOND, Coins(5)),
    )
    assert burned.postings == (
        Posting(ANA, Own.MINT, Asset.DIAMOND, Coins(5)),
        Posting(Own.HELD, Own.SALES, Asset.COIN, Coins(5)),
    )


def test_legs_are_numbered_in_the_order_they_were_spent():
    legs = Legs()
    legs.move(ANA, BO, Asset.BONUS, 1)
    legs.turn(ANA, Asset.COIN, BO, Asset.BONUS, 2)
    legs.move(ANA, Own.HOUSE, Asset.COIN, 3)
    grouped = legs_of(reversed(legs.postings))
    assert [[posting.amount for posting in leg] for leg in grouped] == [[1], [2, 2], [3]]


def test_a_movement_too_large_for_coins_cannot_be_written():
    """Fault 6."""
    with pytest.raises(ValueError, match="coins go from"):
        Legs().move(ANA, BO, Asset.BONUS, COINS_MAX + 1)


# --- day totals ---------------------------------------------------------------------------------------------------


def test_day_totals_count_what_was_earned_adjusted_and_received_as_diamonds():
    today = NOON.date().toordinal()
    daily = entry("daily", Posting(Own.MINT, BO, Asset.BONUS, Coins(50)))
    assert totals_of(daily) == {(BO, EARNED, today): 50}
    set_aside = (
        Posting(Own.SALES, Own.HELD, Asset.COIN, Coins(7)),
        Posting(Own.MINT, BO, Asset.DIAMOND, Coins(7)),
    )
    assert totals_of(entry("coins", *set_aside, Posting(BO, Own.MINT, Asset.BONUS, Coins(2)))) == {
        (ANA, ADJUSTED, today): 9
    }
    assert totals_of(entry("coins", Posting(Own.MINT, ANA, Asset.BONUS, Coins(3)))) == {(ANA, ADJUSTED, today): 3}
    assert totals_of(entry("gift", *set_aside)) == {(BO, DIAMONDS, today): 7}
    assert totals_of(entry("tip", Posting(ANA, BO, Asset.BONUS, Coins(5)))) == {}


def test_an_undone_gift_lowers_the_day_of_the_gift_by_what_was_taken():
    before = NOON - timedelta(days=3)
    taken = (
        Taken(BO, Asset.DIAMOND, ANA, Asset.COIN, Coins(4)),
        Taken(BO, Asset.BONUS, ANA, Asset.BONUS, Coins(9)),
    )
    parts = (
        UndonePart(EntryNumber(1), "gift", ANA, BO, before, "UTC", taken, Coins(0)),
        UndonePart(EntryNumber(2), "coins", ANA, MemberId(0), before, "UTC", taken[:1] * 2, Coins(0)),
    )
    undo = entry("undo", receipt=Undone(actor=ANA, parts=parts))
    assert totals_of(undo) == {(BO, DIAMONDS, before.date().toordinal()): -4}
