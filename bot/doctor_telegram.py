"""What `florin doctor` says of Telegram. Pure: others look, this judges."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from adapters.telegram.found import GroupState, TelegramState
from bot.findings import Finding, State, ownership
from bot.naming import inert

FAILED_LATELY: Final = timedelta(hours=1)


def examined_on_telegram(
    found: TelegramState, wanted: str, now: datetime, known: str | None = None
) -> tuple[Finding, ...]:
    """What there is to say of it; `wanted` is the webhook that is set here, empty without one, `known` the bot that the
    store is for, if it is for one."""
    if not found.knows_token:
        words = "Telegram does not know the token: copy it again from @BotFather, into FLORIN_TELEGRAM__TOKEN"
        return (Finding("telegram", State.WRONG, words),)
    if found.problem:
        return (Finding("telegram", State.WRONG, f"Telegram cannot be asked: {found.problem}"),)
    return (
        Finding("telegram", State.OK, f"the token is @{found.handle}'s"),
        *ownership("telegram", str(found.bot_id), known),
        _privacy(found),
        _webhook(found, wanted, now),
        _menus(found),
        *(_group(found, group) for group in found.groups),
    )


def _privacy(found: TelegramState) -> Finding:
    if found.sees_all:
        return Finding("privacy mode", State.OK, "off: it sees every message of the groups it is in")
    words = "on: where it is no administrator it sees only what is addressed to it"
    return Finding("privacy mode", State.OK, words)


def _webhook(found: TelegramState, wanted: str, now: datetime) -> Finding:
    if found.webhook != wanted:
        if not wanted:
            words = "Telegram still calls one, and FLORIN_TELEGRAM__WEBHOOK is not set: `florin run` takes it away"
        else:
            words = "Telegram does not call FLORIN_TELEGRAM__WEBHOOK yet: `florin run` tells it to"
        return Finding("webhook", State.WARNING, words)
    if not wanted:
        return Finding("webhook", State.OK, f"none: one process fetches; {found.pending:,} updates wait")
    if found.failed_at is not None and now - found.failed_at < FAILED_LATELY:
        return Finding("webhook", State.WRONG, f"Telegram's last call failed: {found.failure}; {found.pending:,} wait")
    return Finding("webhook", State.OK, f"Telegram calls it; {found.pending:,} updates wait")


def _menus(found: TelegramState) -> Finding:
    if found.menus_kept:
        return Finding("menus", State.OK, "as this release makes them")
    return Finding("menus", State.WARNING, "not as this release makes them: `florin run` sets them")


def _group(found: TelegramState, group: GroupState) -> Finding:
    about = f"group {inert(group.title)}"
    if group.problem:
        return Finding(about, State.WARNING, group.problem)
    if not group.administers and not found.sees_all:
        words = "the bot is no administrator there: it sees commands with its name alone, and nobody come or go"
        return Finding(about, State.WARNING, words)
    if not group.may_delete:
        return Finding(about, State.OK, "it sees what it needs, and may not remove commands that were answered")
    return Finding(about, State.OK, "it sees what it needs")
