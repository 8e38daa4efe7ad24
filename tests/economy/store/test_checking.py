"""What a checkup of a store finds, on every database that can hold one."""

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg
import pytest

from economy.checkup import Checkup, FileFacts, ServerFacts
from economy.store.checking import check_up
from economy.store.engine import store_url
from economy.store.postgres import LOSS_ALLOWED
from economy.store.revision import HEAD
from economy.store.sqlite import WAL_SIZE_MAX
from tests.economy.store.audit import rows
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.stores import open_store, upgrade


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


CLOCK = SystemClock()


def of_file(checkup: Checkup) -> FileFacts:
    assert isinstance(checkup.facts, FileFacts)
    return checkup.facts


def of_server(checkup: Checkup) -> ServerFacts:
    assert isinstance(checkup.facts, ServerFacts)
    return checkup.facts


@pytest.fixture(scope="module")
def safe() -> Iterator[ThrowawayPostgres]:
    """A server that keeps what was answered."""
    with throwaway_postgres(("max_prepared_transactions=4", "wal_level=replica")) as server:
        yield server


@pytest.fixture
def safe_address(safe: ThrowawayPostgres) -> Iterator[str]:
    name = safe.create_database()
    yield safe.url(name)
    safe.drop_database(name)


async def test_a_new_store_is_as_it_was_made(address):
    found = await check_up(address, CLOCK)
    assert (found.revision, found.head) == (HEAD, HEAD)
    assert (found.changed, found.unknown, found.newest_entry) == ((), (), None)
    assert found.version >= (3,)
    # Tests run on a server that may lose.
    assert bool(found.losses) == (store_url(address).get_backend_name() == "postgresql")


async def test_tables_that_were_changed_are_named_and_so_are_strangers(address):
    """Fault 143"""
    async with await open_store(address) as store, store.write() as connection:
        await connection.exec_driver_sql("DROP INDEX ix_postings_source")
        await connection.exec_driver_sql("CREATE TABLE shopping (what TEXT)")
        await connection.exec_driver_sql("DROP TABLE outbox")
    found = await check_up(address, CLOCK)
    assert (found.changed, found.unknown) == (("outbox", "postings"), ("shopping",))


async def test_an_older_store_is_held_against_its_own_revision(new_store):
    """Fault 66"""
    await upgrade(new_store, "0001")
    found = await check_up(new_store, CLOCK)
    assert (found.revision, found.head) == ("0001", HEAD)
    assert (found.changed, found.unknown) == ((), ())


async def test_tables_of_nobody_knows_which_release_are_not_judged(address):
    async with await open_store(address) as store, store.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    found = await check_up(address, CLOCK)
    assert (found.revision, found.changed, found.unknown) == ("9999", None, ())


async def test_a_place_without_tables_has_no_revision(new_store):
    found = await check_up(new_store, CLOCK)
    assert (found.revision, found.changed, found.newest_entry) == (None, None, None)


async def test_the_newest_entry_is_found_in_any_community(address, acting, clock):
    """Fault 145"""
    await acting.grant(ana=5)
    clock.later(days=1)
    await acting.grant(ana=5)
    acting.place = acting.place.__class__("console", "elsewhere")
    await acting.grant(bo=5)
    assert (await check_up(address, CLOCK)).newest_entry == clock.now()


async def test_a_checkup_changes_nothing(address, acting):
    await acting.grant(ana=5)
    tables = ("accounts", "answers", "entries", "flags", "watermarks")
    async with await open_store(address) as store:
        before = [await rows(store, f"SELECT * FROM {table}") for table in tables]
        await check_up(address, CLOCK)
        assert [await rows(store, f"SELECT * FROM {table}") for table in tables] == before


# --- SQLite ---


async def test_a_file_tells_its_sizes_and_its_room(sqlite_address):
    facts = of_file(await check_up(sqlite_address, CLOCK))
    assert facts.size > 4096
    assert facts.disk_free > 0
    assert facts.is_writable
    assert facts.damage == ()


async def test_a_log_that_a_reader_keeps_from_being_cut_is_seen(sqlite_address):
    """Fault 37: with a reader on an old state, the log cannot begin again."""
    file = str(store_url(sqlite_address).database)
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("CREATE TABLE scribble (page BLOB)")
    written = 0
    while written < 3 * WAL_SIZE_MAX:
        writer.execute("INSERT INTO scribble VALUES (zeroblob(8000000))")
        writer.execute("DELETE FROM scribble")
        written += 8_000_000
    facts = of_file(await check_up(sqlite_address, CLOCK))
    assert facts.log_size > 2 * facts.log_size_max
    reader.close()
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert of_file(await check_up(sqlite_address, CLOCK)).log_size < facts.log_size_max
    writer.close()


# --- PostgreSQL ---


async def test_a_server_that_keeps_what_was_answered_has_no_losses(safe_address):
    await upgrade(safe_address)
    found = await check_up(safe_address, CLOCK)
    facts = of_server(found)
    assert found.losses == ()
    assert (facts.settings["fsync"], facts.settings["data_checksums"], facts.checksum_failures) == ("on", "on", 0)
    assert (facts.settings["lock_timeout"], facts.settings["idle_in_transaction_session_timeout"]) == ("5s", "15s")
    assert (facts.standbys, facts.slots, facts.idle, facts.prepared) == ((), (), (), ())
    assert 0 < facts.connections < int(facts.settings["max_connections"])
    assert facts.size > 1_000_000


async def test_the_clocks_of_both_machines_are_compared(safe_address):
    """Fault 145: two machines five minutes apart."""

    class Late:
        def now(self) -> datetime:
            return datetime.fromtimestamp(datetime.now(UTC).timestamp() - 300, UTC)

    right, late = await check_up(safe_address, CLOCK), await check_up(safe_address, Late())
    assert right.clock_ahead_s is not None
    assert late.clock_ahead_s is not None
    assert abs(right.clock_ahead_s) < 60
    assert 240 < late.clock_ahead_s < 360


async def test_a_server_that_may_lose_is_looked_at_and_says_how(postgres_address):
    """Fault 60: also where the operator allows it, which is told as well."""
    found = await check_up(postgres_address, CLOCK)
    assert len(found.losses) == 2
    assert not of_server(found).is_loss_allowed
    allowed = await check_up(f"{postgres_address}?allow_loss={LOSS_ALLOWED}", CLOCK)
    assert allowed.losses == found.losses
    assert of_server(allowed).is_loss_allowed


async def test_commits_that_are_weaker_on_the_server_are_told(safe, safe_address):
    """The session that looks says `on`; what it was is told."""
    name = safe_address.rpartition("/")[2]
    safe.sql(f"ALTER DATABASE {name} SET synchronous_commit = local")
    assert of_server(await check_up(safe_address, CLOCK)).settings["synchronous_commit"] == "local"


async def test_what_was_left_behind_is_seen(safe_address):
    """Fault 67: a session in the midst of a transaction, and a transaction prepared and forgotten."""
    idle, preparing = await asyncpg.connect(safe_address), await asyncpg.connect(safe_address)
    transaction = idle.transaction()
    await transaction.start()
    await preparing.execute("BEGIN; CREATE TABLE left_behind (i integer); PREPARE TRANSACTION 'left'")
    facts = of_server(await check_up(safe_address, CLOCK))
    assert (len(facts.idle), len(facts.prepared)) == (1, 1)
    assert facts.idle[0] >= 0
    await transaction.rollback()
    await preparing.execute("ROLLBACK PREPARED 'left'")
    await idle.close()
    await preparing.close()


async def test_standbys_and_forgotten_slots_are_seen(safe, safe_address):
    """Faults 53 and 64"""
    safe.sql("SELECT pg_create_physical_replication_slot('forgotten', true)")
    standby = safe.receive_wal()
    try:
        async with asyncio.timeout(30):
            while not (facts := of_server(found := await check_up(safe_address, CLOCK))).standbys:
                pass
        assert [each.name for each in facts.standbys] == ["pg_receivewal"]
        assert facts.standbys[0].is_synchronous is False
        assert [slot.name for slot in facts.slots] == ["forgotten"]
        assert any("asynchronous" in loss for loss in found.losses)
    finally:
        standby.terminate()
        standby.wait(30)
        safe.sql("SELECT pg_drop_replication_slot('forgotten')")


async def test_a_role_that_may_not_look_at_others_still_gets_a_checkup(safe, safe_address):
    name = safe_address.rpartition("/")[2]
    safe.sql(f"CREATE ROLE plain LOGIN; ALTER DATABASE {name} OWNER TO plain")
    try:
        plain = safe_address.replace("florin@", "plain@")
        await upgrade(plain)
        found = await check_up(plain, CLOCK)
        assert (found.changed, found.losses) == ((), ())
    finally:
        safe.sql("REASSIGN OWNED BY plain TO florin", name)
        safe.sql(f"ALTER DATABASE {name} OWNER TO florin; DROP ROLE plain")
