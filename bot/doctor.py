"""What `florin doctor` looks at, and how it says what it found. Pure: others look, this judges.

No finding holds a secret: an address is shown without its password, a token is only said to be set.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from adapters.discord.found import DiscordState
from adapters.telegram.found import TelegramState
from bot.doctor_discord import examined_on_discord
from bot.doctor_store import examined, room
from bot.doctor_telegram import examined_on_telegram
from bot.findings import Finding, State
from bot.settings import Environment, shown_store
from economy.checkup import Checkup, FileFacts

RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right stands before the release that reads it."""
CLOCK_SLACK: Final = timedelta(minutes=1)
CLOCK_AHEAD_S_MAX: Final = 5.0
"""What processes that share a database may differ by: offers and limits of a day begin and end by their clocks."""


class StoreState(Struct, frozen=True, kw_only=True):
    """What was found at a store's address. `problem` says why it could not be opened, and then `checkup` is None.

    `disk_free` counts bytes where the file is or will be; None for a server.
    """

    address: str
    exists: bool
    problem: str | None = None
    checkup: Checkup | None = None
    disk_free: int | None = None


def examine(
    environment: Environment,
    store: StoreState,
    now: datetime,
    on_discord: DiscordState | None = None,
    on_telegram: TelegramState | None = None,
) -> tuple[Finding, ...]:
    """Everything there is to say, in the order of what rests on what. None of a platform is: nobody asked there."""
    webhook = environment.telegram.webhook or ""
    bots = {} if store.checkup is None else store.checkup.bots
    return (
        _settings(environment),
        *_store(store),
        _clock(store.checkup, now),
        _zones(),
        *(() if on_discord is None else examined_on_discord(on_discord, bots.get("discord"))),
        *(() if on_telegram is None else examined_on_telegram(on_telegram, webhook, now, bots.get("telegram"))),
    )


def healthy(findings: tuple[Finding, ...]) -> bool:
    return all(finding.state is not State.WRONG for finding in findings)


def _settings(environment: Environment) -> Finding:
    tokens = (("Discord", environment.discord.token), ("Telegram", environment.telegram.token))
    doors = [platform for platform, token in tokens if token]
    if len(doors) > 1:
        words = f"tokens for {' and '.join(doors)} are set, so `florin run` opens those doors"
        return Finding("settings", State.OK, words)
    if doors:
        return Finding("settings", State.OK, f"a token for {doors[0]} is set, so `florin run` opens that door")
    debug = ", and FLORIN_DEBUG is on" if environment.debug else ""
    return Finding("settings", State.OK, f"no token is set, so `florin run` opens the console{debug}")


def _store(store: StoreState) -> Iterator[Finding]:
    shown = shown_store(store.address)
    if store.problem is not None:
        yield Finding("store", State.WRONG, f"{shown}: {store.problem}")
    elif store.checkup is None:
        yield Finding("store", State.OK, f"{shown} is not there yet; `florin run` makes it")
    else:
        yield Finding("store", State.OK, f"{shown} opens")
        yield from examined(store.checkup)
        return
    if store.disk_free is not None:
        yield room(store.disk_free)


def _clock(checkup: Checkup | None, now: datetime) -> Finding:
    shown = now.strftime("%Y-%m-%d %H:%M UTC")
    if now < RELEASED:
        return Finding("clock", State.WRONG, f"{shown} is before this release was made: set the clock")
    if checkup is None:
        return Finding("clock", State.OK, shown)
    ahead_s = checkup.clock_ahead_s
    if ahead_s is not None and abs(ahead_s) > CLOCK_AHEAD_S_MAX:
        words = f"{shown} is {abs(ahead_s):,.0f} s {'behind' if ahead_s > 0 else 'ahead of'} the database's clock"
        state = State.WRONG if abs(ahead_s) > CLOCK_SLACK.total_seconds() else State.WARNING
        return Finding("clock", state, f"{words}: let both machines take their time from the network (NTP)")
    written = checkup.facts.written if isinstance(checkup.facts, FileFacts) else None
    for what, at in (("the newest entry", checkup.newest_entry), ("the store was last written to", written)):
        if at is not None and at > now + CLOCK_SLACK:
            last = at.strftime("%Y-%m-%d %H:%M UTC")
            return Finding("clock", State.WRONG, f"{shown} is before {what}, {last}: set the clock")
    agrees = "" if ahead_s is None else f", {abs(ahead_s) * 1000:,.0f} ms from the database's clock"
    return Finding("clock", State.OK, f"{shown}{agrees}")


def _zones() -> Finding:
    try:
        ZoneInfo("Asia/Tokyo")
    except ZoneInfoNotFoundError:
        return Finding("time zones", State.WRONG, "this Python finds no time zones: install tzdata")
    return Finding("time zones", State.OK, "known")
