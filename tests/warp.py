"""A loop whose time leaps over what is only waited for, so that days of a service pass in seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import wraps
from typing import Any

GRACE_S = 0.001  # within which what ended in another thread is heard of


class Warp(asyncio.SelectorEventLoop):
    """Real time passes while anything is under way; otherwise, once `leaping`, the next timer is due at once."""

    def __init__(self) -> None:
        self.leaping = False
        self.ahead = 0.0  # seconds leapt over
        self.busy = 0  # things under way that end by an event
        self.leapt: Callable[[], object] = lambda: None  # told of each leap
        self.hanging: Callable[[], int] = lambda: 0  # of these, such as nobody will answer before a timer ends them
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return super().time() + self.ahead

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        self.busy += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._less)
        return future

    def count(self, future: Future[Any]) -> None:
        """A future of another thread is under way."""
        self.busy += 1
        future.add_done_callback(lambda _: self.call_soon_threadsafe(self._less))

    def counted(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same, under way while it runs."""

        @wraps(work)
        async def counting(*args: Any) -> Any:
            self.busy += 1
            try:
                return await work(*args)
            finally:
                self.busy -= 1

        return counting

    def _less(self, _: object = None) -> None:
        self.busy -= 1


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: Warp) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> Any:
        loop = self.loop
        if not loop.leaping or timeout is None or timeout <= GRACE_S:
            return super().select(timeout)
        events = super().select(GRACE_S)
        if events:
            return events
        if loop.busy > loop.hanging():
            return super().select(min(timeout, 0.02))
        loop.ahead += timeout - GRACE_S
        loop.leapt()
        return []
