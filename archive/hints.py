"""What listings say of kept articles: that one was modified, or is there although it was withdrawn, is a reason to
look again, never proof."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from archive.models import Link
from archive.sqlite import statement
from archive.times import later, moment
from archive.transaction import Transaction

SLACK = 60.0  # a page may be shown as it was for so long after it was modified
HOUR = 3600.0  # between two looks at an article for the sake of a feed or sitemap
MANY = 5  # articles modified at once, or a third of all listed: then the listing tells of itself, not of them


def take(tx: Transaction, links: Iterable[Link], at: str, *, trusted: bool) -> None:
    """Make due the kept articles that a listing, read at the stamp `at`, says were modified since we looked.

    What is not `trusted` makes an article due at most once an hour, and counts for nothing when it says so of nearly
    all it lists: many sites put the present moment, or that of the last rebuild, in the place of a date.
    """
    known, moved, due = 0, 0, list[tuple[str, int]]()
    for link in links:
        if link.modified_at is None:
            continue
        row = tx.db.execute(statement("hints.modified"), (link.url,)).fetchone()
        known += row is not None
        if row is None or (row[1] is not None and not newer(link.modified_at, row[1])):
            continue
        article_id, hint, checked = row
        tx.db.execute("UPDATE articles SET modified_hint = ? WHERE id = ?", (link.modified_at, article_id))
        moved += hint is not None
        since = is_after(link.modified_at, later(checked, -SLACK))
        if since or (since is None and hint is not None):
            due.append((at if trusted else max(at, later(checked, HOUR)), article_id))
    if trusted or moved <= max(MANY, known // 3):
        tx.db.conn.executemany(statement("hints.sooner"), due)


def again(tx: Transaction, links: Iterable[Link], at: str) -> None:
    """Make due the withdrawn articles that a listing, read at the stamp `at`, names. The longer one has been gone the
    less often: a listing may name it for years, or name it again since it is back."""
    rows = tx.db.execute(statement("hints.withdrawn"), (json.dumps([link.url for link in links]),)).fetchall()
    for article_id, gone_at, checked in rows:
        gone = (moment(at) - moment(gone_at)).total_seconds()
        due = max(at, later(checked, max(HOUR, gone / 2)))
        tx.db.execute(statement("hints.sooner"), (due, article_id))


def newer(date: str, than: str) -> bool:
    """Whether a listing's date says more than the one it said before; several listings may say it in several ways.

    >>> newer("2026-01-21T12:00:00+03:00", "2026-01-21T09:00:00Z"), newer("2026-01-21", "2026-01-21T09:00:00Z")
    (False, False)
    """
    after = is_after(date, than)
    return (len(date) == len(than) and date > than) if after is None else after


def is_after(date: str, than: str) -> bool | None:
    """Whether a date, as precise as it is, lies after another; None where that cannot be told.

    >>> is_after("2026-01-21T12:00:00+03:00", "2026-01-21T08:59:59Z"), is_after("2026-01-21", "2026-01-21T08:00:00Z")
    (True, None)
    """
    one, other = datetime.fromisoformat(date), datetime.fromisoformat(than)
    if one.tzinfo and other.tzinfo:
        return one > other
    return date[:10] > than[:10] if date[:10] != than[:10] else None
