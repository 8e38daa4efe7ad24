"""Counts what the journal does, cheaply: a dictionary's entry an order, two numbers a batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from economy.books import Question
from economy.figures import Carried, Observer, Spread
from economy.refusals import Code, Refusal
from economy.rules.offers import Press
from economy.service import Submission
from economy.store.batch import Waiting
from economy.store.errors import describe
from economy.values import CommunityId

log = logging.getLogger(__name__)

BATCH_ORDERS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
BATCH_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Tally:
    """What became of this journal's orders, and how its batches went. Observers are told of each order besides."""

    def __init__(self) -> None:
        self.orders: dict[tuple[str, str, str], int] = {}
        self.batch_orders = Spread(BATCH_ORDERS)
        self.batch_s = Spread(BATCH_S)
        self.again = 0
        self.observers: list[Observer] = []

    def turned_away(self, submission: Submission, code: Code) -> None:
        """An order that did not even wait."""
        order = submission.order
        kind = order.inner.kind if isinstance(order, Press) else order.kind
        self._count(kind, "refused", code)
        if self.observers:
            self._tell([Carried(submission.key, kind, "refused", code, CommunityId(0), None, 0.0)])

    def add(self, batch: Sequence[Waiting], began_s: float) -> None:
        """A batch whose callers have their answers; `began_s` is when it was taken up, by `perf_counter`."""
        now_s = perf_counter()
        self.batch_orders.add(len(batch))
        self.batch_s.add(now_s - began_s)
        for waiting in batch:
            self._count(waiting.order.kind, *_came_to(waiting))
        if self.observers:
            self._tell([_carried(waiting, now_s) for waiting in batch])

    def _tell(self, orders: Sequence[Carried]) -> None:
        for observer in self.observers:
            try:
                observer.carried_out(orders)
            except Exception as problem:  # noqa: BLE001  # whoever looks on never stops the one writer
                log.error("an observer failed: %s", describe(problem))

    def _count(self, kind: str, outcome: str, code: str) -> None:
        came_to = (kind, outcome, code)
        self.orders[came_to] = self.orders.get(came_to, 0) + 1


def _came_to(waiting: Waiting) -> tuple[str, str]:
    """An order's outcome and the code of its refusal."""
    answer = waiting.answer
    if answer is None or waiting.error is not None:
        return "failed", ""
    code = str(answer.outcome.code) if isinstance(answer.outcome, Refusal) else ""
    if answer.repeated:
        return "repeated", code
    if code:
        return "refused", code
    return ("asked" if isinstance(answer.outcome, Question) else "done"), ""


def _carried(waiting: Waiting, now_s: float) -> Carried:
    outcome, code = _came_to(waiting)
    answer = waiting.answer
    return Carried(
        waiting.key,
        waiting.order.kind,
        outcome,
        code,
        waiting.community,
        None if answer is None else answer.number,
        now_s - waiting.arrived_s,
    )
