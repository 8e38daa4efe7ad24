"""Opens the console: to talk, or to play a script."""

from __future__ import annotations

import secrets
import sys
from contextlib import nullcontext
from pathlib import Path

from adapters.console.clock import StandingClock
from adapters.console.repl import Room, run_interactive
from adapters.console.shelf import Shelf
from adapters.console.transcript import Stage, run_script
from bot.app import SystemClock, open_conversation, temporary_store
from bot.command_line import UNUSABLE, Stop, carried_out, file_of
from bot.settings import Environment


def talk(environment: Environment, files: Path | None = None) -> int:
    """Opens the console and talks until somebody leaves it. Answers the exit status."""
    address = environment.address
    file = file_of(environment)
    room = Room(
        open_conversation=lambda: open_conversation(address, SystemClock(), environment.listen),
        run=secrets.token_hex(6),
        is_new=file is not None and not file.is_file(),
        history=_history(),
        files=files or Path(),
    )
    return carried_out(run_interactive(room), environment)


def play(environment: Environment, script: str, *, json_lines: bool, files: Path | None, temporary: bool) -> int:
    """Plays a script; `temporary`: on a new store, which is removed afterwards. Answers the exit status."""
    text = _read(script)
    clock = StandingClock(SystemClock().now())
    with temporary_store() if temporary else nullcontext(environment.address) as address:
        stage = Stage(
            open_conversation=lambda: open_conversation(address, clock),
            clock=clock,
            run=secrets.token_hex(6),
            out=sys.stdout,
            err=sys.stderr,
            as_json=json_lines,
            shelf=None if files is None else Shelf(files),
            folders=_folders(script, files),
        )
        return carried_out(run_script(text, stage), environment)


def _read(script: str) -> str:
    try:
        return sys.stdin.read() if script == "-" else Path(script).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Stop(f"The script {script} cannot be read: {reason}.", UNUSABLE) from None


def _folders(script: str, files: Path | None) -> tuple[Path, ...]:
    """Where a script's files are: beside it, where --files says, and here."""
    beside = () if script == "-" else (Path(script).parent,)
    return (*(() if files is None else (files,)), *beside, Path())


def _history() -> Path | None:
    """The file that keeps what was typed in the console, in the person's home; None where there is none."""
    try:
        folder = Path.home() / ".local" / "state" / "florin"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):
        return None
    return folder / "console-history"
