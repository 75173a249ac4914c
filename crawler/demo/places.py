"""Servers on loopback for the demo: outlets that publish, and a mail server that keeps what it is given."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from jinja2 import Environment, PackageLoader, select_autoescape

from archive.errors import WorkError
from crawler.demo.corpus import Paper, Story

HOST = "127.0.0.1"
ROBOTS = "User-agent: *\nDisallow: /search\nDisallow: /comment\n"
_FEEDS = {"rss": "application/rss+xml", "atom": "application/atom+xml", "rdf": "application/rdf+xml"}


TEMPLATES = Environment(
    loader=PackageLoader("crawler.demo"), autoescape=select_autoescape(["html", "xml"]), keep_trailing_newline=True
)
TEMPLATES.filters["rfc822"] = format_datetime
TEMPLATES.filters["indic"] = lambda text: text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))


class Site(ThreadingHTTPServer):
    """One outlet's web server. Give it another `paper` and it publishes that from the next request on."""

    daemon_threads = True

    def __init__(self, paper: Paper, port: int) -> None:
        """Bind the port (WorkError when it is taken); answer only inside `running`."""
        self.paper, self.base = paper, f"http://{HOST}:{port}"
        with _at(port, paper.name_en):
            super().__init__((HOST, port), _Answer)

    @contextmanager
    def running(self) -> Iterator[Site]:
        """Answer requests until the block ends."""
        thread = Thread(target=self.serve_forever, args=(0.05,), name=self.paper.id)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def answer(self, path: str) -> tuple[int, str, str]:
        """Status, media type and text for a path."""
        paper = self.paper
        if path == "/robots.txt":
            return 200, "text/plain", ROBOTS
        if path == paper.listing_path and paper.listing != "section":
            return 200, _FEEDS[paper.listing], self._render(f"{paper.listing}.xml")
        if path in ("/", "/latest"):
            return 200, "text/html", self._render("section.html")
        for story in paper.stories:
            if story.path == path:
                return 200, "text/html", self._render(f"{paper.id}.html", story)
        return 404, "text/html", self._render("missing.html")

    def _render(self, template: str, story: Story | None = None) -> str:
        paper = self.paper
        listed = [{**asdict(s), "url": self.base + s.path} for s in paper.stories]
        newest = max(s.feed_at for s in paper.stories if s.feed_at)
        page = {"story": story, "url": self.base + story.path} if story else {}
        return TEMPLATES.get_template(template).render(
            site=paper, base=self.base, listing=self.base + paper.listing_path, stories=listed, newest=newest,
            year=newest.year, others=[s for s in listed if not story or s["path"] != story.path], **page,
        )  # fmt: skip


class _Answer(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, media, text = self.server.answer(self.path.partition("?")[0])
        etag = f'"{sha256(text.encode()).hexdigest()[:16]}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, text = 304, ""
        body = text.encode()
        self.send_response(status)
        self.send_header("ETag", etag)
        if status != 304:
            self.send_header("Content-Type", f"{media}; charset=utf-8")
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body, mtime=0)
                self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the crawl's own rows tell what was asked."""


class Sink:
    """A mail server that accepts everything and writes each mail it is given into a file of its own."""

    def __init__(self, directory: Path, port: int) -> None:
        """Mails go to `directory`, numbered on from what lies there."""
        self.directory, self.port = directory, port
        directory.mkdir(exist_ok=True)

    @contextmanager
    def running(self) -> Iterator[Sink]:
        """Accept mail until the block ends. WorkError when the port is taken."""
        controller = Controller(self, hostname=HOST, port=self.port)
        with _at(self.port, "the mail sink"):
            controller.start()
        try:
            yield self
        finally:
            controller.stop()

    @property
    def mails(self) -> list[Path]:
        """What was received, in order."""
        return sorted(self.directory.glob("*.eml"))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """One mail, whole; written aside and renamed, so that no reader sees half of one."""
        file = self.directory / f"{len(self.mails) + 1:04}.eml"
        file.with_suffix(".part").write_bytes(envelope.content)
        file.with_suffix(".part").replace(file)
        return "250 OK"


@contextmanager
def _at(port: int, who: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mend = "stop what listens there, or name a fresh --dir"
        raise WorkError(f"port {port}, which {who} had in this demo before, is taken: {mend}") from error
