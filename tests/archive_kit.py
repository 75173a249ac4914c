"""What the archive's tests share: pages, articles, a clock that stands where it is put, a writer on a fresh archive."""

from __future__ import annotations

import hashlib
import random
import signal
import threading
from datetime import datetime
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from archive.alerts.rules import AlertRule
from archive.frontier import OutletRow, request, start_crawl, sync_outlets
from archive.ledger import check
from archive.looks import look, record_fetch
from archive.migrations import migrate
from archive.models import Article, Look, Page, Snapshot
from archive.sqlite import connect_write
from archive.store import save
from archive.times import moment
from archive.topics import judge, shipped_rules
from archive.transaction import Policy
from archive.writer import Writer

RULES = shipped_rules()
NOW = "2026-01-21T10:00:00Z"
SANA = OutletRow("sana", "سانا", "SANA", "agency", "SY", "https://sana.example", "Asia/Damascus")
ON_TOPIC = Article(
    title="قسد تنقل معتقلي داعش من سجون الحسكة",
    text="نقلت قوات سوريا الديمقراطية معتقلين من تنظيم داعش من سجن في الحسكة إلى دمشق.\nولم يصدر تعليق رسمي.",
    extractor="test 1",
)
OFF_TOPIC = Article(
    title="موسم الزيتون يبدأ باكراً", text="بدأ المزارعون قطاف الزيتون هذا العام قبل موعده المعتاد.", extractor="test 1"
)


def unlike(number: int) -> Article:
    """An article on the topic that tells of something else than any other number's."""
    letters = random.Random(number)

    def words(count: int) -> str:
        return " ".join("".join(letters.choice("بتثجحخدرزسشصضطعغفقكلمنهي") for _ in range(6)) for _ in range(count))

    lines = [f"نقلت قوات سوريا الديمقراطية معتقلين من تنظيم داعش من {words(1)}.", *(f"{words(12)}." for _ in range(4))]
    return Article(f"قسد تنقل معتقلي داعش من سجن {words(1)}", "\n".join(lines), extractor="test 1")


# Children are forked from a small server that has imported everything, so that starting one takes milliseconds.
children = get_context("forkserver")
children.set_forkserver_preload(["tests.archive_kit", "tests.warm"])


class StandingClock:
    """A clock that shows what it was set to."""

    def __init__(self, at: str = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return moment(self.at)


def policy(**changes: Any) -> Policy:
    return Policy(**({"ladder": (3600.0, 3 * 3600.0, 86400.0), "confirm_after": 3600.0, "rules": RULES} | changes))


def page(url: str = "https://sana.example/1", at: str = NOW, body: str | bytes = "<p>نص</p>", **more: Any) -> Page:
    content = body.encode() if isinstance(body, str) else body
    values: dict[str, Any] = {"final_url": url, "status": 200, "headers": (("Content-Type", "text/html"),)}
    return Page(url=url, at=at, body=content, **(values | more))


def shot(article: Article = ON_TOPIC, page: Page | None = None, **more: Any) -> Snapshot:
    return Snapshot(page or globals()["page"](), article, judge(RULES, article.title, article.text), **more)


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory, "archive.db")
        db = connect_write(path)
        migrate(db, path)
        db.close()
        return path.read_bytes()


def prepared(path: Path) -> Path:
    """Has an empty archive there, if there is none: to make its schema takes as long as most tests do."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty())
    return path


class Kit:
    """A writer on an archive with one outlet and one crawl, and short ways to use them."""

    def __init__(self, directory: Path, **policy_changes: Any) -> None:
        self.clock = StandingClock()
        self.path = prepared(directory / "archive.db")
        self.writer = Writer(self.path, policy(**policy_changes), clock=self.clock)
        self.do(lambda tx: sync_outlets(tx, [SANA]))
        self.crawl = self.do(lambda tx: start_crawl(tx, "sana"))

    def do(self, operation: Any) -> Any:
        return self.writer.submit(operation).result(timeout=20)

    def save(self, article: Article = ON_TOPIC, at: str = NOW, **more: Any) -> Any:
        """Save a look by the crawl at `at`, at which time the clock then stands."""
        self.clock.at = at
        given = more.pop("page", None) or page(more.pop("url", "https://sana.example/1"), at)
        return self.do(
            lambda tx: save(tx, shot(article, given, **{"outlet_id": "sana", "crawl_id": self.crawl, **more}))
        )

    def home(self, at: str, outcome: Any = "ok", outlet: str = "sana", url: str = SANA.homepage or "") -> None:
        """A look at the outlet's home page."""
        self.do(lambda tx: record_fetch(tx, Look(url, at, outcome, outlet, self.crawl)))

    def rows(self, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        return self.do(lambda tx: tx.db.execute(sql, args).fetchall())

    def one(self, sql: str, *args: Any) -> Any:
        (row,) = self.rows(sql, *args)
        return row[0] if len(row) == 1 else row


def whole(writer: Writer) -> list[str]:
    """Everything that is not as it must be: chain, captures against their files, rows against each other."""
    captures = Path(writer.archive).parent / "captures"

    def look(tx: Any) -> list[str]:
        wrong = [str(fault) for fault in check(tx.db)]
        wrong += [str(row) for row in tx.db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        wrong += [f"broken key {tuple(row)}" for row in tx.db.execute("PRAGMA foreign_key_check")]
        ends: dict[str, int] = {}
        for row in tx.db.query("SELECT * FROM captures ORDER BY id"):
            stored = tx.captures.read_bytes(row["file"], row["offset"], row["length"])
            if hashlib.sha256(stored).hexdigest() != row["record_sha256"]:
                wrong.append(f"capture {row['id']} is not what was stored")
            ends[row["file"]] = max(ends.get(row["file"], 0), row["offset"] + row["length"])
        for path in captures.glob("*.warc.gz"):
            with path.open("rb") as source:
                held = sum(record.rec_type in ("response", "resource") for record in ArchiveIterator(source))
            if held != (
                known := tx.db.execute("SELECT count(*) FROM captures WHERE file = ?", (path.name,)).fetchone()[0]
            ):
                wrong.append(f"{path.name} holds {held} pages, the archive knows {known}")
        sizes = {path.name: path.stat().st_size for path in captures.glob("*.warc.gz")}
        if sizes != ends:
            wrong.append(f"files {sizes}, rows {ends}")
        for name, sql in {
            "kept without version": "SELECT count(*) FROM articles WHERE latest_version_id IS NULL AND id IN "
            "(SELECT article_id FROM captures WHERE series = 'kept')",
            "newest without event": "SELECT count(*) FROM articles WHERE latest_version_id > 0 "
            "AND latest_version_id NOT IN (SELECT version_id FROM events)",
            "versions without judgement": "SELECT count(*) FROM versions WHERE id NOT IN "
            "(SELECT version_id FROM judgements)",
            "not searchable": "SELECT count(*) FROM articles WHERE latest_version_id IS NOT NULL AND id NOT IN "
            "(SELECT rowid FROM articles_fts)",
        }.items():
            if count := tx.db.execute(sql).fetchone()[0]:
                wrong.append(f"{count} {name}")
        return wrong

    return writer.submit(look).result(timeout=60)


def save_until_killed(path: Path, run: int, pipe: Any) -> None:
    """A process that saves, looks, asks and mails from four threads, and tells of every save that was acknowledged."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alerts = (AlertRule("r", ("sdf",), ("desk@example.org",)),)
    writer, telling = Writer(path, policy(alerts=alerts), group_size=8), threading.Lock()

    def work(thread: int) -> None:
        number = 0
        while True:
            number += 1
            url = f"https://sana.example/{run}/{thread}/{number // 2}"  # every other save is an edit
            article = Article(f"{ON_TOPIC.title} {number}", ON_TOPIC.text * (1 + number % 5), extractor="test 1")
            body = hashlib.shake_128(url.encode()).digest(20_000)
            snapshot = shot(article, page(url, body=body))
            saved = writer.submit(partial(save, snapshot=snapshot)).result()
            with telling:
                pipe.send(saved.version_id)
            if thread == 0:
                writer.submit(partial(look, look=Look(url, page().at, "gone", article_id=saved.article_id))).result()
            elif thread == 1:
                request(path, "crawl", "sana", page().at)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
