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
from typing import Any

from archive.sqlite import Connection

GENESIS = "0" * 64
FIELDS = ("title", "text", "author", "section", "published_at", "published_source", "modified_at", "credit",
          "language", "extractor", "related")  # fmt: skip
_PLAIN = ("article_url", "captured_at", "text_sha256", "capture_url", "capture_at", "http_status",
          "capture_sha256", "payload_sha256")  # fmt: skip
_RECORD = f"""
SELECT v.id, a.url AS article_url, v.captured_at, v.text_sha256, {", ".join(f"v.{field}" for field in FIELDS)},
       c.url AS capture_url, c.at AS capture_at, c.http_status, c.record_sha256 AS capture_sha256, c.payload_sha256
FROM versions v JOIN articles a ON a.id = v.article_id LEFT JOIN captures c ON c.id = v.capture_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of the chain."""

    seq: int | None
    version_id: int
    what: str


def record_sha256(version: Mapping[str, Any]) -> str:
    """The hash of one version with its capture; `version` holds `FIELDS` and the plain columns of the record query."""
    record: dict[str, Any] = {name: version[name] for name in _PLAIN}
    for name in FIELDS:
        value = version[name]
        record[name] = None if value is None else hashlib.sha256(value.encode()).hexdigest()
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def link(prev_sha256: str, record: str) -> str:
    """The chain's head after a row."""
    return hashlib.sha256(f"{prev_sha256}{record}".encode("ascii")).hexdigest()


def head(db: Connection) -> str:
    """The hash that stands for everything stored so far."""
    row = db.execute("SELECT prev_sha256, record_sha256 FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return link(*row) if row else GENESIS


def append(db: Connection, version_id: int) -> None:
    """Add a version just stored, in the same transaction."""
    (version,) = db.query(f"{_RECORD} WHERE v.id = ?", (version_id,))
    db.execute(
        "INSERT INTO ledger (version_id, record_sha256, prev_sha256) VALUES (?, ?, ?)",
        (version_id, record_sha256(version), head(db)),
    )


def check(db: Connection) -> Iterator[Fault]:
    """Recompute the whole chain from the tables, oldest first, and name every fault. Captures are not opened."""
    expected, at = GENESIS, 0
    rows = db.execute("SELECT seq, version_id, record_sha256, prev_sha256 FROM ledger ORDER BY seq")
    for seq, version_id, record, prev in rows:
        if seq != at + 1:
            yield Fault(seq, version_id, f"rows {at + 1} to {seq - 1} of the ledger are missing")
        if prev != expected:
            yield Fault(seq, version_id, "does not follow from the row before it")
        version = next(iter(db.query(f"{_RECORD} WHERE v.id = ?", (version_id,))), None)
        if version is None:
            yield Fault(seq, version_id, "the version is missing")
        elif record_sha256(version) != record:
            yield Fault(seq, version_id, "the version or its capture's row was altered")
        at, expected = seq, link(prev, record)
    for (version_id,) in db.execute("SELECT id FROM versions WHERE id NOT IN (SELECT version_id FROM ledger)"):
        yield Fault(None, version_id, "the version is not in the ledger")
