"""What `florin doctor` looks at, and how it says what it found. Pure: others look, this judges.

No finding holds a secret: an address is shown without its password, a token is only said to be set.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from adapters.discord.found import DiscordState, invite_link
from bot.logs import escaped
from bot.settings import Environment, shown_store

DISK_FREE_MIN: Final = 200 * 1024 * 1024
"""Bytes. A store that grows by its log needs some room to write at all."""
RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right stands before the release that reads it."""
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
    environment: Environment, store: StoreState, now: datetime, on_discord: DiscordState | None = None
) -> tuple[Finding, ...]:
    """Everything there is to say, in the order of what rests on what. `on_discord` is None where nobody asked there."""
    return (
        _settings(environment),
        *_store(store),
        *_disk(store),
        _clock(store, now),
        _zones(),
        *(() if on_discord is None else _discord(on_discord)),
    )


def healthy(findings: tuple[Finding, ...]) -> bool:
    return all(finding.state is not State.WRONG for finding in findings)


def _settings(environment: Environment) -> Finding:
    if environment.telegram.token:
        return Finding("settings", State.NOTE, "a token for Telegram is set, and this release has no door there yet")
    if environment.discord.token:
        return Finding("settings", State.OK, "a token for Discord is set, so `florin run` opens that door")
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


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Tokyo")
    except ZoneInfoNotFoundError:
        return Finding("time zones", State.WRONG, "this Python finds no time zones: install tzdata")
    return Finding("time zones", State.OK, "known")


# --- Discord --------------------------------------------------------------------------------------------------------

GUILDS_NAMED_MAX: Final = 10
"""How many servers that lack something are named."""


def _discord(found: DiscordState) -> tuple[Finding, ...]:
    if found.problem is not None:
        return (Finding("discord", State.WRONG, found.problem),)
    link = invite_link(found.application_id)
    return (
        Finding("discord", State.OK, f"the token is that of {found.name}, application {found.application_id}"),
        *_interactions(found),
        _intents(found),
        _commands(found),
        *_guilds(found, link),
    )


def _interactions(found: DiscordState) -> tuple[Finding, ...]:
    if not found.interactions_go_elsewhere:
        return ()
    words = "an interactions endpoint is set in the developer portal, so commands do not arrive here: empty that field"
    return (Finding("discord interactions", State.WRONG, words),)


def _intents(found: DiscordState) -> Finding:
    if found.wants_members_intent and not found.has_members_intent:
        words = (
            "FLORIN_DISCORD__MEMBERS_INTENT is on, and Discord does not give it: switch the Server Members Intent on in"
            " the developer portal, or unset the variable"
        )
        return Finding("discord intents", State.WRONG, words)
    if not found.wants_members_intent:
        words = "none that need leave; who leaves is noticed when Discord next says so, and roles cannot be tipped"
        return Finding("discord intents", State.OK, words)
    return Finding("discord intents", State.OK, "the members intent, which Discord gives")


def _commands(found: DiscordState) -> Finding:
    if found.commands_in_sync:
        return Finding("discord commands", State.OK, "Discord has the commands of this release")
    words = "Discord has others than this release; `florin run` tells it when it starts"
    return Finding("discord commands", State.NOTE, words)


def _guilds(found: DiscordState, link: str) -> tuple[Finding, ...]:
    if not found.guilds:
        return (Finding("discord servers", State.NOTE, f"it is in no server yet; add it with {link}"),)
    lacking = [guild for guild in found.guilds if guild.lacking]
    if not lacking:
        return (Finding("discord servers", State.OK, f"it may do what it needs in all {len(found.guilds)}"),)
    told = [
        Finding("discord servers", State.WRONG, f"{escaped(guild.name)} lacks {', '.join(guild.lacking)}")
        for guild in lacking[:GUILDS_NAMED_MAX]
    ]
    if len(lacking) > GUILDS_NAMED_MAX:
        told.append(Finding("discord servers", State.WRONG, f"and {len(lacking) - GUILDS_NAMED_MAX} more"))
    return (*told, Finding("discord servers", State.NOTE, f"its owner can add it again with all of it: {link}"))
