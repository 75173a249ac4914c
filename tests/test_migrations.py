"""From every released schema, with data in every table it had, to today's: nothing lost, and everything works."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
from itertools import count
from pathlib import Path

import pytest

from archive import open_archive
from archive.arabic.normalise import normalise
from archive.captures import CaptureFiles
from archive.desk.server import open_desk
from archive.doctor import examine
from archive.ledger import FIELDS, GENESIS, link, record_json
from archive.migrations import STEPS, migrate
from archive.models import Article
from archive.sqlite import Connection, connect_write
from archive.store import save
from archive.times import later
from archive.versions import text_sha256
from archive.writer import Writer
from tests.archive_kit import NOW, ON_TOPIC, RULES, StandingClock, children, page, policy, shot, whole

NAMES = [step.name for step in STEPS.pending(connect_write(Path(":memory:")))]
EDITED = Article(ON_TOPIC.title, f"{ON_TOPIC.text}\nوارتفع عدد المنقولين إلى ٤٠ معتقلاً.", extractor="test 1")
AWAY = "https://sana.example/passed"

# What stood in the tables that came with a step, as the program of that time would have left it.
ROWS = {
    "0001_first": [
        "INSERT INTO outlets VALUES ('sana', 'سانا', 'SANA', 'agency', 'SY', 'https://sana.example', 'Asia/Damascus')",
        "INSERT INTO sources (outlet_id, kind, url, etag, first_read_at, next_at, usual_gap_s, last_new_at) VALUES "
        f"('sana', 'feed', 'https://sana.example/feed', '\"a\"', '{NOW}', '{NOW}', 900, '{NOW}')",
        "INSERT INTO crawls (outlet_id, started_at, finished_at, discovered, outcome) VALUES "
        f"('sana', '{NOW}', '{NOW}', 3, 'ok')",
        f"INSERT INTO crawls (outlet_id, started_at) VALUES ('sana', '{NOW}')",
        "INSERT INTO fetches (crawl_id, outlet_id, source_id, url, at, status, outcome) VALUES "
        f"(1, 'sana', 1, 'https://sana.example/feed', '{NOW}', 200, 'ok')",
        "INSERT INTO fetches (crawl_id, outlet_id, url, at, outcome, error) VALUES "
        f"(1, 'sana', 'https://sana.example/x', '{NOW}', 'timeout', 'no answer')",
        "INSERT INTO mails (rule, channel, recipient, kind, message_id, state, created_at, sent_at) VALUES "
        f"('r', 'email', 'a@b.example', 'instant', '<1@b>', 'sent', '{NOW}', '{NOW}')",
        "INSERT INTO mail_events VALUES (1, 'r', 'email', 'a@b.example', 1)",
        "INSERT INTO frontier (url, outlet_id, source_id, found_at, title, attempts, next_at) VALUES "
        f"('https://sana.example/next', 'sana', 1, '{NOW}', 'عنوان', 1, '{NOW}')",
        f"INSERT INTO hosts VALUES ('sana.example', '{later(NOW, 60)}', '429')",
        f"INSERT INTO requests (kind, target, at, done_at) VALUES ('crawl', 'sana', '{NOW}', '{NOW}')",
    ],
    "0002_learned": [
        f"INSERT INTO labels VALUES (1, 'syria', 'no', '{NOW}')",
        f"INSERT INTO outlet_lines VALUES ('sana', 'اقرا ايضا', 'اقرأ أيضاً', 9, '{NOW}', '{NOW}')",
    ],
    "0003_feed_content": ["UPDATE frontier SET content = '<p>نص</p>'"],
    "0004_discovery": [
        "UPDATE sources SET mark = '7', failures = 1, honest = 0",
        "INSERT INTO coverage (outlet_id, hour, looks) VALUES ('sana', '2026-01-20T10:00:00Z', 4)",
    ],
    "0006_edits": [
        "INSERT INTO drift (outlet_id, signature, inserted, articles, first_at, last_at) VALUES "
        f"('sana', '+سطر', 'سطر', 3, '{NOW}', '{NOW}')",
        "INSERT INTO drift_articles VALUES (1, 1)",
    ],
    "0007_stories": [],
    "0008_evidence": [
        f"INSERT INTO warc_files (file, length, sha256, at) VALUES ('kept-2025-01-01-00.warc.gz', 1, 'a', '{NOW}')",
        f"INSERT INTO redactions VALUES (2, 'بأمر المحكمة', '{NOW}', '{NOW}')",
    ],
    "0013_figures": [
        "INSERT INTO places VALUES ('damascus', 'دمشق', 'Damascus', 'governorate', 33.51, 36.29)",
        "INSERT INTO mentions VALUES (1, 'damascus', 'title', 0, 4)",
        "INSERT INTO figures VALUES (1, 4, 4, 0, 'detainees', 'transferred', NULL, 'title', 0, 4)",
    ],
    "0009_alerts": [f"INSERT INTO notices (key, text, at, last_at) VALUES ('disk', 'full', '{NOW}', '{NOW}')"],
}  # fmt: skip


def insert(db: Connection, table: str, row: dict) -> int:
    return db.table(table).insert(row).last_rowid


def made_at(step: str, directory: Path) -> Path:
    """An archive of the schema of `step`: an article in two versions, one passed over, and a row in every table."""
    path = directory / "archive.db"
    db = connect_write(path)
    after = NAMES[NAMES.index(step) + 1 :]
    STEPS.apply(db, stop_before=after[:1])
    captures = CaptureFiles(directory / "captures", StandingClock())
    db.execute("BEGIN")
    insert(db, "rule_sets", {"sha256": RULES.sha256, "toml": RULES.toml, "at": NOW})
    db.execute(ROWS["0001_first"][0])
    for url in ("https://sana.example/1", AWAY):
        insert(db, "articles", {"outlet_id": "sana", "url": url, "first_seen_at": NOW, "last_checked_at": NOW})
        db.execute("INSERT INTO addresses SELECT url, id, 'canonical' FROM articles WHERE url = ?", (url,))
    head, columns = GENESIS, [column.name for column in db.table("captures").columns]
    looks = [("https://sana.example/1", ON_TOPIC), ("https://sana.example/1", EDITED), (AWAY, None)]
    for number, (url, article) in enumerate(looks, 1):
        at = later(NOW, 3600 * number)
        ref = captures.append(page(url, at, body=f"<p>{number}</p>"), "kept" if article else "passed")
        stored = {name: getattr(ref, name) for name in ref.__slots__ if name in columns}
        capture = {"article_id": 1 if article else 2, "url": url, "at": at, "http_status": 200, **stored}
        insert(
            db,
            "captures",
            {**capture, "series": "kept" if article else "passed", "rule_set_id": None if article else 1},
        )
        if article is None:
            continue
        fields = {name: getattr(article, name) for name in FIELDS if name != "related"}
        digest = text_sha256(article.title, article.text)
        insert(
            db, "versions", {"article_id": 1, "capture_id": number, "captured_at": at, **fields, "text_sha256": digest}
        )
        about = {"article_url": url, "captured_at": at, "text_sha256": digest, "capture_url": url, "capture_at": at,
                 "http_status": 200, "capture_sha256": ref.record_sha256, "payload_sha256": ref.payload_sha256,
                 "request_sha256": stored.get("request_sha256"), **fields, "related": None}  # fmt: skip
        record = hashlib.sha256(record_json(about).encode()).hexdigest()
        insert(db, "ledger", {"version_id": number, "record_sha256": record, "prev_sha256": head})
        head = link(head, record)
        db.execute("INSERT INTO judgements VALUES (?, 1, ?)", (number, at))
        db.execute("INSERT INTO matches VALUES (?, 'syria', 1, 'substantive', 4.0)", (number,))
        db.execute("INSERT INTO passages VALUES (?, 'syria', 'title', 0, 3, 'sdf', 'قسد')", (number,))
        db.execute("UPDATE articles SET latest_version_id = ? WHERE id = 1", (number,))
        words = normalise(article.title), normalise(article.text)
        db.execute("INSERT OR REPLACE INTO articles_fts (rowid, title, text) VALUES (1, ?, ?)", words)
        insert(
            db, "events", {"at": at, "kind": "edited" if number > 1 else "new", "article_id": 1, "version_id": number}
        )
    for name in NAMES[: NAMES.index(step) + 1]:
        for statement in ROWS.get(name, [])[name == "0001_first" :]:
            db.execute(statement)
    db.execute("COMMIT")
    db.close()
    captures.sync()
    return path


def rows(db: Connection) -> dict[str, int]:
    tables = [name for name in db.table_names() if not name.startswith(("articles_fts_", "sqlite_", "_sqlite"))]
    return {name: db.execute(f"SELECT count(*) FROM [{name}]").fetchone()[0] for name in tables}


def counted(path: Path) -> dict[str, int]:
    db = connect_write(path)
    try:
        return rows(db)
    finally:
        db.close()


@pytest.mark.parametrize("step", NAMES)
def test_an_archive_of_every_released_schema_is_brought_up_to_date_and_works(tmp_path, step):
    path = made_at(step, tmp_path)
    before = counted(path)
    with Writer(path, policy(), clock=StandingClock(later(NOW, 5 * 3600))) as writer:
        now = writer.submit(lambda tx: rows(tx.db)).result()
        assert {name: now.get(name) for name in before if now.get(name, -1) < before[name]} == {}
        assert whole(writer) == []
        looks = [
            page("https://sana.example/1", later(NOW, 6 * 3600), body="<p>4</p>"),
            page("https://sana.example/new"),
        ]
        more = Article(ON_TOPIC.title, f"{EDITED.text}\nوقالت الشبكة إن مصير عشرة منهم مجهول.", extractor="test 1")
        for look, article, kind in zip(looks, (more, ON_TOPIC), ("changed", "new"), strict=True):
            snapshot = shot(article, look, outlet_id="sana", crawl_id=1)
            assert writer.submit(lambda tx, shot=snapshot: save(tx, shot)).result().kind == kind
        assert whole(writer) == []
        assert [f for f in examine(path, later(NOW, 7 * 3600)) if f.fault] == []
    with open_archive(path) as archive:
        assert {hit.article_id for hit in archive.search("معتقلي داعش")} >= {1}
        assert [version.number for version in archive.versions(1)] == [1, 2, 3]
        assert archive.counts()["versions"] == 4
        assert archive.articles(topic="sdf")
    desk = open_desk(path)

    async def visit() -> list[int]:
        pages = (
            "/",
            "/archive/search?q=قسد",
            "/archive/newest",
            "/archive/edited?days=",
            "/archive/latest",
            "/-/article/1",
        )
        return [(await desk.client.get(address)).status_code for address in pages]

    assert asyncio.run(visit()) == [200] * 6


def test_every_table_of_every_schema_had_data_in_these_tests(tmp_path):
    for step in NAMES[:-1]:
        (tmp_path / step).mkdir()
        empty = {name for name, count in counted(made_at(step, tmp_path / step)).items() if not count}
        assert empty <= {"edits", "stories", "story_articles", "story_bands", "story_terms", "story_backlog",
                         "facts_backlog", "redacted_fields", "stamps"}  # fmt: skip


def bring_up_to_date(path: Path, instant: int) -> None:
    """Until it kills itself, before its statement of that number."""
    db, statements = connect_write(path), count(1)
    db.conn.set_trace_callback(lambda _: next(statements) == instant and os.kill(os.getpid(), signal.SIGKILL))
    migrate(db, path)


def test_kill_9_while_a_schema_is_brought_up_to_date_leaves_it_pending_and_whole(tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    path = made_at(NAMES[0], made)
    db = connect_write(path)
    db.execute("BEGIN")
    db.conn.executemany(
        "INSERT INTO fetches (outlet_id, url, at, outcome) VALUES ('sana', ?, ?, 'ok')",
        [(f"https://sana.example/{n}", later(NOW, n)) for n in range(400)],
    )
    db.execute("COMMIT")
    db.close()
    reached = set()
    for instant in (20, 105, 199):  # the last before a commit
        at = tmp_path / str(instant)
        shutil.copytree(made, at)
        child = children.Process(target=bring_up_to_date, args=(at / "archive.db", instant))
        child.start()
        child.join(20)
        assert child.exitcode == -signal.SIGKILL
        db = connect_write(at / "archive.db")
        reached.add(len(STEPS.applied(db)))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM fetches").fetchone() == (402,)
        db.close()
        with Writer(at / "archive.db", policy()) as writer:
            assert whole(writer) == []
        shutil.rmtree(at)
    assert len(reached) == 3, "some were killed in the same step"
