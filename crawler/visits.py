"""`rasid crawl` and `rasid save`: visits now. When the service has the archive, it is asked to do them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec

from archive.errors import ArchiveBusy, ConfigError, UsageError, WorkError
from archive.frontier import CrawlSummary, request, request_state, sync_outlets
from archive.models import Page, Saved
from archive.reading import open_archive
from archive.sqlite import connect_read
from archive.times import moment, stamp, utc_now
from crawler.config import OUTLETS, Config, Outlet
from crawler.session import Session, open_session, run_reactor
from crawler.urls import canonical

T = TypeVar("T")
Progress = Callable[[str], None]
STOP_S = 3.0  # what pages under way are given after Ctrl-C
ASKED_S = 600.0  # how long the service is given to take up a request


def crawl_now(config: Config, outlets: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    """One crawl of each named (or each enabled) outlet; a row of counts for each."""
    wanted = config.enabled(tuple(outlets))
    for outlet in wanted:
        if not outlet.enabled:
            mend = "is false, so nothing would be found; set it to true"
            raise ConfigError(config.file(OUTLETS), f"outlet {outlet.id}.enabled", mend)
    config.require_contact()
    try:
        with open_session(config) as session:
            return run_reactor(lambda: _stoppable(session, _crawl_all(session, wanted, progress)))
    except ArchiveBusy:
        return [_asked(config, "crawl", outlet.id, progress) for outlet in wanted]


async def _stoppable(session: Session, work: Coroutine[Any, Any, T]) -> T:
    """Ctrl-C or SIGTERM end `work` early; what was not read is still due."""
    loop, stops = asyncio.get_running_loop(), set()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, lambda: stops.add(loop.create_task(session.crawls.stop(within=STOP_S))))
    return await work


async def _crawl_all(session: Session, wanted: Sequence[Outlet], progress: Progress) -> list[dict[str, Any]]:
    config = session.config
    await asyncio.wrap_future(session.writer.submit(lambda tx: sync_outlets(tx, [o.row for o in config.outlets])))
    room = asyncio.Semaphore(config.crawl.outlets_at_once)
    rows: list[dict[str, Any]] = []

    async def one(outlet: Outlet) -> None:
        async with room:
            rows.append(_row(await session.crawls.crawl(outlet, all_sources=True)))
            progress(f"{len(rows)} of {len(wanted)} outlets, {sum(row['fetched'] for row in rows)} pages")

    progress(f"0 of {len(wanted)} outlets")
    await asyncio.gather(*(one(outlet) for outlet in wanted))
    return sorted(rows, key=lambda row: str(row["outlet"]))


def _row(done: CrawlSummary) -> dict[str, Any]:
    spent = (moment(done.finished_at) - moment(done.started_at)).total_seconds() if done.finished_at else None
    return {
        "outlet": done.outlet_id, "outcome": done.outcome, "discovered": done.discovered, "fetched": done.fetched,
        "kept": done.kept, "errors": done.errors, "seconds": spent,
    }  # fmt: skip


def save_now(config: Config, urls: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    """Archive each address; a row of {url, became, article_id} for each."""
    config.require_contact()
    clean = []
    for url in urls:
        try:
            clean.append(canonical(url))
        except ValueError as error:
            raise UsageError(f"{url!r} is no web address: {error}") from error
    try:
        with open_session(config) as session:
            return run_reactor(lambda: _stoppable(session, _save_all(session, clean, progress)))
    except ArchiveBusy:
        return [_asked(config, "save", url, progress) for url in clean]


def fetch_now(config: Config, urls: Sequence[str], progress: Progress) -> Iterator[Page]:
    """The pages of addresses, fetched as any other and kept nowhere. Raises WorkError for one that brings no page."""
    with TemporaryDirectory() as aside:
        passing = msgspec.structs.replace(config, archive=Path(aside) / "archive.db", alerts=())
        rows = save_now(passing, urls, progress)
        with open_archive(passing.archive) as archive:
            for row in rows:
                if row["article_id"] is None:
                    raise WorkError(f"{row['url']}: {row['became']}")
                found = archive.query("SELECT max(id) AS id FROM captures WHERE article_id = ?", (row["article_id"],))
                page, outlet = archive.capture(found[0]["id"]), config.outlet_of(row["url"])
                yield replace(page, timezone=outlet.timezone, outlet_name=outlet.name_ar) if outlet else page


async def _save_all(session: Session, urls: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    config = session.config
    await asyncio.wrap_future(session.writer.submit(lambda tx: sync_outlets(tx, [o.row for o in config.outlets])))
    progress(f"fetching {len(urls)}")
    rows = []
    for url, became in await session.crawls.save(urls):
        if isinstance(became, Saved):
            rows.append({"url": url, "became": became.kind, "article_id": became.article_id})
        else:
            rows.append(
                {"url": url, "became": f"{became.outcome}: {became.error or became.status}", "article_id": None}
            )
    return rows


def _saved(url: str, result: dict[str, Any]) -> dict[str, Any]:
    became = f"{result['became']}: {result['error']}" if result.get("error") else result.get("became", "not fetched")
    return {"url": url, "became": became, "article_id": result.get("article_id")}


def _asked(config: Config, kind: str, target: str, progress: Progress) -> dict[str, Any]:
    """Leave the running service a request and follow it, reading only."""
    number = request(config.archive, kind, target, stamp(utc_now()))
    reader = connect_read(config.archive)
    deadline = time.monotonic() + ASKED_S
    try:
        while time.monotonic() < deadline:
            state = request_state(reader, number)
            if state.done_at:
                if state.error:
                    raise WorkError(f"{target}: {state.error}")
                return _saved(target, state.result) if kind == "save" else state.result
            progress(f"the running service was asked for {target}, waiting")
            time.sleep(0.3)
    finally:
        reader.close()
    raise WorkError(f"the running service did not take up {target} within {ASKED_S:.0f} s; `rasid status` tells more")
