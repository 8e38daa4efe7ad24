"""Every dialogue here, played through Telegram: the real client, over the wire, says the same as the console does."""

import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import pytest

from adapters.console.blanks import Blanks
from adapters.console.clock import StandingClock
from adapters.console.grammar import (
    Again,
    Appoint,
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
from adapters.telegram.intake import Webhook
from bot.app import temporary_store
from economy.service import Identity, Place, Role, Sighting
from tests.support.telegram import BOT_HANDLE, Group, Shown, Telegram, telegram
from tests.support.telegram_town import Opened, serving

FOLDER = Path(__file__).parent
WEBHOOK = Webhook(url="http://127.0.0.1:0/telegram", host="127.0.0.1", port=0, secret="s" * 40)
DIALOGUES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt"))}
VOUCHED = frozenset({Role.OWNER, Role.OPERATOR})


class Performance:
    """One dialogue in the groups of one Telegram."""

    def __init__(
        self,
        there: Telegram,
        address: str,
        clock: StandingClock,
        opened: AsyncExitStack,
        webhook: Webhook | None = None,
    ) -> None:
        self.there = there
        self._webhook = webhook
        self.differences: list[str] = []
        self._address = address
        self._clock = clock
        self._opened = opened
        self._groups: dict[str, Group] = {}
        self._group = self._place("lobby")
        self._operators: frozenset[int] = frozenset()
        self._last: dict = {}
        self._written: dict[tuple[int, int], dict] = {}
        self._bot: Opened | None = None
        self._seen: dict[tuple[str, str], tuple[Shown, str]] = {}
        self._is_late = False
        self._blanks = Blanks()

    async def play(self, script: str) -> None:
        steps = parse_script(script)
        owners = [step.name for step in steps if isinstance(step, Appoint) and Role.OPERATOR in step.roles]
        self._operators = frozenset(self.person(name).id for name in owners)
        await self._open()
        for step in steps:
            await self._step(step)

    async def _open(self) -> None:
        opening = serving(self.there, self._address, self._clock, operators=self._operators, webhook=self._webhook)
        calls = len(self.there.called("setWebhook"))
        self._bot = await self._opened.enter_async_context(opening)
        if self._webhook is not None:
            await self.there.until(lambda: len(self.there.called("setWebhook")) > calls)

    def person(self, name: str):
        known = next((each for each in self.there.people if each.casefold() == name.casefold()), name)
        return self.there.person(known)

    def _place(self, name: str) -> Group:
        if name not in self._groups:
            self._groups[name] = self.there.group(name)
        return self._groups[name]

    async def _step(self, step) -> None:  # noqa: PLR0912  # a case for each kind of step
        match step:
            case Remark() | Unseen():
                # Whom Telegram does not know, nobody has to be told of.
                pass
            case Say() | Press() | Again() | React():
                before = self._screen()
                updates = self._sent(step)
                for update in updates:
                    await self.there.settled(update)
                self._compare(step, self._changed(before), len(updates))
            case Together():
                await self._together(step)
            case Appoint(name=name, roles=roles):
                await self._join(name)
                for role in roles:
                    await self._appoint(name, role)
            case Join(name=name, is_bot=is_bot):
                self.person(name).is_bot |= is_bot
                await self._join(name)
            case Leave(name=name):
                await self.there.settled(self.there.changes(self.person(name).name, self._group, "left"))
            case Move(place=name):
                self._group = self._place(name)
            case SetClock(at=at):
                self._clock.set(at)
            case ShiftClock(by=by):
                self._clock.forward(by)
            case Restart():
                await self._opened.aclose()
                await self._open()
            case never:
                assert_never(never)

    async def _join(self, name: str) -> None:
        status = self._group.members.get(self.person(name).id, "left")
        await self.there.settled(self.there.changes(self.person(name).name, self._group, "member", was=status))

    async def _appoint(self, name: str, role: Role) -> None:
        """Telegram has no roles: its owner is known from the platform, the others are as somebody gave them."""
        person = self.person(name)
        if role is Role.OWNER:
            self._group.members[person.id] = "creator"
            await self.there.settled(self.there.changes(person.name, self._group, "creator"))
        assert self._bot is not None
        place = Place("telegram", str(self._group.id))
        sighting = Sighting(Identity("telegram", str(person.id)), person.name, person.is_bot, present=True)
        act = f"test:appoint:{person.id}:{role}:{self._group.id}"
        assert await self._bot.florin.conversation.appoint(place, sighting, role, act, VOUCHED) is None

    # --- messages ---------------------------------------------------------------------------------------------------

    def _sent(self, step: Say | Press | Again | React) -> list[dict]:
        match step:
            case Again(times=times):
                for _ in range(times):
                    self.there.deliver(self._last)
                return [self._last]
            case Say(speaker=speaker, text=text, private=private):
                person = self.person(speaker)
                if person.is_bot or "no-such.csv" in text:
                    # Telegram brings no bot what another one writes, and nobody can send a file that is not there.
                    return []
                text = self._blanks.filled(text)
                self._last = self._said(person.name, self._addressed(text), None if private else self._group)
                if not private:
                    self._written[self._group.id, person.id] = self._last["message"]
            case React(emoji=emoji, author=author, reactor=reactor):
                message = self._written[self._group.id, self.person(author).id]
                self._last = self.there.react(self.person(reactor).name, message, emoji)
            case Press(label=label, presser=presser):
                person = self.person(presser)
                shown, data = self._button(person.name, label)
                self._last = self.there.press_data(person.name, shown, data)
        return [self._last]

    def _addressed(self, text: str) -> str:
        """A command that could be another bot's is written to this one."""
        assert self._bot is not None
        known = {word for spec in self._bot.florin.conversation.specs() for word in (spec.name, *spec.aliases)}
        command = re.match(r"/(\w+)", text)
        if command is None or any(name.partition(" ")[0] == command[1] for name in known):
            return text
        return f"{command[0]}@{BOT_HANDLE}{text[command.end() :]}"

    def _button(self, name: str, label: str) -> tuple[Shown, str]:
        """The latest that they see, or saw: fingers are quicker than what takes a button away."""
        for shown in reversed(self.there.seen_by(name)):
            for button in shown.buttons:
                if button["text"].casefold() == label.casefold():
                    self._seen[name, label] = shown, button["callback_data"]
                    self._is_late = False
                    return self._seen[name, label]
        self._is_late = True
        return self._seen[name, label]

    def _said(self, name: str, text: str, where: Group | None) -> dict:
        text = re.sub(r"\bid:(\w+)", lambda found: f"id:{self.person(found[1]).id}", text)
        file = re.search(r"file:(\S+) ?", text)
        if file is None:
            return self.there.say(name, text, where)
        # People send a file, and then answer it with the command.
        content = (FOLDER / file[1]).read_bytes()
        self.there.files[file[1]] = content
        document = {"file_id": file[1], "file_unique_id": file[1], "file_name": file[1], "file_size": len(content)}
        sent = self.there.message(name, None, where, document=document)
        return self.there.say(name, text.replace(file[0], ""), where, reply_to=sent)

    async def _together(self, step: Together) -> None:
        before = self._screen()
        updates = [update for each in step.steps if not isinstance(each, Remark) for update in self._sent(each)]
        await self.there.settled(*updates)
        expected = [line for each in step.steps if isinstance(each, Message) for line in each.expected or ()]
        assert not expected, "what is said together is not compared here"
        self._changed(before)

    # --- what is seen -----------------------------------------------------------------------------------------------

    def _screen(self) -> tuple[dict[int, int], int]:
        return {each.id: each.edits for each in self.there.shown}, len(self.there.alerts)

    def _changed(self, before: tuple[dict[int, int], int]) -> list[str]:
        """The texts that appeared or changed, files by their names, and alerts."""
        edits, alerts = before
        found: list[str] = []
        for shown in self.there.shown:
            if shown.removed or edits.get(shown.id) == shown.edits:
                continue
            if shown.file is not None:
                found[-1] += f"\n[file {shown.file[0]}]"
            else:
                found.append(shown.text)
        return found + [text for _, text, is_alert in self.there.alerts[alerts:] if is_alert]

    def _compare(self, step: Message, answered: list[str], sent: int) -> None:
        if step.expected is None or not sent:
            return
        lines = answered[-1].split("\n") if answered else []
        expected = comparable("\n".join(self._blanks.expected(step.expected, lines)))
        told = [comparable(text) for text in answered]
        # What was delivered again was answered already: it may be answered again, and no other way.
        is_again = isinstance(step, Again) or (isinstance(step, Press) and self._is_late)
        is_right = set(told) <= {expected} if is_again else told == [expected]
        if not is_right:
            self.differences.append(f"line {step.line}: {step.source}\nexpected {expected!r}\nanswered {told!r}")


def comparable(text: str) -> str:
    """Without what differs by platform: the end of a native id, and blanks at the end of lines."""
    return "\n".join(line.rstrip() for line in re.sub(r"\(…[^)]*\)", "(…)", text).split("\n"))


async def must_go_as_written(script: str, webhook: Webhook | None = None) -> None:
    clock = StandingClock(datetime.now(UTC))
    with temporary_store() as address:
        async with telegram(clock.now) as there, AsyncExitStack() as opened:
            performance = Performance(there, address, clock, opened, webhook)
            await performance.play(script)
        assert performance.differences == []


@pytest.mark.parametrize("script", DIALOGUES.values(), ids=DIALOGUES)
async def test_the_dialogue_goes_as_written_on_telegram(script: str) -> None:
    await must_go_as_written(script)


@pytest.mark.parametrize("name", ["tipping", "again", "together", "restart", "files"])
async def test_it_goes_as_written_by_webhook_too(name: str) -> None:
    """Those that are about messages themselves: the others say the same by whatever way they come."""
    await must_go_as_written(DIALOGUES[name], WEBHOOK)
