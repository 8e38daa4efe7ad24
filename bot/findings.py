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


def ownership(platform: str, bot: str, known: str | None) -> tuple[Finding, ...]:
    """Whether the bot that the token is of is the one that the store is for; nothing where it is for none so far."""
    if known is None or known == bot:
        return ()
    words = (
        f"the store is for the bot {known}, and the token is that of {bot}, so `florin run` refuses to start: set the"
        f" right token or store; where the bot was changed for good, say `florin bots forget {platform}`"
    )
    return (Finding(f"{platform} bot", State.WRONG, words),)
