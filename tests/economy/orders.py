"""Orders as a small, busy community gives them, drawn by chance for the property tests.

Amounts are small and people few, so that wallets run dry, limits are met and undos find things spent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

from economy.books import Order
from economy.refusals import Value
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.chest import TipFromChest
from economy.rules.claiming import TakeUp, TipUnseen
from economy.rules.configuring import Appoint, ChangeSetting, TurnFeature
from economy.rules.creating import BeCreator, TurnGifts
from economy.rules.earning import ClaimDaily
from economy.rules.gifting import ChangeGift, SendGift
from economy.rules.presence import Hide, Hideable, Join, Leave
from economy.rules.reacting import TipByReaction, TurnReactions
from economy.rules.safety import Block, Freeze, FreezeAll, Scope
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo, UndoSince
from economy.settings import Feature
from economy.values import ALL, HALF, AmountWord, Asset, Coins, EntryNumber, Identity, Note, Reason, Role

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
MEMBERS = ("ana", "bo", "cy")
STAFF = {
    "olga": frozenset({Role.OPERATOR}),
    "owen": frozenset({Role.OWNER}),
    "mo": frozenset({Role.MODERATOR}),
    "tia": frozenset({Role.TREASURER}),
}
"""What the door attests, by name."""

STRANGER = "nobody"
SETTINGS: dict[str, tuple[Value, ...]] = {
    "confirm_from": (None, 20, 100),
    "creator_share": (None, 0, 1, 3_333, 9_000),
    "undo_window": (None, 0, 3_600),
    "welcome_grant": (None, 30),
    "earn_limit_daily": (None, 60),
    "moderator_limit_daily": (None, 100),
    "claim_days": (None, 1),
    "reaction_amount": (None, 1),
    "time_zone": (None, "Asia/Tokyo", "America/New_York"),
}

Draw = Callable[[Random], Order]


def person(name: str) -> Identity:
    return Identity("console", name)


def standing(who: Identity) -> frozenset[Role]:
    return STAFF.get(who.native_id, frozenset())


def one_of_staff(chance: Random) -> Identity:
    return person(chance.choice(tuple(STAFF)))


def someone(chance: Random) -> Identity:
    return person(chance.choice((*MEMBERS, *MEMBERS, *STAFF)))


def crowd(chance: Random) -> list[Identity]:
    """Who acts stands first, then whom it is about: rarely themself, rarely a stranger."""
    names = [*MEMBERS, *STAFF]
    chance.shuffle(names)
    if chance.random() < 0.1:
        names[1] = chance.choice((STRANGER, names[0]))
    return [person(name) for name in names]


def amount(chance: Random) -> AmountWord:
    draw = chance.random()
    if draw < 0.1:
        return ALL if draw < 0.05 else HALF
    return AmountWord.exact(chance.randint(1, 40))


def reason(chance: Random) -> Reason:
    return Reason("" if chance.random() < 0.1 else "spam")


# --- what moves coins ---------------------------------------------------------------------------------------------


def tip(chance: Random) -> Tip:
    people = crowd(chance)
    receivers = Receivers(tuple(people[1 : 1 + chance.choice((1, 1, 1, 2, 3))]))
    note = Note("see www.x.example" if chance.random() < 0.03 else chance.choice(("", "thanks")))
    return Tip(by=people[0], receivers=receivers, amount=amount(chance), split=chance.random() < 0.3, note=note)


def role_tip(chance: Random) -> Tip:
    by = person(chance.choice(("tia", "owen", "mo")))
    return Tip(by=by, receivers=Receivers(role=Role.CREATOR), amount=amount(chance), split=chance.random() < 0.5)


def gift(chance: Random) -> SendGift:
    people = crowd(chance)
    slug = chance.choice(("rose", "rose", "clover"))
    return SendGift(by=people[0], to=people[1], gift=slug, count=chance.randint(1, 12))


def chest_tip(chance: Random) -> TipFromChest:
    people = crowd(chance)
    by = person("tia") if chance.random() < 0.8 else people[0]
    return TipFromChest(by=by, receivers=Receivers(tuple(people[1 : 1 + chance.randint(1, 2)])), amount=amount(chance))


UNSEEN = ("console:@zoe", "console:@yan")


def unseen_tip(chance: Random) -> TipUnseen:
    return TipUnseen(by=someone(chance), name=chance.choice(UNSEEN), amount=amount(chance), note=Note(""))


def arrival(chance: Random) -> TakeUp:
    return TakeUp(by=crowd(chance)[0], names=UNSEEN if chance.random() < 0.2 else (chance.choice(UNSEEN),))


def reaction(chance: Random) -> TipByReaction:
    people = crowd(chance)
    return TipByReaction(by=people[0], author=people[1], emoji=chance.choice(("🏆", "🏆", "🔥")))


def claim(chance: Random) -> ClaimDaily:
    return ClaimDaily(by=someone(chance))


def correction(chance: Random) -> Adjust:
    people = crowd(chance)
    by = person("olga") if chance.random() < 0.5 else people[0]
    rows = tuple(Target(who, Coins(chance.randint(0, 120))) for who in people[1 : 2 + (chance.random() < 0.2)])
    asset = chance.choice(tuple(Asset))
    action = chance.choice((Action.ADD, Action.ADD, Action.REMOVE, Action.SET))
    return Adjust(by=by, action=action, asset=asset, rows=rows, reason=reason(chance))


def bulk_undo(chance: Random) -> UndoSince:
    by = person(chance.choice(("mo", "owen", "olga", "tia")))
    since = START + timedelta(hours=chance.randint(-1, 72))
    return UndoSince(by=by, member=crowd(chance)[1], since=since, reason=reason(chance))


def undo(by: Identity, number: int | None, why: str) -> Undo:
    return Undo(by=by, of=None if number is None else EntryNumber(number), reason=Reason(why))


# --- what decides how they move -----------------------------------------------------------------------------------


def wish(chance: Random) -> Order:
    people, yes = crowd(chance), chance.random() < 0.6
    return chance.choice(
        (
            Join(by=people[0]),
            Leave(by=people[0]),
            Hide(by=people[0], what=chance.choice(tuple(Hideable)), hidden=yes),
            Block(by=people[0], other=people[1], blocked=not yes),
            BeCreator(by=people[0], wanted=yes),
            TurnGifts(by=people[0], on=yes),
            TurnReactions(by=people[0], on=chance.random() < 0.9),
            TurnReactions(by=people[1], on=chance.random() < 0.9),
        )
    )


def measure(chance: Random) -> Order:
    people = crowd(chance)
    by = person("owen") if chance.random() < 0.6 else one_of_staff(chance)
    name = chance.choice(tuple(SETTINGS))
    scope = chance.choice((None, None, *Scope))
    price = chance.choice((None, Coins(1), Coins(7)))
    return chance.choice(
        (
            Freeze(by=by, member=people[1], scope=scope, reason=reason(chance)),
            FreezeAll(by=by, frozen=chance.random() < 0.2, reason=reason(chance)),
            Appoint(by=by, member=people[1], role=chance.choice(tuple(Role)), given=chance.random() < 0.5),
            TurnFeature(by=by, feature=chance.choice(tuple(Feature)), on=chance.random() < 0.8),
            TurnFeature(by=by, feature=Feature.REACTIONS, on=True),
            ChangeGift(by=by, gift="clover", price=price, retired=chance.random() < 0.2),
            ChangeSetting(by=by, name=name, value=chance.choice(SETTINGS[name])),
        )
    )


MOVES: tuple[Draw, ...] = (
    *(tip, tip, tip, gift, gift, chest_tip, claim, correction),
    *(unseen_tip, arrival, reaction),
)
ANYTHING: tuple[Draw, ...] = (*MOVES, role_tip, bulk_undo, wish, wish, measure)


def drawn(chance: Random, kinds: tuple[Draw, ...] = ANYTHING) -> Order:
    return chance.choice(kinds)(chance)
