"""The service as a process of its own in simulated time, to be killed at any instant and started again.

All clocks are one: it is as many simulated seconds as the machine's monotonic clock counts since an epoch, which all
processes read from shared memory, and which the service moves back by whatever it leaps over.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from apscheduler.executors import base as executors
from apscheduler.schedulers import base as schedulers

from archive.alerts.outbox import retry
from crawler import jobs, service
from crawler.config import load_config
from crawler.crawl import Crawls
from crawler.logs import set_up
from crawler.session import policy, run_reactor
from crawler.worker import Readers
from tests.newspapers import START
from tests.program import fork_here
from tests.simulation import CountingGuest, CountingWriter
from tests.warp import Warp

STEP_S = 600.0  # so that months are lived through in minutes
LATE = "late.json"


class _Jobs(jobs.Jobs):
    """Remembers how late each job ever began, in intervals."""

    latest: ClassVar[dict[str, float]] = defaultdict(float)

    def begin(self, name: str) -> asyncio.Task[None]:
        task, job = super().begin(name), self.all[name]
        self.latest[name] = max(self.latest[name], job.late / job.every)
        return task


def live(directory: Path, epoch: Any, hanging: Any, log: Path, seed: int, step: float | None = STEP_S) -> None:
    """`rasid run` by the configuration in `directory`, until SIGTERM or worse. At each start somebody retries failed
    mails. `late.json` is a line for each start: job by job, how late it began at the worst, in intervals. `step` is
    between two ticks, deliveries and beats; None: as it is in earnest.
    """
    stream = log.open("a")
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    set_up("text", ())
    warp, base = Warp(), epoch.value

    def now() -> datetime:
        return START + timedelta(seconds=warp.time() - base)

    def tell() -> None:
        epoch.value = base - warp.ahead

    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now().astimezone(tz)

    warp.leapt, warp.hanging = tell, lambda: int(hanging.value)
    names: Any = service
    if step:
        names.TICK_S = names.DELIVER_S = names.BEAT_S = step
        names.HEALTH_S = 3600.0
    names.Jobs, names.aside = _Jobs, warp.counted(service.aside)
    names.Service._aloud = _left_out
    for module in (jobs, schedulers, executors):  # APScheduler takes no clock as a parameter
        module.datetime = Now  # type: ignore[attr-defined]
    fork_here()
    asyncio.set_event_loop(warp)
    run_reactor(lambda: _run(warp, directory, now, seed))


async def _run(warp: Warp, directory: Path, now: Any, seed: int) -> None:
    from twisted.internet import reactor

    # Twisted reads the machine's clock; its delays must leap with the rest.
    reactor.seconds = warp.time  # type: ignore[method-assign]
    config = load_config(directory)
    writer = CountingWriter(config.archive, policy(config), clock=now)
    writer.warp, readers = warp, Readers(config.rules)
    try:
        writer.submit(lambda tx: retry(tx.db, tx.now(), None)).result()
        guest = CountingGuest(config, writer, clock=now, monotonic=warp.time)
        guest.warp = warp
        crawls = Crawls(config, writer, readers, guest, clock=now, chance=random.Random(seed))
        running = service.Service(crawls)
        noting = asyncio.create_task(_note(directory / LATE, running.jobs))
        warp.leaping = True
        await running.run()
        noting.cancel()
    finally:
        warp.leaping = False
        readers.close()
        writer.close()


async def _left_out(self: service.Service, *command: str) -> None:
    """`rasid verify` and `rasid doctor` look at the machine's clock, not at ours: they have their say at the end."""


async def _note(file: Path, all_jobs: jobs.Jobs) -> None:
    """Keep our line up to date, where a kill cannot tear it; a job that is never begun again is later each time."""
    before = file.read_text() if file.exists() else ""
    while True:
        await asyncio.sleep(3600)
        for job in all_jobs.all.values():
            _Jobs.latest[job.name] = max(_Jobs.latest[job.name], (all_jobs.now() - job.due) / job.every)
        file.with_suffix(".new").write_text(before + json.dumps(_Jobs.latest) + "\n")
        file.with_suffix(".new").replace(file)
