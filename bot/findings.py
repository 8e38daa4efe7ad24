"""What a finding of `florin doctor` is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Florin runs, and something should be seen to."""
    WRONG = "wrong"


class Finding(Struct, frozen=True):
    """One line of the doctor's. `words` say what to do wherever it is not ok."""

    about: str
    state: State
    words: str
