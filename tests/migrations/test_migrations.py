"""Migrations climb up and down, make what the tables say, and guard what is written once."""

import asyncio
import functools
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from economy.projections.boards import Board, Period, series_of
from economy.store.engine import Store, store_url
from economy.store.errors import SchemaMismatchError
from economy.store.fingerprints import FINGERPRINTS
from economy.store.revision import HEAD
from economy.store.schema import current, fingerprint
from economy.store.tables import APPEND_ONLY, metadata
from tests.migrations.fingerprints import PAGE, climbed, page
from tests.support.stores import downgrade, open_store, upgrade

ROOT = Path(__file__).parents[2]
LEFT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE '%alembic%'",
    "postgresql": "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    " AND relname NOT LIKE 'alembic%' UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}

ROW = {
    "entries": "(1, 1, 'k', 'd', 'tip', 1, '', 0, 'UTC', '{}')",
    "postings": "(1, 1, 0, 0, 1, 2, 'bonus', 5, 0, 5)",
    "facts": "(1, 1, 0, 1, 'present', 'null', 'true')",
    "reversals": "(1, 1, 2)",
    "seals": "(1, 1, 1, 1, 'd')",
}


@pytest.fixture
async def store(address):
    """A store that migrations have made."""
    async with await open_store(address) as opened:
        yield opened


def wanted_of(store: Store) -> Mapping[str, str]:
    return FINGERPRINTS[HEAD][store.url.get_backend_name()]


async def execute(store, statement: str) -> None:
    async with store.write() as connection:
        await connection.exec_driver_sql(statement)


async def test_up_down_and_up_again_ends_where_it_began(new_address):
    """Fault 143"""
    seen = []
    for _ in range(2):
        await upgrade(new_address)
        async with await open_store(new_address) as store:
            assert await current(store) == HEAD
            seen.append(await fingerprint(store))
        await downgrade(new_address, "base")
        async with await open_store(new_address, any_schema=True) as store:
            assert await current(store) is None
            async with store.read() as connection:
                left = await connection.exec_driver_sql(LEFT[connection.dialect.name])
                assert left.all() == []
    assert seen[0] == seen[1] == wanted_of(store)


async def test_every_revision_is_written_down(new_address):
    """Fault 143: `python -m tests.migrations.fingerprints` writes them anew after a new migration."""
    database = store_url(new_address).get_backend_name()
    assert await climbed(new_address) == {revision: made[database] for revision, made in FINGERPRINTS.items()}


def test_what_is_written_down_is_as_the_command_writes_it():
    found = {
        database: {revision: made[database] for revision, made in FINGERPRINTS.items()}
        for database in ("sqlite", "postgresql")
    }
    assert page(found) == PAGE.read_text(encoding="utf-8")


CHANGES = {
    "sqlite": (
        "DROP TRIGGER entries_refuse_delete",
        "CREATE TRIGGER more AFTER INSERT ON entries BEGIN DELETE FROM outbox; END",
        "CREATE INDEX more ON entries (at_us)",
        "ALTER TABLE entries ADD COLUMN more INTEGER",
    ),
    "postgresql": (
        "DROP TRIGGER entries_refuse_change ON entries",
        "ALTER TABLE entries DISABLE TRIGGER entries_refuse_change",
        "ALTER TABLE entries ALTER COLUMN reason DROP NOT NULL",
        "ALTER TABLE entries ADD CONSTRAINT more CHECK (number < 5) NOT VALID",
        "CREATE INDEX more ON entries (at_us)",
        "ALTER TABLE entries ADD COLUMN more integer",
        "CREATE OR REPLACE FUNCTION entries_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$",
    ),
}


@pytest.mark.parametrize(
    ("database", "change"), [(name, each) for name, changes in CHANGES.items() for each in changes]
)
async def test_a_change_by_hand_changes_its_tables_fingerprint_alone(request, database, change):
    """Fault 143"""
    address = request.getfixturevalue("new_sqlite" if database == "sqlite" else "new_postgres")
    await upgrade(address)
    async with await open_store(address) as store:
        await execute(store, change)
        found = await fingerprint(store)
        assert {table for table, digest in wanted_of(store).items() if found.get(table) != digest} == {"entries"}
        assert found.keys() == wanted_of(store).keys()


async def test_tables_in_another_schema_are_the_same_tables(postgres, new_postgres):
    name = new_postgres.rpartition("/")[2]
    postgres.sql(f"CREATE SCHEMA coins; ALTER DATABASE {name} SET search_path = coins", name)
    await upgrade(new_postgres)
    async with await open_store(new_postgres) as store:
        assert await fingerprint(store) == wanted_of(store)


OLD_SCORES = [
    (1, "creators", "all", 0, 7, 40, 9, True),
    (1, "supporters", "hour", 1_700_000_000_000_000, 8, 40, 9, False),
    (1, "tippers", "week", 1_699_999_200_000_000, 7, -5, 11, True),
    (2, "balance", "all", 0, 7, 3, 12, True),
]
OLD_BUCKETS = [(1, "creators", "all", 0, 40, 1), (2, "balance", "all", 0, 3, 1)]
SCORES_SINCE = {
    (1, 7, series_of(Board.CREATORS, Period.ALL, 0), 40, 9, True, 40, 9),
    (1, 8, series_of(Board.SUPPORTERS, Period.HOUR, 1_700_000_000_000_000), 40, 9, False, None, None),
    (1, 7, series_of(Board.TIPPERS, Period.WEEK, 1_699_999_200_000_000), -5, 11, True, None, None),
    (2, 7, series_of(Board.BALANCE, Period.ALL, 0), 3, 12, True, 3, 12),
}


def literals(rows: list[tuple]) -> str:
    """Rows as SQL has them; a boolean is no number to PostgreSQL, and a number to SQLite."""
    return ", ".join(str(row) for row in rows)


async def all_of(address: str, table: str, columns: str) -> set[tuple]:
    async with await open_store(address, any_schema=True) as store, store.read() as connection:
        found = await connection.exec_driver_sql(f"SELECT {columns} FROM {table}")
        return {tuple(row) for row in found}


async def test_scores_are_kept_when_their_tables_change(new_address):
    await upgrade(new_address)
    await downgrade(new_address, "0002")
    columns = "community_id, board, period, start_us, member_id, score, reached, listed"
    async with await open_store(new_address, any_schema=True) as store:
        await execute(store, f"INSERT INTO scores ({columns}) VALUES {literals(OLD_SCORES)}")
        await execute(store, f"INSERT INTO histogram VALUES {literals(OLD_BUCKETS)}")
    await upgrade(new_address)
    assert await all_of(new_address, "scores", "*") == SCORES_SINCE
    assert await all_of(new_address, "histogram", "*") == {
        (1, series_of(Board.CREATORS, Period.ALL, 0), 40, 1),
        (2, series_of(Board.BALANCE, Period.ALL, 0), 3, 1),
    }
    await downgrade(new_address, "0002")
    assert await all_of(new_address, "scores", columns) == set(OLD_SCORES)
    assert await all_of(new_address, "histogram", "*") == set(OLD_BUCKETS)


async def test_upgrading_twice_changes_nothing(store, address):
    await upgrade(address)
    assert await fingerprint(store) == wanted_of(store)


async def test_two_upgrades_at_once_take_turns(new_address):
    await asyncio.gather(upgrade(new_address), upgrade(new_address))
    async with await open_store(new_address) as store:
        assert await fingerprint(store) == wanted_of(store)


async def test_a_migration_that_fails_midway_leaves_nothing(new_address):
    """Fault 144"""
    async with await open_store(new_address, any_schema=True) as store:
        await execute(store, "CREATE TABLE watermarks (i INTEGER)")
    with pytest.raises(DBAPIError, match="watermarks"):
        await upgrade(new_address)
    async with await open_store(new_address, any_schema=True) as store:
        assert await current(store) is None


async def test_a_migration_that_is_killed_leaves_nothing_and_is_done_by_the_next(new_address):
    """Fault 144"""
    command = [sys.executable, "-m", "tests.migrations.killed", new_address, "15"]
    run = functools.partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=True)
    deaths = int((await asyncio.to_thread(run, command)).stdout)
    assert deaths >= 5, "a harness that kills less often sees less"
    async with await open_store(new_address) as store:
        assert await fingerprint(store) == wanted_of(store)


async def test_a_store_between_two_releases_is_not_served(new_address):
    """Fault 144"""
    await upgrade(new_address, "0001")
    with pytest.raises(SchemaMismatchError, match="0001"):
        await open_store(new_address)


async def test_an_upgrade_waits_briefly_for_a_lock_and_tries_again(new_postgres):
    """Fault 142"""
    await upgrade(new_postgres)
    other = await asyncpg.connect(new_postgres)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    task = asyncio.create_task(upgrade(new_postgres))
    watcher = await asyncpg.connect(new_postgres)
    given_up = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
    before = await watcher.fetchval(given_up)
    async with asyncio.timeout(30):
        while await watcher.fetchval(given_up) == before:
            pass
    assert not task.done()
    await transaction.rollback()
    await task
    await other.close()
    await watcher.close()


def test_the_release_knows_the_latest_migration():
    config = Config()
    config.set_main_option("script_location", "migrations:")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_migrations_make_what_the_tables_say(store):
    async with store.read() as connection:
        drift = await connection.run_sync(lambda bound: compare_metadata(MigrationContext.configure(bound), metadata))
    assert drift == []


async def test_migrations_make_every_check_of_the_tables(new_sqlite):
    await upgrade(new_sqlite)
    async with await open_store(new_sqlite) as store, store.read() as connection:
        found = await connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
        made = {row.name: " ".join(row.sql.split()) for row in found}
    checks = 0
    for table in metadata.tables.values():
        assert made[table.name].endswith("STRICT")
        for check in table.constraints:
            if isinstance(check, CheckConstraint):
                assert f"CONSTRAINT {check.name} CHECK ({check.sqltext})" in made[table.name]
                checks += 1
    assert checks == made_checks(made)


def made_checks(made: dict[str, str]) -> int:
    return sum(sql.count(" CHECK (") for sql in made.values())


@pytest.mark.parametrize(
    "row", ["(1, 5, 'bonus', -1)", "(1, -3, 'bonus', -1)", "(1, 0, 'bonus', 0)", "(1, 5, 'gold', 1)"]
)
async def test_a_balance_that_cannot_be_is_refused(store, row):
    with pytest.raises(IntegrityError, match="ck_accounts"):
        await execute(store, f"INSERT INTO accounts VALUES {row}")


async def test_issuers_stand_below_zero_down_to_the_supply(store):
    await execute(store, f"INSERT INTO accounts VALUES (1, -1, 'bonus', {-(2**62)})")
    with pytest.raises(IntegrityError, match="ck_accounts_floor"):
        await execute(store, "UPDATE accounts SET balance = balance - 1")


async def test_a_posting_of_nothing_is_refused(store):
    with pytest.raises(IntegrityError, match="ck_postings_amount"):
        await execute(store, "INSERT INTO postings VALUES (1, 1, 0, 0, 1, 2, 'bonus', 0, 0, 0)")


@pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
@pytest.mark.parametrize("change", ["UPDATE {} SET community_id = 2", "DELETE FROM {}", "the whole row"])
async def test_what_is_written_once_refuses_every_change(store, table, change):
    """Fault 152"""
    whole = {
        "sqlite": f"INSERT OR REPLACE INTO {table} VALUES {ROW[table]}",
        "postgresql": f"TRUNCATE {table}",
    }
    await execute(store, f"INSERT INTO {table} VALUES {ROW[table]}")
    with pytest.raises(DBAPIError, match=f"{table} are written once"):
        await execute(store, whole[store.url.get_backend_name()] if change == "the whole row" else change.format(table))
    async with store.read() as connection:
        assert (await connection.exec_driver_sql(f"SELECT community_id FROM {table}")).all() == [(1,)]
