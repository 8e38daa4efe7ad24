"""What a disk may hold after the power went, made out of a record of everything that was written.

What was synced is there. Of what was not, any part may be: each sector of 512 bytes by itself, in any order, as a disk
with a cache of its own leaves it.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.soak.vfs import OK

SECTOR: Final = 512


class Wrote(Struct, frozen=True):
    path: str
    offset: int
    content: bytes


class Cut(Struct, frozen=True):
    path: str
    size: int


class Synced(Struct, frozen=True):
    path: str


class Made(Struct, frozen=True):
    path: str


class Deleted(Struct, frozen=True):
    path: str
    synced: bool


class Told(Struct, frozen=True):
    """Somebody was told that the order under `key` is done, as this entry; 0 where it made none."""

    key: str
    number: int


Event = Wrote | Cut | Synced | Made | Deleted | Told


class Record:
    """Everything that happened, in order. What the file system tells comes from the driver's thread, what people are
    told from the loop's."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def _add(self, event: Event) -> int:
        with self._lock:
            self.events.append(event)
        return OK

    def wrote(self, path: str, offset: int, content: bytes) -> int:
        return self._add(Wrote(path, offset, content))

    def cut(self, path: str, size: int) -> int:
        return self._add(Cut(path, size))

    def synced(self, path: str) -> int:
        return self._add(Synced(path))

    def opened(self, path: str) -> int:
        return self._add(Made(path))

    def deleted(self, path: str, *, synced: bool) -> int:
        return self._add(Deleted(path, synced))

    def told(self, key: str, number: int) -> None:
        self._add(Told(key, number))


class Loss(StrEnum):
    """What becomes of what was not synced."""

    ALL = "all of it is lost"
    NONE = "nothing of it is lost"
    TAIL = "the last of it is lost, and one write is torn"
    SOME = "some writes are lost"
    TORN = "some sectors are lost"
    LAST_ONLY = "all but the last writes are lost"


class _File:
    """One file, which a later one of the same name may follow."""

    def __init__(self, content: bytes = b"") -> None:
        self.kept = bytearray(content)
        self.open: list[Wrote | Cut] = []
        """What was written since the last sync."""

    def sync(self) -> None:
        for event in self.open:
            _apply(self.kept, event)
        self.open.clear()

    def after(self, loss: Loss, chance: random.Random) -> bytes:
        found = bytearray(self.kept)
        for event in _left(self.open, loss, chance):
            _apply(found, event)
        return bytes(found)


class Disk:
    """Follows a record; at any moment the power may go. Folders keep the order of what is made and deleted in them,
    as every journalling file system does, and a sync of a new file keeps it there, since SQLite syncs the folder too.
    """

    def __init__(self, first: Path) -> None:
        self._maybe: dict[str, list[_File | None]] = {str(first): [_File(first.read_bytes())]}
        """By path, all that may be there now, the oldest first; None where there may be no file."""

    def follow(self, event: Event) -> None:
        match event:
            case Wrote() | Cut():
                self._newest(event.path).open.append(event)
            case Synced():
                newest = self._newest(event.path)
                newest.sync()
                self._maybe[event.path] = [newest]
            case Made():
                self._maybe.setdefault(event.path, [None]).append(_File())
            case Deleted():
                self._maybe.setdefault(event.path, []).append(None)
                if event.synced:
                    self._maybe[event.path] = [None]
            case Told():
                pass

    def _newest(self, path: str) -> _File:
        found = self._maybe.setdefault(path, [None])
        if found[-1] is None:
            found.append(_File())
        newest = found[-1]
        assert newest is not None
        return newest

    def after_power_loss(self, loss: Loss, chance: random.Random) -> dict[str, bytes]:
        """The files as they may be."""
        found: dict[str, bytes] = {}
        for path, maybe in self._maybe.items():
            if loss is Loss.ALL:
                file = maybe[0]
            elif loss is Loss.NONE:
                file = maybe[-1]
            else:
                file = chance.choice(maybe)
            if file is not None:
                found[path] = file.after(loss, chance)
        return found

    @property
    def is_open(self) -> bool:
        """Whether anything was written that is not synced."""
        return any(file is not None and file.open for maybe in self._maybe.values() for file in maybe)


def _left(events: Sequence[Wrote | Cut], loss: Loss, chance: random.Random) -> Iterator[Wrote | Cut]:
    """What of these reaches the disk."""
    match loss:
        case Loss.ALL:
            return
        case Loss.NONE:
            yield from events
        case Loss.TAIL:
            least = chance.randint(0, len(events))
            yield from events[:least]
            yield from _torn(events[least : least + 1], chance)
        case Loss.SOME:
            yield from (event for event in events if chance.random() < 0.5)
        case Loss.TORN:
            yield from _torn(events, chance)
        case Loss.LAST_ONLY:
            yield from events[-chance.randint(1, 3) :]


def _torn(events: Sequence[Wrote | Cut], chance: random.Random) -> Iterator[Wrote | Cut]:
    """Some sectors of what was written."""
    share = chance.uniform(0.1, 0.9)
    for event in events:
        if isinstance(event, Cut):
            if chance.random() < share:
                yield event
            continue
        at = event.offset
        end = at + len(event.content)
        while at < end:
            following = min(end, (at // SECTOR + 1) * SECTOR)
            if chance.random() < share:
                yield Wrote(event.path, at, event.content[at - event.offset : following - event.offset])
            at = following


def _apply(content: bytearray, event: Wrote | Cut) -> None:
    match event:
        case Wrote(offset=offset, content=written):
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(written)] = written
        case Cut(size=size):
            del content[size:]
            content.extend(bytes(size - len(content)))


def write_image(files: dict[str, bytes], folder: Path) -> None:
    """Puts the files into `folder`, by their own names."""
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
