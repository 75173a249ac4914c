"""`rasid` in a process of its own, forked from one that has loaded it: the same program, started in milliseconds.

Its signals, exit code and output are those of a process. `started_anew` runs it as a shell does, loading and all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

from crawler import worker
from tests.archive_kit import children

ROOT = Path(__file__).parent.parent


def environment(**more: str) -> dict[str, str]:
    """Ours, without proxies, in which `crawler` is found and a terminal is 100 columns wide."""
    bare = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return bare | {"COLUMNS": "100", "PYTHONPATH": str(ROOT)} | more


def fork_here() -> None:
    """In a child of the server: have it fork our children too, which the program would start anew."""
    server: Any = forkserver
    server._forkserver.ensure_running = lambda: None
    worker._SPAWN = children  # type: ignore[assignment]


def _be(arguments: list[str], given: Mapping[str, str], cwd: Path, files: tuple[Path, Path, Path]) -> None:
    fork_here()
    os.chdir(cwd)
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(given)
    for number, (path, flags) in enumerate(zip(files, (0, *[os.O_WRONLY | os.O_APPEND | os.O_CREAT] * 2), strict=True)):
        os.dup2(os.open(path, flags), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
    from crawler.cli import main

    main(arguments, prog_name="rasid")


class Running:
    """The program at work; as much of `subprocess.Popen` as is needed."""

    def __init__(
        self, *arguments: object, out: Path, err: Path | None = None, stdin: Path = Path(os.devnull),
        cwd: Path = ROOT, given: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        words = list(map(str, arguments))
        files = (stdin, out, err or out)
        self.process = children.Process(target=_be, args=(words, given or environment(), cwd, files))
        self.process.start()
        assert self.process.pid
        self.pid = self.process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, seconds: float) -> int:
        self.process.join(seconds)
        assert self.process.exitcode is not None, f"it did not end within {seconds} s"
        return self.process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


def rasid(
    *arguments: object, cwd: Path = ROOT, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:  # as `subprocess.run` gives it
    """Run the program to its end, within 100 s."""
    with tempfile.TemporaryDirectory() as directory:
        given, out, err = (Path(directory, name) for name in ("in", "out", "err"))
        given.write_text(stdin, encoding="utf-8")
        process = Running(*arguments, out=out, err=err, stdin=given, cwd=cwd, given=environment(**more))
        try:
            code = process.wait(100)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, code, out.read_text("utf-8"), err.read_text("utf-8"))


def started_anew(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """The same in a process that loads all of it."""
    return subprocess.run(
        [sys.executable, "-m", "crawler", *map(str, arguments)],
        capture_output=True, text=True, cwd=ROOT, timeout=100, env=environment(**more),
    )  # fmt: skip
