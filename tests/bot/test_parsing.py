"""Words become typed options, or are refused with how the command is written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Attachment, Invocation, Mention, RoleMention
from bot.commands import registry
from bot.meanings import usage
from bot.options import Receivers, Targets
from bot.parsing import parse
from bot.refused import Refused
from economy.projections.boards import Board, Period
from economy.refusals import Code
from economy.rules.adjusting import Target
from economy.values import ALL, AmountWord, Coins, Identity, Place, Role, Sighting, receipt_id

NOW = datetime(2026, 1, 5, 12, 30, 45, tzinfo=UTC)


def person(name, **more):
    return Sighting(Identity("console", name), name, **more)


ANA, BO, CY = person("ana"), person("bo"), person("cy")
AT_BO, AT_CY = Mention(BO), Mention(CY)


def invocation(command, *words, **more):
    """A command by ana; text is cut at spaces, as doors cut it."""
    cut = tuple(part for word in words for part in (word.split() if isinstance(word, str) else (word,)))
    return Invocation(act="a:1", person=ANA, place=Place("console", "room"), command=command, words=cut, **more)


def parsed(command, *words, **more):
    return parse(registry.commands()[command], invocation(command, *words, **more), NOW, "Europe/Madrid")


def refusal(command, *words, **more):
    with pytest.raises(Refused) as no:
        parsed(command, *words, **more)
    return no.value.refusal


def code(command, *words, **more):
    return refusal(command, *words, **more).code


# --- tips -----------------------------------------------------------------------------------------------------


def test_receivers_stand_before_the_amount_and_the_rest_is_the_note():
    assert parsed("tip", AT_BO, AT_CY, "split 1k for the show") == {
        "to": Receivers((BO, CY)),
        "how": "split",
        "amount": AmountWord.exact(1_000),
        "note": "for the show",
    }


def test_a_role_receives_as_a_whole():
    assert parsed("tip", RoleMention(Role.CREATOR), "all")["to"] == Receivers(role=Role.CREATOR)


def test_a_role_and_a_member_together_are_ambiguous():
    assert code("tip", RoleMention(Role.CREATOR), AT_BO, "5") is Code.AMBIGUOUS


@pytest.mark.parametrize("amount", ["-5", "1.5", "abc", "1,00", "x3", "five"])
def test_the_first_word_after_the_receivers_is_the_amount(amount):
    assert code("tip", AT_BO, amount) is Code.INVALID_AMOUNT


@pytest.mark.parametrize("note", ["5 more", "000", "1", "²", "\u200b5"])
def test_a_note_never_begins_with_a_digit(note):
    assert code("tip", AT_BO, "50", note) is Code.INVALID_AMOUNT


@pytest.mark.parametrize("word", ["each", "split", "SPLIT"])
def test_each_and_split_stand_before_the_amount(word):
    assert refusal("tip", AT_BO, "50", word).rule == "before_amount"


def test_a_note_may_hold_these_words_among_others():
    assert parsed("tip", AT_BO, "50 split it well")["note"] == "split it well"


def test_a_note_has_at_most_128_characters():
    assert len(parsed("tip", AT_BO, "50", "n" * 128)["note"]) == 128
    assert refusal("tip", AT_BO, "50", "n" * 129).fields["limit"] == 128


@pytest.mark.parametrize(
    "note", ["n" * 10_000, "a\x00b" * 4_000, "\ud800" * 9, "👨\u200d👩\u200d👧" * 500, "e\u0301\u0301\u0301" * 90]
)
def test_texts_of_any_kind_are_taken_or_refused(note):
    """Fault 16."""
    try:
        found = parsed("tip", AT_BO, "50", "so", note)["note"]
    except Refused as no:
        assert no.refusal.rule == "too_long"  # noqa: PT017
    else:
        assert "\x00" not in found
        assert found.encode("utf-8")


def test_a_missing_amount_or_receiver_is_refused_with_how_it_is_written():
    line = "/tip <to> [each|split] <amount> [note]"
    for words in ((), (AT_BO,), ("50",), ("bo", "50")):
        found = refusal("tip", *words)
        assert found.code is Code.INVALID_ARGUMENT
        assert found.fields["usage"] == line


def test_a_name_that_the_door_does_not_know_is_an_unknown_member():
    """Fault 10."""
    found = refusal("tip", "@nobody 50")
    assert (found.code, found.fields["name"]) == (Code.UNKNOWN_MEMBER, "nobody")
    assert code("tip", AT_BO, "@nobody 50") is Code.UNKNOWN_MEMBER


def test_a_mention_within_a_note_is_words():
    assert parsed("tip", AT_BO, "50 with", AT_CY)["note"] == "with @cy"


# --- replies and ambiguity --------------------------------------------------------------------------------------


def test_whoever_is_replied_to_receives_where_nobody_is_named():
    assert parsed("tip", "50", replied_to=BO)["to"] == Receivers((BO,))
    assert parsed("gift", "rose", replied_to=BO)["to"] == BO


def test_naming_whom_one_replies_to_is_clear():
    assert parsed("tip", AT_BO, "50", replied_to=BO)["to"] == Receivers((BO,))


def test_a_reply_to_one_that_names_another_does_nothing():
    """Fault 11."""
    assert code("tip", AT_BO, "50", replied_to=CY) is Code.AMBIGUOUS
    assert code("gift", "rose", AT_BO, replied_to=CY) is Code.AMBIGUOUS


def test_a_reply_to_a_bots_message_names_nobody():
    assert parsed("tip", AT_BO, "50", replied_to=person("florin", is_bot=True))["to"] == Receivers((BO,))


def test_two_mentions_where_one_is_meant_do_nothing():
    """Fault 11."""
    assert code("gift", "rose", AT_BO, AT_CY) is Code.AMBIGUOUS
    assert code("coins add", AT_BO, AT_CY, "50 why") is Code.AMBIGUOUS


def test_a_member_named_twice_does_nothing():
    """Fault 11."""
    assert code("tip", AT_BO, AT_BO, "50") is Code.AMBIGUOUS


# --- gifts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rose", "Rose", "ROSE", "🌹"])
def test_a_gift_is_named_in_any_case_or_by_its_emoji(name):
    assert parsed("gift", name, AT_BO)["gift"] == "rose"


def test_an_emoji_counts_with_and_without_its_variant():
    assert parsed("gift", "🛥", AT_BO)["gift"] == parsed("gift", "🛥️", AT_BO)["gift"] == "yacht"


def test_a_count_stands_between_gift_and_member():
    found = parsed("gift", "rose x3", AT_BO, "well played")
    assert (found["count"], found["to"], found["message"]) == (3, BO, "well played")


@pytest.mark.parametrize("count", ["x0", "x-1", "x1.5", "x١", "x9999999999999999999", "x" + "9" * 5_000])
def test_a_count_is_written_like_an_amount(count):
    """Faults 1, 2, 4, 5."""
    assert code("gift", "rose", count, AT_BO) is Code.INVALID_AMOUNT


def test_a_message_may_begin_with_a_digit():
    assert parsed("gift", "rose", AT_BO, "4 you")["message"] == "4 you"


# --- corrections ----------------------------------------------------------------------------------------------------


def test_a_correction_names_whom_how_much_which_and_why():
    found = parsed("coins add", AT_BO, "50 bought paid in cash")
    assert (found["who"], found["amount"], found["reason"]) == (Targets(person=BO), 50, "paid in cash")
    assert str(found["which"]) == "bought"


def test_someone_who_left_is_named_by_id():
    assert parsed("coins set", "id:42 0 gone")["who"] == Targets(person=Sighting(Identity("console", "42"), "42"))


@pytest.mark.parametrize("amount", ["all", "half", "-1", "1.5", "many"])
def test_a_correction_takes_numbers_alone(amount):
    assert code("coins add", AT_BO, amount, "why") is Code.INVALID_AMOUNT


def test_an_amount_is_missing_only_without_a_file():
    assert refusal("coins add", AT_BO).rule == "missing"
    found = parsed("coins add", Attachment("rows.csv", b"ana,5\nbo,7\n"), "prizes for all")
    rows = (Target(Identity("console", "ana"), Coins(5)), Target(Identity("console", "bo"), Coins(7)))
    assert found == {"who": Targets(rows=rows), "reason": "prizes for all"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"ana,5\nana,6\n", (Code.AMBIGUOUS, "twice", 2)),
        (b"member,amount\nana,5\nbo,-7\n", (Code.INVALID_AMOUNT, None, 2)),
        (b"ana,5\nbo\n", (Code.INVALID_ARGUMENT, "row", 2)),
        (b"=cmd|' /C calc'!A0,5\n", (Code.INVALID_ARGUMENT, "row", 1)),
        (b"", (Code.INVALID_ARGUMENT, "rows", None)),
        (b"\xff\xfe\x00", (Code.INVALID_ARGUMENT, "file", None)),
        (b'"ana,5\n', (Code.INVALID_ARGUMENT, "file", None)),
        (b"".join(b"m%d,1\n" % number for number in range(5_001)), (Code.LIMIT_EXCEEDED, "rows", None)),
    ],
)
def test_a_file_is_taken_whole_or_refused_by_its_row(content, expected):
    """Fault 21."""
    found = refusal("coins add", Attachment("rows.csv", content), "why")
    assert (found.code, found.rule, found.fields.get("row")) == expected


def test_a_file_names_people_as_its_door_does():
    found = parsed("coins add", Attachment("rows.csv", b"Ana,5\n@BO,7\n", str.casefold), "prizes for all")
    assert [row.member.native_id for row in found["who"].rows] == ["ana", "bo"]
    again = refusal("coins add", Attachment("rows.csv", b"ana,5\nANA,7\n", str.casefold), "prizes for all")
    assert (again.code, again.rule) == (Code.AMBIGUOUS, "twice")


# --- undo, boards, pages ------------------------------------------------------------------------------------------


def test_undo_takes_a_receipt_or_a_member_and_a_time():
    assert parsed("undo") == {}
    assert parsed("undo", receipt_id(1042).lower(), "by mistake") == {"receipt": 1042, "reason": "by mistake"}
    found = parsed("undo", AT_BO, "2h spam")
    assert found == {"member": BO, "since": datetime(2026, 1, 5, 10, 30, tzinfo=UTC), "reason": "spam"}


@pytest.mark.parametrize("word", ["1042", "1042A", "0W", "1042WW", "9" * 5_000 + "A"])
def test_a_receipt_with_a_typing_error_is_unknown_and_nothing_else_is_undone(word):
    assert code("undo", word) is Code.UNKNOWN_RECEIPT
    assert code("receipt", word) is Code.UNKNOWN_RECEIPT


def test_a_day_begins_in_the_communitys_time_zone():
    assert parsed("undo", AT_BO, "2026-01-05 spam")["since"] == datetime(2026, 1, 4, 23, tzinfo=UTC)
    assert parsed("undo", AT_BO, "2026-01-05T12:00Z spam")["since"] == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_what_is_optional_and_does_not_fit_is_left_to_the_next():
    assert parsed("top") == {}
    assert parsed("top", "month") == {"period": Period.MONTH}
    assert parsed("top", "Creators 3") == {"board": Board.CREATORS, "page": 3}
    assert parsed("gifts", "500") == {"budget": 500}
    assert parsed("gifts", "off") == {"turn": "off"}
    assert parsed("gifts", "500 page:2") == {"budget": 500, "page": 2}


def test_an_optional_option_can_be_named():
    assert parsed("top", "period:all board=tippers") == {"period": Period.ALL, "board": Board.TIPPERS}
    assert parsed("top", "board:", "tippers") == {"board": Board.TIPPERS}


def test_more_than_the_command_takes_is_refused():
    found = refusal("daily", "please")
    assert (found.code, found.fields["usage"]) == (Code.INVALID_ARGUMENT, "/daily")


@pytest.mark.parametrize("words", ["page:0", "page:x", "page:" + "9" * 50, "board:", "board:moon"])
def test_a_named_option_that_is_wrong_is_refused(words):
    assert code("top", words) is Code.INVALID_ARGUMENT


# --- typed options ------------------------------------------------------------------------------------------------


def test_typed_options_come_by_name():
    options = {"to": AT_BO, "amount": "all", "note": "all yours"}
    assert parsed("tip", options=options) == {"to": Receivers((BO,)), "amount": ALL, "note": "all yours"}


def test_a_typed_option_that_is_missing_or_wrong_is_refused_alike():
    assert refusal("tip", options={"to": AT_BO}).rule == "missing"
    assert code("tip", options={"to": AT_BO, "amount": "1.5"}) is Code.INVALID_AMOUNT
    assert code("tip", options={"to": "@nobody", "amount": "5"}) is Code.UNKNOWN_MEMBER
    assert code("coins add", options={"who": AT_BO, "reason": "why"}) is Code.INVALID_ARGUMENT


# --- anything -------------------------------------------------------------------------------------------------------

WORDS = st.one_of(
    st.text(min_size=1, max_size=12),
    st.sampled_from(["50", "all", "split", "x3", "rose", "page:2", "since:2h", "@bo", "id:7", "off", "1042W", "2h"]),
    st.sampled_from([AT_BO, AT_CY, RoleMention(Role.MODERATOR), Attachment("a.csv", b"ana,1")]),
)


@given(st.sampled_from([spec.name for spec in registry.specs()]), st.lists(WORDS, max_size=6))
def test_whatever_is_said_is_understood_or_refused(name, words):
    """Fault 16."""
    said = Invocation(act="a:1", person=ANA, place=Place("console", "room"), command=name, words=tuple(words))
    try:
        found = parse(registry.commands()[name], said, NOW, "UTC")
    except Refused as no:
        assert no.refusal.code in Code  # noqa: PT017
    else:
        known = {option.name for option in registry.commands()[name].spec.options}
        assert found.keys() <= known


def test_usage_tells_what_may_be_left_out():
    assert usage(registry.commands()["gift"].spec) == "/gift <gift> [xN] <to> [message]"
    assert usage(registry.commands()["top"].spec) == "/top [board] [period] [page]"
