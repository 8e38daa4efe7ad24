"""The command line: `florin run | console | audit | doctor | db`.

A problem is one sentence on standard error. Exit status: 0 all is well, 1 something is wrong, 2 what was typed or set
cannot be used. Everything heavy is imported by the command that needs it, so that `--help` is quick.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

if TYPE_CHECKING:
    from bot.settings import Environment
    from economy.store.audit import AuditReport

T = TypeVar("T")

WRONG: Final = 1
UNUSABLE: Final = 2
TERMINATED: Final = 128 + signal.SIGTERM

app = typer.Typer(
    name="florin",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The store's tables, and which release they are at.\n\nRun `upgrade` after installing a newer Florin where the"
    " store is on a server; for a store in a file, `florin run` does it by itself.",
)
app.add_typer(database, name="db")

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Where everything is kept, such as sqlite:///florin.db.  [default: FLORIN_STORE, else florin.db in the"
        " current folder]",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for scripts.")]


class Stop(Exception):  # how a command ends early, not always in error
    """Ends a command with one sentence for the operator and an exit status."""

    def __init__(self, sentence: str, status: int = WRONG) -> None:
        super().__init__(sentence)
        self.status = status


@app.callback()
def florin() -> None:
    """Florin: virtual coins for communities on Discord, Telegram and in a console of your own.

    Start with `florin run`. The environment sets the rest: FLORIN_STORE, FLORIN_LOG_LEVEL and others;
    docs/settings.md lists them all.
    """


@app.command()
def run(store: StoreOption = None) -> None:
    """Opens Florin's doors, and serves until stopped.

    With no platform's token set, that is the console on this machine: a room to try everything in, as anyone. The
    store is made if it is new, and brought up to this release if it is older.
    """
    environment = _environment(store)
    if environment.has_token:
        raise Stop(
            "A platform's token is set, but this release has no door to Discord or Telegram yet; they come with later"
            " releases. Unset FLORIN_DISCORD__TOKEN and FLORIN_TELEGRAM__TOKEN to try Florin in the console.",
        )
    _talk(environment)


@app.command()
def console(
    store: StoreOption = None,
    script: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Play a transcript instead of talking; - reads it from standard input."),
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="With --script: every reply as one JSON object a line.")
    ] = False,
    files: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where files that people attach are found, and files that the bot sends are put."
        ),
    ] = None,
) -> None:
    """Talks to the bot on this machine, as anyone.

    It needs no platform and no token. Say `/help` to begin, `/as NAME` to speak as somebody else. Without --store
    it is the store that `florin run` has.

    With --script it plays a transcript, which is also how to test a community's rules:

    \b
        ana> /tip @bo 50
        bot> ana tipped bo 50 coins.

    Lines with `bot>` say what is expected; a difference is shown, and the exit status is 1. Without --store a
    script gets a new store, which is removed afterwards.
    """
    if json_lines and script is None:
        raise Stop("--json goes with --script: a person is answered in words.", UNUSABLE)
    environment = _environment(store)
    if script is None:
        _talk(environment, files)
    else:
        _play(environment, script, json_lines=json_lines, files=files, temporary=store is None)


@app.command()
def audit(
    store: StoreOption = None,
    json_report: JsonOption = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="First make boards and totals anew from the entries.")
    ] = False,
) -> None:
    """Adds up every posting and says what is broken.

    The sums are held against every balance, total and board, and every entry must balance in itself. Exit status 0:
    the books balance. 1: they do not, and each line names what breaks, the first broken entry included. It changes
    nothing, save with --rebuild, and may run while the bot does.
    """
    from bot.app import audited

    environment = _environment(store)
    _must_exist(environment)
    report = _carried_out(audited(environment.store.get_secret_value(), rebuild=rebuild), environment)
    _say(_as_json(report) if json_report else "\n".join(_told(report)))
    raise typer.Exit(0 if report.ok else WRONG)


def _as_json(report: AuditReport) -> str:
    import msgspec

    return msgspec.json.encode(report).decode()


def _told(report: AuditReport) -> Iterator[str]:
    """A line for each problem, escaped as names may be in it, and one for the whole."""
    from bot.logs import escaped

    for problem in report.problems:
        yield escaped(f"{problem.what}: community {problem.community}, {problem.where}: {problem.detail}")
    looked_at = ", ".join(f"{count:,} {name}" for name, count in report.figures.items() if name != "problems")
    verdict = (
        "The books balance" if report.ok else f"The books do not balance; problems: {report.figures['problems']:,}"
    )
    yield f"{verdict}. Looked at {looked_at}."


@app.command()
def doctor(store: StoreOption = None, json_report: JsonOption = False) -> None:
    """Says what is wrong with set-up, store and machine.

    It looks at settings, store, tables, triggers, disk, clock and time zones, and says what to do about each. Exit
    status 0: nothing is wrong. 1: something is. It changes nothing, and tells no secrets.
    """
    from bot.app import SystemClock, store_state
    from bot.doctor import examine, healthy

    environment = _environment(store)
    state = _carried_out(store_state(environment.store.get_secret_value()), environment)
    findings = examine(environment, state, SystemClock().now())
    if json_report:
        _say(json.dumps([{"about": each.about, "state": each.state, "words": each.words} for each in findings]))
    else:
        _say("\n".join(f"{each.state:<5}  {each.about}: {each.words}" for each in findings))
    raise typer.Exit(0 if healthy(findings) else WRONG)


@database.command()
def upgrade(store: StoreOption = None) -> None:
    """Brings the tables to this release.

    Makes them if there are none: all of it or nothing. `florin run` and `florin console` do it by themselves for a
    store in a file.
    """
    from bot.app import upgraded

    environment = _environment(store)
    before, after = _carried_out(upgraded(environment.store.get_secret_value()), environment)
    _say(f"The tables were at {after} already." if before == after else f"From {before or 'nothing'} to {after}.")


@database.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The revision to go back to, such as 0001; `base` is no tables.")],
    store: StoreOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Takes the tables back to an earlier release.

    What only later tables hold is lost, so it asks first.
    """
    from bot.app import downgraded

    environment = _environment(store)
    _must_exist(environment)
    if not yes:
        typer.confirm(f"Take {_shown(environment)} back to {revision}?", abort=True, err=True)
    before, after = _carried_out(downgraded(environment.store.get_secret_value(), revision), environment)
    _say(f"From {before or 'nothing'} to {after or 'nothing'}.")


@database.command()
def current(store: StoreOption = None) -> None:
    """Says which release the tables are at.

    And which one this Florin needs. Exit status 1 if they differ.
    """
    from bot.app import store_state

    environment = _environment(store)
    _must_exist(environment)
    state = _carried_out(store_state(environment.store.get_secret_value()), environment)
    if state.problem is not None:
        raise Stop(f"{_shown(environment)}: {state.problem}.")
    _say(f"at {state.revision or 'nothing'}, needs {state.head}")
    raise typer.Exit(0 if state.revision == state.head else WRONG)


# --- what commands share --------------------------------------------------------------------------------------------


def _environment(store: str | None) -> Environment:
    """What is set, `--store` before FLORIN_STORE; and logs that go by it."""
    from pydantic import SecretStr

    from bot import logs
    from bot.settings import LogLevel, SettingsError, read_environment

    try:
        environment = read_environment()
    except SettingsError as error:
        raise Stop(str(error), UNUSABLE) from None
    if store is not None:
        environment = environment.model_copy(update={"store": SecretStr(store)})
    # Somebody sits at a terminal in everything that there is so far, and lines between theirs had better matter.
    level = environment.log_level if "log_level" in environment.model_fields_set else LogLevel.WARNING
    logs.configure(level, environment.log_format, environment.secrets, in_full=environment.debug)
    return environment


def _talk(environment: Environment, files: Path | None = None) -> None:
    """Opens the console and talks until somebody leaves it."""
    from adapters.console.repl import Room, run_interactive
    from bot.app import SystemClock, open_conversation

    address = environment.store.get_secret_value()
    file = _file(environment)
    room = Room(
        open_conversation=lambda: open_conversation(address, SystemClock()),
        run=secrets.token_hex(6),
        is_new=file is not None and not file.is_file(),
        history=_history(),
        files=files or Path(),
    )
    raise typer.Exit(_carried_out(run_interactive(room), environment))


def _play(environment: Environment, script: str, *, json_lines: bool, files: Path | None, temporary: bool) -> None:
    """Plays a script, and ends with its exit status."""
    from adapters.console.clock import StandingClock
    from adapters.console.shelf import Shelf
    from adapters.console.transcript import Stage, run_script
    from bot.app import SystemClock, open_conversation, temporary_store

    text = _read(script)
    clock = StandingClock(SystemClock().now())
    with temporary_store() if temporary else nullcontext(environment.store.get_secret_value()) as address:
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
        status = _carried_out(run_script(text, stage), environment)
    raise typer.Exit(status)


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


def _file(environment: Environment) -> Path | None:
    from bot.app import store_file

    try:
        return store_file(environment.store.get_secret_value())
    except ValueError as error:
        raise Stop(f"{_shown(environment)} is no store: {error}.", UNUSABLE) from None


def _must_exist(environment: Environment) -> None:
    """A store that is only asked about is not made by asking."""
    file = _file(environment)
    if file is not None and not file.is_file():
        raise Stop(f"There is no store at {_shown(environment)}; `florin run` makes one.")


def _shown(environment: Environment) -> str:
    from bot.settings import shown_store

    return shown_store(environment.store.get_secret_value())


def _carried_out(work: Coroutine[Any, Any, T], environment: Environment) -> T:
    """Runs `work` to its end. A store that cannot be used ends the command with a sentence."""
    from bot.app import store_problem

    try:
        return asyncio.run(_until_terminated(work))
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None
    except Exception as error:
        problem = store_problem(error)
        if problem is None:
            raise
        raise Stop(f"{_shown(environment)}: {problem}.") from None


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """`work`, which a polite SIGTERM ends as if it had been cancelled: what is open is closed."""
    if ours := asyncio.current_task():
        with suppress(NotImplementedError):  # as on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ours.cancel)
    return await work


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    """The `florin` command."""
    try:
        app(prog_name="florin")
    except Stop as stop:
        sys.stderr.write(f"florin: {stop}\n")
        sys.exit(stop.status)
    except Exception:  # noqa: BLE001  # the last catcher: what comes here is told without a traceback
        sys.exit(_surprised())


def _surprised() -> int:
    """Tells of a fault of ours: where it is for whoever repairs it, without anything that people wrote."""
    import structlog

    from bot import logs
    from bot.settings import LogFormat, LogLevel

    if not structlog.is_configured():
        # Its own way of telling exceptions shows locals.
        logs.configure(LogLevel.WARNING, LogFormat.TEXT)
    structlog.get_logger("florin").exception("florin failed")
    sys.stderr.write("florin: something failed that should not have; the lines above say where.\n")
    return WRONG


if __name__ == "__main__":
    main()
