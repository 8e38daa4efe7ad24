"""What this door logs: ids and what went wrong, never what anybody wrote."""

from __future__ import annotations

from typing import Final

import structlog
from telegram.error import TelegramError

log: Final = structlog.get_logger("adapters.telegram")


def problem_of(error: BaseException) -> str:
    """What an error says, where that is Telegram's own sentence; else its type. Addresses hold the token."""
    if isinstance(error, TelegramError) and "://" not in error.message and "/bot" not in error.message:
        return f"{type(error).__name__}: {error.message}"
    return type(error).__name__
