"""What `florin doctor` looks at, and how it says what it found. Pure: others look, this judges.

No finding holds a secret: an address is shown without its password, a token is only said to be set.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from bot.naming import inert
from bot.settings import Environment, shown_store

if TYPE_CHECKING:
    from adapters.telegram.examining import GroupState, TelegramState

DISK_FREE_MIN: Final = 200 * 1024 * 1024
"""Bytes. A store that grows by its log needs some room to write at all."""
RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right stands before the release that reads it."""
FAILED_LATELY: Final = timedelta(hours=1)
CLOCK_SLACK: Final = timedelta(minutes=1)


class State(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing, nothing to repair
    WRONG = "wrong"


class Finding(Struct, frozen=True):
    about: str
    state: State
    words: str


class StoreState(Struct, frozen=True, kw_only=True):
    """What was found at a store's address. `problem` says why it could not be opened, and then all else is unknown.

    `fingerprint_kept` says whether tables, checks and triggers are as they were made; None where nobody looked.
    `written` is when a file was last written to, `disk_free` counts bytes; both None where it is no file.
    """

    address: str
    exists: bool
    problem: str | None = None
    revision: str | None = None
    head: str = ""
    fingerprint_kept: bool | None = None
    written: datetime | None = None
    disk_free: int | None = None


def examine(
    environment: Environment, store: StoreState, now: datetime, telegram: TelegramState | None = None
) -> tuple[Finding, ...]:
    """Everything there is to say, in the order of what rests on what."""
    own = (_settings(environment), *_store(store), *_disk(store), _clock(store, now), _zones())
    return own if telegram is None else (*own, *_telegram(environment, telegram, now))


def healthy(findings: tuple[Finding, ...]) -> bool:
    return all(finding.state is not State.WRONG for finding in findings)


def _settings(environment: Environment) -> Finding:
    if environment.discord.token:
        words = "a token for Discord is set, and this release has no door there yet"
        return Finding("settings", State.NOTE, words)
    if environment.telegram.token:
        return Finding("settings", State.OK, "`florin run` opens the door to Telegram")
    debug = ", and FLORIN_DEBUG is on" if environment.debug else ""
    return Finding("settings", State.OK, f"no token is set, so `florin run` opens the console{debug}")


def _store(store: StoreState) -> tuple[Finding, ...]:
    shown = shown_store(store.address)
    if store.problem is not None:
        return (Finding("store", State.WRONG, f"{shown}: {store.problem}"),)
    if not store.exists:
        return (Finding("store", State.NOTE, f"{shown} is not there yet; `florin run` makes it"),)
    opened = Finding("store", State.OK, f"{shown} opens, and keeps what was answered through a power loss")
    if store.revision != store.head:
        words = f"its tables are at {store.revision or 'nothing'}, not {store.head}: run `florin db upgrade`"
        return (opened, Finding("schema", State.WRONG, words))
    schema = Finding("schema", State.OK, f"its tables are at {store.head}, as this release needs")
    if store.fingerprint_kept is None:
        return (opened, schema)
    if store.fingerprint_kept:
        return (opened, schema, Finding("triggers", State.OK, "tables, checks and triggers are as they were made"))
    words = "tables, checks or triggers were changed by hand: entries may not be safe from change; restore a backup"
    return (opened, schema, Finding("triggers", State.WRONG, words))


def _disk(store: StoreState) -> tuple[Finding, ...]:
    if store.disk_free is None:
        return ()
    enough = store.disk_free >= DISK_FREE_MIN
    words = f"{store.disk_free // 1024**2:,} MB are free where the store is"
    if not enough:
        words += f"; {DISK_FREE_MIN // 1024**2} MB should be"
    return (Finding("disk", State.OK if enough else State.WRONG, words),)


def _clock(store: StoreState, now: datetime) -> Finding:
    shown = now.strftime("%Y-%m-%d %H:%M UTC")
    if now < RELEASED:
        return Finding("clock", State.WRONG, f"{shown} is before this release was made: set the clock")
    if store.written is not None and store.written > now + CLOCK_SLACK:
        last = store.written.strftime("%Y-%m-%d %H:%M UTC")
        return Finding("clock", State.WRONG, f"{shown} is before the store was last written to, {last}: set the clock")
    return Finding("clock", State.OK, shown)


def _telegram(environment: Environment, found: TelegramState, now: datetime) -> tuple[Finding, ...]:
    if not found.knows_token:
        words = "Telegram does not know the token: copy it again from @BotFather, into FLORIN_TELEGRAM__TOKEN"
        return (Finding("telegram", State.WRONG, words),)
    if found.problem:
        return (Finding("telegram", State.WRONG, f"Telegram cannot be asked: {found.problem}"),)
    return (
        Finding("telegram", State.OK, f"the token is @{found.handle}'s"),
        _privacy(found),
        _webhook(environment, found, now),
        _menus(found),
        *(_group(found, group) for group in found.groups),
    )


def _privacy(found: TelegramState) -> Finding:
    if found.sees_all:
        return Finding("privacy mode", State.OK, "off: it sees every message of the groups it is in")
    words = "on: where it is no administrator it sees only what is addressed to it"
    return Finding("privacy mode", State.NOTE, words)


def _webhook(environment: Environment, found: TelegramState, now: datetime) -> Finding:
    wanted = environment.telegram.webhook or ""
    if found.webhook != wanted:
        if not wanted:
            words = "Telegram still calls one, and FLORIN_TELEGRAM__WEBHOOK is not set: `florin run` takes it away"
        else:
            words = "Telegram does not call FLORIN_TELEGRAM__WEBHOOK yet: `florin run` tells it to"
        return Finding("webhook", State.NOTE, words)
    if not wanted:
        return Finding("webhook", State.OK, f"none: one process fetches; {found.pending:,} updates wait")
    if found.failed_at is not None and now - found.failed_at < FAILED_LATELY:
        return Finding("webhook", State.WRONG, f"Telegram's last call failed: {found.failure}; {found.pending:,} wait")
    return Finding("webhook", State.OK, f"Telegram calls it; {found.pending:,} updates wait")


def _menus(found: TelegramState) -> Finding:
    if found.menus_kept:
        return Finding("menus", State.OK, "as this release makes them")
    return Finding("menus", State.NOTE, "not as this release makes them: `florin run` sets them")


def _group(found: TelegramState, group: GroupState) -> Finding:
    about = f"group {inert(group.title)}"
    if group.problem:
        return Finding(about, State.NOTE, group.problem)
    if not group.administers and not found.sees_all:
        words = "the bot is no administrator there: it sees commands with its name alone, and nobody come or go"
        return Finding(about, State.NOTE, words)
    if not group.may_delete:
        return Finding(about, State.OK, "it sees what it needs, and may not remove commands that were answered")
    return Finding(about, State.OK, "it sees what it needs")


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Tokyo")
    except ZoneInfoNotFoundError:
        return Finding("time zones", State.WRONG, "this Python finds no time zones: install tzdata")
    return Finding("time zones", State.OK, "known")
