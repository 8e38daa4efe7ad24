"""How many entries a minute the audit walks, with all that follows from them."""

from __future__ import annotations

import time
from typing import Final

from economy.store.audit import audit
from economy.store.engine import open_store
from economy.store.projector import StoreProjector
from tests.bench.bench import POSTGRES, SQLITE, Bench
from tests.bench.figures import Row, spread
from tests.bench.machine import own_cpu_s

AUDIT: Final = Row("entries that the audit walks", "a minute", 1_000_000)


async def audits(bench: Bench) -> None:
    for store in (POSTGRES, SQLITE):
        await _audit(bench, store)


async def _audit(bench: Bench, store: str) -> None:
    members, entries = bench.sizes.members, bench.sizes.audited
    address, filled = await bench.filled(store, "audited", members=members, bought=True, entries=entries)
    rates, used = [], []
    async with await open_store(address) as opened:
        await StoreProjector(opened).drain()
        served = bench.served(store)
        for _ in range(bench.sizes.runs):
            cpu, began = own_cpu_s() + served(), time.perf_counter()
            report = await audit(opened)
            rates.append(filled.entries / (time.perf_counter() - began) * 60)
            used.append((own_cpu_s() + served() - cpu) / filled.entries * 1e6)
            if not report.ok:
                raise RuntimeError(f"the audit of the benchmark found {report.problems[0]}")
    detail = f"{filled.entries:,} entries of {members:,} members, sealed; {spread(used)} us of CPU each"
    bench.found(AUDIT, store, rates, detail)
    bench.drop(address)
