"""A database that tests use one after the other tells none of them about the one before."""

from collections.abc import Iterator

import asyncpg
import pytest

from economy.store.tables import metadata
from tests.support.databases import GROWN_MAX, Databases
from tests.support.postgres import ThrowawayPostgres

KILOBYTES = GROWN_MAX // 1000


@pytest.fixture
def own(postgres: ThrowawayPostgres, databases: Databases) -> Iterator[Databases]:
    """Databases of this test alone, with none free to begin with."""
    template = databases.take()
    opened = Databases(postgres, template)
    yield opened
    opened.close()
    databases.give_back(template)


async def leave(postgres: ThrowawayPostgres, own: Databases, *statements: str) -> str:
    """Does to a database what a test may, and gives it back; its name."""
    name = own.take()
    other = await asyncpg.connect(postgres.url(name))
    for statement in statements:
        await other.execute(statement.format(name=name))
    await other.close()
    own.give_back(name)
    return name


ROWS = (
    "INSERT INTO persons (created_us) VALUES (0), (0)",
    "INSERT INTO communities (created_us) VALUES (0)",
    "INSERT INTO entries VALUES (1, 1, 'k', 'd', 'tip', 1, '', 0, 'UTC', '{{}}')",
    "INSERT INTO accounts VALUES (1, 1, 'bonus', 5)",
)


async def test_rows_are_gone_and_ids_begin_anew(postgres, own):
    name = await leave(postgres, own, *ROWS)
    assert own.take() == name
    assert own.made == 1
    server = await asyncpg.connect(postgres.url(name))
    for table in metadata.tables:
        assert await server.fetchval(f'SELECT count(*) FROM "{table}"') == 0, table
    assert await server.fetchval("INSERT INTO persons (created_us) VALUES (0) RETURNING id") == 1
    with pytest.raises(asyncpg.PostgresError, match="written once"):
        await server.execute("TRUNCATE entries")
    await server.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TRIGGER entries_refuse_change ON entries"],
        ["ALTER TABLE entries DISABLE TRIGGER ALL"],
        ["ALTER TABLE postings ADD CONSTRAINT no_thirteen CHECK (amount <> 13)"],
        ["DROP INDEX ix_scores_rank"],
        ["CREATE TABLE extra (i int)", "DROP TABLE extra", "CREATE TABLE extra (i int)"],
        ["ALTER TABLE persons ADD COLUMN extra int"],
        ["CREATE FUNCTION extra() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        ["CREATE SCHEMA extra"],
        ["ALTER DATABASE {name} SET synchronous_commit = off"],
        ["UPDATE alembic_version SET version_num = '9999'"],
        ["DROP TABLE alembic_version"],
        [f"INSERT INTO answers SELECT 1, g, '{'x' * 1000}', '', 1, '', 0, '' FROM generate_series(1, {KILOBYTES}) g"],
    ],
)
async def test_a_database_that_is_not_as_it_was_is_dropped(postgres, own, statements):
    name = await leave(postgres, own, *statements)
    assert own.take() != name
    assert own.made == 2
    assert postgres.sql(f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0"


async def test_who_still_speaks_to_it_is_cut_off(postgres, own):
    name = own.take()
    left = await asyncpg.connect(postgres.url(name))
    await left.execute("BEGIN")
    await left.execute("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE")
    own.give_back(name)
    assert own.take() == name
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.execute("SELECT 1")
