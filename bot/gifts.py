"""The catalogue's gifts in words: `rose`, `a rose`, `3 roses`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bot.wording import Words

GIFTS: Final[dict[str, tuple[Callable[[Words], str], Callable[[Words], str], Callable[[Words, int], str]]]] = {
    "rose": (
        lambda w: w.text("rose"),
        lambda w: w.text("a rose"),
        lambda w, n: w.texts("{n} rose", "{n} roses", n),
    ),
    "clover": (
        lambda w: w.text("clover"),
        lambda w: w.text("a clover"),
        lambda w, n: w.texts("{n} clover", "{n} clovers", n),
    ),
    "cookie": (
        lambda w: w.text("cookie"),
        lambda w: w.text("a cookie"),
        lambda w, n: w.texts("{n} cookie", "{n} cookies", n),
    ),
    "coffee": (
        lambda w: w.text("coffee"),
        lambda w: w.text("a coffee"),
        lambda w, n: w.texts("{n} coffee", "{n} coffees", n),
    ),
    "balloon": (
        lambda w: w.text("balloon"),
        lambda w: w.text("a balloon"),
        lambda w, n: w.texts("{n} balloon", "{n} balloons", n),
    ),
    "melody": (
        lambda w: w.text("melody"),
        lambda w: w.text("a melody"),
        lambda w, n: w.texts("{n} melody", "{n} melodies", n),
    ),
    "sunflower": (
        lambda w: w.text("sunflower"),
        lambda w: w.text("a sunflower"),
        lambda w, n: w.texts("{n} sunflower", "{n} sunflowers", n),
    ),
    "bouquet": (
        lambda w: w.text("bouquet"),
        lambda w: w.text("a bouquet"),
        lambda w, n: w.texts("{n} bouquet", "{n} bouquets", n),
    ),
    "teddy": (
        lambda w: w.text("teddy"),
        lambda w: w.text("a teddy"),
        lambda w, n: w.texts("{n} teddy", "{n} teddies", n),
    ),
    "pizza": (
        lambda w: w.text("pizza"),
        lambda w: w.text("a pizza"),
        lambda w, n: w.texts("{n} pizza", "{n} pizzas", n),
    ),
    "lantern": (
        lambda w: w.text("lantern"),
        lambda w: w.text("a lantern"),
        lambda w, n: w.texts("{n} lantern", "{n} lanterns", n),
    ),
    "cake": (
        lambda w: w.text("cake"),
        lambda w: w.text("a cake"),
        lambda w, n: w.texts("{n} cake", "{n} cakes", n),
    ),
    "guitar": (
        lambda w: w.text("guitar"),
        lambda w: w.text("a guitar"),
        lambda w, n: w.texts("{n} guitar", "{n} guitars", n),
    ),
    "crown": (
        lambda w: w.text("crown"),
        lambda w: w.text("a crown"),
        lambda w, n: w.texts("{n} crown", "{n} crowns", n),
    ),
    "fireworks": (
        lambda w: w.text("fireworks"),
        lambda w: w.text("fireworks"),
        lambda w, n: w.texts("{n} fireworks", "{n} fireworks", n),
    ),
    "carousel": (
        lambda w: w.text("carousel"),
        lambda w: w.text("a carousel"),
        lambda w, n: w.texts("{n} carousel", "{n} carousels", n),
    ),
    "sailboat": (
        lambda w: w.text("sailboat"),
        lambda w: w.text("a sailboat"),
        lambda w, n: w.texts("{n} sailboat", "{n} sailboats", n),
    ),
    "racer": (
        lambda w: w.text("racer"),
        lambda w: w.text("a racer"),
        lambda w, n: w.texts("{n} racer", "{n} racers", n),
    ),
    "castle": (
        lambda w: w.text("castle"),
        lambda w: w.text("a castle"),
        lambda w, n: w.texts("{n} castle", "{n} castles", n),
    ),
    "yacht": (
        lambda w: w.text("yacht"),
        lambda w: w.text("a yacht"),
        lambda w, n: w.texts("{n} yacht", "{n} yachts", n),
    ),
    "dragon": (
        lambda w: w.text("dragon"),
        lambda w: w.text("a dragon"),
        lambda w, n: w.texts("{n} dragon", "{n} dragons", n),
    ),
    "rocket": (
        lambda w: w.text("rocket"),
        lambda w: w.text("a rocket"),
        lambda w, n: w.texts("{n} rocket", "{n} rockets", n),
    ),
    "lion": (
        lambda w: w.text("lion"),
        lambda w: w.text("a lion"),
        lambda w, n: w.texts("{n} lion", "{n} lions", n),
    ),
    "galaxy": (
        lambda w: w.text("galaxy"),
        lambda w: w.text("a galaxy"),
        lambda w, n: w.texts("{n} galaxy", "{n} galaxies", n),
    ),
}
"""By slug: its name, one of it, several of it."""


def gift_name(slug: str, words: Words) -> str:
    """`rose`; the slug where it has no words, as for a gift of a later release."""
    return GIFTS[slug][0](words) if slug in GIFTS else slug


def gifts_counted(slug: str, count: int, words: Words) -> str:
    """`a rose`, `3 roses`."""
    if slug not in GIFTS:
        return slug if count == 1 else f"{words.number(count)} × {slug}"
    return GIFTS[slug][1](words) if count == 1 else GIFTS[slug][2](words, count)
