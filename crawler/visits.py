"""`rasid crawl` and `rasid save`: visits now. When the service has the archive, it is asked to do them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from archive.errors import ArchiveBusy, UsageError, WorkError
from archive.frontier import CrawlSummary, request, request_state, sync_outlets
from archive.models import Saved
from archive.sqlite import connect_read
from archive.times import moment, stamp, utc_now
from crawler.config import Config, Outlet
from crawler.session import Session, open_session, run_reactor
from crawler.urls import canonical

Progress = Callable[[str], None]
ASKED_S = 600.0  # how long the service is given to take up a request


def crawl_now(config: Config, outlets: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    """One crawl of each named (or each enabled) outlet; a row of counts for each."""
    wanted = config.enabled(tuple(outlets))
    config.require_contact()
    try:
        with open_session(config) as session:
            return run_reactor(lambda: _crawl_all(session, wanted, progress))
    except ArchiveBusy:
        return [_asked(config, "crawl", outlet.id, progress) for outlet in wanted]


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
            return run_reactor(lambda: _save_all(session, clean, progress))
    except ArchiveBusy:
        return [_asked(config, "save", url, progress) for url in clean]


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
                return {**state.result, "url": target} if kind == "save" else state.result
            progress(f"the running service was asked for {target}, waiting")
            time.sleep(0.3)
    finally:
        reader.close()
    raise WorkError(f"the running service did not take up {target} within {ASKED_S:.0f} s; `rasid status` tells more")
