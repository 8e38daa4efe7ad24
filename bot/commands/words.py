"""`/words` and `/redact`: what may not be written, and taking away what was."""

from __future__ import annotations

from typing import Annotated

from adapters.contract import Line, Listing, Plain, Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.options import Rest
from bot.telling import Done, Telling
from bot.wording import Words
from economy.books import WORD_PREFIX
from economy.rules.permissions import Right
from economy.rules.words import ListWord, RemoveText, TextRemoved, WordListed
from economy.values import NO_REASON, EntryNumber, Reason, plain_text, receipt_id


@command(name="words", right=Right.WORDS)
async def list_words(asked: Asked) -> Reply:
    """See the words that notes, gift messages and profiles may not hold."""
    asked.must_be_allowed(Right.WORDS)
    listed = sorted(
        name.removeprefix(WORD_PREFIX)
        for name, value in asked.reader.community_flags.items()
        if name.startswith(WORD_PREFIX) and value is True
    )
    nodes: tuple[Line | Listing, ...] = (asked.words.line("The list is empty. /words add puts a word on it."),)
    if listed:
        nodes = (
            asked.words.lines("{n} word is refused:", "{n} words are refused:", len(listed)),
            Listing(tuple(Line((Plain(word),)) for word in listed)),
        )
    return asked.reply(Telling(nodes=nodes, fields={"words": [*listed]}))


@command(name="words add", right=Right.WORDS, examples=("words add casino",))
async def add_word(asked: Asked, word: Annotated[Rest, "a word, or several in a row"]) -> Reply:
    """Refuse texts with this word from now on."""
    return await asked.submit(ListWord(by=asked.by, word=plain_text(word), listed=True))


@command(name="words remove", right=Right.WORDS, examples=("words remove casino",))
async def remove_word(asked: Asked, word: Annotated[Rest, "as it stands on the list"]) -> Reply:
    """Allow a listed word again."""
    return await asked.submit(ListWord(by=asked.by, word=plain_text(word), listed=False))


@tells(WordListed)
def word_listed(receipt: WordListed, done: Done, words: Words) -> Telling:
    if receipt.listed:
        line = words.line('Texts with "{word}" are refused from now on.', word=receipt.word)
    else:
        line = words.line('"{word}" is allowed again.', word=receipt.word)
    return Telling(nodes=(line,), fields={"word": receipt.word, "listed": receipt.listed})


@command(right=Right.REMOVE_TEXTS, examples=("redact 1042W insulting",))
async def redact(
    asked: Asked,
    receipt: Annotated[EntryNumber, "the tip or gift it came with"],
    reason: Annotated[Reason, "why, for the audit"] = NO_REASON,
) -> Reply:
    """Remove the note or message of a tip or gift; the coins stay where they are."""
    return await asked.submit(RemoveText(by=asked.by, of=receipt, reason=reason))


@tells(TextRemoved)
def text_removed(receipt: TextRemoved, done: Done, words: Words) -> Telling:
    removed = receipt_id(receipt.of)
    return Telling(
        nodes=(words.line("What was written with {receipt} is gone; the coins stay.", receipt=removed),),
        fields={"of": removed},
    )
