"""A consistent copy of an archive while it is being written: the database first, then the captures it knows.

The database is copied as of one moment, in steps, by a reader that holds up nobody. WARC files only grow, so of them
no more is read and written than what the destination lacks; what it got is held to the hashes of the rows. The new
database takes the place of the old one last: a copy that is cut short leaves the one before it as it was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from archive import ledger
from archive.captures import fsync
from archive.errors import ArchiveError, UsageError
from archive.migrations import pending
from archive.sqlite import Connection, SqliteError, connect_frozen, connect_read, copy_into, explain, statement
from archive.writer import hold_lock

PIECE = 4 << 20  # bytes read and written at a time
TRIES = 3  # copies of the database, each because something was pruned or redacted meanwhile
Progress = Callable[[str], None]
_REDACTED = "SELECT article_id, done_at FROM redactions ORDER BY 1"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was copied; `damaged` names each record that is not what the archive's rows say, in a sentence."""

    versions: int
    ledger_head: str
    database_bytes: int
    capture_bytes: int  # copied now
    files: int  # WARC files the backup holds
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """A WARC file as far as a database knows it: how long it is, and which redactions changed it."""

    length: int
    redacted: str | None


class _Overtaken(Exception):
    """A file the copied database knows was dropped since, or something in it redacted."""


def backup(archive: Path, destination: Path, progress: Progress = lambda _: None) -> BackupReport:
    """Bring the copy of `archive` in the directory `destination` up to date, or make it; works beside a writer.

    Raises UsageError when the directory lies inside the archive's or holds another archive, ArchiveError when either
    cannot be read or the copy is not what was read, StorageFull.
    """
    home, target = archive.resolve().parent, destination.resolve()
    if target == home or home in target.parents:
        mend = "name a place that does not go with it"
        raise UsageError(f"{destination} lies inside the archive's own directory; {mend}")
    copy, captures = destination / archive.name, destination / "captures"
    try:
        captures.mkdir(parents=True, exist_ok=True)
        with hold_lock(copy), closing(connect_read(archive)) as live:
            if pending(live, archive):
                raise ArchiveError(f"{archive} was made by an older Rasid; `rasid run` brings it up to date first")
            had = _checked(live, copy)
            for attempt in range(TRIES):
                try:
                    return _copied(live, archive, copy, had, progress)
                except _Overtaken:
                    progress(f"something was pruned or redacted meanwhile: beginning again ({attempt + 2} of {TRIES})")
            raise ArchiveError(f"{archive} was pruned or redacted again and again meanwhile; try again later")
    except (SqliteError, OSError) as error:
        raise explain(error, copy) from error


def _checked(live: Connection, copy: Path) -> dict[str, _File]:
    """What the destination's own database vouches for. Raises UsageError if it is not of the same archive."""
    if not copy.exists():
        return {}
    if (wal := copy.with_name(f"{copy.name}-wal")).exists() and wal.stat().st_size:
        raise UsageError(f"{copy} is in use as an archive of its own; back up to another directory")
    with closing(connect_frozen(copy)) as old:
        last = old.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        if last and live.execute("SELECT * FROM ledger WHERE seq = ?", last[:1]).fetchone() != last:
            mend = "name another directory"
            raise UsageError(f"{copy} is a backup of another archive, or of one that went on since; {mend}")
        return {} if pending(old, copy) else _files(old)


def _copied(live: Connection, archive: Path, copy: Path, had: dict[str, _File], progress: Progress) -> BackupReport:
    draft, captures = copy.with_name(f"{copy.name}.partial"), copy.parent / "captures"
    draft.unlink(missing_ok=True)
    live.execute("BEGIN")  # one moment, whatever is written meanwhile
    head = ledger.head(live)
    copy_into(live, draft, lambda left, of: progress(f"database: {100 * (of - left) // max(1, of)} %"))
    live.execute("COMMIT")
    copied, damaged = 0, list[str]()
    with closing(connect_frozen(draft)) as new:
        progress("database: being checked")
        wrong = [row[0] for row in new.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        wrong += [f"{table} row {row} refers to nothing" for table, row, *_ in new.execute("PRAGMA foreign_key_check")]
        if wrong or ledger.head(new) != head:
            raise ArchiveError(f"{archive} is damaged, so the backup before this one was left as it is: "
                               f"{'; '.join(wrong[:10]) or 'the ledger was not copied as it stands'}")  # fmt: skip
        files = _files(new)
        for number, (name, known) in enumerate(files.items(), 1):
            progress(f"captures: file {number} of {len(files)}, {copied / 1e6:.0f} MB copied")
            target, before = captures / name, had.get(name, known)
            start = min(before.length, target.stat().st_size) if name in had and target.exists() else 0
            if before.redacted != known.redacted or start > known.length:
                start = 0
            source = archive.parent / "captures" / name
            if source.name == name and source.is_file() and os.access(source, os.R_OK):
                copied += _append(source, target, start, known.length)
            elif not target.exists() and name not in _files(live):  # pruned since
                raise _Overtaken
            damaged += _compared(new, target, start)
        if damaged and live.execute(_REDACTED).fetchall() != new.execute(_REDACTED).fetchall():
            raise _Overtaken
        versions = new.execute("SELECT count(*) FROM versions").fetchone()[0]
    fsync(draft)
    fsync(captures)
    for suffix in ("-wal", "-shm"):  # a reader's, empty, and not of the database that comes
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    size = draft.stat().st_size
    draft.replace(copy)
    fsync(copy.parent)
    for path in captures.glob("*.warc.gz"):
        if path.name not in files:  # pruned
            path.unlink()
    return BackupReport(versions, head, size, copied, len([*captures.glob("*.warc.gz")]), tuple(damaged))


def _files(db: Connection) -> dict[str, _File]:
    """Every WARC file a database knows."""
    return {file: _File(*of) for file, *of in db.execute(statement("evidence.known"))}


def _append(source: Path, target: Path, start: int, length: int) -> int:
    """Give `target` the bytes of `source` from `start` up to `length`, on disk; returns how many those were."""
    copied = 0
    with source.open("rb") as read, target.open("rb+" if target.exists() else "wb") as write:
        read.seek(start)
        write.seek(start)
        while start + copied < length and (piece := read.read(min(PIECE, length - start - copied))):
            copied += write.write(piece)
        if target.stat().st_size > length:
            write.truncate(length)
        write.flush()
        os.fsync(write.fileno())
    return copied


def _compared(db: Connection, target: Path, start: int) -> Iterator[str]:
    """A sentence for each record that ends behind `start` and is not what the database says of it."""
    with target.open("rb") if target.is_file() else BytesIO() as stored:
        end = stored.seek(0, os.SEEK_END)
        for capture, version, offset, length, sha256 in db.execute(statement("evidence.copied"), (target.name, start)):
            stored.seek(offset if 0 <= offset < end else end)
            if hashlib.sha256(stored.read(length)).hexdigest() != sha256:
                where = f"{target.name} at byte {offset}"
                yield f"capture {capture} (version {version}) in {where} is not what was stored; see `rasid verify`"
