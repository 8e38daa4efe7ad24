"""A Telegram on loopback, and the bot on a store of its own."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import temporary_store
from tests.support.telegram import Telegram, telegram
from tests.support.telegram_town import Opened, serving


class StillClock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def later(self, **span: float) -> None:
        self._now += timedelta(**span)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def there(clock: StillClock) -> AsyncIterator[Telegram]:
    async with telegram(clock.now) as opened:
        yield opened


@pytest.fixture
def address() -> Iterator[str]:
    with temporary_store() as found:
        yield found


@pytest.fixture
async def bot(there: Telegram, address: str, clock: StillClock) -> AsyncIterator[Opened]:
    """The bot, fetching its updates."""
    async with serving(there, address, clock) as opened:
        yield opened
