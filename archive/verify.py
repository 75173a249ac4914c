"""Verification: everything that was kept is hashed again, and every piece that is not as it was stored is named.

Files and stretches of the ledger are checked in processes of their own, read-only, also while the archive is written:
up to what was committed when each was looked at. What is found wrong is looked at twice, so that a file that was just
pruned, or a page just redacted, is not taken for damage.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Literal

from archive import ledger
from archive.captures import hash_file, open_file, percent_encode, read_record
from archive.reading import Archive, open_archive
from archive.redaction import blank
from archive.sqlite import Connection, SqliteError, connect_read, statement
from archive.stamps import check_stamps

Kind = Literal["missing", "altered", "truncated", "reordered", "unknown", "redacted", "note"]
_CHANCE = random.SystemRandom()
STRETCH = 20_000  # rows of the ledger checked at a time
REQUEST = 1 << 20  # bytes; no request is longer
_NAME = r"(kept|passed)-\d{4}-\d\d-\d\d-\d{2,}\.warc\.gz"


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece that is not as it was stored: where it lies, and what is wrong. Redactions and notes are no faults."""

    kind: Kind
    where: str  # a WARC file or a table
    offset: int | None  # byte in the file; in the ledger, its row
    version_id: int | None
    what: str

    @property
    def fault(self) -> bool:
        """Whether something is wrong."""
        return self.kind not in ("redacted", "note")

    def __str__(self) -> str:
        """For people."""
        place = "" if self.offset is None else f" {'row' if self.where == 'ledger' else 'byte'} {self.offset}"
        version = f" (version {self.version_id})" if self.version_id else ""
        return f"{self.kind}: {self.where}{place}{version}: {self.what}"


@dataclass(slots=True)
class Report:
    """What was checked and found."""

    files: int = 0
    records: int = 0
    bytes: int = 0
    versions: int = 0
    head: str = ledger.GENESIS
    findings: list[Finding] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many pieces are wrong."""
        return sum(finding.fault for finding in self.findings)


def verify(
    archive: Path, *, workers: int = 1, progress: Callable[[str], None] = lambda line: None, again_s: float = 1.0,
    sample: int | None = None, chance: random.Random = _CHANCE,
) -> Report:  # fmt: skip
    """Check the archive at `archive` in `workers` processes; what is found wrong is looked at again after `again_s`.

    With `sample` only so many files and stretches of the ledger, taken by `chance`.

    Raises ArchiveError when there is no archive that can be read.
    """
    open_archive(archive).close()
    db, captures = _open(archive), archive.parent / "captures"
    report = Report(head=ledger.head(db))
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()
    tasks: list[Callable[[], Report]] = [partial(_check_file, archive, name, again_s) for name in files(db, captures)]
    tasks += [partial(_check_ledger, archive, at, min(at + STRETCH, last)) for at in range(0, last or 1, STRETCH)]
    if sample is not None:
        tasks = chance.sample(tasks, min(sample, len(tasks)))
    with ProcessPoolExecutor(workers, get_context("forkserver"), _end_with_parent) as pool:
        futures = [pool.submit(task) for task in tasks]
        for number, done in enumerate(as_completed(futures), 1):
            part = done.result()
            report.files, report.records = report.files + part.files, report.records + part.records
            report.bytes, report.versions = report.bytes + part.bytes, report.versions + part.versions
            report.findings += part.findings
            progress(f"{number} of {len(tasks)} parts, {report.bytes / 1e6:.0f} MB, {report.faults} faults")
    report.findings += [Finding("altered", "stamps", None, None, what) for what in check_stamps(db)]
    for (begun,) in db.execute("SELECT article_id FROM redactions WHERE done_at IS NULL"):
        what = f"that of article {begun} is not ended; `rasid doctor` tells the mend"
        report.findings.append(Finding("note", "redactions", None, None, what))
    db.close()
    report.findings.sort(key=lambda f: (not f.fault, f.where, f.offset or 0))
    return report


def _end_with_parent() -> None:
    """A process of the pool waits for work for ever where the one that gave it was killed."""

    def wait() -> None:
        if parent := parent_process():
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def files(db: Connection, captures: Path) -> list[str]:
    """Every WARC file there is, or should be."""
    known = {row[0] for row in db.execute(statement("evidence.files"))}
    return sorted(known | {path.name for path in captures.glob("*.warc.gz")})


def _open(archive: Path) -> Connection:
    """A connection to which bytes that are no text are some other text, not an end of reading."""
    db = connect_read(archive)
    db.conn.text_factory = lambda data: data.decode("utf-8", "replace")
    return db


def _check_ledger(archive: Path, after: int, until: int) -> Report:
    db = _open(archive)
    try:
        faults = ledger.check(db, after, until)
        found = [Finding(fault.kind, "ledger", fault.seq, fault.version_id, fault.what) for fault in faults]
    except SqliteError as error:
        found = [Finding("altered", "ledger", after, None, f"rows to {until} cannot be read: {error}")]
    db.close()
    return Report(versions=until - after, findings=found)


def check_article(archive: Archive, article_id: int) -> list[Finding]:
    """What is wrong with the versions of one article, their captures and their rows of the ledger."""
    rows = archive.query(statement("evidence.of_article"), (article_id,))
    only = frozenset(row["id"] for row in rows)
    parts = [_check_ledger(archive.path, max(0, row["seq"] - 1), row["seq"]) for row in rows]
    parts += [_look(archive.path, file, only) for file in sorted({row["file"] for row in rows if row["file"]})]
    return [finding for part in parts for finding in part.findings if finding.version_id in only]


def _check_file(archive: Path, file: str, again_s: float) -> Report:
    report = _look(archive, file)
    if report.faults:
        time.sleep(again_s)
        report = _look(archive, file)
    return report


def _look(archive: Path, file: str, only: frozenset[int] = frozenset()) -> Report:
    """A file; or of it no more than the captures of these versions."""
    db, path = _open(archive), archive.parent / "captures" / file
    rows = list(db.query(statement("evidence.captures"), (file,)))
    closed = db.execute("SELECT length, sha256 FROM warc_files WHERE file = ? ORDER BY id DESC", (file,)).fetchone()
    db.close()
    report = Report(files=1, records=len(rows))
    try:
        if not re.fullmatch(_NAME, file):
            raise OSError(0, "no name that a WARC file of the archive has")
        report.bytes = path.stat().st_size
        newest = max((p.name for p in path.parent.glob(f"{file.partition('-')[0]}-*.warc.gz")), default=file)
        report.findings = list(_check_rows(path, rows, report.bytes, only, spare=not closed and file == newest))
        if closed and not only and hash_file(path) != tuple(closed):
            kind: Kind = "truncated" if report.bytes < closed[0] else "altered"
            what = f"the whole file is not what it was when it was closed: {closed[0]} bytes, SHA-256 {closed[1]}"
            report.findings.append(Finding(kind, file, None, None, what))
    except OSError as error:
        if rows or closed or not isinstance(error, FileNotFoundError):  # else it was pruned meanwhile
            kind, what = "missing" if rows or closed else "unknown", f"it cannot be read ({error.strerror})"
            whole = Finding(kind, file, None, None, f"{what}; {len(rows)} captures should lie in it")
            report.findings = [whole, *(_found(file, row, kind, what) for row in rows)]
    return report


def _check_rows(path: Path, rows: list[Any], size: int, only: frozenset[int], *, spare: bool) -> Iterator[Finding]:
    """Every record of a file, or `only` of some versions, and what lies between; `spare`: bytes behind the last may be
    just being written."""
    at, elsewhere = 0, dict[str, int]()
    with open_file(path) as source:

        def read(start: int, end: int) -> bytes:
            source.seek(start)
            return source.read(max(0, min(end, size) - start))

        for row in rows:
            start, end = row["offset"], row["offset"] + row["length"]
            found = partial(_found, path.name, row)
            if only and row["version_id"] not in only:
                at = max(at, end)
                continue
            if start < 0 or end > size:
                what = f"the file ends at byte {size}, the record should lie at {start} to {end}"
                yield found("altered" if start < 0 else "truncated", what)
                continue
            stored = read(start, end)
            if row["redacted"]:
                if stored == blank(len(stored), path.name, start, row["at"]):
                    yield found("redacted", "overwritten, as the table redactions says")
                elif row["done_at"]:
                    yield found("altered", "neither the record nor what a redaction leaves lies here")
            elif (now := hashlib.sha256(stored).hexdigest()) == row["record_sha256"]:
                yield from (found("altered", what) for what in _differs(row, stored))
            else:
                elsewhere = elsewhere or _members(path)
                if (moved := elsewhere.get(row["record_sha256"])) is not None:
                    yield found("reordered", f"its record lies at byte {moved}")
                else:
                    yield found("altered", f"the record is not what was stored (SHA-256 {now})")
            if wrong := _between(read(at, min(start, at + REQUEST + 1)), row["request_sha256"]):
                yield found(*wrong, at=at)
            if row["series"] == "kept" and row["version_id"] is None:
                yield found("missing", f"no version was read from capture {row['id']}")
            at = max(at, end)
        if size > at and not only:
            what = f"{size - at} bytes that no capture claims"
            if spare:
                yield Finding("note", path.name, at, None, f"{what}: being written, or left by a crash")
            else:
                yield Finding("unknown", path.name, at, None, what)


def _members(path: Path) -> dict[str, int]:
    """Where each gzip member of a damaged file begins, by its hash."""
    with path.open("rb") as source, mmap(source.fileno(), 0, access=ACCESS_READ) as data:
        starts = [member.start() for member in re.finditer(rb"\x1f\x8b\x08\0", data)]
        return {hashlib.sha256(data[a:b]).hexdigest(): a for a, b in pairwise([*starts, len(data)])}


def _found(file: str, row: dict[str, Any], kind: Kind, what: str, *, at: int | None = None) -> Finding:
    return Finding(kind, file, row["offset"] if at is None else at, row["version_id"], what)


def _differs(row: dict[str, Any], stored: bytes) -> Iterator[str]:
    """What a capture's row says otherwise than its record, which is whole."""
    try:
        record = read_record(stored)
        headers, payload = record.rec_headers, record.raw_stream.read()
        told = {"url": headers.get_header("WARC-Target-URI"), "at": headers.get_header("WARC-Date")}
        told["payload_sha256"] = hashlib.sha256(payload).hexdigest()
        if record.http_headers:
            told["http_status"] = record.http_headers.get_statuscode()
    except Exception as error:  # whatever a record that was never whole makes the parser raise
        yield f"the record cannot be read: {error}"
        return
    said = {**row, "url": percent_encode(row["url"]), "http_status": str(row["http_status"])}
    yield from (f"its {name} is not what the record says" for name in told if told[name] != said[name])
    if not row["file"].startswith(f"{row['series']}-"):
        yield "its series is not what its file holds"


def _between(stored: bytes, request_sha256: str | None) -> tuple[Kind, str] | None:
    """What is wrong with the bytes before a record: its request, at the start of a file also what the file is."""
    if request_sha256 and hashlib.sha256(stored).hexdigest() == request_sha256:
        return None
    if len(stored) > REQUEST:
        return "unknown", "more lies before the record than a request"
    kinds = []
    try:
        while stored:
            member = zlib.decompressobj(31)
            kinds.append(member.decompress(stored).partition(b"WARC-Type: ")[2].split(b"\r\n")[0].decode())
            if not member.eof:
                raise ValueError("cut short")
            stored = member.unused_data
    except (zlib.error, ValueError) as error:
        return "altered", f"what lies before the record, its request, is damaged: {error}"
    if {"response", "resource"} & {*kinds}:
        return "unknown", f"{len(kinds)} records that the archive does not know lie before the record"
    return ("altered", "what lies before the record, its request, is not what was stored") if request_sha256 else None
