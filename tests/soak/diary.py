"""What workers were told, in files that outlive them. A line is one write, so it is there whole or not at all.

`? key`: asked; `= key number`: told, with 0 for an answer that made no entry; `- key code`: told that nothing was
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
        if isinstance(answer.outcome, Refusal) and answer.outcome.code in UNWRITTEN:
            self._write(f"- {key} {answer.outcome.code}")
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
        self.told: dict[str, int] = {}
        """The entry's number by key; 0 where the answer made none."""
        self.asked: Counter[str] = Counter()
        """How often each key was asked for."""
        self.put_off: Counter[str] = Counter()
        """How often each was told that nothing was written."""
        self.contradictions: dict[str, str] = {}
        self.first_told: dict[Path, str] = {}
        """By diary, the first key it was told of: its worker is at work."""

    def read(self) -> dict[str, int]:
        """What was told since the last call."""
        fresh: dict[str, int] = {}
        for path in sorted(self._folder.glob("*.diary")):
            with path.open("rb") as file:
                file.seek(self._read[path])
                whole = file.read().rpartition(b"\n")[0]
            if not whole:
                continue
            self._read[path] += len(whole) + 1
            for line in whole.decode().split("\n"):
                self._take(path, line, fresh)
        return fresh

    def _take(self, path: Path, line: str, fresh: dict[str, int]) -> None:
        sign, key, *words = line.split(" ", 2)
        match sign:
            case "?":
                self.asked[key] += 1
            case "=":
                number = int(words[0])
                before = self.told.setdefault(key, number)
                if before != number:
                    self.contradictions[key] = f"was told as entry {before} and as entry {number}"
                fresh[key] = number
                self.first_told.setdefault(path, key)
            case "-":
                self.put_off[key] += 1
            case "x":
                self.contradictions[key] = words[0]
            case "!":
                pass
            case _:
                raise ValueError(f"not a line of a diary: {line}")

    def in_doubt(self) -> list[str]:
        """Keys that were asked for, and of which nobody was told what became of them."""
        return [key for key, asked in self.asked.items() if key not in self.told and asked > self.put_off[key]]

    def unwritten(self) -> list[str]:
        """Keys of which everybody who asked was told that nothing was written."""
        return [key for key, asked in self.asked.items() if key not in self.told and asked == self.put_off[key]]


def keys_in_doubt(path: Path) -> tuple[str, ...]:
    """What a worker that died had asked for and was never told, for the next in its place to deliver again."""
    lines = [line.split(" ") for line in path.read_bytes().rpartition(b"\n")[0].decode().split("\n") if line]
    told = {words[1] for words in lines if words[0] in ("=", "-")}
    asked = dict.fromkeys(words[1] for words in lines if words[0] == "?")
    return tuple(key for key in asked if key not in told)
