"""Small values: wrong ones cannot be built, and ids survive typing errors."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from economy.values import (
    COINS_MAX,
    KEY_LENGTH_MAX,
    NO_REASON,
    NOTE_LENGTH_MAX,
    REASON_LENGTH_MAX,
    SHARE_MAX_BP,
    AmountWord,
    BasisPoints,
    Coins,
    IdempotencyKey,
    Note,
    Own,
    Reason,
    day_end,
    day_start,
    fitting_key,
    local_date,
    parse_receipt_id,
    plain_text,
    receipt_id,
)

steady = settings(derandomize=True, database=None, deadline=None, max_examples=200)
numbers = st.integers(1, 10**15)


# --- coins and shares -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [True, False, 1.0, "1", None, [1], Decimal(1), float("nan"), float("inf")])
def test_coins_are_built_from_whole_numbers_alone(wrong):
    """Fault 8: `True` is not 1."""
    with pytest.raises(TypeError):
        Coins(wrong)
    with pytest.raises(TypeError):
        BasisPoints(wrong)


@pytest.mark.parametrize("outside", [-1, -(2**53), COINS_MAX + 1, 2**63 - 1, 2**63, 10**4_000])
def test_coins_out_of_range_cannot_be_built(outside):
    """Fault 5."""
    with pytest.raises(ValueError, match="coins go from 0"):
        Coins(outside)
    with pytest.raises(ValueError, match="coins go from 0"):
        AmountWord.exact(outside)


@pytest.mark.parametrize("outside", [-1, SHARE_MAX_BP + 1])
def test_shares_out_of_range_cannot_be_built(outside):
    with pytest.raises(ValueError, match="basis points"):
        BasisPoints(outside)


@steady
@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none(), st.decimals()))
def test_coins_are_a_whole_number_in_range_or_nothing(anything):
    """Fault 8."""
    fits = type(anything) is int and 0 <= anything <= COINS_MAX
    try:
        built = Coins(anything)
    except (TypeError, ValueError):
        assert not fits
    else:
        assert fits
        assert built == anything
        assert Coins(built) == built


def test_sums_of_coins_are_plain_numbers_so_that_no_overflow_hides():
    """Fault 6."""
    assert type(Coins(COINS_MAX) + Coins(COINS_MAX)) is int
    assert type(Coins(1) - Coins(2)) is int


@steady
@given(st.integers(0, COINS_MAX), st.integers(0, SHARE_MAX_BP))
def test_a_share_is_rounded_up_and_the_rest_completes_the_whole(whole, share):
    """Fault 22."""
    part = BasisPoints(share).of(whole)
    assert 0 <= part <= whole
    assert 0 <= part * 10_000 - whole * share < 10_000
    assert part + (whole - part) == whole


# --- receipt ids ------------------------------------------------------------------------------------------------


@steady
@given(numbers)
def test_a_receipt_id_is_read_back_in_either_case(number):
    assert parse_receipt_id(receipt_id(number)) == number
    assert parse_receipt_id(receipt_id(number).lower()) == number


@steady
@given(numbers, st.data())
def test_one_wrong_character_in_a_receipt_id_is_noticed(number, data):
    right = receipt_id(number)
    at = data.draw(st.integers(0, len(right) - 1))
    wrong = data.draw(st.sampled_from(string.digits + string.ascii_uppercase))
    assume(wrong != right[at])
    assert parse_receipt_id(right[:at] + wrong + right[at + 1 :]) is None


@steady
@given(numbers, st.data())
def test_two_swapped_characters_in_a_receipt_id_are_noticed(number, data):
    right = receipt_id(number)
    at = data.draw(st.integers(0, len(right) - 2))
    swapped = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    assume(swapped != right)
    assert parse_receipt_id(swapped) is None


def test_every_wrong_digit_and_every_swap_is_noticed_in_the_first_ten_thousand_ids():
    for number in range(1, 10_000):
        digits, letter = str(number), receipt_id(number)[-1]
        for at, digit in enumerate(digits):
            for other in string.digits:
                if other != digit:
                    assert parse_receipt_id(digits[:at] + other + digits[at + 1 :] + letter) is None
            if at and digits[at - 1] != digit:
                assert parse_receipt_id(digits[: at - 1] + digit + digits[at - 1] + digits[at + 1 :] + letter) is None


@pytest.mark.parametrize(
    "text", ["", "1", "A", "0A", "01B", "-1B", " 1B", "1B ", "١B", "１B", "1Ｂ", "1B\n", "9" * 5_000 + "A"]
)
def test_what_is_no_receipt_id_is_none(text):
    assert parse_receipt_id(text) is None


def test_a_receipt_id_never_ends_like_an_amount():
    """`1k` and `2.5m` are amounts."""
    assert {receipt_id(number)[-1] for number in range(1, 100)}.isdisjoint("KM")


# --- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  thank   you ", "thank you"),
        ("nul\0 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
        ("a\tb\r\nc\u2028d\u2029e\u00a0f\u3000g", "a b c d e f g"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("e\u0301", "é"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨\u200d👩\u200d👧 ❤\ufe0f"),
        ("new emoji \U0001fae9", "new emoji \U0001fae9"),
        ("private \ue000 and \ufdd0 nothing \uffff", "private and nothing"),
    ],
)
def test_texts_are_made_plain(text, plain):
    """Fault 16: control characters, NUL, lone surrogates and overrides go; joined emoji stay."""
    assert plain_text(text) == plain


@steady
@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_plain_text_is_storable_anywhere_and_stays_as_it_is(text):
    """Fault 16: never an exception, whatever was typed."""
    plain = plain_text(text)
    assert "\0" not in plain
    assert plain.encode().decode() == plain
    assert plain_text(plain) == plain


def test_a_note_holds_128_characters_and_no_more():
    """Fault 16."""
    assert len(Note("x" * NOTE_LENGTH_MAX)) == 128
    with pytest.raises(ValueError, match="128"):
        Note("x" * (NOTE_LENGTH_MAX + 1))
    with pytest.raises(ValueError, match="128"):
        Note("x" * 10_000)
    assert Note(" " * 10_000 + "short\0") == "short"


def test_a_reason_holds_400_characters_and_only_space_is_none():
    assert len(Reason("x" * REASON_LENGTH_MAX)) == 400
    with pytest.raises(ValueError, match="400"):
        Reason("x" * (REASON_LENGTH_MAX + 1))
    assert Reason(" \t\u200b") == NO_REASON


@pytest.mark.parametrize("wrong", ["", "x" * (KEY_LENGTH_MAX + 1), "ключ", "a\nb", "a\0"])
def test_a_key_is_short_visible_ascii(wrong):
    with pytest.raises(ValueError, match="key"):
        IdempotencyKey(wrong)
    for right in ("discord:interaction:123", "x", "x" * KEY_LENGTH_MAX):
        assert IdempotencyKey(right) == right


def test_what_stores_and_scripts_rely_on_stays_as_it_is():
    assert (COINS_MAX, SHARE_MAX_BP, KEY_LENGTH_MAX) == (9_007_199_254_740_991, 9_000, 200)
    codes = {owner.name: int(owner) for owner in Own}
    assert codes == {"MINT": -1, "SALES": -2, "HOUSE": -3, "HELD": -4, "ESCROW": -5, "PAID_OUT": -6}


# --- days -------------------------------------------------------------------------------------------------------


def test_a_local_day_begins_at_local_midnight():
    at = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    assert local_date(at, "UTC") == date(2026, 1, 5)
    assert local_date(at, "Europe/Berlin") == date(2026, 1, 6)
    assert day_start(date(2026, 1, 6), "Europe/Berlin") == datetime(2026, 1, 5, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "zone_name", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 9, 6), "America/Santiago", 23),  # midnight itself is skipped
        (date(2026, 1, 5), "Asia/Kathmandu", 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day, zone_name, hours):
    """Fault 145."""
    assert day_end(day, zone_name) - day_start(day, zone_name) == timedelta(hours=hours)
    assert day_end(day, zone_name) == day_start(day + timedelta(days=1), zone_name)


@steady
@given(
    st.integers(946_684_800, 2_114_380_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia", "Asia/Tokyo", "Africa/Cairo"]),
)
def test_every_moment_is_in_its_own_day(at, zone_name):
    day = local_date(at, zone_name)
    assert day_start(day, zone_name) <= at < day_end(day, zone_name)


@pytest.mark.parametrize("text", ["offer:n:console:ana", "Екатерина " * 30, "x" * 5_000, "a\nb\x1b[31m", "\ud800"])
def test_every_text_fits_a_key_and_different_texts_have_different_keys(text):
    assert fitting_key(text) == fitting_key(text)
    assert fitting_key(text) != fitting_key(text + "x")
    assert len(fitting_key(text)) <= KEY_LENGTH_MAX
