"""A disk that loses its power: what SQLite and the capture files wrote and did not yet sync may be lost.

SQLite's own file functions are wrapped, in this process, through its C interface; of the capture files it is known what
stood in them at each fsync. At moments drawn by chance, in the middle of writing, an image of the disk is taken: what
was synced is there, and of what was written since each 512-byte sector may be, in any order; where a later one is there
and an earlier is not, zeros stand between. Lengths that were cut may be as they were. A file whose name was not synced
may not exist.

Not simulated: sectors that are half written, a disk that lies about a sync, damage to what was not being written.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path

SECTOR = 512
_MAIN_DB, _WAL = 0x100, 0x80000

_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)  # the name's own memory: SQLite keeps it
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = (("version", c_int), ("file_size", c_int), ("longest", c_int), ("next", c_void_p), ("name", c_char_p),
                ("data", c_void_p), ("open", c_void_p))  # fmt: skip


class _Methods(Structure):
    _fields_ = (("version", c_int), ("close", c_void_p), ("read", c_void_p), ("write", c_void_p),
                ("truncate", c_void_p), ("sync", c_void_p), ("others", c_void_p * 13))  # fmt: skip


class _File:
    """A file of SQLite's: what is on disk for sure, and what was done to it since."""

    def __init__(self) -> None:
        self.durable, self.named = bytearray(), False
        self.pending: list[tuple[int, bytes | None]] = []  # bytes written at an offset; None: cut to that length

    def sync(self) -> None:
        for offset, data in self.pending:
            _apply(self.durable, offset, data)
        self.pending, self.named = [], True

    def image(self, chance: random.Random) -> bytes | None:
        content, share = bytearray(self.durable), chance.choice((0.0, 0.5, 0.9, 1.0))
        for offset, data in self.pending:
            if data is None:
                if chance.random() < share:
                    _apply(content, offset, None)
                continue
            at = 0
            while at < len(data):
                end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
                if chance.random() < share:
                    _apply(content, offset + at, data[at:end])
                at = end
        return bytes(content) if self.named or chance.random() < share else None


class Disk:
    """Watches one archive's directory while this process writes to it; see the module."""

    def __init__(self, archive: Path, chance: random.Random, every: int, taken: Callable[[Path], None]) -> None:
        """About every `every` operations an image is made in a new directory, and `taken` is told of it."""
        self.archive, self._chance, self._every, self._taken = archive, chance, every, taken
        self._files = {str(archive): _File(), f"{archive}-wal": _File()}
        self._captures: dict[str, bytes] = {}  # what stood in each at its last fsync
        self._named: set[str] = set()
        self._left, self._images, self._lock = every, 0, threading.RLock()

    def write(self, path: str, offset: int, data: bytes | None) -> None:
        with self._lock:
            self._files[path].pending.append((offset, data))
            self._maybe()

    def sync(self, path: str) -> None:
        """Just before a file of SQLite's is on disk."""
        with self._lock:
            self._maybe()
            self._files[path].sync()

    def fsync(self, descriptor: int, real: Callable[[int], None]) -> None:
        """In place of `os.fsync`."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        with self._lock:
            self._maybe()
            real(descriptor)
            if path.is_dir():
                self._named |= {str(file) for file in path.iterdir()}
            elif path.parent.name == "captures":
                self._captures[str(path)] = path.read_bytes()

    def _maybe(self) -> None:
        self._left -= 1
        if not self._left:
            self._left = self._chance.randint(1, 2 * self._every)
            self._images += 1
            self._take(self.archive.parent.parent / f"image-{self._images}")

    def _take(self, directory: Path) -> None:
        (directory / "captures").mkdir(parents=True)
        for path, file in self._files.items():
            if (content := file.image(self._chance)) is not None:
                (directory / Path(path).name).write_bytes(content)
        for path in (self.archive.parent / "captures").glob("*"):
            durable, now = self._captures.get(str(path), b""), path.read_bytes()
            if len(now) < len(durable):  # cut since: as it was, or as it is
                content = self._chance.choice((durable, now))
            else:
                tail = _File()
                tail.durable, tail.named, tail.pending = bytearray(durable), True, [(len(durable), now[len(durable) :])]
                content = tail.image(self._chance) or b""
            if str(path) in self._named or self._chance.random() < 0.5:
                (directory / "captures" / path.name).write_bytes(content)
        self._taken(directory)


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _library() -> ctypes.CDLL:
    """The SQLite library that sqlite-utils uses."""
    from sqlite_utils.utils import sqlite3

    module = "pysqlite3._sqlite3" if sqlite3.__name__.startswith("pysqlite3") else "_sqlite3"
    found = importlib.util.find_spec(module)
    assert found
    assert found.origin
    return ctypes.CDLL(found.origin)


def can_watch() -> bool:
    """Whether SQLite's C interface can be reached on this machine."""
    try:
        return sys.platform == "linux" and bool(_library().sqlite3_vfs_find)
    except (AttributeError, AssertionError, OSError):
        return False


@contextmanager
def watched(disk: Disk) -> Iterator[None]:
    """While this lasts, `disk` hears of everything that is written to its archive."""
    library = _library()
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    vfs = library.sqlite3_vfs_find(None).contents
    opened, really_open, really_sync = {}, vfs.open, os.fsync
    kept: list[object] = []  # what C code may still call
    copies: dict[int, _Methods] = {}

    def methods(address: int) -> _Methods:
        if address not in copies:
            real = _Methods.from_address(address)
            write, truncate, sync = _WRITE(real.write), _TRUNCATE(real.truncate), _SYNC(real.sync)

            def on_write(file: int, data: int, size: int, offset: int) -> int:
                disk.write(opened[file], offset, ctypes.string_at(data, size))
                return write(file, data, size, offset)

            def on_truncate(file: int, size: int) -> int:
                disk.write(opened[file], size, None)
                return truncate(file, size)

            def on_sync(file: int, flags: int) -> int:
                disk.sync(opened[file])
                return sync(file, flags)

            ours = [_WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync)]
            copy = _Methods.from_buffer_copy(real)
            copy.write, copy.truncate, copy.sync = (ctypes.cast(one, c_void_p).value for one in ours)
            kept.extend((*ours, copy))
            copies[address] = copy
        return copies[address]

    def on_open(this: int, name: int | None, file: int, flags: int, out: int) -> int:
        code = _OPEN(really_open)(this, name, file, flags, out)
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        if code == 0 and flags & (_MAIN_DB | _WAL) and path in disk._files:
            opened[file] = path
            pointer = ctypes.cast(file, POINTER(c_void_p))
            pointer[0] = ctypes.addressof(methods(pointer[0]))
        return code

    ours = _OPEN(on_open)
    vfs.open = ctypes.cast(ours, c_void_p).value
    os.fsync = lambda descriptor: disk.fsync(descriptor, really_sync)  # type: ignore[assignment]
    try:
        yield
    finally:
        vfs.open, os.fsync = really_open, really_sync
        kept.append(ours)
