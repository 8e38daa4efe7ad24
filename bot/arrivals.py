"""Somebody comes by a name that coins wait for: they get them, and everyone is told."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final

from adapters.contract import Reply, Visibility
from bot.commands.registry import teller_of
from bot.jobs import Jobs
from bot.telling import Done, members_in
from bot.wording import Words
from economy.ledger import Receipt
from economy.rules.claiming import TakeUp, TipsTaken
from economy.service import Answer, Economy, Submission
from economy.settings import Feature
from economy.values import CommunityId, Identity, Place, Sighting, fitting_key, receipt_id
from economy.views import Reader

AGAIN_AFTER_S: Final = 60.0
"""How soon it is tried again for somebody who could not have what waits for them."""
REMEMBERED_MAX: Final = 10_000


class Arrivals:
    """Hands over what waits. Costs a look into a set for everyone whom nothing waits for."""

    def __init__(self, economy: Economy, jobs: Jobs) -> None:
        self._economy = economy
        self._jobs = jobs
        self._refused: OrderedDict[tuple[Place, Identity], float] = OrderedDict()

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        return not person.is_bot and await self._jobs.is_waited_for(*_names(person, known_as))

    async def arrived(
        self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str, reader: Reader
    ) -> Reply | None:
        """Hands over what waits for `person`, who is in the place, as `reader` has them. None where nothing does that
        they can have."""
        who, now = (place, person.identity), asyncio.get_running_loop().time()
        if (
            not reader.settings.feature_on(Feature.CLAIMS)
            or now - self._refused.get(who, -AGAIN_AFTER_S) < AGAIN_AFTER_S
        ):
            return None
        order = TakeUp(by=person.identity, names=_names(person, known_as))
        key = fitting_key(f"{act}:take")
        answer = await self._economy.submit(Submission(place, key, order, frozenset(), (person,)))
        self._jobs.forget()
        if isinstance(answer.outcome, TipsTaken) and reader.community_id is not None:
            return await told(self._economy, reader.community_id, reader, answer, answer.outcome, outcome="claimed")
        self._refused[who] = now
        if len(self._refused) > REMEMBERED_MAX:
            self._refused.popitem(last=False)
        return None


def _names(person: Sighting, known_as: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{person.identity.platform}:{name}" for name in known_as)


async def told(
    economy: Economy,
    community_id: CommunityId,
    reader: Reader,
    answer: Answer,
    receipt: Receipt,
    *,
    outcome: str,
    visibility: Visibility = Visibility.PUBLIC,
) -> Reply:
    """What came of an order that nobody gave by a command."""
    shown = await economy.reads.shown(community_id, sorted(members_in(receipt)))
    words = Words(reader.settings.language, reader.settings, shown, now=economy.clock.now())
    done = Done(at=answer.at, time_zone=answer.time_zone, number=answer.number)
    telling = teller_of(type(receipt))[0](receipt, done, words)
    return Reply(
        command=None,
        outcome=outcome,
        visibility=visibility,
        nodes=telling.nodes,
        receipt=None if answer.number is None else receipt_id(answer.number),
        fields=telling.fields,
        pings=telling.pings,
        repeated=answer.repeated,
        community=community_id,
    )
