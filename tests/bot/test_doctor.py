"""What the doctor makes of what was found."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.doctor import DISK_FREE_MIN, State, StoreState, examine, healthy
from bot.settings import Environment, read_environment

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FINE = StoreState(
    address="postgresql://florin:canary@db.example/florin",
    exists=True,
    revision="0003",
    head="0003",
    fingerprint_kept=True,
    written=NOW,
    disk_free=DISK_FREE_MIN,
)


@pytest.fixture
def environment() -> Environment:
    return read_environment()


def states(environment: Environment, store: StoreState, now: datetime = NOW) -> dict[str, State]:
    return {finding.about: finding.state for finding in examine(environment, store, now)}


def test_all_is_well(environment):
    findings = examine(environment, FINE, NOW)
    assert healthy(findings)
    assert {finding.state for finding in findings} == {State.OK}


def test_no_finding_tells_the_stores_password(environment):
    """Fault 129"""
    for store in (FINE, replace(FINE, exists=False), replace(FINE, problem="connection refused")):
        assert "canary" not in str(examine(environment, store, NOW))


@pytest.mark.parametrize(
    ("about", "store", "now"),
    [
        ("store", replace(FINE, problem="file is not a database"), NOW),
        ("schema", replace(FINE, revision=None), NOW),
        ("schema", replace(FINE, revision="0000"), NOW),
        ("triggers", replace(FINE, fingerprint_kept=False), NOW),
        ("disk", replace(FINE, disk_free=DISK_FREE_MIN - 1), NOW),
        ("clock", FINE, NOW - timedelta(hours=1)),
        ("clock", replace(FINE, written=None), datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_wrong_is_found(environment, about, store, now):
    found = examine(environment, store, now)
    assert [finding.about for finding in found if finding.state is State.WRONG] == [about]
    assert not healthy(found)


def test_a_second_between_two_clocks_is_nothing(environment):
    assert states(environment, replace(FINE, written=NOW + timedelta(seconds=5)))["clock"] is State.OK


def test_a_store_that_is_not_there_yet_is_no_fault(environment):
    found = examine(environment, replace(FINE, exists=False, written=None), NOW)
    assert healthy(found)
    assert "triggers" not in {finding.about for finding in found}
