"""How often Python looks for garbage in cycles, for a process that makes many small values and few cycles."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 100)
"""Python's own (700, 10, 10) spend a quarter of the journal's time walking orders that are about to be freed anyway."""


def collect_rarely() -> None:
    """Sets the thresholds of this process. What exists already, mostly modules, is not walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
