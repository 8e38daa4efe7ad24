"""The relay: takes from the outbox what committed entries have to tell, and has the doors tell it.

What waits for the same channel goes as one message, so that a flood of gifts stays within a platform's limits. A
notice is forgotten once it was told; one that cannot be told now is told later, each time after a longer while, and at
last never. Money depends on none of this.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from msgspec import Struct

from adapters.contract import Adapter, Delivery, Hint, Line, Node, Plain, Reply, Visibility
from bot.combos import OVER_AFTER, PAUSE, SENDS_MAX, STALE_AFTER, combo_of, ended
from bot.commands.registry import teller_of
from bot.entry_texts import gist, named
from bot.hints import hinted
from bot.telling import Done, members_in
from bot.wording import Words, unnamed
from economy.refusals import Value
from economy.rules.gifting import Gifted
from economy.rules.places import ChannelUse, Notices, channel_use, notice_channels
from economy.service import TELLING_ATTEMPTS_MAX, Clock, Notice, Outbox, Reads
from economy.settings import Settings
from economy.values import CommunityId, Place, receipt_id
from economy.views import EntryView

LEASE_S: Final = 60.0
"""How long a process that took notices has for them, before another takes them."""
TAKEN_MAX: Final = 200
LINES_MAX: Final = 10
"""Notices in one message."""
GATHER_S: Final = 0.5
"""How long to gather after the first: what happens together is told together."""
POLL_S: Final = 5.0
"""How often to look for what other processes left."""
CLOSED_S: Final = 600.0
"""How long a channel that refused is left alone: platforms ban who asks for what is refused again and again."""
SWEEP_EVERY: Final = timedelta(hours=1)
"""How often what was given up long ago is forgotten."""
RETRY_S: Final = 2.0
RETRY_MAX_S: Final = 3_600.0

GIFT: Final = "gift_sent"
COMBO: Final = "combo_over"
"""What is left of a gift's notice once it was announced: it may have been the last of a combo."""
STAFF: Final = frozenset(
    {
        "coins_adjusted",
        "chest_spent",
        "community_configured",
        "role_changed",
        "role_mapping_changed",
        "channels_changed",
        "places_changed",
        "movement_frozen",
        "entry_undone",
        "members_connected",
        "members_disconnected",
    }
)
"""Events of what staff does, or has to know of. Their own undos are told by whoever was undone."""

_log = structlog.get_logger("bot.relay")


class _Elsewhere(Exception):
    """A notice is for a platform that this process has no door to."""


class _Told(Struct, frozen=True):
    """What a notice says, in which language and channel; `called` is what owners call that, empty where they did not
    choose it."""

    notice: Notice
    place: Place
    channel: str
    called: str
    language: str
    nodes: tuple[Node, ...]


class Relay:
    """Drains one outbox through the doors of this process, by platform."""

    def __init__(self, outbox: Outbox, reads: Reads, doors: Mapping[str, Adapter], clock: Clock) -> None:
        self._outbox = outbox
        self._reads = reads
        self._doors = doors
        self._clock = clock
        self._committed = asyncio.Event()
        self._sweep_due = clock.now()
        self._warned: set[tuple[Place, str]] = set()
        self._closed: dict[tuple[Place, str], datetime] = {}

    def wake(self, _reached: object = None) -> None:
        """Something was committed: for the journal to call."""
        self._committed.set()

    async def run(self) -> None:
        """Relays until cancelled. A store that fails is told in the log, and asked again."""
        while True:
            try:
                await self._sweep_when_due()
                has_more = await self.drain() == TAKEN_MAX
            except Exception as error:  # noqa: BLE001  # what is due stays due, and the doors go on meanwhile
                _log.warning("notices wait", exc_info=error)
                has_more = False
            if not has_more:
                try:
                    await asyncio.wait_for(self._committed.wait(), POLL_S)
                except TimeoutError:
                    continue
                await asyncio.sleep(GATHER_S)
            self._committed.clear()

    async def _sweep_when_due(self) -> None:
        now = self._clock.now()
        if now >= self._sweep_due:
            self._sweep_due = now + SWEEP_EVERY
            if forgotten := await self._outbox.sweep(now):
                _log.warning("notices that were given up are forgotten", notices=forgotten)

    async def drain(self) -> int:
        """Tells what is due; answers how many notices were taken."""
        now = self._clock.now()
        notices = await self._outbox.lease(now, limit=TAKEN_MAX, for_s=LEASE_S, platforms=self._doors.keys())
        said, late = await self._by_community(notices)
        told = [each for each in said if each.place.platform in self._doors]
        late |= await self._tell_all(told)
        waiting = [notice for notice in notices if notice.id in late]
        finished = [notice for notice in notices if notice.id not in late]
        await self._hand_on([each for each in said if each not in told and each.notice.id not in late])
        lively = await self._may_end_combos(finished)
        await self._outbox.becomes(lively, COMBO, now + OVER_AFTER)
        await self._outbox.done([notice for notice in finished if notice not in lively])
        for notice in waiting:
            await self._later(notice)
        return len(notices)

    async def _hand_on(self, said: Sequence[_Told]) -> None:
        """What other processes have to tell on the platforms that they have doors to."""
        platforms: dict[int, set[str]] = {}
        for each in said:
            platforms.setdefault(each.notice.id, set()).add(each.place.platform)
        notices = {each.notice.id: each.notice for each in said}
        for id_, where in platforms.items():
            await self._outbox.hand_on(notices[id_], sorted(where), self._clock.now())

    async def _may_end_combos(self, notices: Sequence[Notice]) -> list[Notice]:
        """Those of gifts whose senders had just done something else: which of them go together is asked when they are
        over, and most gifts need no more looking at."""
        gifts: dict[CommunityId, list[Notice]] = {}
        for notice in notices:
            if notice.event == GIFT and notice.platform is None:
                gifts.setdefault(notice.community_id, []).append(notice)
        found: list[Notice] = []
        for community_id, sent in gifts.items():
            numbers = [notice.number for notice in sent]
            busy = await self._reads.busy_senders(community_id, numbers, apart=PAUSE)
            found += [notice for notice in sent if notice.number in busy]
        return found

    async def _later(self, notice: Notice) -> None:
        if notice.attempts >= TELLING_ATTEMPTS_MAX:
            _log.warning("notice given up", community=notice.community_id, entry=notice.number, about=notice.event)
            await self._outbox.give_up([notice], self._clock.now())
            return
        wait_s = min(RETRY_S * 2 ** (notice.attempts - 1), RETRY_MAX_S)
        await self._outbox.later([notice], self._clock.now() + timedelta(seconds=wait_s))

    # --- what there is to tell ----------------------------------------------------------------------------------

    async def _by_community(self, notices: Sequence[Notice]) -> tuple[list[_Told], set[int]]:
        """What there is to tell; and the ids of notices of which that cannot be said now, which harm no other."""
        flags: dict[CommunityId, dict[str, Value]] = {}
        told: list[_Told] = []
        late: set[int] = set()
        for notice in notices:
            try:
                if notice.community_id not in flags:
                    flags[notice.community_id] = await self._reads.community_flags(notice.community_id)
                told += await self._told(notice, flags[notice.community_id])
            except _Elsewhere:
                late.add(notice.id)
            except Exception as error:  # noqa: BLE001  # as above
                _log.warning("notice waits", entry=notice.number, about=notice.event, error=type(error).__name__)
                late.add(notice.id)
        return told, late

    async def _told(self, notice: Notice, flags: Mapping[str, Value]) -> list[_Told]:
        """What a notice says in each channel that has been chosen for such. Raises _Elsewhere where another process has
        to tell it."""
        if notice.event == COMBO:
            return await self._end(notice, flags)
        wanted = Notices.ANNOUNCEMENTS if notice.event == GIFT else Notices.LOG if notice.event in STAFF else None
        channels = [] if wanted is None else notice_channels(flags, wanted)
        if not channels:
            return []
        entry = await self._reads.entry(notice.community_id, notice.number)
        if entry is None:
            return []
        settings = Settings.of(dict(flags))
        is_gift = wanted is Notices.ANNOUNCEMENTS
        nodes = await (self._gift if is_gift else self._log_line)(notice.community_id, entry, settings)
        if not nodes:
            return []
        return [
            _Told(notice, Place(platform, place), channel, called, settings.language, nodes)
            for platform, place, channel, called in channels
            if notice.platform in (None, platform)
        ]

    async def _gift(self, community_id: CommunityId, entry: EntryView, settings: Settings) -> tuple[Node, ...]:
        """A large gift that still stands, in the words of its own message."""
        receipt = entry.receipt
        if not isinstance(receipt, Gifted) or receipt.cost < settings.announce_from or entry.undone_by is not None:
            return ()
        shown = await self._reads.shown(community_id, sorted(members_in(receipt)))
        if receipt.veiled:
            shown[receipt.sender] = unnamed(receipt.sender, Words(settings.language, settings))
        teller, _ = teller_of(Gifted)
        done = Done(at=entry.at, time_zone=entry.time_zone, number=entry.number, note=entry.note)
        told: tuple[Node, ...] = teller(receipt, done, Words(settings.language, settings, shown)).nodes
        return told

    async def _end(self, notice: Notice, flags: Mapping[str, Value]) -> list[_Told]:
        """The end of a combo, where it was told: by the notice of its last send alone, once nothing can join it."""
        around = await self._reads.sent_around(notice.community_id, notice.number, apart=PAUSE, most=SENDS_MAX)
        combo = combo_of(around, notice.number)
        if combo is None or combo.spot is None or combo.last.number != notice.number:
            return []
        spot = combo.spot
        is_for_all = channel_use(flags, spot.platform, spot.channel) is ChannelUse.COMMANDS
        if not spot.channel or not is_for_all or self._clock.now() - combo.last.at > STALE_AFTER:
            return []
        shown = await self._reads.shown(notice.community_id, sorted(members_in(combo.gift)))
        settings = Settings.of(dict(flags))
        line = ended(combo, Words(settings.language, settings, shown))
        if line is None:
            return []
        if spot.platform not in self._doors:
            raise _Elsewhere
        return [_Told(notice, spot.place, spot.channel, "", settings.language, (line,))]

    async def _log_line(self, community_id: CommunityId, entry: EntryView, settings: Settings) -> tuple[Node, ...]:
        """What the audit says of an entry, on one line."""
        if entry.kind == "undo" and not entry.reason:
            return ()
        shown = await self._reads.shown(community_id, sorted(set(named([entry]))))
        words = Words(settings.language, settings, shown)
        number = receipt_id(entry.number)
        line = words.line(
            "{receipt} {actor}: {what}", receipt=number, actor=words.name(entry.actor), what=gist(entry, words)
        )
        if not entry.reason:
            return (line,)
        return (Line((*line.spans, Plain(f' "{words.said(entry.reason)}"'))),)

    # --- telling --------------------------------------------------------------------------------------------------

    async def _tell_all(self, told: Sequence[_Told]) -> set[int]:
        """Tells each channel what is for it, in messages of a few; the ids of the notices that are to be told later."""
        groups: dict[tuple[Place, str], list[_Told]] = {}
        for each in told:
            groups.setdefault((each.place, each.channel), []).append(each)
        late: set[int] = set()
        for group in groups.values():
            for start in range(0, len(group), LINES_MAX):
                part = group[start : start + LINES_MAX]
                if await self._tell_safely(part) is Delivery.LATER:
                    late |= {each.notice.id for each in group[start:]}
                    break
        return late

    async def _tell_safely(self, part: Sequence[_Told]) -> Delivery:
        try:
            return await self._tell(part)
        except Exception as error:  # noqa: BLE001  # a door that fails at one message goes on with the others
            _log.warning("notice waits", place=str(part[0].place), error=type(error).__name__)
            return Delivery.LATER

    async def _tell(self, part: Sequence[_Told]) -> Delivery:
        first = part[0]
        where = (first.place, first.channel)
        if where in self._closed and self._clock.now() < self._closed[where]:
            return Delivery.REFUSED
        door = self._doors[first.place.platform]
        reply = Reply(
            command=None,
            outcome="notice",
            visibility=Visibility.PUBLIC,
            nodes=tuple(node for each in part for node in each.nodes),
        )
        told = await door.tell(first.place, first.channel, reply, nonce=_nonce(part))
        if told.delivery is Delivery.REFUSED:
            self._closed[where] = self._clock.now() + timedelta(seconds=CLOSED_S)
        called = next((each.called for each in part if each.called), "")
        if told.delivery is Delivery.REFUSED and called and where not in self._warned:
            self._warned.add(where)
            needed = Words(first.language, Settings()).text(told.needed)
            hint = hinted(Hint.CANNOT_POST, first.language, channel=f"#{called}", needed=needed)
            await door.warn(first.place, hint)
        if told.delivery is Delivery.TOLD:
            self._warned.discard(where)
            self._closed.pop(where, None)
        return told.delivery


def _nonce(part: Sequence[_Told]) -> str:
    """Names a message by what it tells and where, so that the same one sent again is seen once. By entries: a database
    may give the id of a notice that was told to another one."""
    told = (f"{each.notice.community_id}.{each.notice.number}.{each.notice.event}" for each in part)
    text = f"{part[0].place}:{part[0].channel}:{','.join(told)}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
