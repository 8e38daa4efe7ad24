"""What a store's file stands on: whether SQLite can keep its promises there, and how much room is left."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from economy.store.errors import UnsafeStoreError

MOUNTS: Final = Path("/proc/self/mountinfo")

REMOTE: Final = frozenset(
    {
        *("afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"),
        *("ceph-fuse", "cephfs", "gcsfuse", "juicefs", "mfs", "rclone", "s3fs", "seaweedfs", "sshfs"),
    }
)
"""File systems on which two machines may hold the same file. Those made by FUSE are named without their `fuse.`."""


def file_system_of(file: Path) -> str | None:
    """The name of the file system that holds `file`, which need not exist; None where the system does not tell."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    place = file.resolve()
    found, depth = None, -1
    for line in mounts.splitlines():
        mounted, _, kind = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) > 4 and kind:
            folder = Path(_unescaped(fields[4]))
            # Of two that are mounted on the same folder, the later one hides the other.
            if place.is_relative_to(folder) and len(folder.parts) >= depth:
                found, depth = kind.split(" ")[0], len(folder.parts)
    return found


def _unescaped(folder: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), folder)


def is_remote(file_system: str | None) -> bool:
    return file_system is not None and file_system.removeprefix("fuse.") in REMOTE


def must_be_local(file: Path) -> None:
    """Raises UnsafeStoreError where SQLite's locks do not hold, so that two processes could both write to `file`."""
    name = file_system_of(file)
    if is_remote(name):
        raise UnsafeStoreError(
            f"its file is on another machine ({name}), where SQLite's locks do not hold: put it on a disk of this one,"
            " or use PostgreSQL"
        )


def inodes_free(file: Path) -> int | None:
    """How many files can still be made beside `file`; None where the file system does not count them."""
    if not hasattr(os, "statvfs"):
        return None
    found = os.statvfs(file.absolute().parent)
    return found.f_favail if found.f_files else None


def is_writable(file: Path) -> bool:
    """Whether this process may write to `file`, and make the log that stands beside it."""
    return os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK)
