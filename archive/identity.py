"""One article, one row: which article a page is of, under whatever address it was met.

An address that answered with the article, or that its page names as its own, leads to it from then on. Nothing is
believed of an address that belongs to another article unless both say the same words: sites name one canonical address
on every page by mistake.
"""

from __future__ import annotations

from archive import learned
from archive.looks import Known, address, cover, known, readdress, rung
from archive.models import Article, Snapshot
from archive.sqlite import Connection, insert, statement
from archive.transaction import Transaction
from archive.versions import likeness

SAME = 0.5  # likeness from which two tellings are one article


def identify(tx: Transaction, snapshot: Snapshot) -> tuple[Known, bool]:
    """The article a page is of, made if unknown; and whether this is another page of it than its canonical one.

    By the address that answered, else the one it was asked for as, else by what it names as its own. Every address of
    it is kept; the canonical one, or the one it moved to, becomes the one it is asked for at.
    """
    page, db = snapshot.page, tx.db
    kinds = dict.fromkeys((page.final_url, page.url), "moved") | {url: kind for kind, url in snapshot.article.addresses}
    marks = ", ".join("?" * len(kinds))
    rows = db.execute(f"SELECT url, article_id FROM addresses WHERE url IN ({marks})", tuple(kinds)).fetchall()  # noqa: S608
    owners = {url: int(owner) for url, owner in rows}
    asked = snapshot.article_id or owners.get(page.url)
    met = owners.get(page.final_url) or asked
    proved = {url: owner for url, owner in owners.items() if owner == met or _same(db, owner, snapshot, kinds[url])}
    aside = met is None and bool(proved) and kinds[page.final_url] != "canonical"
    article_id = met or next(iter(proved.values()), None) or _new(tx, snapshot, owners, kinds)
    own = next((proved[url] for url, kind in kinds.items() if kind == "canonical" and url in proved), article_id)
    if own != article_id and _live(db, own):  # it goes on where the page itself says it belongs
        article_id, aside = own, True
    for other in {*proved.values()} - {article_id}:
        article_id = _merged(db, article_id, other)
    for url, kind in kinds.items():
        if kind != "named" or url in proved:
            row = (url, article_id, "moved" if kind == "named" else kind)
            db.execute("INSERT OR IGNORE INTO addresses (url, article_id, kind) VALUES (?, ?, ?)", row)
    if not aside and snapshot.crawl_id is not None:
        _settle(db, known(db, article_id), snapshot, kinds)
    if asked and db.execute("SELECT 1 FROM articles WHERE id = ? AND id != ?", (asked, article_id)).fetchone():
        due = rung(tx, known(db, asked), page.at)  # another known article is there: looked at, nothing said of it
        db.execute(statement("store.looked"), (page.at, due, asked))
    return known(db, article_id), aside


def kept(db: Connection, article_id: int | None) -> tuple[Article | None, frozenset[str]]:
    """The newest version of an article, where it has one, and all its addresses."""
    sql = "SELECT title, text FROM articles a JOIN versions v ON v.id = a.latest_version_id WHERE a.id = ?"
    row = db.execute(sql, (article_id,)).fetchone()
    named = db.execute("SELECT url FROM addresses WHERE article_id = ?", (article_id,)).fetchall()
    return Article(*row) if row else None, frozenset(url for (url,) in named)


def owner(db: Connection, url: str) -> int | None:
    """The article that an address leads to."""
    row = db.execute("SELECT article_id FROM addresses WHERE url = ?", (url,)).fetchone()
    return int(row[0]) if row else None


def _same(db: Connection, owner: int, snapshot: Snapshot, kind: str) -> bool:
    """Whether the article that an address belongs to says what the page says. Of one that was passed over no words are
    kept; then the address must look like the page's own."""
    told, _ = kept(db, owner)
    return likeness(told, snapshot.article) >= SAME if told else kind not in ("named", "moved")


def _live(db: Connection, article_id: int) -> bool:
    sql = "SELECT 1 FROM articles WHERE id = ? AND status = 'live' AND latest_version_id IS NOT NULL"
    return db.execute(sql, (article_id,)).fetchone() is not None


def _new(tx: Transaction, snapshot: Snapshot, owners: dict[str, int], kinds: dict[str, str]) -> int:
    page, db = snapshot.page, tx.db
    url = next((url for url, kind in kinds.items() if kind == "canonical" and url not in owners), page.final_url)
    kinds[url] = "canonical" if kinds[url] == "moved" else kinds[url]
    row = {"outlet_id": snapshot.outlet_id, "url": url, "first_seen_at": page.at, "last_checked_at": page.at}
    article_id = insert(db, "articles", row)
    if snapshot.crawl_id is not None:
        cover(db, snapshot.outlet_id, page.at, "new_articles")
    if snapshot.outlet_id:
        learned.learn(tx, snapshot.outlet_id, snapshot.article, page.at)
    return article_id


def _merged(db: Connection, one: int, other: int) -> int:
    """Make one of two rows that are one article, and return it. Where both have versions, which are never moved, both
    stay; all addresses lead to `one`, which alone is looked at from now on."""
    kept = dict(db.execute("SELECT id, latest_version_id FROM articles WHERE id IN (?, ?)", (one, other)).fetchall())
    if kept[one] and kept[other]:
        kind = "iif(kind = 'canonical', 'moved', kind)"
        db.execute(f"UPDATE addresses SET article_id = ?, kind = {kind} WHERE article_id = ?", (one, other))  # noqa: S608
        db.execute("UPDATE articles SET next_check_at = NULL WHERE id = ?", (other,))
        return one
    stays, goes = sorted((one, other), key=lambda id_: (kept[id_] is None, id_))
    for table in ("addresses", "captures", "fetches"):
        db.execute(f"UPDATE {table} SET article_id = ? WHERE article_id = ?", (stays, goes))  # noqa: S608
    db.execute("DELETE FROM articles WHERE id = ?", (goes,))
    return stays


def _settle(db: Connection, article: Known, snapshot: Snapshot, kinds: dict[str, str]) -> None:
    """Ask for the article at its canonical address from now on, or where it moved to; one that answers is kept."""
    page, asked_at = snapshot.page, address(db, article)
    if page.final_url != asked_at:
        led_away = page.url if kinds[page.final_url] != "amp" and page.url != page.final_url else None
        named = next((url for url, kind in kinds.items() if kind == "canonical" and url != led_away), None)
        want = named or (page.final_url if asked_at == page.url else asked_at)
        if db.execute("SELECT 1 FROM addresses WHERE url = ? AND article_id = ?", (want, article.id)).fetchone():
            readdress(db, article.id, want)
