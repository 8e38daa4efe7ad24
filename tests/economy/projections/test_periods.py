"""Where periods begin: in the community's time zone, across clock changes and at the borders of weeks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.projections.boards import Period, period_start


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "time_zone", "period", "start"),
    [
        # Berlin is an hour ahead of UTC in winter, two in summer.
        ("2026-01-05T23:30", "UTC", Period.DAY, "2026-01-05T00:00"),
        ("2026-01-05T23:30", "Europe/Berlin", Period.DAY, "2026-01-05T23:00"),
        ("2026-01-05T22:59:59.999999", "Europe/Berlin", Period.DAY, "2026-01-04T23:00"),
        ("2026-07-05T12:00", "Europe/Berlin", Period.DAY, "2026-07-04T22:00"),
        # 2026-01-05 is a Monday: the last moment of Sunday belongs to the week before.
        ("2026-01-05T00:00", "UTC", Period.WEEK, "2026-01-05T00:00"),
        ("2026-01-04T23:59:59.999999", "UTC", Period.WEEK, "2025-12-29T00:00"),
        ("2026-01-04T23:00", "Europe/Berlin", Period.WEEK, "2026-01-04T23:00"),
        ("2026-01-04T22:59", "Europe/Berlin", Period.WEEK, "2025-12-28T23:00"),
        ("2026-01-05T07:59", "America/Los_Angeles", Period.WEEK, "2025-12-29T08:00"),
        # The week in which clocks go forward began before they did.
        ("2026-03-29T12:00", "Europe/Berlin", Period.WEEK, "2026-03-22T23:00"),
        ("2026-03-30T12:00", "Europe/Berlin", Period.WEEK, "2026-03-29T22:00"),
        ("2026-03-31T21:59", "Europe/Berlin", Period.MONTH, "2026-02-28T23:00"),
        ("2026-03-31T22:00", "Europe/Berlin", Period.MONTH, "2026-03-31T22:00"),
        # The hour that clocks repeat is two hours.
        ("2026-10-25T00:30", "Europe/Berlin", Period.HOUR, "2026-10-25T00:00"),
        ("2026-10-25T01:30", "Europe/Berlin", Period.HOUR, "2026-10-25T01:00"),
        # Hours begin where the zone's do.
        ("2026-01-05T12:20", "Asia/Kolkata", Period.HOUR, "2026-01-05T11:30"),
        ("2026-01-05T12:50", "Asia/Kathmandu", Period.HOUR, "2026-01-05T12:15"),
        # Beirut's clocks skip midnight: the day begins with the first moment there was.
        ("2026-03-28T22:30", "Asia/Beirut", Period.DAY, "2026-03-28T22:00"),
        ("2026-03-28T21:59", "Asia/Beirut", Period.DAY, "2026-03-27T22:00"),
    ],
)
def test_a_period_starts_in_the_community_s_time_zone(at, time_zone, period, start):
    assert period_start(utc(at), time_zone, period) == utc(start)


def test_all_has_no_start():
    assert period_start(utc("2026-01-05T12:00"), "UTC", Period.ALL) is None


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Beirut"]


@given(
    at=st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    later=st.timedeltas(timedelta(0), timedelta(days=40)),
    time_zone=st.sampled_from(ZONES),
    period=st.sampled_from([Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH]),
)
def test_periods_follow_one_another_without_gap_or_overlap(at, later, time_zone, period):
    start, start_later = period_start(at, time_zone, period), period_start(at + later, time_zone, period)
    assert start is not None
    assert start_later is not None
    assert start <= at
    assert period_start(start, time_zone, period) == start
    assert start <= start_later
    assert start_later == start or start_later > at
