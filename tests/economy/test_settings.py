"""Settings: defaults, bounds, and that the table and the struct say the same."""

from __future__ import annotations

import msgspec
import pytest

from economy.settings import SETTINGS, Feature, Kind, Setting, Settings, problem_with
from economy.values import COINS_MAX


def test_every_setting_has_a_field_of_its_name_and_default():
    fields = {field.name: field.default for field in msgspec.structs.fields(Settings) if field.name != "features_off"}
    assert fields == {name: setting.default for name, setting in SETTINGS.items()}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_every_setting_is_documented_and_its_default_is_allowed(setting: Setting):
    assert setting.doc.endswith(".")
    assert problem_with(setting, setting.default) is None


@pytest.mark.parametrize(
    "setting",
    [each for each in SETTINGS.values() if each.kind in (Kind.NUMBER, Kind.PERCENT)],
    ids=lambda setting: setting.name,
)
def test_numbers_are_bounded(setting: Setting):
    """Fault 8: neither a switch nor a text is a number."""
    assert problem_with(setting, setting.least) is None
    assert problem_with(setting, setting.most) is None
    assert problem_with(setting, setting.least - 1) == "out_of_bounds"
    assert problem_with(setting, setting.most + 1) == "out_of_bounds"
    for wrong in (True, "5"):
        assert problem_with(setting, wrong) == "not_a_number"
    assert setting.most <= COINS_MAX


@pytest.mark.parametrize(
    ("name", "wrong", "problem"),
    [
        ("balance_board", 1, "not_a_switch"),
        ("balance_board", "on", "not_a_switch"),
        ("time_zone", "Atlantis/Capital", "not_a_time_zone"),
        ("time_zone", 3, "not_a_time_zone"),
        ("currency_one", "", "out_of_bounds"),
        ("currency_one", "x" * 21, "out_of_bounds"),
        ("currency_one", 5, "not_a_text"),
        ("administrators", "owner", "not_a_choice"),
        ("reaction_emoji", 5, "not_a_single_emoji"),
        ("reaction_emoji", "", "not_a_single_emoji"),
        ("reaction_emoji", "abc", "not_a_single_emoji"),
        ("reaction_emoji", "é", "not_a_single_emoji"),
        ("reaction_emoji", "+", "not_a_single_emoji"),
        ("reaction_emoji", "1", "not_a_single_emoji"),
        ("reaction_emoji", "🔥🔥", "not_a_single_emoji"),
        ("reaction_emoji", "🔥 ", "not_a_single_emoji"),
        ("reaction_emoji", "<:rose:123456789012345678>", "not_a_single_emoji"),
        ("reaction_emoji", ":trophy:", "not_a_single_emoji"),
        ("reaction_emoji", "\u200d", "not_a_single_emoji"),
        ("reaction_emoji", "\ufe0f", "not_a_single_emoji"),
    ],
)
def test_what_a_setting_cannot_be_is_named(name, wrong, problem):
    assert problem_with(SETTINGS[name], wrong) == problem


# Of each sort, and all that Telegram takes for reactions beside pictures of one character.
@pytest.mark.parametrize(
    "emoji",
    [
        "🏆",
        "❤",
        "❤️",
        "❤️‍🔥",
        "👍🏽",
        "👨‍💻",
        "🤷‍♂",
        "☃",
        "⚡",
        "🕊",
        "✍",
        "🇪🇸",
        "1️⃣",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
        "♥",
        "‼️",
        "ℹ️",
        "©️",
        "™",
        "➕",
        "↔️",
        "👨‍👩‍👧‍👦",
        "🫟",
    ],
)
def test_the_emoji_that_tips_is_any_single_one(emoji):
    assert problem_with(SETTINGS["reaction_emoji"], emoji) is None


def test_settings_follow_from_flags_and_unknown_ones_are_passed_over():
    settings = Settings.of(
        {"setting.undo_window": 5, "setting.time_zone": None, "setting.of_old": 1, "feature.gifts": False}
    )
    assert settings.undo_window == 5
    assert settings.time_zone == "UTC"
    assert not settings.feature_on(Feature.GIFTS)
    assert settings.feature_on(Feature.TIPPING)


def test_the_numbers_that_people_were_promised_are_the_defaults():
    settings = Settings()
    assert (settings.daily_amount, settings.earn_limit_daily, settings.welcome_grant) == (50, 500, 0)
    assert (settings.confirm_from, settings.undo_window, settings.moderator_limit_daily) == (1_000, 60, 10_000)
    assert (settings.diamond_hold, settings.creator_share) == (21, 5_000)
