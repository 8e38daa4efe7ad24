"""The benchmark runs and finds every figure. How fast anything is, no test says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.bench.__main__ import TOPICS, measure
from tests.bench.bench import NO_STORE, POSTGRES, SQLITE, Sizes
from tests.bench.report import write

TINY = Sizes(
    runs=1,
    seconds=0.1,
    callers=16,
    members=60,
    creators=4,
    grown=(90, 180),
    audited=300,
    board_members=100,
    questions=3,
    orders=64,
    pgbench_scale=1,
)


async def test_every_topic_finds_its_figures(tmp_path: Path) -> None:
    results, machine = await measure(TINY, list(TOPICS), lambda _: None)
    told = [(figure.row.title, figure.store) for figure in results.figures]
    assert len(told) == len(set(told))
    assert {store for _, store in told} == {POSTGRES, SQLITE, NO_STORE}
    assert all(figure.values and min(figure.values) >= 0 for figure in results.figures)
    assert len(results.growth) == 2 * len(TINY.grown)
    page = tmp_path / "benchmarks.md"
    write(results, TINY, machine, date(2026, 1, 1), page, command="./dev bench", took_s=60)
    text = page.read_text()
    assert all(f"| {title} | {store} |" in text for title, store in told)
    assert all((tmp_path / "benchmarks" / name).exists() for name in ("targets.svg", "latencies.svg", "growth.svg"))
