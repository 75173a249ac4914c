"""`rasid crawl` and `rasid save`: visits now. When the service has the archive, it is asked to do them."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec

from archive import frontier
from archive.errors import ArchiveBusy, ArchiveError, ConfigError, WorkError
from archive.frontier import Request
from archive.models import Page, Saved
from archive.reading import open_archive
from archive.times import stamp, utc_now
from archive.writer import Writer
from crawler.config import OUTLETS, Config, Outlet
from crawler.crawl import Crawls
from crawler.session import open_session, policy, run_reactor
from crawler.urls import asked_for

log = logging.getLogger("rasid.visits")
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
    ids = [outlet.id for outlet in wanted]
    here = partial(_here, config, lambda crawls: _crawl_all(crawls, wanted, progress))
    return do_or_ask(config, "crawl", ids, here, lambda done: [request.result for request in done], progress)


async def _stoppable(crawls: Crawls, work: Coroutine[Any, Any, T]) -> T:
    """Ctrl-C or SIGTERM end `work` early; what was not read is still due."""
    loop, stops = asyncio.get_running_loop(), set()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, lambda: stops.add(loop.create_task(crawls.stop(within=STOP_S))))
    return await work


async def _crawl_all(crawls: Crawls, wanted: Sequence[Outlet], progress: Progress) -> list[dict[str, Any]]:
    room = asyncio.Semaphore(crawls.config.crawl.outlets_at_once)
    rows: list[dict[str, Any]] = []

    async def one(outlet: Outlet) -> None:
        async with room:
            rows.append((await crawls.crawl(outlet, all_sources=True)).row)
            progress(f"{len(rows)} of {len(wanted)} outlets, {sum(row['fetched'] for row in rows)} pages")

    progress(f"0 of {len(wanted)} outlets")
    await asyncio.gather(*(one(outlet) for outlet in wanted))
    return sorted(rows, key=lambda row: str(row["outlet"]))


def save_now(config: Config, urls: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    """Archive each address; a row of {url, became, article_id} for each."""
    clean = [asked_for(url) for url in urls]
    here = partial(_here, config, lambda crawls: _save_all(crawls, clean, progress))
    return do_or_ask(config, "save", clean, here, lambda done: [_saved(r.target, r.result) for r in done], progress)


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


def visit_aside(config: Config, outlets: Sequence[Outlet], work: Callable[[Crawls], Coroutine[Any, Any, T]]) -> T:
    """Do `work`, which may visit these outlets, with an archive that is thrown away. All that the configured one, where
    there is one, keeps of it is which hosts asked us to wait."""
    with TemporaryDirectory() as aside:
        passing = msgspec.structs.replace(config, archive=Path(aside) / "archive.db", alerts=())
        with open_session(passing, waits=config.archive) as crawls:
            _know(crawls, outlets)
            done = run_reactor(lambda: _stoppable(crawls, work(crawls)))
            waits = crawls.writer.submit(lambda tx: frontier.held_hosts(tx.db, tx.now())).result()
    if waits and config.archive.exists():
        _keep(config, waits)
    return done


def _keep(config: Config, waits: Mapping[str, str]) -> None:
    try:
        with Writer(config.archive, policy(config)) as writer:
            for host, until in waits.items():
                wait = partial(frontier.hold_host, host=host, not_before=until, reason="asked us to wait")
                writer.submit(wait).result()
    except ArchiveError as error:
        log.warning("that %s asked us to wait is not kept for the next crawl: %s", " and ".join(waits), error)


async def _save_all(crawls: Crawls, urls: Sequence[str], progress: Progress) -> list[dict[str, Any]]:
    progress(f"fetching {len(urls)}")
    rows = []
    for url, became in await crawls.save(urls):
        if isinstance(became, Saved):
            rows.append(_saved(url, {"became": became.kind, "article_id": became.article_id}))
        else:
            rows.append(_saved(url, {"became": became.outcome, "error": became.error or became.status}))
    return rows


def _saved(url: str, result: dict[str, Any]) -> dict[str, Any]:
    became = f"{result['became']}: {result['error']}" if result.get("error") else result.get("became", "not fetched")
    return {"url": url, "became": became, "article_id": result.get("article_id")}


def _know(crawls: Crawls, outlets: Iterable[Outlet]) -> None:
    crawls.writer.submit(lambda tx: frontier.sync_outlets(tx, [outlet.row for outlet in outlets])).result()


def _here(config: Config, work: Callable[[Crawls], Coroutine[Any, Any, T]], asked: Sequence[int]) -> T:
    """Do the work in this process. Raises ArchiveBusy when another one has the archive."""
    with open_session(config) as crawls:
        _know(crawls, config.outlets)
        crawls.writer.submit(partial(frontier.withdraw, requests=asked)).result()
        try:
            return run_reactor(partial(_stoppable, crawls, work(crawls)))
        except ArchiveBusy as error:  # from here on a failure: the reactor runs once in a process
            raise WorkError(str(error)) from error


def do_or_ask(
    config: Config, kind: str, targets: Sequence[str], here: Callable[[Sequence[int]], T],
    told: Callable[[Sequence[Request]], T], progress: Progress,
) -> T:  # fmt: skip
    """Do it `here`, which takes back what was asked; or, while another process has the archive, ask for it.

    The running service answers, and `told` makes of that what is returned; another `rasid crawl` does not, but ends,
    and then it is done here after all. Raises WorkError when the service could not do it, or nobody did.
    """
    asked: list[int] = []
    deadline = time.monotonic() + ASKED_S
    while time.monotonic() < deadline:
        try:
            return here(asked)
        except ArchiveBusy:
            with suppress(ArchiveError):  # it may just be being made
                now = stamp(utc_now())
                asked = asked or [frontier.request(config.archive, kind, target, now) for target in targets]
        states: list[Request] = []
        if asked:
            with suppress(ArchiveError), open_archive(config.archive) as archive:  # its schema may just be being made
                states = [frontier.request_state(archive.db, number) for number in asked]
        if states and all(state.done_at for state in states):
            if failed := next((state for state in states if state.error), None):
                raise WorkError(f"{failed.target}: {failed.error}")
            return told(states)
        progress("another Rasid has the archive and was asked; waiting")
        time.sleep(0.3)
    raise WorkError(f"the archive stayed in other hands for {ASKED_S:.0f} s; `rasid status` tells more")
