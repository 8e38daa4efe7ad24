"""What the figures say about Florin's health."""

import pytest

from bot.health import DISK_FREE_MIN, LOG_SIZE_MAX, PROJECTOR_S_MAX, SEALER_S_MAX, health_of
from economy.figures import Behind, FileFigures, OutboxFigures
from tests.bot.figures import FIGURES, journal_with, store_with


def test_all_is_well():
    health = health_of(FIGURES)
    assert (health.status, health.degraded, health.warnings) == ("ok", (), ())
    assert health.is_well


DEGRADED = [
    ("journal", journal_with(state="read_only")),
    ("journal", journal_with(state="stopped")),
    ("queue", journal_with(waiting=91, waiting_max=100)),
    ("store", store_with(answer_s=None, problem="it does not answer", projector=None, sealer=None, outbox=None)),
    ("durability", store_with(losses=("its replication is asynchronous",))),
    ("projector", store_with(projector=Behind(5_000, PROJECTOR_S_MAX + 1))),
    ("sealer", store_with(sealer=Behind(5_000, SEALER_S_MAX + 1))),
]


@pytest.mark.parametrize(("what", "figures"), DEGRADED)
def test_what_degrades_is_named(what, figures):
    """Faults 60, 146 and 147."""
    health = health_of(figures)
    assert health.status == "degraded"
    assert [symptom.what for symptom in health.degraded] == [what]
    assert not health.is_well


WARNINGS = [
    ("durability", store_with(losses=("its replication is asynchronous",), is_loss_allowed=True)),
    ("disk", store_with(file=FileFigures(1, 1, DISK_FREE_MIN - 1))),
    ("log", store_with(file=FileFigures(1, LOG_SIZE_MAX + 1, DISK_FREE_MIN))),
    ("outbox", store_with(outbox=OutboxFigures(0, 1, 0.0))),
]


@pytest.mark.parametrize(("what", "figures"), WARNINGS)
def test_what_only_warns_degrades_nothing(what, figures):
    """Faults 37, 60 and 147."""
    health = health_of(figures)
    assert (health.status, health.degraded) == ("ok", ())
    assert [symptom.what for symptom in health.warnings] == [what]


def test_a_little_lag_is_nothing():
    late = store_with(projector=Behind(1_000, PROJECTOR_S_MAX), sealer=Behind(1_000, SEALER_S_MAX))
    assert health_of(late).is_well
