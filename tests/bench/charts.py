"""Pictures of the results, as SVG."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from tests.bench.figures import PERCENTS, Results, short

# pygal leaves a finder of plug-ins behind that predates `find_spec`: every import after it would warn.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]

_STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    colors=(
        *("#2a6f97", "#d9a404", "#9c3d54", "#5b8c5a", "#6c5b9e", "#7a7a7a", "#c46a2b", "#3aa6a0"),
        *("#e377a2", "#8fae1b", "#1f3b57", "#b08968", "#a4c8e1", "#f2b8a0"),
    ),
    font_family="sans-serif",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=12,
    title_font_size=16,
    value_font_size=11,
)
_PLAIN: dict[str, Any] = {
    # A picture for a document: no script, and nothing fetched from elsewhere.
    "js": [],
    "style": _STYLE,
    "width": 1_000,
    "legend_at_bottom": True,
    "truncate_label": -1,
    "truncate_legend": -1,
    "disable_xml_declaration": False,
}


def draw(results: Results, folder: Path) -> list[str]:
    """Draws what there is to draw; answers the names of the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    charts = {"targets": _targets(results), "latencies": _latencies(results), "growth": _growth(results)}
    drawn = []
    for name, chart in charts.items():
        if chart is not None:
            (folder / f"{name}.svg").write_bytes(chart.render())
            drawn.append(f"{name}.svg")
    return drawn


def _targets(results: Results) -> Any:
    """How far each figure is beyond 'must', with 'aim' beside it."""
    # Bars are drawn from below, so the first comes last.
    figures = [figure for figure in reversed(results.figures) if figure.reached]
    if not figures:
        return None
    chart = pygal.HorizontalBar(
        **_PLAIN,
        title="How far beyond 'must', as a factor: 1 is just there, more is better",
        height=130 + 40 * len(figures),
        print_values=True,
        logarithmic=True,
        value_formatter=short,
    )
    aims = [_aim(figure.row.must, figure.row.aim, least=figure.row.least) for figure in figures]
    measured = [figure.reached for figure in figures]
    chart.x_labels = [f"{figure.row.title} ({figure.store})" for figure in figures]
    chart.y_labels = _ticks([1.0, *(value for value in (*aims, *measured) if value)])
    chart.zero = chart.y_labels[0]
    chart.add("measured", measured)
    chart.add("aim", aims)
    return chart


def _aim(must: float | None, aim: float | None, *, least: bool) -> float | None:
    if must is None or aim is None:
        return None
    return aim / must if least else must / aim


def _ticks(values: list[float]) -> list[float]:
    """Ones, twos and fives around `values`."""
    ticks = [step * 10.0**power for power in range(-6, 7) for step in (1, 2, 5)]
    low = max(tick for tick in ticks if tick <= min(values))
    high = min(tick for tick in ticks if tick >= max(values))
    return [tick for tick in ticks if low <= tick <= high]


def _latencies(results: Results) -> Any:
    loads = [load for load in results.loads if load.percentiles]
    if not loads:
        return None
    chart = pygal.Line(
        **_PLAIN,
        title="How long an order takes: milliseconds by percentile",
        height=600,
        logarithmic=True,
        dots_size=2,
        legend_at_bottom_columns=2,
        value_formatter=short,
    )
    chart.x_labels = [f"{percent:g}" for percent in PERCENTS]
    chart.y_labels = _ticks([value * 1_000 for load in loads for value in load.percentiles.values()])
    for load in loads:
        chart.add(f"{load.title} ({load.store})", [value * 1_000 for value in load.percentiles.values()])
    return chart


def _growth(results: Results) -> Any:
    if not results.growth:
        return None
    chart = pygal.Line(
        **_PLAIN,
        title="Cost of an order by entries in the store: 1 is what it costs in the smallest",
        height=460,
        range=(0, max(1.5, *(max(point.time, point.cpu) for point in results.growth))),
        print_values=True,
        x_title="entries",
        value_formatter=short,
    )
    sizes = sorted({point.entries for point in results.growth})
    chart.x_labels = [f"{entries:,}" for entries in sizes]
    for store in dict.fromkeys(point.store for point in results.growth):
        found = {point.entries: point for point in results.growth if point.store == store}
        chart.add(f"time ({store})", [found[entries].time if entries in found else None for entries in sizes])
        chart.add(f"CPU time ({store})", [found[entries].cpu if entries in found else None for entries in sizes])
    return chart
