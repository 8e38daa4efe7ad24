"""What `florin doctor` makes of a store that opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bot.findings import Finding, State
from economy.checkup import Checkup, FileFacts, ServerFacts, Standby

DISK_FREE_MIN: Final = 200 * 1024 * 1024
"""Bytes. A store that grows by its log needs some room to write at all."""
INODES_FREE_MIN: Final = 100

SQLITE_MIN: Final = (3, 37)
POSTGRES_MIN: Final = (15,)
# Two connections that write and make checkpoints at the same moment could damage a file (sqlite.org/wal.html).
WAL_RESET_MENDED: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))

SHARED: Final = frozenset({"9p", "drvfs", "fakeowner", "grpcfuse", "prl_fs", "vboxsf", "virtiofs", "vmhgfs-fuse"})
"""File systems by which a virtual machine sees a folder of its host."""
IN_MEMORY: Final = frozenset({"ramfs", "tmpfs"})

LAG_BYTES_MAX: Final = 256 * 1024 * 1024
LAG_S_MAX: Final = 60.0
SLOT_BYTES_MAX: Final = 1024 * 1024 * 1024
IDLE_S_MAX: Final = 60.0
PREPARED_S_MAX: Final = 300.0
CONNECTIONS_SHARE_MAX: Final = 0.9

_MB: Final = 1024 * 1024


def examined(checkup: Checkup) -> Iterator[Finding]:
    """Everything about a store, what rests on what in that order."""
    match checkup.facts:
        case FileFacts() as facts:
            yield _sqlite(checkup.version)
            yield from _file(facts)
            yield from _schema(checkup)
            yield _damage(facts)
            yield _log(facts)
            yield from _room(facts)
        case ServerFacts() as facts:
            yield _postgres(checkup.version)
            yield _server_durability(checkup, facts)
            yield _checksums(facts)
            yield _replication(facts)
            yield _slots(facts)
            yield from _schema(checkup)
            yield _timeouts(facts)
            yield _waiting(facts)
            yield _connections(facts)
            words = f"the database takes {_size(facts.size)}; PostgreSQL does not tell what is left: watch it there"
            yield Finding("disk", State.OK, words)
    if checkup.notices_given_up:
        words = (
            f"{checkup.notices_given_up:,} could not be told and are tried no more: look whether the channels that"
            " `/channels` names take the bot's messages; after 30 days they are forgotten"
        )
        yield Finding("notices", State.WARNING, words)


def room(disk_free: int) -> Finding:
    """What is left where a file is or will be."""
    words = f"{_size(disk_free)} are free where the store is"
    if disk_free >= DISK_FREE_MIN:
        return Finding("disk", State.OK, words)
    return Finding("disk", State.WRONG, f"{words}, and {_size(DISK_FREE_MIN)} should be: make room")


# --- tables ---------------------------------------------------------------------------------------------------------


def _schema(checkup: Checkup) -> Iterator[Finding]:
    if checkup.revision != checkup.head:
        words = f"its tables are at {checkup.revision or 'nothing'}, not {checkup.head}: run `florin db upgrade`"
        yield Finding("schema", State.WRONG, words)
    else:
        yield Finding("schema", State.OK, f"its tables are at {checkup.head}, as this release needs")
    if checkup.changed:
        words = (
            f"these tables, their checks, indices or triggers were changed by hand: {', '.join(checkup.changed)};"
            " entries may not be safe from change: restore a backup"
        )
        yield Finding("triggers", State.WRONG, words)
    elif checkup.unknown:
        words = f"tables that are none of Florin's stand beside them: {', '.join(checkup.unknown[:5])}; move them away"
        yield Finding("triggers", State.WARNING, words)
    elif checkup.changed is not None:
        yield Finding("triggers", State.OK, "tables, checks, indices and triggers are as they were made")


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _sqlite(version: tuple[int, ...]) -> Finding:
    shown = f"SQLite {_dotted(version)}"
    if version < SQLITE_MIN:
        words = f"{shown} is older than {_dotted(SQLITE_MIN)}: run Florin on a newer Python"
        return Finding("version", State.WRONG, words)
    if not _is_mended(version):
        words = (
            f"{shown} can, rarely, damage a file that two processes write to at the same moment; 3.51.3 cannot. Let one"
            " Florin alone write to this store, or use PostgreSQL"
        )
        return Finding("version", State.WARNING, words)
    return Finding("version", State.OK, shown)


def _is_mended(version: tuple[int, ...]) -> bool:
    same_line = [mended for mended in WAL_RESET_MENDED if mended[:2] == version[:2]]
    return version >= (same_line or WAL_RESET_MENDED)[-1]


def _file(facts: FileFacts) -> Iterator[Finding]:
    name = (facts.file_system or "").removeprefix("fuse.")
    if name in IN_MEMORY:
        words = f"the file is in memory ({name}) and gone when the machine stops: put it on a disk"
        yield Finding("durability", State.WARNING, words)
    elif name in SHARED:
        words = f"the file is in a folder of the host ({name}), which may lose it in a power loss: use a volume"
        yield Finding("durability", State.WARNING, words)
    else:
        words = f"write-ahead log, synced at every commit{f', on {name}' if name else ''}: what was answered is kept"
        yield Finding("durability", State.OK, words)
    if not facts.is_writable:
        words = "this user may not write to the file or its folder, so every order is refused: give the right back"
        yield Finding("rights", State.WRONG, words)


def _damage(facts: FileFacts) -> Finding:
    if not facts.damage:
        return Finding("pages", State.OK, f"all {_size(facts.size)} of the file hang together")
    words = f"the file is damaged: {'; '.join(facts.damage[:3])}. Stop Florin, keep the file, and restore a backup"
    return Finding("pages", State.WRONG, words)


def _log(facts: FileFacts) -> Finding:
    words = f"the write-ahead log takes {_size(facts.log_size)}"
    if facts.log_size > 2 * facts.log_size_max:
        words += f", and {_size(facts.log_size_max)} are usual: somebody has been reading an old state for long; end it"
        return Finding("log", State.WARNING, words)
    return Finding("log", State.OK, words)


def _room(facts: FileFacts) -> Iterator[Finding]:
    yield room(facts.disk_free)
    if facts.inodes_free is not None and facts.inodes_free < INODES_FREE_MIN:
        words = f"{facts.inodes_free:,} more files can be made where the store is: remove some"
        yield Finding("inodes", State.WRONG, words)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _postgres(version: tuple[int, ...]) -> Finding:
    shown = f"PostgreSQL {_dotted(version)}"
    if version < POSTGRES_MIN:
        words = f"{shown} is older than {_dotted(POSTGRES_MIN)}, the least that Florin is tried on: upgrade the server"
        return Finding("version", State.WRONG, words)
    return Finding("version", State.OK, shown)


def _server_durability(checkup: Checkup, facts: ServerFacts) -> Finding:
    if checkup.losses:
        told = "; ".join(checkup.losses)
        if facts.is_loss_allowed:
            return Finding("durability", State.WARNING, f"{told}. The store's address allows it (allow_loss)")
        return Finding("durability", State.WRONG, f"{told}. Florin does not start on it: mend the server's settings")
    words = "fsync and full_page_writes are on"
    commit = facts.settings.get("synchronous_commit", "on")
    if commit in {"off", "local"}:
        words += f"; synchronous_commit is {commit} on the server, and on in Florin's sessions"
    return Finding("durability", State.OK, f"{words}: what was answered is kept")


def _checksums(facts: ServerFacts) -> Finding:
    if facts.settings.get("data_checksums") != "on":
        words = "the server keeps no checksums of its pages, so damage goes unseen: turn them on (pg_checksums)"
        return Finding("pages", State.WARNING, words)
    if facts.checksum_failures:
        words = f"{facts.checksum_failures:,} pages failed their checksum: the disk loses data; fail over, or restore"
        return Finding("pages", State.WRONG, words)
    return Finding("pages", State.OK, "checksums are on, and none failed")


def _replication(facts: ServerFacts) -> Finding:
    names = facts.settings.get("synchronous_standby_names", "")
    if names and not any(each.is_synchronous is not False for each in facts.standbys):
        words = f"no synchronous standby is connected, so every commit waits for one: start one of {names}"
        return Finding("replication", State.WRONG, words)
    if not facts.standbys:
        return Finding("replication", State.OK, "no standby: after the loss of this disk there are the backups")
    late = [each for each in facts.standbys if _is_late(each)]
    if late:
        told = ", ".join(_shown(each) for each in late)
        return Finding("replication", State.WARNING, f"behind the primary: {told}; look at its disk and its network")
    told = ", ".join(_shown(each) for each in facts.standbys)
    return Finding("replication", State.OK, f"{len(facts.standbys)} connected: {told}")


def _is_late(standby: Standby) -> bool:
    return (standby.lag_bytes or 0) > LAG_BYTES_MAX or (standby.lag_s or 0) > LAG_S_MAX


def _shown(standby: Standby) -> str:
    kind = {True: "synchronous", False: "asynchronous", None: "of a kind only a monitoring role may see"}
    lag = "" if standby.lag_bytes is None else f", {standby.lag_bytes // 1024:,} kB behind"
    seconds = "" if standby.lag_s is None else f", {standby.lag_s:,.1f} s"
    return f"{standby.name} ({kind[standby.is_synchronous]}{lag}{seconds})"


def _slots(facts: ServerFacts) -> Finding:
    kept = [slot for slot in facts.slots if slot.kept_bytes > SLOT_BYTES_MAX]
    if kept:
        told = ", ".join(f"{slot.name} ({_size(slot.kept_bytes)})" for slot in kept)
        words = f"the server keeps its log for standbys that are gone, until its disk is full: {told}; drop these slots"
        return Finding("slots", State.WARNING, words)
    return Finding("slots", State.OK, "no log is kept for standbys that are gone")


def _timeouts(facts: ServerFacts) -> Finding:
    of = facts.settings
    limit = of.get("transaction_timeout", "0")
    if limit != "0":
        words = f"transaction_timeout is {limit} and may cut off a commit: set it to 0 for Florin's role"
        return Finding("time-outs", State.WARNING, words)
    if facts.is_pooled:
        return Finding("time-outs", State.OK, "set by Florin at the start of each transaction, behind a pooler")
    words = (
        f"a lock is waited for {of.get('lock_timeout')}; a session that dies in a transaction frees its locks after"
        f" {of.get('idle_in_transaction_session_timeout')}"
    )
    return Finding("time-outs", State.OK, words)


def _waiting(facts: ServerFacts) -> Finding:
    told = []
    if facts.idle and facts.idle[0] > IDLE_S_MAX:
        late = [each for each in facts.idle if each > IDLE_S_MAX]
        told.append(f"{len(late)} sessions wait in the midst of a transaction, the longest for {late[0]:,.0f} s")
    if facts.prepared and facts.prepared[0] > PREPARED_S_MAX:
        told.append(f"{len(facts.prepared)} transactions are prepared, the oldest for {facts.prepared[0]:,.0f} s")
    if told:
        words = f"{'; '.join(told)}; they keep what they locked: end them (pg_terminate_backend, ROLLBACK PREPARED)"
        return Finding("transactions", State.WARNING, words)
    return Finding("transactions", State.OK, "none was left behind")


def _connections(facts: ServerFacts) -> Finding:
    most = int(facts.settings.get("max_connections", "0"))
    words = f"{facts.connections} of {most} are in use"
    if most and facts.connections > CONNECTIONS_SHARE_MAX * most:
        return Finding("connections", State.WARNING, f"{words}: raise max_connections, or put a pooler before it")
    return Finding("connections", State.OK, words)


def _size(size: int) -> str:
    """Bytes as people read them."""
    return f"{size // _MB:,} MB" if size >= 10 * _MB else f"{size / _MB:.1f} MB"


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in version)
