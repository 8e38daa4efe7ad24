"""What the journal asks the store: every text written once, whatever the number of orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from economy.links import SUCCESSOR
from economy.rules.undoing import SENT, UNDOABLE
from economy.store.bulk import Query, Wanted, each_of


def _kinds(kinds: Iterable[str]) -> str:
    return ", ".join(f"'{kind}'" for kind in sorted(kinds))


HOLDERS: Final = Query(
    "SELECT f.community_id, f.subject FROM {flags} CROSS JOIN flags AS f"
    " WHERE f.community_id = w.c AND f.name = w.v AND f.value = 'true'",
    Wanted("flags", "text"),
)
LATEST: Final = Query(
    "SELECT w.c, w.v, (SELECT max(e.number) FROM entries AS e WHERE e.community_id = w.c AND e.actor = w.v"  # noqa: S608
    f" AND e.kind IN ({_kinds(SENT)})) FROM {{senders}}",
    Wanted("senders"),
)
WAITING: Final = Query(
    "SELECT w.c, w.v, q.entry FROM {names} CROSS JOIN waiting AS q"
    " WHERE q.community_id = w.c AND q.name = w.v ORDER BY 1, 3",
    Wanted("names", "text"),
)
SINCE: Final = Query(
    "SELECT w.c, w.v, e.number FROM {since} CROSS JOIN entries AS e"  # noqa: S608
    f" WHERE e.community_id = w.c AND e.at_us >= w.u AND e.kind IN ({_kinds(UNDOABLE)}) AND e.number IN ("
    " SELECT a.number FROM entries AS a WHERE a.community_id = w.c AND a.actor = w.v"
    " UNION SELECT s.entry FROM postings AS s WHERE s.community_id = w.c AND s.source = w.v"
    " UNION SELECT d.entry FROM postings AS d WHERE d.community_id = w.c AND d.destination = w.v)",
    Wanted("since", "bigint", "bigint"),
)
ENTRIES: Final = Query(
    "SELECT 1, e.community_id, e.number, e.actor, e.at_us, 0, 0, 0, e.key, e.kind, e.reason, e.time_zone, e.receipt"
    " FROM {numbers} CROSS JOIN entries AS e WHERE e.community_id = w.c AND e.number = w.v"
    " UNION ALL "
    "SELECT 2, p.community_id, p.entry, p.ordinal, p.leg, p.source, p.destination, p.amount, p.asset, '', '', '', ''"
    " FROM {numbers} CROSS JOIN postings AS p WHERE p.community_id = w.c AND p.entry = w.v"
    " UNION ALL "
    "SELECT 3, f.community_id, f.entry, f.ordinal, f.subject, 0, 0, 0, f.name, f.before, f.after, '', ''"
    " FROM {numbers} CROSS JOIN facts AS f WHERE f.community_id = w.c AND f.entry = w.v"
    " ORDER BY 1, 2, 3, 4",
    Wanted("numbers"),
)
PROFILES: Final = Query(
    "SELECT w.c, w.v, m.name, i.platform, i.native_id, i.is_bot FROM {members}"
    " CROSS JOIN members AS m CROSS JOIN identities AS i"
    " WHERE m.community_id = w.c AND m.person_id = w.v AND i.person_id = w.v",
    Wanted("members"),
)
# Whom others went on as.
HEIRS: Final = Query(
    "SELECT f.community_id, f.subject, f.value FROM {members} CROSS JOIN flags AS f"  # noqa: S608
    f" WHERE f.community_id = w.c AND f.subject = w.v AND f.name = '{SUCCESSOR}'",
    Wanted("members"),
)
# Members first, as everywhere.
LOCK_MEMBERS_SHARE_COMMUNITIES: Final = Query(
    "WITH locked AS (SELECT m.person_id FROM members AS m WHERE (m.community_id, m.person_id) IN"
    " (SELECT w.c, w.v FROM {members}) ORDER BY m.community_id, m.person_id FOR UPDATE),"
    " shared AS (SELECT c.id FROM communities AS c WHERE c.id IN (SELECT w.v FROM {communities})"
    " ORDER BY c.id FOR SHARE)"
    " SELECT count(*) FROM locked UNION ALL SELECT count(*) FROM shared",
    Wanted("members"),
    Wanted("communities"),
)
LOCK_COMMUNITIES: Final = Query(
    "SELECT 1 FROM communities AS c WHERE c.id IN (SELECT w.v FROM {communities}) ORDER BY c.id FOR UPDATE",
    Wanted("communities"),
)
LOCK_COUNTERS: Final = Query(
    "SELECT 1 FROM counters AS n WHERE n.community_id IN (SELECT w.v FROM {communities})"
    " ORDER BY n.community_id FOR UPDATE",
    Wanted("communities"),
)
LOCK_CHESTS: Final = Query(
    "SELECT 1 FROM accounts AS a WHERE (a.community_id, a.owner) IN (SELECT w.c, w.v FROM {chests})"
    " ORDER BY a.community_id, a.asset FOR UPDATE",
    Wanted("chests"),
)


def _part(tag: int, columns: str, rows: str, of: str, alias: str, where: str) -> str:
    """One part of `STATE`: what of a table belongs to each of these rows. Every part has three numbers and four texts,
    and its tag tells it apart."""
    joined = each_of(of, alias, f"{alias}.community_id = w.c AND {where}")
    return f"SELECT {tag}, {alias}.community_id, {columns} FROM {{{rows}}} {joined}"  # noqa: S608


_PARTS: Final = (
    _part(1, "e.number, e.at_us, 0, e.key, e.digest, e.receipt, e.time_zone", "keys", "entries", "e", "e.key = w.v"),
    _part(2, "0, a.at_us, 0, a.key, a.digest, a.answer, ''", "keys", "answers", "a", "a.key = w.v"),
    _part(3, "a.owner, a.balance, 0, a.asset, '', '', ''", "owners", "accounts", "a", "a.owner = w.v"),
    _part(4, "f.subject, 0, 0, f.name, f.value, '', ''", "owners", "flags", "f", "f.subject = w.v"),
    _part(
        *(5, "t.member_id, t.day, t.amount, t.name, '', '', ''", "owners", "totals", "t"),
        "t.member_id = w.v AND t.day BETWEEN {first_day} AND {last_day}",
    ),
    _part(6, "n.last_entry, 0, 0, '', '', '', ''", "owners", "counters", "n", "w.v = 0"),
    _part(7, "r.original, r.by_entry, 0, '', '', '', ''", "numbers", "reversals", "r", "r.original = w.v"),
    _part(
        *(8, "o.presser, o.expires_us, coalesce(o.used_by, 0), o.nonce, o.label, o.\"order\", ''", "offers"),
        *("offers", "o", "o.nonce = w.v"),
    ),
    # Where the places of a batch meet: behind the lock, so that no order is carried out where its place was before.
    " ".join(
        (
            "SELECT 9, p.community_id, coalesce(p.own_id, 0), coalesce(p.former_id, 0), 0,",
            "p.platform, p.native_id, '', '' FROM {places}",
            each_of("places", "p", "p.platform = w.v AND p.native_id = w.u"),
        )
    ),
)
STATE: Final = Query(
    " UNION ALL ".join(_PARTS),
    Wanted("keys", "text"),
    Wanted("owners"),
    Wanted("numbers"),
    Wanted("offers", "text"),
    Wanted("places", "text", "text"),
    numbers=("first_day", "last_day"),
)
WRONG_CODES: Final = Query(
    "SELECT a.community_id, count(*) FROM {communities} CROSS JOIN answers AS a"
    " WHERE a.community_id = w.v AND a.at_us > {since} AND a.kind = 'community' AND a.code = 'invalid_argument'"
    " GROUP BY a.community_id",
    Wanted("communities"),
    numbers=("since",),
)
OWN_BALANCES: Final = Query(
    "SELECT a.community_id, a.owner, a.asset, a.balance FROM {owners} CROSS JOIN accounts AS a"
    " WHERE a.community_id = w.c AND a.owner = w.v",
    Wanted("owners"),
)
