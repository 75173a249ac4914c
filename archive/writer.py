"""The one writer: a thread that owns the write connection and the open WARC files, and commits in groups.

A group is what is waiting, at most `group_size` operations or `group_ms`: BEGIN IMMEDIATE, each operation in a
savepoint, captures to disk, COMMIT with synchronous=FULL, and only then are the callers told.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from archive import facts, redaction
from archive.captures import CaptureFiles, fsync
from archive.errors import ArchiveBusy, ArchiveError, StorageFull
from archive.migrations import migrate
from archive.sqlite import Connection, SqliteError, connect_write, explain, statement
from archive.times import Clock, later, stamp, utc_now
from archive.transaction import Policy, Transaction

log = logging.getLogger("rasid.archive")
T = TypeVar("T")
FOLD_MS = 1000  # saves wait so long for readers when the log is emptied; the desk stops what reads for longer


@dataclass(slots=True)
class _Job:
    operation: Callable[[Transaction], Any]
    size: int
    future: Future[Any]


class Writer(AbstractContextManager["Writer"]):
    """Writes to one archive until closed; a context manager. Other threads and asyncio hand it operations."""

    def __init__(
        self, archive: Path, policy: Policy, *, clock: Clock = utc_now, group_ms: int = 200, group_size: int = 50,
        max_bytes: int = 64 << 20, busy_seconds: float = 30.0,
    ) -> None:  # fmt: skip
        """Take the lock, bring the schema up to date, mend what a crash left.

        `max_bytes` of operations may wait before `submit` does. Raises ArchiveBusy when another process writes to
        the archive, ArchiveError when it cannot be opened.
        """
        self.archive, self.clock = archive, clock
        self._policy = policy
        self._group_s, self._group_size, self._max_bytes = group_ms / 1000, group_size, max_bytes
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._waiting = 0
        self._closing = False
        self._folding, self._busy_ms = threading.Event(), round(1000 * busy_seconds)
        with ExitStack() as held:
            held.enter_context(hold_lock(archive))
            self._db = connect_write(archive, busy_seconds=busy_seconds)
            held.callback(self._db.close)
            self._captures = CaptureFiles(archive.parent / "captures", clock)
            try:
                self._captures.directory.mkdir(exist_ok=True)
                ours = (archive, archive.with_suffix(".lock"), self._captures.directory)
                self._ours = {path: path.stat().st_ino for path in ours}
                self._prepare()
            except (SqliteError, OSError) as error:
                raise explain(error, archive) from error
            self._held = held.pop_all()
        self._thread = threading.Thread(target=self._work, name="archive-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Callable[[Transaction], T], *, size: int = 0) -> Future[T]:
        """Queue an operation; its future gives what it returned once that is committed and on disk.

        Waits while more than `max_bytes` are queued. The future raises what the operation raised (which undoes that
        operation alone), StorageFull, ArchiveBusy or ArchiveError. Raises ArchiveError when closed.
        """
        job = _Job(operation, size, Future())
        with self._changed:
            self._changed.wait_for(lambda: self._closing or not self._jobs or self._waiting + size <= self._max_bytes)
            if self._closing:
                raise ArchiveError(f"{self.archive} is being closed; nothing more is written to it")
            self._jobs.append(job)
            self._waiting += size
            self._changed.notify_all()
        return job.future

    @property
    def waiting(self) -> int:
        """Bytes that are queued, as told to `submit`."""
        return self._waiting

    def set_policy(self, policy: Policy) -> None:
        """Work by another configuration from here on."""

        def change(tx: Transaction) -> None:
            _know_rules(tx.db, policy, tx.now())
            self._policy = policy

        self.submit(change).result()

    def fold_log(self) -> None:
        """After what is queued, empty the write-ahead log, unless somebody reads for longer than FOLD_MS as it was."""
        self.submit(lambda _: self._folding.set())

    @property
    def alive(self) -> bool:
        """Whether its thread is there to write."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what is queued, fold the log into the database, release the lock. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self) -> None:
        fresh = not self._db.table_names()
        if fresh and any(self._captures.directory.glob("*.warc.gz")):
            raise ArchiveError(
                f"{self._captures.directory} holds the captures of another archive; "
                f"put {self.archive.name} in a directory of its own, or restore the archive they belong to"
            )
        migrate(self._db, self.archive)
        if fresh:
            fsync(self.archive.parent)
        for note in self._captures.repair(self._committed_end):
            log.warning(note)
        db, now = self._db, stamp(self.clock())
        for file, closed in db.execute(statement("evidence.files")):
            if closed or not (self._captures.directory / file).exists():  # it may be put back
                self._captures.leave(file)
        redaction.finish(db, self._captures.directory, now)
        db.execute("BEGIN IMMEDIATE")
        _know_rules(db, self._policy, now)
        facts.know_places(db)
        db.execute("UPDATE crawls SET outcome = 'interrupted', finished_at = ? WHERE outcome = 'running'", (now,))
        call_back(db, self._policy, now)
        db.execute("COMMIT")

    def _committed_end(self, file: str) -> int:
        end = "SELECT offset + length FROM captures WHERE file = ? ORDER BY offset DESC LIMIT 1"
        row = self._db.execute(end, (file,)).fetchone()
        return int(row[0]) if row else 0

    def _work(self) -> None:
        """The writer's thread."""
        job = self._next(wait=True)
        while job:
            self._commit_group(job)
            if self._folding.is_set():
                self._fold()
            job = self._next(wait=True)
        self._fold()
        self._held.close()

    def _fold(self) -> None:
        self._folding.clear()
        with suppress(SqliteError):
            self._db.execute(f"PRAGMA busy_timeout={FOLD_MS}")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute(f"PRAGMA busy_timeout={self._busy_ms}")

    def _next(self, *, wait: bool = False) -> _Job | None:
        """The next job whose caller still wants it; None when nothing is queued (with `wait`: nor ever will be)."""
        with self._changed:
            while True:
                if wait:
                    self._changed.wait_for(lambda: self._jobs or self._closing)
                if not self._jobs:
                    return None
                job = self._jobs.popleft()
                self._waiting -= job.size
                self._changed.notify_all()
                if job.future.set_running_or_notify_cancel():
                    return job

    def _commit_group(self, job: _Job | None) -> None:
        """Do and commit a job and what is waiting behind it; tell each caller what became of it."""
        group: list[_Job] = [job] if job else []
        results: list[tuple[_Job, Any]] = []
        until = time.monotonic() + self._group_s
        try:
            self._begin()
            while job:
                self._do(job, results)
                job = self._next() if len(group) < self._group_size and time.monotonic() < until else None
                group += [job] if job else []
            self._captures.sync()
            self._db.execute("COMMIT")
        except BaseException as error:  # the group as a whole failed: nothing of it stays
            with suppress(SqliteError):
                self._db.rollback()
            self._captures.undo()
            reason = explain(error, self.archive) if isinstance(error, SqliteError | OSError) else error
            for lost in group:
                if not lost.future.done():
                    lost.future.set_exception(reason)
            return
        self._captures.settle()
        for done, result in results:
            done.future.set_result(result)

    def _begin(self) -> None:
        """Start a transaction; a lock that outlasts the busy timeout is waited for once more."""
        for path, inode in self._ours.items():
            # The open file would take every row, and keep none; captures would begin anew beside those that went; and
            # without the lock another process may be writing.
            if not path.exists() or path.stat().st_ino != inode:
                raise ArchiveError(f"{path} was moved or deleted while in use; put it back, then restart Rasid")
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except SqliteError as error:
            if not isinstance(explain(error, self.archive), ArchiveBusy):
                raise
            log.warning("%s is locked by another process; waiting for it", self.archive)
            self._db.execute("BEGIN IMMEDIATE")

    def _do(self, job: _Job, results: list[tuple[_Job, Any]]) -> None:
        """Run one operation in a savepoint; when it alone fails, undo it and tell. Raises what fails the group."""
        mark = self._captures.mark()
        self._db.execute("SAVEPOINT operation")
        try:
            results.append((job, job.operation(Transaction(self._db, self._policy, self._captures, self.clock))))
        except BaseException as error:
            full = isinstance(error, SqliteError | OSError) and isinstance(explain(error, self.archive), StorageFull)
            if full or not self._db.conn.in_transaction:  # SQLite may have rolled back everything by itself
                raise
            self._db.execute("ROLLBACK TO operation")
            self._captures.undo(mark)
            job.future.set_exception(error)
        self._db.execute("RELEASE operation")


def call_back(db: Connection, policy: Policy, now: str) -> None:
    """A clock that once was ahead must leave nothing waiting for years, and neither mails nor hosts for days."""
    when = {"now": now, "soon": later(now, 3 * 86400), "far": later(now, max(policy.ladder, default=0) + 32 * 86400)}
    for wait in statement("call_back").split(";"):
        db.execute(wait, when)


def _know_rules(db: Connection, policy: Policy, now: str) -> None:
    """Keep every rule set that ever judged here, so that each judgement can be explained later."""
    rules = policy.rules
    db.execute("INSERT OR IGNORE INTO rule_sets (sha256, toml, at) VALUES (?, ?, ?)", (rules.sha256, rules.toml, now))


@contextmanager
def hold_lock(archive: Path) -> Iterator[None]:
    """Be the one process that writes at `archive`; the lock ends with the process, however that ends. Raises
    ArchiveBusy when another has it."""
    path = archive.with_suffix(".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise explain(error, archive) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            pid = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
            raise ArchiveBusy(f"{archive} is being written by another Rasid (process {pid}); stop it first") from None
        except OSError as error:
            raise explain(error, archive) from error
        yield
    finally:
        os.close(descriptor)
