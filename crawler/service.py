"""`rasid run`: a handful of in-memory jobs over due times that live in the archive's own tables.

    tick     starts a crawl of every outlet that has a listing, an address or a revisit due
    deliver  hands due mails to the mail server, in its own thread
    upkeep   once a day: hashes WARC files of days that are over, drops passed captures and old fetch rows
    stamp    once a day, where an authority is configured: has the ledger's head signed

Nothing a job does blocks the loop: crawls are coroutines, saving belongs to the writer's thread, mail to its own.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from archive import stamps
from archive.alerts.delivery import deliver_due
from archive.errors import ConfigError, RasidError
from archive.frontier import begin_request, due_outlets, finish_request, open_requests, sync_outlets
from archive.sqlite import connect_read
from archive.stories import catch_up
from archive.times import stamp
from archive.upkeep import close_files, prune
from archive.writer import Transaction, call_back
from crawler.config import SERVICE, Outlet
from crawler.session import Session

log = logging.getLogger("rasid")
T = TypeVar("T")
TICK_S, DELIVER_S = 1, 2  # between two looks at what is due
REST_S = 30.0  # before what failed is begun again: a full disk is neither helped by haste, nor the outlet by our visits
DRAIN_S = 14.0  # of the 20 s between SIGTERM and our end, for pages under way; the rest is for rows and a last mail


class Service:
    """Runs until told to stop. One per process."""

    def __init__(self, session: Session) -> None:
        """`session` is open for writing and stays the caller's to close."""
        self.session = session
        self.running: dict[str, asyncio.Task[None]] = {}
        self.lead = float("-inf")  # of the clock over the loop's
        self.resting: dict[str, float] = {}  # until when, by the loop's clock, what failed is left alone
        self.stopping, self.mail_is_out = asyncio.Event(), asyncio.Event()
        self.mail_is_out.set()
        self.mail_server = session.config.mail_server()
        if session.config.stamp.url and (mend := stamps.missing()):
            raise ConfigError(session.config.file(SERVICE), "stamp.url", mend)
        self.reader = connect_read(session.config.archive)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)
        config = self.session.config
        await self._write(lambda tx: sync_outlets(tx, [o.row for o in config.outlets]))
        scheduler = self._jobs()
        scheduler.start()
        log.info("started outlets=%d alerts=%d archive=%s", len(config.enabled()), len(config.alerts), config.archive)
        await self.stopping.wait()
        await self._drain(scheduler)

    def _jobs(self) -> AsyncIOScheduler:
        # One instance of each, missed runs coalesce into one, and none is ever dropped for being late.
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )
        scheduler.add_job(self._tick, "interval", seconds=TICK_S, id="tick")
        if self.mail_server:
            scheduler.add_job(self._deliver, "interval", seconds=DELIVER_S, id="deliver")
        # Soon after the start as well: a service that is restarted daily has its upkeep, too.
        first = datetime.now(UTC) + timedelta(minutes=5)
        scheduler.add_job(self._upkeep, "interval", hours=24, id="upkeep", next_run_time=first)
        if self.session.config.stamp.url:
            scheduler.add_job(self._stamp, "interval", hours=1, id="stamp", next_run_time=first)
        return scheduler

    async def _tick(self) -> None:
        if self._clock_went_back():
            log.warning("the clock went back; listings are read now")
            await self._write(_read_listings_now)
        for request in open_requests(self.reader):
            if self._free(key := f"request {request.id}"):
                self._start(key, self._answer(request.id, request.kind, request.target))
        known = {o.id: o for o in self.session.config.enabled()}
        room = self.session.config.crawl.outlets_at_once - len(self.running)
        per_hour = self.session.config.revisit.per_hour
        for outlet_id in due_outlets(self.reader, stamp(self.session.clock()), per_hour):
            if room <= 0:
                break
            if outlet_id in known and self._free(outlet_id):
                self._start(outlet_id, self._crawl(known[outlet_id]))
                room -= 1

    def _clock_went_back(self) -> bool:
        """Whether, since it was last asked, the clock lost a minute or more against one that only counts."""
        lead = self.session.clock().timestamp() - asyncio.get_running_loop().time()
        back, self.lead = lead < self.lead - 60, lead
        return back

    def _free(self, key: str) -> bool:
        return key not in self.running and self.resting.get(key, 0.0) <= asyncio.get_running_loop().time()

    def _start(self, key: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=key)
        self.running[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        self.running.pop(key, None)
        self.resting.pop(key, None)
        if not task.cancelled() and (error := task.exception()):
            self.resting[key] = task.get_loop().time() + REST_S
            ours = isinstance(error, RasidError)  # its sentence says all
            log.error("work=%s failed, next try in %.0f s: %s", key, REST_S, error, exc_info=None if ours else error)

    async def _crawl(self, outlet: Outlet, *, all_sources: bool = False) -> None:
        done = await self.session.crawls.crawl(outlet, all_sources=all_sources)
        log.info(
            "crawl outlet=%s outcome=%s discovered=%d fetched=%d kept=%d errors=%d",
            outlet.id, done.outcome, done.discovered, done.fetched, done.kept, done.errors,
        )  # fmt: skip

    async def _answer(self, request_id: int, kind: str, target: str) -> None:
        """Do what another process asked for: a crawl of an outlet, or saving an address."""
        error: str | None = None
        await self._write(lambda tx: begin_request(tx, request_id, None))
        try:
            if kind == "save":
                await self.session.crawls.save([target])
            else:
                outlet = self.session.config.enabled((target,))[0]
                while target in self.running:  # a crawl under way may have read its listings before we were asked
                    await asyncio.wait([self.running[target]])
                await self._start(target, self._crawl(outlet, all_sources=True))
        except ConfigError:
            error = "the service started before this outlet was configured; start it again"
        except Exception as failure:
            error = str(failure)
        await self._write(lambda tx: finish_request(tx, request_id, error=error))

    async def _deliver(self) -> None:
        session, config = self.session, self.session.config
        if self.mail_server is None:
            return
        if not self._free("mail"):
            return
        self.mail_is_out.clear()
        try:
            report = await _aside(
                partial(
                    deliver_due, session.writer, self.mail_server, contact=config.contact, desk_url=config.desk.url,
                    stop=self.stopping.is_set,
                )
            )  # fmt: skip
        except RasidError as error:
            self.resting["mail"] = asyncio.get_running_loop().time() + REST_S
            log.error("mail failed, next try in %.0f s: %s", REST_S, error)
            return
        finally:
            self.mail_is_out.set()
        if report.sent or report.put_off or report.failed:
            log.info("mail sent=%d put_off=%d failed=%d", report.sent, report.put_off, report.failed)
        if report.error:
            log.warning("mail error=%s", report.error)

    async def _upkeep(self) -> None:
        config = self.session.config
        await asyncio.to_thread(catch_up, self.session.writer)
        closed = await asyncio.to_thread(close_files, self.session.writer)
        report = await asyncio.to_thread(prune, self.session.writer, passed_days=config.keep.passed_days)
        log.info("upkeep closed=%d %s", closed, report)

    async def _stamp(self) -> None:
        session = self.session
        try:
            if head := await _aside(partial(stamps.stamp_head, session.writer, session.config.stamp.url or "")):
                log.info("stamped head=%s", head)
        except RasidError as error:
            log.warning("no stamp, next try in an hour: %s", error)

    async def _write(self, operation: Callable[[Transaction], T]) -> T:
        return await asyncio.wrap_future(self.session.writer.submit(operation))

    async def _drain(self, scheduler: AsyncIOScheduler) -> None:
        log.info("stopping: %d in work", len(self.running))
        scheduler.pause()
        await self.session.crawls.stop(within=DRAIN_S)
        if self.running:
            await asyncio.wait(self.running.values(), timeout=2)
        with suppress(TimeoutError):  # a mail that was taken and not noted would be sent again
            await asyncio.wait_for(self.mail_is_out.wait(), 2)
        scheduler.shutdown(wait=False)
        self.reader.close()
        log.info("stopped")


def _read_listings_now(tx: Transaction) -> None:
    call_back(tx.db, tx.policy, tx.now())
    tx.db.execute("UPDATE sources SET next_at = ? WHERE next_at > ?", (tx.now(), tx.now()))


async def _aside(work: Callable[[], T]) -> T:
    """Run `work` in a thread that does not outlive us: a mail server that hangs must not hold up our end."""
    result: Future[T] = Future()
    result.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="mail", daemon=True).start()
    return await asyncio.wrap_future(result)
