"""Pressing a button that moves money or changes something: once, by whom it was made for, in time. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from economy.books import Books, Needs, Order, Outcome
from economy.refusals import Code, refuse


class Press(Order, frozen=True, kw_only=True, tag="press"):
    """Presses the offer `nonce`; `inner` is the order stored in it.

    Its entry is the inner order's: same kind, same receipt. The journal marks the offer as used with it.
    """

    kind: ClassVar[str] = "press"

    nonce: str
    inner: Order

    def needs(self) -> Needs:
        needs = self.inner.needs()
        # The offer was made to `inner.by`, who may press it as another of their identities.
        return msgspec.structs.replace(needs, people=(*needs.people, self.inner.by), offers=(self.nonce,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        offer = books.offers.get(self.nonce)
        if offer is None:
            return refuse(Code.EXPIRED, rule="unknown")
        actor = books.actor(self.by)
        if offer.presser not in actor.ids:
            return refuse(Code.NOT_ALLOWED, rule="presser")
        if books.find(self.inner.by) is not actor:
            # Whoever was asked has since left this person, and would act as somebody else.
            return refuse(Code.EXPIRED, rule="unknown")
        if offer.used:
            return refuse(Code.EXPIRED, rule="used")
        if now >= offer.expires:
            return refuse(Code.EXPIRED, rule="late")
        return self.inner.decide(books, now)
