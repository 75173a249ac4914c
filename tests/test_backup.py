"""A copy of the archive: consistent while it is written, no more copied than is lacking, never worse than before."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive import open_archive
from archive.backup import backup
from archive.errors import ArchiveBusy, ArchiveError, UsageError
from archive.ledger import head
from archive.store import save
from archive.upkeep import prune
from archive.writer import Writer
from crawler.cli import main
from tests.archive_kit import NOW, OFF_TOPIC, ON_TOPIC, Kit, children, page, policy, shot, whole


@pytest.fixture
def kit(tmp_path):
    """An archive in a directory of its own, with two articles and one that was passed over."""
    (tmp_path / "desk").mkdir()
    kit = Kit(tmp_path / "desk")
    for number in range(2):
        kit.save(url=f"https://sana.example/{number}")
    kit.save(OFF_TOPIC, url="https://sana.example/passed")
    yield kit
    kit.writer.close()


def captures(directory: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (directory / "captures").glob("*")}


def restored(copy: Path) -> None:
    """A backup is an archive: it opens, is whole, and goes on."""
    with Writer(copy, policy()) as writer:
        assert whole(writer) == []
        assert writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/after")))).result().kind == "new"
        assert whole(writer) == []
    with open_archive(copy) as archive:
        assert next(hit.url for hit in archive.search("معتقلي داعش")) == "https://sana.example/after"


def test_a_backup_made_beside_the_writer_opens_and_goes_on(kit, tmp_path):
    report = backup(kit.path, tmp_path / "copy")
    assert (report.versions, report.files, report.damaged) == (2, 2, ())
    assert report.ledger_head == kit.do(lambda tx: head(tx.db))
    assert captures(tmp_path / "copy") == captures(tmp_path / "desk")
    restored(tmp_path / "copy" / "archive.db")


def test_the_next_one_copies_only_what_is_new(kit, tmp_path):
    first = backup(kit.path, tmp_path / "copy")
    assert backup(kit.path, tmp_path / "copy").capture_bytes == 0
    size = sum(p.stat().st_size for p in (tmp_path / "desk" / "captures").glob("*"))
    kit.save(url="https://sana.example/2")
    grown = sum(p.stat().st_size for p in (tmp_path / "desk" / "captures").glob("*")) - size
    second = backup(kit.path, tmp_path / "copy")
    assert (first.capture_bytes, second.capture_bytes) == (size, grown)
    assert second.versions == 3
    restored(tmp_path / "copy" / "archive.db")


def test_saves_go_on_during_a_backup_and_none_of_them_is_half_in_it(kit, tmp_path):
    done, saved = threading.Event(), []

    def work() -> None:
        while not done.is_set():
            number = len(saved)
            snapshot = shot(page=page(f"https://sana.example/more/{number}", body=os.urandom(20_000)))
            kit.writer.submit(partial(save, snapshot=snapshot)).result()
            saved.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(4):
            before = len(saved)
            report = backup(kit.path, tmp_path / "copy")
            assert report.versions >= 2 + before
            assert report.damaged == ()
    finally:
        done.set()
        thread.join()
    assert saved
    restored(tmp_path / "copy" / "archive.db")


def test_what_was_pruned_leaves_the_backup_too(kit, tmp_path):
    backup(kit.path, tmp_path / "copy")
    kit.clock.at = "2026-03-21T10:00:00Z"
    kit.save(OFF_TOPIC, kit.clock.at, url="https://sana.example/later")
    prune(kit.writer, passed_days=30)
    backup(kit.path, tmp_path / "copy")
    assert sorted(captures(tmp_path / "copy")) == ["kept-2026-01-21-00.warc.gz", "passed-2026-03-21-00.warc.gz"]
    restored(tmp_path / "copy" / "archive.db")


def test_files_pruned_while_it_copies_make_it_begin_again(kit, tmp_path):
    kit.clock.at = "2026-03-21T10:00:00Z"
    kit.save(OFF_TOPIC, kit.clock.at, url="https://sana.example/later")
    said = []

    def progress(line: str) -> None:
        if line == "database: being checked" and line not in said:
            prune(kit.writer, passed_days=30)
        said.append(line)

    assert backup(kit.path, tmp_path / "copy", progress).files == 2
    assert any("beginning again" in line for line in said)
    restored(tmp_path / "copy" / "archive.db")


def test_places_that_cannot_be_meant_are_refused(kit, tmp_path):
    for inside in (tmp_path / "desk", tmp_path / "desk" / "captures" / "copy"):
        with pytest.raises(UsageError, match="inside the archive's own directory"):
            backup(kit.path, inside)
    (tmp_path / "other").mkdir()
    other = Kit(tmp_path / "other")
    other.save(ON_TOPIC, "2026-01-22T00:00:00Z", url="https://sana.example/other")
    backup(other.path, tmp_path / "copy")
    other.writer.close()
    before = captures(tmp_path / "copy")
    with pytest.raises(UsageError, match="backup of another archive"):
        backup(kit.path, tmp_path / "copy")
    assert captures(tmp_path / "copy") == before
    with pytest.raises(ArchiveError, match="does not exist"):
        backup(tmp_path / "nothing" / "archive.db", tmp_path / "elsewhere")


def test_a_backup_somebody_works_with_is_left_alone(kit, tmp_path):
    backup(kit.path, tmp_path / "copy")
    with Writer(tmp_path / "copy" / "archive.db", policy()) as writer:
        with pytest.raises(ArchiveBusy, match="written by another Rasid"):
            backup(kit.path, tmp_path / "copy")
        writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/fork")))).result()
    with pytest.raises(UsageError, match="went on since"):
        backup(kit.path, tmp_path / "copy")


def test_a_damaged_archive_does_not_replace_a_good_backup(kit, tmp_path):
    backup(kit.path, tmp_path / "copy")
    good = (tmp_path / "copy" / "archive.db").read_bytes()
    kit.do(lambda tx: tx.db.execute("PRAGMA foreign_keys=OFF"))
    kit.writer.close()
    with Writer(kit.path, policy()) as writer:
        writer._db.execute("PRAGMA foreign_keys=OFF")
        writer.submit(
            lambda tx: tx.db.execute("INSERT INTO events (at, kind, article_id) VALUES ('', 'new', 99)")
        ).result()
    with pytest.raises(ArchiveError, match="is damaged"):
        backup(kit.path, tmp_path / "copy")
    assert (tmp_path / "copy" / "archive.db").read_bytes() == good


def test_a_spoilt_record_is_named_and_one_already_copied_is_kept_as_it_was(kit, tmp_path):
    backup(kit.path, tmp_path / "copy")
    file = next((tmp_path / "desk" / "captures").glob("kept-*"))
    good = file.read_bytes()
    kit.save(url="https://sana.example/2")
    spoilt = bytearray(file.read_bytes())
    spoilt[len(good) // 2] ^= 1
    spoilt[-9] ^= 1
    file.write_bytes(spoilt)
    report = backup(kit.path, tmp_path / "copy")
    assert len(report.damaged) == 1
    assert "rasid verify" in report.damaged[0]
    assert (tmp_path / "copy" / "captures" / file.name).read_bytes().startswith(good)


def make_backup(path: Path, copy: Path) -> None:
    backup(path, copy)


def test_a_backup_cut_short_anywhere_leaves_one_that_opens(kit, tmp_path):
    backup(kit.path, tmp_path / "copy")
    for number in range(12):
        kit.save(url=f"https://sana.example/more/{number}")
        child = children.Process(target=make_backup, args=(kit.path, tmp_path / "copy"))
        child.start()
        time.sleep(0.004 * number)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        with open_archive(tmp_path / "copy" / "archive.db") as archive:
            for row in archive.query("SELECT id FROM captures"):
                archive.capture(row["id"])
    assert backup(kit.path, tmp_path / "copy").versions == 14
    restored(tmp_path / "copy" / "archive.db")


def test_the_command(tmp_path):
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "rasid.toml").write_text('contact = "desk@example.org"\n')
    (tmp_path / "desk" / "outlets.toml").write_text("")
    kit = Kit(tmp_path / "desk")
    kit.save(at=NOW)
    where = ["backup", str(tmp_path / "copy"), "--config", str(tmp_path / "desk")]
    done = CliRunner().invoke(main, [*where, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["versions"]) == (0, 1)
    assert "1 versions" in CliRunner().invoke(main, where).stdout
    assert CliRunner().invoke(main, ["backup", str(tmp_path / "desk" / "x"), *where[2:]]).exit_code == 2
    kit.writer.close()
