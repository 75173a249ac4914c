"""Coverage: hour by hour, what was looked at and found, in archives old and new."""

import asyncio
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from archive.coverage import OutletCoverage, gaps
from archive.desk.server import open_desk
from archive.frontier import sync_outlets
from archive.looks import look
from archive.migrations import STEPS, migrate
from archive.models import Look
from archive.sqlite import connect_write
from crawler.cli import main
from tests.archive_kit import NOW, OFF_TOPIC, SANA, Kit

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


@pytest.fixture
def desk(tmp_path):
    """A configuration whose archive saw one outlet answer, one refuse, and one never answer, in 2026; none since."""
    assert CliRunner().invoke(main, ["init", str(tmp_path), "--contact", "desk@example.org"]).exit_code == 0
    kit = Kit(tmp_path)
    outlets = [SANA, replace(SANA, id="nas", name_ar="ناس"), replace(SANA, id="jisr", name_ar="جسر")]
    outlets = [replace(outlet, sources=(("feed", f"https://{outlet.id}.example/feed"),)) for outlet in outlets]
    kit.do(lambda tx: sync_outlets(tx, outlets))
    kit.save()
    for outlet, outcome in (("nas", "blocked"), ("jisr", "timeout")):
        kit.do(lambda tx, o=outlet, c=outcome: look(tx, Look(f"https://{o}.example/feed", NOW, c, o)))
    kit.writer.close()
    return tmp_path


def test_a_search_says_who_could_not_be_read_in_its_time(desk):
    def search(*more):
        done = CliRunner().invoke(main, ["search", "--config", str(desk), *more])
        assert done.exit_code == 0, done.output
        return done

    found = search("قسد", "--since", "2026-01-21", "--until", "2026-01-22")
    assert "قسد تنقل" in found.stdout
    assert "2 of 3 outlets could not be read from 2026-01-21" in found.stderr
    assert "nas (blocked)" in found.stderr
    assert "jisr (unreachable)" in found.stderr
    nothing = search("قسد", "--since", "1h")
    assert "No article matches" in nothing.stdout
    assert "3 of 3 outlets" in nothing.stderr  # nobody was looked at
    assert "sana (no look)" in search("قسد").stderr
    assert json.loads(search("قسد", "--json").stdout)[0]["outlet_id"] == "sana"
    wrong = CliRunner().invoke(main, ["search", "قسد", "--since", "أمس", "--config", str(desk)])
    assert (wrong.exit_code, "2026-01-21" in wrong.output) == (2, True)


def test_status_and_the_desk_say_it_too(desk):
    assert "3 of 3 outlets could not be read" in CliRunner().invoke(main, ["status", "--config", str(desk)]).output
    site = open_desk(desk / "archive.db")
    page = asyncio.run(site.client.get("/archive/search?q=كلمةغائبة&since=2026-01-21"))
    assert "2 of 3 outlets could not be read since 2026-01-21" in page.text
    assert "could not be read" not in asyncio.run(site.client.get("/archive/newest")).text


def test_partly_and_silent_outlets_are_read():
    rows = [OutletCoverage(name, name, *counts) for name, counts in
            {"a": (9, 1, 8, 0, 0), "b": (2, 2, 0, 0, 0), "c": (2, 2, 0, 0, 1)}.items()]  # fmt: skip
    assert [row.state for row in rows] == ["partly", "silent", "reachable"]
    assert gaps(rows, "2026") is None
    refused = [OutletCoverage(f"o{n}", "x", 1, 0, 1, 0, 0) for n in range(7)]
    assert gaps(refused, "2026-01", names=2).endswith("o0 (blocked), o1 (blocked) and 5 more")
