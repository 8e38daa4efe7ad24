"""What the machine is, and what its processes used of it."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def shape() -> dict[str, str]:
    """The machine in words that name neither it nor any folder of it."""
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    memory_kb = next(int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemTotal:"))
    return {
        "Cores": str(len(os.sched_getaffinity(0))),
        "Processor": _processor(),
        "Memory": f"{memory_kb / 1024**2:.0f} GB",
        "System": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "SQLAlchemy": version("sqlalchemy"),
        "asyncpg": version("asyncpg"),
        "SQLite": sqlite3.sqlite_version,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def own_cpu_s() -> float:
    """CPU time of this process so far, all threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_cpu_s() -> float:
    """CPU time of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree_cpu_s(pid: int) -> float:
    """CPU time of a process, of its children that live, and of those that ended."""
    while True:
        before = _ended_ticks(pid)
        living = sum(_own_ticks(fields) for fields in map(_stat, _processes()) if fields and int(fields[1]) == pid)
        parent = _stat(pid)
        # A child that ends meanwhile would count twice or not at all.
        if before == _ended_ticks(pid):
            return (living + _own_ticks(parent) + before) * _TICK_S


def _processes() -> list[int]:
    # The parent's own list of its children leaves some out while others end.
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _stat(pid: int) -> list[str]:
    """The fields of a process's stat from the third on; none if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return stat.rpartition(")")[2].split()


def _own_ticks(fields: list[str]) -> int:
    return int(fields[11]) + int(fields[12])


def _ended_ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[13]) + int(fields[14])


def memory_mb(pid: int) -> float:
    """What a process keeps in memory now, in millions of bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status.splitlines() if line.startswith("VmRSS:"))


class Footprint(Struct, frozen=True):
    """`answered_at`: by the clock that all processes of a machine share. Memory in millions of bytes."""

    answered_at: float
    memory_first_mb: float
    memory_mb: float


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of them do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * percent // 100) - 1))]
