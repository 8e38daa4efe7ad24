"""A new store's address, for every database that can hold one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import ThrowawayPostgres


@pytest.fixture
def new_sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new.sqlite'}"


@pytest.fixture
def new_postgres(postgres: ThrowawayPostgres) -> Iterator[str]:
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def new_address(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"new_{request.param}")
    return found
