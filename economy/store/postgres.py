"""PostgreSQL: which host is the primary, what a session there has to promise, and what makes a server unsafe."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from economy.store.errors import NoPrimaryError, UnsafeStoreError
from economy.store.revision import HEAD, mismatch

CONNECT_TIMEOUT_S: Final = 5.0
"""How long one host may take to answer, before the next is tried."""

ANSWER_TIMEOUT_S: Final = 30.0
"""How long a write transaction may take before its connection is given up."""

IDLE_TIMEOUT_MS: Final = 15_000
STATEMENTS_MAX: Final = 200
"""Prepared statements kept for a connection."""

PLANS_KEPT_S: Final = 300
"""How old a connection may grow: what it planned while a table was small is planned anew on the next."""

WRITERS: Final = 2
"""The journal's connection and the projector's."""

LOSS_ALLOWED: Final = "i-may-lose-what-was-answered"
"""What an operator has to say to run on a server that can lose what was answered."""

_LOSING: Final = ("off", "local")
"""Values of synchronous_commit."""

# read_only_sql_transaction (the primary became a standby), and the server's shutdowns and start.
_LOST: Final = ("25006", "57P01", "57P02", "57P03", "57P05", "25P03")
_DURABILITY: Final = """
SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_standby_names') AS standbys, (SELECT count(*) FROM pg_stat_replication) AS replicas
"""
log = logging.getLogger(__name__)

_HOST: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<name>[^:]*))(?::(?P<port>[0-9]+))?")

SESSION: Final[Mapping[str, str]] = {
    # A process that dies in the midst, or whose network does, must not keep what it locked.
    "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
    # It would cut off COMMIT as well, and leave it in doubt.
    "statement_timeout": "0",
}
_CONNECTED: Final[Mapping[str, str]] = {
    "TimeZone": "UTC",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
WRITING: Final[Mapping[str, str]] = {
    # A plan made while a table was empty would go through all of it ever after: every statement of ours has an index.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
}


class Link(asyncpg.Connection):
    """A connection that sends no cancel request: one that meets a COMMIT leaves it done here and nowhere else."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.warnings: list[str] = []
        """The codes of what the server warned of since the last transaction began."""
        self.generation = 0
        """Which of its server's generations it belongs to."""

    def _cancel_current_command(self, waiter: Any, cancel_waiter: Any = None) -> None:
        # Once the driver has noted that it cancels, which it does behind this call.
        asyncio.get_running_loop().call_soon(self.terminate)


def _note_warning(link: Any, message: Any) -> None:
    if message.severity_en == "WARNING":
        link.warnings.append(message.sqlstate)


def url_of(text: str) -> URL:
    """The address of a server; several hosts (`h1:5432,h2:5433`) become the parameter `host`, once for each.

    Raises ValueError for what is no address.
    """
    _user, at, hosts = urlsplit(text).netloc.rpartition("@")
    if "," in hosts:
        url = make_url(text.replace(f"{at or '//'}{hosts}", at or "//", 1)).update_query_dict(
            {"host": hosts.split(",")}
        )
    else:
        url = make_url(text)
    _hosts_of(url)
    return url.set(drivername="postgresql+asyncpg")


def _hosts_of(url: URL) -> list[tuple[str | None, int | None]]:
    given = url.query.get("host", ())
    found: list[tuple[str | None, int | None]] = [(url.host, url.port)] if url.host or not given else []
    for each in (given,) if isinstance(given, str) else given:
        if each.startswith("/"):
            found.append((each, url.port))
            continue
        taken = _HOST.fullmatch(each)
        if taken is None:
            raise ValueError("a host is name:port")
        found.append((taken["six"] or taken["name"], int(taken["port"]) if taken["port"] else url.port))
    return found


class Server:
    """The server behind an address, which may be the primary of several hosts.

    With `?pgbouncer=true` nothing is left to the session: statements are not kept, and each transaction begins with
    its settings. `allow_loss`, here or in the address, is the operator's word that what was answered may be lost.
    """

    def __init__(self, url: URL, *, lock_timeout_s: float, allow_loss: bool, any_schema: bool) -> None:
        self.is_pooled = url.query.get("pgbouncer", "false") == "true"
        self._hosts = _hosts_of(url)
        self.is_loss_allowed = allow_loss or url.query.get("allow_loss") == LOSS_ALLOWED
        self._any_schema = any_schema
        # The driver's defaults come from the environment, which is not where a store's address stands.
        self._address = url.difference_update_query(("host", "pgbouncer", "allow_loss")).set(
            drivername="postgresql", host="", port=None
        )
        self._session = {**SESSION, "lock_timeout": f"{max(1, round(lock_timeout_s * 1000))}"}
        self._generation = 0
        self.beginning = ""
        """What a write transaction has to begin with; empty where the session sees to it."""
        if self.is_pooled:
            self.beginning = _set_locally({**self._session, **WRITING})

    def engine(self, *, connections: int, writes: bool) -> AsyncEngine:
        settings = {**_CONNECTED, **self._session, **(WRITING if writes else {})}

        async def connect() -> Link:
            return await self._connect(settings, checks_schema=writes and not self._any_schema)

        more: dict[str, Any]
        if self.is_pooled:
            more = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": _statement_name}
        else:
            more = {"prepared_statement_cache_size": STATEMENTS_MAX}
        engine = create_async_engine(
            URL.create("postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=2,
            pool_recycle=PLANS_KEPT_S,
            hide_parameters=True,  # no log quotes what people wrote
            connect_args={"async_creator_fn": connect, **more},
            # What is read together belongs to one moment.
            execution_options={} if writes else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        )

        @event.listens_for(engine.sync_engine, "checkout")
        def must_be_new_enough(connection: Any, _record: Any, _proxy: Any) -> None:
            if connection.driver_connection.generation < self._generation:
                raise DisconnectionError("the connection is from before the server was left")

        return engine

    @property
    def generation(self) -> int:
        """Goes up whenever the server is left."""
        return self._generation

    def leave(self) -> None:
        """Lets no connection made until now be used for another transaction; where one is in use, it ends first."""
        self._generation += 1

    async def _connect(self, settings: Mapping[str, str], *, checks_schema: bool) -> Link:
        """A connection to the first host that takes writes. Raises NoPrimaryError where none does."""
        generation = self._generation
        problems = []
        for place in self._hosts:
            try:
                link = await self._connect_to(place, settings)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
                problems.append(f"{_shown(place)}: {str(problem) or type(problem).__name__}")
                continue
            if link is None:
                problems.append(f"{_shown(place)} takes no writes")
                continue
            if checks_schema:
                await _must_be_head(link)
            link.generation = generation
            return link
        raise NoPrimaryError(f"no host of the store takes writes ({'; '.join(problems)})")

    async def _connect_to(self, place: tuple[str | None, int | None], settings: Mapping[str, str]) -> Link | None:
        """A connection to this host; None where it takes no writes."""
        host, port = place
        link: Link
        # Not the driver's own time-out alone, which does not hold for what is asked afterwards.
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            link = await asyncpg.connect(
                self._address.render_as_string(hide_password=False),
                host=host,
                port=port,
                timeout=CONNECT_TIMEOUT_S,
                connection_class=Link,
                # Without it, the driver would prepare anew what SQLAlchemy has kept.
                statement_cache_size=0 if self.is_pooled else STATEMENTS_MAX,
                server_settings={"application_name": "florin", **({} if self.is_pooled else settings)},
            )
            try:
                if await link.fetchval("SELECT current_setting('transaction_read_only')") == "on":
                    link.terminate()
                    return None
                synchronous = await link.fetchval("SELECT current_setting('synchronous_commit')")
                if synchronous in _LOSING and not self.is_loss_allowed:
                    await self._commit_surely(link)
            except BaseException:
                link.terminate()
                raise
        link.add_log_listener(_note_warning)
        return link

    async def _commit_surely(self, link: Link) -> None:
        if self.is_pooled:
            self.beginning = _set_locally({**self._session, **WRITING, "synchronous_commit": "on"})
        else:
            await link.execute("SET synchronous_commit = on")

    async def losses(self, connection: AsyncConnection) -> list[str]:
        """How the server could lose what was answered, whether that is allowed or not."""
        found = (await connection.exec_driver_sql(_DURABILITY)).one()
        problems = [
            f"it runs with {name} = off, and a power loss takes back what was answered"
            for name, value in (("fsync", found.fsync), ("full_page_writes", found.full_page_writes))
            if value == "off"
        ]
        has_replicas = found.replicas > 0 or len(self._hosts) > 1
        if has_replicas and not found.standbys.strip():
            problems.append(
                "its replication is asynchronous (synchronous_standby_names is empty), and a failover takes back what"
                " was answered"
            )
        return problems

    async def must_be_safe(self, connection: AsyncConnection) -> None:
        """Raises UnsafeStoreError where the server could lose what was answered, unless the operator allows it."""
        problems = await self.losses(connection)
        if not problems:
            return
        told = f"PostgreSQL can lose coins: {'; '.join(problems)}"
        if not self.is_loss_allowed:
            raise UnsafeStoreError(f"{told}. Whoever accepts that adds ?allow_loss={LOSS_ALLOWED} to its address")
        log.warning("%s. The operator allows it", told)


def _shown(place: tuple[str | None, int | None]) -> str:
    host, port = place
    return f"{host or 'localhost'}:{port or 5432}"


def _statement_name() -> str:
    # Behind a pooler, another client's statement may stand where ours is made: names are drawn.
    return f"florin_{secrets.token_hex(8)}"


def _set_locally(settings: Mapping[str, str]) -> str:
    each = (f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    return f"SELECT {', '.join(each)}"


async def _must_be_head(link: Link) -> None:
    """A primary that was put in another's place, or restored, may have other tables: nothing is written to these."""
    try:
        try:
            found = await link.fetchval("SELECT version_num FROM alembic_version")
        except asyncpg.UndefinedTableError:
            found = None
        if found != HEAD:
            raise mismatch(found)
    except BaseException:
        link.terminate()
        raise


def is_lost(sqlstate: str | None, *, closed: bool) -> bool:
    """Whether an error means that this connection is of no more use, and another may be."""
    return closed or (sqlstate is not None and (sqlstate[:2] == "08" or sqlstate in _LOST))


def is_undone(sqlstate: str | None) -> bool:
    """Whether an error of COMMIT says for certain that nothing was committed."""
    return sqlstate is not None and sqlstate[:2] in ("23", "40")
