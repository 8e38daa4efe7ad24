"""The command line as an operator meets it: help, exit statuses, and one sentence where something is wrong."""

import gc
import io
import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest
import structlog

import bot.cli
from bot.command_line import TERMINATED, ProgressLine
from economy.store.revision import HEAD

SUBCOMMANDS = [
    *("run", "console", "audit", "doctor", "backup", "restore", "move"),
    *("db", "db upgrade", "db downgrade", "db current", "bots", "bots forget"),
]
TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"

SCRIPT = """\
! owner ana
! join bo
ana> /coins add @ana 500 first coins
ana> /tip @bo 50
"""


class Done(NamedTuple):
    status: int
    out: str
    err: str


class Florin(Protocol):
    def __call__(self, *arguments: str, said: str = "", **variables: str) -> Done: ...


@pytest.fixture
def florin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Florin]:
    """The command line in an empty folder, with nothing of ours in the environment but what a test sets."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    thresholds = gc.get_threshold()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("FLORIN_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, said: str = "", **variables: str) -> Done:
        with monkeypatch.context() as during:
            during.setattr(sys, "argv", ["florin", *arguments])
            during.setattr(sys, "stdin", io.StringIO(said))
            for name, value in variables.items():
                during.setenv(f"FLORIN_{name}", value)
            with pytest.raises(SystemExit) as ended:
                bot.cli.main()
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, told.out, told.err)

    yield run
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def store(florin: Florin, tmp_path: Path) -> Path:
    """A store in which ana has tipped bo."""
    done = florin("console", "--script", "-", "--store", "florin.db", said=SCRIPT)
    assert done.status == 0, done.err
    return tmp_path / "florin.db"


def tampered(store: Path, *statements: str) -> None:
    """Changes a store behind Florin's back, triggers and all."""
    with sqlite3.connect(store) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def is_one_sentence(told: str) -> bool:
    return told.startswith("florin: ") and told.count("\n") == 1 and "Traceback" not in told


@pytest.mark.parametrize("command", SUBCOMMANDS)
def test_every_subcommand_has_help_worth_reading(florin, command):
    done = florin(*command.split(), "--help")
    assert done.status == 0
    assert done.err == ""
    assert len(done.out.splitlines()) > 8
    assert "--store" in done.out or command in {"bots", "db", "move"}


def test_no_subcommand_is_forgotten():
    """The list above holds them all."""
    groups = {"": bot.cli.app, "db ": bot.cli.database, "bots ": bot.cli.bots}
    assert {f"{group.name} " for group in bot.cli.app.registered_groups} | {""} == groups.keys()
    commands = [
        f"{prefix}{command.callback.__name__}"
        for prefix, group in groups.items()
        for command in group.registered_commands
        if command.callback
    ]
    assert sorted([*commands, "bots", "db"]) == sorted(SUBCOMMANDS)


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys, bot.cli; heavy = {'sqlalchemy', 'prompt_toolkit', 'babel', 'pydantic', 'alembic'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_fault_of_ours_is_told_without_what_it_was_about(tmp_path):
    """Faults 129 and 131: no traceback, no locals, and nothing that the exception quotes."""
    code = (
        "import bot.cli\n"
        "@bot.cli.app.command()\n"
        "def fail() -> None:\n"
        "    local = 'canary in a local'\n"
        "    raise ValueError('canary in ' + local)\n"
        "bot.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "fail"], capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "canary" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "ValueError" in done.stderr


# --- what is set ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "console", "audit", "doctor", "db current"])
def test_a_setting_that_cannot_be_used_is_one_sentence(florin, command):
    """Fault 129: and the value is not told."""
    done = florin(*command.split(), DISCORD__TOKEN=TOKEN[:-5] + "!")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "FLORIN_DISCORD__TOKEN" in done.err
    assert TOKEN[:20] not in done.out + done.err


def test_run_says_where_discord_cannot_be_reached(florin):
    """Fault 129: and tells no token."""
    done = florin("run", DISCORD__TOKEN="test-discord", DISCORD__API_URL="http://127.0.0.1:9")
    assert done.status == 1
    assert done.err.splitlines()[-1] == "florin: Discord could not be reached (ClientConnectorError)."
    assert "test-discord" not in done.err


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("mysql://host/florin", 2),
        ("sqlite:///:memory:", 2),
        ("sqlite:///nowhere/florin.db", 1),
        ("::::", 1),
    ],
)
def test_an_address_that_is_no_store_is_one_sentence(florin, address, status):
    done = florin("audit", "--store", address)
    assert done.status == status
    assert is_one_sentence(done.err)


def test_a_file_that_is_no_store_is_one_sentence(florin, tmp_path):
    (tmp_path / "florin.db").write_text("this is a shopping list, and long enough to be looked at as a database" * 20)
    for command in (
        ("audit",),
        ("db", "upgrade"),
        ("db", "current"),
        ("console", "--script", "-", "--store", "florin.db"),
    ):
        done = florin(*command)
        assert done.status == 1, command
        assert is_one_sentence(done.err), done.err


# --- console ----------------------------------------------------------------------------------------------------------


def test_a_script_answers_as_json(florin):
    done = florin("console", "--script", "-", "--json", said=SCRIPT)
    replies = [json.loads(line) for line in done.out.splitlines()]
    assert done.status == 0, done.err
    assert [(reply["command"], reply["outcome"]) for reply in replies] == [("coins", "coins"), ("tip", "tip")]
    assert replies[1]["fields"] == {"tips": [{"to": "bo", "amount": 50}]}


def test_a_script_without_a_store_leaves_nothing_behind(florin, tmp_path):
    done = florin("console", "--script", "-", said=SCRIPT, STORE="sqlite:///mine.db")
    assert done.status == 0, done.err
    assert not (tmp_path / "mine.db").exists()
    assert not (tmp_path / "florin.db").exists()


def test_a_script_that_expects_something_else_fails_with_the_difference(florin):
    done = florin("console", "--script", "-", said=SCRIPT + "bot> ana tipped bo 51 coins.\n")
    assert done.status == 1
    assert "ana tipped bo 51 coins." in done.out + done.err


def test_the_same_script_twice_acts_twice_on_one_store(florin, store):
    again = florin("console", "--script", "-", "--store", "florin.db", said="bo> /balance\n")
    assert "You have 50 coins" in again.out
    florin("console", "--script", "-", "--store", "florin.db", said=SCRIPT)
    again = florin("console", "--script", "-", "--store", "florin.db", said="bo> /balance\n")
    assert "You have 100 coins" in again.out


def test_a_script_that_is_not_there_is_one_sentence(florin):
    done = florin("console", "--script", "nowhere.txt")
    assert done.status == 2
    assert is_one_sentence(done.err)


def test_json_without_a_script_is_one_sentence(florin):
    done = florin("console", "--json")
    assert done.status == 2
    assert is_one_sentence(done.err)


def test_a_polite_end_closes_everything(tmp_path):
    """The log that SQLite leaves beside a store is gone once the store is closed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLORIN_")}
    with subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "run"],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("n\nana\n/settings\n")
        process.stdin.flush()
        assert any("undo_window" in line for line in process.stdout)
        assert (tmp_path / "florin.db-wal").exists()
        process.terminate()
        assert process.wait(timeout=30) == TERMINATED
    assert (tmp_path / "florin.db").exists()
    assert not (tmp_path / "florin.db-wal").exists()


# --- audit ------------------------------------------------------------------------------------------------------------


def audited(florin: Florin, *arguments: str) -> tuple[int, Any]:
    done = florin("audit", "--json", *arguments)
    assert done.err == ""
    return done.status, json.loads(done.out)


def test_audit_of_a_healthy_store_exits_0(florin, store):
    status, report = audited(florin)
    assert (status, report["ok"]) == (0, True)
    words = florin("audit")
    assert words.status == 0
    assert words.out.strip()


def test_audit_of_a_broken_store_exits_1_and_names_what_broke(florin, store):
    tampered(store, "UPDATE accounts SET balance = balance + 1 WHERE owner > 0 AND asset = 'bonus'")
    status, report = audited(florin)
    assert (status, report["ok"]) == (1, False)
    words = florin("audit")
    assert words.status == 1
    assert "bonus" in words.out


def test_audit_sees_an_entry_that_was_changed(florin, store):
    with sqlite3.connect(store) as connection:
        triggers = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    connection.close()
    drops = [f"DROP TRIGGER {name}" for name in triggers]
    tampered(store, *drops, "UPDATE postings SET amount = amount + 1 WHERE entry = (SELECT max(entry) FROM postings)")
    status, report = audited(florin)
    assert (status, report["ok"]) == (1, False)


def test_audit_rebuilds_boards_to_the_same(florin, store):
    status, report = audited(florin, "--rebuild")
    assert (status, report["ok"]) == (0, True)


def test_audit_of_no_store_makes_none(florin, tmp_path):
    done = florin("audit")
    assert done.status == 1
    assert is_one_sentence(done.err)
    assert list(tmp_path.iterdir()) == []


def test_audit_names_the_seal_over_what_was_changed(florin, store):
    """Fault 152"""
    drops = [f"DROP TRIGGER entries_refuse_{change}" for change in ("update", "delete")]
    tampered(store, *drops, "UPDATE entries SET at_us = at_us + 1 WHERE number = 1")
    words = florin("audit")
    assert words.status == 1
    assert "seal: community 1, seal 1, entries 1" in words.out


# --- backup, restore, move --------------------------------------------------------------------------------------------


def test_a_backup_is_restored_into_a_new_store(florin, store, tmp_path):
    """Fault 139"""
    kept = florin("backup", "monday")
    assert (kept.status, kept.err) == (0, "")
    assert kept.out.endswith("monday holds everything that sqlite:///florin.db does.\n")
    back = florin("restore", "monday", "--store", "sqlite:///new.db")
    assert (back.status, back.err) == (0, "")
    assert "The books balance." in back.out
    said = florin("console", "--script", "-", "--store", "new.db", said="ana (private)> /balance\n")
    assert said.status == 0
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["florin.db", "monday", "new.db"]


@pytest.mark.parametrize(
    "command",
    [
        ("backup", "florin.db"),
        ("restore", "florin.db", "--store", "florin.db"),
        ("move", "florin.db", "florin.db"),
    ],
)
def test_no_copy_goes_over_a_store(florin, store, command):
    before = store.read_bytes()
    done = florin(*command)
    assert done.status == 1
    assert is_one_sentence(done.err)
    assert "is there already" in done.err
    assert store.read_bytes() == before


@pytest.mark.parametrize(
    "command", [("backup", "monday"), ("restore", "monday", "--store", "new.db"), ("move", "florin.db", "new.db")]
)
def test_a_copy_of_nothing_makes_nothing(florin, tmp_path, command):
    done = florin(*command)
    assert done.status == 1
    assert is_one_sentence(done.err)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_of_broken_books_is_kept_and_exits_1_and_is_not_restored(florin, store, tmp_path):
    tampered(store, "UPDATE accounts SET balance = balance + 1 WHERE owner > 0 AND asset = 'bonus'")
    kept = florin("backup", "monday")
    assert kept.status == 1
    assert "The books do not balance" in kept.out
    back = florin("restore", "monday", "--store", "new.db")
    assert back.status == 1
    assert is_one_sentence(back.err)
    assert not (tmp_path / "new.db").exists()


def test_a_move_tells_what_both_hold(florin, store):
    """Fault 148"""
    done = florin("move", "florin.db", "sqlite:///moved.db")
    assert (done.status, done.err) == (0, "")
    assert "sqlite:///moved.db holds the same as" in done.out
    assert "row by row: 1 communities" in done.out
    assert florin("audit", "--store", "moved.db").status == 0


def test_progress_is_told_in_lines_where_nobody_watches(monkeypatch, capsys):
    monkeypatch.setattr("bot.command_line.BY_LINE_S", 0.0)
    with ProgressLine() as progress:
        progress("auditing", 5_000, 20_000)
    assert capsys.readouterr().err == "auditing: 5,000 of 20,000 (25 %)\n"


# --- db ---------------------------------------------------------------------------------------------------------------


def test_db_upgrade_makes_the_tables_and_current_tells(florin):
    assert florin("db", "upgrade").out.startswith(f"From nothing to {HEAD}")
    assert "already" in florin("db", "upgrade").out
    current = florin("db", "current")
    assert (current.status, current.out) == (0, f"at {HEAD}, needs {HEAD}\n")


def test_db_downgrade_asks_first(florin, store):
    refused = florin("db", "downgrade", "base", said="n\n")
    assert refused.status == 1
    assert florin("db", "current").status == 0
    assert florin("db", "downgrade", "base", "--yes").out == f"From {HEAD} to nothing.\n"
    assert florin("db", "current").status == 1


def test_a_store_of_a_later_release_is_left_alone(florin, store):
    tampered(store, "UPDATE alembic_version SET version_num = '9999'")
    for command in (("audit",), ("db", "upgrade"), ("console", "--script", "-", "--store", "florin.db")):
        done = florin(*command)
        assert done.status == 1, command
        assert is_one_sentence(done.err), done.err


# --- doctor -----------------------------------------------------------------------------------------------------------


def doctor(florin: Florin, **variables: str) -> tuple[int, dict[str, tuple[str, str]]]:
    done = florin("doctor", "--json", **variables)
    assert done.err == ""
    return done.status, {found["about"]: (found["state"], found["words"]) for found in json.loads(done.out)}


def test_doctor_finds_a_healthy_store_healthy(florin, store):
    status, found = doctor(florin)
    assert status == 0
    # SQLite's version is the machine's.
    abouts = ("settings", "store", "durability", "schema", "triggers", "pages", "log", "disk", "clock", "time zones")
    assert {about: state for about, (state, _) in found.items() if about != "version"} == dict.fromkeys(abouts, "ok")
    assert "store: sqlite:///florin.db opens" in florin("doctor").out


def test_doctor_before_the_first_run_makes_nothing(florin, tmp_path):
    status, found = doctor(florin)
    assert (status, found["store"][0]) == (0, "ok")
    assert list(tmp_path.iterdir()) == []


def test_doctor_sees_a_trigger_that_is_gone(florin, store):
    tampered(store, "DROP TRIGGER entries_refuse_delete")
    status, found = doctor(florin)
    assert (status, found["triggers"][0]) == (1, "wrong")
    assert "by hand: entries;" in found["triggers"][1]


def test_doctor_sees_pages_that_fell_apart(florin, store):
    """Fault 49"""
    with sqlite3.connect(store) as connection:
        [(page, size)] = connection.execute(
            "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'ix_postings_source'"
        )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    torn = bytearray(store.read_bytes())
    torn[(page - 1) * size : page * size] = bytes(size)
    store.write_bytes(torn)
    status, found = doctor(florin)
    assert (status, found["pages"][0]) == (1, "wrong")


def test_doctor_sees_tables_of_another_release(florin, store):
    tampered(store, "UPDATE alembic_version SET version_num = '9999'")
    status, found = doctor(florin)
    assert (status, found["schema"][0]) == (1, "wrong")


def test_doctor_sees_a_clock_that_went_back(florin, store):
    later = store.stat().st_mtime + 86_400
    os.utime(store, (later, later))
    status, found = doctor(florin)
    assert (status, found["clock"][0]) == (1, "wrong")


def test_doctor_sees_a_file_that_is_no_store(florin, tmp_path):
    (tmp_path / "florin.db").write_text("this is a shopping list, and long enough to be looked at as a database" * 20)
    status, found = doctor(florin)
    assert (status, found["store"][0]) == (1, "wrong")


def test_doctor_tells_no_token(florin):
    """Fault 129"""
    done = florin("doctor", DISCORD__TOKEN="test-canary", DISCORD__API_URL="http://127.0.0.1:9")
    assert "a token for Discord is set" in done.out
    assert "wrong    discord: Discord could not be asked (ClientConnectorError)" in done.out
    assert "canary" not in done.out + done.err


# --- metrics ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run", "console"])
def test_an_address_for_metrics_that_is_taken_stops_with_one_sentence(florin, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = florin(command, said="/help\n", METRICS__LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.status == 2
    assert is_one_sentence(done.err)
    assert "FLORIN_METRICS__LISTEN" in done.err


def test_the_console_goes_by_the_address_for_metrics(florin):
    done = florin("run", said="/help\n", METRICS__LISTEN="127.0.0.1:0", LOG_LEVEL="info")
    assert done.status == 0
    assert "metrics and health are at http://127.0.0.1:" in done.err
    assert "kind=join outcome=done" in done.err
