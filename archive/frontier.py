"""What is due: listings to read, addresses found in them, kept articles to look at again. All of it in tables.

Functions with `db` also work on a read connection. Times are stamps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from archive import hints
from archive.budget import UNBOUNDED, within, worth_it
from archive.looks import record_fetch
from archive.models import ANSWERED, Link, Look
from archive.sqlite import Connection, insert, note, statement
from archive.times import moment
from archive.transaction import Transaction
from archive.versions import FEED

WAITING_MAX = 20_000  # addresses of one outlet to fetch; what lists ever new ones faster than they are read is a trap
BEHIND = 1000  # articles that a host may not be asked for, behind which those of another one are still seen
FIRST_TRIES = 3  # at a first contact without a page that fails; then what was read of it has to do


@dataclass(frozen=True, slots=True)
class OutletRow:
    """An outlet as the archive knows it; `sources` are (kind, url), none while it is switched off."""

    id: str
    name_ar: str
    name_en: str
    kind: str
    country: str | None = None
    homepage: str | None = None
    timezone: str | None = None
    sources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A listing of an outlet, with what its server said to ask with the next time."""

    id: int
    outlet_id: str
    kind: str
    url: str
    etag: str | None
    last_modified: str | None
    first_read_at: str | None
    mark: str | None  # how far it was read, in the site's own terms
    plain_at: str | None = None  # last read without validators
    honest: int = 1  # 0: it gave the same validators for other content, or 304


@dataclass(frozen=True, slots=True)
class Visited:
    """What a visit to a listing brought, all of its pages taken together."""

    at: str
    listed: int = 0  # addresses on its first page, which shows the latest few; 0 where it is no such page
    new: int = 0  # of all addresses, those not known before
    etag: str | None = None
    last_modified: str | None = None
    mark: str | None = None
    plain: bool = True  # asked for without validators
    whole: bool = True  # none of its pages failed


@dataclass(frozen=True, slots=True)
class Pace:
    """How a listing publishes, as far as its next visit depends on it."""

    listed: int
    new: int
    gap_s: int | None  # usually between two visits that brought something new
    quiet_s: float  # since one did
    first: bool  # this was the first contact
    leads: bool  # no source before it works


@dataclass(frozen=True, slots=True)
class Due:
    """An address to fetch: found in a listing (`link` says what that told), or of an article to look at again."""

    url: str
    article_id: int | None
    backlog: bool
    link: Link | None


@dataclass(frozen=True, slots=True)
class CrawlSummary:
    """What one crawl did, counted from its rows. `kept`: articles newly kept, and new versions."""

    crawl_id: int
    outlet_id: str | None
    discovered: int
    fetched: int
    kept: int
    errors: int
    outcome: str  # running, ok, partial, failed, interrupted
    started_at: str
    finished_at: str | None

    @property
    def row(self) -> dict[str, Any]:
        """As it is told."""
        spent = (moment(self.finished_at) - moment(self.started_at)).total_seconds() if self.finished_at else None
        return {
            "outlet": self.outlet_id, "outcome": self.outcome, "discovered": self.discovered, "fetched": self.fetched,
            "kept": self.kept, "errors": self.errors, "seconds": spent,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """What another process asked the service to do. `result` is empty until it is done."""

    id: int
    kind: str
    target: str
    at: str
    done_at: str | None
    error: str | None
    result: dict[str, Any]


def sync_outlets(tx: Transaction, outlets: Sequence[OutletRow]) -> None:
    """Make `outlets` all there are: new sources are due at once, those no longer listed are left alone."""
    db, now = tx.db, tx.now()
    listed = set()
    for outlet in outlets:
        row = {name: getattr(outlet, name) for name in OutletRow.__slots__ if name != "sources"}
        db.table("outlets", pk="id").upsert(row)
        for position, (kind, url) in enumerate(outlet.sources):
            listed.add((outlet.id, url))
            db.execute(statement("frontier.listed"), (outlet.id, kind, url, now, position))
    for source_id, *of in db.execute("SELECT id, outlet_id, url FROM sources WHERE next_at IS NOT NULL").fetchall():
        if tuple(of) not in listed:
            db.execute("UPDATE sources SET next_at = NULL WHERE id = ?", (source_id,))


def due_outlets(db: Connection, now: str, per_hour: int = UNBOUNDED) -> list[str]:
    """Outlets with a source, an address or an article due, the longest overdue first.

    For revisits alone an outlet is visited while a quarter of its share of `per_hour` is left, not for each by itself.
    """
    rows = db.execute(statement("frontier.due_outlets"), {"now": now}).fetchall()
    return [id_ for id_, new in rows if new or worth_it(db, id_, now, per_hour)]


def due_sources(db: Connection, outlet_id: str, now: str | None) -> list[Source]:
    """The outlet's listings due at `now`, or with None all that are configured, in their order.

    The leading one is read before any that fills its gaps: what those bring is what it lacks, and no luck of the hour.
    """
    rows = db.execute(statement("frontier.due_sources"), {"id": outlet_id, "now": now or "9999"})
    return [Source(*row) for row in rows]


def due_articles(db: Connection, outlet_id: str | None, now: str, limit: int, per_hour: int = UNBOUNDED) -> list[Due]:
    """At most `limit` addresses due at an outlet (None: at none): found ones, newest first; then revisits.

    Of revisits the longest overdue, and no more than `per_hour` on a host in any hour, its outlets together; the others
    stay due, and come first then.
    """
    found = db.execute(statement("frontier.due_links"), (outlet_id, now, limit))
    due = [Due(url, None, bool(backlog), Link(url, *said)) for url, backlog, *said in found]
    given = {"feed": f"{FEED}%", "outlet": outlet_id, "now": now, "most": limit + BEHIND}
    again = db.execute(statement("frontier.due_articles"), given)
    for url, id_, title, text in islice(within(db, outlet_id, again, now, per_hour), limit - len(due)):
        due.append(Due(url, id_, False, _kept(url, title, text) if text else None))
    return due


def _kept(url: str, title: str, text: str) -> Link:
    """What a feed said of an article whose text it gave, as it was kept: its page may still give none."""
    return Link(url, title, content="".join(f"<p>{escape(line)}</p>" for line in text.split("\n")))


def start_crawl(tx: Transaction, outlet_id: str | None) -> int:
    """Open a crawl; returns its id."""
    return insert(tx.db, "crawls", {"outlet_id": outlet_id, "started_at": tx.now()})


def finish_crawl(tx: Transaction, crawl_id: int, *, interrupted: bool = False) -> CrawlSummary:
    """Close a crawl and say what it did: failed when every look did, partial when some did."""
    rows = tx.db.execute("SELECT outcome, source_id IS NULL FROM fetches WHERE crawl_id = ?", (crawl_id,)).fetchall()
    looks, fetched = len(rows), sum(of_page for _, of_page in rows)
    errors = sum(outcome not in ANSWERED for outcome, _ in rows)
    outcome = "interrupted" if interrupted else "ok" if not errors else "failed" if errors == looks else "partial"
    changes = {"finished_at": tx.now(), "fetched": fetched, "errors": errors, "outcome": outcome}
    tx.db.table("crawls").update(crawl_id, changes)
    columns = ", ".join(CrawlSummary.__slots__).replace("crawl_id", "id")
    return CrawlSummary(*tx.db.execute(f"SELECT {columns} FROM crawls WHERE id = ?", (crawl_id,)).fetchone())  # noqa: S608


def source_read(tx: Transaction, source_id: int, look: Look, links: Sequence[Link]) -> int:
    """One page of a listing was looked at: keep every address not yet known; returns how many those were.

    Until a first visit to the listing is done, what it names is backlog. Known articles may become due. Of what waits
    at the outlet beyond WAITING_MAX the oldest is let go, and the look says so.
    """
    db, source = tx.db, _source(tx, source_id)
    outlet_id, backlog = source["outlet_id"], int(source["first_read_at"] is None)
    known = {"outlet_id": outlet_id, "source_id": source_id, "at": look.at, "backlog": backlog}
    new = sum(db.execute(statement("frontier.found"), known | asdict(link)).rowcount for link in links)
    gone = db.execute(statement("frontier.let_go"), (outlet_id, WAITING_MAX)).rowcount if new else 0
    error = f"more than {WAITING_MAX} addresses wait; the oldest {gone} were let go" if gone else look.error
    record_fetch(tx, look, source_id=source_id, outlet_id=outlet_id, error=error)
    if new:
        db.execute("UPDATE crawls SET discovered = discovered + ? WHERE id = ?", (new, look.crawl_id))
    hints.take(tx, links, look.at, trusted=source["kind"] == "wordpress")
    hints.again(tx, links, look.at)
    return new


def _source(tx: Transaction, source_id: int) -> dict[str, Any]:
    """What visits left of a listing, and whether it leads."""
    return next(iter(tx.db.query(statement("frontier.source"), (source_id,))))


def source_done(tx: Transaction, source_id: int, visited: Visited, plan: Callable[[Pace], str]) -> None:
    """A visit to a listing came to its end: keep how far it was read, and what to ask with when `plan` says."""
    at, was = visited.at, _source(tx, source_id)
    first_read_at, last_new_at, gap = was["first_read_at"], was["last_new_at"], was["gap"]
    changes: dict[str, Any] = {"etag": visited.etag, "last_modified": visited.last_modified, "mark": visited.mark}
    if visited.whole or first_read_at or was["failures"] >= FIRST_TRIES:
        changes |= {"first_read_at": first_read_at or at, "failures": 0}
    else:
        changes["failures"] = was["failures"] + 1
    if visited.plain:
        changes["plain_at"] = at
    if visited.new and first_read_at and _same(visited.etag, was["etag"], visited.last_modified, was["last_modified"]):
        changes["honest"] = 0
    if visited.new:
        changes["last_new_at"] = at
        if last_new_at:
            since = max(0, int((moment(at) - moment(last_new_at)).total_seconds()))
            changes["usual_gap_s"] = gap = since if gap is None else (3 * gap + since) // 4
    quiet = moment(at) - moment(at if visited.new else last_new_at or first_read_at or at)
    leads = bool(was["leads"]) or was["kind"] == "telegram"
    pace = Pace(visited.listed, visited.new, gap, quiet.total_seconds(), first_read_at is None, leads)
    tx.db.table("sources").update(source_id, changes | {"next_at": plan(pace)})


def _same(etag: str | None, etag_before: str | None, modified: str | None, modified_before: str | None) -> bool:
    """Whether a server would have answered 304. Its packing leaves traces in an ETag: W/ before it, -gzip after it."""
    if etag and etag_before:
        return len({re.sub(r'^W/|[-;]+gzip(?="?$)', "", tag) for tag in (etag, etag_before)}) == 1
    return bool(modified) and modified == modified_before


def source_failed(tx: Transaction, source_id: int, look: Look, *, next_at: str) -> None:
    """A listing could not be read; it is tried again at `next_at`. Where it led, others take the lead at once."""
    source = _source(tx, source_id)
    record_fetch(tx, look, source_id=source_id, outlet_id=source["outlet_id"])
    tx.db.execute("UPDATE sources SET failures = failures + 1 WHERE id = ?", (source_id,))
    set_next(tx, [source_id], next_at)
    if source["leads"] and not source["failures"]:
        tx.db.execute(statement("frontier.fill_gaps"), source | {"at": look.at})


def set_next(tx: Transaction, source_ids: Iterable[int], next_at: str) -> None:
    """Read these listings next at `next_at`."""
    for source_id in source_ids:
        tx.db.execute("UPDATE sources SET next_at = ? WHERE id = ? AND next_at IS NOT NULL", (next_at, source_id))


def postpone(tx: Transaction, urls: Iterable[str], next_at: str) -> None:
    """Fetch these addresses, which are due, no earlier than `next_at`; it counts as no attempt."""
    for url in urls:
        tx.db.execute("UPDATE frontier SET next_at = ? WHERE url = ? AND next_at < ?", (next_at, url, next_at))
        tx.db.execute(statement("frontier.postpone"), {"at": next_at, "url": url})


def hold_host(tx: Transaction, host: str, not_before: str, reason: str) -> None:
    """Remember, across crawls and restarts, that a host asked us to wait."""
    tx.db.execute("DELETE FROM hosts WHERE not_before <= ?", (tx.now(),))
    tx.db.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?)", (host, not_before, reason))


def held_hosts(db: Connection, now: str) -> dict[str, str]:
    """Hosts that asked us to wait, and until when."""
    return dict(db.execute("SELECT host, not_before FROM hosts WHERE not_before > ?", (now,)).fetchall())


def request(archive: Path, kind: str, target: str, now: str) -> int:
    """Ask the running service to `crawl` an outlet, `save` an address or keep a `label`; returns the request's id.

    For other processes than the writer's: one short insert of its own.
    """
    with note(archive) as db:
        # Not `insert`, which makes a table that is not there: the archive may just be being made.
        return int(db.execute(statement("frontier.ask"), (kind, target, now)).lastrowid or 0)


def open_requests(db: Connection) -> list[Request]:
    """Requests not yet done, oldest first; one begun before a crash is among them."""
    ids = db.execute("SELECT id FROM requests WHERE done_at IS NULL ORDER BY id").fetchall()
    return [request_state(db, row[0]) for row in ids]


def finish_request(tx: Transaction, request_id: int, error: str | None = None) -> None:
    """A request is done; `error` says why it could not be."""
    tx.db.execute("UPDATE requests SET done_at = ?, error = ? WHERE id = ?", (tx.now(), error, request_id))


def withdraw(tx: Transaction, requests: Sequence[int]) -> None:
    """Take back requests that nobody has finished."""
    for number in requests:
        tx.db.execute("DELETE FROM requests WHERE id = ? AND done_at IS NULL", (number,))


def request_state(db: Connection, request_id: int) -> Request:
    """A request with what became of it."""
    row = db.execute("SELECT id, kind, target, at, done_at, error FROM requests WHERE id = ?", (request_id,)).fetchone()
    asked = Request(*(*row, {}))
    left = statement("frontier.asked_save" if asked.kind == "save" else "frontier.asked_crawl")  # rows that it left
    return replace(asked, result=next(db.query(left, (asked.target, asked.at)), {})) if asked.done_at else asked
