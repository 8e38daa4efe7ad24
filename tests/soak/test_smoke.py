"""A short soak of each sort finds nothing; with a bug planted, each finds it."""

from __future__ import annotations

import itertools
import random
import sqlite3
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from economy.store.engine import Store, open_store
from economy.store.journal import StoreJournal
from economy.values import EntryNumber
from tests.bench.town import SystemClock
from tests.soak.__main__ import RUNNING, catches, figures, is_clean, watches_files
from tests.soak.acts import submission_of
from tests.soak.auditor import Auditor
from tests.soak.controls import CONTROLS, Caught, Control, control
from tests.soak.diary import Diaries, Diary
from tests.soak.findings import Outcome
from tests.soak.ground import SQLITE, Ground, Size
from tests.soak.images import Disk, Loss, Record, Synced
from tests.soak.plants import SORTS
from tests.soak.vfs import HiddenLibraryError, must_be_watchable, watched

SHORT = Size(
    seconds=1,
    hits=6,
    orders=100,
    audits=3,
    images=40,
    life_s=0.5,
    long_stop_s=0.5,
    server_s=1.5,
    audit_every_s=0.1,
)
SEED = 1
AUDIT_READS_LEAST = 5
"""The transaction, entries, postings, counters, accounts."""


def silent(_text: str) -> None:
    pass


def must_watch_files() -> None:
    """Skips a test that looks at what SQLite writes, on a Python that does not let it."""
    try:
        must_be_watchable()
    except HiddenLibraryError as problem:
        pytest.skip(str(problem))


@pytest.mark.parametrize(("topic", "store"), RUNNING)
async def test_a_short_soak_finds_nothing(topic: str, store: str) -> None:
    """Fault 39, Fault 40, Fault 41, Fault 45, Fault 46, Fault 47, Fault 146"""
    if watches_files(topic, store):
        must_watch_files()
    outcome = await RUNNING[topic, store](store, SHORT, silent, SEED)
    assert outcome.findings.words() == []
    assert is_clean([outcome], [])
    assert outcome.orders >= SHORT.orders
    assert outcome.hits
    assert outcome.audits >= SHORT.audits
    assert outcome.again
    assert figures([outcome]).row_count == 1


@pytest.mark.parametrize("each", CONTROLS, ids=lambda each: f"{each.plant.name}-{each.store}")
async def test_a_planted_bug_is_caught(each: Control) -> None:
    """Fault 39, Fault 40, Fault 41, Fault 47"""
    if watches_files(each.topic, each.store):
        must_watch_files()
    caught = await control(each, silent, seed=SEED)
    assert caught.is_caught, caught.told
    assert caught.told.startswith(SORTS[each.plant])


def test_a_loss_fails_the_soak() -> None:
    found = Outcome("kills", SQLITE)
    assert is_clean([found], [])
    found.findings.lost["soak:1"] = "was told as entry 1, and is not there"
    assert not is_clean([found], [])
    assert found.findings.words() == ["lost: soak:1: was told as entry 1, and is not there"]


def test_a_planted_bug_that_nobody_sees_fails_the_soak() -> None:
    unseen = Caught(CONTROLS[0], 120.0, is_caught=False, told="nothing")
    assert not is_clean([], [unseen])
    assert catches([unseen]).row_count == 1


# --- the auditor ----------------------------------------------------------------------------------------------------


async def test_an_audit_that_is_cut_off_invents_nothing_and_forgets_nothing() -> None:
    async with Ground(SQLITE, seed=SEED) as ground, await open_store(ground.address) as store:
        with Diary(ground.folder / "a.diary") as diary:
            async with StoreJournal(store, SystemClock()) as journal:
                answers = {key: await journal.submit(submission_of(key)) for key in ("soak:1", "soak:2", "soak:3")}
            for key, answer in answers.items():
                diary.told(key, answer)
            diary.told("soak:never", msgspec.structs.replace(answers["soak:1"], number=EntryNumber(999)))
        cuts = 0
        while await audited_after_a_cut(store, ground, cuts):
            cuts += 1
        assert cuts >= AUDIT_READS_LEAST


async def audited_after_a_cut(store: Store, ground: Ground, reads: int) -> bool:
    """Whether an audit reads more often. The server goes away after so many, and the next audit finds what there is."""
    left = itertools.count(reads, -1)

    def cut(*_execution: object) -> None:
        if next(left) == 0:
            raise OperationalError("cut off", None, Exception())

    found = Outcome("kills", SQLITE)
    auditor = Auditor(store, Diaries(ground.folder), found, every_s=0)
    event.listen(store.reader.sync_engine, "before_cursor_execute", cut)
    try:
        with suppress(OperationalError):
            await auditor.audit()
    finally:
        event.remove(store.reader.sync_engine, "before_cursor_execute", cut)
    if found.audits:
        return False
    await auditor.audit()
    assert found.orders == 4
    assert found.findings.lost == {"soak:never": "was told as entry 999, and is not there"}
    assert found.findings.sorts() == "1 lost"
    return True


# --- the disk that loses power --------------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> tuple[Record, Path]:
    """A record of a file that was written, synced, and written again."""
    must_watch_files()
    record = Record()
    file = tmp_path / "plain.sqlite"
    with watched(file, record):
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(each,) for each in range(20)])
        connection.close()
    return record, file


def test_what_was_synced_is_there_whatever_is_lost(written: tuple[Record, Path], tmp_path: Path) -> None:
    """Fault 41"""
    record, file = written
    empty = tmp_path / "empty"
    empty.touch()
    disk = Disk(empty)
    last_sync = max(place for place, each in enumerate(record.events) if each == Synced(str(file)))
    for each in record.events[: last_sync + 1]:
        disk.follow(each)
    for loss in Loss:
        assert disk.after_power_loss(loss, random.Random(SEED))[str(file)] == file.read_bytes()


def test_of_what_was_not_synced_any_part_may_be_there(written: tuple[Record, Path], tmp_path: Path) -> None:
    """Fault 41"""
    record, file = written
    empty = tmp_path / "empty"
    empty.touch()
    disk = Disk(empty)
    first_sync = min(place for place, each in enumerate(record.events) if each == Synced(str(file)))
    for each in record.events[:first_sync]:
        disk.follow(each)
    assert disk.is_open
    assert str(file) not in disk.after_power_loss(Loss.ALL, random.Random(SEED))
    whole = disk.after_power_loss(Loss.NONE, random.Random(SEED))[str(file)]
    torn = {disk.after_power_loss(Loss.TORN, random.Random(seed)).get(str(file)) for seed in range(20)}
    assert whole
    assert len(torn) > 5
