"""Verify names what was tampered with, a bundle is checked by its own steps."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive.backup import backup
from archive.doctor import examine
from archive.errors import ArchiveError
from archive.export import bundle, rows_of, write_rows
from archive.ledger import head
from archive.reading import open_archive
from archive.sqlite import IntegrityError, connect_write
from archive.upkeep import close_files, prune
from archive.verify import verify
from archive.writer import Writer
from crawler.cli import main
from tests.archive_kit import Kit, policy
from tests.evidence_kit import NAME, RICH, differs, filled, looked, run_steps, spoil, steps, url


@pytest.fixture
def kit(tmp_path):
    with filled(tmp_path) as kit:
        yield kit


def wrong(path: Path) -> list[str]:
    return [str(finding) for finding in verify(path, again_s=0).findings if finding.fault]


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
    assert subprocess.run(["bash", "-c", steps(out)[0]], cwd=out, capture_output=True).returncode == 1
    assert differs(out) == ["DIFFERS versions/2.text.txt"]


def test_a_forged_bundle_is_told_though_its_sums_are_made_anew(kit, tmp_path):
    with open_archive(kit.path) as archive:
        out = bundle(archive, 1, tmp_path / "evidence")
    told = json.loads((out / "article.json").read_text(encoding="utf-8"))
    told["versions"][0] |= {"title": "عنوان لم يُنشر", "captured_at": "2026-01-01T10:00:00Z"}
    told["versions"][1] |= {"author": None, "text": ""}
    (out / "article.json").write_text(json.dumps(told), encoding="utf-8")
    for gone in ("versions/1.text.txt", "captures/1.capture.warc.gz", "captures/1.request.warc.gz"):
        (out / gone).unlink()
    (out / "versions" / "1.note.txt").write_text("لا يذكره سجل", encoding="utf-8")
    assert differs(out) == [
        *(f"DIFFERS article.json version {what}" for what in ("1 captured_at", "1 title", "2 author", "2 text")),
        "MISSING captures/1.capture.warc.gz",
        "MISSING captures/1.request.warc.gz",
        "DIFFERS versions/1.note.txt",
        "MISSING versions/1.text.txt",
    ]


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


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE versions SET title = 'غيره' WHERE id = 5", "altered: ledger row 5"),
        ("UPDATE captures SET offset = -1 WHERE id = 6", "altered: kept-2026-01-22-00.warc.gz byte -1 (version 5)"),
        ("UPDATE captures SET file = '../archive.db' WHERE id = 6", "missing: ../archive.db byte"),
        ("DELETE FROM ledger WHERE seq = 5", "missing: ledger (version 5)"),
    ],
)
def test_what_is_not_as_it_was_stored_is_named_and_no_evidence_is_made_of_it(kit, tmp_path, statement, named):
    spoil(kit, statement)
    assert any(named in fault for fault in wrong(kit.path))
    (tmp_path / "rasid.toml").write_text('contact = "desk@example.org"\n')
    options = ["export", "معتقلي", "--to", str(tmp_path / "out"), "--config", str(tmp_path)]
    done = CliRunner().invoke(main, options, catch_exceptions=False)
    assert done.exit_code == 1
    assert named in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} - {"evidence-6"} == {f"evidence-{n}" for n in (2, 3, 4)}


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_where_a_warc_file_was_is_named_with_its_versions_and_the_rest_is_looked_at(
    kit, tmp_path, make
):
    path, copy = (
        kit.path.parent / "captures" / "kept-2026-01-22-00.warc.gz",
        tmp_path.with_name(make.__name__),
    )
    path.rename(tmp_path / path.name)
    make(path)
    found = [finding for finding in looked(kit.path) if finding.fault]
    assert [(f.kind, f.where, f.version_id) for f in found] == [("missing", path.name, n) for n in (None, 5, 6)]
    report = backup(kit.path, copy)
    assert [re.search(r"\(version \d\) in \S+", said)[0] for said in report.damaged] == [
        f"(version {n}) in {path.name}" for n in (5, 6)
    ]
    assert report.files == 2
    with open_archive(kit.path) as archive:
        with pytest.raises(ArchiveError, match=r"not as it was stored.*it is no file"):
            bundle(archive, 1, tmp_path / "one")
        with pytest.raises(ArchiveError, match="it is no file"):
            archive.capture(6)
        assert bundle(archive, 2, tmp_path / "two").is_dir()
    kit.writer.close()
    assert f"{path} is no file" in [finding.what for finding in examine(kit.path, kit.clock.at)]
    Writer(kit.path, policy(), clock=kit.clock).close()  # starts all the same
