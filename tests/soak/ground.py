"""What a soak stands on: a folder, and a store on one of the databases."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from economy.store.engine import open_store
from economy.store.schema import upgrade
from tests.soak.acts import settle_in
from tests.soak.plants import Plant, put_inside
from tests.support.postgres import ThrowawayPostgres

SQLITE: Final = "SQLite"
POSTGRES: Final = "PostgreSQL"
STORES: Final = (SQLITE, POSTGRES)

Say = Callable[[str], None]


class Size(Struct, frozen=True):
    """How long a soak is: for `seconds`, and until as much was done as makes it worth something.

    `long_stop_s`: how long a worker stands still at most; `server_s`: how long a server lives at most.
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


class Ground:
    """Makes a store where everybody is there and holds coins; takes all of it away at the end."""

    def __init__(self, store: str, *, seed: int, plant: Plant | None = None) -> None:
        self.store = store
        self.folder = Path(tempfile.mkdtemp(prefix="florin-soak-"))
        self.chance = random.Random(seed)
        self.plant = plant
        # Durable as it comes: what is shown here rests on it.
        self.server = ThrowawayPostgres(()) if store == POSTGRES else None
        self.address = ""

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

    def close(self) -> None:
        if self.server is not None:
            self.server.close()
        shutil.rmtree(self.folder)
