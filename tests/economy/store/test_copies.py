"""Backups, restores and moves hold everything that was there, and never go over something else."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from economy.rules.claiming import Return, TipUnseen
from economy.rules.communities import InvitePlace, JoinPlace, PartPlace
from economy.store.backup import DamagedError, back_up, move, restore
from economy.store.bots import StoreBots
from economy.store.copying import CopyDiffersError, NotEmptyError, Tally
from economy.store.engine import Store, open_store
from economy.store.escrow import StoreEscrow
from economy.store.journal import StoreJournal
from economy.store.postgres import LOSS_ALLOWED
from economy.store.projector import StoreProjector
from economy.store.schema import downgrade, upgrade
from economy.store.tables import accounts, metadata
from economy.values import AmountWord, CommunityId, Note, Place, Role
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting, StillClock, number_of
from tests.economy.store.audit import must_balance, rows
from tests.economy.store.chronicle import new_store
from tests.economy.store.connecting import agreed, code_of, confirmed, connected, disconnected
from tests.economy.store.test_audit import spoil
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with everything in it that a journal writes."""
    async with await new_store(tmp_path) as opened:
        async with StoreJournal(opened, StillClock()) as journal:
            acting = Acting(journal)
            await acting.grant(ana=900, bo=50)
            await acting.submit(acts.setting("welcome_grant", 30))
            await acting.done(acts.tip("ana", "bo", "cy", amount=70, note=Note("für dich 🎉")))
            tipped = await acting.done(acts.tip("ana", "bo", amount=7))
            await acting.undo("ana", tipped.number)
            await acting.refused(acts.tip("cy", "bo", amount=5_000))
        await StoreProjector(opened).drain()
        yield opened


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as started:
        yield started


@pytest.fixture
def database(server: ThrowawayPostgres) -> Iterator[str]:
    name = server.create_database()
    yield f"{server.url(name)}?allow_loss={LOSS_ALLOWED}"
    server.drop_database(name)


def address(file: Path) -> str:
    return f"sqlite:///{file}"


def of(store: Store) -> str:
    return address(Path(str(store.url.database)))


def ignored(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


async def content(where: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table; what is true is 1."""
    async with await open_store(where) as opened:
        await must_balance(opened)
        found = {}
        for name in metadata.tables:
            plain = [
                tuple(int(each) if isinstance(each, bool) else each for each in row)
                for row in await rows(opened, f"SELECT * FROM {name}")
            ]
            found[name] = sorted(plain, key=repr)
        return found


def left_over(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if "partial" in file.name)


# --- backup -----------------------------------------------------------------------------------------------------------


async def test_a_backup_holds_everything_in_one_file(store, tmp_path):
    file = tmp_path / "kept" / "monday"
    file.parent.mkdir()
    told = []
    done = await back_up(of(store), file, lambda *each: told.append(each))
    assert done.report.ok
    assert [found.name for found in file.parent.iterdir()] == ["monday"], "no other file is needed beside it"
    assert file.stat().st_mode & 0o077 == 0, "names and notes are in it"
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",), "and it can be read where none can be"
    assert await content(address(file)) == await content(of(store))
    assert {what for what, _, _ in told} == {"copying", "auditing"}


async def test_a_backup_while_writing_is_one_moment_whole(store, tmp_path, monkeypatch):
    """Fault 139"""
    monkeypatch.setattr("economy.store.backup.PAGES", 1)
    steps = 0
    async with StoreJournal(store, StillClock()) as journal:
        acting = Acting(journal, prefix="during")
        await acting.grant(ana=5_000)
        started, is_over = asyncio.Event(), False

        def on_page(what: str, _done: int, _total: int) -> None:
            nonlocal steps
            steps += what == "copying"
            started.set()

        async def tip_on() -> int:
            tips = 0
            await started.wait()
            while not is_over:
                await acting.done(acts.tip("ana", "bo", amount=1))
                tips += 1
            return tips

        tipping = asyncio.create_task(tip_on())
        done = await back_up(of(store), tmp_path / "backup", on_page)
        is_over = True
        assert await tipping > 0
    assert steps > 10
    assert done.report.ok, done.report.problems
    there = await content(address(tmp_path / "backup"))
    now = await rows(store, "SELECT max(number) FROM entries")
    assert len(there["entries"]) <= now[0][0]


async def test_a_backup_goes_over_nothing(store, tmp_path):
    file = tmp_path / "backup"
    file.write_text("something else")
    with pytest.raises(NotEmptyError, match="is there already"):
        await back_up(of(store), file, ignored)
    assert file.read_text() == "something else"


async def test_a_backup_of_books_that_do_not_balance_is_kept_and_told(store, tmp_path):
    await spoil(store, "UPDATE entries SET at_us = at_us + 1 WHERE number = 2")
    done = await back_up(of(store), tmp_path / "backup", ignored)
    assert done.is_kept
    assert [problem.what for problem in done.report.problems] == ["seal"]
    assert (tmp_path / "backup").exists()


def tear(file: Path, torn: Path) -> None:
    """A copy of which the beginning of every page after the third is not what was written."""
    content = bytearray(file.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    torn.write_bytes(content)


async def test_a_damaged_store_makes_no_backup(store, tmp_path):
    """Fault 49"""
    await store.close()
    tear(Path(str(store.url.database)), tmp_path / "torn")
    with pytest.raises(DamagedError):
        await back_up(address(tmp_path / "torn"), tmp_path / "backup", ignored)
    assert not (tmp_path / "backup").exists()
    assert left_over(tmp_path) == []


# --- restore ----------------------------------------------------------------------------------------------------------


async def test_what_is_restored_is_what_was_backed_up_and_goes_on(store, tmp_path):
    """Fault 139"""
    await back_up(of(store), tmp_path / "backup", ignored)
    kept = (tmp_path / "backup").read_bytes()
    done = await restore(tmp_path / "backup", address(tmp_path / "new"), ignored)
    assert done.is_kept
    assert done.report.ok
    assert (tmp_path / "backup").read_bytes() == kept
    assert await content(address(tmp_path / "new")) == await content(of(store))
    async with await open_store(address(tmp_path / "new")) as opened, StoreJournal(opened, StillClock()) as journal:
        await Acting(journal, prefix="later").done(acts.tip("bo", "ana", amount=5))
        await must_balance(opened)


@pytest.mark.parametrize("name", ["new", "new-wal", "new-shm", "new-journal"])
async def test_a_restore_over_something_is_refused(store, tmp_path, name):
    """Fault 139: also over what a store that was removed has left."""
    await back_up(of(store), tmp_path / "backup", ignored)
    (tmp_path / name).write_text("in use")
    with pytest.raises(NotEmptyError, match="is there already"):
        await restore(tmp_path / "backup", address(tmp_path / "new"), ignored)
    assert (tmp_path / name).read_text() == "in use"


async def test_a_backup_whose_books_do_not_balance_is_not_restored(store, tmp_path):
    await spoil(store, "UPDATE accounts SET balance = balance + 1 WHERE owner = 2 AND asset = 'bonus'")
    await back_up(of(store), tmp_path / "backup", ignored)
    done = await restore(tmp_path / "backup", address(tmp_path / "new"), ignored)
    assert not done.is_kept
    assert not done.report.ok
    assert not (tmp_path / "new").exists()
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("what", ["a shopping list, not a store", ""])
async def test_what_is_no_backup_is_refused(tmp_path, what):
    (tmp_path / "backup").write_text(what * 500)
    with pytest.raises(DamagedError):
        await restore(tmp_path / "backup", address(tmp_path / "new"), ignored)
    assert not (tmp_path / "new").exists()
    assert left_over(tmp_path) == []


async def test_a_backup_of_an_earlier_release_is_brought_up(store, tmp_path):
    await back_up(of(store), tmp_path / "backup", ignored)
    await downgrade(address(tmp_path / "backup"), "0001")
    done = await restore(tmp_path / "backup", address(tmp_path / "new"), ignored)
    assert done.is_kept
    assert done.report.figures["seals"] == 0
    await must_hold_the_same(of(store), address(tmp_path / "new"), but="seals")


async def must_hold_the_same(one: str, other: str, but: str) -> None:
    first, second = await content(one), await content(other)
    assert {name: each for name, each in first.items() if name != but} == {
        name: each for name, each in second.items() if name != but
    }


# --- move -------------------------------------------------------------------------------------------------------------


async def test_a_store_moves_to_postgresql_and_back(store, database, tmp_path):
    """Fault 148"""
    [(in_wallets,)] = await rows(store, "SELECT sum(balance) FROM accounts WHERE owner > 0")
    there = await move(of(store), database, ignored)
    assert there.report.ok
    assert there.written_after == 0
    assert there.copied.figures["entries"] == there.report.figures["entries"]
    assert there.copied.wallets == {"coin": 0, "bonus": in_wallets, "diamond": 0}
    assert await content(database) == await content(of(store))
    back = await move(database, address(tmp_path / "back"), ignored)
    assert back.copied == there.copied
    assert back.report == there.report
    assert await content(address(tmp_path / "back")) == await content(of(store))


async def test_a_store_that_moved_to_postgresql_goes_on(store, database):
    """Fault 148: new members, communities and events get ids of their own there."""
    await move(of(store), database, ignored)
    async with await open_store(database) as moved, StoreJournal(moved, StillClock()) as journal:
        acting = Acting(journal, prefix="later")
        await acting.grant(newcomer=10)
        await acting.done(acts.tip("bo", "ana", "newcomer", amount=5))
        again = await acting.submit(acts.tip("ana", "bo", amount=7), key="act:5")
        assert again.outcome is not None
        await StoreProjector(moved).drain()
        await must_balance(moved)


async def test_joint_people_joint_places_and_what_waits_move_and_go_on(store, database):
    """Fault 148: what was begun here is ended there: a code, a stay, a tip that nobody took up."""
    clock, cafe = StillClock(), Place("console", "cafe")
    async with StoreJournal(store, clock) as journal:
        acting, owner = Acting(journal, prefix="joint"), frozenset({Role.OWNER})
        await connected(acting, "ana", "bo")
        code = await code_of(acting, "ana")
        waits = TipUnseen(by=acts.person("ana"), name="console:@zoe", amount=AmountWord.exact(40))
        waiting = number_of(await acting.done(waits))
        invited = await acting.submit(InvitePlace(by=acts.person("owner"), name="room"), standing=owner)
        joins = JoinPlace(by=acts.person("yan"), code=f"1-{invited.offered[0].nonce}", name="cafe")
        there = Acting(journal, cafe, prefix="cafe")
        question = await there.submit(joins, standing=owner)
        number_of(await there.press("yan", question, replace(joins, confirmed=True), standing=owner))
    await StoreBots(store, "console").claim("florin")
    await StoreProjector(store).drain()
    await move(of(store), database, ignored)
    assert await content(database) == await content(of(store))
    clock.later(minutes=1)
    async with await open_store(database) as moved, StoreJournal(moved, clock) as journal:
        acting, there = Acting(journal, prefix="later"), Acting(journal, cafe, prefix="later cafe")
        await agreed(acting, "cy", code)
        number_of(await confirmed(acting, "ana", "cy", code))
        await disconnected(acting, "cy", "ana", "bo")
        parts = PartPlace(by=acts.person("yan"))
        question = await there.submit(parts, standing=owner)
        home = replace(parts, home=CommunityId(2), confirmed=True)
        number_of(await there.press("yan", question, home, standing=owner))
        clock.later(days=7)
        [due] = await StoreEscrow(moved).lease(clock.now(), limit=10, for_s=60)
        assert due.number == waiting
        await acting.done(Return(by=due.by, of=due.number))
        assert await StoreBots(moved, "console").claim("another") == "florin"
        await StoreProjector(moved).drain()
        await must_balance(moved)


async def test_a_backup_of_postgresql_is_a_file_and_is_restored_into_either(store, database, server, tmp_path):
    """Fault 139"""
    await move(of(store), database, ignored)
    assert (await back_up(database, tmp_path / "backup", ignored)).report.ok
    assert await content(address(tmp_path / "backup")) == await content(of(store))
    other = f"{server.url(server.create_database())}?allow_loss={LOSS_ALLOWED}"
    assert (await restore(tmp_path / "backup", other, ignored)).is_kept
    assert await content(other) == await content(of(store))
    with pytest.raises(NotEmptyError, match="not empty"):
        await restore(tmp_path / "backup", other, ignored)


async def test_a_move_into_a_store_with_something_in_it_is_refused(store, database):
    """Fault 148"""
    await upgrade(database)
    async with await open_store(database) as target, target.write() as connection:
        await connection.exec_driver_sql("INSERT INTO counters VALUES (1, 0)")
    with pytest.raises(NotEmptyError, match="counters"):
        await move(of(store), database, ignored)
    assert (await content(database))["accounts"] == []


async def test_a_move_over_a_file_is_refused(store, tmp_path):
    (tmp_path / "there").touch()
    with pytest.raises(NotEmptyError):
        await move(of(store), address(tmp_path / "there"), ignored)
    assert (tmp_path / "there").read_bytes() == b""


async def test_what_was_written_during_the_move_is_counted(store, tmp_path):
    """Fault 148"""
    acted: list[asyncio.Task[Any]] = []
    async with StoreJournal(store, StillClock()) as journal:
        acting = Acting(journal, prefix="late")

        def on_progress(what: str, _done: int, _total: int) -> None:
            if what == "comparing" and not acted:
                acted.append(asyncio.create_task(acting.done(acts.tip("ana", "bo", amount=1))))

        done = await move(of(store), address(tmp_path / "moved"), on_progress)
        await asyncio.gather(*acted)
    assert done.written_after == 1
    assert done.report.ok


async def test_a_row_that_arrives_otherwise_ends_the_move_with_nothing(store, database):
    """Fault 148: the proof sees it, whoever did it."""
    await upgrade(database)
    async with await open_store(database) as target, target.write() as connection:
        await connection.exec_driver_sql(
            "CREATE FUNCTION take_one() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.balance := NEW.balance - 1; RETURN NEW; END $$"
        )
        await connection.exec_driver_sql(
            "CREATE TRIGGER take_one BEFORE INSERT ON accounts FOR EACH ROW WHEN (NEW.balance > 0)"
            " EXECUTE FUNCTION take_one()"
        )
    with pytest.raises(CopyDiffersError, match="accounts of community 1"):
        await move(of(store), database, ignored)
    assert not any((await content(database)).values())


def test_the_order_of_rows_does_not_matter_and_everything_else_does():
    def tally(*found: tuple[Any, ...]) -> Tally:
        taken = Tally()
        taken.take(accounts, found)
        return taken

    kept = tally((1, 5, "coin", 10), (2, 6, "coin", 3))
    kept.must_equal(tally((2, 6, "coin", 3), (1, 5, "coin", 10)))
    for other in (
        tally((1, 5, "coin", 10)),
        tally((1, 5, "coin", 10), (2, 6, "coin", 4)),
        tally((1, 5, "coin", 10), (1, 6, "coin", 3)),
        tally((1, 5, "coin", 10), (2, 6, "coin", 3), (2, 6, "coin", 3)),
    ):
        with pytest.raises(CopyDiffersError):
            kept.must_equal(other)
