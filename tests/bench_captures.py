"""How much room captures and versions take: real pages served on loopback, crawled as ever, edited once, weighed.

    python -m tests.bench_captures [DIRECTORY OF .html.gz PAGES]    (the default: ../shared/eval/pages)

Prints bytes sent by the server, bytes stored in WARC files and where they go, and bytes of the database per version.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import sys
import zlib
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.sqlite import connect_read
from archive.topics import shipped_rules
from crawler.worker import Worker
from tests.crawl_kit import ROOT, TEXT, Desk, Loop
from tests.servers import Site

EDIT = "<p>وقالت قسد لاحقاً إن عدد المعتقلين الذين نُقلوا بلغ {} معتقلاً.</p>"


LOOP, WORKER = Loop(), Worker(shipped_rules())


def pages(directory: Path) -> list[str]:
    """Real articles with some paragraphs of ours among theirs, so that each is on topic and no two are alike."""
    found = [
        gzip.decompress(path.read_bytes()).decode("utf-8", "replace") for path in sorted(directory.glob("*-1*.gz"))
    ]
    said = ["".join(f"<p>{line} ({number})</p>" for line in TEXT.split("\n")) for number in range(len(found))]
    return [
        re.sub(r"</p>", f"</p>{words}", page, count=1)
        for page, words in zip(found, said, strict=True)
        if "</p>" in page
    ]


def measure(directory: Path, packed: bool) -> dict[str, float]:
    """Crawl all pages, edit each, look again; what was sent and what is stored."""
    loop, worker, sent = LOOP, WORKER, Counter[str]()
    with TemporaryDirectory() as aside, Site() as site:
        desk = Desk(loop, worker, Path(aside))
        desk.settings |= {"crawl.max_bytes": "20MB"}
        served = pages(directory)
        for edit in range(2):
            for number, html in enumerate(served):
                body = html.replace("</p>", "</p>" + EDIT.format(number + 7), 1) if edit else html
                raw = gzip.compress(body.encode(), 6) if packed else body.encode()
                headers = {"content_encoding": "gzip"} if packed else {}
                site.page(f"/news/{number}", raw, **headers)
                sent[f"/news/{number}/{edit}"] = len(raw)
            if not edit:
                desk.outlet("bench", site, feeds=f'["{site.url}/feed"]')
                desk.open()
            loop.run(desk.crawls.save([f"{site.url}/news/{n}" for n in range(len(served))]), 900)
        desk.close()
        db = connect_read(desk.config.archive)
        (versions, articles) = db.execute("SELECT count(*), count(DISTINCT article_id) FROM versions").fetchone()
        rows = db.execute("SELECT url, file, offset, length FROM captures ORDER BY article_id, id").fetchall()
        seen, payloads, records, wire = Counter[str](), 0, 0, 0
        for url, file, offset, length in rows:
            path = re.sub("https?://[^/]+", "", url)
            wire += sent[f"{path}/{seen[path]}"]
            seen[path] += 1
            records += length
            with (desk.directory / "captures" / file).open("rb") as source:
                source.seek(offset)
                payloads += len(zlib.decompress(source.read(length), 31).split(b"\r\n\r\n", 2)[2]) - 4
        files = sum(path.stat().st_size for path in (desk.directory / "captures").iterdir())
        with closing(sqlite3.connect(desk.config.archive)) as plain:  # the writer's SQLite cannot weigh its tables
            weigh = "SELECT name, sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC"
            shares = dict(plain.execute(weigh).fetchall())
        text = db.execute("SELECT sum(length(CAST(text AS BLOB))) FROM versions").fetchone()[0]
        print(f"\n{'gzip' if packed else 'plain'}: {articles} articles, {versions} versions, {len(rows)} captures")
        print(f"  sent {wire / len(rows):,.0f} bytes a page, stored {files / len(rows):,.0f}: ratio {files / wire:.3f}")
        print(
            f"  of which response records {records / len(rows):,.0f}, requests and file heads "
            f"{(files - records) / len(rows):,.0f}; bodies in them, unpacked by WARC alone, {payloads / len(rows):,.0f}"
        )
        print(
            f"  database {sum(shares.values()) / versions:,.0f} bytes a version, text {text / versions:,.0f}; most:",
            ", ".join(f"{name} {size / versions:,.0f}" for name, size in list(shares.items())[:9]),
        )
        db.close()
    return {"ratio": files / wire}


if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "eval" / "pages"
    for packed in (True, False):
        measure(source, packed)
    WORKER.close()
