"""Redaction: the words of an article and its raw pages go for good; hashes, ledger and the reason stay.

It is begun in one transaction, which takes the words out of every table and notes it, and ended by `finish`, which the
next start of a writer calls before anything else: pages are overwritten where they lie, by records of the same length,
and the database is written anew. A crash in between is thus made good by the start after it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import struct
import zlib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from archive.captures import hash_file, open_file
from archive.errors import ArchiveError, UsageError
from archive.learned import fold
from archive.looks import known
from archive.sqlite import Connection, SqliteError, statement
from archive.transaction import Transaction

log = logging.getLogger("rasid.archive")
GONE = "[redacted]"
_WORDS = {"title": GONE, "text": GONE, "author": None, "section": None, "credit": None, "related": None}
_HEAD = (
    "WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Date: {at}\r\n"
    "Content-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
)
_BLOCK = 65_535  # bytes a stored block of deflate holds at most


def redact(tx: Transaction, article_id: int, reason: str) -> None:
    """Begin to take an article out. What is left to do, the next writer's start does.

    Of one that was redacted before the pages are overwritten again: a file put back may have brought them back. Raises
    ArchiveError when there is no such article, UsageError without a reason.
    """
    db, article = tx.db, known(tx.db, article_id)
    if not reason.strip():
        raise UsageError("a redaction needs a reason: it is what remains to be read in the article's place")
    if redacted(db, article_id):
        db.execute("UPDATE redactions SET done_at = NULL WHERE article_id = ?", (article_id,))
        return
    db.execute("INSERT INTO redactions (article_id, reason, at) VALUES (?, ?, ?)", (article_id, reason, tx.now()))
    lines = set[str]()
    for version in db.query(f"SELECT id, {', '.join(_WORDS)} FROM versions WHERE article_id = ?", (article_id,)):  # noqa: S608
        held = [(version["id"], f, hashlib.sha256(version[f].encode()).hexdigest()) for f in _WORDS if version[f]]
        db.conn.executemany("INSERT INTO redacted_fields VALUES (?, ?, ?)", held)
        lines.update(version["text"].split("\n"))
    kept = ", ".join(f"{field} = iif({field} = '', '', :{field})" for field in _WORDS)
    db.execute(f"UPDATE versions SET {kept} WHERE article_id = :id", {**_WORDS, "id": article_id})  # noqa: S608
    for derived in statement("redact").split(";"):
        db.execute(derived, {"id": article_id, "lines": json.dumps(sorted(lines))})
    forget = "DELETE FROM outlet_lines WHERE outlet_id = ? AND folded = ?"
    db.conn.executemany(forget, [(article.outlet_id, fold(line)) for line in lines])


def redacted(db: Connection, article_id: int) -> bool:
    """Whether an article was redacted, or is being."""
    return db.execute("SELECT 1 FROM redactions WHERE article_id = ?", (article_id,)).fetchone() is not None


def finish(db: Connection, captures: Path, now: str) -> None:
    """End what `redact` began. What stands in the way is logged, and tried again at the next start: an article stays
    open while a file that holds a page of it is missing or too short, since that may be put back."""
    begun = {row[0] for row in db.execute("SELECT article_id FROM redactions WHERE done_at IS NULL")}
    if not begun:
        return
    pages, missed = db.execute(statement("evidence.taken_out")).fetchall(), set[str]()
    for article_id, file, offset, length, at in pages:
        try:
            with open_file(captures / file, "rb+") as stored:
                if os.fstat(stored.fileno()).st_size < offset + length:
                    raise ArchiveError("the file ends before it")
                os.pwrite(stored.fileno(), blank(length, file, offset, at), offset)
                os.fsync(stored.fileno())
        except (OSError, ArchiveError) as error:
            missed.add(file)
            where, why = f"{captures / file} at byte {offset}", getattr(error, "strerror", error)
            log.warning("the raw page of article %s in %s was not overwritten: %s", article_id, where, why)
    try:
        for file in {row[1] for row in pages} - missed:
            db.execute(statement("evidence.closed_anew"), (file, *hash_file(captures / file), now))
        db.execute("INSERT INTO articles_fts (articles_fts) VALUES ('optimize')")  # its index keeps what was deleted
        db.execute("PRAGMA temp_store=DEFAULT")  # the new database would be made in memory
        db.execute("VACUUM")
        if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            raise OSError("another process reads the archive (close it there)")
        done = begun - {row[0] for row in pages if row[1] in missed}
        db.conn.executemany("UPDATE redactions SET done_at = ? WHERE article_id = ?", [(now, id_) for id_ in done])
    except (SqliteError, OSError) as error:
        log.warning("a redaction is begun and not ended, the next start tries again: %s", error)


def blank(length: int, file: str, offset: int, at: str) -> bytes:
    """A gzip member of just this length: a WARC record that says what became of the one that lay there.

    Made of stored blocks, so that it is the same everywhere and `rasid verify` can tell it.
    """
    name = uuid5(NAMESPACE_URL, f"{file}#{offset}")

    def record(size: int) -> bytes:
        return _HEAD.format(id=name, at=at, length=size).encode() + b"Redacted.".ljust(size)[:size] + b"\r\n\r\n"

    def room(size: int) -> int:
        held = len(record(0)) - 1 + len(str(size)) + size
        return length - 18 - held - 5 * -(-held // _BLOCK)

    size = next((size for size in range(length, -1, -1) if room(size) >= 0), None)
    if size is None:
        raise ArchiveError(f"{file} at byte {offset}: {length} bytes are no record; `rasid verify` tells more")
    data, spare = record(size), room(size)
    comment = b" " * (spare - 1) + b"\0" if spare else b""
    header = struct.pack("<4BI2B", 0x1F, 0x8B, 8, 16 if comment else 0, 0, 0, 255) + comment
    parts = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)]
    body = b"".join(struct.pack("<BHH", part is parts[-1], len(part), len(part) ^ 0xFFFF) + part for part in parts)
    return header + body + struct.pack("<2I", zlib.crc32(data), len(data))
