"""The gifts a community starts with, and its catalogue as its owner changed it. Pure.

An owner's changes are flags of the community: `gift.<slug>.price` and `gift.<slug>.retired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from economy.refusals import Value

GIFT_PREFIX = "gift."


class Gift(Struct, frozen=True):
    """One gift. `slug` names it for good; `emoji` stands in wherever there is no picture; `price` is in coins."""

    slug: str
    emoji: str
    price: int


DEFAULT_GIFTS: Final[tuple[Gift, ...]] = (
    Gift("rose", "🌹", 1),
    Gift("clover", "🍀", 5),
    Gift("cookie", "🍪", 10),
    Gift("coffee", "☕", 20),
    Gift("balloon", "🎈", 30),
    Gift("melody", "🎵", 50),
    Gift("sunflower", "🌻", 75),
    Gift("bouquet", "💐", 100),
    Gift("teddy", "🧸", 150),
    Gift("pizza", "🍕", 200),
    Gift("lantern", "🏮", 300),
    Gift("cake", "🎂", 400),
    Gift("guitar", "🎸", 600),
    Gift("crown", "👑", 900),
    Gift("fireworks", "🎆", 1_200),
    Gift("carousel", "🎠", 2_000),
    Gift("sailboat", "⛵", 3_500),
    Gift("racer", "🏁", 5_000),
    Gift("castle", "🏰", 7_500),
    Gift("yacht", "🛥️", 10_000),
    Gift("dragon", "🐉", 14_999),
    Gift("rocket", "🚀", 19_999),
    Gift("lion", "🦁", 29_999),
    Gift("galaxy", "🌌", 44_999),
)

_DEFAULTS: Final = {gift.slug: gift for gift in DEFAULT_GIFTS}


def find_gift(slug: str, flags: Mapping[str, Value]) -> Gift | None:
    """The gift at its price now; None if there is no such gift or it was retired. `flags` are the community's."""
    gift = _DEFAULTS.get(slug)
    if gift is None or flags.get(f"{GIFT_PREFIX}{slug}.retired") is True:
        return None
    price = flags.get(f"{GIFT_PREFIX}{slug}.price")
    return Gift(gift.slug, gift.emoji, price) if type(price) is int else gift


def known_gift(slug: str) -> bool:
    """Whether there ever was such a gift, retired or not."""
    return slug in _DEFAULTS


def catalogue(flags: Mapping[str, Value]) -> tuple[Gift, ...]:
    """Every gift that can be sent now, by price."""
    gifts = [found for gift in DEFAULT_GIFTS if (found := find_gift(gift.slug, flags))]
    return tuple(sorted(gifts, key=lambda gift: (gift.price, gift.slug)))
