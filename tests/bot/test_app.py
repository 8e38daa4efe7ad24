"""What runs is ended, and says why, when the disk under it fails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from bot.app import store_problem
from economy.store.errors import StoreBrokenError
from tests.bot.talk import people_of_the_lobby, talking, text_of


@contextmanager
def failing_disk() -> Iterator[list[str]]:
    """Every sync fails; what was tried."""
    tried: list[str] = []

    def fail(_connection: object) -> None:
        tried.append("sync")
        failure = sqlite3.OperationalError("disk I/O error")
        failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise OperationalError("COMMIT", (), failure)

    event.listen(Engine, "commit", fail)
    try:
        yield tried
    finally:
        event.remove(Engine, "commit", fail)


async def tip_and_stay(folder: Path) -> None:
    async with asyncio.timeout(60), talking(folder) as talk:
        await talk.say("bo", "/tip @cy 10")
        await asyncio.Event().wait()


async def test_a_failed_sync_ends_florin_with_one_sentence_and_a_restart_goes_on(tmp_path: Path) -> None:
    """Fault 46"""
    await people_of_the_lobby(tmp_path)
    with failing_disk() as tried:
        with pytest.raises(StoreBrokenError) as told:
            await tip_and_stay(tmp_path)
        assert tried == ["sync"], "a second sync would succeed, and prove nothing"
    assert store_problem(told.value) == "the store's disk failed to keep what was written"
    async with talking(tmp_path, run="second") as talk:
        assert (await talk.say("bo", "/tip @cy 10")).code is None
        assert "90" in text_of(await talk.say("bo", "/balance"))
