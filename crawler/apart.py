"""Work beside the event loop: in threads that do not outlive the process, and in processes that can be ended."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from archive.errors import WorkError

T = TypeVar("T")


async def aside(name: str, work: Callable[[], T]) -> T:
    """Run `work` in a thread that does not outlive us: a mail server that hangs must not hold up our end."""
    result: Future[T] = Future()
    result.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await asyncio.wrap_future(result)


async def aloud(command: Sequence[str], limit: float, stopping: asyncio.Event) -> None:
    """Run one of our own commands in a process of its own, for `limit` seconds or until `stopping`. Raises WorkError
    with what it found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "crawler", *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    os.setpriority(os.PRIO_PROCESS, process.pid, 10)
    output, stop = asyncio.create_task(process.communicate()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((output, stop), timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        if not output.done():
            process.kill()
            if stopping.is_set():
                return
            raise WorkError(f"`rasid {command[0]}` was ended, unfinished, after {limit / 3600:.0f} hours")
    finally:
        stop.cancel()
    out, err = output.result()
    if process.returncode:
        last = (err or out).decode("utf-8", "replace").strip().splitlines()
        raise WorkError(f"`rasid {command[0]}` says: {'; '.join(last[-3:])[:500]}")
