"""A redaction leaves hashes alone, and stays open until nothing of the words is left."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.backup import backup
from archive.doctor import examine
from archive.errors import ArchiveError, UsageError
from archive.export import bundle
from archive.ledger import head
from archive.reading import open_archive
from archive.redaction import blank, redact
from archive.sqlite import connect_read
from archive.store import save
from archive.upkeep import close_files
from archive.verify import verify
from archive.writer import Writer
from crawler.cli import main
from tests.archive_kit import children, policy, shot
from tests.evidence_kit import RICH, filled, looked, run_steps, shown, url


@pytest.fixture
def kit(tmp_path):
    with filled(tmp_path) as kit:
        yield kit


def traces(directory: Path, words: str) -> list[str]:
    """Files that hold these words, as they are or within what gzip packed."""
    found = []
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        data = path.read_bytes()
        parts, rest = [data], data
        while path.suffix == ".gz" and rest[:2] == b"\x1f\x8b":
            member = zlib.decompressobj(31)
            parts.append(member.decompress(rest))
            rest = member.unused_data
        if any(words.encode() in part for part in parts):
            found.append(path.name)
    return found


def test_a_redaction_takes_every_trace_and_leaves_what_proves_the_gap(kit, tmp_path):
    secret = "طفلة مريم الزعبي"
    told = replace(RICH, title=f"{RICH.title} {secret}", text=f"{secret}\n{RICH.text}", author=secret)
    kit.save(told, "2026-01-22T12:00:00Z", page=shown(20, secret, "2026-01-22T12:00:00Z"))
    edited = replace(told, text=f"{told.text}\nوقالت {secret} إن ثلاثة قُتلوا.")
    kit.save(edited, "2026-01-23T12:00:00Z", page=shown(20, f"{secret} ثلاثة", "2026-01-23T12:00:00Z"))
    kit.do(lambda tx: tx.db.execute("INSERT INTO frontier (url, found_at, title, content) VALUES (?, ?, ?, ?)",
                                    (url(20), kit.clock.at, secret, secret)))  # fmt: skip
    before = kit.do(lambda tx: head(tx.db))
    kit.clock.at = "2026-01-24T12:00:00Z"
    close_files(kit.writer)
    with pytest.raises(UsageError, match="needs a reason"):
        kit.do(lambda tx: redact(tx, 7, " "))
    kit.writer.close()
    assert traces(tmp_path, secret)
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\n')
    options = ["redact", "7", "--reason", "قاصر", "--yes", "--config", str(tmp_path)]
    done = CliRunner().invoke(main, options)
    assert done.exit_code == 0, done.output
    assert traces(tmp_path, secret) == []
    report = verify(kit.path, again_s=0)
    assert [f.kind for f in report.findings] == ["redacted", "redacted"]
    assert not [finding for finding in examine(kit.path, kit.clock.at) if finding.check == "search index"]
    for command in ("show", "diff"):
        said = CliRunner().invoke(main, [command, "7", "--config", str(tmp_path)]).stdout
        assert re.search(r"redacted: +20\S+Z +\u2068قاصر", said)
        assert "Nothing that a reader would call a change" not in said
    assert report.head == before
    captures = sorted((tmp_path / "captures").glob("*.warc.gz"))
    assert subprocess.run([Path(sys.executable).parent / "warcio", "check", *captures]).returncode == 0
    with open_archive(kit.path) as archive:
        assert archive.article(7).title == "[redacted]"
        out = bundle(archive, 7, tmp_path / "evidence")
        assert [h.article_id for h in archive.search("مريم")] == []
    assert "THIS ARTICLE WAS REDACTED" in (out / "README.txt").read_text(encoding="utf-8")
    said = run_steps(out, before)
    gone = {"title", "text", "author", "section", "credit", "related"}
    captures = {f"DIFFERS captures/{number}.capture.warc.gz" for number in (1, 2)}
    fields = {f"DIFFERS article.json version {number} {field}" for number in (1, 2) for field in gone}
    files = {f"MISSING versions/{number}.{field}.txt" for number in (1, 2) for field in gone}
    assert set(said.splitlines()) == captures | fields | files | {before, "1"}
    with Writer(kit.path, policy(), clock=kit.clock) as writer:
        again = writer.submit(lambda tx: save(tx, shot(edited, shown(20), outlet_id="sana"))).result()
        assert again.kind == "redacted"
        due = writer.submit(lambda tx: tx.db.execute("SELECT next_check_at FROM articles WHERE id = 7").fetchone())
        assert due.result() == (None,)
    assert traces(tmp_path, secret) == []


def test_a_page_out_of_reach_leaves_a_redaction_open_until_its_file_is_back(kit, tmp_path, caplog):
    kit.writer.close()
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\n')
    options = ["redact", "2", "--reason", "قاصر", "--yes", "--config", str(tmp_path)]
    file = tmp_path / "captures" / "kept-2026-01-21-00.warc.gz"
    file.rename(tmp_path / "away")
    done = CliRunner().invoke(main, options)
    assert (done.exit_code, "begun, not ended" in done.stderr) == (1, True)
    assert re.search(rf"article 2 in {file} at byte \d+ was not overwritten: No such file", caplog.text)
    assert "the redaction of article 2 was begun and not ended" in {f.what for f in examine(kit.path, kit.clock.at)}
    (tmp_path / "away").rename(file)
    with open_archive(kit.path) as archive, pytest.raises(ArchiveError, match="not ended"):
        bundle(archive, 2, tmp_path / "evidence")
    held, copy = file.read_bytes(), tmp_path.with_name("copy")
    backup(kit.path, copy)
    Writer(kit.path, policy(), clock=kit.clock).close()
    assert [f.kind for f in looked(kit.path)] == ["redacted"]
    backup(kit.path, copy)
    assert (copy / "captures" / file.name).read_bytes() == file.read_bytes() != held
    file.write_bytes(held)  # as a careless restore does
    assert [f.kind for f in looked(kit.path)] == ["altered", "altered"]
    assert CliRunner().invoke(main, options).exit_code == 0
    assert [f.kind for f in looked(kit.path)] == ["redacted"]


def _begin_and_die(path: Path) -> None:
    import os

    writer = Writer(path, policy())
    writer.submit(lambda tx: redact(tx, 2, "قاصر")).result()
    os._exit(9)


def test_a_redaction_cut_short_is_ended_by_the_next_start_also_past_a_reader_that_was_in_the_way(kit, tmp_path):
    secret = f"{RICH.title} 1"
    kit.writer.close()
    child = children.Process(target=_begin_and_die, args=(kit.path,))
    child.start()
    child.join()
    assert child.exitcode == 9
    assert [f.kind for f in verify(kit.path, again_s=0).findings] == ["note"]
    reader = connect_read(kit.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM versions").fetchone()
    Writer(kit.path, policy(), clock=kit.clock, busy_seconds=0.1).close()
    assert [f.kind for f in verify(kit.path, again_s=0).findings] == ["redacted", "note"]
    reader.close()
    Writer(kit.path, policy(), clock=kit.clock).close()
    assert [f.kind for f in verify(kit.path, again_s=0).findings] == ["redacted"]
    assert traces(tmp_path, secret) == []


def test_what_is_left_in_a_file_is_a_record_of_just_that_length(tmp_path):
    from warcio.archiveiterator import ArchiveIterator

    for length in (250, 251, 65_700, 65_790, 131_500, *range(65_770, 65_800)):
        left = blank(length, "kept-2026-01-21-00.warc.gz", 7, "2026-01-21T10:00:00Z")
        assert len(left) == length
        (record,) = list(ArchiveIterator(io.BytesIO(left)))
        assert record.rec_type == "metadata"
    with pytest.raises(ArchiveError, match="no record"):
        blank(90, "kept-2026-01-21-00.warc.gz", 7, "2026-01-21T10:00:00Z")
