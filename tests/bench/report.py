"""The page that a run writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tests.bench.bench import Sizes
from tests.bench.charts import draw
from tests.bench.figures import Figure, Load, Results, short, spread

_INTRODUCTION = """\
Written by `./dev bench`, which anyone can run. Every ratio is between two measurements of the same interleaved run,
through `Economy.submit` with real orders on a store of {members:,} members, and stands as the median of {runs} rounds
with the least and the greatest. Absolute rates say more about the machine's neighbours than about Florin: quote the
ratios and the CPU time. Orders count only once the boards have them. PostgreSQL runs with fsync and synchronous_commit
on, SQLite with WAL and `synchronous=FULL`. A round takes {seconds:g} seconds a side."""


def write(
    results: Results, sizes: Sizes, machine: Mapping[str, str], day: date, page: Path, *, command: str, took_s: float
) -> None:
    """Writes `page`, and its pictures into the folder of the same name."""
    pictures = draw(results, page.with_suffix(""))
    shape = ", ".join(f"{name} {value}" for name, value in machine.items())
    parts = [
        "# Benchmarks",
        _INTRODUCTION.format(members=sizes.members, runs=sizes.runs, seconds=sizes.seconds),
        f"Measured on {day.isoformat()} by `{command}` in {took_s / 60:.0f} minutes. {shape}.",
        "## Figures",
        _figures(results.figures),
    ]
    parts += _pictures(page, pictures, "targets.svg", "Each figure beside what it must be and aims to be.")
    if results.loads:
        parts += ["## Ways of asking", _CPU, _loads(results.loads)]
    parts += _pictures(page, pictures, "latencies.svg", "How long an order takes, by percentile.")
    parts += _pictures(page, pictures, "growth.svg", "What an order costs as entries grow.")
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


TOLD = (50.0, 99.0, 99.9)
"""The percentiles that the page names."""

_CPU = """\
CPU time is for each order: 'here' is the process that asks, with Florin in it (or pgbench), 'server' all processes of
PostgreSQL. On SQLite all the work is here. Latencies are in milliseconds, as callers see them."""


def _pictures(page: Path, drawn: Sequence[str], name: str, told: str) -> list[str]:
    return [f"![{told}]({page.stem}/{name})"] if name in drawn else []


def _figures(figures: Sequence[Figure]) -> str:
    lines = [
        "| what | store | measured | must | aim | reached | from |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    for figure in figures:
        row = figure.row
        cells = (
            row.title,
            figure.store,
            f"{spread(figure.values)} {row.unit}",
            _bound(row.must, least=row.least),
            _bound(row.aim, least=row.least),
            verdict(figure),
            figure.detail,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _bound(target: float | None, *, least: bool) -> str:
    if target is None:
        return ""
    return f"{'>=' if least else '<='} {target:,.0f}" if target >= 100 else f"{'>=' if least else '<='} {target:g}"


def verdict(figure: Figure) -> str:
    """Which of its targets a figure reached, by its median."""
    row = figure.row
    if row.must is None:
        return ""
    if row.aim is not None and row.met(figure.value, row.aim):
        return "aim"
    return "must" if row.met(figure.value, row.must) else "**no**"


def _loads(loads: Sequence[Load]) -> str:
    lines = [
        "| asked | store | a second | p50 | p99 | p99.9 | CPU here, us | CPU server, us |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for load in loads:
        latencies = [
            f"{load.percentiles[each] * 1_000:,.1f}" if load.percentiles else "" for each in (50.0, 99.0, 99.9)
        ]
        server = spread(load.server_us) if any(load.server_us) else ""
        cells = (load.title, load.store, spread(load.rates), *latencies, spread(load.client_us), server)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def summary(figures: Sequence[Figure]) -> list[tuple[str, ...]]:
    """The figures as rows for a terminal."""
    return [
        (
            figure.row.title,
            figure.store,
            f"{spread(figure.values)} {figure.row.unit}",
            " / ".join(short(each) for each in (figure.row.must, figure.row.aim) if each is not None),
            verdict(figure).strip("*"),
        )
        for figure in figures
    ]
