"""How SQLite goes about the statements that are executed: by which indexes, and whether it goes through a table."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

TABLES = ("scores", "histogram", "entries", "postings", "facts", "flags", "members", "accounts", "totals", "texts")


@contextmanager
def explained(engine: AsyncEngine) -> Iterator[list[str]]:
    """Collects the steps of every statement that `engine` executes meanwhile."""
    steps: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked = parameters[0] if executemany else parameters
            with closing(sqlite3.connect(str(engine.url.database))) as other:
                steps.extend(row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {statement}", asked))

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    try:
        yield steps
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", explain)


def scans(steps: list[str]) -> list[str]:
    """The steps that go through a whole table, or through all that a community has in one."""
    aliases = "|".join((*TABLES, "s", "alike"))
    return [
        step
        for step in steps
        if re.match(rf"SCAN ({aliases})\b", step)
        or (re.match(rf"SEARCH ({aliases})\b", step) and step.endswith("(community_id=?)"))
    ]
