"""A conversation that lets a test wait until something was told to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from adapters.contract import CommandSpec, Conversation, Hint, Invocation, Pressed, Reply, Suggestion
from economy.service import Identity, Place, Role, Sighting


class Overheard:
    """Passes everything on. `said`, `pressed`, `came` and `went` are what was answered, in order."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._news = asyncio.Condition()
        self.said: list[tuple[Invocation, Reply]] = []
        self.pressed: list[tuple[Pressed, Reply]] = []
        self.came_in: list[Sighting] = []
        self.went_out: list[Sighting] = []
        self.reactions: list[tuple[Sighting, Reply | None]] = []

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(holds)

    async def _noticed(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def say(self, invocation: Invocation) -> Reply:
        reply = await self._conversation.say(invocation)
        self.said.append((invocation, reply))
        await self._noticed()
        return reply

    async def press(self, pressed: Pressed) -> Reply:
        reply = await self._conversation.press(pressed)
        self.pressed.append((pressed, reply))
        await self._noticed()
        return reply

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        await self._conversation.heard(place, person, act)

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None:
        no = await self._conversation.came(place, person, act)
        self.came_in.append(person)
        await self._noticed()
        return no

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None:
        no = await self._conversation.went(place, person, act)
        self.went_out.append(person)
        await self._noticed()
        return no

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None:
        return await self._conversation.arrived(place, person, known_as, act)

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        return await self._conversation.is_waited_for(person, known_as)

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None:
        reply = await self._conversation.reacted(place, person, author, emoji, act)
        self.reactions.append((person, reply))
        await self._noticed()
        return reply

    async def uses_reactions(self, place: Place) -> bool:
        return await self._conversation.uses_reactions(place)

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None:
        return await self._conversation.appoint(place, person, role, act, standing)

    async def complete(self, invocation: Invocation) -> list[str]:
        return await self._conversation.complete(invocation)

    async def suggest(self, invocation: Invocation, option: str) -> list[Suggestion]:
        return await self._conversation.suggest(invocation, option)

    def specs(self) -> tuple[CommandSpec, ...]:
        return self._conversation.specs()

    def hint(self, hint: Hint, locale: str, **values: str) -> Reply:
        return self._conversation.hint(hint, locale, **values)

    def languages(self) -> tuple[str, ...]:
        return self._conversation.languages()

    def translated(self, text: str) -> Mapping[str, str]:
        return self._conversation.translated(text)

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        return self._conversation.help_of(spec, locale)

    async def homes(self, person: Identity) -> list[Place]:
        return await self._conversation.homes(person)

    async def moved(self, old: Place, new: Place) -> bool:
        return await self._conversation.moved(old, new)
