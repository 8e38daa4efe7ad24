"""Which texts may be shown: the community's word list, links and mentions; and removing a text. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from economy.books import WORD_PREFIX, Books, Decision, Needs, Order, Outcome
from economy.ledger import Receipt
from economy.refusals import Code, Refusal, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.values import EntryNumber, MemberId, Reason, plain_text

_LINK = re.compile(
    r"(?:https?://|www\.|\b[\w-]+\.(?:com|net|org|io|gg|me|ru|xyz|link|app|dev|co|info)\b)", re.IGNORECASE
)
_MENTION = re.compile(r"(?:^|\s)@\w|<[@#][!&]?\d+>")
_ONE_WORD = re.compile(r"\w+")
_JOINERS = re.compile("[\u200c\u200d]")
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
    folded = _folded(text)
    spoken = set(re.findall(r"\w+", folded))
    for name, value in books.flags.items():
        if value is True and name.startswith(WORD_PREFIX):
            word = name.removeprefix(WORD_PREFIX)
            if word in spoken or (not _ONE_WORD.fullmatch(word) and word in folded):
                return refuse(Code.TEXT_NOT_ALLOWED, rule="words")
    return None


def _folded(text: str) -> str:
    """`text` as words are compared: without case, and without the joiners that could be hidden in one."""
    return " ".join(_JOINERS.sub("", plain_text(text)).casefold().split())


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
        word = _folded(self.word)
        if not 1 <= len(word) <= WORD_LENGTH_MAX:
            return refuse(Code.INVALID_ARGUMENT, rule="word_length", limit=WORD_LENGTH_MAX)
        listed = sum(value is True for name, value in books.flags.items() if name.startswith(WORD_PREFIX))
        if self.listed and listed >= WORDS_MAX:
            return refuse(Code.LIMIT_EXCEEDED, rule="words", limit=WORDS_MAX)
        return Decision(
            receipt=WordListed(actor=actor.id, word=word, listed=self.listed),
            facts=(books.community_fact(WORD_PREFIX + word, True if self.listed else None),),
        )


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
        if not self.reason:
            return refuse(Code.REASON_REQUIRED)
        return Decision(receipt=TextRemoved(actor=actor.id, of=self.of), reason=self.reason, removes_text_of=self.of)
