"""Verify names what was tampered with, a bundle is checked by its own steps, a redaction leaves hashes alone."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.errors import ArchiveError, UsageError
from archive.export import bundle, rows_of, write_rows
from archive.ledger import head
from archive.reading import open_archive
from archive.redaction import blank, redact
from archive.sqlite import IntegrityError, connect_read, connect_write
from archive.store import save
from archive.upkeep import close_files, prune
from archive.verify import _check_ledger, _look, _open, files, verify
from archive.writer import Writer
from crawler.cli import main
from tests.archive_kit import OFF_TOPIC, ON_TOPIC, Kit, children, page, policy, shot

NAME = "سلمى البحراوي"
RICH = replace(
    ON_TOPIC, author=NAME, section="محليات", published_at="2026-01-21", published_source="text",
    modified_at="2026-01-21", credit="سانا", language="ar", related=(f"خبر آخر عن {NAME}",),
)  # fmt: skip
ASKED = (("User-Agent", "Rasid/1 (+desk@example.org)"), ("Accept", "text/html"))


def url(number: int) -> str:
    return f"https://sana.example/{number}"


def shown(number: int, words: str = "", at: str = "2026-01-21T10:00:00Z"):
    return page(url(number), at, body=f"<p>{RICH.text} {words} {number}</p>" * 9, request_headers=ASKED)


@pytest.fixture
def kit(tmp_path):
    """Six articles, one of them edited, one passed over; files of one day closed, of another still open."""
    kit = Kit(tmp_path)
    fill(kit)
    yield kit
    kit.writer.close()


def fill(kit: Kit) -> None:
    for number in range(4):
        kit.save(replace(RICH, title=f"{RICH.title} {number}"), page=shown(number))
    kit.save(OFF_TOPIC, page=shown(8))
    kit.clock.at = "2026-01-22T10:00:00Z"
    assert close_files(kit.writer) == 2
    at = "2026-01-22T11:00:00Z"
    kit.save(replace(RICH, title=f"{RICH.title} 0", text=f"{RICH.text}\nوقُتل خمسة."), at, page=shown(0, "خمسة", at))
    kit.save(replace(RICH, title=f"{RICH.title} 9"), at, page=shown(9, at=at))


def wrong(path: Path) -> list[str]:
    return [str(finding) for finding in verify(path, again_s=0).findings if finding.fault]


def looked(path: Path) -> list:
    """What `verify` does, in this process."""
    db = _open(path)
    found = [f for file in files(db, path.parent / "captures") for f in _look(path, file).findings]
    db.close()
    return found + _check_ledger(path, 0, 2**62).findings


def test_an_untouched_archive_has_no_fault_also_while_it_is_written(kit):
    report = verify(kit.path, workers=2, again_s=0)
    assert report.findings == []
    assert (report.files, report.records, report.versions) == (3, 7, 6)
    assert report.head == kit.do(lambda tx: head(tx.db))
    kit.save(RICH, "2026-01-22T12:00:00Z", url=url(10))
    assert wrong(kit.path) == []


def test_closed_files_are_appended_to_no_more_even_if_the_clock_goes_back_and_prune_takes_their_rows_along(kit):
    kit.save(RICH, "2026-01-21T23:00:00Z", url=url(10))
    kit.save(RICH, "2026-01-21T23:00:00Z", url=url(11))
    assert kit.one("SELECT file FROM captures ORDER BY id DESC LIMIT 1") == "kept-2026-01-21-01.warc.gz"
    kit.clock.at = "2026-03-22T10:00:00Z"
    close_files(kit.writer)
    prune(kit.writer, 30)
    assert kit.rows("SELECT file FROM warc_files WHERE file LIKE 'passed%'") == []
    assert wrong(kit.path) == []


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda d: d[:-9], r"truncated: kept-2026-01-22-00.warc.gz byte \d+ \(version 6\): the file ends"),
        (lambda d: d + d, r"note: kept-2026-01-22-00.warc.gz byte \d+: \d+ bytes that no capture claims"),
        (
            lambda d: b"\x1f\x8b" + d,
            r"reordered: kept-2026-01-22-00.warc.gz byte \d+ \(version 5\): its record lies at byte",
        ),
    ],
)
def test_damage_to_a_file_is_named_by_byte_and_version(kit, damage, named):
    path = kit.path.parent / "captures" / "kept-2026-01-22-00.warc.gz"
    path.write_bytes(damage(path.read_bytes()))
    assert re.search(named, "\n".join(map(str, verify(kit.path, again_s=0).findings)))


def test_missing_swapped_and_unknown_records_are_named(kit):
    captures = kit.path.parent / "captures"
    (a, first), (b, second) = kit.rows("SELECT offset, offset + length FROM captures WHERE id IN (2, 3)")
    path = captures / "kept-2026-01-21-00.warc.gz"
    data = path.read_bytes()
    path.write_bytes(data[:a] + data[b:second] + data[first:b] + data[a:first] + data[second:])
    assert f"reordered: {path.name} byte {b} (version 3): its record lies at byte {a}" in wrong(kit.path)
    path.write_bytes(data)
    kit.do(lambda tx: tx.db.execute("DELETE FROM captures WHERE series = 'passed'"))
    (captures / "passed-2026-01-21-00.warc.gz").rename(captures / "kept-2026-01-20-00.warc.gz")
    found = wrong(kit.path)
    assert any(f.startswith("unknown: kept-2026-01-20-00.warc.gz byte 0: ") for f in found)
    assert any(f.startswith("missing: passed-2026-01-21-00.warc.gz: ") for f in found)
    path.unlink()
    found = wrong(kit.path)
    assert all(any(f"{path.name} byte" in f and f"(version {n})" in f for f in found) for n in (1, 2, 3, 4))


COVERED = {
    "versions": ("article_id", "capture_id", "captured_at", "title", "author", "text", "section", "published_at",
                 "published_source", "modified_at", "credit", "language", "extractor", "related", "text_sha256"),
    "captures": ("url", "at", "http_status", "series", "file", "offset", "length", "record_sha256", "payload_sha256",
                 "request_sha256"),
    "ledger": ("seq", "version_id", "record_sha256", "prev_sha256"),
    "warc_files": ("file", "length", "sha256"),
}  # fmt: skip


def flip_a_byte(kit_path: Path, chance: random.Random) -> tuple[str, object]:
    """Flip one bit of the archive; returns what was flipped, and how it is put back."""
    captures = kit_path.parent / "captures"
    if chance.random() < 0.5:
        path = chance.choice(sorted(captures.glob("*.warc.gz")))
        data = path.read_bytes()
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        return f"{path.name} byte {at} bit {bit}", lambda: path.write_bytes(data)
    table = chance.choice(sorted(COVERED))
    column = chance.choice(COVERED[table])
    db = connect_write(kit_path)
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("PRAGMA ignore_check_constraints=ON")
    triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    rows = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    rowid, was = chance.choice(rows)
    if isinstance(was, int):
        now = was ^ 1 << chance.randrange(12)
    else:
        raw = bytearray(was.encode())
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        now = bytes(raw)
    target = now if isinstance(now, int) else None
    sql = "?" if target is not None else "CAST(? AS TEXT)"
    moved = target if (column, table) == ("seq", "ledger") else rowid
    taken = False
    try:
        db.execute(f"UPDATE {table} SET {column} = {sql} WHERE rowid = ?", (now, rowid))
    except IntegrityError:  # there is such a row
        taken = True

    def back() -> None:
        if not taken:
            db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (was, moved))
        for _, sql in triggers:
            db.execute(sql)
        db.close()

    return ("" if taken else f"{table}.{column} of row {rowid}: {was!r} now {now!r}"), back


def flips(kit: Kit, number: int, seed: int) -> None:
    chance, done, missed = random.Random(seed), 0, []
    while done < number:
        what, back = flip_a_byte(kit.path, chance)
        if what:
            done += 1
            if not [f for f in looked(kit.path) if f.fault]:
                missed.append(what)
        back()
    assert missed == []
    assert [f for f in looked(kit.path) if f.fault] == []


def test_flipped_bytes_are_found(kit):
    flips(kit, 40, 7)


@pytest.mark.slow
def test_a_thousand_flipped_bytes_are_found(kit):
    flips(kit, 1000, 1)


# ---- bundles -----------------------------------------------------------------------------------------------------


def steps(directory: Path) -> list[str]:
    """The commands that VERIFY.txt says to run."""
    return re.findall(r"^    (\S.*)$", (directory / "VERIFY.txt").read_text(encoding="utf-8"), re.M)


def run_steps(directory: Path, known_head: str) -> str:
    """Their output; each must succeed, in a shell with only the directory of Python's programs in front."""
    said = ""
    for step in steps(directory):
        line = step.replace("THE_HEAD_YOU_KNOW", known_head)
        tools = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        done = subprocess.run(["bash", "-c", line], cwd=directory, env={"PATH": tools}, capture_output=True, text=True)
        said += done.stdout
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    return said


def test_a_bundle_is_checked_by_the_steps_it_tells(kit, tmp_path):
    noted = kit.do(lambda tx: head(tx.db))
    kit.save(RICH, "2026-01-22T12:00:00Z", url=url(11))
    with open_archive(kit.path) as archive:
        out = bundle(archive, 1, tmp_path / "evidence")
        now = head(archive.db)
        with pytest.raises(ArchiveError, match="exists"):
            bundle(archive, 1, out)
        with pytest.raises(ArchiveError, match="keeps no version"):
            bundle(archive, 5, tmp_path / "passed")
    assert run_steps(out, noted) == f"{now}\n1\n"
    told = json.loads((out / "article.json").read_text(encoding="utf-8"))
    assert [v["number"] for v in told["versions"]] == [1, 2]
    assert any(edit["material"] for edit in told["versions"][1]["edits"])
    shown = (out / "page.html").read_text(encoding="utf-8")
    assert "<ins>وقُتل خمسة.</ins>" in shown
    assert NAME in shown
    (out / "versions" / "2.text.txt").write_text("غير ذلك", encoding="utf-8")
    (out / "ledger.txt").write_text((out / "ledger.txt").read_text().replace("\n2 ", "\n2 0"))
    first, differs, *_ = steps(out)
    assert subprocess.run(["bash", "-c", first], cwd=out, capture_output=True).returncode == 1
    done = subprocess.run(["bash", "-c", differs], cwd=out, capture_output=True, text=True)
    assert done.stdout == "DIFFERS versions/2.text.txt\n"


def test_a_page_in_a_bundle_runs_and_loads_nothing_whatever_the_article_says(kit, tmp_path):
    evil = '</div><script>alert(1)</script><img src="https://x.example/1"> قسد'
    kit.save(replace(RICH, title=evil, text=f"{RICH.text}\n{evil}"), "2026-01-22T12:00:00Z", url=url(12))
    with open_archive(kit.path) as archive:
        shown = (bundle(archive, 7, tmp_path / "e") / "page.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in shown
    assert not re.search(r"<script|<img|<link|<iframe|https?://(?!sana\.example)[^ ]*\"", shown)
    assert "default-src 'none'" in shown


def test_a_zip_and_what_a_search_finds_and_rows_for_spreadsheets(kit, tmp_path):
    (kit.path.parent / "rasid.toml").write_text('contact = "desk@example.org"\n')
    kit.save(replace(RICH, title="=cmd|' /C calc'!A0"), "2026-01-22T12:00:00Z", url=url(12))

    def rasid(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--config", str(kit.path.parent)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    rasid("export", "1", "--to", str(tmp_path / "one.zip"))
    assert {"one/page.html", "one/captures/2.capture.warc.gz"} <= set(zipfile.ZipFile(tmp_path / "one.zip").namelist())
    rasid("export", "معتقلي", "داعش", "--to", str(tmp_path / "many"))
    assert sorted(p.name for p in (tmp_path / "many").iterdir()) == [f"evidence-{n}" for n in (1, 2, 3, 4, 6, 7)]
    rows = [json.loads(line) for line in rasid("export", "دمشق", "--format", "jsonl").splitlines()]
    assert [row["article_id"] for row in rows] == [1, 2, 3, 4, 6, 7]
    rasid("export", "دمشق", "--format", "csv", "--to", str(tmp_path / "rows.csv"))
    read = list(csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text(encoding="utf-8-sig"))))
    assert read[-1]["title"] == "'=cmd|' /C calc'!A0"
    assert read[0]["text"] == rows[0]["text"]
    assert write_rows(rows_of(open_archive(kit.path), "؟"), io.StringIO(), "csv") == 0


# ---- redaction ---------------------------------------------------------------------------------------------------


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
    assert report.head == before
    captures = sorted((tmp_path / "captures").glob("*.warc.gz"))
    assert subprocess.run([Path(sys.executable).parent / "warcio", "check", *captures]).returncode == 0
    with open_archive(kit.path) as archive:
        assert archive.article(7).title == "[redacted]"
        out = bundle(archive, 7, tmp_path / "evidence")
        assert [h.article_id for h in archive.search("مريم")] == []
    assert "THIS ARTICLE WAS REDACTED" in (out / "README.txt").read_text(encoding="utf-8")
    said = run_steps(out, before)
    assert set(said.splitlines()) == {
        "DIFFERS captures/1.capture.warc.gz", "DIFFERS captures/2.capture.warc.gz", before, "1",
    }  # fmt: skip
    with Writer(kit.path, policy(), clock=kit.clock) as writer:
        again = writer.submit(lambda tx: save(tx, shot(edited, shown(20), outlet_id="sana"))).result()
        assert again.kind == "unchanged"
        due = writer.submit(lambda tx: tx.db.execute("SELECT next_check_at FROM articles WHERE id = 7").fetchone())
        assert due.result() == (None,)
        with pytest.raises(ArchiveError, match="redacted before"):
            writer.submit(lambda tx: redact(tx, 7, "مرة أخرى")).result()
    assert traces(tmp_path, secret) == []


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
