"""`Conversation`: what was said -> its command -> a reply. The only place where refusals are caught."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog
from msgspec import Struct

from adapters.contract import (
    BUTTON_DATA_BYTES_MAX,
    CommandSpec,
    Hint,
    Invocation,
    Pressed,
    Reply,
    Suggestion,
    Visibility,
)
from bot.arrivals import Arrivals
from bot.asked import VEIL, Asked, seen_in, standing_in
from bot.commands import registry
from bot.commands.registry import Command
from bot.completion import completions, suggestions
from bot.hints import hinted
from bot.jobs import Jobs
from bot.nearest import nearest
from bot.paging import LOOK
from bot.parsing import parse
from bot.presence import Presence
from bot.reactions import reacted
from bot.refusals import refused
from bot.refused import Refused, refuse_asked
from bot.social import AGAIN, MINE, THANKS, line_again, own_rank, thanked
from bot.wording import SOURCE_LOCALE, Words, languages, translations_of
from economy.refusals import Code, Refusal
from economy.rules.permissions import Right, may
from economy.rules.places import ChannelUse, channel_use
from economy.service import Economy, PressedBy
from economy.settings import Feature, Settings
from economy.values import Identity, Place, Role, Sighting
from economy.views import Reader

OFFER = "o:"
"""Begins the data of a button for a stored offer: its nonce follows."""

COMMAND_OF_KIND = {"profile": "creator", "claim": "tip"}
"""Kinds of order whose command has another name."""

NOBODY = Identity("", "")

_log = structlog.get_logger("bot.dispatcher")


class _Heard(Struct):
    """What is known so far of one act, for when it has to be refused or goes wrong."""

    act: str
    word: str | None
    locale: str
    reader: Reader | None = None
    asked: Asked | None = None


class Dispatcher:
    """Answers doors: the `Conversation` of the contract."""

    def __init__(self, economy: Economy, jobs: Jobs | None = None) -> None:
        """With `jobs` what is past its hour is back before anything is answered, and whoever is waited for gets it."""
        self._economy = economy
        self._presence = Presence(economy)
        self._jobs = jobs
        self._arrivals = None if jobs is None else Arrivals(economy, jobs)

    # --- what doors ask -------------------------------------------------------------------------------------

    async def say(self, invocation: Invocation) -> Reply:
        """Answers a command. Never raises for anything a person can type."""
        heard = _Heard(invocation.act, None, invocation.locale)
        return await self._answered(heard, lambda: self._say(invocation, heard))

    async def press(self, pressed: Pressed) -> Reply:
        """Answers a press; data that is malformed or from an older release answers `expired`."""
        heard = _Heard(pressed.act, None, pressed.locale)
        return await self._answered(heard, lambda: self._press(pressed, heard))

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        """Somebody spoke without addressing the bot: they are in the place."""
        await self._presence.heard(place, person, act)

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None:
        """Somebody joined the place. None once that is noted, else why it is not."""
        return await self._noted(act, lambda: self._presence.came(place, person, act))

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None:
        """Somebody left the place. None once that is noted, else why it is not."""
        return await self._noted(act, lambda: self._presence.went(place, person, act))

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None:
        """Somebody whom others may have named by these keys is in the place. None where nothing waits for them."""
        try:
            if self._arrivals is None or not await self._arrivals.is_waited_for(person, known_as):
                return None
            reader = await self._presence.reader(place, person, act)
            return await self._arrivals.arrived(place, person, known_as, act, reader)
        except Exception as error:  # noqa: BLE001  # what waits waits on, and what they said is answered
            _log.error("not handed over", act=act, exc_info=error)
            return None

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        """Whether anything may wait for them, anywhere."""
        return self._arrivals is not None and await self._arrivals.is_waited_for(person, known_as)

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None:
        """Somebody put an emoji under somebody's message. None where there is nothing to tell."""
        try:
            return await reacted(self._economy, place, person, author, emoji, act)
        except Exception as error:  # noqa: BLE001  # nobody waits for an answer
            _log.error("reaction failed", act=act, exc_info=error)
            return None

    async def uses_reactions(self, place: Place) -> bool:
        """Whether reactions do anything in a place."""
        reader = await self._economy.reads.reader(place, NOBODY)
        return reader.settings.feature_on(Feature.REACTIONS)

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None:
        """The platform itself gives a role to somebody, with the standing that it vouches for. None once it is theirs,
        else why it is not."""
        return await self._noted(act, lambda: self._presence.appoint(place, person, role, act, standing))

    async def complete(self, invocation: Invocation) -> list[str]:
        """What the last word of an unfinished command could become, best first, at most 25."""
        return await completions(self._economy, invocation)

    async def suggest(self, invocation: Invocation, option: str) -> list[Suggestion]:
        """What an option of a typed command could be, best first, at most 25."""
        return await suggestions(self._economy, invocation, option)

    def specs(self) -> tuple[CommandSpec, ...]:
        """Every command there is."""
        return registry.specs()

    def hint(self, hint: Hint, locale: str, **values: str) -> Reply:
        """What a door tells on its own behalf, in words."""
        return hinted(hint, locale, **values)

    def languages(self) -> tuple[str, ...]:
        """The tags of every language there is beside English."""
        return languages()

    def translated(self, text: str) -> Mapping[str, str]:
        """A text of a spec or of a door's own in every other language there is, by its tag."""
        return translations_of(text)

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        """What a command does, in the reader's language."""
        return Words(locale, Settings()).text(spec.help)

    async def homes(self, person: Identity) -> list[Place]:
        """Where somebody who speaks to the bot alone may mean, the place they were last seen in first."""
        return await self._economy.reads.homes(person)

    async def moved(self, old: Place, new: Place) -> bool:
        """The platform gave a place a new id. Whether it meets under the new one now."""
        return await self._economy.move_place(old, new)

    # --- commands -------------------------------------------------------------------------------------------

    async def _say(self, invocation: Invocation, heard: _Heard, *, only_looks: bool = False) -> Reply:
        person = invocation.person
        if self._jobs is not None:
            await self._jobs.catch_up()
        reader = heard.reader = await self._presence.reader(
            invocation.place, person, invocation.act, private=invocation.private
        )
        command, invocation = _find(invocation, heard)
        if person.is_bot:
            refuse_asked(Code.NOT_ALLOWED, rule="bots")
        standing = standing_in(invocation, reader)
        _must_be_on(command.spec, reader.settings)
        use = channel_use(reader.community_flags, invocation.place.platform, invocation.channel)
        decides = may(reader.roles | standing, Right.SETTINGS) or (
            reader.home is not None and Role.OWNER in invocation.standing
        )
        if use is ChannelUse.NONE and not decides:
            # Whoever can change that is heard everywhere.
            refuse_asked(Code.FEATURE_OFF, rule="channel", feature="channel")
        asked = heard.asked = Asked(
            invocation=invocation,
            command=command,
            economy=self._economy,
            reader=reader,
            now=self._economy.clock.now(),
            standing=standing,
            only_looks=only_looks,
        )
        reply = await command.run(asked, **parse(command, invocation, asked.now, reader.settings.time_zone))
        return reply if use is ChannelUse.COMMANDS else _quietly(reply)

    async def _press(self, pressed: Pressed, heard: _Heard) -> Reply:
        data = pressed.data
        if len(data.encode("utf-8", "replace")) > BUTTON_DATA_BYTES_MAX:
            refuse_asked(Code.EXPIRED, rule="malformed")
        if data.startswith(OFFER):
            return await self._press_offer(pressed, data.removeprefix(OFFER), heard)
        if data.startswith(THANKS):
            reader = heard.reader = await self._economy.reads.reader(pressed.place, pressed.person.identity)
            return await thanked(self._economy, reader, data)
        if data == MINE:
            return await self._press_mine(pressed, heard)
        if data.startswith(AGAIN):
            return await self._press_again(pressed, data, heard)
        name, *words = data.removeprefix(LOOK).split() or [""]
        if not data.startswith(LOOK) or _lookup(name, words)[0] is None:
            # Also a command that an older release had.
            refuse_asked(Code.EXPIRED, rule="malformed")
        return await self._say(_invocation(pressed, name, tuple(words)), heard, only_looks=True)

    async def _press_mine(self, pressed: Pressed, heard: _Heard) -> Reply:
        """One's own coins and rank, and nobody else's."""
        reply = await self._say(_invocation(pressed, "balance", ()), heard, only_looks=True)
        if heard.reader is None:
            return reply
        words = Words(pressed.locale, heard.reader.settings)
        rank = await own_rank(self._economy, heard.reader, words)
        return reply if rank is None else msgspec.structs.replace(reply, nodes=(*reply.nodes, rank))

    async def _press_again(self, pressed: Pressed, data: str, heard: _Heard) -> Reply:
        """A button made to be pressed again: each press is a command of its own."""
        heard.reader = await self._economy.reads.reader(pressed.place, pressed.person.identity)
        name, *words = line_again(data, heard.reader).split()
        return await self._say(_invocation(pressed, name, tuple(words)), heard)

    async def _press_offer(self, pressed: Pressed, data: str, heard: _Heard) -> Reply:
        nonce = data.removeprefix(VEIL)
        # Nobody but an administrator has a name that the platform hides.
        veiled = data.startswith(VEIL) and pressed.administers
        reader = heard.reader = await self._economy.reads.reader(pressed.place, pressed.person.identity)
        order = await self._economy.reads.offer_order(pressed.place, nonce)
        if order is None:
            refuse_asked(Code.EXPIRED, rule="unknown")
        name = COMMAND_OF_KIND.get(order.kind, order.kind)
        heard.word = name
        command = registry.commands_of(name)[0]
        by = PressedBy(pressed.person, pressed.standing, pressed.held, pressed.administers)
        answer = await self._economy.press(pressed.place, nonce, by)
        asked = heard.asked = Asked(
            invocation=msgspec.structs.replace(_invocation(pressed, name, ()), veiled=veiled),
            command=command,
            economy=self._economy,
            reader=reader,
            now=self._economy.clock.now(),
            standing=standing_in(pressed, reader),
        )
        reply = await asked.tell(answer, order)
        use = channel_use(reader.community_flags, pressed.place.platform, pressed.channel)
        return reply if use is ChannelUse.COMMANDS else _quietly(reply)

    # --- what may go wrong ----------------------------------------------------------------------------------

    async def _answered(self, heard: _Heard, answer: Callable[[], Awaitable[Reply]]) -> Reply:
        try:
            try:
                reply = await answer()
            except Refused as no:
                reply = await self._refused(no, heard)
        except Exception as error:  # noqa: BLE001  # whatever it is, whoever asked gets an answer, and we a log line
            return _surprised(error, heard)
        _log.debug(
            "answered",
            act=heard.act,
            command=reply.command,
            outcome=reply.outcome,
            code=reply.code,
            receipt=reply.receipt,
        )
        return reply

    async def _noted(self, act: str, note: Callable[[], Awaitable[Refusal | None]]) -> Reply | None:
        heard = _Heard(act, None, SOURCE_LOCALE)
        try:
            refusal = await note()
            return None if refusal is None else await self._refused(Refused(refusal), heard)
        except Exception as error:  # noqa: BLE001  # as above
            return _surprised(error, heard)

    async def _refused(self, no: Refused, heard: _Heard) -> Reply:
        refusal = no.refusal
        if heard.asked is not None:
            refusal = _by_name(refusal, heard.asked.invocation)
            words = await heard.asked.words_of(refusal)
            buttons = heard.asked.offer_buttons(no.offered)
        else:
            words = Words(heard.locale, heard.reader.settings if heard.reader else Settings())
            buttons = ()
        telling = refused(refusal, words)
        return Reply(
            command=heard.word,
            outcome="refused",
            visibility=Visibility.PRIVATE,
            nodes=telling.nodes,
            code=str(refusal.code),
            fields=telling.fields,
            buttons=buttons,
        )


def _surprised(error: Exception, heard: _Heard) -> Reply:
    """Something nobody foresaw: told in one sentence, and logged without what was said."""
    reference = hashlib.sha256(heard.act.encode("utf-8", "replace")).hexdigest()[:8]
    _log.error("failed", act=heard.act, command=heard.word, reference=reference, exc_info=error)
    words = Words(heard.locale, Settings())
    return Reply(
        command=heard.word,
        outcome="failed",
        visibility=Visibility.PRIVATE,
        nodes=(
            words.line(
                "Something went wrong on our side. Look at /history before you try again; if it stays, tell whoever "
                "runs this bot the reference {reference}.",
                reference=reference,
            ),
        ),
        fields={"reference": reference},
    )


def _lookup(name: str, words: Sequence[object]) -> tuple[Command | None, int]:
    """The command behind a name and the words after it, and how many of those belong to its name."""
    known = registry.commands()
    if words and isinstance(words[0], str):
        found = known.get(f"{name} {words[0]}".casefold())
        if found is not None:
            return found, 1
    return known.get(name.casefold()), 0


def _find(invocation: Invocation, heard: _Heard) -> tuple[Command, Invocation]:
    """The command that was asked for and the invocation without the words that name it."""
    name = invocation.command.casefold()
    command, named = _lookup(name, invocation.words)
    if command is not None:
        heard.word = command.word
        return command, msgspec.structs.replace(invocation, words=invocation.words[named:])
    group = [spec.name.partition(" ")[2] for spec in registry.specs() if spec.name.startswith(f"{name} ")]
    if group:
        heard.word = name
        refuse_asked(Code.INVALID_ARGUMENT, rule="group", option=name, choices=",".join(group))
    meant = nearest(name, registry.commands())
    return refuse_asked(Code.UNKNOWN_COMMAND, nearest=", ".join(f"/{near}" for near in meant))


def _quietly(reply: Reply) -> Reply:
    """A reply where nobody else is to see it."""
    return msgspec.structs.replace(reply, visibility=Visibility.PRIVATE, strand=None)


def _must_be_on(spec: CommandSpec, settings: Settings) -> None:
    if spec.feature is not None and not settings.feature_on(Feature(spec.feature)):
        refuse_asked(Code.FEATURE_OFF, feature=spec.feature)


def _invocation(pressed: Pressed, command: str, words: tuple[str, ...]) -> Invocation:
    return Invocation(
        act=pressed.act,
        person=pressed.person,
        place=pressed.place,
        command=command,
        words=words,
        standing=pressed.standing,
        held=pressed.held,
        channel=pressed.channel,
        private=pressed.private,
        locale=pressed.locale,
        administers=pressed.administers,
    )


def _by_name(refusal: Refusal, invocation: Invocation) -> Refusal:
    """Rules know someone whom they do not know by native id alone; whoever asked knows the name they wrote."""
    name = refusal.fields.get("name")
    if refusal.code is not Code.UNKNOWN_MEMBER or not isinstance(name, str):
        return refusal
    for sighting in seen_in(invocation)[1:]:
        if sighting.identity.native_id == name:
            return Refusal(refusal.code, {**refusal.fields, "name": sighting.name})
    return refusal
