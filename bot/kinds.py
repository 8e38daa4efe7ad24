"""Kinds of entry and assets in the words that people know. Nobody is told of bonus or diamonds."""

from __future__ import annotations

from bot.wording import Words
from economy.values import Asset


def kind_name(kind: str, words: Words) -> str:
    """What an entry of a kind is called in a list."""
    known = {
        "tip": words.text("tip"),
        "reaction": words.text("tip by reaction"),
        "claim": words.text("tip"),
        "claimed": words.text("tip"),
        "refund": words.text("tip, given back"),
        "gift": words.text("gift"),
        "coins": words.text("correction"),
        "daily": words.text("daily coins"),
        "welcome": words.text("welcome"),
        "chest": words.text("from the chest"),
        "undo": words.text("undo"),
        "connect": words.text("accounts joined"),
    }
    return known.get(kind, kind)


def asset_name(asset: Asset, words: Words) -> str:
    """What coins of a kind are called where it matters which they are."""
    match asset:
        case Asset.COIN:
            return words.text("bought")
        case Asset.BONUS:
            return words.text("free")
        case Asset.DIAMOND:
            return words.text("earnings")
