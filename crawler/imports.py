"""Text and HTML files through the same road as fetched pages: read, judge, keep. What is imported is no news."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from archive.errors import ExtractionError, RasidError, UsageError, WorkError
from archive.models import Article, Judgement, Page, Snapshot
from archive.rules import RuleSet
from archive.store import save
from archive.times import stamp
from archive.writer import Writer
from crawler.config import Outlet
from crawler.worker import Worker

MEDIA = {".txt": "text/plain; charset=utf-8", ".html": "text/html", ".htm": "text/html"}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: an article, or the `error` that kept it out."""

    path: str
    became: str = "failed"
    article_id: int | None = None
    topics: tuple[str, ...] = ()
    title: str | None = None
    error: str | None = None


def files(paths: Sequence[Path]) -> list[Path]:
    """The importable files among `paths`, directories searched. Raises UsageError for a path that is neither."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix.lower() in MEDIA and p.is_file())
        elif not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        elif path.suffix.lower() not in MEDIA:
            raise UsageError(f"{path}: cannot tell what this is; import reads {', '.join(sorted(MEDIA))}")
        else:
            found.append(path)
    if paths and not found:
        raise UsageError(f"{paths[0]}: holds no file to read; import reads {', '.join(sorted(MEDIA))}")
    return found


def page_of(path: Path, at: str, outlet: Outlet | None = None, url: str | None = None) -> Page:
    """A file as if it had been fetched at `at`; its address is the hash of its bytes unless `url` is given."""
    body = path.read_bytes()
    address = url or f"urn:sha256:{hashlib.sha256(body).hexdigest()}"
    return Page(
        url=address, final_url=address, at=at, status=200, headers=(("Content-Type", MEDIA[path.suffix.lower()]),),
        body=body, timezone=outlet.timezone if outlet else None, outlet_name=outlet.name_ar if outlet else None,
    )  # fmt: skip


def read(worker: Worker, page: Page, path: Path | str) -> tuple[Article, Judgement]:
    """Read and judge the page of a file; an ExtractionError names the file."""
    try:
        return worker.read_sync(page)
    except ExtractionError as error:
        raise ExtractionError(f"{path}: {str(error).removeprefix(page.url + ': ')}") from error


def import_files(
    paths: Sequence[Path], writer: Writer, rules: RuleSet, *, outlet: Outlet | None, workers: int
) -> Iterator[Imported]:
    """Import files, `workers` at a time, yielding each as it is kept, in the order given."""
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for _ in range(workers):
        idle.put(Worker(rules))

    def one(path: Path) -> Imported:
        worker = idle.get()
        try:
            page = page_of(path, stamp(writer.clock()), outlet)
            article, judgement = read(worker, page, path)
        except ExtractionError as error:
            return Imported(str(path), error=str(error))
        except OSError as error:
            return Imported(str(path), error=f"{path}: {error.strerror}")
        finally:
            idle.put(worker)
        if not article.text:
            return Imported(str(path), error=f"{path}: no text was found in it")
        shot = Snapshot(page, article, judgement, outlet_id=outlet.id if outlet else None, backlog=True)
        topics = tuple(f"{m.topic}" if m.strength == "substantive" else f"({m.topic})" for m in judgement.matches)
        try:
            saved = writer.submit(lambda tx: save(tx, shot), size=len(page.body)).result()
        except RasidError as error:
            raise WorkError(f"{path}: {error}") from error
        return Imported(str(path), saved.kind, saved.article_id, topics, article.title)

    try:
        with ThreadPoolExecutor(workers) as threads:
            yield from threads.map(one, paths)
    finally:
        while not idle.empty():
            idle.get().close()
