"""What a version names and counts, kept beside it: mentions of places, and figures.

Both are read in the transaction that keeps the version; what was kept before there were such tables, in batches.
"""

from __future__ import annotations

import json

from archive.alerts.rules import AlertRule
from archive.figures import read_figures
from archive.places import named, places, read_places
from archive.sqlite import Connection, statement
from archive.transaction import Transaction

Span = tuple[str, int, int]
"""A field (title or text), and half-open code points of it."""


def know_places(db: Connection) -> None:
    """Bring the table of places up to date with the gazetteer."""
    known = [(place.id, place.name_ar, place.name_en, place.kind, place.lat, place.lon) for place in places().values()]
    db.conn.executemany(statement("facts.place"), known)


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
        found += db.execute(statement("facts.mentioned"), (version_id, ids)).fetchall()
        if not found:
            return None
    wanted = [(version_id, one.act, one.counted, one.least) for one in rule.counts]
    counts = [span for one in wanted for span in db.execute(statement("facts.counted"), one)]
    return None if rule.figures and not counts else found + counts
