"""Timed work: what waits in escrow goes back at its hour. Also knows whom anything waits for.

Any number of processes may do it: they lease what is due, and a rule gives each back once, whoever asks how often.
What was due while nobody ran is returned at the next start.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from economy.refusals import Refusal
from economy.rules.claiming import Return
from economy.service import Due, Economy, Escrow, Submission, WaitingNow
from economy.values import fitting_key

LEASE_S: Final = 300.0
"""How long a process that took something has for it, before another tries."""
TAKEN_MAX: Final = 200
POLL_S: Final = 30.0
FRESH_S: Final = 5.0
"""How old what is known of whom is waited for may be; what this process itself put there it knows at once."""

_log = structlog.get_logger("bot.jobs")


class Jobs:
    """The timed work of one process."""

    def __init__(self, economy: Economy, escrow: Escrow) -> None:
        self._economy = economy
        self._escrow = escrow
        self._known = WaitingNow()
        self._known_at: float | None = None
        self._known_of = 0

    async def run(self) -> None:
        """Works until cancelled. A store that fails is told in the log, and asked again."""
        while True:
            try:
                while await self.drain() == TAKEN_MAX:
                    pass
            except Exception as error:  # noqa: BLE001  # what is due stays due
                _log.warning("timed work waits", exc_info=error)
            await asyncio.sleep(POLL_S)

    async def drain(self) -> int:
        """Returns what is due; answers how much was taken."""
        taken = await self._escrow.lease(self._economy.clock.now(), limit=TAKEN_MAX, for_s=LEASE_S)
        for due in taken:
            await self._return(due)
        self.forget()
        return len(taken)

    async def _return(self, due: Due) -> None:
        # A refusal is kept under its key as well: each attempt has its own, and the rule returns it once.
        key = fitting_key(f"hour:{due.number}:{due.attempts}")
        answer = await self._economy.submit(Submission(due.place, key, Return(by=due.by, of=due.number)))
        if isinstance(answer.outcome, Refusal):
            _log.info("not returned", entry=due.number, code=str(answer.outcome.code), rule=answer.outcome.rule)

    async def catch_up(self) -> None:
        """Before anything is answered, what is past its hour is back."""
        known = await self._waiting()
        if known.next_due is not None and known.next_due <= self._economy.clock.now():
            await self.drain()

    async def is_waited_for(self, *names: str) -> bool:
        """Whether anything may wait, anywhere, for somebody who goes by one of these names."""
        known = await self._waiting()
        return not known.are_all or not known.names.isdisjoint(names)

    def forget(self) -> None:
        """Something was put there or taken out: look again."""
        self._known_at = None

    async def _waiting(self) -> WaitingNow:
        now = asyncio.get_running_loop().time()
        is_fresh = self._known_at is not None and now - self._known_at < FRESH_S
        if not is_fresh or self._known_of != self._economy.put_in_escrow:
            # First the count: what is put there meanwhile is looked for again.
            self._known_of, self._known_at = self._economy.put_in_escrow, now
            try:
                self._known = await self._escrow.waiting()
            except Exception as error:  # noqa: BLE001  # it waits on, and whoever speaks is answered
                _log.warning("waiting unknown", error=type(error).__name__)
        return self._known
