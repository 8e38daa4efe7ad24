"""The buttons under what everyone sees: thanks, one's own coins, the same gift once more, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import BUTTON_DATA_BYTES_MAX, Button, Line, Reply, Visibility
from bot.refused import refuse_asked
from bot.wording import Words
from economy.ledger import Receipt
from economy.projections.boards import Board, Period
from economy.refusals import Code
from economy.rules.chest import ChestTipped
from economy.rules.claiming import TipsTaken, TipWaits
from economy.rules.gifting import Gifted
from economy.rules.tipping import Tipped
from economy.service import Economy
from economy.settings import Feature
from economy.values import CommunityId, EntryNumber, MemberId, parse_receipt_id, receipt_id
from economy.views import Reader

THANKS = "t:"
"""Begins the data of a button that thanks; the community, `:` and the receipt follow: numbers of another community mean
other things, and a place may meet in another one by the time the button is pressed."""

MINE = "m:coins"
"""The data of a button that shows whoever presses it their own coins and rank."""

AGAIN = "a:"
"""Begins the data of a button that gives a command anew with each press: whose it is, `.` and in which community, `:`
and the line follow."""


def social_buttons(
    receipt: Receipt, number: EntryNumber | None, words: Words, community: CommunityId
) -> tuple[Button, ...]:
    """What can be pressed under a public message about a receipt; nothing where nobody got anything."""
    if number is None:
        return ()
    match receipt:
        case Gifted(sender=sender):
            mine = [*_again(receipt, words, community), _undo(sender, number, words, community)]
        case Tipped(sender=sender):
            mine = [_undo(sender, number, words, community)]
        case TipWaits(sender=sender):
            return (_undo(sender, number, words, community),)
        case ChestTipped():
            mine = []
        case _:
            return ()
    thank = Button(label=words.text("Thank"), data=f"{THANKS}{community}:{receipt_id(number)}")
    buttons = (thank, Button(label=words.text("My coins"), data=MINE), *mine)
    return tuple(button for button in buttons if len(button.data.encode()) <= BUTTON_DATA_BYTES_MAX)


def _again(receipt: Gifted, words: Words, community: CommunityId) -> Sequence[Button]:
    creator = words.shown.get(receipt.creator)
    if creator is None:
        return ()
    count = f" x{receipt.count}" if receipt.count > 1 else ""
    line = f"gift {receipt.gift}{count} id:{creator.identity.native_id}"
    return (Button(label=words.text("Send again"), data=f"{AGAIN}{receipt.sender}.{community}:{line}"),)


def _undo(sender: MemberId, number: EntryNumber, words: Words, community: CommunityId) -> Button:
    return Button(label=words.text("Undo"), data=f"{AGAIN}{sender}.{community}:undo {receipt_id(number)}")


def line_again(data: str, reader: Reader) -> str:
    """The command line of such a button, for whom it is. Refuses others, and what is none."""
    whose, _, line = data.removeprefix(AGAIN).partition(":")
    owner, _, community = whose.partition(".")
    if not line or community != str(reader.community_id):
        refuse_asked(Code.EXPIRED, rule="malformed")
    if owner not in map(str, reader.ids):
        refuse_asked(Code.NOT_ALLOWED, rule="presser")
    return line


async def own_rank(economy: Economy, reader: Reader, words: Words) -> Line | None:
    """Where one stands this week: among supporters, or among tippers; None where nowhere yet."""
    if reader.community_id is None or reader.member_id is None or not reader.settings.feature_on(Feature.BOARDS):
        return None
    boards = (Board.SUPPORTERS, Board.TIPPERS)
    found = await economy.rank(reader.community_id, boards, Period.WEEK, of=reader.member_id)
    if found is None:
        return None
    if found.board == Board.SUPPORTERS:
        return words.line("You are number {rank} of this week's supporters.", rank=found.rank)
    return words.line("You are number {rank} of this week's tippers.", rank=found.rank)


async def thanked(economy: Economy, reader: Reader, data: str) -> Reply:
    """The receiver's thanks, for everyone. Refuses whoever got nothing, and what was taken back."""
    community, _, of = data.removeprefix(THANKS).partition(":")
    number = parse_receipt_id(of)
    if number is None or reader.community_id is None or community != str(reader.community_id):
        refuse_asked(Code.EXPIRED, rule="malformed")
    entry = await economy.reads.entry(reader.community_id, number)
    if entry is None or entry.undone_by is not None:
        refuse_asked(Code.EXPIRED, rule="unknown")
    if reader.member_id is None or reader.member_id not in receivers_of(entry.receipt):
        refuse_asked(Code.NOT_ALLOWED, rule="presser")
    shown = await economy.reads.shown(reader.community_id, [reader.member_id])
    words = Words(reader.settings.language, reader.settings, shown)
    return Reply(
        command=None,
        outcome="thanks",
        visibility=Visibility.PUBLIC,
        nodes=(words.line("{member} says thanks ♥", member=words.name(reader.member_id)),),
        fields={"of": receipt_id(number)},
    )


def receivers_of(receipt: Receipt) -> frozenset[MemberId]:
    """Who got something."""
    match receipt:
        case Tipped(tips=tips) | ChestTipped(tips=tips):
            return frozenset(part.to for part in tips)
        case Gifted(creator=creator):
            return frozenset({creator})
        case TipsTaken(member=member):
            return frozenset({member})
        case _:
            return frozenset()
