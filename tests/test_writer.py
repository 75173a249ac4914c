"""The writer under everything that goes wrong: kills, locks, full disks, rivals, operations that fail."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from archive import open_archive
from archive.errors import ArchiveBusy, ArchiveError, StorageFull
from archive.frontier import due_articles, due_outlets, held_hosts, hold_host, set_next, sync_outlets
from archive.sqlite import connect_write
from archive.store import save
from archive.writer import Writer
from tests.archive_kit import ON_TOPIC, SANA, Kit, StandingClock, children, page, policy, save_until_killed, shot, whole


def kill_often(path: Path, times: int, seed: int) -> int:
    """Kill a saving process at random instants; each time everything acknowledged must be there, and whole."""
    acknowledged: set[int] = set()
    chance = random.Random(seed)
    for run in range(times):
        here, there = children.Pipe(duplex=False)
        child = children.Process(target=save_until_killed, args=(path, run, there))
        child.start()
        there.close()
        assert here.poll(20), "the process saved nothing"
        time.sleep(chance.uniform(0, 0.12))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        try:
            while here.poll():
                acknowledged.add(here.recv())
        except EOFError:
            pass
        with Writer(path, policy()) as writer:
            assert whole(writer) == []
            versions = writer.submit(lambda tx: {row[0] for row in tx.db.execute("SELECT id FROM versions")}).result()
        assert acknowledged <= versions
    files = [str(file) for file in (path.parent / "captures").glob("*.warc.gz")]
    assert subprocess.run([Path(sys.executable).parent / "warcio", "check", *files], check=False).returncode == 0
    return len(acknowledged)


def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_half_written(tmp_path):
    assert kill_often(tmp_path / "archive.db", 8, seed=1) >= 8


def test_kill_9_while_an_archive_is_being_made_or_opened(tmp_path):
    chance = random.Random(3)
    for run in range(8):
        path = tmp_path / str(run // 2) / "archive.db"  # every other one exists already
        path.parent.mkdir(exist_ok=True)
        _, there = children.Pipe(duplex=False)
        child = children.Process(target=save_until_killed, args=(path, run, there))
        child.start()
        time.sleep(chance.uniform(0.01, 0.12))
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with Writer(path, policy()) as writer:
            assert writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/after")))).result()
            assert whole(writer) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kill_9_at_five_hundred_instants(tmp_path):
    for part in range(5):  # an archive for each, or checking it whole would take ever longer
        (tmp_path / str(part)).mkdir()
        assert kill_often(tmp_path / str(part) / "archive.db", 100, seed=20 + part) > 100


def hold_lock(path: Path, pipe) -> None:
    db = connect_write(path)
    db.execute("BEGIN IMMEDIATE")
    pipe.send("locked")
    pipe.recv()
    db.execute("ROLLBACK")
    db.close()


def locked_by_another(path: Path):
    here, there = children.Pipe()
    child = children.Process(target=hold_lock, args=(path, there), daemon=True)
    child.start()
    assert here.recv() == "locked"
    return child, here


def test_database_locked_by_another_process_is_waited_for(tmp_path):
    kit = Kit(tmp_path)
    child, pipe = locked_by_another(kit.path)
    waiting = kit.writer.submit(lambda tx: save(tx, shot()))
    time.sleep(1.5)
    assert not waiting.done()
    pipe.send("free")
    assert waiting.result(timeout=20).kind == "new"
    child.join()
    kit.writer.close()


def test_database_locked_too_long_is_told_in_a_sentence_and_mended_by_itself(tmp_path):
    with Writer(tmp_path / "archive.db", policy(), busy_seconds=0.2) as writer:
        child, pipe = locked_by_another(tmp_path / "archive.db")
        with pytest.raises(ArchiveBusy, match="locked by another process"):
            writer.submit(lambda tx: save(tx, shot())).result(timeout=20)
        pipe.send("free")
        child.join()
        assert writer.submit(lambda tx: save(tx, shot())).result().kind == "new"
        assert whole(writer) == []


def fill_disk(path: Path, text_repeats: int, body_bytes: int, pipe) -> None:
    """Save under a file size limit until there is no room; make room; save again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Writer(path, policy(), group_size=4) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, resource.RLIM_INFINITY))
        saved, failed = [], []
        for number in range(400):
            article = shot().article
            article = type(article)(article.title, f"{article.text} {number}\n" * text_repeats, extractor="test 1")
            snapshot = shot(article, page(f"https://sana.example/{number}", body=os.urandom(body_bytes)))
            try:
                saved.append(writer.submit(lambda tx, shot=snapshot: save(tx, shot)).result().version_id)
            except StorageFull as error:
                failed.append(str(error))
                break
        assert failed
        assert "no room left" in failed[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wrong = whole(writer)
        after = writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/after")))).result()
        pipe.send((saved, failed, wrong, after.kind, whole(writer)))


@pytest.mark.parametrize(("text_repeats", "body_bytes"), [(1, 200_000), (400, 10)], ids=["captures", "database"])
def test_full_disk_leaves_nothing_half_written_and_saving_goes_on_when_there_is_room(
    tmp_path, text_repeats, body_bytes
):
    here, there = children.Pipe(duplex=False)
    child = children.Process(target=fill_disk, args=(tmp_path / "archive.db", text_repeats, body_bytes, there))
    child.start()
    there.close()
    saved, failed, wrong, after, wrong_after = here.recv()
    child.join()
    assert (wrong, after, wrong_after) == ([], "new", [])
    assert len(saved) > 2
    assert len(failed) == 1
    with open_archive(tmp_path / "archive.db") as archive:
        assert archive.counts()["versions"] == len(saved) + 1


def test_a_second_writer_refuses_in_one_sentence_naming_the_first(tmp_path):
    kit = Kit(tmp_path)
    with pytest.raises(ArchiveBusy, match=rf"written by another Rasid \(process {os.getpid()}\)"):
        Writer(kit.path, policy())
    kit.writer.close()
    Writer(kit.path, policy()).close()


def test_one_operation_that_fails_undoes_only_itself(tmp_path):
    kit = Kit(tmp_path)
    hold = threading.Event()
    kit.writer.submit(lambda tx: hold.wait(10))  # so that the next three are one group

    def spoil(tx):
        save(tx, shot(page=page("https://sana.example/2")))
        raise LookupError("spoilt")

    first = kit.writer.submit(lambda tx: save(tx, shot()))
    second = kit.writer.submit(spoil)
    third = kit.writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/3"))))
    hold.set()
    with pytest.raises(LookupError, match="spoilt"):
        second.result(timeout=20)
    assert (first.result(timeout=20).kind, third.result(timeout=20).kind) == ("new", "new")
    assert kit.rows("SELECT url FROM articles") == [("https://sana.example/1",), ("https://sana.example/3",)]
    assert whole(kit.writer) == []
    kit.writer.close()


def test_a_reader_in_the_middle_of_a_query_does_not_hold_up_the_writer(tmp_path):
    kit = Kit(tmp_path)
    for number in range(5):
        kit.save(url=f"https://sana.example/{number}")
    with open_archive(kit.path) as archive:
        rows = iter(archive.db.query("SELECT id FROM articles"))
        next(rows)
        assert kit.save(url="https://sana.example/new").kind == "new"
        assert len(list(rows)) == 4  # it goes on with what it began to read
        assert archive.counts()["kept"] == 6
    kit.writer.close()


def test_submit_waits_while_too_much_is_queued(tmp_path):
    with Writer(tmp_path / "archive.db", policy(), max_bytes=1000) as writer:
        hold, entered = threading.Event(), threading.Event()
        writer.submit(lambda tx: (entered.set(), hold.wait(10)))
        entered.wait(10)
        writer.submit(lambda tx: None, size=900)
        second = threading.Thread(target=lambda: writer.submit(lambda tx: None, size=900))
        second.start()
        second.join(0.3)
        assert second.is_alive()
        assert writer.waiting == 900
        hold.set()
        second.join(10)
        assert not second.is_alive()


def test_closing_writes_what_is_queued_and_then_refuses(tmp_path):
    kit = Kit(tmp_path)
    hold = threading.Event()
    kit.writer.submit(lambda tx: hold.wait(10))
    queued = [
        kit.writer.submit(lambda tx, n=n: save(tx, shot(page=page(f"https://sana.example/{n}")))) for n in range(60)
    ]
    hold.set()
    kit.writer.close()
    kit.writer.close()
    assert all(future.result(timeout=0).kind == "new" for future in queued)
    with pytest.raises(ArchiveError, match="closed"):
        kit.writer.submit(lambda tx: None)
    assert not kit.path.with_name("archive.db-wal").exists()


def test_a_crawl_cut_short_by_a_crash_is_marked_at_the_next_start(tmp_path):
    kit = Kit(tmp_path)
    kit.writer.close()
    with Writer(kit.path, policy()) as writer:
        (row,) = writer.submit(lambda tx: tx.db.execute("SELECT outcome FROM crawls").fetchall()).result()
    assert row == ("interrupted",)


def test_a_clock_that_was_years_ahead_leaves_nothing_waiting_for_years(tmp_path):
    kit = Kit(tmp_path)
    kit.do(lambda tx: sync_outlets(tx, [replace(SANA, sources=(("feed", "https://sana.example/feed"),))]))
    kit.do(lambda tx: set_next(tx, [1], "2031-01-01T00:00:00Z"))
    kit.do(lambda tx: hold_host(tx, "sana.example", "2026-02-21T00:00:00Z", "429"))  # a day at most, if it was right
    kit.save(at="2031-01-01T00:00:00Z")
    kit.writer.close()
    clock = StandingClock("2026-01-21T12:00:00Z")
    with Writer(kit.path, policy(), clock=clock) as writer:
        due = writer.submit(lambda tx: (due_outlets(tx.db, clock.at), len(due_articles(tx.db, "sana", clock.at, 9))))
        assert due.result() == (["sana"], 1)
        assert writer.submit(lambda tx: held_hosts(tx.db, clock.at)).result() == {}


def test_a_new_archive_is_not_put_beside_the_captures_of_another(tmp_path):
    kit = Kit(tmp_path)
    kit.save()
    kit.writer.close()
    with pytest.raises(ArchiveError, match="captures of another archive"):
        Writer(tmp_path / "other.db", policy())
    assert open_archive(kit.path).article(1).title == ON_TOPIC.title


def test_an_archive_of_a_newer_release_is_left_alone(tmp_path):
    kit = Kit(tmp_path)
    kit.do(lambda tx: tx.db.table("_sqlite_migrations").insert(
        {"migration_set": "rasid", "name": "9999_future", "applied_at": "later"}))  # fmt: skip
    kit.writer.close()
    for opening in (lambda: Writer(kit.path, policy()), lambda: open_archive(kit.path)):
        with pytest.raises(ArchiveError, match="newer Rasid"):
            opening()


def test_what_is_no_archive_is_told_in_a_sentence(tmp_path):
    (tmp_path / "archive.db").write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(ArchiveError, match=r"archive\.db cannot be used"):
        Writer(tmp_path / "archive.db", policy())
    with pytest.raises(ArchiveError, match="does not exist"):
        open_archive(tmp_path / "nothing.db")


@pytest.mark.parametrize("what", ["archive.db*", "captures", "archive.lock"])
def test_an_archive_taken_away_while_in_use_takes_no_more_and_says_so(tmp_path, what):
    kit = Kit(tmp_path)
    kit.save()
    (away := tmp_path / "away").mkdir()
    for file in tmp_path.glob(what):
        file.rename(away / file.name)
    with pytest.raises(ArchiveError, match="moved or deleted"):
        kit.save(page=page("https://sana.example/2"))
    (tmp_path / what.rstrip("*")).touch()  # another file of that name is not ours either
    with pytest.raises(ArchiveError, match="moved or deleted"):
        kit.save(page=page("https://sana.example/2"))
    (tmp_path / what.rstrip("*")).unlink()
    for file in away.iterdir():
        file.rename(tmp_path / file.name)
    kit.save(page=page("https://sana.example/2"))
    assert whole(kit.writer) == []
