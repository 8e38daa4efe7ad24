"""A new store's address, for every database that can hold one."""

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite"])
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'new.sqlite'}"
