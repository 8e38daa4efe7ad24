"""Nothing is left without words: receipts, questions, refusals, commands, and the catalogue for translators."""

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from adapters.contract import Line, Visibility
from bot.commands import registry
from bot.gifts import GIFTS, gifts_counted
from bot.meanings import usage
from bot.refusal_texts import TEXTS
from bot.refusals import refused
from bot.wording import LOCALES, Words, plain
from economy.catalogue import DEFAULT_GIFTS
from economy.refusals import Code, Refusal
from economy.rules import RECEIPTS
from economy.rules.permissions import Right
from economy.settings import Settings
from economy.values import Own

ROOT = Path(__file__).parents[2]
WORDS = Words("en", Settings())
KEYWORDS = {"line": None, "text": None, "lines": (1, 2), "texts": (1, 2), "translatable": None}
RIGHTS = {str(right) for right in Right}


@pytest.mark.parametrize("receipt", RECEIPTS)
def test_every_receipt_has_its_teller(receipt):
    assert registry.teller_of(receipt)


def questioned():
    """The receipts that rules ask about first: `Question(about=receipt...)` in their files."""
    for path in (ROOT / "economy" / "rules").glob("*.py"):
        if "Question(about=" in path.read_text(encoding="utf-8"):
            yield path.stem


def test_every_question_has_its_wording():
    asked = {receipt.__module__.rpartition(".")[2] for receipt in RECEIPTS if receipt in registry._askers}
    undone = {"ledger"}  # `Undone` is the ledger's, and undoing asks about it
    assert {stem for stem in questioned() if stem != "undoing"} <= asked
    assert undone <= asked


def refusals_in_code():
    """Every (code, rule) that a rule or a query can answer, as written."""
    for folder in ("economy", "bot"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (code := _code_of(node)):
                    yield code, _rule_of(node)


def _code_of(call):
    for argument in call.args[:2]:
        if isinstance(argument, ast.Attribute) and isinstance(argument.value, ast.Name) and argument.value.id == "Code":
            return Code[argument.attr]
    return None


def _rule_of(call):
    for keyword in call.keywords:
        if keyword.arg == "rule" and isinstance(keyword.value, ast.Constant):
            return keyword.value.value
    first = call.args[0]
    return first.value if isinstance(first, ast.Constant) else ""


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_sentence(code):
    assert (code, "") in TEXTS


def test_the_docs_list_every_code_and_no_other():
    page = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE) == [str(code) for code in Code]


@pytest.mark.parametrize(("code", "rule"), sorted(set(refusals_in_code())))
def test_every_rule_has_its_sentence_or_its_codes(code, rule):
    """A rule without a sentence of its own reads as its code's does: the few of which that is meant are named."""
    meant = {"unknown", "malformed", "receiver", "several", "own"} | RIGHTS
    assert (code, rule) in TEXTS or rule in meant


def _setting_problems():
    text = (ROOT / "economy" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r'"(not_a_\w+|out_of_bounds)"', text))


def test_no_sentence_is_for_a_rule_that_is_gone():
    of_settings = {(Code.INVALID_ARGUMENT, name) for name in _setting_problems()}
    of_accounts = {(Code.INSUFFICIENT_FUNDS, own.name.lower()) for own in Own}
    answered = set(refusals_in_code()) | set(_parsing_rules()) | of_settings | of_accounts
    assert {(code, rule) for code, rule in TEXTS if rule} <= answered


@pytest.mark.parametrize("problem", sorted(_setting_problems()))
def test_whatever_a_setting_cannot_be_has_its_sentence(problem):
    assert (Code.INVALID_ARGUMENT, problem) in TEXTS


def _parsing_rules():
    """`refuse("missing", ...)` of the parser, whose code is `invalid_argument` unless given."""
    for name in ("meanings", "parsing"):
        for node in ast.walk(ast.parse((ROOT / "bot" / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "refuse":
                yield _code_of(node) or Code.INVALID_ARGUMENT, _rule_of(node)


@pytest.mark.parametrize(("code", "rule"), sorted(TEXTS))
def test_every_sentence_reads_well_whatever_its_fields_hold(code, rule):
    fields = {
        "receipt": "12A",
        "feature": "tipping",
        "option": "board",
        "choices": "a,b",
        "appeal": "mo",
        "name": "daily_amount",
    }
    said = refused(Refusal(code, {**fields, "rule": rule}), WORDS).nodes[0]
    assert isinstance(said, Line)
    text = plain(said)
    assert text[0].isupper() or text.startswith(("daily_amount", "0", "12A"))
    assert text[-1] in ".?" or ": " in text
    assert "{" not in text
    for hidden in ("bonus", "diamond"):
        assert hidden not in text.lower()


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", registry.specs(), ids=lambda spec: spec.name)
def test_every_command_is_documented(spec):
    assert re.fullmatch(r"[A-Z].{5,98}[.?]", spec.help)
    for option in spec.options:
        assert option.help, f"{spec.name}: {option.name} says nothing"
        assert len(option.help) <= 100
    assert spec.examples or not spec.options
    for example in spec.examples:
        assert example.split(" ")[0] == spec.name.split(" ")[0]


def test_names_fit_every_platform():
    for spec in registry.specs():
        for name in (spec.name, *spec.aliases):
            assert re.fullmatch(r"[a-z]{2,32}( [a-z]{2,32})?", name)
        for option in spec.options:
            assert re.fullmatch(r"[a-z]{1,32}", option.name)


def test_money_is_public_and_what_is_ones_own_is_not():
    public = {spec.name for spec in registry.specs() if spec.visibility is Visibility.PUBLIC}
    assert public == {"tip", "gift", "gifts", "undo", "top", "chest", "chest tip"}


def test_usage_is_one_line():
    for spec in registry.specs():
        assert usage(spec).startswith(f"/{spec.name}")


# --- gifts and the catalogue for translators ------------------------------------------------------------------------


@pytest.mark.parametrize("gift", DEFAULT_GIFTS, ids=lambda gift: gift.slug)
def test_every_gift_has_its_words(gift):
    assert gift.slug in GIFTS
    assert "{" not in gifts_counted(gift.slug, 1, WORDS)
    assert gifts_counted(gift.slug, 1_000, WORDS).startswith("1,000 ")


def texts_in_code():
    catalogue = Catalog()
    methods = [("commands/registry.py", "bot.extraction:extract"), ("**.py", "python")]
    for folder in ("bot", "adapters"):
        for _, _, message, _, _ in extract_from_dir(str(ROOT / folder), keywords=KEYWORDS, method_map=methods):
            catalogue.add(message)
    return {message.id for message in catalogue if message.id}


def test_the_catalogue_for_translators_holds_every_text():
    """Renewed by the command that bot/locales/babel.cfg begins with."""
    with io.BytesIO((LOCALES / "florin.pot").read_bytes()) as source:
        listed = {message.id for message in read_po(source) if message.id}
    assert listed == texts_in_code()
