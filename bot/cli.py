"""The command line: `florin run | console | audit | doctor | backup | restore | move | db`.

A problem is one sentence on standard error. Exit status: 0 all is well, 1 something is wrong, 2 what was typed or set
cannot be used. Everything heavy is imported by the command that needs it, so that `--help` is quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.collecting import collect_rarely
from bot.command_line import (
    UNUSABLE,
    WRONG,
    ProgressLine,
    Stop,
    carried_out,
    environment_of,
    file_of,
    must_exist,
    say,
    shown,
    surprised,
)

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
bots = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Which bots the store is for.\n\nThe first bot of a platform that serves a store is the one that it is for,"
    " and `florin run` refuses the token of another: it would move coins that are not its.",
)
app.add_typer(bots, name="bots")


class Platform(StrEnum):
    DISCORD = "discord"
    TELEGRAM = "telegram"


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
        from bot.logs import configure
        from bot.serving import serve

        # Nobody sits in front of it: what happens is logged as set.
        configure(environment.log_level, environment.log_format, environment.secrets, in_full=environment.debug)
        carried_out(serve(environment), environment)
        return
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

    The sums are held against every balance, total and board, every entry must balance in itself, and every seal must
    match the entries under it. Exit status 0: the books balance. 1: they do not, and each line names what breaks, the
    first broken entry included. It changes nothing, save with --rebuild, which makes no seal anew, and may run while
    the bot does.
    """
    from bot.app import audited

    environment = environment_of(store)
    must_exist(environment)
    with ProgressLine() as progress:
        report = carried_out(audited(environment.address, rebuild=rebuild, progress=progress), environment)
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
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, such as backups/monday.florin.")],
    store: StoreOption = None,
) -> None:
    """Writes the whole store into a new file, and audits that.

    It may run while the bot does, and has everything as it was at one moment. Never copy a store's file with other
    tools: what Florin is just writing would be missing or torn. Whatever database the store is in, the backup is one
    file that `florin restore` reads. It holds names and notes, and only you can read it.

    Exit status 0: the backup is there, and its books balance. 1: there is none, and a sentence says why; or there is
    one, and its books do not balance, as those of the store.
    """
    from bot.app import backed_up

    environment = environment_of(store)
    must_exist(environment)
    with ProgressLine() as progress:
        done = carried_out(backed_up(environment.address, file, progress), environment)
    say("\n".join(_told(done.report)))
    say(f"{file} holds everything that {shown(environment)} does.")
    raise typer.Exit(0 if done.report.ok else WRONG)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `florin backup` wrote.")],
    store: Annotated[
        str,
        typer.Option("--store", metavar="URL", help="Where the new store is to be, such as sqlite:///restored.db."),
    ],
) -> None:
    """Makes a new store out of a backup.

    It goes into a new file or an empty database, never over a store that is there: look at the new one, then let
    FLORIN_STORE name it. A backup of an earlier release is brought up to this one. The backup itself stays as it is.

    Exit status 0: the store is there, and its books balance. 1: nothing was made, and what was found says why.
    """
    from bot.app import restored

    environment = environment_of(store)
    file_of(environment)
    if not file.is_file():
        raise Stop(f"There is no backup at {file}.")
    with ProgressLine() as progress:
        done = carried_out(restored(file, environment.address, progress), environment)
    say("\n".join(_told(done.report)))
    if not done.is_kept:
        raise Stop(f"{file} was not restored, since its books do not balance.")
    say(f"{shown(environment)} holds everything that {file} does.")


@app.command()
def move(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store as it is, such as sqlite:///florin.db.")],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="A new file or an empty database, such as postgresql://host/florin.")
    ],
) -> None:
    """Copies a store to another database, and proves that both hold the same.

    Stop Florin first: whatever is written to FROM meanwhile is not in TO, and is counted. Every row is read back and
    compared before it counts as written, so every balance, sum and key is the same there, and TO is audited. FROM
    stays as it is; afterwards let FLORIN_STORE name TO.

    Exit status 0: TO has everything, and its books balance. 1: it does not, and a sentence says why.
    """
    from bot.app import moved

    environment = environment_of(source)
    must_exist(environment)
    to = environment_of(target)
    file_of(to)
    with ProgressLine() as progress:
        done = carried_out(moved(environment.address, to.address, progress), environment)
    say("\n".join(_told(done.report)))
    counted = ", ".join(f"{count:,} {name}" for name, count in done.copied.figures.items())
    wallets = ", ".join(f"{amount:,} {asset}" for asset, amount in done.copied.wallets.items())
    say(f"{shown(to)} holds the same as {shown(environment)}, row by row: {counted}; in wallets {wallets}.")
    if done.written_after:
        raise Stop(
            f"{done.written_after:,} entries were written to {shown(environment)} since: they are not in {shown(to)}."
            " Stop Florin, and move it again, to another place."
        )
    raise typer.Exit(0 if done.report.ok else WRONG)


@app.command()
def doctor(store: StoreOption = None, json_report: JsonOption = False) -> None:
    """Says what is wrong with set-up, store and machine.

    It looks at the settings; at the database's version, durability, tables, triggers and pages; at the log of SQLite or
    the standbys, time-outs and sessions of PostgreSQL; at disk, clock and time zones. With a token it also asks Discord
    about the token, intents, commands, and permissions on each server; and Telegram about the webhook, menus, and what
    the bot may do in its groups. Each is ok, a warning, or wrong, and says what to do. Exit status 0: nothing is wrong.
    1: something is. It changes nothing, tells no secrets, and may run while the bot does; a large file takes a while,
    since every page of it is looked at.
    """
    from bot.app import SystemClock, store_state
    from bot.doctor import examine, healthy
    from bot.logs import escaped

    environment = environment_of(store)
    clock = SystemClock()
    state = carried_out(store_state(environment.address, clock), environment)
    on_discord = on_telegram = None
    if environment.discord.token is not None:
        from bot.serving import look_at_discord

        on_discord = carried_out(look_at_discord(environment), environment)
    if environment.telegram.token is not None:
        from bot.serving import look_at_telegram

        on_telegram = carried_out(look_at_telegram(environment, state), environment)
    findings = examine(environment, state, clock.now(), on_discord, on_telegram)
    if json_report:
        say(json.dumps([{"about": each.about, "state": each.state, "words": each.words} for each in findings]))
    else:
        say("\n".join(escaped(f"{each.state:<7}  {each.about}: {each.words}") for each in findings))
    raise typer.Exit(0 if healthy(findings) else WRONG)


@bots.command()
def forget(
    platform: Annotated[Platform, typer.Argument(help="The bot of which platform.")], store: StoreOption = None
) -> None:
    """Lets the store be for another bot.

    The next bot of that platform that is started with it is the one that it is for. Coins, members and history stay.
    """
    from bot.app import bot_forgotten

    environment = environment_of(store)
    must_exist(environment)
    was = carried_out(bot_forgotten(environment.address, platform), environment)
    if was is None:
        say(f"The store is for no bot on {platform}: the next that starts is the one.")
    else:
        say(f"The store was for the bot {was} on {platform}. It is for the next that starts.")


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
    from bot.app import store_revisions

    environment = environment_of(store)
    must_exist(environment)
    revision, head = carried_out(store_revisions(environment.address), environment)
    say(f"at {revision or 'nothing'}, needs {head}")
    raise typer.Exit(0 if revision == head else WRONG)


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
