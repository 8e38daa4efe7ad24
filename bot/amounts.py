"""Amounts as people write them. They are accepted by an explicit grammar or refused, never repaired. Pure.

amount   = "all" | "half" | number          in any case
number   = digits | grouped | short         1 to 2^53-1
digits   = "50"                             ASCII, no sign, no leading zero
grouped  = "1,000"                          exact thousands, by the reader's locale
short    = "2.5k" | "3M"                    k or m after digits, with the locale's decimal sign, a whole number
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel.numbers import get_decimal_symbol, get_group_symbol

from bot.refused import refuse_asked
from bot.wording import locale_of
from economy.refusals import Code
from economy.values import ALL, COINS_MAX, HALF, AmountWord, Coins

AMOUNT_LENGTH_MAX = 32
"""Longer than any amount there is: what passes it is refused before anything looks at it."""

_WORDS = {"all": ALL, "half": HALF}
_POWER = {"k": 3, "m": 6}


@lru_cache(maxsize=64)
def _patterns(locale: str) -> tuple[re.Pattern[str], re.Pattern[str], str]:
    group = get_group_symbol(locale, numbering_system="latn")
    point = get_decimal_symbol(locale, numbering_system="latn")
    whole = re.compile(rf"0|[1-9][0-9]*|[1-9][0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{3}})+", re.ASCII)
    short = re.compile(rf"(0|[1-9][0-9]*)(?:{re.escape(point)}([0-9]+))?([km])", re.ASCII | re.IGNORECASE)
    return whole, short, group


def _number(text: str, locale: str) -> int | None:
    """The whole number that `text` writes, 0 and numbers that are too great included; None if it writes none."""
    if len(text) > AMOUNT_LENGTH_MAX:
        return None
    whole, short, group = _patterns(locale_of(locale))
    if whole.fullmatch(text):
        return int(text.replace(group, ""))
    if found := short.fullmatch(text):
        digits, fraction, letter = found[1], (found[2] or "").rstrip("0"), found[3].lower()
        if len(fraction) <= _POWER[letter]:
            return int(digits + fraction.ljust(_POWER[letter], "0"))
    return None


def read_coins(text: str, locale: str, *, least: int = 0) -> Coins | None:
    """A plain amount, `least` or more; None for anything else."""
    found = _number(text, locale)
    return None if found is None or not least <= found <= COINS_MAX else Coins(found)


def parse_coins(text: str, locale: str, *, least: int = 0) -> Coins:
    """A plain amount. Raises `Refused(invalid_amount)` for anything else."""
    found = read_coins(text, locale, least=least)
    return refuse_asked(Code.INVALID_AMOUNT, limit=COINS_MAX) if found is None else found


def parse_amount(text: str, locale: str) -> AmountWord:
    """An amount above 0, `all` or `half`. Raises `Refused(invalid_amount)` for anything else."""
    if text.isascii() and (word := _WORDS.get(text.lower())):
        return word
    return AmountWord.exact(parse_coins(text, locale, least=1))
