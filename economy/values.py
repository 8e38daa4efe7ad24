"""The small values everything else is made of. Wrong ones cannot be built.

Pure: no clock, no chance, no I/O.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NewType, Self
from zoneinfo import ZoneInfo

from msgspec import Struct

CommunityId = NewType("CommunityId", int)
MemberId = NewType("MemberId", int)
EntryNumber = NewType("EntryNumber", int)

COINS_MAX = 2**53 - 1
"""The largest amount there is: the largest whole number that every JSON reader keeps exact."""

NOTE_LENGTH_MAX = 128
REASON_LENGTH_MAX = 400
KEY_LENGTH_MAX = 200
SHARE_MAX_BP = 9_000


class Coins(int):
    """A whole number of coins from 0 to 2^53-1.

    Raises TypeError for anything that is not exactly an int (bool, float, str), ValueError when out of range.
    """

    __slots__ = ()

    def __new__(cls, amount: int) -> Self:
        if type(amount) is not int and type(amount) is not cls:
            raise TypeError(f"coins are whole numbers, not {type(amount).__name__}")
        if not 0 <= amount <= COINS_MAX:
            raise ValueError(f"coins go from 0 to {COINS_MAX}")
        return int.__new__(cls, amount)


class BasisPoints(int):
    """A share in hundredths of a percent, from 0 to 9,000."""

    __slots__ = ()

    def __new__(cls, share: int) -> Self:
        if type(share) is not int and type(share) is not cls:
            raise TypeError(f"basis points are whole numbers, not {type(share).__name__}")
        if not 0 <= share <= SHARE_MAX_BP:
            raise ValueError(f"a share goes from 0 to {SHARE_MAX_BP} basis points")
        return int.__new__(cls, share)

    def of(self, whole: int) -> int:
        """The share of `whole`, rounded up; whoever gets the rest gets it by subtraction."""
        return -(-whole * self // 10_000)


class Asset(StrEnum):
    """What an account holds. People never see these words."""

    COIN = "coin"
    BONUS = "bonus"
    DIAMOND = "diamond"


class Own(IntEnum):
    """The community's own accounts. Members' owner codes are positive, these are negative."""

    MINT = -1
    SALES = -2
    HOUSE = -3
    HELD = -4
    ESCROW = -5
    PAID_OUT = -6


Owner = int
"""Who owns an account: a MemberId (above 0) or an `Own` (below 0)."""

ISSUERS = frozenset({Own.MINT, Own.SALES})


class Role(StrEnum):
    """What a person may be in a community, besides a member."""

    OPERATOR = "operator"
    OWNER = "owner"
    TREASURER = "treasurer"
    MODERATOR = "moderator"
    AUDITOR = "auditor"
    CREATOR = "creator"
    ADMINISTRATOR = "administrator"  # of the platform: attested by its door, never given


class Identity(Struct, frozen=True, order=True):
    """One account of a human on one platform. `native_id` is the platform's own id, as text."""

    platform: str
    native_id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.native_id}"


class Place(Struct, frozen=True, order=True):
    """Where a community meets: a Discord guild, a Telegram group, a console room."""

    platform: str
    native_id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.native_id}"


class Spot(Struct, frozen=True):
    """Where in a place something is said: `channel` is the native id of one of the place's own divisions, empty where
    it has none."""

    platform: str
    native_id: str
    channel: str = ""

    @property
    def place(self) -> Place:
        return Place(self.platform, self.native_id)


_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE_LENGTH = 12
_CODE = re.compile(rf"([1-9][0-9]{{0,17}})-([{_CODE_LETTERS}]{{{_CODE_LENGTH}}})", re.ASCII)


class InvitationCode(Struct, frozen=True):
    """What the owner of a place is given, to let another place join: which community, and a secret of 60 bits that
    can be typed. Nothing in it looks like something else."""

    community: CommunityId
    secret: str

    def __str__(self) -> str:
        parts = (self.secret[i : i + 4] for i in range(0, _CODE_LENGTH, 4))
        return f"{self.community}-{'-'.join(parts)}"

    @classmethod
    def parse(cls, text: str) -> InvitationCode | None:
        """The code as somebody typed it: case, spaces and hyphens within do not matter. None for what is none."""
        community, _, secret = text.strip().upper().replace(" ", "-").partition("-")
        found = _CODE.fullmatch(f"{community}-{secret.replace('-', '')}")
        return None if found is None else cls(CommunityId(int(found[1])), found[2])


def code_secret(nonce: str) -> str:
    """The secret of a code, made of what an offer would be named by."""
    number = int.from_bytes(hashlib.sha256(nonce.encode()).digest())
    return "".join(_CODE_LETTERS[(number >> 5 * place) % 32] for place in range(_CODE_LENGTH))


class Sighting(Struct, frozen=True):
    """What a door knows of a person at this moment.

    `present` is True where the platform vouches that the person is in the place, False where it says they are
    not, None where the store has to know. Where it is None, somebody was only named: `name` and `is_bot` are then as
    somebody wrote them and are never stored, unless they are the actor's own.
    """

    identity: Identity
    name: str
    is_bot: bool = False
    present: bool | None = None


class IdempotencyKey(str):
    """Names the human act behind an order, such as `discord:interaction:123`. 1 to 200 visible ASCII characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not 1 <= len(text) <= KEY_LENGTH_MAX:
            raise ValueError(f"a key has 1 to {KEY_LENGTH_MAX} characters")
        if not text.isascii() or not text.isprintable():
            raise ValueError("a key is visible ASCII")
        return str.__new__(cls, text)


def fitting_key(text: str) -> IdempotencyKey:
    """`text` as a key: what is not visible ASCII is escaped, and what is too long is named by its digest."""
    visible = text if text.isascii() and text.isprintable() else json.dumps(text)[1:-1]
    if len(visible) <= KEY_LENGTH_MAX:
        return IdempotencyKey(visible)
    return IdempotencyKey(f"digest:{hashlib.sha256(visible.encode()).hexdigest()}")


_INVISIBLE = {"Cc", "Cs", "Co"}
_KEPT_FORMAT = {"\u200d", "\u200c"}  # joiners inside emoji and some scripts; every other format character goes


_SPACES = {"Zs", "Zl", "Zp"}


def _is_noncharacter(character: str) -> bool:
    """Code points that will never be a character. Others not known yet may be next year's emoji."""
    return ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"


MARKS_MAX = 4
"""The most marks one letter keeps; no script needs more, and piles of them cover the lines above."""


def plain_text(text: str) -> str:
    """`text` in NFC without control characters, lone surrogates, bidi marks or runs of white space.

    PostgreSQL refuses NUL, terminals obey escapes and readers are misled by overrides: none of them is stored.
    """
    if text.isascii() and text.isprintable():
        return re.sub(r" +", " ", text).strip()
    kept = []
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > MARKS_MAX:
            continue
        if character in "\t\n\r" or kind in _SPACES:
            kept.append(" ")
        elif kind in _INVISIBLE or _is_noncharacter(character) or (kind == "Cf" and character not in _KEPT_FORMAT):
            continue
        else:
            kept.append(character)
    return re.sub(r" +", " ", unicodedata.normalize("NFC", "".join(kept))).strip()


class Note(str):
    """What a sender writes beside a tip or a gift: at most 128 characters, already made plain."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        plain = plain_text(text)
        if len(plain) > NOTE_LENGTH_MAX:
            raise ValueError(f"a note has at most {NOTE_LENGTH_MAX} characters")
        return str.__new__(cls, plain)


NO_NOTE = Note("")


class Reason(str):
    """Why staff did what they did: at most 400 characters, already made plain. Empty means none was given."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        plain = plain_text(text)
        if len(plain) > REASON_LENGTH_MAX:
            raise ValueError(f"a reason has at most {REASON_LENGTH_MAX} characters")
        return str.__new__(cls, plain)


NO_REASON = Reason("")


class AmountKind(StrEnum):
    EXACT = "exact"
    ALL = "all"
    HALF = "half"


class AmountWord(Struct, frozen=True):
    """An amount as a person gives it: a number, `all` or `half`. What it comes to is resolved in the journal."""

    kind: AmountKind
    coins: Coins = Coins(0)

    @classmethod
    def exact(cls, coins: int) -> AmountWord:
        return cls(AmountKind.EXACT, Coins(coins))


ALL = AmountWord(AmountKind.ALL)
HALF = AmountWord(AmountKind.HALF)


# A receipt's id is its entry's number and a letter that guards against typing errors. No K and no M (which end
# amounts), no letter that looks like a digit. 19 is prime and divides no 9 * 10^n: every single wrong digit and
# every swap of neighbours changes the letter.
_CHECK_LETTERS = "ABCDEFGHJLNPQRTUVWY"
_RECEIPT_ID = re.compile(r"([1-9][0-9]{0,15})([A-Za-z])", re.ASCII)


def receipt_id(number: int) -> str:
    """The id that people type for entry `number`, such as `1042W`."""
    return f"{number}{_CHECK_LETTERS[number % len(_CHECK_LETTERS)]}"


def parse_receipt_id(text: str) -> EntryNumber | None:
    """The entry number behind a typed id; None if it is no id or has a typing error. Case does not matter."""
    found = _RECEIPT_ID.fullmatch(text)
    if found is None:
        return None
    number = int(found[1])
    return EntryNumber(number) if receipt_id(number) == text.upper() else None


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def local_date(at: datetime, time_zone: str) -> date:
    """The calendar day of `at` in `time_zone`."""
    return at.astimezone(zone(time_zone)).date()


@lru_cache(maxsize=4096)
def _day_span(day: date, time_zone: str) -> tuple[datetime, datetime]:
    place = zone(time_zone)
    start = datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=place).astimezone(UTC)
    return start, end


def day_start(day: date, time_zone: str) -> datetime:
    """When `day` begins in `time_zone`, in UTC."""
    return _day_span(day, time_zone)[0]


def day_end(day: date, time_zone: str) -> datetime:
    """When `day` ends in `time_zone` (the next day's start, also across a clock change), in UTC."""
    return _day_span(day, time_zone)[1]
