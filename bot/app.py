"""The wiring: a store, the economy on it, and the conversation over that. Nothing else knows what stands behind what.

What the command line asks of a store without a conversation (its state, its tables, its audit, copies of it) is wired
here too.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from adapters.contract import Bots, Conversation, Memory
from bot.dispatcher import Dispatcher
from bot.doctor import StoreState
from bot.jobs import Jobs
from bot.logs import OrderLog
from economy.figures import Watch
from economy.service import Clock, Economy, Outbox
from economy.store import backup
from economy.store.audit import AuditReport, audit
from economy.store.bots import StoreBots, forget
from economy.store.checking import check_up
from economy.store.copying import Progress
from economy.store.engine import Store, open_store, store_url, temporary_store_url
from economy.store.errors import StoreBrokenError, StoreError
from economy.store.escrow import StoreEscrow
from economy.store.journal import StoreJournal
from economy.store.memory import StoreMemory
from economy.store.outbox import StoreOutbox
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.revision import HEAD, must_be_head
from economy.store.schema import current, downgrade, upgrade, upgrade_store
from economy.store.watching import StoreWatch
from economy.values import CommunityId, EntryNumber, Place


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Florin(Struct, frozen=True):
    """All that runs, while it is open. `on_commit` has something called after each commit of this process."""

    economy: Economy
    conversation: Conversation
    watch: Watch
    outbox: Outbox
    on_commit: Callable[[Callable[[Mapping[CommunityId, EntryNumber]], None]], None]
    memory_of: Callable[[str], Memory]
    """What the door to a platform remembers."""
    bots_of: Callable[[str], Bots]
    """Which bot of a platform the store is for."""


@asynccontextmanager
async def open_florin(address: str, clock: Clock, listen: tuple[str, int] | None = None) -> AsyncIterator[Florin]:
    """Opens the store at `address` and everything on it; with `listen`, metrics and health are answered there.

    A SQLite store is made if it is new and brought up to this release if it is older; others must be at it already.
    On the way out, orders that wait are carried out, boards brought up to date, and everything is closed; the same
    store can then be opened again. Raises StoreError where the store cannot be used; a disk that fails meanwhile
    ends what is done in here with StoreBrokenError.
    """
    async with AsyncExitStack() as opened:
        store = await opened.enter_async_context(await open_store(address, any_schema=True))
        opened.enter_context(_ended_by(store))
        await _bring_up_to_date(store)
        projector = StoreProjector(store)
        opened.push_async_callback(projector.close)
        await opened.enter_async_context(_running(projector))
        opened.push_async_callback(_drain, projector)
        journal = await opened.enter_async_context(StoreJournal(store, clock))
        journal.on_commit(projector.wake)
        journal.tally.observers.append(OrderLog())
        watch = StoreWatch(store, journal, clock)
        opened.push_async_callback(watch.close)
        if listen is not None:
            await opened.enter_async_context(_watched(watch, listen))
        economy = Economy(journal, StoreReads(store), projector, clock)
        jobs = Jobs(economy, StoreEscrow(store))
        await opened.enter_async_context(_running(jobs))
        memories: dict[str, StoreMemory] = {}

        def memory_of(platform: str) -> Memory:
            if platform not in memories:
                memories[platform] = StoreMemory(store, clock, platform)
                opened.push_async_callback(memories[platform].close)
            return memories[platform]

        yield Florin(
            economy,
            Dispatcher(economy, jobs),
            watch,
            StoreOutbox(store),
            journal.on_commit,
            memory_of,
            lambda platform: StoreBots(store, platform),
        )


@asynccontextmanager
async def open_conversation(
    address: str, clock: Clock, listen: tuple[str, int] | None = None
) -> AsyncIterator[Conversation]:
    """`open_florin` for doors, which need no more of it than the conversation."""
    async with open_florin(address, clock, listen) as florin:
        yield florin.conversation


@contextmanager
def _ended_by(store: Store) -> Iterator[None]:
    """Ends the caller's task when the disk has failed: only a store opened anew tells what reached it."""
    problems: list[StoreBrokenError] = []
    task = asyncio.current_task()

    def end(problem: StoreBrokenError) -> None:
        problems.append(problem)
        if task is not None:
            task.cancel()

    store.on_break(end)
    try:
        yield
    except asyncio.CancelledError:
        # As asyncio.timeout does: whoever else cancelled the task has the last word.
        if problems and task is not None and task.uncancel() == 0:
            raise problems[0] from None
        raise


@asynccontextmanager
async def _watched(watch: Watch, listen: tuple[str, int]) -> AsyncIterator[None]:
    # The server takes a tenth of a second to import, and most consoles have none.
    from bot.watched import watched  # noqa: PLC0415

    async with watched(watch, listen):
        yield


async def _drain(projector: StoreProjector) -> None:
    # Boards that a full disk leaves behind are brought up to date at the next start.
    with suppress(StoreError):
        await projector.drain()


@asynccontextmanager
async def _running(worker: StoreProjector | Jobs) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run(), name=type(worker).__name__)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _bring_up_to_date(store: Store) -> None:
    # On a server many processes share, an upgrade is somebody's decision.
    if store.url.get_backend_name() == "sqlite" and await current(store) != HEAD:
        await upgrade_store(store)
    async with store.read() as connection:
        await must_be_head(connection)


# --- stores ---------------------------------------------------------------------------------------------------------


def store_file(address: str) -> Path | None:
    """The file of a store; None for one on a server. Raises ValueError for what is no address of a store."""
    url = store_url(address)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


@contextmanager
def temporary_store() -> Iterator[str]:
    """The address of a new store, which is removed afterwards."""
    address = temporary_store_url()
    try:
        yield address
    finally:
        file = store_file(address)
        if file is not None:
            shutil.rmtree(file.parent)


def store_problem(error: BaseException) -> str | None:
    """What is wrong with a store, if that is what `error` is about; without values or statements."""
    if isinstance(error, StoreError):
        return str(error)
    package = type(error).__module__.partition(".")[0]
    if package == "sqlalchemy":
        # Its own text quotes the statement; the driver's says what happened.
        return str(getattr(error, "orig", None) or type(error).__name__)
    if package == "alembic":
        return f"its tables are of a release that this Florin does not know ({error})"
    return str(error) if isinstance(error, OSError) else None


async def store_state(address: str, clock: Clock) -> StoreState:
    """What `florin doctor` tells of a store. Makes none where there is none."""
    file = store_file(address)
    free = None if file is None else shutil.disk_usage(file.absolute().parent).free
    if file is not None and not file.is_file():
        return StoreState(address=address, exists=False, disk_free=free)
    try:
        checkup = await check_up(address, clock)
    except Exception as error:
        problem = store_problem(error)
        if problem is None:
            raise
        return StoreState(address=address, exists=True, problem=problem, disk_free=free)
    return StoreState(address=address, exists=True, checkup=checkup, disk_free=free)


async def store_revisions(address: str) -> tuple[str | None, str]:
    """The revision of a store's tables, None where there are none; and the one that this release needs."""
    return await _revision(address), HEAD


async def places_of(address: str, platform: str, most: int) -> list[Place]:
    """The places of a platform that a store knows, at most so many, the newest community's first."""
    async with await open_store(address) as store:
        return await StoreReads(store).places(platform, limit=most)


async def upgraded(address: str) -> tuple[str | None, str | None]:
    """Brings a store up to this release; the revisions before and after."""
    before = await _revision(address)
    await upgrade(address)
    return before, await _revision(address)


async def downgraded(address: str, revision: str) -> tuple[str | None, str | None]:
    """Takes a store back to `revision`; the revisions before and after."""
    before = await _revision(address)
    await downgrade(address, revision)
    return before, await _revision(address)


async def bot_forgotten(address: str, platform: str) -> str | None:
    """Lets the store at `address` be for the next bot of a platform that comes; for which it was."""
    async with await open_store(address) as store:
        return await forget(store, platform)


async def audited(address: str, *, rebuild: bool, progress: Progress) -> AuditReport:
    """What an audit of a store comes to, after making its boards and totals anew if that is wanted."""
    with _much_memory():
        async with await open_store(address) as store:
            if rebuild:
                await StoreProjector(store).rebuild()
            return await audit(store, progress=lambda done, total: progress("auditing", done, total))


async def backed_up(address: str, file: Path, progress: Progress) -> backup.Checked:
    """Writes a store into a new file, while it is in use, and audits that."""
    with _much_memory():
        return await backup.back_up(address, file, progress)


async def restored(file: Path, address: str, progress: Progress) -> backup.Checked:
    """Makes a new store out of a backup whose books balance."""
    with _much_memory():
        return await backup.restore(file, address, progress)


async def moved(source: str, target: str, progress: Progress) -> backup.Moved:
    """Copies a store to another database, and proves that both hold the same."""
    with _much_memory():
        return await backup.move(source, target, progress)


@contextmanager
def _much_memory() -> Iterator[None]:
    """For commands that walk whole stores: what they make is dropped without cycles, and looking for such in all that
    is there costs a third of their time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


async def _revision(address: str) -> str | None:
    async with await open_store(address, any_schema=True) as store:
        return await current(store)
