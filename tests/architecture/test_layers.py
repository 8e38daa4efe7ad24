"""Every contract about who may import whom holds, and every contract can fail: a breach planted in a copy is seen."""

import os
import re
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("adapters", "bot", "economy", "migrations")
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}


class Breach(NamedTuple):
    contract: str
    path: str
    line: str


BREACHES = [
    Breach("project", "economy/values.py", "import adapters.contract"),
    Breach("project", "adapters/contract.py", "import bot.app"),
    Breach("project", "economy/rules/planted.py", "import bot"),
    Breach("project", "adapters/console/planted.py", "import migrations"),
    Breach("economy", "economy/rules/planted.py", "import economy.store"),
    Breach("economy", "economy/rules/planted.py", "from economy import service"),
    Breach("economy", "economy/projections/planted.py", "import economy.rules"),
    Breach("economy", "economy/service.py", "import economy.store"),
    Breach("economy", "economy/values.py", "import economy.ledger"),
    Breach("economy", "economy/planted.py", "# a module that no layer names"),
    Breach("adapters", "adapters/contract.py", "import adapters.console"),
    Breach("adapters", "adapters/planted/__init__.py", "# an adapter that no layer names"),
    Breach("adapters", "adapters/telegram/__init__.py", "import adapters.console"),
    Breach("face", "adapters/console/planted.py", "from economy.rules import planted"),
    Breach("face", "adapters/contract.py", "from economy.values import Coins"),
    Breach("face", "adapters/contract.py", "import economy.store"),
    Breach("wiring", "bot/dispatcher.py", "import economy.store"),
    Breach("wiring", "economy/service.py", "from economy.store import tables"),
    Breach("sql", "economy/service.py", "import sqlalchemy"),
    Breach("sql", "economy/rules/planted.py", "from sqlalchemy.ext import asyncio"),
    Breach("sql", "bot/app.py", "import alembic.command"),
    Breach("sql", "adapters/console/planted.py", "def late():\n    import asyncpg"),
    Breach("pure", "economy/rules/planted.py", "from time import time"),
    Breach("pure", "economy/books.py", "import random"),
    Breach("pure", "economy/projections/planted.py", "import asyncio"),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def verdicts(folder: Path) -> dict[str, str]:
    """KEPT or BROKEN, by contract."""
    command = [f"{sysconfig.get_path('scripts')}/lint-imports", "--no-cache", "--no-logo"]
    # Wide enough that no name is wrapped.
    environment = {**os.environ, "COLUMNS": "500", "PYTHONPATH": str(folder)}
    told = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout
    found = {
        contract: re.search(rf"^{re.escape(name)} (KEPT|BROKEN)", told, re.MULTILINE)
        for contract, name in CONTRACTS.items()
    }
    assert all(found.values()), told
    return {contract: match.group(1) for contract, match in found.items() if match}


def test_all_contracts_hold(copy: Path) -> None:
    assert verdicts(copy) == dict.fromkeys(CONTRACTS, "KEPT")


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: f"{breach.contract}: {breach.path}: {breach.line}")
def test_a_breach_is_seen(copy: Path, breach: Breach) -> None:
    planted = copy / breach.path
    planted.parent.mkdir(exist_ok=True)
    with planted.open("a") as file:
        file.write(f"\n{breach.line}\n")
    assert verdicts(copy)[breach.contract] == "BROKEN"


def test_every_contract_is_tried() -> None:
    assert {breach.contract for breach in BREACHES} == CONTRACTS.keys()


def test_every_package_is_under_contract() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(PACKAGES)
