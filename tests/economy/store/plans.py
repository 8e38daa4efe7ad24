"""How a database goes about the statements that are executed: by which indexes, and whether it goes through a table.

SQLite tells its plan for any table; PostgreSQL plans for the table it has, so the rows of a large one are counted.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import asyncpg
from sqlalchemy import Engine, event

TABLES = ("scores", "histogram", "entries", "postings", "facts", "flags", "members", "accounts", "totals", "texts")


@contextmanager
def explained(engine: Engine) -> Iterator[list[str]]:
    """Collects the steps of every statement that `engine` executes meanwhile."""
    steps: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked = parameters[0] if executemany else parameters
            with closing(sqlite3.connect(str(engine.url.database))) as other:
                steps.extend(row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {statement}", asked))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def scans(steps: list[str]) -> list[str]:
    """The steps that go through a whole table, or through all that a community has in one."""
    aliases = "|".join((*TABLES, "s", "alike"))
    return [
        step
        for step in steps
        if re.match(rf"SCAN ({aliases})\b", step)
        or (re.match(rf"SEARCH ({aliases})\b", step) and step.endswith("(community_id=?)"))
    ]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """How PostgreSQL went about one statement."""

    statement: str
    touched: int
    """How many rows of tables it looked at, whether it used them or not."""
    whole: tuple[str, ...]
    """The tables that it went through from one end to the other."""
    sifted: int
    """How many joins compare each row with each, where an index could have been asked."""


@contextmanager
def collected(engine: Engine) -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """Collects every statement that `engine` executes meanwhile, with its parameters."""
    found: list[tuple[str, tuple[Any, ...]]] = []

    def collect(_connection, _cursor, statement, parameters, *_: object) -> None:
        found.append((statement, tuple(parameters)))

    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", collect)


async def plan_of(server: asyncpg.Connection, statement: str, parameters: tuple[Any, ...]) -> Plan:
    """Carries the statement out once more, watching; what it writes is taken back.

    What it inserted is there already: such a statement is only planned, and touches nothing.
    """
    watching = "" if "INSERT INTO" in statement else "ANALYZE, BUFFERS OFF, "
    change = server.transaction()
    await change.start()
    try:
        [(told,)] = await server.fetch(f"EXPLAIN ({watching}FORMAT JSON) {statement}", *parameters)
    finally:
        await change.rollback()
    nodes = list(_nodes(json.loads(told)[0]["Plan"]))
    scans = [node for node in nodes if "Relation Name" in node]
    return Plan(
        statement,
        sum(_touched(node) for node in scans),
        tuple(node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"),
        sum("Join Filter" in node for node in nodes),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _touched(node: dict[str, Any]) -> int:
    each: float = sum(
        node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    )
    return round(each * float(node.get("Actual Loops", 0)))
