"""Silent on a healthy archive; each fault is named with its place and mend; what is derived is made anew."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from archive.doctor import Finding, examine, repair, unindexed, writing
from archive.sqlite import connect_read, connect_write
from archive.times import later
from crawler.cli import main
from tests.archive_kit import NOW, OFF_TOPIC, Kit, children, whole


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    kit.save()
    kit.save(OFF_TOPIC, url="https://sana.example/passed")
    yield kit
    kit.writer.close()


def found(kit, **more) -> list[Finding]:
    return [f for f in examine(kit.path, later(NOW, 60), **more) if f.check != "sqlite"]


def told(kit, **more) -> list[tuple[str, bool]]:
    return [(f.check, f.fault) for f in found(kit, **more)]


def test_a_healthy_archive_that_is_being_written_has_nothing(kit):
    assert found(kit) == []
    assert writing(kit.path) == os.getpid()
    kit.writer.close()
    assert found(kit) == []
    assert writing(kit.path) is None


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        ("search index", "DELETE FROM articles_fts"),
        ("search index", "UPDATE articles_fts SET text = 'كلام آخر'"),
        ("search index", "INSERT INTO articles_fts (rowid, title, text) VALUES (77, 'عنوان', 'نص')"),
        ("tallies", "UPDATE tallies SET number = 7 WHERE name = 'kept'"),
        ("tallies", "DELETE FROM tallies"),
        ("dates", "UPDATE articles SET dated_at = NULL"),
        ("places and figures", "INSERT INTO facts_backlog SELECT id FROM versions"),
    ],
)
def test_what_is_derived_is_found_out_of_step_and_made_anew(kit, check, spoil):
    kit.do(lambda tx: tx.db.execute(spoil))
    assert set(told(kit)) == {(check, True)}
    assert all(f.mend == "`rasid doctor --repair`" for f in found(kit))
    assert len(repair(kit.writer)) == 1
    assert found(kit) == []
    assert whole(kit.writer) == []
    assert repair(kit.writer) == []


@pytest.mark.parametrize(
    ("check", "fault", "spoil"),
    [
        ("judgements", True, "DELETE FROM judgements"),
        ("clock", True, "UPDATE fetches SET at = '2031-01-01T00:00:00Z'"),
        ("clock", True, "INSERT INTO notices (key, text, at, last_at) VALUES ('clock', '7 minutes behind', '', '')"),
        ("requests", False, "INSERT INTO requests (kind, target, at) VALUES ('crawl', 'sana', '2026-01-20')"),
        ("outbox", True, "INSERT INTO mails (rule, channel, recipient, kind, message_id, created_at, next_attempt_at, "
                         "error) VALUES ('r', 'email', 'a@b.example', 'instant', 'm', '', '2026-01-20', '421 later')"),
        ("outbox", False, "INSERT INTO mails (rule, channel, recipient, kind, message_id, created_at, state, error) "
                          "VALUES ('r', 'email', 'a@b.example', 'instant', 'm', '', 'failed', '550 nobody')"),
        ("schema", True, "DELETE FROM _sqlite_migrations WHERE name LIKE '0010%'"),
        ("schema", True, "INSERT INTO _sqlite_migrations VALUES (99, 'rasid', '9999_x', '')"),
        ("keys", True, "PRAGMA foreign_keys=OFF; INSERT INTO events (at, kind, article_id) VALUES ('2026', 'new', 99)"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_mend(kit, check, fault, spoil):
    kit.writer.close()
    db = connect_write(kit.path)
    for statement in spoil.split(";"):
        db.execute(statement)
    db.close()
    (finding,) = found(kit)
    assert (finding.check, finding.fault) == (check, fault)
    assert finding.what
    assert finding.mend


def test_files_are_held_to_the_rows(kit):
    directory = kit.path.parent / "captures"
    kept, passed = (next(directory.glob(f"{series}-*")) for series in ("kept", "passed"))
    size = kept.stat().st_size
    os.truncate(kept, size - 5)
    passed.rename(directory / "passed-2020-01-01-00.warc.gz")
    os.utime(directory / "passed-2020-01-01-00.warc.gz", (0, 0))
    (directory / "kept-2020-01-01-00.warc.gz.unclaimed").touch()
    assert sorted(told(kit)) == [("captures", False), ("captures", True), ("captures", True), ("captures", True)]
    said = " ".join(f.what for f in found(kit))
    assert f"{kept} is 5 bytes shorter than the archive knows" in said
    assert f"{passed} is missing" in said
    assert "holds nothing the archive knows" in said
    assert "was set aside after a crash" in said


def test_disk_permissions_and_damage(kit):
    assert told(kit, free_space=10**18) == [("disk", True)]
    kit.path.chmod(0o666)
    assert told(kit) == [("permissions", True)]
    kit.path.chmod(0o644)
    os.utime(kit.path, (time.time() + 9e4,) * 2)
    assert told(kit) == [("clock", True)]
    kit.writer.close()
    spoilt = bytearray(kit.path.read_bytes())
    spoilt[len(spoilt) // 2 :] = bytes(len(spoilt) - len(spoilt) // 2)
    kit.path.write_bytes(spoilt)
    assert ("integrity", True) in told(kit)


def examine_as_nobody(path, pipe):
    if os.getuid() == 0:
        os.setuid(65534)
    pipe.send([f.mend for f in examine(path, NOW) if f.check == "integrity"])


def test_an_archive_of_another_account_is_given_back_not_restored():
    with TemporaryDirectory() as name:
        kit = Kit(Path(name))
        kit.writer.close()
        kit.path.chmod(0)
        Path(name).chmod(0o755)
        here, there = children.Pipe(duplex=False)
        child = children.Process(target=examine_as_nobody, args=(kit.path, there))
        child.start()
        there.close()
        assert here.recv() == ["give it to who runs Rasid"]
        child.join()


def test_the_index_is_compared_in_batches_without_end(kit, monkeypatch):
    monkeypatch.setattr("archive.doctor.BATCH", 2)
    for number in range(5):
        kit.save(url=f"https://sana.example/{number}")
    kit.do(lambda tx: tx.db.execute("DELETE FROM articles_fts WHERE rowid IN (3, 6)"))
    db = connect_read(kit.path)
    assert [id_ for ids in unindexed(db) for id_, *_ in ids] == [3, 6]
    db.close()


def test_the_command(tmp_path):
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\n[keep]\nfree_space = "1MB"\n')
    (tmp_path / "outlets.toml").write_text("")
    kit = Kit(tmp_path)
    kit.save()
    kit.do(lambda tx: tx.db.execute("DELETE FROM articles_fts"))
    where = ["--config", str(tmp_path)]
    sick = CliRunner().invoke(main, ["doctor", *where])
    assert sick.exit_code == 1
    assert "fault: search index" in sick.stdout
    busy = CliRunner().invoke(main, ["doctor", "--repair", *where])
    assert (busy.exit_code, "written by another Rasid" in busy.stderr) == (1, True)
    kit.writer.close()
    mended = CliRunner().invoke(main, ["doctor", "--repair", "--json", *where])
    assert mended.exit_code == 0
    assert json.loads(mended.stdout)["repaired"] == ["the search index was brought in step with 1 articles"]
    assert CliRunner().invoke(main, ["doctor", "--config", str(tmp_path / "none")]).exit_code in (1, 2)
