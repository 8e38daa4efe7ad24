"""What the doctor makes of what was found."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.doctor import StoreState, examine, healthy
from bot.doctor_store import DISK_FREE_MIN, INODES_FREE_MIN
from bot.findings import Finding, State
from bot.settings import Environment, read_environment
from economy.checkup import Checkup, FileFacts, ServerFacts, Slot, Standby

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MB = 1024 * 1024
GB = 1024 * MB

FILE = FileFacts(
    file_system="ext4",
    is_writable=True,
    written=NOW,
    size=5 * MB,
    log_size=64 * MB,
    log_size_max=64 * MB,
    disk_free=DISK_FREE_MIN,
    inodes_free=INODES_FREE_MIN,
)
SERVER = ServerFacts(
    settings={
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "synchronous_standby_names": "two",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "15s",
        "transaction_timeout": "0",
        "max_connections": "100",
        "server_version": "18.6",
    },
    is_loss_allowed=False,
    is_pooled=False,
    size=GB,
    standbys=(Standby("two", True, 0, None), Standby("three", False, MB, 1.5)),
    slots=(Slot("gone", MB),),
    checksum_failures=0,
    connections=90,
    idle=(59.0,),
    prepared=(1.0,),
)
OF_FILE = Checkup(version=(3, 51, 3), losses=(), revision="0002", head="0002", changed=(), newest_entry=NOW, facts=FILE)
OF_SERVER = replace(OF_FILE, version=(18, 6), clock_ahead_s=0.4, facts=SERVER)
IN_FILE = StoreState(address="sqlite:///florin.db", exists=True, checkup=OF_FILE, disk_free=DISK_FREE_MIN)
ON_SERVER = StoreState(address="postgresql://florin:canary@db.example/florin", exists=True, checkup=OF_SERVER)


@pytest.fixture
def environment() -> Environment:
    return read_environment()


def file_with(**facts: object) -> StoreState:
    return replace(IN_FILE, checkup=replace(OF_FILE, facts=replace(FILE, **facts)))


def server_with(**facts: object) -> StoreState:
    return replace(ON_SERVER, checkup=replace(OF_SERVER, facts=replace(SERVER, **facts)))


def set_to(name: str, value: str, **facts: object) -> StoreState:
    return server_with(settings={**SERVER.settings, name: value}, **facts)


def file_checked(**found: object) -> StoreState:
    return replace(IN_FILE, checkup=replace(OF_FILE, **found))


def server_checked(**found: object) -> StoreState:
    return replace(ON_SERVER, checkup=replace(OF_SERVER, **found))


def of_state(findings: tuple[Finding, ...], *states: State) -> Iterator[str]:
    return (finding.about for finding in findings if finding.state in states)


@pytest.mark.parametrize("store", [IN_FILE, ON_SERVER], ids=["file", "server"])
def test_all_is_well(environment, store):
    findings = examine(environment, store, NOW)
    assert healthy(findings)
    assert not list(of_state(findings, State.WARNING, State.WRONG))
    assert len({finding.about for finding in findings}) == len(findings)


def test_no_finding_tells_the_stores_password(environment):
    """Fault 129"""
    for store in (
        ON_SERVER,
        replace(ON_SERVER, exists=False, checkup=None),
        replace(ON_SERVER, checkup=None, problem="connection refused"),
    ):
        assert "canary" not in str(examine(environment, store, NOW))
        assert "florin:***@db.example" in str(examine(environment, store, NOW))


WRONG = [
    ("store", replace(IN_FILE, checkup=None, problem="file is not a database"), NOW),
    ("version", file_checked(version=(3, 36, 0)), NOW),
    ("version", server_checked(version=(14, 9)), NOW),
    ("schema", file_checked(revision=None, changed=None), NOW),
    ("schema", file_checked(revision="0001"), NOW),
    ("triggers", server_checked(changed=("entries",)), NOW),
    ("rights", file_with(is_writable=False), NOW),
    ("pages", file_with(damage=("row 5 missing from index",)), NOW),
    ("pages", server_with(checksum_failures=2), NOW),
    ("disk", file_with(disk_free=DISK_FREE_MIN - 1), NOW),
    ("disk", replace(IN_FILE, exists=False, checkup=None, disk_free=DISK_FREE_MIN - 1), NOW),
    ("inodes", file_with(inodes_free=INODES_FREE_MIN - 1), NOW),
    ("durability", server_checked(losses=("it runs with fsync = off",)), NOW),
    ("replication", server_with(standbys=(Standby("three", False, 0, None),)), NOW),
    ("replication", server_with(standbys=()), NOW),
    ("clock", IN_FILE, NOW - timedelta(hours=1)),
    ("clock", file_checked(newest_entry=NOW + timedelta(minutes=2)), NOW),
    ("clock", server_checked(clock_ahead_s=-61.0), NOW),
    ("clock", file_checked(newest_entry=None), datetime(1970, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("about", "store", "now"), WRONG)
def test_what_is_wrong_is_found(environment, about, store, now):
    """Faults 37, 48, 49, 60, 66, 143, 145 and 146, as far as they show in a store that stands still."""
    found = examine(environment, store, now)
    assert list(of_state(found, State.WRONG)) == [about]
    assert not healthy(found)


WARNINGS = [
    ("notices", file_checked(notices_given_up=3)),
    ("notices", server_checked(notices_given_up=3)),
    ("version", file_checked(version=(3, 51, 2))),
    ("version", file_checked(version=(3, 50, 6))),
    ("version", file_checked(version=(3, 44, 5))),
    ("version", file_checked(version=(3, 46, 0))),
    ("triggers", file_checked(unknown=("notes",))),
    ("durability", file_with(file_system="tmpfs")),
    ("durability", file_with(file_system="fuse.grpcfuse")),
    ("log", file_with(log_size=129 * MB)),
    ("durability", server_checked(losses=("fsync = off",), facts=replace(SERVER, is_loss_allowed=True))),
    ("pages", set_to("data_checksums", "off")),
    ("replication", server_with(standbys=(Standby("two", True, GB, None),))),
    ("replication", server_with(standbys=(Standby("two", True, 0, 61.0),))),
    ("slots", server_with(slots=(Slot("gone", 2 * GB),))),
    ("time-outs", set_to("transaction_timeout", "1min")),
    ("transactions", server_with(idle=(300.0, 61.0, 1.0))),
    ("transactions", server_with(prepared=(3600.0,))),
    ("connections", server_with(connections=91)),
    ("clock", server_checked(clock_ahead_s=6.0)),
]


@pytest.mark.parametrize(("about", "store"), WARNINGS)
def test_what_should_be_seen_to_is_a_warning(environment, about, store):
    """Faults 37, 53, 60, 64, 67 and 145."""
    found = examine(environment, store, NOW)
    assert list(of_state(found, State.WARNING, State.WRONG)) == [about]
    assert healthy(found)


@pytest.mark.parametrize("version", [(3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 53, 1)])
def test_releases_of_sqlite_that_were_mended_are_fine(environment, version):
    assert not list(of_state(examine(environment, file_checked(version=version), NOW), State.WARNING))


def test_nothing_is_demanded_of_a_server_that_tells_little(environment):
    """A role that may not look at others sees standbys without their state."""
    store = set_to("synchronous_standby_names", "two", standbys=(Standby("two", None, None, None),))
    assert not list(of_state(examine(environment, store, NOW), State.WARNING, State.WRONG))


def test_a_server_without_standbys_is_fine(environment):
    store = set_to("synchronous_standby_names", "", standbys=())
    assert not list(of_state(examine(environment, store, NOW), State.WARNING, State.WRONG))


def test_a_second_between_two_clocks_is_nothing(environment):
    store = file_with(written=NOW + timedelta(seconds=5))
    assert healthy(examine(environment, store, NOW))


def test_a_store_that_is_not_there_yet_is_no_fault(environment):
    found = examine(environment, replace(IN_FILE, exists=False, checkup=None), NOW)
    assert not list(of_state(found, State.WARNING, State.WRONG))
    assert "triggers" not in {finding.about for finding in found}
