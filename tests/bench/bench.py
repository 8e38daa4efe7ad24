"""What all topics of the benchmark share: sizes, stores that are filled once, and the server they are on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from economy.store.engine import open_store
from economy.store.schema import upgrade
from economy.values import Place
from tests.bench.figures import PERCENTS, Figure, Load, Results, Row
from tests.bench.filling import FIRST_ID, PLACE, Filled, fill, grow
from tests.bench.load import Run, closed_loop
from tests.bench.machine import percentile, tree_cpu_s
from tests.bench.references import Pgbench
from tests.bench.town import Mix, Town, open_town
from tests.support.postgres import ThrowawayPostgres

POSTGRES: Final = "PostgreSQL"
SQLITE: Final = "SQLite"
NO_STORE: Final = "no store"

SERVER: Final = ("shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=30min")
"""Durable as it comes: fsync and synchronous_commit stay on. A checkpoint in the middle would hit one side alone."""


class Sizes(Struct, frozen=True):
    """How large everything is.

    `grown`: the entries of the stores that show growth. `audited`: those of the store that is audited. `questions`:
    asked of a board in a round. `orders`: given before memory is looked at.
    """

    runs: int = 5
    seconds: float = 4.0
    callers: int = 512
    members: int = 100_000
    creators: int = 1_000
    grown: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)
    audited: int = 400_000
    board_members: int = 1_000_000
    questions: int = 500
    orders: int = 5_000
    pgbench_scale: int = 20


QUICK: Final = Sizes(
    runs=3,
    seconds=2.0,
    members=10_000,
    creators=100,
    grown=(20_000, 60_000, 200_000),
    audited=100_000,
    board_members=50_000,
    questions=200,
    orders=1_000,
    pgbench_scale=5,
)


class Bench:
    """Makes what a topic asks for when it is first asked for, and takes it all away at the end."""

    def __init__(self, sizes: Sizes, say: Callable[[str], None]) -> None:
        self.sizes = sizes
        self.say = say
        self.results = Results()
        self.folder = Path(tempfile.mkdtemp(prefix="florin-bench-"))
        self._opened = AsyncExitStack()
        self._server: ThrowawayPostgres | None = None
        self._pgbench: Pgbench | None = None
        self._towns: dict[str, Town] = {}
        self._large: dict[str, str] = {}
        self._empty: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()
        if self._server is not None:
            self._server.close()
        shutil.rmtree(self.folder)

    @property
    def server(self) -> ThrowawayPostgres:
        if self._server is None:
            server = ThrowawayPostgres(SERVER)
            try:
                self._server = server.start()
            except BaseException:
                server.close()
                raise
        return self._server

    @property
    def has_server(self) -> bool:
        """Whether anything so far was about PostgreSQL."""
        return self._server is not None

    @property
    def pgbench(self) -> Pgbench:
        if self._pgbench is None:
            self.say(f"pgbench: scale {self.sizes.pgbench_scale}")
            self._pgbench = Pgbench(self.server, scale=self.sizes.pgbench_scale)
        return self._pgbench

    def served(self, store: str) -> Callable[[], float]:
        """CPU time of the database's server so far. SQLite has none: its work is the process's own."""
        return (lambda: tree_cpu_s(self.server.pid)) if store == POSTGRES else (lambda: 0.0)

    # --- stores -----------------------------------------------------------------------------------------------------

    async def filled(
        self,
        store: str,
        name: str,
        *,
        members: int,
        bought: bool = False,
        entries: int = 0,
        place: Place = PLACE,
        first_id: int = FIRST_ID,
    ) -> tuple[str, Filled]:
        """The address of a new store with `members`, grown to `entries`."""
        self.say(f"{store}: a store of {members:,} members" + (f", {entries:,} entries" if entries else ""))
        address = await self._new(store, name)
        async with await open_store(address) as opened:
            filled = await fill(opened, members=members, bought=bought, place=place, first_id=first_id)
            return address, await grow(opened, filled, entries)

    async def _new(self, store: str, name: str) -> str:
        """An empty store, as a copy of one that is made once."""
        if store == POSTGRES:
            if store not in self._empty:
                self._empty[store] = self.server.create_database()
                await upgrade(self.server.url(self._empty[store]))
            return self.server.url(self.server.create_database(self._empty[store]))
        if store not in self._empty:
            self._empty[store] = f"{self.folder}/empty.sqlite"
            await upgrade(f"sqlite:///{self._empty[store]}")
        shutil.copy(self._empty[store], self.folder / f"{name}.sqlite")
        return f"sqlite:///{self.folder}/{name}.sqlite"

    def drop(self, address: str) -> None:
        """Gives the space of a store back, once it is closed."""
        if address.startswith("sqlite"):
            for file in self.folder.glob(f"{Path(address).name}*"):
                file.unlink()
        else:
            self.server.drop_database(address.rpartition("/")[2])

    async def town(self, store: str) -> Town:
        """The town that most topics ask: everybody holds free and bought coins, the last `creators` are creators."""
        if store not in self._towns:
            members = self.sizes.members + self.sizes.creators
            address, _ = await self.filled(store, "town", members=members, bought=True)
            town = await self._opened.enter_async_context(open_town(address))
            await town.make_creators(self.creators)
            await town.projector.drain()
            self._towns[store] = town
            for _ in range(2):
                await self.warm(store, town, town.tips(self.everyone))
        return self._towns[store]

    async def large(self, store: str) -> str:
        """The address of the store with the members that boards, memory and start are about."""
        if store not in self._large:
            self._large[store], _ = await self.filled(store, "large", members=self.sizes.board_members)
        return self._large[store]

    @property
    def everyone(self) -> Sequence[int]:
        return range(1, self.sizes.members + 1)

    @property
    def creators(self) -> Sequence[int]:
        return range(self.sizes.members + 1, self.sizes.members + self.sizes.creators + 1)

    # --- measuring --------------------------------------------------------------------------------------------------

    async def warm(self, store: str, town: Town, mix: Mix, callers: int | None = None) -> None:
        """Asks for a while without counting."""
        await closed_loop(town, [(callers or self.sizes.callers, mix)], self.sizes.seconds / 2, self.served(store))

    def found(self, row: Row, store: str, values: Sequence[float], detail: str = "") -> None:
        figure = Figure(row, store, tuple(values), detail)
        self.results.figures.append(figure)
        self.say(f"{store}: {row.title}: {figure.value:.2f} {row.unit}")

    def loaded(self, title: str, store: str, runs: Sequence[Run], group: int = 0) -> Load:
        """Notes how a way of asking went."""
        latencies = sorted(each for run in runs for each in run.latencies[group])
        load = Load(
            title,
            store,
            tuple(run.rate for run in runs),
            tuple(run.client_us for run in runs),
            tuple(run.server_us for run in runs),
            {percent: percentile(latencies, percent) for percent in PERCENTS},
        )
        self.results.loads.append(load)
        return load
