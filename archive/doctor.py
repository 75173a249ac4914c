"""What is wrong with an archive, where, and the mend. Reads beside a running service; `repair` is the writer's.

Statements that must find nothing stand in doctor.toml; here is what no statement can tell.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from archive.arabic.normalise import normalise
from archive.errors import ArchiveError
from archive.migrations import pending
from archive.sqlite import SOUND, VERSION, Connection, SqliteError, connect_read, statement
from archive.times import later
from archive.transaction import Transaction
from archive.writer import Writer

HOUR, MOST = 3600.0, 20  # findings told of one kind
LARGE_LOG = 256 << 20  # bytes; it is cut at a quarter of them whenever nobody reads
YOUNG = 600.0  # seconds; a WARC file this young may hold what is just being stored
BATCH = 2000
_CHECKS: list[dict[str, Any]] = tomllib.loads(files("archive").joinpath("doctor.toml").read_text("utf-8"))["check"]
_REPAIR = "`rasid doctor --repair`"
_Entry = tuple[int, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (`fault`) or worth knowing: what and where, in words, and what to do about it."""

    check: str
    fault: bool
    what: str
    mend: str


def examine(
    archive: Path, now: str, *, free_space: int = 0, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Everything found at `now`, a stamp; `free_space` is what must be free, in bytes. Raises ArchiveError."""
    running = writing(archive)
    captures = archive.parent / "captures"
    held = {path.name: path.stat().st_size for path in sorted(captures.glob("*.warc.gz*"))}  # before the rows are read
    yield from _surroundings(archive, now, free_space)
    try:
        opened = connect_read(archive)
    except ArchiveError as error:
        if not archive.is_file():
            raise
        mend = "restore the archive from a backup" if os.access(archive, os.R_OK) else "give it to who runs Rasid"
        yield Finding("integrity", True, str(error), mend)
        return
    with closing(opened) as db:
        try:
            progress("integrity and keys")
            for row in db.execute(f"PRAGMA integrity_check({MOST})"):
                if row[0] != "ok":
                    yield Finding("integrity", True, f"{archive}: {row[0]}", "restore the archive from a backup")
            for table, row, parent, _ in db.execute("PRAGMA foreign_key_check").fetchmany(MOST):
                what = f"row {row} of {table} refers to a row of {parent} that is not there"
                yield Finding("keys", True, what, "restore the archive from a backup")
            if pending(db, archive):
                yield Finding("schema", True, f"{archive} is of an older release", "`rasid run` brings it up to date")
                return
            progress("captures")
            yield from _captures(db, captures, held, running)
            for check in _CHECKS:
                progress(check["name"])
                yield from _stated(db, check, now)
            progress("the search index")
            if wrong := [id_ for rows in unindexed(db) for id_, *_ in rows]:
                some = ", ".join(map(str, wrong[:5]))
                what = f"the search index is out of step with {len(wrong)} articles, {some} ..."
                yield Finding("search index", True, what, _REPAIR)
        except SqliteError as error:
            yield Finding("integrity", True, f"{archive} cannot be read: {error}", "restore the archive from a backup")
        except ArchiveError as error:  # of a newer release
            yield Finding("schema", True, str(error), "update Rasid")


def writing(archive: Path) -> int | None:
    """The process that writes to an archive, if one does."""
    try:
        with archive.with_suffix(".lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(archive.with_suffix(".lock").read_text().strip() or 0)
    except OSError:
        pass
    return None


def exposed(archive: Path) -> tuple[str, str] | None:
    """What and the mend, where other accounts of this machine can read or write what is kept."""
    with suppress(OSError):
        home, inside = archive.parent, (archive, archive.parent / "captures")
        if home.stat().st_mode & 0o077 and any(path.exists() and path.stat().st_mode & 0o077 for path in inside):
            return f"other accounts of this machine can read {home}", f"chmod -R go= {home}"
    return None


def swollen(archive: Path) -> tuple[str, str] | None:
    """What and the mend, where the write-ahead log cannot be emptied for a reader, who would need what it holds."""
    wal = archive.with_name(f"{archive.name}-wal")
    with suppress(OSError):
        if (size := wal.stat().st_size) > LARGE_LOG:
            what = f"{wal} has grown to {size / 1e9:.1f} GB, since a program reads {archive.name} as it was long ago"
            return what, f"end what holds a transaction open there (`fuser {archive}` names all that have it open)"
    return None


def repair(writer: Writer) -> list[str]:
    """Make anew what is derived from other tables and out of step; a sentence for each thing mended."""
    done = []

    def derive(tx: Transaction, check: dict[str, Any]) -> int:
        found = list(_stated(tx.db, check, tx.now()))
        for mend in check["repair"].split(";") if found else ():
            tx.db.execute(mend)
        return len(found)

    def rebuild(tx: Transaction) -> bool:
        try:
            tx.db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('integrity-check')")
        except SqliteError:
            tx.db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('rebuild')")
            return True
        return False

    def reindex(tx: Transaction, rows: list[_Entry]) -> None:
        for id_, title, text in rows:
            tx.db.execute("DELETE FROM articles_fts WHERE rowid = ?", (id_,))
            if title is not None:
                tx.db.execute("INSERT INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)", (id_, title, text))

    for check in _CHECKS:
        if "repair" in check and writer.submit(partial(derive, check=check)).result():
            done.append(f"{check['name']} were made anew")
    if writer.submit(rebuild).result():
        done.append("the search index was built anew")
    with closing(connect_read(writer.archive)) as db:
        mended = 0
        for rows in unindexed(db):
            writer.submit(partial(reindex, rows=rows)).result()
            mended += len(rows)
    return done + ([f"the search index was brought in step with {mended} articles"] if mended else [])


def unindexed(db: Connection) -> Iterator[list[_Entry]]:
    """Articles that the search index has otherwise than it should, in batches, with the title and text it should
    have; None: it should not have them."""
    after = 0
    while rows := db.execute(statement("doctor.indexed"), (after, BATCH)).fetchall():
        wanted = [((id_, normalise(title), normalise(text)), had) for id_, title, text, *had in rows]
        if wrong := [entry for entry, had in wanted if list(entry[1:]) != [words or "" for words in had]]:
            yield list[_Entry](wrong)
        after = rows[-1][0]
    if stray := db.execute(statement("doctor.stray")).fetchall():
        yield [(id_, None, None) for (id_,) in stray]


def _stated(db: Connection, check: dict[str, Any], now: str) -> Iterator[Finding]:
    stamps = {"now": now, "hour_ago": later(now, -HOUR), "soon": later(now, HOUR)}
    found = partial(Finding, check["name"], bool(check.get("fault")))
    for number, row in enumerate(db.query(check["sql"], stamps)):
        if number == MOST:
            yield found("and more of the same", check["mend"])
            return
        words = {**row, "now": now}
        yield found(check["what"].format(**words), check["mend"].format(**words))


def _surroundings(archive: Path, now: str, free_space: int) -> Iterator[Finding]:
    """The library, the disk, permissions, and the clock of the files."""
    if VERSION < SOUND:
        what = f"SQLite {'.'.join(map(str, VERSION))} can, rarely, lose what it folds into the database"
        mend = "use a Python with SQLite 3.51.3 or newer, or pysqlite3 where it has a wheel"
        yield Finding("sqlite", False, what, mend)
    free = shutil.disk_usage(archive.parent).free
    if free < free_space:
        what = f"{free / 1e9:.1f} GB are free at {archive.parent}, less than keep.free_space: no bodies are fetched"
        yield Finding("disk", True, what, "free some space")
    if log := swollen(archive):
        yield Finding("disk", False, *log)
    for path in (archive.parent, archive, archive.parent / "captures"):
        if path.exists() and not os.access(path, os.W_OK):
            yield Finding("permissions", False, f"{path} cannot be written by this user", "give it to who runs Rasid")
        if path.exists() and path.stat().st_mode & 0o002:
            yield Finding("permissions", True, f"{path} can be written by everybody", f"chmod o-w {path}")
    if readers := exposed(archive):
        yield Finding("permissions", False, *readers)
    if archive.exists() and archive.stat().st_mtime > time.time() + HOUR:
        yield Finding("clock", True, f"{archive} was last written in the future", f"set the clock, which says {now}")


def _captures(db: Connection, directory: Path, held: dict[str, int], running: int | None) -> Iterator[Finding]:
    """WARC files against the rows that know them."""
    backup = "restore it from a backup; `rasid verify` names what is lost"
    known = dict(db.execute("SELECT file, max(offset + length) FROM captures GROUP BY file").fetchall())
    for file, end in known.items():
        path = directory / file
        if not path.is_file():
            yield Finding("captures", True, f"{path} is {'no file' if path.exists() else 'missing'}", backup)
        elif (size := path.stat().st_size) < end:
            yield Finding("captures", True, f"{path} is {end - size} bytes shorter than the archive knows", backup)
        elif held.get(file, 0) > end and not running:
            what = f"{path} has {size - end} bytes that were never acknowledged"
            yield Finding("captures", False, what, "the next start of Rasid cuts them")
    for file in held.keys() - known.keys():
        path = directory / file
        if file.endswith(".unclaimed"):
            mend = "nothing acknowledged is in it; delete it when nobody needs it"
            yield Finding("captures", False, f"{path} was set aside after a crash", mend)
        elif path.exists() and path.stat().st_mtime < time.time() - YOUNG:
            yield Finding("captures", True, f"{path} holds nothing the archive knows", "the next start sets it aside")
