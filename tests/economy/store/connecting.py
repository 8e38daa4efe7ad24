"""Connecting two identities on a store, step by step or all at once."""

from __future__ import annotations

from economy.books import Question
from economy.rules.connecting import (
    Agree,
    CodeGiven,
    Confirm,
    Connect,
    Depart,
    Disconnect,
    EnterCode,
    Leaving,
)
from economy.service import Answer
from tests.economy.store.acting import Acting, person


async def code_of(acting: Acting, name: str) -> str:
    """The code that somebody is given."""
    answer = await acting.submit(Connect(by=person(name)))
    assert isinstance(answer.outcome, Question), answer.outcome
    assert isinstance(answer.outcome.about, CodeGiven)
    return answer.outcome.about.code


async def agreed(acting: Acting, name: str, code: str) -> Answer:
    """Somebody enters a code and agrees."""
    question = await acting.submit(EnterCode(by=person(name), code=code))
    assert isinstance(question.outcome, Question), question.outcome
    return await acting.press(name, question, Agree(by=person(name), code=code))


async def confirmed(acting: Acting, name: str, other: str, code: str) -> Answer:
    """Whoever asked for the code confirms."""
    question = await acting.submit(Connect(by=person(name)))
    assert question.offered, question.outcome
    return await acting.press(name, question, Confirm(by=person(name), other=person(other), code=code))


async def connected(acting: Acting, name: str, other: str, elsewhere: Acting | None = None) -> Answer:
    """All of it: `other` speaks through `elsewhere`, if that is another place."""
    code = await code_of(acting, name)
    await agreed(elsewhere or acting, other, code)
    return await confirmed(acting, name, other, code)


async def disconnected(acting: Acting, name: str, *others: str, who: Leaving = Leaving.THIS) -> Answer:
    """An identity leaves the person that it shares with `others`, or all those others do."""
    question = await acting.submit(Disconnect(by=person(name), who=who))
    assert question.offered, question.outcome
    leaving = (name,) if who is Leaving.THIS else others
    everyone = tuple(sorted(map(person, (name, *others))))
    order = Depart(by=person(name), leaving=tuple(map(person, sorted(leaving))), identities=everyone)
    return await acting.press(name, question, order)
