"""Takes what people say and press to the conversation, and remembers which buttons they got to see."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never
from urllib.parse import quote

from msgspec.structs import replace

from adapters.console.grammar import Appoint, Change, Join, Leave, Move, Unseen
from adapters.console.words import AttachmentProblem, cut, handle, is_command, spoken
from adapters.console.world import VOUCHED, World
from adapters.contract import Button, Conversation, Invocation, Line, Plain, Pressed, Reply, Strong, Visibility, Word
from economy.service import Identity, Place, Role, Sighting

Opener = Callable[[], AbstractAsyncContextManager[Conversation]]
"""Opens a conversation, each time on the same store; leaving its context closes everything again."""

_PLACE_IN_ACT_MAX = 60
_SEEN_MAX = 1_000
_ACT_MAX = 180


@dataclass(frozen=True, slots=True)
class Heard:
    """Words that are no command."""

    act: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """An emoji under a message of somebody's."""

    author: Sighting
    emoji: str
    act: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message or press, ready to be delivered as often as wanted. `private`: said to the bot alone.

    A `Reply` as content is the door's own answer, to a message that the conversation never sees.
    """

    person: Sighting
    place: Place
    private: bool
    content: Invocation | Pressed | Heard | Reacted | Reply


@dataclass(frozen=True, slots=True)
class Seen:
    """A reply with buttons, and who sees it: everyone in the place, or `person` alone."""

    buttons: tuple[Button, ...]
    person: Identity
    place: Place
    private: bool


class Courier:
    """Speaks the contract's language to the conversation, for all people of one world.

    `run` tells the native ids of this run's messages from those of any other run; files named in messages are looked
    for in `folders`. `conversation` is set by whoever opened it, and again after a restart.
    """

    conversation: Conversation

    def __init__(self, world: World, *, run: str, folders: Sequence[Path]) -> None:
        self._world = world
        self._run = run
        self._folders = folders
        self._count = 0
        self._seen: deque[Seen] = deque(maxlen=_SEEN_MAX)
        self._written: dict[tuple[Place, Identity], str] = {}

    # --- messages

    def said(self, name: str, text: str, *, private: bool = False) -> Parcel:
        """`name` says `text`, and is in the place by that, unless they left and write to the bot alone."""
        person = self._world.person(name) if private else self._world.arrive(name)
        place = self._world.place_of(person)
        sighting = self._world.sighting(person, place)
        act = self._act("message", place)
        if not private:
            self._written[place, person.identity] = act
        if not is_command(text):
            return Parcel(sighting, place, private, Heard(act))
        try:
            command, words = spoken(text, self._world, specs=self.conversation.specs(), folders=self._folders)
        except AttachmentProblem as problem:
            return Parcel(sighting, place, private, not_attached(text, str(problem)))
        said = Invocation(
            act=act,
            person=sighting,
            place=place,
            command=command,
            words=words,
            private=private,
            place_name=place.native_id,
        )
        return Parcel(sighting, place, private, said)

    def pressed(self, name: str, label: str) -> Parcel | None:
        """`name` presses the button `label` of the latest reply that shows them one; None if none does."""
        for seen in reversed(self._seen):
            for button in self._pressable(seen, name):
                if button.label.casefold() == label.casefold():
                    return self._press(name, seen, button)
        return None

    def pressed_at(self, name: str, number: int) -> Parcel | None:
        """`name` presses button `number`, counted from 1, of the latest reply that shows them any."""
        for seen in reversed(self._seen):
            if buttons := self._pressable(seen, name):
                return self._press(name, seen, buttons[number - 1]) if 0 < number <= len(buttons) else None
        return None

    def pressable(self, name: str) -> tuple[Button, ...]:
        """The buttons that `name` sees last."""
        return next((buttons for seen in reversed(self._seen) if (buttons := self._pressable(seen, name))), ())

    def _pressable(self, seen: Seen, name: str) -> tuple[Button, ...]:
        person = self._world.person(name)
        within_sight = seen.person == person.identity if seen.private else seen.place in self._sight_of(name)
        if not within_sight:
            return ()
        return tuple(button for button in seen.buttons if button.presser in {None, person.identity})

    def _sight_of(self, name: str) -> set[Place]:
        return {self._world.place, self._world.place_of(self._world.person(name))}

    def _press(self, name: str, seen: Seen, button: Button) -> Parcel:
        person = self._world.arrive(name, seen.place)
        sighting = self._world.sighting(person, seen.place)
        press = Pressed(
            act=self._act("press", seen.place),
            person=sighting,
            place=seen.place,
            data=button.data,
            private=seen.private,
        )
        return Parcel(sighting, seen.place, seen.private, press)

    def reacted(self, name: str, emoji: str, author: str) -> Parcel | None:
        """`name` puts an emoji under the latest message of `author`; None if there is none."""
        person, place = self._world.arrive(name), self._world.place
        other = self._world.person(author)
        message = self._written.get((place, other.identity))
        if message is None:
            return None
        act = fitting(f"{message}:{quote(person.identity.native_id, safe='')}:{quote(emoji, safe='')}")
        content = Reacted(self._world.sighting(other, place), emoji, act)
        return Parcel(self._world.sighting(person, place), place, False, content)

    async def deliver(self, parcel: Parcel) -> Reply | None:
        """Takes a parcel to the conversation. None where nothing is answered. Whoever comes by it gets what waited for
        them first."""
        if isinstance(parcel.content, Reply) or parcel.private or not parcel.person.present:
            return await self._deliver(parcel)
        person = parcel.person
        act = parcel.content.act
        arrival = await self.conversation.arrived(parcel.place, person, (handle(person.name),), act)
        reply = await self._deliver(parcel)
        if arrival is None or reply is None:
            return arrival or reply
        return replace(reply, nodes=(*arrival.nodes, *reply.nodes))

    async def _deliver(self, parcel: Parcel) -> Reply | None:
        match parcel.content:
            case Invocation() as invocation:
                return await self.conversation.say(invocation)
            case Pressed() as pressed:
                return await self.conversation.press(pressed)
            case Reply() as own:
                return own
            case Reacted(author, emoji, act):
                return await self.conversation.reacted(parcel.place, parcel.person, author, emoji, act)
            case Heard(act):
                if parcel.person.present:
                    await self.conversation.heard(parcel.place, parcel.person, act)
                return HINT if parcel.private else None
            case never:
                assert_never(never)

    def show(self, parcel: Parcel, reply: Reply) -> None:
        """The reply is on the screen now, and its buttons can be pressed."""
        if reply.buttons:
            private = parcel.private or reply.visibility is Visibility.PRIVATE
            self._seen.append(Seen(reply.buttons, parcel.person.identity, parcel.place, private))

    # --- what the platform itself tells

    async def happens(self, change: Change) -> Reply | None:
        """Tells the conversation who came, went or was given a role. Answers why that is not so, if it is not."""
        match change:
            case Appoint(name=name, roles=roles):
                return await self._appoint(name, roles)
            case Join(name=name, is_bot=is_bot):
                return await self._join(name, is_bot=is_bot)
            case Leave(name=name):
                sighting = self._world.sighting(self._world.depart(name), place := self._world.place)
                return await self.conversation.went(place, sighting, self._act("went", place))
            case Move(place=name):
                self._world.move(name)
                return None
            case Unseen(name=name):
                self._world.expect(name)
                return None
            case never:
                assert_never(never)

    async def _join(self, name: str, *, is_bot: bool = False) -> Reply | None:
        person = self._world.arrive(name)
        person.is_bot |= is_bot
        place = self._world.place
        return await self.conversation.came(place, self._world.sighting(person, place), self._act("came", place))

    async def _appoint(self, name: str, roles: Sequence[Role]) -> Reply | None:
        """`name` joins and gets the roles, on the word of whoever sits at the console."""
        no = await self._join(name)
        place = self._world.place
        sighting = self._world.sighting(self._world.person(name), place)
        for role in roles:
            no = no or await self.conversation.appoint(place, sighting, role, self._act("appoint", place), VOUCHED)
        return no

    # --- completion

    async def complete(self, name: str, text: str, *, private: bool) -> list[str]:
        """What the last word of the command `text`, still being typed by `name`, could become: the command itself,
        without its slash, as long as nothing stands behind it."""
        person = self._world.person(name)
        place = self._world.place_of(person) if private else self._world.place
        written = cut(text)
        finished, last = (text, "") if text[-1:].isspace() else (text.removesuffix(written[-1]), written[-1])
        command, words = last.removeprefix("/"), tuple[Word, ...]()
        if finished:
            command, before = spoken(finished, self._world, specs=self.conversation.specs(), folders=())
            words = (*before, last)
        return await self.conversation.complete(
            Invocation(
                act=f"console:unfinished:{self._run}",
                person=self._world.sighting(person, place),
                place=place,
                command=command,
                words=words,
                private=private,
            )
        )

    def _act(self, kind: str, place: Place) -> str:
        """Names one human act, as visible ASCII that is short enough for a key."""
        self._count += 1
        where = quote(place.native_id, safe="")
        if len(where) > _PLACE_IN_ACT_MAX:
            where = hashlib.sha256(where.encode()).hexdigest()[:_PLACE_IN_ACT_MAX]
        return f"console:{kind}:{self._run}:{where}:{self._count}"


def fitting(act: str) -> str:
    """An act whose name is short enough for a key."""
    return act if len(act) <= _ACT_MAX else f"console:digest:{hashlib.sha256(act.encode()).hexdigest()}"


HINT = Reply(
    command=None,
    outcome="hint",
    visibility=Visibility.PRIVATE,
    nodes=(Line((Plain("Commands begin with a slash. To see them all, type "), Strong("/help"), Plain("."))),),
)


def not_attached(text: str, why: str) -> Reply:
    """The door's own refusal of a file that it cannot send."""
    return Reply(
        command=cut(text)[0].removeprefix("/"),
        outcome="refused",
        visibility=Visibility.PRIVATE,
        nodes=(Line((Plain(why),)),),
        code="invalid_argument",
        fields={"rule": "file"},
    )
