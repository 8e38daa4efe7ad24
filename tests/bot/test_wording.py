"""Texts: names that cannot harm, amounts and times in the reader's locale, catalogues."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Name, Plain
from bot.naming import MARKS_MAX, NAME_LENGTH_MAX, inert, shown_text
from bot.rows import written
from bot.wording import Words, plain
from economy.settings import Settings
from economy.values import Identity, MemberId
from economy.views import Shown

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FSI, PDI = "\u2068", "\u2069"


def shown(number, name, suffix=""):
    return Shown(MemberId(number), name, Identity("console", name or "nameless"), suffix)


def words(*names, locale="en", **settings):
    known = {MemberId(number): shown(number, name) for number, name in enumerate(names, start=1)}
    return Words(locale, Settings(**settings), known, now=NOW)


# --- names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("@everyone", "everyone"),
        ("@@here", "here"),
        (" @ everyone", "everyone"),
        ("hi @everyone", "hi ＠everyone"),
        ("<@&123>", "<＠&123>"),
        ("`code`", "`code`"),
        ("](http://a.b)", "](http://a.b)"),
        ("a\u200bb\u200cc\u2060d\ufeff", "abcd"),
        ("\u3164\u115f\u2800", "someone"),
        ("", "someone"),
        ("   ", "someone"),
        ("@", "someone"),
        ("two  \n lines", "two lines"),
    ],
)
def test_a_name_mentions_nobody_and_hides_nothing(name, harmless):
    """Fault 12."""
    assert inert(name) == harmless


def test_marks_do_not_pile_up_on_a_letter():
    """Fault 12."""
    stacked = inert("e" + "\u0348" * 32 + "x")
    assert sum(unicodedata.category(each).startswith("M") for each in stacked) == MARKS_MAX
    assert stacked.endswith("x")


def test_a_name_is_cut_to_32_characters_whatever_is_on_them():
    assert len(inert("n" * 500)) == NAME_LENGTH_MAX
    assert inert("é" * 40) == "é" * NAME_LENGTH_MAX


def test_an_emoji_family_stays_together():
    assert inert("👨\u200d👩\u200d👧 ana") == "👨\u200d👩\u200d👧 ana"


@pytest.mark.parametrize("name", ["*bold*", "_it_", "a_b", "~x~", ">q", "#1", "+-=|{}.!", '<&"'])
def test_signs_of_markup_stay_in_a_name_for_the_door_to_escape(name):
    """Fault 13."""
    assert inert(name) == name


def test_a_name_cannot_turn_the_amount_around():
    """Fault 14."""
    overridden = words("ana\u202e\u2066\u2069\u202c").name(MemberId(1))
    assert overridden.text == "ana"
    hebrew = words("\u202eדנה 100").name(MemberId(1))
    assert hebrew.text == f"{FSI}דנה 100{PDI}"


def test_fields_hold_the_bare_name():
    """Fault 14."""
    assert words("@דנה").field(MemberId(1)) == "דנה"


def test_whoever_looks_like_the_owner_is_told_apart():
    """Fault 15."""
    assert shown_text(shown(1, "аna", suffix="1234")) == "аna (…1234)"
    known = {MemberId(1): shown(1, "аna", suffix="1234"), MemberId(2): shown(2, "bo")}
    warnings = Words("en", Settings(), known).lookalikes([MemberId(1), MemberId(2)])
    assert [plain(line) for line in warnings] == [
        "Careful: аna (…1234) only looks like someone known here. Is this who you mean?"
    ]


def test_a_name_is_one_printable_line():
    """Fault 130."""
    assert inert("ana\r\n\x1b[31mERROR bo\x07\x00") == "ana[31mERROR bo"


@given(st.text(max_size=200))
def test_any_name_comes_out_inert(name):
    """Faults 12, 14, 16, 130."""
    found = inert(name)
    kinds = {unicodedata.category(each) for each in found.replace("\u200d", "")}
    assert 0 < len(found) <= NAME_LENGTH_MAX * (1 + MARKS_MAX + 1)
    assert "@" not in found
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert found.encode("utf-8")
    assert inert(found) == found


# --- sentences ----------------------------------------------------------------------------------------------


def test_a_line_is_made_of_words_and_names():
    line = words("ana", "bo").line("{a} tipped {b} {n}.", a=Name("ana"), b=Name("bo"), n="50 coins")
    assert line.spans == (Name("ana"), Plain(" tipped "), Name("bo"), Plain(" 50 coins."))


def test_a_name_with_braces_is_no_placeholder():
    line = words().line("{name} is here.", name=Plain("{amount} {0} {"))
    assert plain(line) == "{amount} {0} { is here."


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "a1"), (2, "a1 and a2"), (3, "a1, a2 and a3"), (12, "a1, a2, a3, a4, a5, a6, a7, a8, a9, a10 and 2 more")],
)
def test_people_are_listed_up_to_ten(count, text):
    spoken = words(*(f"a{number}" for number in range(1, count + 1)))
    spans = spoken.people([MemberId(number) for number in range(1, count + 1)])
    assert "".join(span.text for span in spans) == text


def test_what_somebody_wrote_is_quoted_and_isolated():
    """Fault 16."""
    assert plain(words().quote("well played")) == '"well played"'
    assert plain(words().quote("שלום")) == f'"{FSI}שלום{PDI}"'


# --- amounts and times --------------------------------------------------------------------------------------


def test_amounts_are_written_as_the_reader_writes_them():
    assert words().coins(1) == "1 coin"
    assert words().coins(1_000) == "1,000 coins"
    assert words(locale="de").coins(1_000) == "1.000 coins"
    assert words(locale="hi").number(1_234_567) == "1,234,567"


def test_a_currency_is_called_as_its_owner_calls_it():
    own = words(currency_one="Diamond", currency_many="Diamonds", currency_symbol="💎")
    assert (own.coins(1), own.coins(2), own.bought(2), own.score(1_000)) == (
        "1 Diamond",
        "2 Diamonds",
        "2 bought Diamonds",
        "💎1,000",
    )


def test_times_are_told_in_the_communitys_zone():
    assert words(time_zone="Asia/Tokyo").moment(NOW) == "5 Jan 2026, 21:00"
    assert words().day(date(2026, 5, 3)) == "3 May"
    assert words(locale="de").day(date(2026, 5, 3)) == "3. Mai"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 seconds"), (60, "1 minute"), (90, "90 seconds"), (7_200, "2 hours"), (86_400, "1 day")]
)
def test_a_length_of_time_is_told_exactly(seconds, text):
    assert words().span(seconds) == text


def test_shares_are_told_in_percent():
    assert (words().percent(5_000), words().percent(1_250), words().percent(1)) == ("50%", "12.5%", "0.01%")


@pytest.mark.parametrize("tag", ["", "xx", "en_US_POSIX_too_long_for_anything_at_all", "☃", "en-US-x-@@", "c" * 5_000])
def test_an_unknown_locale_speaks_english(tag):
    assert Words(tag, Settings()).coins(1_000) == "1,000 coins"


# --- catalogues ---------------------------------------------------------------------------------------------

RUSSIAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : "
"n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "{n} coin"
msgid_plural "{n} coins"
msgstr[0] "{n} монета"
msgstr[1] "{n} монеты"
msgstr[2] "{n} монет"
"""


def test_a_catalogue_is_read_as_it_is_written_with_its_plurals(tmp_path):
    (tmp_path / "ru.po").write_text(RUSSIAN, encoding="utf-8")
    russian = Words("ru-RU", Settings(), folder=tmp_path)
    assert [russian.coins(amount) for amount in (1, 3, 5, 21)] == ["1 монета", "3 монеты", "5 монет", "21 монета"]
    assert russian.text("Confirm") == "Confirm"


# --- files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_cannot_be_a_formula(cell):
    """Fault 21."""
    assert written([(cell, -5)]).decode("utf-8-sig").lstrip('"').startswith(f"'{cell[0]}")


def test_numbers_of_the_bots_own_stay_numbers():
    """Fault 21."""
    assert written([("receipt", -5, None)]) == b"\xef\xbb\xbfreceipt,-5,\r\n"
