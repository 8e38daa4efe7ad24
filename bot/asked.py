"""`Asked`: what a command function gets, with the words around it. It submits orders and shapes replies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NoReturn

import msgspec

from adapters.contract import (
    Attachment,
    Button,
    Channel,
    FieldValue,
    Group,
    Invocation,
    Mention,
    Pressed,
    Reply,
    RoleMention,
    Strand,
    Unseen,
    Visibility,
)
from bot.combos import PAUSE, SENDS_MAX, Combo, combo_fields, combo_of, running
from bot.commands.registry import Command, asker_of, teller_of
from bot.options import Receivers
from bot.refused import Refused, refuse_asked
from bot.social import social_buttons
from bot.telling import Done, Telling, members_in
from bot.wording import Words, unnamed
from economy.books import Order, Question
from economy.ledger import Receipt, Undone
from economy.refusals import Code, Refusal, Value
from economy.rules import tipping
from economy.rules.chest import TipFromChest
from economy.rules.claiming import TipUnseen
from economy.rules.communities import CODE_LABEL
from economy.rules.gifting import Gifted, SendGift
from economy.rules.permissions import Right, may, roles_with
from economy.rules.standing import standing_of
from economy.service import Answer, Economy, Offered, Submission
from economy.values import (
    CommunityId,
    IdempotencyKey,
    Identity,
    InvitationCode,
    MemberId,
    Role,
    Sighting,
    Spot,
    receipt_id,
)
from economy.views import Reader

VEIL = "~"
"""Stands before the nonce in a button's data where the answer to its press is not to name who presses it."""


class Asked:
    """One command as somebody gave it, in one place, at one moment.

    `words` speaks to the reader alone; receipts that are public are told in the community's language instead.
    """

    def __init__(
        self,
        *,
        invocation: Invocation,
        command: Command,
        economy: Economy,
        reader: Reader,
        now: datetime,
        standing: frozenset[Role],
        only_looks: bool = False,
    ) -> None:
        self.invocation = invocation
        self.command = command
        self.economy = economy
        self.reader = reader
        self.now = now
        self.standing = standing
        self.words = Words(invocation.locale, reader.settings, now=now)
        self._only_looks = only_looks

    # --- who asks -------------------------------------------------------------------------------------------

    @property
    def by(self) -> Identity:
        return self.invocation.person.identity

    @property
    def roles(self) -> frozenset[Role]:
        """The asker's roles now: stored ones and those they have by what the door attests."""
        return self.reader.roles | self.standing

    @property
    def spot(self) -> Spot | None:
        """Where everyone sees what is done here; None where nobody else does, or where they are not to see who did."""
        asked = self.invocation
        if asked.private or asked.veiled:
            return None
        return Spot(asked.place.platform, asked.place.native_id, asked.channel or "")

    def may(self, right: Right) -> bool:
        return may(self.roles, right)

    def must_be_allowed(self, right: Right) -> None:
        """For queries: refuses as a rule would. Orders are refused by their rules."""
        if not self.may(right):
            self.refuse(Code.NOT_ALLOWED, rule=str(right), roles=roles_with(right))

    @property
    def community_id(self) -> CommunityId:
        """Refuses where nobody has ever spoken."""
        if self.reader.community_id is None:
            self.refuse(Code.NOT_ALLOWED, rule="outside")
        return self.reader.community_id

    @property
    def member_id(self) -> MemberId:
        """The asker's; refuses somebody who was never seen in the community."""
        if self.reader.member_id is None:
            self.refuse(Code.NOT_ALLOWED, rule="outside")
        return self.reader.member_id

    async def member(self, person: Sighting) -> MemberId:
        """The member that a query asks about, also one who left; refuses one never seen."""
        found = await self.economy.reads.member(self.community_id, person.identity)
        if found is None:
            self.refuse(Code.UNKNOWN_MEMBER, name=person.name)
        return found

    # --- answering ------------------------------------------------------------------------------------------

    async def submit(self, order: Order) -> Reply:
        """Carries an order out and tells what came of it. Raises `Refused` when a rule says no."""
        if self._only_looks:
            # Buttons that only look carry a command line; nothing may be changed by such a line.
            self.refuse(Code.EXPIRED, rule="malformed")
        answer = await self.economy.submit(
            Submission(
                self.invocation.place,
                IdempotencyKey(self.invocation.act),
                order,
                self.invocation.standing,
                tuple(seen_in(self.invocation)),
                self.invocation.said_at,
                self.invocation.held,
                self.invocation.administers,
            )
        )
        return await self.tell(answer, order)

    async def tell(self, answer: Answer, order: Order) -> Reply:
        """The reply to what an order came to. Raises `Refused` when a rule said no."""
        outcome = answer.outcome
        if isinstance(outcome, Refusal):
            raise Refused(outcome, answer.offered)
        done = Done(
            at=answer.at,
            time_zone=answer.time_zone,
            number=answer.number,
            note=_note_of(order),
            waits_for=order.name.partition(":")[2] if isinstance(order, TipUnseen) else "",
        )
        if isinstance(outcome, Question):
            return await self._ask(outcome, answer, done)
        teller, visibility = teller_of(type(outcome))
        shown_to = visibility or self.command.spec.visibility
        words = await self.words_of(outcome, public=shown_to is Visibility.PUBLIC)
        telling = teller(outcome, done, words)
        if shown_to is Visibility.PUBLIC and not self.invocation.veiled:
            # Those under a message name whose they are.
            buttons = (*telling.buttons, *social_buttons(outcome, answer.number, words, self.community_id))
            telling = msgspec.structs.replace(telling, buttons=buttons)
        combo = await self._combo(outcome, answer) if shown_to is Visibility.PUBLIC else None
        if combo is not None:
            telling = await self._of_combo(telling, combo, outcome)
        return self.reply(
            telling,
            visibility=shown_to,
            receipt=None if answer.number is None else receipt_id(answer.number),
            repeated=answer.repeated,
            strand=None
            if combo is None
            else Strand(f"{self.community_id}:{combo.key}", combo.as_of, begins=combo.begins),
        )

    # --- combos ---------------------------------------------------------------------------------------------

    async def _combo(self, receipt: Receipt, answer: Answer) -> Combo | None:
        """The combo that a gift belongs to, as it stands after it; or one of several gifts that was taken back."""
        if answer.number is None or self.invocation.private or self.invocation.veiled:
            return None
        match receipt:
            case Gifted(told_in=told_in):
                number = answer.number if told_in is not None else None
            case Undone(parts=(part,)) if part.kind == SendGift.kind:
                number = part.number
            case _:
                number = None
        if number is None:
            return None
        around = await self.economy.reads.sent_around(self.community_id, number, apart=PAUSE, most=SENDS_MAX)
        combo = combo_of(around, number, answer.number)
        if isinstance(receipt, Undone) and combo is not None and (combo.begins or not self._is_here(combo)):
            # A gift that stood alone has its own message, and so has one that was told elsewhere.
            return None
        return combo

    def _is_here(self, combo: Combo) -> bool:
        return combo.spot is not None and combo.spot.place == self.invocation.place

    async def _of_combo(self, telling: Telling, combo: Combo, receipt: Receipt) -> Telling:
        """What is told, with how the combo stands by it."""
        if combo.begins:
            return telling
        words = await self.words_for(members_in(receipt) | members_in(combo.gift), public=True)
        stands = running(combo, words)
        fields = {**telling.fields, **combo_fields(combo)}
        if isinstance(receipt, Gifted) and stands is not None:
            return msgspec.structs.replace(telling, nodes=(stands, *telling.nodes[1:]), fields=fields)
        if stands is None:
            return msgspec.structs.replace(telling, fields=fields)
        latest = combo.standing[-1]
        return msgspec.structs.replace(
            telling,
            nodes=(*telling.nodes, stands),
            fields=fields,
            buttons=social_buttons(latest.gift, latest.number, words, self.community_id),
        )

    async def _ask(self, question: Question, answer: Answer, done: Done) -> Reply:
        words = await self.words_of(question.about)
        code = next((each for each in answer.offered if each.label == CODE_LABEL), None)
        drawn = "" if code is None else str(InvitationCode(self.community_id, code.nonce))
        done = msgspec.structs.replace(done, why=question.why, code=drawn)
        telling = asker_of(type(question.about))(question.about, done, words)
        why: list[FieldValue] = list(question.why)
        return Reply(
            command=self.command.word,
            outcome="confirm" if code is None else self.command.word,
            visibility=Visibility.PRIVATE,
            nodes=telling.nodes,
            fields={**telling.fields, "why": why},
            buttons=(*self.offer_buttons(answer.offered), *self._theirs(telling.buttons)),
        )

    def reply(
        self,
        telling: Telling,
        *,
        visibility: Visibility | None = None,
        receipt: str | None = None,
        outcome: str = "",
        repeated: bool = False,
        strand: Strand | None = None,
    ) -> Reply:
        """A reply of this command: private or public as its spec says, unless told otherwise."""
        return Reply(
            command=self.command.word,
            outcome=outcome or self.command.word,
            visibility=visibility or self.command.spec.visibility,
            nodes=telling.nodes,
            receipt=receipt,
            fields=telling.fields,
            buttons=telling.buttons,
            pings=telling.pings,
            replaces=telling.replaces,
            repeated=repeated,
            community=self.reader.community_id or 0,
            strand=strand,
        )

    def refuse(self, code: Code, **fields: Value) -> NoReturn:
        """Raises `Refused`."""
        refuse_asked(code, **fields)

    # --- words and buttons ----------------------------------------------------------------------------------

    async def words_for(self, members: Iterable[MemberId], *, public: bool = False) -> Words:
        """Words that know these members' names; for the public in the community's language."""
        wanted = sorted(set(members))
        shown = {}
        if wanted and self.reader.community_id is not None:
            platform = self.invocation.place.platform
            shown = await self.economy.reads.shown(self.reader.community_id, wanted, platform=platform)
        locale = self.reader.settings.language if public else self.invocation.locale
        if public and self.invocation.veiled and self.reader.member_id in shown:
            shown[self.reader.member_id] = unnamed(self.reader.member_id, Words(locale, self.reader.settings))
        return Words(locale, self.reader.settings, shown, now=self.now)

    async def words_of(self, subject: Receipt | Refusal, *, public: bool = False) -> Words:
        """Words that know everyone whom a receipt or refusal names."""
        return await self.words_for(members_in(subject), public=public)

    def offer_buttons(self, offered: Iterable[Offered]) -> tuple[Button, ...]:
        """Buttons for stored offers, for the asker alone."""
        labels = {"confirm": self.words.text("Confirm"), "daily": self.words.text("Claim daily")}
        veil = VEIL if self.invocation.veiled else ""
        return tuple(
            Button(label=labels[offer.label], data=f"o:{veil}{offer.nonce}", presser=self.by)
            for offer in offered
            if offer.label != CODE_LABEL
        )

    def _theirs(self, buttons: Iterable[Button]) -> tuple[Button, ...]:
        return tuple(Button(label=button.label, data=button.data, presser=self.by) for button in buttons)


def _note_of(order: Order) -> str:
    """What the sender wrote beside it: receipts hold no words, as words can be removed."""
    match order:
        case tipping.Tip(note=note) | TipUnseen(note=note) | TipFromChest(note=note) | SendGift(message=note):
            return note
        case _:
            return ""


def receivers_of(named: Receivers) -> tipping.Receivers:
    """The order's receivers for those that were named. Refuses whoever was not seen yet: only a tip to them alone
    waits."""
    if named.unseen:
        refuse_asked(Code.UNKNOWN_MEMBER, rule="unseen", name=named.unseen[0].name)
    return tipping.Receivers(tuple(person.identity for person in named.people), named.role, named.group)


def standing_in(said: Invocation | Pressed, reader: Reader) -> frozenset[Role]:
    """What whoever speaks is by what the platform says, as far as a reader can tell: orders are judged anew."""
    return standing_of(
        reader.community_flags,
        reader.settings,
        said.place.platform,
        joined=reader.home is not None,
        attested=said.standing,
        held=said.held,
        administers=said.administers,
    )


def seen_in(invocation: Invocation) -> list[Sighting]:
    """Everyone whom the door resolved in this act, the actor first, each once."""
    words = list(invocation.words)
    for given in (invocation.options or {}).values():
        words += given if isinstance(given, tuple) else (given,)
    sightings = [invocation.person]
    for word in words:
        match word:
            case Mention(person=person):
                sightings.append(person)
            case Group(holders=holders):
                sightings += holders or ()
            case RoleMention() | Channel() | Attachment() | Unseen() | str():
                continue
    if invocation.replied_to is not None:
        sightings.append(invocation.replied_to)
    return list({sighting.identity: sighting for sighting in reversed(sightings)}.values())[::-1]
