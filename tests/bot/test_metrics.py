"""Figures as Prometheus reads them."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import FlorinCollector, metrics_of, registry_with
from economy.figures import Figures
from tests.bot.figures import FIGURES, journal_with, store_with

OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(figures: Figures | None) -> Samples:
    """What Prometheus makes of the page."""
    collector = FlorinCollector()
    collector.figures = figures
    families = text_string_to_metric_families(generate_latest(registry_with(collector)).decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("florin_")
    }


def one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_every_figure_is_told():
    samples = scraped(FIGURES)
    expected = {
        "florin_journal_again_total": 4,
        "florin_journal_waiting_orders": 3,
        "florin_journal_waiting_orders_max": 10_000,
        "florin_store_answer_seconds": 0.002,
        "florin_store_losses": 0,
        "florin_store_file_bytes": 5 * 1024**3,
        "florin_store_log_bytes": 64 * 1024**2,
        "florin_store_disk_free_bytes": 10 * 1024**3,
        "florin_projector_behind_entries": 7,
        "florin_projector_behind_seconds": 0.5,
        "florin_sealer_behind_entries": 8,
        "florin_sealer_behind_seconds": 1.5,
        "florin_outbox_waiting_events": 9,
        "florin_outbox_dead_events": 0,
        "florin_outbox_oldest_seconds": 2.5,
    }
    assert {name: one(samples, name) for name in expected} == expected
    assert one(samples, "florin_orders_total", kind="tip", outcome="done", code="") == 5
    assert one(samples, "florin_orders_total", kind="tip", outcome="refused", code="insufficient_funds") == 2
    assert one(samples, "florin_store_up", database="sqlite") == 1
    assert [one(samples, "florin_store_connections", use=use) for use in ("write", "read")] == [1, 3]
    assert [one(samples, "florin_store_connections_kept", use=use) for use in ("write", "read")] == [2, 4]


def test_a_histogram_counts_everything_up_to_each_bound():
    samples = scraped(FIGURES)
    name = "florin_journal_batch_orders"
    assert [one(samples, f"{name}_bucket", le=le) for le in ("1", "2", "+Inf")] == [3, 4, 6]
    assert (one(samples, f"{name}_count"), one(samples, f"{name}_sum")) == (6, 12)


@pytest.mark.parametrize("state", ["open", "read_only", "stopped"])
def test_the_journal_is_in_one_state(state):
    samples = scraped(journal_with(state=state))
    states = {each: one(samples, "florin_journal_state", state=each) for each in ("open", "read_only", "stopped")}
    assert states == {each: float(each == state) for each in states}


def test_what_a_silent_database_cannot_tell_is_left_out():
    samples = scraped(store_with(answer_s=None, projector=None, sealer=None, outbox=None, file=None))
    names = {name for name, _ in samples}
    assert one(samples, "florin_store_up", database="sqlite") == 0
    assert "florin_orders_total" in names
    assert not [name for name in names if re.match("florin_(projector|sealer|outbox|store_(file|log|answer))", name)]


def test_before_the_first_look_there_is_the_process_alone():
    assert scraped(None) == {}


def test_nothing_is_registered_for_all():
    """Two Florins in one process tell of themselves alone."""
    before = {family.name for family in REGISTRY.collect()}
    scraped(FIGURES)
    assert {family.name for family in REGISTRY.collect()} == before
    assert not any(name.startswith("florin") for name in before)


def test_every_metric_is_in_the_docs_and_none_else():
    told = set(re.findall(r"^\| `(florin_\w+)", OPERATING.read_text(encoding="utf-8"), re.MULTILINE))
    known = {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in metrics_of(FIGURES)}
    assert told == known
