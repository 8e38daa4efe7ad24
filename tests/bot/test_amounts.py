"""Amounts are accepted by the grammar or refused; nothing is repaired."""

import re
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.amounts import parse_amount, parse_coins
from bot.refused import Refused
from bot.wording import locale_of, number
from economy.refusals import Code
from economy.values import ALL, COINS_MAX, HALF, AmountWord

LOCALES = ("en", "de", "fr", "ru", "es", "pt_BR", "ja", "de_CH", "en-US", "hi", "en_IN", "xx-nonsense")


def is_refused(text: str, locale: str = "en") -> bool:
    try:
        parse_amount(text, locale)
    except Refused as no:
        assert no.refusal.code is Code.INVALID_AMOUNT  # noqa: PT017  # the question is which of two it does
        return True
    return False


@pytest.mark.parametrize(
    ("text", "coins"),
    [
        ("1", 1),
        ("50", 50),
        ("1000", 1_000),
        ("1,000", 1_000),
        ("12,345,678", 12_345_678),
        ("1k", 1_000),
        ("2.5k", 2_500),
        ("2.50k", 2_500),
        ("2.5K", 2_500),
        ("0.5k", 500),
        ("1.234567m", 1_234_567),
        ("3M", 3_000_000),
        ("9007199254740991", COINS_MAX),
        ("9,007,199,254,740,991", COINS_MAX),
    ],
)
def test_an_amount_of_the_grammar_is_taken(text, coins):
    assert parse_amount(text, "en") == AmountWord.exact(coins)


@pytest.mark.parametrize(("text", "word"), [("all", ALL), ("ALL", ALL), ("half", HALF), ("Half", HALF)])
def test_all_and_half_are_words_of_their_own(text, word):
    assert parse_amount(text, "en") == word


@pytest.mark.parametrize("text", ["-5", "+5", "-0", "0", "00", "0k", "0.0k"])
def test_signs_and_zero_are_refused(text):
    """Fault 1."""
    assert is_refused(text)


@pytest.mark.parametrize("text", ["1.5", "1,5", "1e3", ".6", "-.6", "1.", "1.0", "2.5005k", "1.2345678m", ".5k"])
def test_fractions_are_refused_and_not_rounded(text):
    """Fault 2."""
    assert is_refused(text)


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "Infinity", "-inf", "nank", "infk", "None", "true"])
def test_words_that_floats_know_are_refused(text):
    """Fault 3."""
    assert is_refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "0x10",
        "1_000",
        "١٢٣",
        "１００",
        "²",
        " 5",
        "5 ",
        "5\u200b",
        "\ufeff5",
        "5a",
        "a5",
        "5\n",
        "",
        "k",
        "m",
        "1kk",
        "1km",
        "5\u212a",  # the sign for kelvin, which lower-cases to k
        "1,00",
        "10,00",
        "1,0000",
        "1,000,00",
        ",100",
        "1,,000",
        "01,000",
        "1,000k",
        "007",
        "00k",
        "01.5k",
        "ａll",
        "halves",
        "٥k",
    ],
)
def test_only_ascii_digits_in_exact_groups_are_an_amount(text):
    """Fault 4."""
    assert is_refused(text)


@pytest.mark.parametrize(
    "text",
    ["9007199254740992", "9007199254740993", str(2**63 - 1), str(2**63), "9" * 5_000, "9" * 4_000 + "k", "9007199255m"],
)
def test_what_is_over_the_cap_is_refused_at_once(text):
    """Fault 5."""
    assert is_refused(text)
    # The best of many tries: a machine under load may stop any single one.
    assert min(timeit.repeat(lambda: is_refused(text), repeat=50, number=1)) < 0.001


@pytest.mark.parametrize("text", [str(2**31 - 1), str(2**31), str(2**53 - 1)])
def test_amounts_around_the_limits_of_machines_are_amounts(text):
    """Fault 5."""
    assert parse_amount(text, "en") == AmountWord.exact(int(text))


@pytest.mark.parametrize(
    ("locale", "text", "coins"),
    [
        ("de", "1.000", 1_000),
        ("de", "2,5k", 2_500),
        ("fr", "1\u202f000", 1_000),
        ("ru", "1\u00a0000", 1_000),
        ("de-CH", "1’000", 1_000),
        ("en-US", "1,000", 1_000),
        ("xx-nonsense", "1,000", 1_000),
    ],
)
def test_groups_and_decimals_are_the_readers_own(locale, text, coins):
    assert parse_amount(text, locale) == AmountWord.exact(coins)


@pytest.mark.parametrize(
    ("locale", "text"),
    [("de", "1,000"), ("de", "2.5k"), ("de", "1.5"), ("en", "1.000"), ("fr", "1,000"), ("en", "1’000")],
)
def test_another_locales_groups_are_refused(locale, text):
    """Fault 4."""
    assert is_refused(text, locale)


def test_a_plain_amount_may_be_zero_and_no_word():
    assert parse_coins("0", "en") == 0
    for text in ("all", "half", "-1"):
        with pytest.raises(Refused):
            parse_coins(text, "en")


@given(st.integers(1, COINS_MAX), st.sampled_from(LOCALES))
def test_every_amount_that_is_shown_can_be_typed_back(coins, locale):
    assert parse_amount(number(coins, locale_of(locale)), locale) == AmountWord.exact(coins)
    assert parse_amount(str(coins), locale) == AmountWord.exact(coins)


@given(st.text(max_size=40), st.sampled_from(LOCALES))
def test_any_text_is_an_amount_or_refused_and_never_raises_otherwise(text, locale):
    if not is_refused(text, locale):
        found = parse_amount(text, locale)
        assert found in (ALL, HALF) or 1 <= found.coins <= COINS_MAX


PLAIN = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]*")


@given(st.from_regex(r"[0-9.,kKmM+\-e_ ]{1,12}", fullmatch=True))
def test_what_looks_like_a_number_is_taken_only_if_it_is_written_like_one(text):
    """Faults 1, 2, 4."""
    if is_refused(text):
        assert not PLAIN.fullmatch(text) or int(text.replace(",", "")) > COINS_MAX
    else:
        assert PLAIN.fullmatch(text) or re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]+)?[kKmM]", text)


@given(st.integers(1, 10**6), st.integers(0, 6))
def test_k_and_m_mean_what_they_say_or_are_refused(digits, places):
    text = f"{digits // 10**places}.{digits % 10**places:0{places}d}m" if places else f"{digits}m"
    assert parse_amount(text, "en") == AmountWord.exact(digits * 10 ** (6 - places))
