"""The folder that holds files which the bot sent."""

from __future__ import annotations

import re
import tempfile
from itertools import count
from pathlib import Path

from adapters.contract import File

_UNSAFE = re.compile(r"[^\w.-]+")


class Shelf:
    """Keeps files, and never writes over one. Without a folder it makes a temporary one when first needed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def keep(self, file: File) -> Path:
        """Saves the file under its name, or with a number added where that is taken; answers where."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="florin-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        wanted = Path(_UNSAFE.sub("-", file.name).lstrip(".-") or "file")
        for number in count(1):
            path = self._folder / (wanted.name if number == 1 else f"{wanted.stem}-{number}{wanted.suffix}")
            try:
                with path.open("xb") as taken:
                    taken.write(file.content)
            except FileExistsError:
                continue
            return path
        raise AssertionError("numbers do not end")
