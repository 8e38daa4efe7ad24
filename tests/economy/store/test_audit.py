"""The audit passes a healthy store, and names every kind of breakage that is planted."""

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.claiming import TipUnseen
from economy.rules.earning import ClaimDaily
from economy.rules.presence import Hide, Leave
from economy.rules.undoing import UndoSince
from economy.store import audit_walk
from economy.store.audit import AuditReport, audit
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.values import AmountWord, Asset, Coins, Reason, Role, receipt_id
from tests.economy.projections.town import Town, gift, person, tip, undo
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting, StillClock
from tests.economy.store.chronicle import Chronicle
from tests.support.stores import open_store

NAMES = ("ana", "bo", "cy", "mo")


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    """Unlike elsewhere, its books need not balance afterwards."""
    async with await open_store(address) as opened:
        yield opened


@pytest.fixture
def town() -> Town:
    """A community in which everything that the audit looks at has happened."""
    town = Town.founded(*NAMES, coin=1_000, bonus=1_000, time_zone="Europe/Berlin")
    town.do(gift("ana", "bo"))  # entry 12
    town.do(tip("ana", "bo", "cy", amount=700))
    since = town.now
    town.wait(hours=30)
    town.do(ClaimDaily(by=person("cy")))
    town.do(gift("cy", "bo", count=13))
    town.do(tip("bo", "ana", amount=1_000))
    town.do(undo(gift_number(town)), Role.MODERATOR)
    for action, asset in ((Action.REMOVE, Asset.BONUS), (Action.ADD, Asset.DIAMOND), (Action.REMOVE, Asset.DIAMOND)):
        town.do(correction(action, asset), Role.OPERATOR)
        town.do(undo(town.entries[-1].number), Role.MODERATOR)
    town.do(Hide(by=person("bo")))
    town.do(Leave(by=person("cy")))
    numbers = tuple(entry.number for entry in town.entries if entry.at == since and entry.kind == "tip")
    again = UndoSince(by=person("mo"), member=person("ana"), since=since, reason=Reason("late"), numbers=numbers)
    town.do(again, Role.MODERATOR)
    town.do(TipUnseen(by=person("mo"), name="console:@zoe", amount=AmountWord.exact(10)))
    return town


def gift_number(town: Town) -> int:
    return next(entry.number for entry in town.entries if entry.kind == "gift")


def correction(action: Action, asset: Asset) -> Adjust:
    row = Target(person("bo"), Coins(10))
    return Adjust(by=person("mo"), action=action, asset=asset, rows=(row,), reason=Reason("a correction"))


async def keep(store: Store, town: Town) -> None:
    await Chronicle(store, town).write()
    await StoreProjector(store).drain()


async def spoil(store: Store, *statements: str) -> None:
    """Does to the database what no code of ours does: triggers and CHECKs out of the way."""
    if store.url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(store.url.database))) as database, database:
            database.execute("PRAGMA ignore_check_constraints = ON")
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert database.execute(statement).rowcount > 0, f"nothing to spoil: {statement}"
        return
    server = await asyncpg.connect(store.url.set(drivername="postgresql").render_as_string(hide_password=False))
    await server.execute("SET session_replication_role = replica")  # replicas fire no triggers
    for statement in statements:
        try:
            done = await server.execute(statement)
        except asyncpg.CheckViolationError as problem:
            await server.execute(f"ALTER TABLE {problem.table_name} DROP CONSTRAINT {problem.constraint_name}")
            done = await server.execute(statement)
        assert not done.endswith(" 0"), f"nothing to spoil: {statement}"
    await server.close()


def told(report: AuditReport) -> set[str]:
    return {problem.what for problem in report.problems}


async def test_a_healthy_store_passes(store, town):
    await keep(store, town)
    seen: list[tuple[int, int]] = []
    report = await audit(store, progress=lambda done, total: seen.append((done, total)))
    assert report.problems == ()
    assert report.ok
    postings = sum(len(entry.postings) for entry in town.entries)
    assert report.figures == {
        "communities": 1,
        "entries": len(town.entries),
        "postings": postings,
        "accounts": 16,
        "seals": 1,
        "problems": 0,
    }
    assert seen[-1] == (len(town.entries), len(town.entries))


async def test_a_store_with_nothing_in_it_passes(store):
    report = await audit(store)
    assert report.ok
    assert report.figures["communities"] == 0


async def test_a_store_that_is_not_yet_projected_passes(store, town):
    await Chronicle(store, town).write()
    assert (await audit(store)).ok


@pytest.mark.parametrize("entries", [1, 5, 11, 17, 24])
async def test_a_store_that_is_half_projected_passes(store, town, entries):
    kept = Chronicle(store, town)
    everything = list(town.entries)
    town.entries[entries:] = []
    await kept.write()
    await StoreProjector(store).drain()
    town.entries[:] = everything
    await kept.write()
    report = await audit(store)
    assert report.problems == ()


async def test_the_audit_does_not_care_how_it_is_cut(store, town, monkeypatch):
    await keep(store, town)
    monkeypatch.setattr("economy.store.audit.CHUNK", 3)
    monkeypatch.setattr("economy.store.audit_compare.ROWS_MAX", 3)
    assert (await audit(store)).problems == ()
    await spoil(store, "UPDATE postings SET amount = amount + 1 WHERE entry = 13 AND ordinal = 0")
    first = (await audit(store)).problems[0]
    assert (first.what, first.where) == ("running", f"entry {receipt_id(13)}")


async def test_what_the_journal_and_the_projector_wrote_passes(store):
    clock = StillClock()
    async with StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=900, bo=50)
        await acting.submit(acts.setting("welcome_grant", 30))
        await acting.together(*(acts.tip("ana", "bo", amount=amount) for amount in range(1, 30)))
        tipped = await acting.submit(acts.tip("ana", "bo", "cy", amount=100))
        await acting.submit(acts.tip("bo", "cy", amount=400))
        await acting.submit(Hide(by=person("bo")))
        await acting.undo("owner", tipped.number, "a mistake")
        await acting.submit(ClaimDaily(by=person("cy")))
        clock.later(days=1)
        await acting.submit(ClaimDaily(by=person("cy")))
    await StoreProjector(store).drain()
    report = await audit(store)
    assert report.problems == ()
    assert report.figures["entries"] > 35


G12 = f"entry {receipt_id(12)}"
T13 = f"entry {receipt_id(13)}"


# Each breakage with what the audit calls it and where it sees it first.
BREAKAGES = {
    "coins of somebody who went on as another": (
        ["INSERT INTO facts VALUES (1, 1, 9, 3, 'successor', 'null', '1')"],
        ("successor", None),
    ),
    "a balance of more": (
        ["UPDATE accounts SET balance = balance + 5 WHERE owner = 1 AND asset = 'bonus'"],
        ("balance", "1 bonus"),
    ),
    "an account that is gone": (["DELETE FROM accounts WHERE owner = 2 AND asset = 'coin'"], ("balance", "2 coin")),
    "coins out of nothing": (
        ["UPDATE accounts SET balance = balance + 5 WHERE owner = -3 AND asset = 'bonus'"],
        ("sum", "bonus"),
    ),
    "a member below 0": (
        ["UPDATE accounts SET balance = -1 WHERE owner = 1 AND asset = 'coin'"],
        ("floor", "account 1 coin"),
    ),
    "an account overdrawn on the way": (
        ["UPDATE postings SET amount = 5000 WHERE entry = 13 AND ordinal = 0"],
        ("floor", T13),
    ),
    "a posting of more": (
        ["UPDATE postings SET amount = amount + 1 WHERE entry = 12 AND ordinal = 0"],
        ("running", G12),
    ),
    "a posting that is gone": (["DELETE FROM postings WHERE entry = 13 AND ordinal = 1"], ("running", T13)),
    "a wrong balance beside a posting": (
        ["UPDATE postings SET source_after = source_after - 1 WHERE entry = 13 AND ordinal = 0"],
        ("running", T13),
    ),
    "an entry that is gone": (["DELETE FROM entries WHERE number = 13"], ("numbering", f"entry {receipt_id(14)}")),
    "postings of no entry": (["DELETE FROM entries WHERE number = 13"], ("stray", T13)),
    "a last entry that is gone": (
        ["DELETE FROM entries WHERE number = (SELECT max(number) FROM entries)"],
        ("numbering", "counter"),
    ),
    "a counter ahead": (["UPDATE counters SET last_entry = last_entry + 1"], ("numbering", "counter")),
    "a key with two answers": (
        ["INSERT INTO answers SELECT 1, key, '', kind, actor, 'frozen', at_us, '{}' FROM entries WHERE number = 12"],
        ("key", "key test:12"),
    ),
    "a tip that mints": (
        ["UPDATE postings SET source = -1, source_after = NULL WHERE entry = 13 AND ordinal = 0"],
        ("conservation", T13),
    ),
    "a gift that burns": (
        ["UPDATE postings SET destination = -2, destination_after = NULL WHERE entry = 12 AND destination = -3"],
        ("conservation", G12),
    ),
    "diamonds without their coins": (
        ["UPDATE postings SET destination = -3 WHERE entry = 12 AND destination = -4"],
        ("held", G12),
    ),
    "held coins that are spent": (
        [
            "UPDATE accounts SET balance = balance - 1 WHERE owner = -4",
            "UPDATE accounts SET balance = balance + 1 WHERE owner = -3 AND asset = 'coin'",
        ],
        ("held", "account -4 coin"),
    ),
    "a reversal that is gone": (["DELETE FROM reversals WHERE original = 12"], ("reversal", f"entry {receipt_id(17)}")),
    "a reversal of nothing": (
        ["INSERT INTO reversals VALUES (1, 14, 13)"],
        ("reversal", T13),
    ),
    "an undo that took too much": (
        ["UPDATE entries SET receipt = replace(receipt, '\"missing\":', '\"missing\":1') WHERE kind = 'undo'"],
        ("reversal", f"entry {receipt_id(17)}"),
    ),
    "an undo of another kind": (
        ["UPDATE entries SET kind = 'chest' WHERE number = 12"],
        ("reversal", f"entry {receipt_id(17)}"),
    ),
    "an entry undone twice": (
        [
            "UPDATE entries SET receipt = (SELECT receipt FROM entries WHERE number = 17) WHERE number = 19",
            "UPDATE reversals SET by_entry = 19 WHERE original = 18",
        ],
        ("reversal", f"entry {receipt_id(19)}"),
    ),
    "a receipt that cannot be read": (["UPDATE entries SET receipt = '{}' WHERE number = 13"], ("unreadable", T13)),
    "a posting of no asset": (["UPDATE postings SET asset = 'gold' WHERE entry = 13"], ("unreadable", T13)),
    "a total of more": (
        ["UPDATE totals SET amount = amount + 1 WHERE name = 'earned'"],
        ("total", "3 739622 earned"),
    ),
    "a total that is gone": (["DELETE FROM totals WHERE name = 'earned'"], ("total", "3 739622 earned")),
    "a flag that nobody set": (["INSERT INTO flags VALUES (1, 1, 'role.owner', 'true')"], ("flag", "1 role.owner")),
    "a flag that was changed": (
        ["UPDATE flags SET value = 'null' WHERE subject = 2 AND name = 'hidden'"],
        ("flag", "2 hidden"),
    ),
    "a flag that is gone": (["DELETE FROM flags WHERE subject = 2 AND name = 'creator'"], ("flag", "flags")),
    "a fact with another past": (
        ["UPDATE facts SET before = 'true' WHERE name = 'hidden'"],
        ("fact", f"entry {receipt_id(22)}"),
    ),
    "a score of more": (
        ["UPDATE scores SET score = score + 1 WHERE series = 4"],
        ("score", "creators all 0 2"),
    ),
    "a score that is gone": (
        ["DELETE FROM scores WHERE series = 4"],
        ("score", "creators all 0 2"),
    ),
    "a score reached by another": (
        ["UPDATE scores SET reached = 1 WHERE series = 4"],
        ("score", "creators all 0 2"),
    ),
    "a standing of more": (
        ["UPDATE scores SET standing = 1 WHERE series = 4"],
        ("score", "creators all 0 2"),
    ),
    "a hidden member on a board": (
        ["UPDATE scores SET listed = true WHERE series = 4"],
        ("listed", "creators all 0 2"),
    ),
    "a histogram that miscounts": (
        ["UPDATE histogram SET members = members + 1 WHERE series = 28"],
        ("histogram", None),
    ),
    "a day total of more": (
        ["UPDATE day_totals SET amount = amount + 1 WHERE name = 'tip.coin'"],
        ("day amount", "739621 tip.coin"),
    ),
    "a day total that miscounts": (
        ["UPDATE day_totals SET entries = entries + 1 WHERE name = 'tip.coin'"],
        ("day entries", "739621 tip.coin"),
    ),
    "an entry at another time": (
        ["UPDATE entries SET at_us = at_us + 1 WHERE number = 13"],
        ("seal", "seal 1, entries 1B to 25G"),
    ),
    "a claim that is not listed": (["DELETE FROM waiting"], ("escrow", "account -5 bonus")),
    "a claim that is listed and does not wait": (
        ["INSERT INTO waiting VALUES (1, 13, 'console:@yan', 0, 0, 0)"],
        ("escrow", T13),
    ),
    "coins in escrow for nobody": (
        [
            "UPDATE accounts SET balance = balance + 1 WHERE owner = -5",
            "UPDATE accounts SET balance = balance - 1 WHERE owner = -3 AND asset = 'bonus'",
        ],
        ("escrow", "account -5 bonus"),
    ),
    "a place that meets here by no entry": (
        ["INSERT INTO places VALUES ('telegram', '-9', 1, 2, NULL)"],
        ("place", "place of community 2"),
    ),
    "a watermark ahead": (["UPDATE watermarks SET entry = entry + 1"], ("watermark", "boards")),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
async def test_a_breakage_is_named(store, town, breakage):
    await keep(store, town)
    statements, (what, where) = BREAKAGES[breakage]
    await spoil(store, *statements)
    report = await audit(store)
    assert not report.ok
    found = [problem for problem in report.problems if problem.what == what]
    assert found, report.problems
    assert where in {None, found[0].where}, found
    assert found[0].community == 1
    assert found[0].detail
    assert report.figures["problems"] >= len(report.problems)


def test_every_sort_of_problem_is_planted():
    """So that no check can rot: what the audit can say, a breakage makes it say."""
    named = re.compile(r'[_.](?:tell|compare_sums|tell_left)\(\s*"([a-z ]+)"')
    folder = Path(audit_walk.__file__).parent
    sources = [
        (folder / name).read_text() for name in ("audit.py", "audit_walk.py", "audit_compare.py", "audit_seals.py")
    ]
    assert set(named.findall("".join(sources))) == {what for _, (what, _) in BREAKAGES.values()}


async def test_a_rebuild_mends_what_follows_from_the_entries(store, town):
    await keep(store, town)
    await spoil(
        store,
        "UPDATE scores SET score = score + 1, listed = true",
        "DELETE FROM histogram",
        "UPDATE day_totals SET amount = 0",
    )
    assert told(await audit(store)) >= {"score", "listed", "histogram", "day amount"}
    await StoreProjector(store).rebuild()
    assert (await audit(store)).ok


async def test_the_first_entry_that_breaks_is_named_first(store, town):
    await keep(store, town)
    await spoil(store, "UPDATE postings SET amount = amount + 1 WHERE entry >= 13")
    report = await audit(store)
    assert next(problem.where for problem in report.problems if problem.what == "running") == T13
    assert len([problem for problem in report.problems if problem.what == "running"]) <= 10
    assert report.figures["problems"] > len(report.problems)


async def test_communities_are_told_apart(store, town):
    await keep(store, town)
    other = Town.founded("dee", "eve", bonus=50)
    await Chronicle(store, other, 2).write()
    await StoreProjector(store).drain()
    assert (await audit(store)).ok
    await spoil(store, "UPDATE accounts SET balance = balance + 1 WHERE community_id = 2 AND owner = 1")
    assert {problem.community for problem in (await audit(store)).problems} == {2}
