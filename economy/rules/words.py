"""Which texts may be shown: the community's word list, links and mentions; and removing a text. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from economy.books import WORD_PREFIX, Books, Decision, Needs, Order, Outcome
from economy.ledger import Receipt
from economy.lookalikes import skeleton
from economy.refusals import Code, Refusal, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.values import EntryNumber, MemberId, Reason, plain_text

# Letters, a dot and letters are how most links look; a run-on sentence is refused with them, and told why.
_LINK = re.compile(r"https?://|\bwww\.|[^\W_][\w-]*\.[^\W\d_]{2,}", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w.])@\w|<[@#][!&]?\d+>")
_WORD = re.compile(r"[\w\u0300-\u036f]+")  # marks that stand apart belong to the letter before them
_WORDS = re.compile(r"[\w ]+")
_JOINERS = re.compile("[\u200c\u200d]")
_SPELLED_OUT = re.compile(r"(?<!\w)\w(?:[\W_]+\w)+(?!\w)")
WORD_LENGTH_MAX = 40
WORDS_MAX = 500


def must_be_decent(books: Books, text: str) -> Refusal | None:
    """Refuses a text with a listed word, or with a link or mention where these are off.

    The word itself is not named in the refusal: it would teach how to get round the list.
    """
    if not text:
        return None
    if not books.settings.links_allowed and _LINK.search(text):
        return refuse(Code.TEXT_NOT_ALLOWED, rule="links")
    if not books.settings.mentions_allowed and _MENTION.search(text):
        return refuse(Code.TEXT_NOT_ALLOWED, rule="mentions")
    heard, written = _heard(text), _listed_form(text)
    for name, value in books.flags.items():
        if value is True and name.startswith(WORD_PREFIX):
            word = name.removeprefix(WORD_PREFIX)
            if _heard(word) in heard if _WORDS.fullmatch(word) else word in written:
                return refuse(Code.TEXT_NOT_ALLOWED, rule="words")
    return None


@lru_cache(maxsize=2_048)
def _heard(text: str) -> str:
    """The words of `text` as a reader takes them, each between spaces: without case, marks, joiners and look-alikes,
    and with words that were s.p.e.l.t out put together again."""
    together = _SPELLED_OUT.sub(lambda spelt: re.sub(r"[\W_]+", "", spelt[0]), _JOINERS.sub("", text))
    return f" {' '.join(skeleton(word) for word in re.findall(_WORD, together))} "


def _listed_form(word: str) -> str:
    return " ".join(_JOINERS.sub("", plain_text(word)).casefold().split())


class WordListed(Receipt, frozen=True, kw_only=True, tag="word_listed"):
    actor: MemberId
    word: str
    listed: bool


class ListWord(Order, frozen=True, kw_only=True, tag="list_word"):
    """Puts a word on the community's list, or takes it off."""

    kind: ClassVar[str] = "words"

    word: str
    listed: bool

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.WORDS):
            return refusal
        word = _listed_form(self.word)
        if not 1 <= len(word) <= WORD_LENGTH_MAX:
            return refuse(Code.INVALID_ARGUMENT, rule="word_length", limit=WORD_LENGTH_MAX)
        listed = sum(value is True for name, value in books.flags.items() if name.startswith(WORD_PREFIX))
        if self.listed and listed >= WORDS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="words", limit=WORDS_MAX)
        return Decision(
            receipt=WordListed(actor=actor.id, word=word, listed=self.listed),
            facts=(books.community_fact(WORD_PREFIX + word, True if self.listed else None),),
        )


WRITTEN_WITH = frozenset({"tip", "gift", "chest", "profile"})
"""Kinds of entry that people write something with."""


class TextRemoved(Receipt, frozen=True, kw_only=True, tag="text_removed"):
    actor: MemberId
    of: EntryNumber


class RemoveText(Order, frozen=True, kw_only=True, tag="remove_text"):
    """Removes the note or message of an entry; the money stays."""

    kind: ClassVar[str] = "redact"

    of: EntryNumber
    reason: Reason

    def needs(self) -> Needs:
        return Needs(receipts=(self.of,))

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.REMOVE_TEXTS):
            return refusal
        if self.of not in books.entries:
            return refuse(Code.UNKNOWN_RECEIPT)
        if books.entries[self.of].kind not in WRITTEN_WITH:
            return refuse(Code.INVALID_ARGUMENT, rule="no_text", kind=books.entries[self.of].kind)
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        return Decision(receipt=TextRemoved(actor=actor.id, of=self.of), reason=self.reason, removes_text_of=self.of)
