"""`./dev` itself. That it sets up a bare machine, only a bare machine can show."""

import importlib.machinery
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "dev", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def elsewhere(tmp_path: Path) -> ModuleType:
    """The script, in a folder where the development lock was set up."""
    for name in ("dev", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    loader = importlib.machinery.SourceFileLoader("dev_elsewhere", str(tmp_path / "dev"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    module.PYTHON.parent.mkdir(parents=True)
    module.PYTHON.symlink_to(sys.executable)
    stamp = {"root": str(tmp_path), "runtime": module.wanted("runtime"), "dev": module.wanted("dev")}
    module.STAMP.write_text(json.dumps(stamp))
    return module


def change(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_help_tells_of_every_command(elsewhere: ModuleType) -> None:
    told = dev("--help").stdout
    assert all(f"./dev {command}" in told for command in elsewhere.COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    done = dev("dance")
    assert done.returncode == 2
    assert "No such command: dance" in done.stderr


def test_what_is_set_up_is_not_set_up_again(elsewhere: ModuleType) -> None:
    assert elsewhere.ready("runtime")
    assert elsewhere.ready("dev")


def test_a_changed_lock_is_set_up_again(elsewhere: ModuleType) -> None:
    change(elsewhere.LOCKS["dev"], "\npytest==", "\npytest==0")
    assert elsewhere.ready("runtime")
    assert not elsewhere.ready("dev")


def test_a_changed_dependency_is_set_up_again(elsewhere: ModuleType) -> None:
    change(elsewhere.ROOT / "pyproject.toml", '"rich>=', '"rich>=0')
    assert not elsewhere.ready("runtime")


def test_a_changed_setting_of_a_tool_is_not_set_up_again(elsewhere: ModuleType) -> None:
    change(elsewhere.ROOT / "pyproject.toml", "strict = true", "strict = false")
    assert elsewhere.ready("dev")


@pytest.mark.parametrize("spoilt", ["{", "{}", '{"root": "/elsewhere"}'])
def test_a_set_up_that_was_interrupted_or_moved_is_begun_afresh(elsewhere: ModuleType, spoilt: str) -> None:
    elsewhere.STAMP.write_text(spoilt)
    assert elsewhere.stamped() == {}


def test_a_python_that_has_gone_is_noticed(elsewhere: ModuleType) -> None:
    elsewhere.PYTHON.unlink()
    elsewhere.PYTHON.symlink_to("/gone")
    assert not elsewhere.ready("runtime")
