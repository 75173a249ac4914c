"""Coverage: hour by hour, what was looked at and found, in archives old and new."""

import pytest

from archive.migrations import STEPS, migrate
from archive.models import Look
from archive.sqlite import connect_write
from archive.store import look
from tests.archive_kit import OFF_TOPIC, Kit

SQL = "SELECT hour, looks, ok, blocked, outage, new_articles FROM coverage ORDER BY hour"


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    yield kit
    kit.writer.close()


def test_every_look_counts_in_its_hour_by_what_it_met(kit):
    kit.save(at="2026-01-21T10:00:00Z")
    kit.save(OFF_TOPIC, at="2026-01-21T10:59:59Z", url="https://sana.example/2")
    kit.save(at="2026-01-21T11:00:00Z")
    for outcome in ("blocked", "timeout", "tls", "gone", "moved", "unchanged"):
        miss = Look("https://sana.example/3", "2026-01-21T11:30:00Z", outcome, "sana", kit.crawl)
        kit.do(lambda tx, miss=miss: look(tx, miss))
    kit.do(lambda tx: look(tx, Look("https://nobody.example/", "2026-01-21T11:30:00Z", "outage")))  # of no outlet
    assert kit.rows(SQL) == [("2026-01-21T10:00:00Z", 2, 2, 0, 0, 2), ("2026-01-21T11:00:00Z", 7, 4, 1, 2, 0)]


def test_an_older_archive_gets_its_coverage_from_its_looks_and_loses_none(tmp_path):
    path = tmp_path / "archive.db"
    db = connect_write(path)
    STEPS.apply(db, stop_before="0004_discovery")
    db.execute("INSERT INTO outlets (id, name_ar, name_en, kind) VALUES ('sana', 'سانا', 'SANA', 'agency')")
    db.execute(
        "INSERT INTO articles (id, outlet_id, url, first_seen_at, last_checked_at) "
        "VALUES (1, 'sana', 'https://sana.example/1', '2026-01-21T10:20:00Z', '2026-01-21T10:20:00Z')"
    )
    for at, outcome in (("10:20:00", "ok"), ("10:21:00", "timeout"), ("11:00:00", "blocked")):
        db.execute(
            "INSERT INTO fetches (outlet_id, url, at, outcome, error) VALUES ('sana', 'https://s.org/1', ?, ?, 'x')",
            (f"2026-01-21T{at}Z", outcome),
        )
    migrate(db, path)
    assert db.execute(SQL).fetchall() == [
        ("2026-01-21T10:00:00Z", 2, 1, 0, 1, 1), ("2026-01-21T11:00:00Z", 1, 0, 1, 0, 0),
    ]  # fmt: skip
    assert db.execute("SELECT count(*), count(error) FROM fetches").fetchone() == (3, 3)
    db.close()
