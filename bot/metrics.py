"""Figures as Prometheus wants them. What each metric says, docs/operating.md lists; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from economy.figures import Behind, Connections, Figures, JournalFigures, Spread, StoreFigures

STATES: Final = ("open", "read_only", "stopped")


class FlorinCollector(Collector):
    """Hands out the figures it was given last."""

    def __init__(self) -> None:
        self.figures: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        if self.figures is not None:
            yield from metrics_of(self.figures)


def registry_with(collector: FlorinCollector) -> CollectorRegistry:
    """A registry of our own: the figures, and what the process and its Python take."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def metrics_of(figures: Figures) -> Iterator[Metric]:
    """Every metric of ours. Those that need the database's answer are left out while there is none."""
    yield from _journal(figures.journal)
    yield from _connections(figures.writers, figures.readers)
    yield from _store(figures.store)


def _journal(journal: JournalFigures) -> Iterator[Metric]:
    orders = CounterMetricFamily("florin_orders", "Orders answered.", labels=("kind", "outcome", "code"))
    for labels, count in sorted(journal.orders.items()):
        orders.add_metric(labels, count)
    yield orders
    yield _histogram("florin_journal_batch_orders", "Orders carried out together.", journal.batch_orders)
    yield _histogram(
        "florin_journal_batch_seconds",
        "Time from taking a batch up to answering it, its commit included.",
        journal.batch_s,
    )
    yield CounterMetricFamily("florin_journal_again", "Batches written again.", value=journal.again)
    yield GaugeMetricFamily("florin_journal_waiting_orders", "Orders that wait.", value=journal.waiting)
    yield GaugeMetricFamily(
        "florin_journal_waiting_orders_max", "Orders that can wait; the next is refused.", value=journal.waiting_max
    )
    state = GaugeMetricFamily("florin_journal_state", "1 for the state that the journal is in.", labels=("state",))
    for name in STATES:
        state.add_metric((name,), float(name == journal.state))
    yield state


def _connections(writers: Connections, readers: Connections) -> Iterator[Metric]:
    used = GaugeMetricFamily("florin_store_connections", "Connections in use.", labels=("use",))
    kept = GaugeMetricFamily("florin_store_connections_kept", "Connections kept open at most.", labels=("use",))
    for use, connections in (("write", writers), ("read", readers)):
        used.add_metric((use,), connections.used)
        kept.add_metric((use,), connections.kept)
    yield used
    yield kept


def _store(store: StoreFigures) -> Iterator[Metric]:
    up = GaugeMetricFamily("florin_store_up", "Whether the database answers.", labels=("database",))
    up.add_metric((store.database,), float(store.answer_s is not None))
    yield up
    if store.answer_s is None:
        return
    yield GaugeMetricFamily("florin_store_answer_seconds", "How long the database took.", value=store.answer_s)
    yield GaugeMetricFamily(
        "florin_store_losses", "Ways in which the database could lose what was answered.", value=len(store.losses)
    )
    if store.file is not None:
        yield GaugeMetricFamily("florin_store_file_bytes", "Size of the store's file.", value=store.file.size)
        yield GaugeMetricFamily("florin_store_log_bytes", "Size of its write-ahead log.", value=store.file.log_size)
        yield GaugeMetricFamily("florin_store_disk_free_bytes", "Free where it is.", value=store.file.disk_free)
    yield from _behind("projector", "in no board or statistic yet", store.projector)
    yield from _behind("sealer", "under no seal yet", store.sealer)
    if store.outbox is not None:
        outbox = store.outbox
        yield GaugeMetricFamily("florin_outbox_waiting_events", "Events still to be told.", value=outbox.waiting)
        yield GaugeMetricFamily("florin_outbox_dead_events", "Events given up.", value=outbox.dead)
        yield GaugeMetricFamily(
            "florin_outbox_oldest_seconds", "How long the first event that waits has been due.", value=outbox.oldest_s
        )


def _behind(name: str, where: str, behind: Behind | None) -> Iterator[Metric]:
    if behind is not None:
        yield GaugeMetricFamily(f"florin_{name}_behind_entries", f"Entries {where}.", value=behind.entries)
        yield GaugeMetricFamily(
            f"florin_{name}_behind_seconds", f"Age of the oldest entry {where}.", value=behind.seconds
        )


def _histogram(name: str, words: str, spread: Spread) -> HistogramMetricFamily:
    so_far, buckets = 0, []
    for bound, count in zip((*spread.bounds, float("inf")), spread.counts, strict=True):
        so_far += count
        buckets.append(("+Inf" if bound == float("inf") else f"{bound:g}", so_far))
    family = HistogramMetricFamily(name, words)
    family.add_metric((), buckets, spread.total)
    return family
