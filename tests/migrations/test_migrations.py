"""Migrations climb up and down, make what the tables say, and guard what is written once."""

import asyncio

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError

from economy.store.engine import Store
from economy.store.revision import HEAD
from economy.store.schema import current, fingerprint
from economy.store.tables import APPEND_ONLY, metadata
from tests.support.stores import downgrade, open_store, upgrade

FINGERPRINTS = {"sqlite": "457c9458288cab96c7f4ebf18fe6ddb8", "postgresql": "1594b618ff6ff1ca8d69dcadeb85d964"}
"""What all tables, CHECKs, indices and triggers come to. A change here is a change of every store there is."""

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
async def store(new_address):
    await upgrade(new_address)
    async with await open_store(new_address) as opened:
        yield opened


def wanted_of(store: Store) -> str:
    return FINGERPRINTS[store.url.get_backend_name()]


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


async def test_a_lost_trigger_changes_the_fingerprint(store):
    triggers = {"sqlite": "entries_refuse_delete", "postgresql": "entries_refuse_change ON entries"}
    await execute(store, f"DROP TRIGGER {triggers[store.url.get_backend_name()]}")
    assert await fingerprint(store) != wanted_of(store)


async def test_upgrading_twice_changes_nothing(store, new_address):
    await upgrade(new_address)
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
