"""Which texts may be shown, and removing one that should not have been."""

from __future__ import annotations

import pytest

from economy.books import Books
from economy.refusals import Code, refuse
from economy.rules.words import WORD_LENGTH_MAX, WORDS_MAX, ListWord, RemoveText, must_be_decent
from economy.values import EntryNumber, Note, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import OWNER, Scene, person, refused


@pytest.fixture
def scene() -> Scene:
    scene = Scene("ana", "bo", "mo")
    scene.stands("mo", Role.MODERATOR)
    return scene


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("well done", None),
        ("", None),
        ("https://x.example", "links"),
        ("HTTP://X.EXAMPLE", "links"),
        ("go to www.x.example", "links"),
        ("join discord.gg/abc", "links"),
        ("t.me/abc", "links"),
        ("thanks, e.g. for that. Net result: good", None),
        ("hey @bo", "mentions"),
        ("@everyone", "mentions"),
        ("<@1234> <@&99> <#5>", "mentions"),
        ("me@home", None),
        ("what a Darn thing", "words"),
        ("darning socks", None),
        ("bad  WORD here", "words"),
        ("b-a-d b-a-d", "words"),
        ("da\u200drn", "words"),
        ("DÄMN", "words"),
        ("da\u0308mn", "words"),
    ],
)
def test_links_mentions_and_listed_words_are_refused(text, rule):
    books = Books({"word.darn": True, "word.bad word": True, "word.b-a-d": True, "word.dämn": True, "word.well": None})
    refusal = must_be_decent(books, Note(text))
    assert (refusal and refusal.fields["rule"]) == rule
    if refusal:
        assert refusal.code is Code.TEXT_NOT_ALLOWED
        assert set(refusal.fields) == {"rule"}, "naming the word would teach how to get round the list"


def test_links_and_mentions_can_be_allowed():
    books = Books({"setting.links_allowed": True, "setting.mentions_allowed": True})
    assert must_be_decent(books, "@bo https://x.example") is None


def test_a_moderator_lists_a_word_in_any_case_and_takes_it_off(scene):
    scene.grant("ana", bonus=10)
    receipt = receipt_of(scene.submit(ListWord(by=person("mo"), word="  DaRn\0  it ", listed=True)))
    assert receipt.word == "darn it"
    refused(scene.tip("ana", "bo", amount=1, note="darn it!"), Code.TEXT_NOT_ALLOWED, rule="words")
    scene.done(ListWord(by=person("mo"), word="darn it", listed=False))
    assert scene.tip("ana", "bo", amount=1, note="darn it!").number


@pytest.mark.parametrize("word", ["", "   ", "\u200b", "x" * (WORD_LENGTH_MAX + 1)])
def test_a_listed_word_has_a_length(scene, word):
    """Fault 16."""
    refused(scene.submit(ListWord(by=person("mo"), word=word, listed=True)), Code.INVALID_ARGUMENT, rule="word_length")
    for length in (1, WORD_LENGTH_MAX):
        assert scene.submit(ListWord(by=person("mo"), word="x" * length, listed=True)).number


def test_the_list_has_a_limit(scene):
    scene.model.flags.update({f"word.w{number}": True for number in range(WORDS_MAX)})
    refused(scene.submit(ListWord(by=person("mo"), word="one", listed=True)), Code.LIMIT_EXCEEDED, rule="words")
    assert scene.submit(ListWord(by=person("mo"), word="w1", listed=False)).number


@pytest.mark.parametrize("role", [Role.TREASURER, Role.OPERATOR, Role.CREATOR])
def test_only_owners_and_moderators_keep_the_list_and_remove_texts(scene, role):
    scene.stands("ana", role)
    refused(scene.submit(ListWord(by=person("ana"), word="x", listed=True)), Code.NOT_ALLOWED, rule="words")
    order = RemoveText(by=person("ana"), of=EntryNumber(1), reason=Reason("rude"))
    refused(scene.submit(order), Code.NOT_ALLOWED, rule="remove_texts", roles="owner,moderator")


def test_a_removed_text_is_gone_and_the_money_stays(scene):
    scene.grant("ana", bonus=10)
    tip = scene.tip("ana", "bo", amount=1, note="rude")
    refused(scene.submit(RemoveText(by=person("mo"), of=tip.number, reason=Reason(""))), Code.REASON_REQUIRED)
    refused(scene.submit(RemoveText(by=person("mo"), of=EntryNumber(999), reason=Reason("x"))), Code.UNKNOWN_RECEIPT)
    joined = EntryNumber(1)
    assert scene.model.entries[joined].kind not in ("tip", "gift", "chest", "profile")
    refused(
        scene.submit(RemoveText(by=person("mo"), of=joined, reason=Reason("x"))), Code.INVALID_ARGUMENT, rule="no_text"
    )
    assert scene.submit(RemoveText(by=person(OWNER), of=tip.number, reason=Reason("rude"))).number
    assert scene.text(tip) is None
    assert scene.has("bo") == (0, 1, 0)


@pytest.mark.parametrize(
    "said",
    [
        "badword",
        "what a BADWORD!",
        "ｂａｄｗｏｒｄ",  # full width
        "bádword",
        "bаdword",  # a Cyrillic a
        "b.a.d.w.o.r.d",
        "b a d w o r d",
        "bad\u200dword",
    ],
)
def test_a_listed_word_is_heard_however_it_is_written(said):
    """Fault 12"""
    books = Books({"word.badword": True})
    assert must_be_decent(books, said) == refuse(Code.TEXT_NOT_ALLOWED, rule="words")


@pytest.mark.parametrize("said", ["bad word", "badwords", "a good word", "push it", "wait...what", "1.5 to 2.0"])
def test_what_only_resembles_a_listed_word_or_a_link_passes(said):
    books = Books({"word.badword": True, "word.shit": True})
    assert must_be_decent(books, said) is None


@pytest.mark.parametrize("said", ["bit.ly/abc", "evil.de", "see https://x.y", "www.thing", "läden.example"])
def test_links_are_refused_however_short(said):
    assert must_be_decent(Books(), said) == refuse(Code.TEXT_NOT_ALLOWED, rule="links")


@pytest.mark.parametrize("said", ["@everyone", "(@everyone) look", "hi,@here", "<@&123>", "<#5>"])
def test_mentions_are_refused_wherever_they_stand(said):
    """Fault 12"""
    assert must_be_decent(Books(), said) == refuse(Code.TEXT_NOT_ALLOWED, rule="mentions")
