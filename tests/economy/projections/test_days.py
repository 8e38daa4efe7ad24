"""What entries add to the day totals of statistics."""

from datetime import date

from economy.projections.days import DayKey, DaySum, day_sums
from economy.rules.gifting import SendGift
from economy.values import Role
from tests.economy.projections.town import Town, gift, tip, undo


def day(year: int, month: int, number: int, name: str) -> DayKey:
    return DayKey(date(year, month, number).toordinal(), name)


def test_entries_and_amounts_are_summed_by_kind_asset_and_local_day():
    town = Town("ana", "bo", "mo", bonus=500, time_zone="Asia/Tokyo")
    town.do(tip("ana", "bo", amount=30))
    town.wait(hours=2)  # 23:00 there
    town.do(tip("ana", "bo", amount=20))
    town.wait(hours=2)
    town.do(tip("ana", "bo", amount=5))
    town.do(undo(1), Role.MODERATOR)
    assert day_sums(town.entries) == {
        day(2026, 1, 5, "tip.bonus"): DaySum(2, 50),
        day(2026, 1, 6, "tip.bonus"): DaySum(1, 5),
        day(2026, 1, 6, "undo.bonus"): DaySum(1, 30),
    }


def test_a_gift_counts_each_asset_it_moved():
    town = Town("ana", "bo", coin=60, bonus=40)
    bouquet: SendGift = gift("ana", "bo")
    town.do(bouquet)
    assert day_sums(town.entries) == {
        day(2026, 1, 5, "gift.coin"): DaySum(1, 60),
        day(2026, 1, 5, "gift.bonus"): DaySum(1, 40),
        day(2026, 1, 5, "gift.diamond"): DaySum(1, 30),
    }
