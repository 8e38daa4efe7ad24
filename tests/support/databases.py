"""Fresh stores on one PostgreSQL, cheaply: what a test leaves is emptied, and only what it cannot have left is kept.

A database takes far longer to make and drop than its few rows take to delete, and longer still on a slow disk. A test
that changes more than rows gets its database dropped behind it, so that none learns what another did.
"""

from __future__ import annotations

from contextlib import suppress

from economy.store.tables import metadata
from tests.support.postgres import ThrowawayPostgres

GROWN_MAX = 4 * 1024 * 1024
"""Bytes by which a database may have grown and still be used again: deleted rows keep their room."""

_SEQUENCES = "SELECT oid::regclass FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"

# Every row of the catalogue about what somebody made, with who last changed it: even what was changed and changed back
# makes another mark. Then the settings of the database, and which release it says it is.
_MARK = """
SELECT md5(string_agg(row, ',' ORDER BY row)), pg_database_size(current_database()) FROM (
    SELECT concat('class', oid, xmin) FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT concat('column', attrelid, attnum, xmin) FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat('check', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat('trigger', oid, xmin) FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT concat('function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat('schema', oid, xmin) FROM pg_namespace WHERE oid >= 16384
    UNION ALL SELECT concat('setting', setconfig) FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL SELECT concat('release', version_num) FROM alembic_version
) AS each (row)
"""

# Whoever still speaks to it was left behind by its test. Rows written once are no exception here: replicas fire no
# triggers. Sequences are set, not restarted: that would be a change of the catalogue.
_EMPTY = f"""
SET lock_timeout = '5s';
SET session_replication_role = replica;
DO $$ BEGIN
    PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    {"".join(f'DELETE FROM "{table}"; ' for table in metadata.tables)}
    PERFORM setval(sequence::regclass, 1, false) FROM ({_SEQUENCES}) AS each (sequence);
END $$;
"""


class Databases:
    """Copies of `template`, a database with all tables and no rows. `take` one, and `give_back` what was taken."""

    def __init__(self, server: ThrowawayPostgres, template: str) -> None:
        self._server = server
        self._template = template
        self._mark, self._size = self._look(template)
        self._free: list[str] = []
        self.made = 0
        """How many were made because none was free."""
        self._names: set[str] = set()

    def take(self) -> str:
        """The name of a database with all tables and no rows."""
        if self._free:
            return self._free.pop()
        self.made += 1
        name = self._server.create_database(self._template)
        self._names.add(name)
        return name

    def url(self, name: str) -> str:
        return self._server.url(name)

    def give_back(self, name: str) -> None:
        """Empties the database for the next, or drops it where more than rows was changed."""
        with suppress(RuntimeError):
            mark, size = self._look(name, _EMPTY)
            if mark == self._mark and size - self._size <= GROWN_MAX:
                self._free.append(name)
                return
        self._names.discard(name)
        self._server.drop_database(name)

    def close(self) -> None:
        """Drops all that were taken."""
        for name in self._names:
            self._server.drop_database(name)

    def _look(self, name: str, before: str = "") -> tuple[str, int]:
        mark, size = self._server.sql(f"{before}{_MARK}", name).split("|")
        return mark, int(size)
