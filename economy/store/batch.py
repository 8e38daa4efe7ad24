"""Orders that wait, and how many of them go into one transaction."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime
from time import perf_counter
from typing import Final

from economy import codec
from economy.books import Needs, Order
from economy.refusals import Code, Refusal
from economy.rules.offers import Press
from economy.service import Answer, Submission
from economy.store.errors import OrderFailedError
from economy.store.lookup import Meeting
from economy.values import CommunityId, Identity, MemberId

ORDERS_MAX: Final = 2_000
WEIGHT_MAX: Final = 8_000
"""Roughly how many postings one transaction may hold, so that nobody waits long behind it."""


class Waiting:
    """One order on its way through the journal, and what it came to."""

    __slots__ = (
        "actor",
        "acts",
        "answer",
        "answered",
        "arrived_s",
        "beside",
        "community",
        "decided",
        "digest",
        "error",
        "in_doubt",
        "key",
        "meeting",
        "named",
        "needs",
        "order",
        "pressed",
        "same_as",
        "submission",
        "weight",
    )

    def __init__(self, submission: Submission, answered: asyncio.Future[Answer]) -> None:
        order = submission.order
        self.submission = submission
        self.answered = answered
        self.arrived_s = perf_counter()
        self.needs: Needs = order.needs()
        self.key = str(submission.key)
        self.digest = codec.digest(order)
        self.pressed = order.nonce if isinstance(order, Press) else None
        self.order: Order = order.inner if isinstance(order, Press) else order
        """The order that is carried out: behind a pressed button, the one stored in it."""
        self.acts = self.order.acts
        """Whether it is an act of a member, beyond coming and going."""
        self.named = _named(order, self.order, self.needs)
        self.weight = 1 + len(self.needs.people) + len(self.needs.receipts)
        self.decided = False
        """Whether its rule was asked: what is found under its key after that, it wrote itself."""
        self.in_doubt = False
        """Whether nobody knows if it is committed: then no answer will do but that of another commit."""
        self.forget()

    def forget(self) -> None:
        """Back to the start: the batch it was in was not written."""
        self.community = CommunityId(0)
        self.meeting = Meeting(self.community)
        self.beside: CommunityId | None = None
        """The other community that it asks to see."""
        self.actor = MemberId(0)
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self.same_as: Waiting | None = None

    def fail(self, error: Exception) -> None:
        """Only this order is harmed. Its texts stay out of the message, and so out of every log."""
        self.error = OrderFailedError(f"{self.order.kind} under key {self.key}: {type(error).__name__}")
        self.error.__cause__ = error

    def reply(self) -> None:
        """Tells whoever still waits what was committed."""
        if self.answered.done():
            return
        if self.error is not None:
            self.answered.set_exception(self.error)
        elif self.answer is not None:
            self.answered.set_result(self.answer)
        else:
            self.answered.set_exception(OrderFailedError(f"{self.order.kind} was left without an answer"))


def _named(given: Order, inner: Order, needs: Needs) -> tuple[Identity, ...]:
    """Everyone an order names, whether they are members or not."""
    named = (given.by, *needs.people)
    if inner.by != given.by:
        named = (*named, inner.by)
    if needs.latest_by is not None:
        named = (*named, needs.latest_by)
    if needs.since is not None:
        named = (*named, needs.since[0])
    return named


def busy(now: datetime) -> Answer:
    return Answer(Refusal(Code.BUSY), now)


def read_only(now: datetime) -> Answer:
    return Answer(Refusal(Code.READ_ONLY), now)


def _is_alone(waiting: Waiting) -> bool:
    return waiting.needs.identities or waiting.needs.moves


def take_batch(waiting: deque[Waiting]) -> list[Waiting]:
    """Takes the next orders off the queue.

    An order that looks back is only ever behind others of its kind: what it asks for could otherwise still be
    unwritten. What takes coins up looks back as well, and yet writes what others may look for. Of those that ask by
    time there is one in a batch, since books hold one such answer for a member. An order about identities is alone,
    since who is who for all others must not change meanwhile, and one that asks for a second community is as well.
    """
    batch: list[Waiting] = []
    weight = 0
    while waiting and len(batch) < ORDERS_MAX and weight < WEIGHT_MAX:
        following = waiting[0]
        if batch and (_is_alone(following) or _is_alone(batch[-1])):
            break
        if batch and following.needs.looks_back:
            asked_by_time = following.needs.since and any(each.needs.since for each in batch)
            if asked_by_time or not batch[-1].needs.looks_back or batch[-1].needs.waiting:
                break
        batch.append(waiting.popleft())
        weight += following.weight
    return batch
