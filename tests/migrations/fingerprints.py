"""Writes down what each migration makes: `python -m tests.migrations.fingerprints`, after a new one was added."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from economy.store.schema import fingerprint
from tests.support.postgres import throwaway_postgres
from tests.support.stores import open_store, upgrade

PAGE = Path(__file__).parents[2] / "economy" / "store" / "fingerprints.py"
HEADING = '''"""What each revision's tables, CHECKs, indices and triggers come to, by database. Written by a command:

    python -m tests.migrations.fingerprints

A change to a revision that was released is a change of every store there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FINGERPRINTS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
'''


def revisions() -> list[str]:
    """Every revision, the first one first."""
    config = Config()
    config.set_main_option("script_location", "migrations:")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


async def climbed(address: str) -> dict[str, dict[str, str]]:
    """The fingerprints of a new store at `address`, revision by revision."""
    found = {}
    for revision in revisions():
        await upgrade(address, revision)
        async with await open_store(address, any_schema=True) as store:
            found[revision] = await fingerprint(store)
    return found


def page(found: Mapping[str, Mapping[str, Mapping[str, str]]]) -> str:
    """The module, for fingerprints by database and revision."""
    lines = []
    for revision in revisions():
        lines.append(f'    "{revision}": {{')
        for database, by_revision in found.items():
            lines.append(f'        "{database}": {{')
            lines += [f'            "{table}": "{digest}",' for table, digest in by_revision[revision].items()]
            lines.append("        },")
        lines.append("    },")
    return HEADING + "\n".join(lines) + "\n}\n"


async def main(folder: Path) -> None:
    with throwaway_postgres() as server:
        addresses = {"sqlite": f"sqlite:///{folder / 'new.sqlite'}", "postgresql": server.url()}
        found = {database: await climbed(address) for database, address in addresses.items()}
    PAGE.write_text(page(found), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as new:
        asyncio.run(main(Path(new)))
