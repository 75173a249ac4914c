"""What becomes of a look: kept, versioned, announced. Every function runs inside the writer's transaction."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, astuple
from datetime import timedelta
from typing import Literal

from archive import facts, learned, ledger
from archive.arabic.normalise import normalise
from archive.edits import Drift, drift, record
from archive.errors import ArchiveError
from archive.identity import identify, owner
from archive.looks import Known, announce, known, record_fetch, rung
from archive.models import Article, Judgement, Look, Saved, Series, Snapshot
from archive.redaction import redacted
from archive.sqlite import Connection, insert, statement
from archive.stories import link, work_off
from archive.times import instant, later, moment
from archive.topics import judge
from archive.transaction import Transaction
from archive.versions import FEED, same_version, text_sha256

_KINDS = "قناه|وكاله|شبكه|موقع|صحيفه|جريده|مجله|اذاعه|راديو|تلفزيون|منصه|انباء|الانباء"  # as normalised
_Stored = tuple[int, str, Article]  # a version: id, captured_at, and what it is compared by


def save(tx: Transaction, snapshot: Snapshot) -> Saved:
    """Keep one look at one article: its capture, a version where it changed, the event with its mails, the next look.

    Without a crawl (`crawl_id` None: an import) the page may be older than what is kept. It then takes its place in
    time, is compared with its neighbours there, and is announced only if it is the newest.
    """
    page, live = snapshot.page, snapshot.crawl_id is not None
    article, aside = identify(tx, snapshot)
    if redacted(tx.db, article.id):
        tx.db.execute("DELETE FROM frontier WHERE url IN (?, ?)", (page.url, page.final_url))
        return Saved("redacted", article.id, article.latest_version_id)
    newest_look = live or page.at >= article.last_checked_at
    restored = None
    if newest_look and article.status == "gone" and article.latest_version_id:
        restored = announce(tx, "restored", article.id, article.latest_version_id)
    if aside and article.latest_version_id:
        saved = Saved("unchanged", article.id, article.latest_version_id)
    elif snapshot.keep or article.latest_version_id or snapshot.judgement.matches:
        saved = _keep(tx, snapshot, article)
    else:
        _capture(tx, snapshot, article.id, "passed", _rule_set(tx.db, snapshot.judgement))
        saved = Saved("passed", article.id)
    if newest_look:
        again = saved.kind != "passed" or tx.policy.revisit_all
        due = rung(tx, known(tx.db, article.id), page.at) if again else None
        tx.db.execute(statement("store.seen"), (page.at, due, article.id))
    if live:
        size = len(page.body if page.raw is None else page.raw)
        led = snapshot.article_id is not None and page.final_url != page.url
        outcome = "moved" if led else "unchanged" if saved.kind == "unchanged" else "ok"
        of = owner(tx.db, page.url) or article.id
        seen = Look(page.url, page.at, "ok", snapshot.outlet_id, snapshot.crawl_id, of, page.status, size)
        record_fetch(tx, seen, outcome=outcome, ms=snapshot.ms)
        if saved.kind in ("new", "changed"):
            tx.db.execute("UPDATE crawls SET kept = kept + 1 WHERE id = ?", (snapshot.crawl_id,))
    met = "SELECT url FROM addresses WHERE article_id = ?"
    tx.db.execute(f"DELETE FROM frontier WHERE url IN (?, ?) OR url IN ({met})", (page.url, page.final_url, article.id))  # noqa: S608
    return saved if saved.event_id else Saved(saved.kind, saved.article_id, saved.version_id, restored)


def judged(tx: Transaction, version_id: int, judgement: Judgement) -> None:
    """Store what a rule set says of a version; its matches and passages replace those of the rules before."""
    rule_set, db = _rule_set(tx.db, judgement), tx.db
    db.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?)", (version_id, rule_set, tx.now()))
    db.execute("DELETE FROM matches WHERE version_id = ?", (version_id,))
    found = [(version_id, match.topic, rule_set, match.strength, match.score) for match in judgement.matches]
    placed = [(version_id, match.topic, *astuple(place)) for match in judgement.matches for place in match.passages]
    db.conn.executemany(statement("store.match"), found)
    db.conn.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)", placed)


def _keep(tx: Transaction, snapshot: Snapshot, article: Known) -> Saved:
    """A version if the page says something new, else none."""
    new, page, db, live = snapshot.article, snapshot.page, tx.db, snapshot.crawl_id is not None
    before, after = _neighbours(db, article.id, "9999" if live else page.at)
    reread, drifting, was, same = snapshot.reread, Drift(), None, frozenset[str]()
    if before:
        # What the feed told says nothing of an edit; what was learned since the version before must not look like one,
        # nor be taken out with one.
        new, less, same = learned.alike(new, before[2])
        if new.extractor.startswith(FEED) or same_version(before[2], new) or same_version(less, snapshot.article):
            return Saved("unchanged", article.id, before[0])
        # Nor must what today's reader reads otherwise, or what many articles of the outlet gained or lost alike.
        was = learned.alike(reread[1], before[2])[0] if reread and reread[0] == before[0] else before[2]
    if was and live and not same_version(was, new):
        drifting = drift(tx, article.outlet_id, article.id, was, new)
    if before and was and same_version(was, new, drifting.known | same):
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
    row = {
        **{name: getattr(new, name) for name in ledger.FIELDS},
        "article_id": article.id,
        "capture_id": _capture(tx, snapshot, article.id, "kept"),
        "captured_at": at,
        "credit_outlet_id": _outlet_named(db, new.credit),
        "related": "\n\n".join(new.related) or None,
        "text_sha256": digest,
    }
    version_id = insert(db, "versions", row)
    ledger.append(db, version_id)
    whole = new == snapshot.article
    judged(tx, version_id, snapshot.judgement if whole else judge(tx.policy.rules, new.title, new.text))
    facts.read(db, version_id, new.title, new.text)
    detail = None
    if before and was:
        material = record(db, (before[0], was), (version_id, new), tx.policy.rules, drifting.known | same)
        silent = new.modified_at in (None, was.modified_at)
        detail = {"material": material, "silent": silent, "lines": drifting.lines}
    first = article.latest_version_id is None
    kind: Literal["new", "changed"] = "new" if first else "changed"
    if after:
        link(db, article.id)
        record(db, (version_id, new), (after[0], after[2]), tx.policy.rules)
        return Saved(kind, article.id, version_id)
    old = snapshot.backlog or _older(at, tx.now(), tx.policy.old_after)
    if first:
        old = old or _older(new.published_at, at, tx.policy.old_after)
        db.execute("UPDATE articles SET backlog = ? WHERE id = ?", (int(old), article.id))
    db.execute("UPDATE articles SET latest_version_id = ? WHERE id = ?", (version_id, article.id))
    words = (article.id, normalise(new.title), normalise(new.text))
    db.execute("INSERT OR REPLACE INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)", words)
    link(db, article.id)
    work_off(tx)
    facts.work_off(tx, 2)
    event_id = announce(tx, "new" if first else "edited", article.id, version_id, backlog=old, detail=detail)
    return Saved(kind, article.id, version_id, event_id)


def _neighbours(db: Connection, article_id: int, at: str) -> list[_Stored | None]:
    """The versions last before (or at) a moment, and first after it."""
    found: list[_Stored | None] = []
    for test, order in (("<=", "DESC"), (">", "ASC")):
        row = db.execute(statement("store.neighbour").format(test=test, order=order), (article_id, at)).fetchone()
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
    return insert(tx.db, "captures", {**row, **asdict(tx.captures.append(page, series))})


def _rule_set(db: Connection, judgement: Judgement) -> int:
    row = db.execute("SELECT id FROM rule_sets WHERE sha256 = ?", (judgement.rule_set_sha256,)).fetchone()
    if row is None:
        rules = judgement.rule_set_sha256[:12]
        raise ArchiveError(f"judged by rules {rules}, unknown to this archive; judge the page again")
    return int(row[0])


def _older(date: str | None, than: str, seconds: float) -> bool:
    """Whether `date`, as precise as it is, lies surely more than `seconds` before the stamp `than`."""
    if date is None:
        return False
    with suppress(ValueError):
        end = instant(date) + timedelta(days=1 if len(date) == 10 else 0)
        return end < moment(than) - timedelta(seconds=seconds)
    return False
