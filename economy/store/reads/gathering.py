"""Questions that every command asks, put to the store for all who ask at the same time.

As the journal does with orders: a group is what came while the one before was being answered, so nobody waits for
others to come, and nothing in an answer is older than its question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.bulk import Bulk
from economy.store.engine import Store

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

TOGETHER_MAX: Final = 500


class Gathered(Generic[Q, A]):
    """Questions of one kind. `find` answers each of several."""

    def __init__(
        self,
        store: Store,
        find: Callable[[AsyncConnection, Bulk, Sequence[Q]], Coroutine[Any, Any, Mapping[Q, A]]],
    ) -> None:
        self._store = store
        self._find = find
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        answered: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answered))
        if self._task is None:
            self._task = asyncio.create_task(self._answer_all(), name="questions")
        return await answered

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await self._answer(group)
        finally:
            self._task = None
            # Only a loop that is torn down comes here with questions left.
            for _, answered in self._waiting:
                answered.cancel()

    async def _answer(self, group: Sequence[tuple[Q, asyncio.Future[A]]]) -> None:
        questions = list(dict.fromkeys(question for question, _ in group))
        try:
            answers = await self._store.look(self._find, self._store.bulk, questions)
        except Exception as problem:  # noqa: BLE001  # whatever it is, only the question that caused it is harmed
            if len(questions) > 1:
                for each in group:
                    await self._answer((each,))
                return
            for _, answered in group:
                if not answered.done():
                    answered.set_exception(problem)
            return
        except BaseException:
            for _, answered in group:
                answered.cancel()
            raise
        for question, answered in group:
            if not answered.done():
                answered.set_result(answers[question])
