"""What a version names and counts, kept beside it: mentions of places, and figures.

Both are read in the transaction that keeps the version; what was kept before there were such tables, in batches.
"""

from __future__ import annotations

import json

from archive.alerts.rules import AlertRule
from archive.figures import read_figures
from archive.places import named, places, read_places
from archive.sqlite import Connection
from archive.transaction import Transaction

Span = tuple[str, int, int]
"""A field (title or text), and half-open code points of it."""

_PLACE = (
    "INSERT INTO places VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name_ar = excluded.name_ar, "
    "name_en = excluded.name_en, kind = excluded.kind, lat = excluded.lat, lon = excluded.lon"
)
_MENTIONED = (
    'SELECT field, start, "end" FROM mentions WHERE version_id = ? AND place_id IN (SELECT value FROM json_each(?))'
)
_COUNTED = (
    'SELECT field, start, "end" FROM figures WHERE version_id = ?1 AND (?2 IS NULL OR act = ?2) '
    "AND (?3 IS NULL OR counted = ?3) AND (?4 IS NULL OR low >= ?4)"
)


def know_places(db: Connection) -> None:
    """Bring the table of places up to date with the gazetteer."""
    known = [(place.id, place.name_ar, place.name_en, place.kind, place.lat, place.lon) for place in places().values()]
    db.conn.executemany(_PLACE, known)


def read(db: Connection, version_id: int, title: str, text: str) -> None:
    """Store what a version names and counts, of which nothing is stored yet."""
    db.conn.executemany(
        "INSERT INTO mentions VALUES (?, ?, ?, ?, ?)",
        [(version_id, place.term, place.field, place.start, place.end) for place in read_places(title, text)],
    )
    found = [(field, f) for field, words in (("title", title), ("text", text)) for f in read_figures(words)]
    db.conn.executemany(
        "INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(version_id, f.low, f.high, f.approx, f.counted, f.act, f.said_by, on, f.start, f.end) for on, f in found],
    )
    db.execute("DELETE FROM facts_backlog WHERE version_id = ?", (version_id,))


def work_off(tx: Transaction, most: int) -> int:
    """Read at most so many versions that were kept before; returns how many."""
    waiting = "SELECT id, title, text FROM versions WHERE id IN (SELECT version_id FROM facts_backlog LIMIT ?)"
    versions = tx.db.execute(waiting, (most,)).fetchall()
    for version in versions:
        read(tx.db, *version)
    return len(versions)


def asked(db: Connection, version_id: int, rule: AlertRule) -> list[Span] | None:
    """Where a version has the places and figures that a rule asks for; None where it lacks some."""
    found = list[Span]()
    if rule.places:
        ids = json.dumps(sorted(frozenset[str]().union(*map(named, rule.places))))
        found += db.execute(_MENTIONED, (version_id, ids)).fetchall()
        if not found:
            return None
    counts = [
        span for one in rule.counts for span in db.execute(_COUNTED, (version_id, one.act, one.counted, one.least))
    ]
    return None if rule.figures and not counts else found + counts
