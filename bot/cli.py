"""The command line: `florin run | console | audit | doctor | db`.

A problem is one sentence on standard error. Exit status: 0 all is well, 1 something is wrong, 2 what was typed or set
cannot be used. Everything heavy is imported by the command that needs it, so that `--help` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.collecting import collect_rarely
from bot.command_line import UNUSABLE, WRONG, Stop, carried_out, environment_of, must_exist, say, shown, surprised

if TYPE_CHECKING:
    from economy.store.audit import AuditReport

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
    environment = environment_of(store)
    if environment.has_token:
        raise Stop(
            "A platform's token is set, but this release has no door to Discord or Telegram yet; they come with later"
            " releases. Unset FLORIN_DISCORD__TOKEN and FLORIN_TELEGRAM__TOKEN to try Florin in the console.",
        )
    from bot.console import talk

    raise typer.Exit(talk(environment))


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
    environment = environment_of(store)
    from bot.console import play, talk

    if script is None:
        raise typer.Exit(talk(environment, files))
    raise typer.Exit(play(environment, script, json_lines=json_lines, files=files, temporary=store is None))


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

    environment = environment_of(store)
    must_exist(environment)
    report = carried_out(audited(environment.address, rebuild=rebuild), environment)
    say(_as_json(report) if json_report else "\n".join(_told(report)))
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

    environment = environment_of(store)
    state = carried_out(store_state(environment.address), environment)
    findings = examine(environment, state, SystemClock().now())
    if json_report:
        say(json.dumps([{"about": each.about, "state": each.state, "words": each.words} for each in findings]))
    else:
        say("\n".join(f"{each.state:<5}  {each.about}: {each.words}" for each in findings))
    raise typer.Exit(0 if healthy(findings) else WRONG)


@database.command()
def upgrade(store: StoreOption = None) -> None:
    """Brings the tables to this release.

    Makes them if there are none: all of it or nothing. `florin run` and `florin console` do it by themselves for a
    store in a file.
    """
    from bot.app import upgraded

    environment = environment_of(store)
    before, after = carried_out(upgraded(environment.address), environment)
    say(f"The tables were at {after} already." if before == after else f"From {before or 'nothing'} to {after}.")


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

    environment = environment_of(store)
    must_exist(environment)
    if not yes:
        typer.confirm(f"Take {shown(environment)} back to {revision}?", abort=True, err=True)
    before, after = carried_out(downgraded(environment.address, revision), environment)
    say(f"From {before or 'nothing'} to {after or 'nothing'}.")


@database.command()
def current(store: StoreOption = None) -> None:
    """Says which release the tables are at.

    And which one this Florin needs. Exit status 1 if they differ.
    """
    from bot.app import store_state

    environment = environment_of(store)
    must_exist(environment)
    state = carried_out(store_state(environment.address), environment)
    if state.problem is not None:
        raise Stop(f"{shown(environment)}: {state.problem}.")
    say(f"at {state.revision or 'nothing'}, needs {state.head}")
    raise typer.Exit(0 if state.revision == state.head else WRONG)


def main() -> None:
    """The `florin` command."""
    collect_rarely()
    try:
        app(prog_name="florin")
    except Stop as stop:
        sys.stderr.write(f"florin: {stop}\n")
        sys.exit(stop.status)
    except Exception:  # noqa: BLE001  # the last catcher: what comes here is told without a traceback
        sys.exit(surprised())


if __name__ == "__main__":
    main()
