"""The ledger: an append-only chain of hashes over every version kept, in the order in which they were stored.

A version's record hash covers its article's address, each of its fields by the field's own hash, and its capture's
hashes, but no number the archive gave (so a text can be redacted later and its hashes still prove what stood there).
A link is the hash of the link before it and the record hash; `prev_sha256` holds the link before the row. Whoever
noted the head once can tell whether anything stored until then was altered, removed, added or put in another order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archive.sqlite import Connection, statement

GENESIS = "0" * 64
FIELDS = ("title", "text", "author", "section", "published_at", "published_source", "modified_at", "credit",
          "language", "extractor", "related")  # fmt: skip
_PLAIN = ("article_url", "captured_at", "text_sha256", "capture_url", "capture_at", "http_status",
          "capture_sha256", "payload_sha256")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of the chain."""

    kind: Literal["missing", "altered", "reordered"]
    seq: int | None
    version_id: int
    what: str


def record_json(version: Mapping[str, Any], redacted: Mapping[str, str] | None = None) -> str:
    """What a record hash is the SHA-256 of; `version` holds `FIELDS` and the plain columns of the record query.

    `redacted`: hashes of the fields whose words were taken out.
    """
    record: dict[str, Any] = {name: version[name] for name in _PLAIN}
    if version.get("request_sha256"):  # captures of the first release have none
        record["request_sha256"] = version["request_sha256"]
    for name in FIELDS:
        value = version[name]
        record[name] = None if value is None else hashlib.sha256(value.encode()).hexdigest()
    return json.dumps(record | dict(redacted or {}), sort_keys=True, separators=(",", ":"))


def version_record(db: Connection, version_id: int) -> str | None:
    """The `record_json` of a version as it stands in the archive; None when there is none of this id."""
    version = next(iter(db.query(statement("evidence.record"), (version_id,))), None)
    hashes = "SELECT field, sha256 FROM redacted_fields WHERE version_id = ?"
    redacted = dict(db.execute(hashes, (version_id,)).fetchall())
    return record_json(version, redacted) if version else None


def link(prev_sha256: str, record: str) -> str:
    """The chain's head after a row."""
    return hashlib.sha256(f"{prev_sha256}{record}".encode()).hexdigest()


def head(db: Connection) -> str:
    """The hash that stands for everything stored so far."""
    row = db.execute("SELECT prev_sha256, record_sha256 FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return link(*row) if row else GENESIS


def append(db: Connection, version_id: int) -> None:
    """Add a version just stored, in the same transaction."""
    record = version_record(db, version_id) or ""
    sha256 = hashlib.sha256(record.encode()).hexdigest()
    sql = "INSERT INTO ledger (version_id, record_sha256, prev_sha256) VALUES (?, ?, ?)"
    db.execute(sql, (version_id, sha256, head(db)))


def check(db: Connection, after: int = 0, until: int = 2**62) -> Iterator[Fault]:
    """Recompute the chain from the tables, oldest first, and name every fault. Captures are not opened.

    Only rows behind `after`, up to `until`: stretches may be checked apart, each against the row before it.
    """
    before = "SELECT prev_sha256, record_sha256 FROM ledger WHERE seq = ?"
    expected, at = link(*(db.execute(before, (after,)).fetchone() or ("", ""))) if after else GENESIS, after
    rows = "SELECT seq, version_id, record_sha256, prev_sha256 FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq"
    for seq, version_id, record, prev in db.execute(rows, (after, until)):
        if seq != at + 1:
            yield Fault("missing", seq, version_id, f"rows {at + 1} to {seq - 1} of the ledger are missing before it")
        if prev != expected:
            yield Fault("reordered", seq, version_id, "does not follow from the row before it")
        version = version_record(db, version_id)
        if version is None:
            yield Fault("missing", seq, version_id, "the version is missing")
        elif hashlib.sha256(version.encode()).hexdigest() != record:
            yield Fault("altered", seq, version_id, "the version, its capture's row or the hash of both was altered")
        at, expected = seq, link(prev, record)
    if not after:
        for (version_id,) in db.execute("SELECT id FROM versions WHERE id NOT IN (SELECT version_id FROM ledger)"):
            yield Fault("missing", None, version_id, "the version is not in the ledger")
