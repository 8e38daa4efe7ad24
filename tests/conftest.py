"""For every test: nothing outside this machine may be reached. And fresh stores for those that want one."""

import asyncio
import ipaddress
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.databases import Databases
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.stores import upgrade

# What asks for an address, and where in its arguments the address stands.
CALLS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0}


class WorldTouchedError(RuntimeError):
    """A test tried to reach beyond loopback. No OSError, so that nobody takes it for a broken line and retries."""


def is_here(address: object) -> bool:
    # A path is a Unix socket's, None is for a socket that is connected already: both were let through before.
    if address is None or isinstance(address, (str, bytes)):
        return True
    if not isinstance(address, tuple) or not isinstance(address[0], (str, bytes)):
        return True
    return is_name_of_here(address[0])


def is_name_of_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def guard(event: str, arguments: tuple[object, ...]) -> None:
    if (place := CALLS.get(event)) is None:
        return
    asked = arguments[place]
    if not (is_name_of_here(asked) if event == "socket.getaddrinfo" else is_here(asked)):
        raise WorldTouchedError(f"{event} to {asked!r}: tests reach nothing but loopback")


# An audit hook, since it sees every library's sockets, and no test can take it away again.
sys.addaudithook(guard)


# --- fresh stores ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store, migrated once: copying it is quicker than migrating anew."""
    file = tmp_path_factory.mktemp("template") / "florin.sqlite"
    await upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_address(template: Path, tmp_path: Path) -> str:
    """Where a fresh SQLite store is, for what concerns SQLite alone."""
    file = tmp_path / "florin.sqlite"
    file.write_bytes(template.read_bytes())
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    """Where a fresh store is, on every database that can hold one."""
    found: str = request.getfixturevalue(f"{request.param}_address")
    return found


# --- a server for the session ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[ThrowawayPostgres]:
    """A PostgreSQL of our own, quick rather than durable; every test has a database on it to itself."""
    with throwaway_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: ThrowawayPostgres) -> Databases:
    """Empty databases with all tables, on that server: copying one is quicker than migrating anew."""
    name = postgres.create_database()
    with ThreadPoolExecutor(1) as thread:  # this one may be running the tests' loop
        thread.submit(asyncio.run, upgrade(postgres.url(name))).result()
    return Databases(postgres, name)


@pytest.fixture
def postgres_address(databases: Databases) -> Iterator[str]:
    """Where a fresh store on PostgreSQL is, for what concerns PostgreSQL alone."""
    name = databases.take()
    yield databases.url(name)
    databases.give_back(name)
