"""What Tab offers in the console: commands, names, buttons, and what the conversation knows of a command's words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from adapters.console.courier import Courier
from adapters.console.grammar import SCRIPT_COMMANDS
from adapters.console.own import OWN
from adapters.console.rendering import inert
from adapters.console.words import AttachmentProblem, cut
from adapters.console.world import World


@dataclass(slots=True)
class Speaker:
    """Who speaks now, and whether to the bot alone."""

    name: str
    private: bool = False


class ConsoleCompleter(Completer):
    """Offers what the line under the cursor could become."""

    def __init__(self, courier: Courier, world: World, speaker: Speaker) -> None:
        self._courier = courier
        self._world = world
        self._speaker = speaker

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Nothing: names are in the store, and asking it takes an event loop."""
        return ()

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        text = document.text_before_cursor
        head, gap, rest = text.partition(" ")
        if text.startswith("!"):
            found = offered(text.removeprefix("!").lstrip(), dict.fromkeys(SCRIPT_COMMANDS, ""))
        elif not text.startswith("/"):
            found = []
        elif not gap:
            found = await self._commands(text)
        elif head.removeprefix("/") in OWN:
            found = offered(rest, self._own(head.removeprefix("/")))
        else:
            typed = "" if text[-1:].isspace() else cut(text)[-1]
            found = [completing(word, typed) for word in await self._asked(text)]
        for completion in found:
            yield completion

    async def _commands(self, typed: str) -> list[Completion]:
        """Commands that this speaker may give, with what they do, and the console's own."""
        help_of = {spec.name: spec.help for spec in self._courier.conversation.specs()}
        names = [f"/{name}" for name in await self._asked(typed)]
        own = offered(typed, {f"/{name}": own.does for name, own in OWN.items()})
        return [completing(name, typed, help_of.get(name[1:], "")) for name in names] + own

    async def _asked(self, text: str) -> list[str]:
        try:
            return await self._courier.complete(self._speaker.name, text, private=self._speaker.private)
        except AttachmentProblem:
            # A file whose name is only half typed, perhaps.
            return []

    def _own(self, command: str) -> dict[str, str]:
        match command:
            case "as":
                return dict.fromkeys((person.name for person in self._world.people), "")
            case "place":
                return dict.fromkeys((place.native_id for place in self._world.places), "")
            case "private":
                return {"on": "", "off": ""}
            case "press":
                return {button.label: "" for button in self._courier.pressable(self._speaker.name)}
            case _:
                return {}


def offered(typed: str, choices: dict[str, str]) -> list[Completion]:
    """The choices that begin as typed, with what is said of each beside it."""
    return [
        completing(choice, typed, about)
        for choice, about in choices.items()
        if choice.casefold().startswith(typed.casefold())
    ]


def completing(choice: str, typed: str, about: str = "") -> Completion:
    """`choice` in the place of what is typed of it."""
    return Completion(choice, -len(typed), display=inert(choice), display_meta=about)
