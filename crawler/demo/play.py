"""The demo's course: six outlets publish, the service watches, pages change, and a reader is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archive.desk.server import serve
from archive.errors import ArchiveError, UsageError, WorkError
from archive.sqlite import SqliteError, connect_read, named
from archive.times import moment, stamp, utc_now
from crawler.config import load_config
from crawler.demo.corpus import load
from crawler.demo.places import HOST, TEMPLATES, Sink, Site
from crawler.terminal import table

Echo = Callable[[str], None]
_PRINT: Echo = partial(print, flush=True)
STARTED = "demo.started"  # the file that says when the outlets first published
PATIENCE_S = 90.0  # for each thing that must come
STOP_S = 25.0  # the service drains within 20
TOLD = {"edited": 1, "new": 5, "withdrawn": 1}

_ASKED = named(files("crawler.demo").joinpath("play.sql").read_text("utf-8"))


def run(directory: Path | None = None, *, exit: bool = False, echo: Echo = _PRINT) -> None:
    """Play all of it in `directory` (default: `demo`, here), then serve the archive, or stop there if `exit`.

    Run again on the same directory it takes up where it was, and tells nobody anything twice.
    Raises WorkError when something does not come in time or is not what it should be; leaves nothing running.
    """
    directory = (directory or Path("demo")).resolve()
    with ExitStack() as stack:
        with _signals() as asked:
            _Play(directory, echo, asked).run(stack)
        if not exit:
            desk = urlsplit(load_config(directory).desk.url)
            serve(
                directory / "archive.db", host=HOST, port=desk.port or 0,
                on_ready=lambda url: echo(f"\nThe archive, to look around in: {url}   (Ctrl-C ends it)"),
            )  # fmt: skip


class _Play:
    def __init__(self, directory: Path, echo: Echo, asked: list[int]) -> None:
        self.dir, self.echo, self.asked = directory, echo, asked
        self.begun, self.since = time.monotonic(), stamp(utc_now())
        self.started = _prepare(directory, self.since)
        self.sites: list[Site] = []
        self.bundled: dict[str, str] = {}  # what becomes of a document's page (old: reworded) -> its address

    def run(self, stack: ExitStack) -> None:
        """From the first page published to the last table; the outlets answer until `stack` is closed."""
        self.echo(f"Rasid's demo, without network, in {self.dir}")
        config = load_config(self.dir)
        ports = {o.id: urlsplit(o.homepage).port for o in config.outlets}
        again = self.told().get("new", 0) >= TOLD["new"]  # then they have changed their pages
        for paper in load(moment(self.started)):
            now = paper.changed() if again else paper
            self.sites.append(stack.enter_context(Site(now, ports[paper.id] or 0).running()))
            if paper.bundled:
                self.bundled[next(iter(paper.change), paper.id)] = self.sites[-1].base + paper.bundled.path
        assert config.smtp  # noqa: S101  # we wrote it
        sink = stack.enter_context(Sink(self.dir / "mail", config.smtp.port).running())
        pages = sum(len(site.paper.stories) for site in self.sites)
        self.say(f"{len(self.sites)} outlets publish {pages} articles; a mail server listens; starting the service")
        with _service(self.dir) as service:
            self.watch(service, again)
        self.say("the service was asked to stop, and has stopped")
        self.report(sink)

    def watch(self, service: subprocess.Popen[bytes], again: bool) -> None:
        """Wait for what must come; in between the outlets change three of their pages, unless all that was `again`."""

        def until(what: str, come: Callable[[], object]) -> None:
            self.until(what, come, service)

        until("every outlet's listing was read", lambda: len(self.ask("visited", self.since)) == len(self.sites))
        until("the five documents are kept, each on a topic", lambda: self.substantive() >= set(self.bundled.values()))
        until("five mails tell of them", lambda: self.told().get("new", 0) >= TOLD["new"])
        if not again:
            for site in self.sites:
                site.paper = site.paper.changed()
            self.say("now one outlet rewords its article, one view counter moves on, and one article is taken down")
        edited, counted, gone = (self.bundled[change] for change in ("old", "views", "withdrawn"))
        until("the new wording is kept as a second version", lambda: self.ask("edited", edited))
        until("the page with the new count was read, and is no new version", lambda: self.ask("read", counted))
        until("the withdrawn article was missed twice, and is marked", lambda: self.ask("gone", gone))
        until("two more mails tell of the edit and the withdrawal", lambda: self.told() == TOLD)

    def until(self, what: str, come: Callable[[], object], service: subprocess.Popen[bytes]) -> None:
        """Wait until `come` holds and say so; WorkError when time runs out or the service ends."""
        deadline, log = time.monotonic() + PATIENCE_S, f"{self.dir / 'service.log'} says more"
        while True:
            if come():
                return self.say(what)
            if self.asked:
                raise SystemExit(128 + self.asked[0])
            if service.poll() is not None:
                raise WorkError(f"the service ended by itself with code {service.returncode}, before {what}; {log}")
            if time.monotonic() > deadline:
                raise WorkError(f"this did not come within {PATIENCE_S:.0f} s: {what}; {log}")
            time.sleep(0.2)

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the archive as committed now; none before the service has made it."""
        with suppress(ArchiveError, SqliteError), closing(connect_read(self.dir / "archive.db")) as db:
            return list(db.query(_ASKED[query], values))
        return []

    def substantive(self) -> set[str]:
        """Addresses of what is kept as really on a topic."""
        return {row["url"] for row in self.ask("substantive")}

    def told(self) -> dict[str, int]:
        """Mails sent, by kind of event."""
        return {row["kind"]: row["mails"] for row in self.ask("told")}

    def say(self, what: str) -> None:
        """One line of progress, with the seconds since the start."""
        self.echo(f"{time.monotonic() - self.begun:6.1f} s  {what}")

    def report(self, sink: Sink) -> None:
        """Print what the archive holds, then raise WorkError if it is not what it should be."""
        kept, substantive, found, versions, mails, unchanged = self.ask("counts")[0].values()
        told, wrong = self.told(), self.substantive() ^ set(self.bundled.values())
        rest = f"{kept - substantive} that only mention one; {found - kept} passed over"
        rows = [
            ("found", found, f"articles, listed by {len(self.sites)} outlets"),
            ("kept", substantive, f"on a topic, {rest}"),
            ("versioned", versions - kept, f"edit; {unchanged} looks found no change, the view counter among them"),
            ("withdrawn", told.get("withdrawn", 0), "believed after two looks"),
            ("told", mails, f"mails ({', '.join(f'{n} {kind}' for kind, n in told.items())}) in {sink.directory}"),
        ]
        self.echo("\n" + table(("what", "count", ""), rows) + "\n")
        articles = self.ask("kept")
        self.echo(table(list(articles[0]), [list(article.values()) for article in articles]))
        received, expected = len(sink.mails), sum(TOLD.values())
        fine = {
            f"{', '.join(sorted(wrong))}: kept as substantive, or not, against expectation": not wrong,
            f"told {told} instead of {TOLD}": told == TOLD,
            f"{received} mails received, {mails} written": received == mails == expected,
            f"{versions} versions of {kept} articles, where one edit was made": versions == kept + 1,
        }
        if faults := "; ".join(what for what, is_so in fine.items() if not is_so):
            raise WorkError(f"the demo did not come out as it should: {faults}")


def _prepare(directory: Path, now: str) -> str:
    """A configuration with ports that are free now, or what an earlier run left there. Returns when it began."""
    started = directory / STARTED
    if started.is_file():
        return started.read_text()
    if directory.exists() and any(directory.iterdir()):
        raise UsageError(f"{directory} holds something else than a demo; name a fresh directory with --dir")
    directory.mkdir(parents=True, exist_ok=True)
    papers = load(moment(now))
    with ExitStack() as stack:
        names = [*(paper.id for paper in papers), "smtp", "desk"]
        ports = {name: _free_port(stack, 8001 if name == "desk" else 0) for name in names}
    for name in ("rasid.toml", "outlets.toml"):
        text = TEMPLATES.get_template(name).render(sites=papers, ports=ports)
        (directory / name).write_text(text, encoding="utf-8")
    started.write_text(now)
    return now


def _free_port(stack: ExitStack, wanted: int) -> int:
    """The wanted port, if it is free, else any; held until `stack` closes, so that no two are the same."""
    try:
        server = socket.create_server((HOST, wanted))
    except OSError:
        server = socket.create_server((HOST, 0))
    return int(stack.enter_context(server).getsockname()[1])


@contextmanager
def _service(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`rasid run` as a process of its own, out of reach of the terminal's Ctrl-C; ends by SIGTERM, else by force."""
    command = [sys.executable, "-m", "crawler", "-v", "run", "--config", str(directory)]
    with (directory / "service.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise WorkError(f"the service did not stop within {STOP_S:.0f} s and was killed") from error
    if process.returncode:
        raise WorkError(f"the service ended with code {process.returncode}; {directory / 'service.log'} says more")


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Signals to end, noted in a list for `until` to see: raised anywhere, one could leave the service running."""
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, frame: asked.append(number)) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise SystemExit(128 + asked[0])
