"""The only module that imports SQLite, by way of sqlite-utils: pysqlite3 where a wheel exists, else the standard one.

Two SQLite libraries on one file in one process silently lose each other's locks, so nobody else may choose.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from errno import EACCES, EDQUOT, EFBIG, ENOSPC
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined]

from archive.errors import ArchiveBusy, ArchiveError, StorageFull

Connection = Database
"""What everybody else calls a connection: `execute(sql, args)` gives tuples, `query(sql, args)` gives dicts."""

SqliteError = sqlite3.Error
SqliteWarning = sqlite3.Warning
IntegrityError = sqlite3.IntegrityError

VERSION: tuple[int, ...] = sqlite3.sqlite_version_info
SOUND = (3, 51, 3)  # from this version on SQLite is without the fault that could lose a reset write-ahead log

# A write beyond a quota or a file size limit is an IOERR_WRITE, which pysqlite3 reports as a plain IOERR.
_BUSY, _FULL, _IOERR, _IOERR_WRITE = 5, 13, 10, 778
_MENDS = dict.fromkeys((EACCES, 8, 14), "; is this the account that Rasid runs as?")  # READONLY, CANTOPEN
_MENDS |= dict.fromkeys((11, 26), "; restore it from a backup")  # CORRUPT, NOTADB


def connect_write(archive: Path, *, busy_seconds: float = 30.0, checkpoint: bool = True) -> Connection:
    """Open for writing, creating the file; a commit is on disk when it returns. Transactions: BEGIN IMMEDIATE.

    A process that only leaves the writer a note passes `checkpoint=False`. Raises ArchiveError.
    """
    try:
        # No implicit transactions; the thread that opens the connection hands it to the one that writes.
        raw = sqlite3.connect(archive, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        db = Database(raw, execute_plugins=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        db.execute(f"PRAGMA wal_autocheckpoint={1000 if checkpoint else 0}")
        db.execute(f"PRAGMA journal_size_limit={64 << 20}")
    except sqlite3.Error as error:
        raise explain(error, archive) from error
    return db


def connect_read(archive: Path) -> Connection:
    """Open read-only: sees the last commit, and neither waits for the writer nor holds it up. Raises ArchiveError."""
    if not archive.is_file():
        raise ArchiveError(f"{archive} does not exist; a first `rasid crawl` or `import` makes one, or put it back")
    uri = f"{archive.resolve().as_uri()}?mode=ro"
    try:
        return _open(uri)
    except sqlite3.Error as error:
        # Without leave to write beside it, a database in WAL mode opens only as one that nobody is writing to.
        if not archive.with_name(f"{archive.name}-wal").exists():
            with suppress(sqlite3.Error):
                return _open(f"{uri}&immutable=1")
        raise explain(error, archive) from error


def connect_frozen(archive: Path) -> Connection:
    """Open for reading a database that nobody writes to, leaving no trace beside it. Raises SqliteError."""
    return _open(f"{archive.resolve().as_uri()}?mode=ro&immutable=1")


@contextmanager
def note(archive: Path) -> Iterator[Connection]:
    """For one short write beside those of the writing process. Raises ArchiveError."""
    with closing(connect_write(archive, checkpoint=False)) as db:
        try:
            yield db
        except sqlite3.Error as error:
            raise explain(error, archive) from error


def copy_into(db: Connection, path: Path, progress: Callable[[int, int], None]) -> None:
    """Copy what the transaction of `db` sees into a new file, in steps; `progress` hears of (pages left, of all).

    Without a transaction each commit of a writer would have it begin again. Not yet on disk when it returns.
    """
    with closing(sqlite3.connect(path)) as target:
        target.execute("PRAGMA synchronous=OFF")
        db.conn.backup(target, pages=4000, progress=lambda _, left, of: progress(left, of))


def _open(uri: str) -> Connection:
    raw = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    db = Database(raw, execute_plugins=False)
    db.execute("PRAGMA query_only=ON")
    db.execute("SELECT 1 FROM sqlite_master").fetchone()
    return db


@cache
def statement(name: str) -> str:
    """A query of `queries/`: what is in FILE.sql, or for FILE.NAME what stands there under the line `-- name: NAME`."""
    file, _, part = name.partition(".")
    text = files("archive").joinpath(f"queries/{file}.sql").read_text("utf-8")
    return named(text)[part] if part else text


def named(text: str) -> dict[str, str]:
    """The queries of a file, each under its line `-- name: NAME`."""
    _, *parts = re.split(r"^-- name: (\w+)\n", text, flags=re.M)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def insert(db: Connection, table: str, row: dict[str, Any]) -> int:
    """Add a row; returns its id."""
    return int(db.table(table).insert(row).last_rowid or 0)


def fts_match(expression: str, title: str, text: str) -> bool:
    """Whether an FTS5 expression finds this one text, its words as the archive's index has them."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE VIRTUAL TABLE said USING fts5(title, text, tokenize = 'unicode61 remove_diacritics 0')")
        db.execute("INSERT INTO said VALUES (?, ?)", (title, text))
        return bool(db.execute("SELECT count(*) FROM said WHERE said MATCH ?", (expression,)).fetchone()[0])


@contextmanager
def limited(db: Connection, seconds: float | None) -> Iterator[None]:
    """Stop whatever `db` does in this block after `seconds`; it then raises ArchiveError. None: no limit."""
    if seconds is None:
        yield
        return
    deadline = time.monotonic() + seconds
    db.conn.set_progress_handler(lambda: int(time.monotonic() > deadline), 10_000)
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error) != "interrupted":
            raise
        raise ArchiveError(f"the query was stopped after {seconds:g} s; narrow it, or add a LIMIT") from error
    finally:
        db.conn.set_progress_handler(None, 0)


def asked(error: Exception, archive: Path) -> ArchiveError:
    """As `explain`, of a query that somebody wrote: it may be the query that is wrong."""
    code = getattr(error, "sqlite_errorcode", None)
    misused = isinstance(error, sqlite3.Warning | sqlite3.ProgrammingError | sqlite3.InterfaceError)
    if misused or code in (1, 18, 20):  # ERROR, TOOBIG, MISMATCH
        return ArchiveError(f"the query is wrong: {error}")
    changes = ArchiveError(f"{archive} is opened for reading, so no query changes it: {error}")
    return changes if code == 8 else explain(error, archive)  # READONLY


def explain(error: Exception, archive: Path) -> ArchiveError:
    """Say in our words what SQLite (or the file system, for captures) reports about `archive`."""
    code, number = getattr(error, "sqlite_errorcode", 0), getattr(error, "errno", None)
    if code in (_FULL, _IOERR, _IOERR_WRITE) or number in (ENOSPC, EFBIG, EDQUOT):
        return StorageFull(f"no room left to write {archive} ({error}); free some space, nothing half-written stays")
    if code & 0xFF == _BUSY:
        return ArchiveBusy(f"{archive} is locked by another process; close it there, then try again")
    return ArchiveError(f"{archive} cannot be used: {error}{_MENDS.get(number or code & 0xFF, '')}")
