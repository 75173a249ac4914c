"""Troubles of the service itself, told to operators: once when one begins, until it is over.

Functions run inside the writer's transaction. A trouble is known by its key ("outlet sana silent", "disk"), which
whoever watches for it chooses; calling again with the same key while it lasts tells nobody anything.
"""

from __future__ import annotations

from archive.alerts.plan import NewId, queue, unique
from archive.sqlite import insert
from archive.times import later
from archive.transaction import Transaction

FLAPS_S = 6 * 3600.0  # what comes back so soon after it was over goes on, and is not told anew


def operator_notice(tx: Transaction, key: str, text: str, *, new_id: NewId = unique) -> bool:
    """A trouble is there: `text` says in a sentence what, where and the mend. Whether it is told, being new."""
    now = tx.now()
    row = tx.db.execute("SELECT id, cleared_at FROM notices WHERE key = ? ORDER BY id DESC LIMIT 1", (key,)).fetchone()
    if row and (row[1] is None or row[1] > later(now, -FLAPS_S)):
        tx.db.execute("UPDATE notices SET text = ?, last_at = ?, cleared_at = NULL WHERE id = ?", (text, now, row[0]))
        return False
    notice = insert(tx.db, "notices", {"key": key, "text": text, "at": now, "last_at": now})
    rules = [rule for rule in tx.policy.alerts if rule.kind == "operator"]
    first = {reader: rule for rule in reversed(rules) for reader in rule.readers}  # whom two rules name is told once
    for reader, by in first.items():
        queue(tx, by.name, reader, "notice", by.awake(now), new_id, notice)
    return bool(rules)


def operator_clear(tx: Transaction, key: str) -> None:
    """A trouble is over, if it was there."""
    tx.db.execute("UPDATE notices SET cleared_at = ? WHERE key = ? AND cleared_at IS NULL", (tx.now(), key))
