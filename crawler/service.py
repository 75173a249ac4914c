"""`rasid run`: a handful of in-memory jobs over due times that live in the archive's own tables.

    tick      starts a crawl of every outlet that has a listing, an address or a revisit due
    deliver   hands due mails, digests among them, to the mail server, as soon as an article was stored, too
    channels  does the same for other channels than mail; each in a thread of its own
    health    looks how it stands, and tells operators what begins to be wrong
    upkeep    once a day: hashes WARC files of days that are over, drops passed captures and old fetch rows
    stamp     once a day, where an authority is configured: has the ledger's head signed
    backup    where a place is configured; verify: a sample, once a day; doctor: once a week; as processes of their own

Nothing a job does blocks the loop: crawls are coroutines, saving belongs to the writer's thread, all else to threads
and processes of its own. A beat beside them all sees to the clock, to their limits and to systemd's watchdog.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from archive import facts, stamps, stories
from archive.alerts.delivery import SmtpSettings, deliver_due
from archive.alerts.outbox import waits
from archive.alerts.rules import Channel
from archive.errors import ConfigError, RasidError
from archive.frontier import due_outlets, finish_request, open_requests, sync_outlets
from archive.sqlite import SqliteError, connect_read
from archive.times import later, stamp
from archive.transaction import Transaction
from archive.upkeep import catch_up, close_files, prune
from archive.writer import call_back
from crawler.apart import aloud, aside
from crawler.config import SERVICE, Config, Outlet, load_config
from crawler.crawl import Crawls
from crawler.health import OURS, Survey, announce, survey
from crawler.jobs import Jobs, Plan
from crawler.logs import say, set_up
from crawler.metrics import metrics
from crawler.monitor import Monitor
from crawler.rejudge import keep_label
from crawler.session import check, policy
from crawler.supervisor import Supervisor

log = logging.getLogger("rasid")
T = TypeVar("T")
TICK_S, DELIVER_S, BEAT_S = 1.0, 2.0, 1.0  # between two looks at what is due; between two beats
HEALTH_S, USUAL_S, FRESH_S = 60.0, 3600.0, 5.0  # how old a survey may be, its slow part, and one that somebody asks for
LOG_MAX = 64 << 20  # bytes of the write-ahead log, which is usually far smaller
SOON_S = 300.0  # after the start as well: a service that is restarted daily has its upkeep, too
DAY_S, LONG_S = 86400.0, 12 * 3600.0
REST_S = 30.0  # before what failed is begun again: a full disk is neither helped by haste, nor the outlet by our visits
CRAWL_S = 900.0  # then a crawl makes room for others; what it had not read is still due
DRAIN_S = 14.0  # of the 20 s between SIGTERM and our end, for pages under way; the rest is for rows and a last mail
VERIFY = ("verify", "--workers", "1", "--sample", "5")  # files and stretches of the ledger, each day
SENDING: dict[str, Channel] = {"deliver": "email", "channels": "apprise"}  # by job


class Service:
    """Runs until told to stop. One per process."""

    def __init__(self, crawls: Crawls, supervisor: Supervisor | None = None) -> None:
        """`crawls` are open for writing and stay the caller's to close."""
        self.crawls, self.supervisor = crawls, supervisor or Supervisor()
        self.running: dict[str, asyncio.Task[None]] = {}
        self.lead = float("-inf")  # of the clock over the loop's
        self.resting: dict[str, float] = {}  # until when, by the loop's clock, what failed is left alone
        self.stopping, self.reloads = asyncio.Event(), asyncio.Lock()  # the newest configuration is taken last
        self.mail_server, self.channels = able(crawls.config)
        self.reader = connect_read(crawls.config.archive)
        self.jobs = Jobs(lambda: asyncio.get_running_loop().time(), rest=REST_S)
        crawls.noted = self._wake
        self.monitor = Monitor({"/healthz": self._healthz, "/metrics": self._metrics})
        self.refused: str | None = None  # why the configuration as it now is was not taken
        self.survey: Survey | None = None
        self.usual: tuple[str, dict[str, dict[str, str]]] | None = None  # what is unusual, and until when that holds

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain; SIGHUP reads the configuration again."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._start("reload", self._reload()))
        config = self.crawls.config
        await self._write(lambda tx: sync_outlets(tx, [o.row for o in config.outlets]))
        if config.watch.address:
            try:
                await self.monitor.listen(*config.watch.address)
            except OSError as error:
                log.error("service.listen: %s: %s; nothing is shown there", config.watch.listen, error.strerror)
        self._plan(config)
        self.jobs.start()
        beat = asyncio.create_task(self._beat())
        say(log, "started", outlets=len(config.enabled()), alerts=len(config.alerts), archive=config.archive)
        self.supervisor.tell("READY=1", f"STATUS=watching {len(config.enabled())} outlets")
        stopped = asyncio.create_task(self.stopping.wait())
        await asyncio.wait((stopped, beat), return_when=asyncio.FIRST_COMPLETED)
        self.supervisor.tell("STOPPING=1")
        self.monitor.close()
        await self._drain()
        if beat.done():  # nothing saw to the limits any more: whoever started us starts us anew
            beat.result()
        beat.cancel()

    def _plan(self, config: Config) -> None:
        """Have the jobs that a configuration asks for: interval, limit and first run, all in seconds."""
        wanted: dict[str, Plan] = {
            "tick": (self._tick, TICK_S, 60.0, TICK_S),
            "health": (self._survey, HEALTH_S, 60.0, 1.0),
            "upkeep": (self._upkeep, DAY_S, LONG_S, SOON_S),
            "verify": (partial(self._aloud, *VERIFY), DAY_S, LONG_S, 2 * SOON_S),
            "doctor": (partial(self._aloud, "doctor"), 7 * DAY_S, LONG_S, 3 * SOON_S),
        }
        if config.smtp or config.alerts:
            for name, channel in SENDING.items():
                wanted[name] = (partial(self._deliver, channel), DELIVER_S, 600.0, DELIVER_S)
        if config.stamp.url:
            wanted["stamp"] = (self._stamp, 3600.0, 300.0, SOON_S)
        if config.backup.dir:
            copy = partial(self._aloud, "backup", config.backup.dir)
            wanted["backup"] = (copy, float(config.backup.every), LONG_S, SOON_S)
        self.jobs.plan(wanted)

    async def _beat(self) -> None:
        """What must go on whatever else hangs, counted by a clock that nobody can set."""
        while True:
            if self._clock_went_back():
                log.warning("the clock went back; listings are read now")
                self.jobs.call_back()
                with suppress(RasidError):
                    await self._write(_read_listings_now)
            self.jobs.watch()
            tick = self.jobs.all["tick"]
            if self.crawls.writer.alive and not tick.overran:  # else systemd starts us anew
                self.supervisor.tell("WATCHDOG=1", f"STATUS={len(self.running)} crawls under way; {self._state()}")
            await asyncio.sleep(BEAT_S)

    async def _tick(self) -> None:
        for request in open_requests(self.reader):
            if self._free(key := f"request {request.id}"):
                self._start(key, self._answer(request.id, request.kind, request.target))
        known = {o.id: o for o in self.crawls.config.enabled()}
        room = self.crawls.config.crawl.outlets_at_once - len(self.running)
        per_hour = self.crawls.config.revisit.per_hour
        for outlet_id in due_outlets(self.reader, stamp(self.crawls.clock()), per_hour):
            if room <= 0:
                break
            if outlet_id in known and self._free(outlet_id):
                self._start(outlet_id, self._crawl(known[outlet_id]))
                room -= 1

    def _clock_went_back(self) -> bool:
        """Whether, since it was last asked, the clock lost a minute or more against one that only counts."""
        lead = self.crawls.clock().timestamp() - asyncio.get_running_loop().time()
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
        if not task.cancelled() and (error := task.exception()):
            self._rest(key)
            ours = isinstance(error, RasidError | SqliteError)  # its sentence says all
            log.error("%s failed, next try in %.0f s: %s", key, REST_S, error, exc_info=None if ours else error)

    def _rest(self, key: str) -> None:
        now = asyncio.get_running_loop().time()
        self.resting = {key: until for key, until in self.resting.items() if until > now} | {key: now + REST_S}

    async def _crawl(self, outlet: Outlet, *, all_sources: bool = False) -> None:
        begun = asyncio.get_running_loop().time()
        done = await self.crawls.crawl(outlet, all_sources=all_sources, within=CRAWL_S)
        took = asyncio.get_running_loop().time() - begun
        if took >= CRAWL_S:
            self._rest(outlet.id)  # longest overdue, it would be the next one again
        say(log, "crawl", **done.row | {"seconds": took})

    async def _answer(self, request_id: int, kind: str, target: str) -> None:
        """Do what another process asked for: a crawl of an outlet, saving an address, or keeping an editor's label."""
        error: str | None = None
        try:
            if kind == "save":
                await self.crawls.save([target])
            elif kind == "label":
                await aside("label", partial(keep_label, self.crawls.config, self.crawls.writer, target))
            else:
                outlet = self.crawls.config.enabled((target,))[0]
                while target in self.running:  # a crawl under way may have read its listings before we were asked
                    await asyncio.wait([self.running[target]])
                await self._start(target, self._crawl(outlet, all_sources=True))
        except ConfigError:
            error = "the service does not know this outlet yet; have it read its configuration again (SIGHUP)"
        except Exception as failure:
            error = str(failure)
        await self._write(lambda tx: finish_request(tx, request_id, error=error))

    def _wake(self) -> None:
        for name in SENDING:
            self.jobs.wake(name)

    async def _deliver(self, channel: Channel) -> None:
        crawls, config = self.crawls, self.crawls.config
        if not waits(self.reader, channel, stamp(crawls.clock())):
            return
        send = partial(
            deliver_due, crawls.writer, self.mail_server, contact=config.contact, desk_url=config.desk.url,
            channel=channel, channels=self.channels, stop=self.stopping.is_set,
        )  # fmt: skip
        report = await aside(channel, send)
        if report.sent or report.put_off or report.failed:
            say(log, channel, sent=report.sent, put_off=report.put_off, failed=report.failed, error=report.error)

    async def _upkeep(self) -> None:
        writer, days = self.crawls.writer, self.crawls.config.keep.passed_days

        closed = await aside("upkeep", partial(close_files, writer))
        linked = await aside("upkeep", partial(catch_up, writer, stories.work_off))
        read = await aside("upkeep", partial(catch_up, writer, facts.work_off))
        pruned = await aside("upkeep", partial(prune, writer, passed_days=days))
        writer.fold_log()
        say(log, "upkeep", closed=closed, linked=linked, read=read, dropped=pruned)

    async def _stamp(self) -> None:
        if (url := self.crawls.config.stamp.url) and (
            head := await aside("stamp", partial(stamps.stamp_head, self.crawls.writer, url))
        ):
            say(log, "stamped", head=head)

    async def _aloud(self, *command: str) -> None:
        await aloud([*command, "--config", str(self.crawls.config.dir)], LONG_S, self.stopping)

    async def _survey(self) -> None:
        config, now = self.crawls.config, stamp(self.crawls.clock())
        known = self.usual[1] if self.usual and now < self.usual[0] else None
        found = self.survey = await aside("health", partial(survey, config, now, known))
        if known is None:
            self.usual = later(now, USUAL_S), {row["id"]: row["unusual"] for row in found.outlets}
        if found.sizes["log"] > LOG_MAX:
            self.crawls.writer.fold_log()
        troubles = {trouble.key: trouble.text for trouble in found.troubles} | self._own()
        standing = {key: text for key, text, _ in found.notices if key.startswith(OURS)}
        if troubles.keys() != standing.keys() or standing.get("configuration") != self.refused:
            await self._write(lambda tx: announce(tx, troubles))
            for key in troubles.keys() - standing.keys():
                say(log, "trouble", logging.WARNING, key=key, what=troubles[key])

    def _own(self) -> dict[str, str]:
        """What is wrong with this process itself."""
        said = {"configuration": self.refused, "clock": self.crawls.guest.clocks.wrong()}
        return self.jobs.troubles() | {key: text for key, text in said.items() if text}

    def _state(self) -> str:
        grave = [trouble.text for trouble in self.survey.troubles if trouble.grave] if self.survey else []
        return "; ".join([*grave, *self._own().values()]) or "ok"

    async def _fresh(self) -> Survey | None:
        now = self.crawls.clock()
        if self.survey is None or later(self.survey.at, FRESH_S) < stamp(now):
            await asyncio.wait([self.jobs.begin("health")], timeout=3)
        return self.survey

    async def _healthz(self) -> tuple[int, str]:
        fresh, state = await self._fresh(), self._state()
        if fresh is None or state != "ok":
            return 503, f"{state if fresh else 'nothing is known yet'}\n"
        return 200, "\n".join(["ok", *(f"({trouble.text})" for trouble in fresh.troubles), ""])

    async def _metrics(self) -> tuple[int, str]:
        if (fresh := await self._fresh()) is None:
            return 503, "nothing is known yet\n"
        now = asyncio.get_running_loop().time()
        waiting = self.crawls.writer.waiting
        return 200, metrics(fresh, self.jobs.all.values(), now, running=self.running, writer_bytes=waiting)

    async def _reload(self) -> None:
        """Work by the configuration as it is now; should anything be wrong with it, by the old one."""
        async with self.reloads:
            self.supervisor.reloading()
            try:
                config = await aside("reload", partial(load_config, self.crawls.config.dir))
                unchanged(self.crawls.config, config)
                check(config)
                senders = able(config)
                await aside("reload", partial(self.crawls.writer.set_policy, policy(config)))
                await self._write(lambda tx: sync_outlets(tx, [o.row for o in config.outlets]))
                self.crawls.use(config)
            except Exception as error:
                self.refused = f"the configuration is not taken, the one before it stays in force: {error}"
                log.error("%s", self.refused, exc_info=None if isinstance(error, RasidError) else error)
            else:
                (self.mail_server, self.channels), self.refused, self.usual = senders, None, None
                set_up(config.watch.log, config.secrets())
                self._plan(config)
                say(log, "reloaded", outlets=len(config.enabled()), alerts=len(config.alerts))
            self.jobs.begin("health")
            self.supervisor.tell("READY=1")

    async def _write(self, operation: Callable[[Transaction], T]) -> T:
        return await asyncio.wrap_future(self.crawls.writer.submit(operation))

    async def _drain(self) -> None:
        say(log, "stopping", in_work=len(self.running))
        self.jobs.stop()
        await self.crawls.stop(within=DRAIN_S)
        if self.running:
            await asyncio.wait(self.running.values(), timeout=2)
        tasks = [job.task for name, job in self.jobs.all.items() if name in SENDING and job.task]
        if tasks:  # a mail that was taken and not noted would be sent again
            await asyncio.wait(tasks, timeout=2)
        self.reader.close()
        log.info("stopped")


def able(config: Config) -> tuple[SmtpSettings | None, dict[str, str]]:
    """The mail server, and the channels with their addresses. Raises ConfigError for what cannot be done here."""
    if config.stamp.url and (mend := stamps.missing()):
        raise ConfigError(config.file(SERVICE), "stamp.url", mend)
    return config.mail_server(), config.channel_addresses()


def unchanged(before: Config, now: Config) -> None:
    """Raise ConfigError for a change that only a new start can bring."""
    pairs = {"archive": (before.archive, now.archive), "service.listen": (before.watch.address, now.watch.address)}
    for key, (old, new) in pairs.items():
        if old != new:
            mend = "cannot change while the service runs; take the change back, or stop the service and start it again"
            raise ConfigError(now.file(SERVICE), key, mend)


def _read_listings_now(tx: Transaction) -> None:
    call_back(tx.db, tx.policy, tx.now())
    tx.db.execute("UPDATE sources SET next_at = ? WHERE next_at > ?", (tx.now(), tx.now()))
