"""Orders, receipts and answers as JSON, and back. Pure.

The store keeps orders (in offers) and receipts (in entries) as tagged JSON, so a reader of the database sees words.
Unknown tags and wrong values raise `msgspec.ValidationError`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from economy.books import Event, Order, Question
from economy.ledger import Receipt
from economy.refusals import Refusal, Value
from economy.rules import OfferedOrder, StoredReceipt
from economy.rules.offers import Press
from economy.values import BasisPoints, Coins, IdempotencyKey, Note, Reason

_NUMBERS = (Coins, BasisPoints)
_TEXTS = (Note, Reason, IdempotencyKey)


def _plain(value: object) -> object:
    if isinstance(value, _NUMBERS):
        return int(value)
    if isinstance(value, _TEXTS):
        return str(value)
    raise NotImplementedError(f"cannot write {type(value).__name__}")


def _valued(wanted: type, value: Any) -> object:
    return wanted(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_order = msgspec.json.Decoder(OfferedOrder, dec_hook=_valued)
_receipt = msgspec.json.Decoder(StoredReceipt, dec_hook=_valued)
_value = msgspec.json.Decoder(Value)


class OfferedText(Struct, frozen=True):
    """A button of a stored answer."""

    nonce: str
    label: str
    expires: datetime


class StoredAnswer(Struct, frozen=True):
    """An answer that made no entry: a refusal, or a question (`about` and `why`)."""

    refusal: Refusal | None = None
    about: StoredReceipt | None = None
    why: tuple[str, ...] = ()
    offered: tuple[OfferedText, ...] = ()
    time_zone: str = "UTC"

    def outcome(self) -> Refusal | Question:
        if self.refusal is not None:
            return self.refusal
        if self.about is None:
            raise ValueError("an answer is a refusal or a question")
        return Question(about=self.about, offers=(), why=self.why)


_answer = msgspec.json.Decoder(StoredAnswer, dec_hook=_valued)


def write_order(order: Order) -> str:
    return _encoder.encode(order).decode()


def read_order(text: str) -> Order:
    order: Order = _order.decode(text)
    return order


def write_receipt(receipt: Receipt) -> str:
    return _encoder.encode(receipt).decode()


def read_receipt(text: str) -> Receipt:
    receipt: Receipt = _receipt.decode(text)
    return receipt


def write_answer(answer: StoredAnswer) -> str:
    return _encoder.encode(answer).decode()


def read_answer(text: str) -> StoredAnswer:
    return _answer.decode(text)


def write_event(event: Event) -> str:
    return _encoder.encode(event).decode()


def write_value(value: Value) -> str:
    """A flag's value as JSON, so that true, 1 and "1" stay apart."""
    return _encoder.encode(value).decode()


def read_value(text: str) -> Value:
    value: Value = _value.decode(text)
    return value


def digest(order: Order) -> str:
    """What tells orders under one key apart: the actor, the order and the words as given.

    Standing and names are no part of it: a demoted moderator's late duplicate gets the first answer. A press is its
    button and who pressed.
    """
    words: object = (str(order.by), order.nonce) if isinstance(order, Press) else order
    return hashlib.sha256(_encoder.encode(words)).hexdigest()[:32]
