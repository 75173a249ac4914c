"""What is dropped in time, and what never is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archive import doctor, writer
from archive.frontier import finish_crawl, finish_request, request, start_crawl, sync_outlets
from archive.reading import open_archive
from archive.sqlite import connect_read
from archive.times import later
from archive.upkeep import PruneReport, prunable, prune
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, SANA, Kit, unlike, whole

DAY = 86400


@pytest.fixture
def kit(tmp_path):
    """Forty days of one kept and two passed articles a day, captured on every tenth."""
    kit = Kit(tmp_path)
    for day in range(0, 41, 10):
        at = later(NOW, day * DAY)
        kit.save(ON_TOPIC, at, url=f"https://sana.example/{day}/kept")
        for number in range(2):
            kit.save(OFF_TOPIC, at, url=f"https://sana.example/{day}/{number}")
    yield kit
    assert whole(kit.writer) == []
    kit.writer.close()


def files(kit, series):
    return sorted(path.name for path in (kit.path.parent / "captures").glob(f"{series}-*"))


def test_a_dry_run_says_what_would_go_and_touches_nothing(kit):
    before = files(kit, "passed")
    with open_archive(kit.path) as archive:
        report = prunable(archive, kit.clock.at, passed_days=15, fetches_days=25)
    assert (report.files, report.captures, report.fetches) == (3, 6, 6)
    assert report.bytes > 1000
    assert files(kit, "passed") == before
    assert kit.one("SELECT count(*) FROM captures") == 15
    assert prune(kit.writer, passed_days=15, fetches_days=25) == report


def test_old_passed_files_go_whole_and_kept_ones_never(kit):
    kept = files(kit, "kept")
    prune(kit.writer, passed_days=15)
    assert files(kit, "passed") == ["passed-2026-02-20-00.warc.gz", "passed-2026-03-02-00.warc.gz"]
    assert files(kit, "kept") == kept
    assert kit.rows("SELECT series, count(*) FROM captures GROUP BY series") == [("kept", 5), ("passed", 4)]
    assert kit.one("SELECT count(*) FROM articles") == 15  # known still, so that they are not fetched again


def test_the_file_still_in_use_is_not_dropped_under_the_writer(kit):
    prune(kit.writer, passed_days=0)
    assert files(kit, "passed") == ["passed-2026-03-02-00.warc.gz"]
    assert kit.save(OFF_TOPIC, kit.clock.at, url="https://sana.example/new").kind == "passed"


def test_a_file_with_one_young_capture_stays(kit):
    kit.do(lambda tx: tx.db.execute("UPDATE captures SET at = ? WHERE id = 2", (kit.clock.at,)))
    prune(kit.writer, passed_days=15)
    assert "passed-2026-01-21-00.warc.gz" in files(kit, "passed")


def test_fetch_rows_are_kept_ninety_days(kit):
    assert prune(kit.writer, passed_days=30).fetches == 0
    kit.clock.at = later(NOW, 101 * DAY)
    assert prune(kit.writer, passed_days=1000) == PruneReport(fetches=6)
    assert kit.one("SELECT count(*) FROM fetches") == 9


def test_crawls_and_requests_go_with_their_fetches_and_the_last_crawl_of_each_outlet_stays(kit):
    def crawl(day, outlet="sana", ended=True):
        kit.clock.at = later(NOW, day * DAY)
        number = kit.do(lambda tx: start_crawl(tx, outlet))
        if ended:
            kit.home(kit.clock.at, outlet=outlet) if outlet else None
            kit.do(lambda tx: finish_crawl(tx, number))
        return number

    kit.do(lambda tx: sync_outlets(tx, [SANA, replace(SANA, id="quiet")]))
    old, quiet, _, page, hung = crawl(50), crawl(51, "quiet"), crawl(52, None), crawl(53, None), crawl(54, ended=False)
    young = crawl(150)
    asked = [request(kit.path, "save", "https://sana.example/1", later(NOW, day * DAY)) for day in (50, 51)]
    kit.do(lambda tx: finish_request(tx, asked[0]))  # at day 150
    kit.clock.at = later(NOW, 160 * DAY)
    with open_archive(kit.path) as archive:
        before = prunable(archive, kit.clock.at, passed_days=1000)
    assert prune(kit.writer, passed_days=1000) == before
    assert (before.crawls, before.requests) == (2, 0)
    left = [kit.crawl, quiet, page, hung, young]  # what never ended is nobody's to drop
    assert kit.rows("SELECT id FROM crawls ORDER BY id") == [(number,) for number in left]
    assert old not in left
    kit.clock.at = later(NOW, 250 * DAY)
    assert prune(kit.writer, passed_days=1000).requests == 1  # the other one is still open


def test_a_log_that_a_reader_holds_is_told_and_emptied_once_it_is_done(kit, monkeypatch):
    log, reader = kit.path.with_name("archive.db-wal"), connect_read(kit.path)

    def folded():
        kit.writer.fold_log()
        for _ in range(2):  # it is done before the next group is begun
            kit.do(lambda tx: None)
        return log.stat().st_size

    assert folded() == 0
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM articles").fetchone()
    monkeypatch.setattr(doctor, "LARGE_LOG", 100_000)
    monkeypatch.setattr(writer, "FOLD_MS", 10)
    for number in range(10):
        kit.save(unlike(number), kit.clock.at, url=f"https://sana.example/more/{number}")
    size = folded()
    what, mend = doctor.swollen(kit.path)
    assert (f"{log} has grown to" in what, "end what holds" in mend) == (True, True)
    assert size > 100_000
    assert reader.execute("SELECT count(*) FROM articles").fetchone() == before
    reader.execute("COMMIT")
    assert (folded(), doctor.swollen(kit.path)) == (0, None)
    reader.close()
