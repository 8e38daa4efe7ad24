"""The references: PostgreSQL's own pgbench, and bare sqlite3."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.bench.machine import children_cpu_s, own_cpu_s, tree_cpu_s
from tests.support.postgres import ThrowawayPostgres


class Reference(Struct, frozen=True):
    """How many transactions (on SQLite: transfers) a second, and what each cost."""

    rate: float
    latency_s: float
    client_us: float
    server_us: float


class Pgbench:
    """TPC-B as pgbench has it, prepared, in a database of its own on the server that Florin is measured on."""

    def __init__(self, server: ThrowawayPostgres, *, scale: int) -> None:
        self._server = server
        self._database = server.create_database()
        server.run("pgbench", "-i", "-q", "-s", str(scale), server.url(self._database))

    def run(self, clients: int, seconds: float) -> Reference:
        """Blocks, so that nothing else of this process disturbs it."""
        client, served = children_cpu_s(), tree_cpu_s(self._server.pid)
        threads = min(2, clients)
        # It counts in whole seconds; what is shorter is no measurement, but a test.
        length = ["-T", str(round(seconds))] if seconds >= 1 else ["-t", "20"]
        command = ["-n", "-M", "prepared", "-c", str(clients), "-j", str(threads), *length]
        told = self._server.run("pgbench", *command, self._server.url(self._database))
        count = _number(r"number of transactions actually processed: (\d+)", told)
        return Reference(
            rate=_number(r"tps = ([\d.]+)", told),
            latency_s=_number(r"latency average = ([\d.]+) ms", told) / 1_000,
            client_us=(children_cpu_s() - client) / count * 1e6,
            server_us=(tree_cpu_s(self._server.pid) - served) / count * 1e6,
        )


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"pgbench did not tell {pattern}: {text}")
    return float(found[1])


BATCH: Final = 512


class BareSqlite:
    """Transfers between accounts in batches of 512 by sqlite3 alone: two balances and a keyed row each."""

    def __init__(self, path: Path, *, accounts: int) -> None:
        self._chance = random.Random(1)
        self._accounts = accounts
        self._key = 0
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=wal", "synchronous=full", "wal_autocheckpoint=2000", "cache_size=-65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT")
        self._connection.execute(
            "CREATE TABLE transfers (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, source INTEGER NOT NULL,"
            " destination INTEGER NOT NULL, amount INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT"
        )
        rows = ((number, 1_000_000) for number in range(1, accounts + 1))
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO accounts VALUES (?, ?)", rows)
        self._connection.execute("COMMIT")

    def run(self, seconds: float) -> Reference:
        began, used, batches = time.perf_counter(), own_cpu_s(), 0
        while (now := time.perf_counter()) < began + seconds:
            self._transfer(int(now * 1e6))
            batches += 1
        took = time.perf_counter() - began
        transfers = batches * BATCH
        return Reference(transfers / took, took / batches, (own_cpu_s() - used) / transfers * 1e6, 0.0)

    def _transfer(self, at_us: int) -> None:
        rows = []
        for _ in range(BATCH):
            self._key += 1
            source, destination = (self._chance.randrange(self._accounts) + 1 for _ in range(2))
            rows.append((f"discord:interaction:{self._key}", source, destination, 1, at_us))
        execute = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        execute("UPDATE accounts SET balance = balance - ? WHERE id = ?", [(row[3], row[1]) for row in rows])
        execute("UPDATE accounts SET balance = balance + ? WHERE id = ?", [(row[3], row[2]) for row in rows])
        execute("INSERT INTO transfers (key, source, destination, amount, at_us) VALUES (?, ?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
