"""What was found out about the bot at Telegram, for `florin doctor`."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class GroupState(Struct, frozen=True):
    """What the bot is in one group. `problem`: why Telegram does not say."""

    title: str
    administers: bool = False
    may_delete: bool = False
    problem: str = ""


class TelegramState(Struct, frozen=True, kw_only=True):
    """What was found. With `problem` nothing else was looked at; `knows_token` is False where Telegram says so.

    `sees_all`: privacy mode is off, and the bot sees every message of every group. `webhook` is where Telegram calls,
    empty where it does not; `pending` counts updates that wait; `failed_at` and `failure` tell of its last call that
    failed. `menus_kept`: menus are as this release makes them.
    """

    problem: str = ""
    knows_token: bool = True
    bot_id: int = 0
    handle: str = ""
    sees_all: bool = False
    inline: bool = False
    webhook: str = ""
    pending: int = 0
    failed_at: datetime | None = None
    failure: str = ""
    menus_kept: bool = True
    groups: tuple[GroupState, ...] = ()
