"""What is particular to PostgreSQL: its hosts, its sessions, what it must promise, and a pooler before it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import event

from economy.store import engine
from economy.store.engine import Store, store_url
from economy.store.errors import NoPrimaryError, OrderFailedError, SchemaMismatchError, UnsafeStoreError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.values import CommunityId
from tests.economy.store.acting import Acting, number_of, person, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.proxy import Proxy
from tests.support.stores import open_store

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def store(postgres_address: str) -> AsyncIterator[Store]:
    async with await open_store(postgres_address) as opened:
        yield opened
        await must_balance(opened)


# --- hosts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ("postgresql://ana@h1:1,h2:2/florin", ("h1:1", "h2:2")),
        ("postgresql://ana:a%2Cb@h1,[::1]:2,h3/florin?pgbouncer=true", ("h1", "[::1]:2", "h3")),
        ("postgres://h1,h2/florin", ("h1", "h2")),
    ],
)
def test_an_address_may_name_several_hosts(given, hosts):
    url = store_url(given)
    assert url.query["host"] == hosts
    assert url.database == "florin"


def test_a_host_that_is_none_is_refused():
    with pytest.raises(ValueError, match="name:port"):
        store_url("postgresql://h1:x,h2/florin")


async def test_hosts_are_tried_one_by_one_each_with_its_own_time(postgres, postgres_address, monkeypatch):
    """Fault 52: one host refuses, one is frozen and accepts without ever answering, the third is there."""
    monkeypatch.setattr("economy.store.postgres.CONNECT_TIMEOUT_S", 0.3)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    frozen = silent.sockets[0].getsockname()[1]
    async with Proxy(postgres.port) as closed:
        nobody = closed.port
    address = postgres_address.replace("127.0.0.1:", f"127.0.0.1:{nobody},127.0.0.1:{frozen},127.0.0.1:")
    async with await open_store(address) as store:
        assert await rows(store, "SELECT 1") == [(1,)]
    silent.close()
    with pytest.raises(NoPrimaryError, match=f"127.0.0.1:{nobody}"):
        await open_store(postgres_address.replace(str(postgres.port), str(nobody)))


async def test_a_host_that_only_reads_is_passed_by(postgres_address):
    """Fault 62"""
    name = postgres_address.rpartition("/")[2]
    server = await asyncpg.connect(postgres_address)
    await server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(NoPrimaryError, match="takes no writes"):
        await open_store(postgres_address)
    await server.close()


# --- what a session promises ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("idle_in_transaction_session_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("statement_timeout", "0"),
        ("TimeZone", "UTC"),
        ("application_name", "florin"),
        ("transaction_isolation", "read committed"),
    ],
)
async def test_every_session_that_writes_has_its_settings(store, name, value):
    """Fault 67"""
    async with store.write() as connection:
        assert (await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() == value


async def test_reads_are_of_one_moment_and_write_nothing(store):
    async with store.read() as connection:
        assert (await connection.exec_driver_sql("SHOW transaction_isolation")).scalar_one() == "repeatable read"
        assert (await connection.exec_driver_sql("SHOW transaction_read_only")).scalar_one() == "on"


async def test_a_client_that_dies_in_the_midst_frees_its_locks(postgres_address, store, clock):
    """Fault 67"""
    async with StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        dead = await asyncpg.connect(postgres_address, server_settings={"idle_in_transaction_session_timeout": "100ms"})
        await dead.execute("BEGIN; SELECT 1 FROM members FOR UPDATE")
        assert number_of(await acting.submit(tip("ana", "bo")))
        dead.terminate()


# --- what the server promises ---------------------------------------------------------------------------------------


async def test_a_server_that_can_lose_what_was_answered_is_refused_unless_the_operator_says_so(postgres_address):
    """Fault 60"""
    with pytest.raises(UnsafeStoreError, match=r"fsync = off.*allow_loss=i-may-lose-what-was-answered"):
        await engine.open_store(postgres_address)
    async with await engine.open_store(f"{postgres_address}?allow_loss=i-may-lose-what-was-answered") as store:
        assert await rows(store, "SHOW fsync") == [("off",)]
    with pytest.raises(UnsafeStoreError):
        await engine.open_store(f"{postgres_address}?allow_loss=true")


def until_told(server: ThrowawayPostgres, question: str, answer: str) -> None:
    for _ in range(1_000):
        if server.sql(question) == answer:
            return
    raise TimeoutError(question)


async def test_replication_must_be_synchronous(clock):
    """Faults 60 and 66"""
    with throwaway_postgres(("shared_buffers=16MB",)) as server:
        address = server.url()
        async with await engine.open_store(address, any_schema=True) as alone:
            assert await rows(alone, "SHOW synchronous_commit") == [("on",)]
        with pytest.raises(UnsafeStoreError, match="asynchronous"):
            await engine.open_store(
                address.replace("@127.0.0.1", f"@127.0.0.1:{server.port},127.0.0.1"), any_schema=True
            )
        replica = server.receive_wal()
        try:
            until_told(server, "SELECT count(*) FROM pg_stat_replication", "1")
            with pytest.raises(UnsafeStoreError, match="asynchronous"):
                await engine.open_store(address, any_schema=True)
            server.sql("ALTER DATABASE postgres SET synchronous_commit = off")
            server.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
            server.sql("SELECT pg_reload_conf()")
            until_told(server, "SHOW synchronous_standby_names", "ANY 1 (*)")
            async with await engine.open_store(address, any_schema=True) as synchronous:
                # Weaker than the server was asked for: sessions of ours say on.
                assert await rows(synchronous, "SHOW synchronous_commit") == [("on",)]
            with pytest.raises(SchemaMismatchError, match="no tables"):
                await engine.open_store(address)
        finally:
            replica.terminate()
            replica.wait()


async def test_a_database_restored_to_another_release_is_written_no_more(store, clock):
    """Fault 66"""
    async with StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        async with store.write() as connection:
            await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        await store.writer.dispose()
        with pytest.raises(OrderFailedError, match="SchemaMismatchError"):
            await acting.submit(tip("ana", "bo"))
    assert await bonus(store, "bo") == 0


async def test_no_error_tells_the_password(postgres_address, postgres, caplog):
    """Fault 132"""
    address = postgres_address.replace("florin@", "florin:canary@")
    async with await open_store(address) as store:
        assert "canary" not in repr(store.url) + str(store.url)
    async with Proxy(postgres.port) as closed:
        nobody = closed.port
    with pytest.raises(NoPrimaryError) as problem:
        await open_store(address.replace(str(postgres.port), str(nobody)))
    assert "canary" not in str(problem.value) + repr(problem.value) + caplog.text


async def test_ids_may_jump_and_entries_are_numbered_all_the_same(store, clock):
    """Fault 65: a failover skips ids of a sequence."""
    async with StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=100)
        async with store.write() as connection:
            await connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('persons', 'id'), 1000)")
        await acting.done(tip("ana", "bo"))
    assert await rows(store, "SELECT max(id) FROM persons") == [(1001,)]
    numbers = await rows(store, "SELECT number FROM entries ORDER BY number")
    assert numbers == [(number,) for number in range(1, len(numbers) + 1)]


# --- a pooler -------------------------------------------------------------------------------------------------------


async def test_nothing_is_left_to_a_session_that_a_pooler_may_change(postgres_address, clock):
    """Fault 63: between two transactions the server forgets all that it knew of the session."""
    async with await open_store(f"{postgres_address}?pgbouncer=true") as store:

        @event.listens_for(store.writer.sync_engine, "checkout")
        def forget(dbapi_connection, _record, _proxy) -> None:
            dbapi_connection.run_async(lambda link: link.execute("DISCARD ALL"))

        async with store.write() as connection:
            assert (await connection.exec_driver_sql("SHOW lock_timeout")).scalar_one() == "5s"
            assert (await connection.exec_driver_sql("SHOW enable_seqscan")).scalar_one() == "off"
        async with StoreJournal(store, clock) as journal:
            acting = Acting(journal)
            await acting.grant(ana=100)
            answers = [await acting.submit(tip("ana", "bo")) for _ in range(3)]
            assert all(number_of(answer) for answer in answers)
            await StoreProjector(store).drain()
            assert await StoreReads(store).member(CommunityId(1), person("bo"))
        assert await bonus(store, "bo") == 30
        await must_balance(store)


# --- several processes ----------------------------------------------------------------------------------------------

PROCESSES = 3
EACH = 40


async def test_processes_on_one_database_spend_no_coin_twice(postgres_address, store, clock):
    """Faults 23, 24 and 35: each process submits tips of its own, crossing ones, and the same keys as the others."""
    async with StoreJournal(store, clock) as journal:
        await Acting(journal, prefix="before").grant(ana=205, bo=1_000, cy=1_000)
    command = [sys.executable, "-m", "tests.economy.store.neighbour", postgres_address]
    running = [
        await asyncio.create_subprocess_exec(*command, str(number), str(EACH), cwd=ROOT, stdout=subprocess.PIPE)
        for number in range(PROCESSES)
    ]
    told = [json.loads((await process.communicate())[0]) for process in running]
    assert [process.returncode for process in running] == [0] * PROCESSES
    assert sum(each["spent"] for each in told) == 20, "as many as there were funds for"
    assert await bonus(store, "ana") == 5
    assert sum(each["first"] for each in told) == EACH, "of every shared key one is the first"
    assert all(each["shared"] == told[0]["shared"] for each in told), "and all were told the same"
    assert all(each["crossed"] == EACH for each in told)
    async with store.read() as connection:
        numbers = (await connection.exec_driver_sql("SELECT number FROM entries ORDER BY number")).scalars().all()
    assert numbers == list(range(1, len(numbers) + 1))
    projected = "SELECT member_id, series, score, standing FROM scores ORDER BY 1, 2"
    await StoreProjector(store).drain()
    counted = await rows(store, projected)
    assert counted
    await StoreProjector(store).rebuild()
    assert await rows(store, projected) == counted, "projectors of all processes counted each entry once"
