"""What Florin is made from: few packages, each one chosen, and each file of theirs known by its hash."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# A package more is a decision: docs/decisions/ says why, and this list says that it was meant.
CHOSEN = {
    "aiohttp",
    "aiosqlite",
    "alembic",
    "asyncpg",
    "babel",
    "certifi",
    "confusable-homoglyphs",
    "discord-py",
    "msgspec",
    "prometheus-client",
    "prompt-toolkit",
    "pydantic-settings",
    "python-telegram-bot",
    "rich",
    "sqlalchemy",
    "structlog",
    "typer",
    "tzdata",
    "uvicorn",
}

each_lock = pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda path: path.name)


def plain(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def pins(lock: Path) -> dict[str, list[str]]:
    """The hashes by 'name==version; marker'."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        pin, *hashes = line.split("--hash=")
        found[pin.strip()] = [digest.strip() for digest in hashes]
    return found


def test_direct_dependencies_are_the_chosen_ones() -> None:
    assert {plain(line) for line in PYPROJECT["project"]["dependencies"]} == CHOSEN


def test_florin_cannot_be_published_by_mistake() -> None:
    assert "Private :: Do Not Upload" in PYPROJECT["project"]["classifiers"]


@each_lock
def test_lock_names_no_host(lock: Path) -> None:
    for word in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", " @ "):
        assert word not in lock.read_text()


@each_lock
def test_lock_pins_every_package_by_hash(lock: Path) -> None:
    for pin, hashes in pins(lock).items():
        assert re.match(r"[\w.-]+==\S+", pin), pin
        assert hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), pin


@each_lock
def test_lock_holds_all_that_is_asked_for(lock: Path) -> None:
    groups = PYPROJECT["dependency-groups"]
    asked = [*PYPROJECT["project"]["dependencies"], *groups["build"]]
    if lock == DEVELOPMENT:
        asked += [line for line in groups["dev"] if isinstance(line, str)]
    assert {plain(line) for line in asked} <= {plain(pin) for pin in pins(lock)}


def test_the_bot_runs_on_what_it_is_tested_on() -> None:
    tested = pins(DEVELOPMENT)
    assert {pin: tested.get(pin) for pin in pins(RUNTIME)} == pins(RUNTIME)


def test_tools_for_development_stay_out_of_the_bot() -> None:
    tools = {plain(line) for line in PYPROJECT["dependency-groups"]["dev"] if isinstance(line, str)}
    assert not tools & {plain(pin) for pin in pins(RUNTIME)}


def test_no_tests_folder_is_a_package() -> None:
    # One alone would put its parent on sys.path, where `discord` and `telegram` are folders of tests.
    assert list((ROOT / "tests").rglob("__init__.py")) == []
