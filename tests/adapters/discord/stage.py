"""Plays the dialogues of tests/dialogues at a Discord in tests: slash commands where the words fit one, else a message
that mentions the bot; and compares what people see with what the console says."""

from __future__ import annotations

import copy
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from adapters.console.blanks import Blanks
from adapters.console.clock import StandingClock
from adapters.console.grammar import (
    Again,
    AnyStep,
    Appoint,
    InBlock,
    Join,
    Leave,
    Message,
    Move,
    Press,
    React,
    Remark,
    Restart,
    Say,
    SetClock,
    ShiftClock,
    Together,
    Unseen,
)
from adapters.console.script import parse_script
from adapters.console.words import cut
from adapters.console.world import ROLE_WORDS, VOUCHED
from adapters.contract import CommandSpec, Option, OptionKind
from adapters.discord.tree import PEOPLE_MAX, Tree
from bot.app import Florin, open_florin
from bot.commands.registry import specs
from economy.service import Identity, Place, Sighting
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.overheard import Overheard
from tests.adapters.discord.peer import Interaction, Peer
from tests.adapters.discord.people import Person, Seen, Value
from tests.adapters.discord.state import EPHEMERAL, Guild, Role, User

FOLDER = Path(__file__).parents[2] / "dialogues"
_NUMBER = re.compile(r"[xX]?[0-9]{1,3}(,?[0-9]{3})*")
_WORDS = frozenset(
    {
        OptionKind.AMOUNT,
        OptionKind.GIFT,
        OptionKind.SETTING,
        OptionKind.WORD,
        OptionKind.RECEIPT,
        OptionKind.TIME,
    }
)
_SUFFIX = re.compile(r"\(….{1,4}\)")
UNLIKE_THE_CONSOLE = {
    # Files are the console's own affair; Discord sends only what is there.
    "There is no file no-such.csv.",
}


class Performance:
    """One run of a script. `differences` are the lines of all answers that were not as written, `slashed` and
    `mentioned` count how commands were given."""

    def __init__(self, peer: Peer, address: str, opened: AsyncExitStack) -> None:
        self.differences: list[str] = []
        self.slashed = 0
        self.mentioned = 0
        self._peer = peer
        self._address = address
        self._opened = opened
        self._clock = StandingClock(datetime.now(UTC))
        self._users: dict[str, User] = {}
        self._guilds: dict[str, Guild] = {}
        self._guild = self._go("lobby")
        self._last_in: dict[int, Guild] = {}
        self._said: dict[tuple[int, int], dict[str, Any]] = {}
        self._seen: list[tuple[Seen, User | None]] = []
        self._last: Interaction | dict[str, Any] | None = None
        self._tree = Tree(specs())
        self._blanks = Blanks()
        self._told: Overheard

    async def open(self) -> None:
        self._florin: Florin = await self._opened.enter_async_context(open_florin(self._address, self._clock))
        self._told = Overheard(self._florin.conversation)
        await self._opened.enter_async_context(opened_door(self._peer, self._told, members_intent=True, reactions=True))

    async def play(self, step: AnyStep) -> None:
        match step:
            case Say() | Press() | Again() | React():
                await self._message(step)
            case Together(steps=steps):
                await self._together([each for each in steps if not isinstance(each, Remark)])
            case Appoint(name=name, roles=roles):
                await self._join(name)
                for role in roles:
                    await self._appoint(name, role)
            case Join(name=name, is_bot=is_bot):
                await self._join(name, is_bot=is_bot)
            case Leave(name=name):
                left = len(self._told.went_out) + 1
                await self._peer.goes(self._guild, self._user(name))
                await self._told.until(lambda: len(self._told.went_out) == left)
            case Move(place=place):
                self._guild = self._go(place)
                await self._peer.gateway.tell("GUILD_CREATE", self._guild.payload(self._peer.bot), self._guild.id)
            case SetClock(at=at):
                self._clock.set(at)
            case ShiftClock(by=by):
                self._clock.forward(by)
            case Restart():
                await self._opened.aclose()
                await self.open()
            case Unseen():
                raise AssertionError("Discord resolves everyone who can be named")
            case Remark():
                pass

    # --- people and places ------------------------------------------------------------------------------------------

    def _go(self, place: str) -> Guild:
        if place not in self._guilds:
            nobody = self._peer.user("whoever made the server")
            self._guilds[place] = self._peer.guild(place, nobody)
        return self._guilds[place]

    def _user(self, name: str) -> User:
        return self._users.setdefault(name.casefold(), self._users.get(name.casefold()) or self._peer.user(name))

    async def _join(self, name: str, *, is_bot: bool = False) -> None:
        user = self._user(name)
        user.is_bot |= is_bot
        self._last_in[user.id] = self._guild
        came = len(self._told.came_in) + 1
        await self._peer.comes(self._guild, user)
        await self._told.until(lambda: len(self._told.came_in) >= came)

    async def _appoint(self, name: str, role: Any) -> None:
        """Roles by name, as the console gives them; and the role of Discord's own that scripts mention."""
        user, place = self._user(name), Place("discord", str(self._guild.id))
        if role.value == "owner":
            self._guild.owner = user
        sighting = Sighting(Identity("discord", str(user.id)), user.name, present=True)
        await self._florin.conversation.appoint(place, sighting, role, f"discord:appoint:{user.id}:{role}", VOUCHED)
        word = next((word for word, meant in ROLE_WORDS.items() if meant == role), None)
        if word is not None:
            if all(each.name != word for each in self._guild.roles.values()):
                created = self._guild.role(word)
                data = {"guild_id": str(self._guild.id), "role": created.payload()}
                await self._peer.gateway.tell("GUILD_ROLE_CREATE", data, self._guild.id)
            self._guild.members[user.id].roles.add(self._role(word).id)

    def _role(self, word: str) -> Role:
        return next(role for role in self._guild.roles.values() if role.name == word)

    # --- messages ---------------------------------------------------------------------------------------------------

    async def _message(self, step: InBlock) -> None:
        match step:
            case Say():
                await self._say(step)
            case Press():
                await self._press(step)
            case Again(times=times):
                for _ in range(times):
                    await self._again(step)
            case React():
                await self._react(step)
            case Remark():
                pass

    async def _together(self, steps: list[Say | Press | Again | React]) -> None:
        """Everything is sent before anything is looked at."""
        sent: list[tuple[Say, Interaction, Person]] = []
        for step in steps:
            if isinstance(step, Again):
                for _ in range(step.times):
                    await self._peer.deliver(sent[-1][1])
                continue
            assert isinstance(step, Say)
            user = self._user(step.speaker)
            person = Person(self._peer, user, self._guild)
            fitting = self._fitting(step.text, self._guild, private=step.private)
            assert fitting is not None
            sent.append((step, await person.send(fitting[0], **fitting[1]), person))
        for said, interaction, person in sent:
            self._compare(said, await person.sees(interaction), person.user)

    async def _say(self, step: Say) -> None:
        step = replace(step, text=self._blanks.filled(step.text))
        user = self._user(step.speaker)
        guild = self._last_in.get(user.id, self._guild) if step.private else self._guild
        if user.id not in guild.members:
            if step.private:
                return  # whoever left a server cannot write there
            await self._join(step.speaker)
        self._last_in[user.id] = guild
        person = Person(self._peer, user, guild)
        if not step.text.startswith("/"):
            self._last = self._said[guild.id, user.id] = await person.say(step.text)
            return
        if user.is_bot:
            await person.say(f"<@{self._peer.bot.id}> {step.text}")
            return  # bots give no commands, and are not answered
        fitting = self._fitting(step.text, guild, private=step.private)
        if fitting is None:
            await self._mention(step, person)
            return
        self.slashed += 1
        command, options = fitting
        interaction = self._last = await person.send(command, **options)
        self._compare(step, await person.sees(interaction), user)

    async def _react(self, step: React) -> None:
        """The latest message of somebody is reacted to, and what is told of that is seen in the channel."""
        reactor, author = self._user(step.reactor), self._user(step.author)
        person = Person(self._peer, reactor, self._guild)
        message = self._said[self._guild.id, author.id]
        known = len(self._told.reactions)
        mine = str(self._peer.bot.id)

        def shown() -> dict[int, list[str]]:
            everywhere = {**self._peer.private_channel(reactor).messages, **person.channel.messages}
            ours = {id_: each for id_, each in everywhere.items() if each["author"]["id"] == mine}
            return {id_: Seen(self._peer, copy.deepcopy(each), self._guild).lines for id_, each in ours.items()}

        before = shown()
        await person.reacts(message, step.emoji)
        await self._told.until(lambda: len(self._told.reactions) > known)
        if self._told.reactions[known][1] is not None:
            await self._peer.until(lambda: shown() != before)
        lines = [line for id_, told in shown().items() for line in told[len(before.get(id_, ())) :]]
        if step.expected is not None and lines != list(step.expected):
            self.differences.append(f"line {step.line}: expected {list(step.expected)}, seen {lines}")

    async def _mention(self, step: Say, person: Person) -> None:
        self.mentioned += 1
        words = [self._spoken(word, person.guild) for word in cut(step.text)]
        files = {
            name: self._file(name, person.guild)
            for name in re.findall(r"file:(\S+)", step.text)
            if (FOLDER / name).is_file()
        }
        text = " ".join(word for word in words if not word.startswith("file:"))
        private = self._peer.private_channel(person.user)
        before = set(private.messages) | set(person.channel.messages)

        def new_messages() -> list[dict[str, Any]]:
            everything = {**private.messages, **person.channel.messages}
            mine = [message for key, message in everything.items() if key not in before]
            return [message for message in mine if message["author"]["id"] == str(self._peer.bot.id)]

        self._last = await person.say(f"<@{self._peer.bot.id}> {text}", files=files)
        await self._peer.until(lambda: bool(new_messages()) or bool(self._peer.problems))
        assert not self._peer.problems, self._peer.problems
        self._compare(step, Seen(self._peer, new_messages()[0], person.guild), person.user)

    async def _press(self, step: Press) -> None:
        user = self._user(step.presser)
        for seen, reader in reversed(self._seen):
            if (reader is None or reader is user) and step.label.casefold() in map(str.casefold, seen.labels):
                person = Person(self._peer, user, seen._guild)
                interaction = self._last = await person.send_press(seen, step.label)
                self._compare(step, await person.sees(interaction), user)
                return
        raise AssertionError(f"line {step.line}: {step.presser} sees no button {step.label}")

    async def _again(self, step: Again) -> None:
        if isinstance(self._last, dict):
            return  # a message that nobody answered
        assert self._last is not None
        before = len(self._last.attempts)
        await self._peer.deliver(self._last)
        last = self._last
        await self._peer.until(lambda: len(last.attempts) > before)
        attempt = self._last.attempts[-1]
        if attempt["type"] in (4, 7):
            # It was answered already, and Discord takes no second answer: this is what it would have been.
            body = attempt["data"]
            fake = self._peer._message(self._last.channel, self._peer.bot, {**body, "attachments": []})
            assert self._last.guild is not None
            self._compare(step, Seen(self._peer, fake, self._last.guild), None, shown=False)

    def _compare(self, step: Message, seen: Seen, reader: User | None, *, shown: bool = True) -> None:
        if shown:
            kept = Seen(self._peer, copy.deepcopy(seen.message), seen._guild)
            is_private = bool(seen.message["flags"] & EPHEMERAL) or seen.message["channel_id"] not in map(
                str, seen._guild.channels
            )
            self._seen.append((kept, reader if is_private else None))
        if step.expected is None or UNLIKE_THE_CONSOLE.intersection(step.expected):
            return
        lines = [self._as_there(line.rstrip()) for line in seen.lines]
        expected = self._blanks.expected(step.expected, lines)
        if lines != [_SUFFIX.sub("(…)", line) for line in expected]:
            self.differences.append(f"line {step.line}: expected {expected}, seen {lines}")

    def _as_there(self, line: str) -> str:
        """A line as the console would have it, where people's ids are their names."""
        for user in self._users.values():
            line = line.replace(str(user.id), user.name)
        return _SUFFIX.sub("(…)", line)

    # --- words as options -------------------------------------------------------------------------------------------

    def _spoken(self, word: str, guild: Guild) -> str:
        if word.startswith("@") and len(word) > 1:
            if word[1:].casefold() in ROLE_WORDS:
                return f"<@&{self._role(word[1:].casefold()).id}>"
            return f"<@{self._user(word[1:]).id}>"
        if word.lower().startswith("id:") and len(word) > 3:
            return f"id:{self._user(word[3:]).id}"
        return word

    def _file(self, name: str, guild: Guild) -> bytes:
        """A file of the dialogues, with people by the ids they have here."""
        text = (FOLDER / name).read_text()
        return re.sub(
            r"^@?([^,\n]+),",
            lambda found: found[0] if found[1] == "member" else f"{self._user(found[1]).id},",
            text,
            flags=re.MULTILINE,
        ).encode()

    def _fitting(self, text: str, guild: Guild, *, private: bool) -> tuple[str, dict[str, Value]] | None:
        """The slash command and its options for what was typed; None where no slash command takes it so."""
        command, *words = cut(text.removeprefix("/")) or [""]
        leaves = {leaf.spec.name: leaf for leaf in self._tree.leaves.values()}
        leaf = leaves.get(f"{command} {words[0]}") if words else None
        words = words[1:] if leaf else words
        leaf = leaf or leaves.get(command)
        if leaf is None:
            return None
        options = self._options(leaf.spec, list(words), guild)
        if options is None:
            return None
        if private and leaf.spec.visibility.value == "public":
            options["private"] = True
        return " ".join(leaf.path), options

    def _options(self, spec: CommandSpec, words: list[str], guild: Guild) -> dict[str, Value] | None:
        found: dict[str, Value] = {}
        for option in spec.options:
            taken = self._taken(option, words, guild)
            if taken is None:
                return None
            found |= taken
            if option.required and option.kind is not OptionKind.TARGETS and option.name not in found:
                return None
        return None if words else found

    def _taken(self, option: Option, words: list[str], guild: Guild) -> dict[str, Value] | None:
        """What an option takes of the words, which it takes away; None for what no slash command could say."""
        word = words[0] if words else ""
        named = word.startswith("@") and len(word) > 1
        match option.kind:
            case OptionKind.RECEIVERS:
                return self._receivers(option, words)
            case OptionKind.MEMBER | OptionKind.TARGETS if named:
                value = self._named(words.pop(0))
                return None if option.kind is OptionKind.MEMBER and isinstance(value, Role) else {option.name: value}
            case OptionKind.TARGETS if word.startswith("file:") and (FOLDER / word[5:]).is_file():
                name = words.pop(0)[5:]
                return {"file": self._peer.attachment(name, self._file(name, guild))}
            case OptionKind.CHOICE if word.lower() in option.choices:
                return {option.name: words.pop(0).lower()}
            case OptionKind.COINS | OptionKind.COUNT | OptionKind.PAGE if _NUMBER.fullmatch(word):
                number = int(words.pop(0).lower().removeprefix("x").replace(",", ""))
                return {option.name: number} if number >= (option.least or 0) else None
            case OptionKind.TEXT if words:
                text = " ".join(words)
                words.clear()
                return {option.name: text} if len(text) <= (option.longest or 6000) else None
            case kind if word and not named and kind in _WORDS and (option.required or _may_be(kind, word)):
                return {option.name: words.pop(0)}
            case _:
                return {}

    def _receivers(self, option: Option, words: list[str]) -> dict[str, Value] | None:
        found: dict[str, Value] = {}
        while words and words[0].startswith("@") and len(words[0]) > 1:
            value = self._named(words.pop(0))
            if len(found) == PEOPLE_MAX or (found and isinstance(value, Role)):
                return None
            found[option.name if not found else f"{option.name}_{len(found) + 1}"] = value
        return found

    def _named(self, word: str) -> User | Role:
        name = word[1:]
        return self._role(name.casefold()) if name.casefold() in ROLE_WORDS else self._user(name)


def _may_be(kind: OptionKind, word: str) -> bool:
    return kind not in (OptionKind.RECEIPT, OptionKind.TIME) or word[:1].isdigit()


async def performed(text: str, peer: Peer, address: str) -> Performance:
    """Plays a whole script."""
    async with AsyncExitStack() as opened:
        performance = Performance(peer, address, opened)
        await performance.open()
        for step in parse_script(text):
            await performance.play(step)
    return performance
