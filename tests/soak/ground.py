"""What a soak stands on: a folder, and a store on one of the databases."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from economy.store.backup import back_up
from economy.store.engine import Store, open_store
from economy.store.schema import upgrade
from tests.soak.acts import settle_in
from tests.soak.plants import Plant, put_inside
from tests.support.postgres import ThrowawayPostgres

SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"
STORES: Final = (SQLITE, POSTGRES)

CHECKPOINTS: Final = "wal_autocheckpoint = 60"
"""Pages, rather than thousands: so that even a short soak holds many checkpoints, and logs that begin anew."""

Say = Callable[[str], None]


class Size(Struct, frozen=True):
    """How long a soak is: for `seconds`, and until as much was done as makes it worth something.

    `life_s`, `long_stop_s` and `server_s`: how long a worker lives, stands still, and a server lives, at most.
    `audit_every_s`: twice as often as it has to be, so that a slow audit is no late one.
    """

    seconds: float
    hits: int = 20
    orders: int = 200
    audits: int = 5
    images: int = 200
    life_s: float = 2.0
    long_stop_s: float = 8.0
    server_s: float = 10.0
    workers: int = 3
    callers: int = 6
    audit_every_s: float = 0.5


# Durable as it comes: what is shown here rests on it. A server that may lose what it was told takes its time to write
# it, so that not only the luckiest moment shows it.
_SERVER: Final[dict[Plant | None, tuple[str, ...]]] = {Plant.ASYNCHRONOUS: ("wal_writer_delay=10s",)}


class Ground:
    """Makes a store where everybody is there and holds coins; takes all of it away at the end."""

    def __init__(self, store: str, *, seed: int, plant: Plant | None = None) -> None:
        self.store = store
        self.folder = Path(tempfile.mkdtemp(prefix="florin-soak-"))
        self.chance = random.Random(seed)
        self.plant = plant
        self.server = ThrowawayPostgres(_SERVER.get(plant, ())) if store == POSTGRES else None
        self.address = ""
        self.keeps = False
        """Whether the folder stays, for somebody to look at it."""

    async def __aenter__(self) -> Self:
        try:
            if self.server is None:
                self.address = f"sqlite:///{self.folder / 'florin.sqlite'}"
            else:
                self.server.start()
                self.address = self.server.url(self.server.create_database())
            await upgrade(self.address)
            async with await open_store(self.address) as opened:
                await settle_in(opened)
                await put_inside(opened, self.plant)
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def keep(self, say: Say) -> None:
        """Leaves the diaries, the workers' logs and the books where they are, after a run that found something."""
        self.keeps = True
        if self.server is not None:
            await back_up(self.address, self.folder / "florin.backup", lambda *_: None)
        say(f"kept: {self.folder}")

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
        if not self.keeps:
            shutil.rmtree(self.folder)


async def pragmas(store: Store, *texts: str) -> None:
    """Sets what SQLite's writer goes by, outside of any transaction: within one some stay as they are."""
    async with store.writer.connect() as connection:
        driven = (await connection.get_raw_connection()).driver_connection
        assert driven is not None
        for text in texts:
            await driven.execute(f"PRAGMA {text}")
