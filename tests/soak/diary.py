"""What workers were told, in files that outlive them. A line is one write, so it is there whole or not at all.

`? key`: asked; `= key number`: told, with 0 for an answer that made no entry; `- key`: told that nothing was
written; `! key`: failed, nobody knows; `x key text`: a second delivery was told something else.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Self

from economy.refusals import Code, Refusal
from economy.service import Answer

UNWRITTEN = frozenset({Code.BUSY, Code.READ_ONLY})
"""Refusals of the store, not of a rule: they are not kept under the key."""


def is_unwritten(answer: Answer) -> bool:
    return isinstance(answer.outcome, Refusal) and answer.outcome.code in UNWRITTEN


class Diary:
    """A worker's own: each line is in the file before the worker goes on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def asked(self, key: str) -> None:
        self._write(f"? {key}")

    def told(self, key: str, answer: Answer) -> bool:
        """Whether the answer is one that is kept under the key."""
        if is_unwritten(answer):
            self._write(f"- {key}")
            return False
        self._write(f"= {key} {answer.number or 0}")
        return True

    def failed(self, key: str) -> None:
        self._write(f"! {key}")

    def contradicted(self, key: str, text: str) -> None:
        self._write(f"x {key} {text}")

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


class Diaries:
    """All diaries of a folder, read on from where they were read to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: Counter[Path] = Counter()
        self._ended: set[Path] = set()
        self._asked: Counter[str] = Counter()
        self._put_off: Counter[str] = Counter()
        self._open: dict[str, None] = {}
        self._new: dict[str, int] = {}
        self.told: dict[str, int] = {}
        """The entry's number by key; 0 where the answer made none."""
        self.contradictions: dict[str, str] = {}
        self.at_work: set[Path] = set()
        """Diaries whose workers were told something."""
        self.refused = 0
        """How often the store refused."""
        self.failed = 0
        """How often nobody knew what became of an order."""

    def read(self) -> None:
        for path in sorted(set(self._folder.glob("*.diary")) - self._ended):
            with path.open("rb") as file:
                file.seek(self._read[path])
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read[path] += len(whole) + 1
                for line in whole.decode().split("\n"):
                    self._take(path, line)

    def end(self, path: Path) -> None:
        """Nobody writes into this one any more: it is read once more, and then never."""
        self.read()
        self._ended.add(path)

    def take_new(self) -> dict[str, int]:
        """What was told since the last call, read to this moment."""
        self.read()
        new, self._new = self._new, {}
        return new

    def _take(self, path: Path, line: str) -> None:
        sign, key, *words = line.split(" ", 2)
        match sign:
            case "?":
                self._asked[key] += 1
                if key not in self.told:
                    self._open[key] = None
            case "=":
                self.at_work.add(path)
                self._tell(key, int(words[0]))
            case "-":
                self.refused += 1
                self._put_off[key] += 1
                if self._put_off[key] == self._asked[key]:
                    self._open.pop(key, None)
            case "x":
                self.contradictions[key] = words[0]
            case "!":
                self.failed += 1
            case _:
                raise ValueError(f"not a line of a diary: {line}")

    def _tell(self, key: str, number: int) -> None:
        before = self.told.setdefault(key, number)
        if before != number:
            self.contradictions[key] = f"was told as entry {before} and as entry {number}"
        self._new[key] = number
        self._open.pop(key, None)

    def in_doubt(self, prefix: str = "") -> tuple[str, ...]:
        """Keys that were asked for, and of which nobody was told what became of them."""
        return tuple(key for key in self._open if key.startswith(prefix))

    def unwritten(self) -> list[str]:
        """Keys of which everybody who asked was told that nothing was written."""
        return [key for key in self._put_off if key not in self.told and key not in self._open]
