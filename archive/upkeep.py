"""What is done in time: files of days that are over are hashed whole; captures of pages that matched nothing, and the
rows of old looks, crawls and requests, are dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from archive.captures import hash_file
from archive.learned import forget
from archive.reading import Archive
from archive.sqlite import Connection, insert, statement
from archive.times import later, stamp
from archive.transaction import Transaction
from archive.writer import Writer

DAY = 86400.0
RARE_DAYS = 14  # a line of an outlet that stays rare is remembered so long
WORKED_OFF = 100  # articles or versions worked on in one transaction
BATCH = 5000  # rows deleted in one transaction, so that saves do not wait for long
# By table: rows of before ?1 that nobody needs any more.
_OLD = {
    "fetches": "SELECT id FROM fetches WHERE at < ?1",
    "requests": "SELECT id FROM requests WHERE done_at < ?1",
    "crawls": statement("upkeep.old_crawls"),
}


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What was dropped, or would be."""

    files: int = 0
    captures: int = 0
    bytes: int = 0
    fetches: int = 0
    requests: int = 0
    crawls: int = 0

    def __str__(self) -> str:
        """For people."""
        size = f"{self.bytes / 1e6:.1f} MB"
        rows = f"rows of {self.fetches} fetches, {self.crawls} crawls and {self.requests} requests"
        return f"{self.files} WARC files with {self.captures} captures ({size}), {rows}"


def prunable(archive: Archive, now: str, passed_days: float, fetches_days: float = 90) -> PruneReport:
    """What `prune` would drop at `now`; only reads."""
    files = _old_files(archive.db, later(now, -passed_days * DAY))
    sizes = [path.stat().st_size for file, _ in files if (path := archive.path.parent / "captures" / file).exists()]
    before = later(now, -fetches_days * DAY)
    rows = {table: len(archive.db.execute(found, (before,)).fetchall()) for table, found in _OLD.items()}
    return PruneReport(len(files), sum(held for _, held in files), sum(sizes), **rows)


def prune(writer: Writer, passed_days: float, fetches_days: float = 90) -> PruneReport:
    """Drop `passed` WARC files that were written, with all they hold, over `passed_days` ago; never kept captures.

    Works beside saves, through the writer; not to be called in its thread. Rows go first, then the file: what a crash
    leaves between is set aside at the next start.
    """
    captures = size = 0
    files = writer.submit(lambda tx: _idle_files(tx, later(tx.now(), -passed_days * DAY))).result()
    for file, held in files:
        path = writer.archive.parent / "captures" / file
        captures += held
        size += path.stat().st_size if path.exists() else 0
        _delete(writer, "warc_files", "SELECT id FROM warc_files WHERE file = ?1", file)
        _delete(writer, "captures", "SELECT id FROM captures WHERE file = ?1", file)
        path.unlink(missing_ok=True)
    before = writer.submit(lambda tx: later(tx.now(), -fetches_days * DAY)).result()
    rows = {table: _delete(writer, table, found, before) for table, found in _OLD.items()}
    writer.submit(lambda tx: forget(tx, later(tx.now(), -RARE_DAYS * DAY))).result()
    return PruneReport(len(files), captures, size, **rows)


def catch_up(writer: Writer, work: Callable[[Transaction, int], int]) -> int:
    """Do `work` on what was kept before there was such work, in batches; returns on how much. Not to be called in the
    writer's thread."""
    done = 0
    while worked := writer.submit(lambda tx: work(tx, WORKED_OFF)).result():
        done += worked
    return done


def close_files(writer: Writer) -> int:
    """Hash each WARC file of a day that is over, after which nothing is appended to it; returns how many.

    Works beside saves, through the writer; not to be called in its thread.
    """
    files = writer.submit(_over).result()
    for file in files:
        length, sha256 = hash_file(writer.archive.parent / "captures" / file)
        row = {"file": file, "length": length, "sha256": sha256, "at": stamp(writer.clock())}
        writer.submit(partial(_closed, row=row)).result()
    return len(files)


def _closed(tx: Transaction, row: dict[str, Any]) -> int:
    return insert(tx.db, "warc_files", row)


def _over(tx: Transaction) -> list[str]:
    """Files of days before this one that hold what the archive knows, no more and no less, and were not closed yet."""
    found = []
    for path in sorted(tx.captures.directory.glob("*.warc.gz")):
        if path.name.partition("-")[2][:10] < tx.now()[:10]:
            end = tx.db.execute(statement("upkeep.open_file"), (path.name,)).fetchone()
            if end and end[0] == path.stat().st_size:
                tx.captures.leave(path.name)
                found.append(path.name)
    return found


def _old_files(db: Connection, before: str) -> list[tuple[str, int]]:
    """Passed files of days before, and how many captures each holds."""
    return db.execute(statement("upkeep.old_files"), (before,)).fetchall()


def _idle_files(tx: Transaction, before: str) -> list[tuple[str, int]]:
    return [(file, held) for file, held in _old_files(tx.db, before) if not tx.captures.in_use(file)]


def _delete(writer: Writer, table: str, found: str, value: str) -> int:
    """Delete the rows of `table` that the statement `found` gives the ids of, in batches; returns how many."""
    sql = f"DELETE FROM {table} WHERE id IN ({found} LIMIT {BATCH})"  # noqa: S608
    total = 0
    while gone := int(writer.submit(lambda tx: tx.db.execute(sql, (value,)).rowcount).result()):
        total += gone
    return total
