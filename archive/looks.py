"""What follows from a look: its row, suspicion, withdrawal or return, and when to look again.

Functions with `tx` run inside the writer's transaction. A missing article is withdrawn on three conditions: a second
look, `confirm_after` later, finds it missing still; something else of its outlet answered well meanwhile; and of the
kept articles around it that were looked at since the first was missed, fewer than half are missing. Each that is missed
has those around it looked at, so that the third can be told. A site that is rebuilt, breaks, or answers every reader
alike thus withdraws nothing: its articles stay suspect, and are live again as soon as they answer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from archive.alerts.plan import plan
from archive.errors import ArchiveError
from archive.models import ANSWERED, Event, EventKind, Look
from archive.sqlite import Connection, insert, statement
from archive.times import later, moment
from archive.transaction import Transaction

HOUR, DAY = 3600.0, 86400.0
LAST_ATTEMPT = {"gone": 9, "moved": 3, "refused": 1, "not_article": 1, "too_large": 1, "unreadable": 3}
GONE_BEFORE = 1  # attempts at what was missing when a listing was first read: it names what is long gone
MOST_ATTEMPTS = 36  # at what cannot be reached: about a month, since they come to be a day apart
PASSING = ("blocked", "outage", "tls", "timeout")  # outcomes that say nothing of the article
TOGETHER = 3  # so many are missing, and half of those looked at: it is the outlet that changed, not they
NEAREST = (16, 25)  # articles, by when they were found, which are of the same days as one: at an edge of what is lost,
# and around a batch that was cleared away, fewer or more of them tell it
WITNESSES, WITNESSES_MAX = 6, 50  # of the nearest, and of those longest not seen, that are looked at to tell that


@dataclass(frozen=True, slots=True)
class Known:
    """An article as it was before this look."""

    id: int
    outlet_id: str | None
    url: str  # where it was first met; it is part of the evidence, and never changes
    status: str
    suspect_at: str | None
    first_seen_at: str
    last_checked_at: str
    latest_version_id: int | None


def known(db: Connection, article_id: int) -> Known:
    """The article as it stands. Raises ArchiveError when there is none of this id."""
    columns = ", ".join(Known.__slots__)
    row = db.execute(f"SELECT {columns} FROM articles WHERE id = ?", (article_id,)).fetchone()  # noqa: S608
    if row is None:
        raise ArchiveError(f"there is no article {article_id} in the archive")
    return Known(*row)


def address(db: Connection, article: Known) -> str:
    """Where an article is asked for."""
    sql = "SELECT url FROM addresses WHERE article_id = ? AND kind = 'canonical' LIMIT 1"
    row = db.execute(sql, (article.id,)).fetchone()
    return str(row[0]) if row else article.url


def readdress(db: Connection, article_id: int, url: str) -> None:
    """Ask for an article at another of its addresses from now on."""
    db.execute(statement("looks.readdress"), (url, article_id))


def look(tx: Transaction, look: Look) -> None:
    """Record a look that gave no article, and what follows from it for the article or the address found."""
    row = tx.db.execute("SELECT article_id FROM addresses WHERE url = ?", (look.url,)).fetchone()
    article_id = look.article_id or (row[0] if row else None)
    record_fetch(tx, look, article_id=article_id)
    if look.outcome == "moved" and article_id and row is None:  # found under an address that leads to it
        tx.db.execute("INSERT INTO addresses (url, article_id, kind) VALUES (?, ?, 'moved')", (look.url, article_id))
        tx.db.execute("DELETE FROM frontier WHERE url = ?", (look.url,))
    if article_id is None:
        _put_off(tx.db, look)
        return
    article = known(tx.db, article_id)
    due = rung(tx, article, look.at)
    changes: dict[str, Any] = {}
    missing = look.outcome == "gone" and article.status != "gone"
    since = min(article.suspect_at or look.at, look.at)
    second = missing and article.status == "suspect" and look.at >= later(since, tx.policy.confirm_after)
    first = _first_missed(tx.db, article, look.at) if missing and article.latest_version_id else None
    doubtful = second and (unheard(tx.db, article) or (first is not None and _together(tx.db, article, first)))
    if doubtful or look.outcome in PASSING:
        due = look.retry_at or _soon(article, look.at, due)
    else:
        changes["last_checked_at"] = look.at
    if missing and (answered := _answered_elsewhere(tx.db, article, look.url)):
        readdress(tx.db, article.id, answered)
        due = look.at
    elif second and not doubtful:
        changes |= {"status": "gone", "gone_at": look.at}
        if article.latest_version_id:
            announce(tx, "withdrawn", article.id, article.latest_version_id)
    elif missing and not doubtful:
        changes |= {"status": "suspect", "suspect_at": since}
        due = later(since, tx.policy.confirm_after)
    elif look.outcome in ("unchanged", "moved") and article.status != "live":
        changes |= {"status": "live", "suspect_at": None, "gone_at": None}
        if article.status == "gone" and article.latest_version_id:
            announce(tx, "restored", article.id, article.latest_version_id)
    if first and (doubtful or article.status == "live"):
        _ask_witnesses(tx.db, article, first, look.at, first=first == since)
    again = article.latest_version_id is not None or tx.policy.revisit_all
    tx.db.table("articles").update(article.id, {**changes, "next_check_at": due if again else None})


def unheard(db: Connection, article: Known) -> bool:
    """Whether nothing else of its outlet, listings included, answered well since a suspect article was first missed."""
    given = (article.outlet_id, article.suspect_at, article.id)
    return article.outlet_id is not None and db.execute(statement("looks.heard"), given).fetchone() is None


def announce(
    tx: Transaction, kind: EventKind, article_id: int, version_id: int, *,
    backlog: bool = False, detail: dict[str, Any] | None = None,
) -> int:  # fmt: skip
    """Store an event and queue its mails; returns the event's id. `detail` is stored as JSON."""
    at, told = tx.now(), json.dumps(detail) if detail else None
    row = {"at": at, "kind": kind, "article_id": article_id, "version_id": version_id, "backlog": int(backlog)}
    event_id = insert(tx.db, "events", row | {"detail": told})
    plan(tx, Event(event_id, at, kind, article_id, version_id, backlog))
    return event_id


def record_fetch(tx: Transaction, look: Look, **columns: Any) -> None:
    """One row in `fetches`; `columns` override or add to what `look` says."""
    row = {key: value for key, value in asdict(look).items() if key != "retry_at"} | columns
    insert(tx.db, "fetches", row)
    outcome = row["outcome"]
    found = "ok" if outcome in ANSWERED else "blocked" if outcome == "blocked" else "outage"
    cover(tx.db, row["outlet_id"], look.at, found)


def cover(db: Connection, outlet_id: str | None, at: str, found: str) -> None:
    """Count one look, or a new article, in the hour of `at`; `found` is a column of `coverage`."""
    if outlet_id is not None:
        given = (outlet_id, f"{at[:13]}:00:00Z", int(found != "new_articles"))
        db.execute(statement("looks.covered").format(found=found), given)


def rung(tx: Transaction, article: Known, at: str) -> str | None:
    """When the ladder, which an edit begins anew, says to look again; None after its last rung, or for a file."""
    if article.url.startswith("urn:"):
        return None
    told = tx.db.execute("SELECT captured_at FROM versions WHERE id = ?", (article.latest_version_id,)).fetchone()
    base = min(max(article.first_seen_at, told[0] if told else ""), at)
    return min((due for step in tx.policy.ladder if (due := later(base, step)) > at), default=None)


def _first_missed(db: Connection, article: Known, at: str) -> str:
    """When the first was missed of those that are, since the article was last seen; `at` if it is that one itself. One
    that was missed within the hour before it, and is withdrawn since, counts: the two went together."""
    missed = article.suspect_at or at
    given = {"outlet": article.outlet_id, "id": article.id, "missed": missed, "hour_before": later(missed, -HOUR)}
    first = db.execute(statement("looks.first_missed"), given).fetchone()[0]
    return min(first or at, missed)


def _peers(db: Connection, article: Known, since: str, most: int) -> tuple[int, int]:
    """Of the kept articles that were there at `since`, the nearest `most` by when they were found (-1: all): how many
    are missing, and how many were seen since."""
    given = {"since": since, "outlet": article.outlet_id, "id": article.id, "most": most}
    missing, live = db.execute(statement("looks.peers"), given).fetchone()
    return missing, live


def _together(db: Connection, article: Known, since: str) -> bool:
    """Whether what befell an article befell its outlet, or all that it published in those days: of the nearest that
    were looked at since, at least half are missing."""
    around = (_peers(db, article, since, most) for most in NEAREST)
    return all(missing >= max(live, TOGETHER) for missing, live in around)


def _ask_witnesses(db: Connection, article: Known, since: str, at: str, *, first: bool) -> None:
    """Have others looked at now: the nearest, until enough of them are known to be missing. The first one missed asks
    those longest not seen, too, ever more of them while in doubt, and has listings read: they may name a new address
    of it. At first the missing are asked, too, which may be back; never what goes on as another article (it has no
    address left)."""
    given = {"at": at, "outlet": article.outlet_id, "id": article.id, "since": since,
             "also": "suspect" if article.status == "live" else "live"}  # fmt: skip
    asked = []
    if _peers(db, article, since, NEAREST[-1])[0] < 2 * WITNESSES:
        asked.append(("abs(id - :id)", WITNESSES))
    if first:
        db.execute("UPDATE sources SET next_at = min(next_at, ?) WHERE outlet_id IS ?", (at, article.outlet_id))
        more = min(max(WITNESSES, _peers(db, article, since, -1)[0]), WITNESSES_MAX)
        asked.append(("last_checked_at, id", more))
    for order, most in asked:
        db.execute(statement("looks.witnesses").format(order=order), given | {"most": most})


def _answered_elsewhere(db: Connection, article: Known, asked: str) -> str | None:
    """The address an article was last captured at, if it is another: one that a page only named as canonical, and that
    never answered, is no proof that anything is gone."""
    row = db.execute(statement("looks.answered_elsewhere"), {"id": article.id, "asked": asked}).fetchone()
    return str(row[0]) if row else None


def _soon(article: Known, at: str, rung: str | None) -> str | None:
    """When to ask again what gave no answer: after an hour, then ever later; past the last rung, for a month."""
    unknown = (moment(at) - moment(article.last_checked_at)).total_seconds()
    soon = later(at, max(HOUR, unknown / 8))
    if rung is None:
        return soon if unknown < 30 * DAY else None
    return min(soon, rung)


def _put_off(db: Connection, look: Look) -> None:
    """The next attempt at an address found in a listing, each later than the one before, or none."""
    row = db.execute("SELECT attempts, backlog FROM frontier WHERE url = ?", (look.url,)).fetchone()
    if row is None:
        return
    attempts, due = int(row[0]) + 1, None
    last = LAST_ATTEMPT.get(look.outcome, MOST_ATTEMPTS)
    if attempts < (GONE_BEFORE if row[1] and look.outcome == "gone" else last):  # new: its site may be broken
        due = max(later(look.at, min(900.0 * 2 ** (attempts - 1), DAY)), look.retry_at or "")
    sql = "UPDATE frontier SET attempts = ?1, next_at = ?2, content = iif(?2 IS NULL, NULL, content) WHERE url = ?3"
    db.execute(sql, (attempts, due, look.url))
