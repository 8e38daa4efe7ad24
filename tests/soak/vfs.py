"""A file system for SQLite that tells everything that is written, and may refuse it: under the real driver.

It is SQLite's own, of which a few functions are replaced by ours, through the library that the driver itself has
loaded. As long as it is there, whoever opens the watched file does so through it.
"""

from __future__ import annotations

import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

OK: Final = sqlite3.SQLITE_OK


class Watcher(Protocol):
    """Told of everything before it is done, in the order in which it is, from the driver's threads. It answers OK, or
    the code that SQLite is to get instead: then it is not done, or of a write one half. It must not raise."""

    def wrote(self, path: str, offset: int, content: bytes) -> int: ...

    def cut(self, path: str, size: int) -> int: ...

    def synced(self, path: str) -> int: ...

    def deleted(self, path: str, *, synced: bool) -> int: ...

    def opened(self, path: str) -> int: ...


class HiddenLibraryError(RuntimeError):
    """This Python keeps its SQLite to itself, as those do that are built as one file."""

    def __init__(self) -> None:
        super().__init__("this Python hides its SQLite's functions: use one that loads libsqlite3, as Debian's does")


_File = ctypes.c_void_p
_Write = ctypes.CFUNCTYPE(ctypes.c_int, _File, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, _File, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, _File, ctypes.c_int)
_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, _File, ctypes.c_int, ctypes.POINTER(ctypes.c_int)
)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)


# https://sqlite.org/c3ref/io_methods.html, version 3.
class _Methods(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("xClose", ctypes.c_void_p),
        ("xRead", ctypes.c_void_p),
        ("xWrite", _Write),
        ("xTruncate", _Truncate),
        ("xSync", _Sync),
        *((f"other{each}", ctypes.c_void_p) for each in range(13)),
    )


class _OpenFile(ctypes.Structure):
    _fields_ = (("pMethods", ctypes.POINTER(_Methods)),)


# https://sqlite.org/c3ref/vfs.html, version 3.
class _Vfs(ctypes.Structure):
    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("zName", ctypes.c_char_p),
        ("pAppData", ctypes.c_void_p),
        ("xOpen", _Open),
        ("xDelete", _Delete),
        *((f"other{each}", ctypes.c_void_p) for each in range(14)),
    )


_numbers = count(1)


class WatchedFiles:
    """One such file system. The names in here are SQLite's own, since its pages explain them."""

    def __init__(self, file: Path, watcher: Watcher) -> None:
        self._library = _library()
        self._prefix = str(file)
        self._watcher = watcher
        self._paths: dict[int, str] = {}
        self._own: list[Any] = []
        self._methods: dict[int, _Methods] = {}
        found = self._library.sqlite3_vfs_find(None)
        self._below: _Vfs = ctypes.cast(found, ctypes.POINTER(_Vfs)).contents
        self.vfs = _Vfs.from_buffer_copy(self._below)
        self.vfs.zName = f"florin-watched-{next(_numbers)}".encode()
        self.vfs.xOpen = _Open(self._open)
        self.vfs.xDelete = _Delete(self._delete)

    def register(self) -> None:
        """Makes it the one that is used by whoever names none."""
        _must(self._library.sqlite3_vfs_register(ctypes.byref(self.vfs), 1))

    def unregister(self) -> None:
        """Only when everything that was opened here is closed."""
        _must(self._library.sqlite3_vfs_unregister(ctypes.byref(self.vfs)))

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out_flags: Any) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        # The file, and what stands beside it: its log and its journal.
        is_watched = path.startswith(self._prefix)
        if is_watched and flags & _CREATE and not Path(path).exists() and (code := self._watcher.opened(path)) != OK:
            return code
        done: int = self._below.xOpen(ctypes.addressof(self._below), name, file, flags, out_flags)
        opened = ctypes.cast(file, ctypes.POINTER(_OpenFile)).contents
        if done == OK and is_watched and opened.pMethods:
            self._paths[file] = path
            opened.pMethods = ctypes.pointer(self._watched(opened.pMethods))
        return done

    def _watched(self, below: Any) -> _Methods:
        """The same methods, of which ours see a few first. SQLite has one set for each way of locking."""
        key = ctypes.addressof(below.contents)
        if key not in self._methods:
            real = below.contents
            methods = _Methods.from_buffer_copy(real)
            methods.xWrite = _Write(self._writing(real))
            methods.xTruncate = _Truncate(self._cutting(real))
            methods.xSync = _Sync(self._syncing(real))
            self._methods[key] = methods
            self._own.append(real)
        return self._methods[key]

    def _writing(self, real: _Methods) -> Callable[[int, int, int, int], int]:
        def write(file: int, content: int, size: int, offset: int) -> int:
            code = self._watcher.wrote(self._paths[file], offset, ctypes.string_at(content, size))
            # A disk that is full took what had room.
            done: int = real.xWrite(file, content, size if code == OK else size // 2, offset)
            return done if code == OK else code

        return write

    def _cutting(self, real: _Methods) -> Callable[[int, int], int]:
        def cut(file: int, size: int) -> int:
            code = self._watcher.cut(self._paths[file], size)
            return code if code != OK else real.xTruncate(file, size)

        return cut

    def _syncing(self, real: _Methods) -> Callable[[int, int], int]:
        def sync(file: int, flags: int) -> int:
            code = self._watcher.synced(self._paths[file])
            return code if code != OK else real.xSync(file, flags)

        return sync

    def _delete(self, _vfs: int, name: bytes, with_folder: int) -> int:
        path = name.decode()
        code = self._watcher.deleted(path, synced=bool(with_folder)) if path.startswith(self._prefix) else OK
        return code if code != OK else self._below.xDelete(ctypes.addressof(self._below), name, with_folder)


_CREATE: Final = 0x4


def must_be_watchable() -> None:
    """Raises HiddenLibraryError where no file system of ours can be put under the driver."""
    _library()


@contextmanager
def watched(file: Path, watcher: Watcher) -> Iterator[None]:
    """Tells `watcher` of what is done to `file`, which is closed again before this ends. Raises HiddenLibraryError
    where nobody can watch."""
    files = WatchedFiles(file, watcher)
    files.register()
    try:
        yield
    finally:
        files.unregister()


def _library() -> Any:
    import _sqlite3  # noqa: PLC0415

    # Asked by the driver's own name, so that it is the very library that the driver uses; it calls back with the GIL.
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    try:
        library.sqlite3_vfs_find.restype = ctypes.c_void_p
        library.sqlite3_vfs_find.argtypes = (ctypes.c_char_p,)
        library.sqlite3_vfs_register.argtypes = (ctypes.c_void_p, ctypes.c_int)
        library.sqlite3_vfs_unregister.argtypes = (ctypes.c_void_p,)
    except AttributeError as problem:
        raise HiddenLibraryError from problem
    return library


def _must(code: int) -> None:
    if code != OK:
        raise RuntimeError(f"SQLite answered {code}")
