"""What is done again and again: each job at its interval, with its own limit in time, and none waiting for another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from archive.errors import RasidError
from archive.sqlite import SqliteError
from crawler.logs import say

log = logging.getLogger("rasid.jobs")
Monotonic = Callable[[], float]
Work = Callable[[], Awaitable[object]]
Plan = tuple[Work, float, float, float]
"""Work, interval, limit, and when it is done first, from now on; in seconds."""


@dataclass(slots=True, eq=False)
class Job:
    """A job and what came of it; moments are of the loop's clock, times in seconds."""

    name: str
    every: float
    limit: float  # a run that takes longer is told, and so is one that begins later than this
    work: Work
    due: float
    begun: float | None = None  # the run under way
    took: float | None = None  # the last run
    late: float = 0.0  # how long after it was due the last run began
    runs: int = 0
    missed: int = 0  # runs that took longer than their limit
    error: str | None = None  # why the last run failed
    overran: bool = False  # this run, or the last one where none is under way
    rests_until: float = 0.0
    task: asyncio.Task[None] | None = None


class Jobs:
    """All jobs of a process. A run is never begun while the one before it is under way; missed ones become one."""

    def __init__(self, now: Monotonic, *, rest: float) -> None:
        """`now` is the loop's clock; what failed is begun again after `rest` seconds at the soonest."""
        self.now, self.rest = now, rest
        self.all: dict[str, Job] = {}
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})

    def plan(self, wanted: Mapping[str, Plan]) -> None:
        """Have these jobs and no others; those that stay as they are keep their turn."""
        for name in {name for name, job in self.all.items() if name not in wanted or wanted[name][1] != job.every}:
            del self.all[name]
            self._scheduler.remove_job(name)
        for name in wanted.keys() - self.all.keys():
            work, every, limit, first = wanted[name]
            self.all[name] = Job(name, every, limit, work, self.now() + first)
            at = datetime.now(UTC) + timedelta(seconds=first)
            self._scheduler.add_job(self._due, "interval", [name], seconds=every, next_run_time=at, id=name)

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin nothing any more; what is under way goes on."""
        self._scheduler.pause()
        self._scheduler.shutdown(wait=False)

    def call_back(self) -> None:
        """The machine's clock went back, by which the scheduler counts: everything is due."""
        for waiting in self._scheduler.get_jobs():
            waiting.modify(next_run_time=datetime.now(UTC))

    def begin(self, name: str) -> asyncio.Task[None]:
        """Begin a run now, unless one is under way; gives the run."""
        job = self.all[name]
        if job.task is None or job.task.done():
            job.begun, job.overran = self.now(), False
            job.late, job.due = max(0.0, job.begun - job.due), job.begun + job.every
            job.task = asyncio.create_task(self._run(job), name=name)
        return job.task

    def wake(self, name: str) -> None:
        """Begin a run now, unless there is no such job, one is under way, or it failed just now."""
        if name in self.all and self.all[name].rests_until <= self.now():
            self.begin(name)

    async def _due(self, name: str) -> None:
        self.wake(name)

    async def _run(self, job: Job) -> None:
        begun, job.error = self.now(), None
        try:
            await job.work()
        except Exception as error:
            job.error, job.rests_until = str(error) or type(error).__name__, self.now() + self.rest
            ours = isinstance(error, RasidError | SqliteError)  # its sentence says all
            log.error("%s failed: %s", job.name, job.error, exc_info=None if ours else error)
        finally:
            job.took, job.begun, job.runs = self.now() - begun, None, job.runs + 1
            if job.overran:
                say(log, "a job that took too long ended", logging.WARNING, job=job.name, took=job.took)

    def watch(self) -> None:
        """Note, once for each run, that it takes longer than it may."""
        for job in self.all.values():
            if job.begun is not None and not job.overran and self.now() - job.begun > job.limit:
                job.overran, job.missed = True, job.missed + 1
                say(log, "a job takes too long", logging.ERROR, job=job.name, limit=job.limit)

    def troubles(self) -> dict[str, str]:
        """A sentence for each job that takes or took too long, was begun too late or failed, under "job NAME"."""
        found = {}
        for job in self.all.values():
            if job.overran:
                how = "is under way" if job.begun is not None else "took"
                spent = self.now() - job.begun if job.begun is not None else job.took or 0.0
                found[f"job {job.name}"] = f"{job.name} {how} {spent:.0f} s, more than its {job.limit:.0f} s"
            elif job.error:
                found[f"job {job.name}"] = f"{job.name} failed: {job.error}"
            elif (late := max(job.late, self.now() - job.due)) > max(2 * job.every, job.limit):
                found[f"job {job.name}"] = f"{job.name} is {late:.0f} s late; is the machine overloaded?"
        return found
