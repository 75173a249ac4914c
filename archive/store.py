"""What becomes of a look: kept, versioned, announced. Every function runs inside the writer's transaction."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from archive import learned, ledger
from archive.alerts.rules import plan
from archive.arabic.normalise import normalise
from archive.errors import ArchiveError
from archive.models import ANSWERED, Article, Event, EventKind, Judgement, Look, Saved, Series, Snapshot
from archive.times import later, moment
from archive.versions import FEED, same_version, text_sha256

if TYPE_CHECKING:
    from archive.sqlite import Connection
    from archive.writer import Transaction

HOUR, DAY = 3600.0, 86400.0
LAST_ATTEMPT = {"gone": 1, "refused": 1, "not_article": 1, "too_large": 1, "unreadable": 3}
MOST_ATTEMPTS = 36  # at what cannot be reached: about a month, since they come to be a day apart
ALL_MISSING = 5  # articles of an outlet, and nothing else answers: it broke, and withdrew nothing
PASSING = ("blocked", "outage", "tls", "timeout")  # outcomes that say nothing of the article


@dataclass(frozen=True, slots=True)
class _Known:
    """An article as it was before this look."""

    id: int
    url: str
    status: str
    suspect_at: str | None
    first_seen_at: str
    last_checked_at: str
    latest_version_id: int | None


_KINDS = "قناه|وكاله|شبكه|موقع|صحيفه|جريده|مجله|اذاعه|راديو|تلفزيون|منصه|انباء|الانباء"  # as normalised
_Stored = tuple[int, str, Article]  # a version: id, captured_at, and what it is compared by


def save(tx: Transaction, snapshot: Snapshot) -> Saved:
    """Keep one look at one article: its capture, a version where it changed, the event with its mails, the next look.

    Without a crawl (`crawl_id` None: an import) the page may be older than what is kept. It then takes its place in
    time, is compared with its neighbours there, and is announced only if it is the newest.
    """
    page, live = snapshot.page, snapshot.crawl_id is not None
    article = _article(tx, snapshot)
    newest_look = live or page.at >= article.last_checked_at
    restored = None
    if newest_look and article.status == "gone" and article.latest_version_id:
        restored = announce(tx, "restored", article.id, article.latest_version_id)
    if snapshot.keep or article.latest_version_id or snapshot.judgement.matches:
        saved = _keep(tx, snapshot, article)
    else:
        rule_set = _rule_set(tx.db, snapshot.judgement)
        _capture(tx, snapshot, article.id, "passed", rule_set)
        saved = Saved("passed", article.id)
    if newest_look:
        due = None if saved.kind == "passed" else _rung(tx, article, page.at)
        tx.db.execute(
            "UPDATE articles SET status = 'live', suspect_at = NULL, gone_at = NULL, last_checked_at = ?, "
            "next_check_at = ? WHERE id = ?",
            (page.at, due, article.id),
        )
    if live:
        size = len(page.body if page.raw is None else page.raw)
        outcome = "unchanged" if saved.kind == "unchanged" else "ok"
        seen = Look(page.url, page.at, "ok", snapshot.outlet_id, snapshot.crawl_id, article.id, page.status, size)
        record_fetch(tx, seen, outcome=outcome, ms=snapshot.ms)
        if saved.kind in ("new", "changed"):
            tx.db.execute("UPDATE crawls SET kept = kept + 1 WHERE id = ?", (snapshot.crawl_id,))
    tx.db.execute("DELETE FROM frontier WHERE url IN (?, ?)", (page.url, page.final_url))
    return saved if saved.event_id else Saved(saved.kind, saved.article_id, saved.version_id, restored)


def look(tx: Transaction, look: Look) -> None:
    """Record a look that gave no article, and what follows from it for the article or the address found."""
    row = tx.db.execute("SELECT article_id FROM addresses WHERE url = ?", (look.url,)).fetchone()
    article_id = look.article_id or (row[0] if row else None)
    record_fetch(tx, look, article_id=article_id)
    if article_id is None:
        _put_off(tx.db, look)
        return
    article = _known(tx.db, article_id)
    due = _rung(tx, article, look.at)
    changes: dict[str, Any] = {}
    broken = look.outcome == "gone" and article.status == "suspect" and _all_missing(tx.db, article)
    if broken or look.outcome in PASSING:
        due = look.retry_at or _soon(article, look.at, due)
    else:
        changes["last_checked_at"] = look.at
    if look.outcome == "gone" and article.status != "gone" and not broken:
        since = min(article.suspect_at or look.at, look.at)
        confirmed = article.status == "suspect" and look.at >= later(since, tx.policy.confirm_after)
        if confirmed:
            changes |= {"status": "gone", "gone_at": look.at}
            if article.latest_version_id:
                announce(tx, "withdrawn", article.id, article.latest_version_id)
        else:
            changes |= {"status": "suspect", "suspect_at": since}
            due = later(since, tx.policy.confirm_after)
    elif look.outcome == "unchanged" and article.status != "live":
        changes |= {"status": "live", "suspect_at": None, "gone_at": None}
        if article.status == "gone" and article.latest_version_id:
            announce(tx, "restored", article.id, article.latest_version_id)
    kept = article.latest_version_id is not None
    tx.db.table("articles").update(article.id, {**changes, "next_check_at": due if kept else None})


def announce(tx: Transaction, kind: EventKind, article_id: int, version_id: int, *, backlog: bool = False) -> int:
    """Store an event and queue its mails; returns the event's id."""
    at = tx.now()
    row = {"at": at, "kind": kind, "article_id": article_id, "version_id": version_id, "backlog": int(backlog)}
    event_id = _insert(tx.db, "events", row)
    plan(tx, Event(event_id, at, kind, article_id, version_id, backlog))
    return event_id


def judged(tx: Transaction, version_id: int, judgement: Judgement) -> None:
    """Store what a rule set says of a version; its matches and passages replace those of the rules before."""
    rule_set, db = _rule_set(tx.db, judgement), tx.db
    db.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?)", (version_id, rule_set, tx.now()))
    db.execute("DELETE FROM matches WHERE version_id = ?", (version_id,))
    for match in judgement.matches:
        db.execute(
            "INSERT INTO matches (version_id, topic, rule_set_id, strength, score) VALUES (?, ?, ?, ?, ?)",
            (version_id, match.topic, rule_set, match.strength, match.score),
        )
        db.conn.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(version_id, match.topic, p.field, p.start, p.end, p.term, p.surface) for p in match.passages],
        )


def record_fetch(tx: Transaction, look: Look, **columns: Any) -> None:
    """One row in `fetches`; `columns` override or add to what `look` says."""
    row = {key: value for key, value in asdict(look).items() if key != "retry_at"} | columns
    _insert(tx.db, "fetches", row)
    outcome = row["outcome"]
    found = "ok" if outcome in ANSWERED else "blocked" if outcome == "blocked" else "outage"
    cover(tx.db, row["outlet_id"], look.at, found)


def cover(db: Connection, outlet_id: str | None, at: str, *found: str) -> None:
    """Count one look, or a new article, in the hour of `at`; `found` are columns of `coverage`."""
    sets = {"looks": int(found != ("new_articles",)), **dict.fromkeys(found, 1)}
    names = ", ".join(sets)
    if outlet_id is not None:
        db.execute(
            f"INSERT INTO coverage (outlet_id, hour, {names}) VALUES (?, ?, {', '.join('?' * len(sets))}) "  # noqa: S608
            f"ON CONFLICT (outlet_id, hour) DO UPDATE SET {', '.join(f'{n} = {n} + excluded.{n}' for n in sets)}",
            (outlet_id, f"{at[:13]}:00:00Z", *sets.values()),
        )


def _keep(tx: Transaction, snapshot: Snapshot, article: _Known) -> Saved:
    """A version if the page says something new, else none."""
    new, page, db, live = snapshot.article, snapshot.page, tx.db, snapshot.crawl_id is not None
    before, after = _neighbours(db, article.id, "9999" if live else page.at)
    # What the feed told says nothing of an edit; what was learned since the version before must not look like one.
    told = before and new.extractor.startswith(FEED)
    if before and (told or any(same_version(v, new) for v in (before[2], learned.clear(before[2], page.furniture)))):
        return Saved("unchanged", article.id, before[0])
    if after and same_version(new, after[2]):
        return Saved("unchanged", article.id, after[0])
    # A clock that went back must not put a live look before what was already seen.
    at = max(page.at, before[1]) if live and before else page.at
    digest = text_sha256(new.title, new.text)
    taken = "SELECT id FROM versions WHERE article_id = ? AND captured_at = ? AND text_sha256 = ?"
    while twin := db.execute(taken, (article.id, at, digest)).fetchone():
        if not live:
            return Saved("unchanged", article.id, twin[0])
        at = later(at, 1)  # the same words came back within one second
    version_id = _insert(
        db,
        "versions",
        {
            "article_id": article.id,
            "capture_id": _capture(tx, snapshot, article.id, "kept"),
            "captured_at": at,
            **{name: getattr(new, name) for name in ledger.FIELDS if name != "related"},
            "credit_outlet_id": _outlet_named(db, new.credit),
            "related": "\n\n".join(new.related) or None,
            "text_sha256": digest,
        },
    )
    ledger.append(db, version_id)
    judged(tx, version_id, snapshot.judgement)
    first = article.latest_version_id is None
    kind: Literal["new", "changed"] = "new" if first else "changed"
    if after:
        return Saved(kind, article.id, version_id)
    old = snapshot.backlog or _older(at, tx.now(), tx.policy.old_after)
    if first:
        old = old or _older(new.published_at, at, tx.policy.old_after)
        db.execute("UPDATE articles SET backlog = ? WHERE id = ?", (int(old), article.id))
    db.execute("UPDATE articles SET latest_version_id = ? WHERE id = ?", (version_id, article.id))
    db.execute(
        "INSERT OR REPLACE INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)",
        (article.id, normalise(new.title), normalise(new.text)),
    )
    event_id = announce(tx, "new" if first else "edited", article.id, version_id, backlog=old)
    return Saved(kind, article.id, version_id, event_id)


def _article(tx: Transaction, snapshot: Snapshot) -> _Known:
    """The article a page is of, by the address that answered, else the one it was asked for as; made if unknown."""
    page, db = snapshot.page, tx.db
    owners = dict(
        db.execute("SELECT url, article_id FROM addresses WHERE url IN (?, ?)", (page.url, page.final_url)).fetchall()
    )
    asked = snapshot.article_id or owners.get(page.url)
    article_id = owners.get(page.final_url) or asked
    if article_id is None:
        row = {"outlet_id": snapshot.outlet_id, "url": page.final_url, "first_seen_at": page.at,
               "last_checked_at": page.at}  # fmt: skip
        article_id = _insert(db, "articles", row)
        _insert(db, "addresses", {"url": page.final_url, "article_id": article_id, "kind": "canonical"})
        if snapshot.crawl_id is not None:
            cover(db, snapshot.outlet_id, page.at, "new_articles")
        if snapshot.outlet_id:
            learned.learn(tx, snapshot.outlet_id, snapshot.article, page.at)
    for url in {page.url, page.final_url}:
        db.execute("INSERT OR IGNORE INTO addresses (url, article_id, kind) VALUES (?, ?, 'moved')", (url, article_id))
    if asked and asked != article_id:  # it leads to another known article now: looked at, nothing said of it
        due = _rung(tx, _known(db, asked), page.at)
        db.execute(
            "UPDATE articles SET last_checked_at = ?, next_check_at = iif(next_check_at IS NULL, NULL, ?) WHERE id = ?",
            (page.at, due, asked),
        )
    return _known(db, article_id)


def _known(db: Connection, article_id: int) -> _Known:
    columns = ", ".join(_Known.__slots__)
    row = db.execute(f"SELECT {columns} FROM articles WHERE id = ?", (article_id,)).fetchone()  # noqa: S608
    if row is None:
        raise ArchiveError(f"there is no article {article_id} in the archive")
    return _Known(*row)


def _neighbours(db: Connection, article_id: int, at: str) -> list[_Stored | None]:
    """The versions last before (or at) a moment, and first after it."""
    found: list[_Stored | None] = []
    for test, order in (("<=", "DESC"), (">", "ASC")):
        row = db.execute(
            f"""SELECT id, captured_at, title, text, author, published_at, published_source, modified_at, section,
                credit, language, extractor FROM versions
                WHERE article_id = ? AND captured_at {test} ? ORDER BY captured_at {order}, id {order} LIMIT 1""",  # noqa: S608
            (article_id, at),
        ).fetchone()
        found.append((row[0], row[1], Article(*row[2:])) if row else None)
    return found


def _outlet_named(db: Connection, credit: str | None) -> str | None:
    """The one outlet of the registry that a credit names, whatever it calls itself: agency, channel, network, site."""
    wanted = _bare(credit or "")
    names = db.execute("SELECT id, name_ar, name_en FROM outlets").fetchall() if wanted else ()
    found = {id_ for id_, *both in names if wanted in map(_bare, both)}
    return found.pop() if len(found) == 1 else None


def _bare(name: str) -> str:
    """A name without what kind of outlet it is.

    >>> _bare("شبكة شام") == _bare("شام"), _bare("قناة الإخبارية السورية") == _bare("الاخبارية السوريه")
    (True, True)
    """
    return re.sub(rf"^(?:(?:{_KINDS})\s+)+", "", normalise(re.split(r"[(،,–-]", name)[0]).strip())


def _capture(
    tx: Transaction, snapshot: Snapshot, article_id: int, series: Series, rule_set_id: int | None = None
) -> int:
    page = snapshot.page
    row = {"article_id": article_id, "url": page.view or page.final_url, "at": page.at, "http_status": page.status,
           "series": series, "rule_set_id": rule_set_id}  # fmt: skip
    return _insert(tx.db, "captures", {**row, **asdict(tx.captures.append(page, series))})


def _rule_set(db: Connection, judgement: Judgement) -> int:
    row = db.execute("SELECT id FROM rule_sets WHERE sha256 = ?", (judgement.rule_set_sha256,)).fetchone()
    if row is None:
        raise ArchiveError(
            f"judged by rules {judgement.rule_set_sha256[:12]}, unknown to this archive; judge the page again"
        )
    return int(row[0])


def _rung(tx: Transaction, article: _Known, at: str) -> str | None:
    """When the ladder says to look again; None after its last rung, or if there is nothing to look at."""
    if article.url.startswith("urn:"):
        return None
    base = min(article.first_seen_at, at)
    return min((due for rung in tx.policy.ladder if (due := later(base, rung)) > at), default=None)


def _all_missing(db: Connection, article: _Known) -> bool:
    """Whether an outlet's articles went missing together, and no page of it was read since this one was missed."""
    sql = """SELECT (SELECT count(*) FROM articles WHERE outlet_id = a.outlet_id AND status = 'suspect') >= ?
             AND NOT EXISTS (SELECT 1 FROM fetches WHERE outlet_id = a.outlet_id AND at >= ? AND source_id IS NULL
                             AND outcome IN ('ok', 'unchanged')) FROM articles a WHERE id = ?"""
    return bool(db.execute(sql, (ALL_MISSING, article.suspect_at, article.id)).fetchone()[0])


def _soon(article: _Known, at: str, rung: str | None) -> str | None:
    """When to ask again what gave no answer: after an hour, then ever later; past the last rung, for a month."""
    unknown = (moment(at) - moment(article.last_checked_at)).total_seconds()
    soon = later(at, max(HOUR, unknown / 8))
    if rung is None:
        return soon if unknown < 30 * DAY else None
    return min(soon, rung)


def _put_off(db: Connection, look: Look) -> None:
    """The next attempt at an address found in a listing, each later than the one before, or none."""
    row = db.execute("SELECT attempts FROM frontier WHERE url = ?", (look.url,)).fetchone()
    if row is None:
        return
    attempts = int(row[0]) + 1
    due = None
    if attempts < LAST_ATTEMPT.get(look.outcome, MOST_ATTEMPTS):
        due = max(later(look.at, min(900.0 * 2 ** (attempts - 1), DAY)), look.retry_at or "")
    sql = "UPDATE frontier SET attempts = ?1, next_at = ?2, content = iif(?2 IS NULL, NULL, content) WHERE url = ?3"
    db.execute(sql, (attempts, due, look.url))


def _older(date: str | None, than: str, seconds: float) -> bool:
    """Whether `date`, as precise as it is, lies surely more than `seconds` before the stamp `than`."""
    if date is None:
        return False
    with suppress(ValueError):
        read = datetime.fromisoformat(date)
        end = read + timedelta(days=1) if len(date) == 10 else read
        end = end if end.tzinfo else end.replace(tzinfo=UTC)
        return end < moment(than) - timedelta(seconds=seconds)
    return False


def _insert(db: Connection, table: str, row: dict[str, Any]) -> int:
    return int(db.table(table).insert(row).last_rowid or 0)
