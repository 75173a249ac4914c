"""What an analyst reads, and what `rasid status` says of outlets."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from archive import open_archive
from archive.errors import ArchiveError
from archive.frontier import Visited, source_done, source_failed, source_read, sync_outlets
from archive.looks import look
from archive.models import Link, Look
from archive.times import later
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, SANA, Kit, children

FEED = "https://sana.example/feed"


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(("feed", FEED),))]))
    yield kit
    kit.writer.close()


@pytest.fixture
def archive(kit):
    kit.save(ON_TOPIC)
    kit.save(replace(ON_TOPIC, text=ON_TOPIC.text + "\nوزادت أن العدد 35."), "2026-01-21T11:00:00Z")
    kit.save(OFF_TOPIC, url="https://sana.example/olives")
    kit.save(replace(ON_TOPIC, title="«قسد» تنفي"), "2026-01-21T12:00:00Z", url="https://sana.example/2")
    with open_archive(kit.path) as archive:
        yield archive


def test_an_article_its_versions_matches_and_capture(archive):
    article = archive.article(1)
    assert (article.url, article.outlet_id, article.version_id, article.status) == (
        "https://sana.example/1", "sana", 2, "live",
    )  # fmt: skip
    versions = archive.versions(1)
    assert [(v.number, v.id, v.captured_at) for v in versions] == [
        (1, 1, NOW), (2, 2, "2026-01-21T11:00:00Z"),
    ]  # fmt: skip
    assert versions[0].text == ON_TOPIC.text
    matches = archive.matches(2)
    assert {"isis_detainees", "sdf", "syria"} == {match.topic for match in matches}
    assert all(getattr(versions[1], p.field)[p.start : p.end] == p.surface for match in matches for p in match.passages)
    assert archive.capture(versions[0].capture_id).body == "<p>نص</p>".encode()
    assert [event.kind for event in archive.events()] == ["new", "edited", "new"]
    with pytest.raises(ArchiveError, match="no article 99"):
        archive.article(99)


def test_lists_are_of_kept_articles_newest_first(archive):
    assert [a.id for a in archive.articles()] == [3, 1]
    assert [a.id for a in archive.articles(topic="sdf", outlet_id="sana", limit=1)] == [3]
    assert [a.id for a in archive.articles(since="2026-01-21T11:30:00Z")] == [3]
    assert archive.articles(outlet_id="anha") == []
    assert archive.article(2).version_id is None


@pytest.mark.parametrize(
    ("query", "found"),
    [("قسد", {1, 3}), ("المعتقلين", {1, 3}), ("العدد ٣٥", {1}), ("الزيتون", set()), ("-", set()),
     ('"', set()), ("", set()), ("تنفي OR وزادت", {1, 3}), ("NEAR(", set())],
)  # fmt: skip
def test_search_finds_what_is_there_and_never_fails_on_what_is_typed(archive, query, found):
    assert {hit.article_id for hit in archive.search(query)} == found


def test_a_hit_shows_the_words_as_they_are_written(archive):
    (hit, *_) = archive.search("معتقلي")
    assert "[معتقلين]" in hit.snippet or "[معتقلي]" in hit.snippet
    assert len(archive.search("قسد", limit=1)) == 1


def test_any_sql_with_arabic_functions_read_only_and_bounded(kit, archive):
    assert archive.query("SELECT ar_norm('إدلب') AS n") == [{"n": "ادلب"}]
    found = archive.query("SELECT rowid FROM articles_fts WHERE articles_fts MATCH ar_query(:q)", {"q": "سورية"})
    assert found == [] or found[0]["rowid"]
    with pytest.raises(ArchiveError, match="is opened for reading"):
        archive.query("DELETE FROM mails RETURNING id")
    for wrong in ("SELECT titel FROM versions", "SELECT 1; SELECT 2", "SELECT :a"):
        with pytest.raises(ArchiveError, match="the query is wrong"):
            archive.query(wrong)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n"
    with open_archive(kit.path, limit=0.2) as bounded:
        with pytest.raises(ArchiveError, match=r"stopped after 0\.2 s"):
            bounded.query(endless)
        assert bounded.counts()["kept"] == 2


def test_counts(archive):
    assert archive.counts() == {"kept": 2, "passed": 1, "versions": 3, "missing, in doubt": 0, "withdrawn": 0,
                                "to fetch": 0, "given up": 0, "to look at again": 2, "mails waiting": 0,
                                "mails failed": 0}  # fmt: skip


def health(kit, now=NOW):
    with open_archive(kit.path) as archive:
        (outlet,) = archive.health(now)
        return outlet


def listing(kit, outcome, at, *links):
    seen = Look(FEED, at, outcome, "sana", kit.crawl, error=None if outcome == "ok" else f"{outcome} at {at}")
    if outcome == "ok":
        new = kit.do(lambda tx: source_read(tx, 1, seen, links))
        kit.do(lambda tx: source_done(tx, 1, Visited(at, len(links), new), lambda pace: later(at, 900)))
    else:
        kit.do(lambda tx: source_failed(tx, 1, seen, next_at=later(at, 900)))


def test_an_outlet_never_read_then_well_then_silent(kit):
    assert health(kit).state == "never"
    listing(kit, "ok", NOW, Link("https://sana.example/1"))
    kit.save()
    outlet = health(kit)
    assert (outlet.state, outlet.name, outlet.last_ok_at, outlet.last_new_at) == ("ok", "سانا", NOW, NOW)
    assert (outlet.articles, outlet.kept, outlet.fetches_24h, outlet.errors_24h) == (1, 1, 2, 0)
    assert outlet.next_at == "2026-01-21T10:15:00Z"
    listing(kit, "ok", "2026-01-25T10:00:00Z")
    assert health(kit, "2026-01-25T10:00:00Z").state == "silent"


@pytest.mark.parametrize(
    ("outcome", "state"), [("outage", "failing"), ("tls", "failing"), ("blocked", "blocked"), ("refused", "blocked")]
)
def test_an_outlet_whose_listings_fail(kit, outcome, state):
    for number in range(25):
        listing(kit, outcome, later(NOW, number))
    outlet = health(kit, "2026-01-21T11:00:00Z")
    assert (outlet.state, outlet.errors_24h, outlet.last_ok_at) == (state, 25, None)
    assert outlet.last_error == f"{outcome}: {outcome} at 2026-01-21T10:00:24Z"
    listing(kit, "ok", "2026-01-21T11:00:00Z")
    assert health(kit, "2026-01-21T11:00:00Z").state == "ok"


def test_an_outlet_that_lists_and_lets_nobody_read(kit):
    listing(kit, "ok", NOW, *(Link(f"https://sana.example/{n}") for n in range(4)))
    for number in range(4):
        kit.do(lambda tx, n=number: look(tx, Look(f"https://sana.example/{n}", NOW, "blocked", "sana", kit.crawl)))
    assert health(kit).state == "blocked"


def read_as_nobody(path, pipe):
    if os.getuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with open_archive(path) as archive:
        pipe.send(archive.article(1).title)


@pytest.mark.parametrize("writing", [True, False], ids=["being written", "at rest"])
def test_who_may_only_read_the_directory_can_read_the_archive(writing):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kit = Kit(directory)
        kit.save()
        if not writing:
            kit.writer.close()
        directory.chmod(0o555)
        here, there = children.Pipe(duplex=False)
        child = children.Process(target=read_as_nobody, args=(kit.path, there))
        child.start()
        there.close()
        assert here.recv() == ON_TOPIC.title
        child.join()
        directory.chmod(0o755)
        kit.writer.close()


def test_reading_needs_no_scrapy_and_importing_archive_needs_no_sqlite():
    code = "import sys, archive.errors, archive.models; assert not {'sqlite_utils', 'scrapy'} & set(sys.modules); "
    code += "from archive import open_archive; assert not {'scrapy', 'trafilatura', 'twisted'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
