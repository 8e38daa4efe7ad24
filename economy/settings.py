"""What a community may set, with defaults and bounds, and which features it may turn off. Pure.

A setting lives in the store as the community's flag `setting.<name>`; one that was never set has its default.
Adding a setting is one line in `SETTINGS`, one field in `Settings`, and its wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from msgspec import Struct

from economy.emoji import is_emoji
from economy.refusals import Value
from economy.values import COINS_MAX, SHARE_MAX_BP, BasisPoints, Role

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?", re.ASCII)

SETTING_PREFIX = "setting."
FEATURE_PREFIX = "feature."


class Feature(StrEnum):
    """What an owner may turn off as a whole. Off is gone from help and refused."""

    TIPPING = "tipping"
    GIFTS = "gifts"
    CREATORS = "creators"
    DAILY = "daily"
    BOARDS = "boards"
    CHEST = "chest"
    HISTORY = "history"
    CLAIMS = "claims"
    REACTIONS = "reactions"


OFF_AT_FIRST: Final = frozenset({Feature.REACTIONS})
"""What is off until an owner turns it on: a platform may want rights for it."""


class Kind(StrEnum):
    NUMBER = "number"
    SWITCH = "switch"
    TEXT = "text"
    PERCENT = "percent"  # stored as basis points
    TIME_ZONE = "time_zone"
    LANGUAGE = "language"
    EMOJI = "emoji"
    CHOICE = "choice"


class Setting(Struct, frozen=True):
    """One thing that can be set. `least` and `most` bound numbers and basis points, and the length of texts; a choice
    is one of `choices`."""

    name: str
    kind: Kind
    default: Value
    doc: str
    least: int = 0
    most: int = 0
    unit: str = ""
    choices: tuple[str, ...] = ()


SETTINGS: Final[dict[str, Setting]] = {
    setting.name: setting
    for setting in (
        Setting("currency_one", Kind.TEXT, "coin", "What one of your coins is called.", 1, 20),
        Setting("currency_many", Kind.TEXT, "coins", "What several of your coins are called.", 1, 20),
        Setting("currency_symbol", Kind.TEXT, "", "A symbol shown before amounts on boards, such as 🪙.", 0, 8),
        Setting("language", Kind.LANGUAGE, "en", "The language of what everyone sees."),
        Setting("time_zone", Kind.TIME_ZONE, "UTC", "Where days, weeks and months begin."),
        Setting(
            "creator_share",
            Kind.PERCENT,
            5_000,
            "What a receiver gets of a gift; the house gets the rest.",
            0,
            SHARE_MAX_BP,
        ),
        Setting(
            "confirm_from", Kind.NUMBER, 1_000, "Tips and gifts of this total or more ask first.", 1, COINS_MAX, "coins"
        ),
        Setting("undo_window", Kind.NUMBER, 60, "How long a sender may take back a tip or gift.", 0, 86_400, "seconds"),
        Setting("daily_amount", Kind.NUMBER, 50, "What /daily gives.", 1, 1_000_000, "coins"),
        Setting(
            "daily_streak_bonus",
            Kind.NUMBER,
            0,
            "Added to /daily for each day in a row before it.",
            0,
            1_000_000,
            "coins",
        ),
        Setting("welcome_grant", Kind.NUMBER, 0, "Given once, at a member's own first order.", 0, 1_000_000, "coins"),
        Setting("earn_limit_daily", Kind.NUMBER, 500, "The most a member can earn in a day.", 0, COINS_MAX, "coins"),
        Setting(
            "moderator_limit_daily",
            Kind.NUMBER,
            10_000,
            "The most one moderator can adjust in a day.",
            0,
            COINS_MAX,
            "coins",
        ),
        Setting("diamond_hold", Kind.NUMBER, 21, "How long earnings wait before they can be paid out.", 0, 365, "days"),
        Setting(
            "announce_from",
            Kind.NUMBER,
            1_000,
            "Gifts of this total or more are announced, where a channel is set for it.",
            1,
            COINS_MAX,
            "coins",
        ),
        Setting(
            "claim_days",
            Kind.NUMBER,
            7,
            "How long a tip waits for somebody not yet seen here, before it goes back.",
            1,
            30,
            "days",
        ),
        Setting("reaction_emoji", Kind.EMOJI, "🏆", "The reaction that tips whoever wrote the message."),
        Setting("reaction_amount", Kind.NUMBER, 5, "What a reaction tips.", 1, COINS_MAX, "coins"),
        Setting(
            "reaction_limit_daily",
            Kind.NUMBER,
            100,
            "The most a member can tip by reactions in a day.",
            0,
            COINS_MAX,
            "coins",
        ),
        Setting("reactions_shown", Kind.SWITCH, True, "Whether tips by reaction are told to everyone."),
        Setting("creators_only", Kind.SWITCH, False, "Whether only creators can receive gifts."),
        Setting("creator_approval", Kind.SWITCH, False, "Whether a moderator approves new creators."),
        Setting("balance_board", Kind.SWITCH, False, "Whether there is a board of balances."),
        Setting("links_allowed", Kind.SWITCH, False, "Whether notes and messages may hold links."),
        Setting("mentions_allowed", Kind.SWITCH, False, "Whether notes and messages may mention others."),
        Setting(
            "administrators",
            Kind.CHOICE,
            "none",
            "What the platform's administrators of a place are here.",
            choices=("none", Role.AUDITOR, Role.MODERATOR, Role.TREASURER),
        ),
        Setting(
            "joined_staff",
            Kind.CHOICE,
            "none",
            "What the owners and administrators of places that joined are here.",
            choices=("none", Role.AUDITOR, Role.MODERATOR, Role.TREASURER),
        ),
        Setting("appeal", Kind.TEXT, "a moderator", "Whom a frozen member should ask.", 1, 100),
    )
}


class Settings(Struct, frozen=True):
    """A community's settings as rules read them; every field is named as in `SETTINGS`."""

    currency_one: str = "coin"
    currency_many: str = "coins"
    currency_symbol: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    creator_share: int = 5_000
    confirm_from: int = 1_000
    undo_window: int = 60
    daily_amount: int = 50
    daily_streak_bonus: int = 0
    welcome_grant: int = 0
    earn_limit_daily: int = 500
    moderator_limit_daily: int = 10_000
    diamond_hold: int = 21
    announce_from: int = 1_000
    claim_days: int = 7
    reaction_emoji: str = "🏆"
    reaction_amount: int = 5
    reaction_limit_daily: int = 100
    reactions_shown: bool = True
    creators_only: bool = False
    creator_approval: bool = False
    balance_board: bool = False
    links_allowed: bool = False
    mentions_allowed: bool = False
    administrators: str = "none"
    joined_staff: str = "none"
    appeal: str = "a moderator"
    features_off: frozenset[Feature] = OFF_AT_FIRST

    @property
    def share(self) -> BasisPoints:
        return BasisPoints(self.creator_share)

    @property
    def administrator_roles(self) -> frozenset[Role]:
        """What an administrator of the place is by that."""
        return frozenset() if self.administrators == "none" else frozenset({Role(self.administrators)})

    @property
    def joined_roles(self) -> frozenset[Role]:
        """What whoever runs a place that joined is by that."""
        return frozenset() if self.joined_staff == "none" else frozenset({Role(self.joined_staff)})

    def feature_on(self, feature: Feature) -> bool:
        return feature not in self.features_off

    @classmethod
    def of(cls, flags: Mapping[str, Value]) -> Settings:
        """The settings that a community's flags come to."""
        chosen: dict[str, Value] = {
            name.removeprefix(SETTING_PREFIX): value
            for name, value in flags.items()
            if name.startswith(SETTING_PREFIX) and value is not None
        }
        known = {name: value for name, value in chosen.items() if name in SETTINGS}
        off = frozenset(feature for feature in Feature if not _is_on(flags.get(FEATURE_PREFIX + feature), feature))
        return cls(**known, features_off=off)  # type: ignore[arg-type]  # SETTINGS and the fields agree: tested


def _is_on(chosen: Value, feature: Feature) -> bool:
    return chosen is not False and (chosen is True or feature not in OFF_AT_FIRST)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def problem_with(setting: Setting, value: Value) -> str | None:
    """Why `value` cannot be this setting: `not_a_number`, `out_of_bounds`, `not_a_switch`, ...; None if it can."""
    match setting.kind:
        case Kind.NUMBER | Kind.PERCENT:
            if type(value) is not int:
                return "not_a_number"
            return None if setting.least <= value <= setting.most else "out_of_bounds"
        case Kind.SWITCH:
            return None if type(value) is bool else "not_a_switch"
        case Kind.TIME_ZONE:
            return None if value in _time_zones() else "not_a_time_zone"
        case Kind.LANGUAGE:
            return None if isinstance(value, str) and _LANGUAGE.fullmatch(value) else "not_a_language"
        case Kind.CHOICE:
            return None if value in setting.choices else "not_a_choice"
        case Kind.EMOJI:
            return None if isinstance(value, str) and is_emoji(value) else "not_a_single_emoji"
        case Kind.TEXT:
            if not isinstance(value, str):
                return "not_a_text"
            return None if setting.least <= len(value) <= setting.most else "out_of_bounds"
