"""Reads pages in a child process that can be killed: trafilatura knows no bound on time or memory.

One child, one page at a time, values in and values out. A child that takes too long, dies or grows too large is
replaced and the page reported unreadable. The parent never imports trafilatura.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from archive.errors import ExtractionError, WorkError
from archive.models import Article, Judgement, Page
from archive.rules import RuleSet

_SPAWN = multiprocessing.get_context("spawn")
_START = 60.0  # seconds a child may take to load its libraries, on a busy machine
HELD_S = 3.0  # a page that takes longer holds up others; one is waited for so long before a second reader is asked


class Worker:
    """A reader of pages in a process of its own. Safe to call from several threads; they take turns."""

    def __init__(self, rules: RuleSet, *, limit: float = 20.0, memory: int = 1_500_000_000) -> None:
        """`limit`: seconds for one page; `memory`: bytes of address space, where the system can bound it."""
        self._rules, self._limit, self._memory = rules, limit, memory
        self._turn = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "extraction")
        self._child: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._loaded: RuleSet | None = None  # the rules the child judges by
        self._closed = False

    async def read(self, page: Page) -> tuple[Article, Judgement]:
        """`read_sync` without blocking the loop. Cancelling stops the child at work on this page."""
        stop = threading.Event()
        reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read, page, stop)
        try:
            return await asyncio.shield(reading)
        except asyncio.CancelledError:
            stop.set()
            reading.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    def read_sync(self, page: Page) -> tuple[Article, Judgement]:
        """Read and judge one page. Raises ExtractionError if it cannot be read, or not within the limit."""
        return self._read(page, threading.Event())

    def set_rules(self, rules: RuleSet) -> None:
        """Judge the pages that follow by other rules."""
        self._rules = rules

    def close(self) -> None:
        """End the child. A page being read is given up."""
        self._closed = True
        if child := self._child:
            child.kill()
        with self._turn:
            self._end()
        self._thread.shutdown()

    def _read(self, page: Page, stop: threading.Event) -> tuple[Article, Judgement]:
        with self._turn:
            if stop.is_set() or self._closed:
                raise ExtractionError(f"{page.final_url}: reading was called off")
            pipe = self._ready()
            try:
                pipe.send(page)
                answer = self._answer(pipe, stop)
            except (EOFError, OSError):
                self._end()
                raise ExtractionError(f"{page.final_url}: the reader died on this page; it was replaced") from None
            if answer is None:
                self._end()
                raise ExtractionError(f"{page.final_url}: not read within {self._limit:g} s; the reader was replaced")
        if isinstance(answer, str):
            raise ExtractionError(f"{page.final_url}: {answer}")
        return answer

    def _answer(self, pipe: Connection, stop: threading.Event) -> tuple[Article, Judgement] | str | None:
        """What the child sends back; None when it takes too long or is called off."""
        left = self._limit
        while left > 0 and not stop.is_set():
            if pipe.poll(min(left, 0.2)):
                answer: tuple[Article, Judgement] | str = pipe.recv()
                return answer
            left -= 0.2
        return None

    def _ready(self) -> Connection:
        """The pipe to a living child with today's rules; starts one where there is none."""
        if self._pipe and self._child and self._child.is_alive() and self._loaded is self._rules:
            return self._pipe
        self._end()
        self._loaded = self._rules
        ours, theirs = _SPAWN.Pipe()
        self._child = _SPAWN.Process(target=_serve, args=(theirs, self._loaded, self._memory), daemon=True)
        self._child.start()
        theirs.close()
        self._pipe = ours
        with contextlib.suppress(EOFError, OSError):
            if ours.poll(_START) and ours.recv() == "ready":
                return ours
        self._end()
        raise WorkError("the extraction process does not start; is there memory left, and does trafilatura import?")

    def _end(self) -> None:
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        if pipe:
            pipe.close()
        if child:
            child.kill()
            child.join()


class Readers:
    """Two readers: hosts whose pages hold one up have the second among themselves, and all others the first.

    The pages of one host take turns, so that none holds up both. The second is started when it is first needed. For one
    event loop.
    """

    def __init__(self, rules: RuleSet, *, limit: float = 20.0, held: float = HELD_S) -> None:
        """`limit`: seconds for one page; `held`: seconds after which one that fails marks its host."""
        self._held = held
        self._lanes = [(Worker(rules, limit=limit), asyncio.Lock()) for _ in range(2)]
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._slow: set[str] = set()

    async def read(self, page: Page) -> tuple[Article, Judgement]:
        """Read and judge one page. Raises ExtractionError if it cannot be read, or not within the limit."""
        host, now = urlsplit(page.final_url).netloc, asyncio.get_running_loop().time
        async with self._turns.setdefault(host, asyncio.Lock()):
            worker, lane = self._lanes[host in self._slow]
            try:
                async with asyncio.timeout(None if host in self._slow else self._held):
                    await lane.acquire()
            except TimeoutError:
                worker, lane = self._lanes[1]
                await lane.acquire()
            begun = now()
            try:
                found = await worker.read(page)
            except ExtractionError:
                if now() - begun > self._held:
                    self._slow.add(host)
                raise
            else:
                self._slow.discard(host)
                return found
            finally:
                lane.release()

    def set_rules(self, rules: RuleSet) -> None:
        """Judge the pages that follow by other rules."""
        for worker, _ in self._lanes:
            worker.set_rules(rules)

    def close(self) -> None:
        """End both. Pages being read are given up."""
        for worker, _ in self._lanes:
            worker.close()


def _serve(pipe: Connection, rules: RuleSet, memory: int) -> None:
    """The child: loads the readers, then answers pages until the pipe closes."""
    _bind(memory)
    from crawler.process import process

    pipe.send("ready")
    while True:
        try:
            page: Page = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(process(page, rules))
        except ExtractionError as error:
            pipe.send(str(error).removeprefix(f"{page.final_url}: "))
        except MemoryError:
            pipe.send("the page needs more memory than a page may")
        except Exception as error:  # a page must not end the crawl, whatever the libraries raise
            pipe.send(f"{type(error).__name__} while reading: {error}")


def _bind(memory: int) -> None:
    """Bound this process's memory, leave signals to the parent, and die with it even when it is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(ImportError, OSError, ValueError):  # systems without such bounds
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    if parent := multiprocessing.parent_process():
        wait([parent.sentinel])
        os._exit(1)
