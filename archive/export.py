"""Evidence to hand over: an article as a directory that anybody can check with sha256sum and Python, without us.

    README.txt VERIFY.txt   what it proves and what not, and the steps to check it
    page.html               all versions, readable, what changed marked; loads nothing and runs nothing
    article.json            what the archive knows of the article, its versions, their edits
    versions/N.record.json  the very bytes whose SHA-256 is in the ledger; versions/N.FIELD.txt: those whose are in it
    captures/N.capture.warc.gz   the WARC record version N was read from; N.request: what lies before it in its file
    ledger.txt              the chain from the article's first version to the head
    stamps/                 what a time-stamping authority signed of it
    SHA256SUMS              of every file

A redacted article gives what is left of it: hashes, ledger, the reason.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from archive import ledger
from archive.captures import CaptureFiles
from archive.diffs import diff
from archive.errors import ArchiveError
from archive.reading import Archive
from archive.redaction import GONE
from archive.search import ar_query
from archive.sqlite import statement
from archive.times import utc_now
from archive.verify import check_article

Format = Literal["csv", "jsonl"]
_jinja = Environment(
    loader=PackageLoader("archive", "evidence"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    autoescape=select_autoescape(),
)  # fmt: skip
_HITS = "SELECT l.* FROM articles_fts f JOIN latest l ON l.article_id = f.rowid WHERE articles_fts MATCH ? ORDER BY 1"
_CHAIN = "SELECT seq, record_sha256, prev_sha256 FROM ledger WHERE seq >= ? ORDER BY seq"


def bundle(archive: Archive, article_id: int, target: Path) -> Path:
    """Write the evidence on an article into `target`, a new directory, or one file if it is named .zip.

    Raises ArchiveError when there is no such article, it was never kept, its redaction is not ended, anything of it is
    not as it was stored, or `target` exists.
    """
    if target.exists():
        raise ArchiveError(f"{target} exists; name a new directory or .zip file")
    if target.suffix != ".zip":
        _write(archive, article_id, target)
        return target
    with TemporaryDirectory() as aside:
        name = Path(aside) / target.stem
        _write(archive, article_id, name)
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(name.rglob("*")):
                packed.write(path, path.relative_to(aside))
    return target


def rows_of(archive: Archive, wanted: str) -> Iterator[dict[str, Any]]:
    """Rows of the view `latest`, one after another: of the article of this number, or of all that a query finds."""
    if wanted.isdecimal():
        yield from archive.query("SELECT * FROM latest WHERE article_id = ?", (int(wanted),))
    elif expression := ar_query(wanted):
        yield from archive.db.query(_HITS, (expression,))


def write_rows(rows: Iterator[dict[str, Any]], out: IO[str], kind: Format) -> int:
    """Write rows as they come; returns how many. In CSV a cell that a spreadsheet would run gets a `'` in front."""
    number, table = 0, csv.writer(out)
    for number, row in enumerate(rows, 1):
        if kind == "jsonl":
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            continue
        if number == 1:
            table.writerow(row)
        table.writerow([f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t\r" and v else v for v in row.values()])
    return number


def _write(archive: Archive, article_id: int, target: Path) -> None:
    """Every file of a bundle, in a new directory."""
    article = next(iter(archive.query("SELECT * FROM articles WHERE id = ?", (article_id,))), None)
    versions = archive.query(statement("evidence.versions"), (article_id,))
    if article is None or not versions:
        raise ArchiveError(f"{archive.path} keeps no version of an article {article_id}; `rasid search` shows ids")
    redaction = archive.redaction(article_id)
    if redaction and not redaction["done_at"]:
        raise ArchiveError(f"the redaction of article {article_id} is begun, not ended; `rasid doctor` tells the mend")
    if wrong := [str(finding) for finding in check_article(archive, article_id) if finding.fault]:
        raise ArchiveError(f"article {article_id} is not as it was stored, so is not written: {'; '.join(wrong[:5])}")
    for name in ("versions", "captures", "stamps"):
        (target / name).mkdir(parents=True)
    for version in versions:
        _version(archive, target, version, kept=redaction is None)
    head = _chain(archive, target, min(version["ledger_seq"] for version in versions))
    outlet = next(iter(archive.query("SELECT * FROM outlets WHERE id = ?", (article["outlet_id"],))), None)
    told = article | {"outlet": outlet, "redaction": redaction, "versions": versions, "head": head,
                      "exported_at": utc_now().isoformat(timespec="seconds"), "archive": archive.path.name,
                      "stamps": sorted(path.name for path in (target / "stamps").glob("*.tsr"))}  # fmt: skip
    written = json.dumps(told, ensure_ascii=False, indent=1)
    (target / "article.json").write_text(written + "\n", encoding="utf-8")
    for name in ("README.txt", "VERIFY.txt", "page.html"):
        (target / name).write_text(_jinja.get_template(name).render(told, marked=_marked), encoding="utf-8")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(target)}\n"
            for path in sorted(target.rglob("*")) if path.is_file()]  # fmt: skip
    (target / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def _version(archive: Archive, target: Path, version: dict[str, Any], *, kept: bool) -> None:
    number, files = version["number"], CaptureFiles(archive.path.parent / "captures", utc_now)
    put: Callable[[str, bytes], object] = lambda name, data: (target / name).write_bytes(data)  # noqa: E731
    put(f"versions/{number}.record.json", (ledger.version_record(archive.db, version["id"]) or "").encode())
    for field in ledger.FIELDS:
        if version[field] is not None and (kept or version[field] != GONE):
            put(f"versions/{number}.{field}.txt", version[field].encode())
    version["edits"] = archive.query("SELECT * FROM edits WHERE version_id = ? ORDER BY id", (version["id"],))
    version["capture"] = None
    for capture in archive.query(statement("evidence.capture"), (version["capture_id"],)):
        start, before = capture["offset"], capture.pop("request_offset")
        put(f"captures/{number}.capture.warc.gz", files.read_bytes(capture["file"], start, capture["length"]))
        if before < start and capture["request_sha256"]:
            put(f"captures/{number}.request.warc.gz", files.read_bytes(capture["file"], before, start - before))
        version["capture"] = capture


def _chain(archive: Archive, target: Path, first: int) -> str:
    """Write the ledger from row `first` on, and the stamps of it; returns the head."""
    head = ledger.GENESIS
    with (target / "ledger.txt").open("w", encoding="ascii") as out:
        for seq, record, prev in archive.db.execute(_CHAIN, (first,)):
            if seq == first:
                out.write(f"{prev}\n")
            head = ledger.link(prev, record)
            out.write(f"{seq} {record} {head}\n")
    for stamp in archive.query("SELECT at, head, token FROM stamps WHERE seq >= ? ORDER BY id", (first,)):
        name = target / "stamps" / stamp["at"][:10]
        name.with_suffix(".head").write_text(stamp["head"], encoding="ascii")
        name.with_suffix(".tsr").write_bytes(stamp["token"])
    return head


def _marked(before: str, after: str) -> list[tuple[str, str]]:
    """Stretches of `after`, and what stood in `before` in their place: (op, words)."""
    shown, at = [], 0
    for piece in diff(before, after):
        shown.append(("equal", after[at : piece.start]))
        if piece.op in ("removed", "replaced"):
            shown.append(("removed", piece.was(before)))
        if piece.op != "removed":
            shown.append(("equal" if piece.op in ("equal", "moved") else "inserted", piece.now(after)))
            at = piece.end
    return [*shown, ("equal", after[at:])]
