"""The transcript's clock stands still until a script moves it."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.console.clock import StandingClock, parse_moment, parse_shift


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("+2d", timedelta(days=2)),
        ("+90m", timedelta(minutes=90)),
        ("+1h30m", timedelta(hours=1, minutes=30)),
        ("+1w", timedelta(weeks=1)),
        ("+5s", timedelta(seconds=5)),
        ("2d", None),
        ("-2d", None),
        ("+2", None),
        ("+d", None),
        ("+٢d", None),
        ("+1.5h", None),
        ("+2d ", None),
    ],
)
def test_a_step_forward_is_read(text: str, by: timedelta | None) -> None:
    assert parse_shift(text) == by


def test_a_moment_says_its_zone() -> None:
    assert parse_moment("2026-01-05T12:00Z") == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert parse_moment("2026-01-05T12:00:30+02:00") == datetime(2026, 1, 5, 10, 0, 30, tzinfo=UTC)
    assert parse_moment("2026-01-05T12:00") is None
    assert parse_moment("0001-01-01T00:00+14:00") is None
    assert parse_moment("tomorrow") is None


def test_the_clock_stands_where_it_was_set() -> None:
    clock = StandingClock(datetime(2026, 1, 5, tzinfo=UTC))
    clock.forward(timedelta(days=2))
    assert clock.now() == clock.now() == datetime(2026, 1, 7, tzinfo=UTC)
    clock.set(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
