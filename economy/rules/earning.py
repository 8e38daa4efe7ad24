"""What members earn: the daily claim and the welcome grant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import ClassVar

from economy.books import (
    ACTED,
    CONFIRM_FOR,
    DAILY_DAY,
    DAILY_STREAK,
    FREEZE,
    FREEZE_ALL,
    Books,
    Decision,
    Member,
    Needs,
    Offer,
    Order,
    Outcome,
)
from economy.ledger import Legs, Receipt
from economy.refusals import Code, Value, refuse
from economy.settings import Feature, Settings
from economy.totals import EARNED
from economy.values import Asset, Coins, MemberId, day_end, local_date


class DailyClaimed(Receipt, frozen=True, kw_only=True, tag="daily_claimed"):
    """`streak` counts the days in a row, this one included; `bonus` is the part of `amount` that the streak added."""

    member: MemberId
    amount: Coins
    bonus: Coins
    streak: int
    next_at: datetime


class ClaimDaily(Order, frozen=True, kw_only=True, tag="claim_daily"):
    """The day's free coins, once a local day."""

    kind: ClassVar[str] = "daily"

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        if refusal := books.must_be_on(Feature.DAILY) or books.must_move():
            return refusal
        if member.flags.get(FREEZE) in ("receive", "both"):
            return refuse(Code.FROZEN, rule="receive", appeal=books.settings.appeal, own=True)
        if member.is_bot:
            return refuse(Code.NOT_ALLOWED, rule="bots")
        if not member.is_present:
            return refuse(Code.NOT_ALLOWED, rule="absent")
        today = local_date(now, books.settings.time_zone)
        next_at = day_end(today, books.settings.time_zone)
        last = last_claim(member)
        if last is not None and last >= today:
            # Also when the clock went back: the day claimed counts, not the hours since.
            next_at = max(next_at, day_end(last, books.settings.time_zone))
            return refuse(Code.ALREADY_CLAIMED, next_at=next_at.isoformat())
        earned = member.total(EARNED, today.toordinal())
        amount = min(daily_amount(books.settings, member.flags, today), books.settings.earn_limit_daily - earned)
        if amount <= 0:
            return refuse(Code.LIMIT_EXCEEDED, rule="earned", limit=books.settings.earn_limit_daily)
        if refusal := books.must_fit(member, Asset.BONUS, amount):
            return refusal
        streak = _streak_before(member.flags, today) + 1
        legs = Legs()
        legs.issue(member.id, Asset.BONUS, amount)
        return Decision(
            receipt=DailyClaimed(
                member=member.id,
                amount=Coins(amount),
                bonus=Coins(max(0, amount - books.settings.daily_amount)),
                streak=streak,
                next_at=next_at,
            ),
            postings=legs.postings,
            facts=(member.fact(DAILY_DAY, today.isoformat()), member.fact(DAILY_STREAK, streak)),
        )


def last_claim(member: Member) -> date | None:
    """The local day of the member's last claim."""
    return _last_claim(member.flags)


def daily_amount(settings: Settings, flags: Mapping[str, Value], today: date) -> int:
    """What a claim on the local day `today` gives whoever has these flags, streak included, if the day's limit on
    what is earned leaves that much."""
    return settings.daily_amount + settings.daily_streak_bonus * _streak_before(flags, today)


def _last_claim(flags: Mapping[str, Value]) -> date | None:
    last = flags.get(DAILY_DAY)
    return date.fromisoformat(last) if isinstance(last, str) else None


def _streak_before(flags: Mapping[str, Value], today: date) -> int:
    streak = flags.get(DAILY_STREAK)
    return streak if type(streak) is int and _last_claim(flags) == today - timedelta(days=1) else 0


def daily_offer(books: Books, member: Member, now: datetime) -> Offer | None:
    """The button that claims today's coins; None where that would be refused."""
    last = last_claim(member)
    claimed = last is not None and last >= local_date(now, books.settings.time_zone)
    frozen = member.flags.get(FREEZE) in ("receive", "both") or books.flags.get(FREEZE_ALL) is True
    spent = member.total(EARNED, books.today(now)) >= books.settings.earn_limit_daily
    if claimed or frozen or spent or not books.settings.feature_on(Feature.DAILY):
        return None
    return Offer(label="daily", order=ClaimDaily(by=member.identity), presser=member.id, expires=now + CONFIRM_FOR)


class Welcomed(Receipt, frozen=True, kw_only=True, tag="welcomed"):
    member: MemberId
    amount: Coins


class Welcome(Order, frozen=True, kw_only=True, tag="welcome"):
    """The grant at a member's own first order. Given by the journal, not asked for."""

    kind: ClassVar[str] = "welcome"

    def needs(self) -> Needs:
        return Needs()

    def decide(self, books: Books, now: datetime) -> Outcome:
        member = books.actor(self.by)
        amount = books.settings.welcome_grant
        if refusal := books.must_move() or books.must_fit(member, Asset.BONUS, amount):
            return refusal
        if member.is_bot or member.flags.get(ACTED) is True or amount == 0:
            return refuse(Code.ALREADY_CLAIMED)
        legs = Legs()
        legs.issue(member.id, Asset.BONUS, amount)
        return Decision(
            receipt=Welcomed(member=member.id, amount=Coins(amount)),
            postings=legs.postings,
            facts=(member.fact(ACTED, True),),
        )
