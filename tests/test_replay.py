"""Captures replayed by pywb, which lives in an environment of its own (GPL): `make test-replay`."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from archive.captures import percent_encode
from archive.redaction import redact
from archive.writer import Writer
from crawler.session import policy
from tests.crawl_kit import OFF_TOPIC, ROOT, TEXT
from tests.servers import article

pytestmark = pytest.mark.replay
PYWB = ROOT / ".venv-replay" / "bin"
TITLE = "نقل دفعة من معتقلي داعش"


def fetched(address: str, seconds: float = 30) -> bytes:
    """What pywb answers, once it does."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address, timeout=10) as answer:  # noqa: S310  # our own loopback
                return answer.read()
        except (URLError, ConnectionError) as error:
            if time.monotonic() > until or getattr(error, "code", 0):
                raise
            time.sleep(0.2)


def test_what_was_crawled_is_replayed_and_what_was_redacted_is_not(desk, site, tmp_path):
    pages = {
        "/plain": article(f"{TITLE} أولاً", TEXT),
        "/packed": article(f"{TITLE} ثانياً", TEXT),
        "/deflated": article(f"{TITLE} ثالثاً", TEXT),
        "/chunked": article(f"{TITLE} رابعاً", TEXT),
        "/أخبار/قسد?رقم=٥": article(f"{TITLE} خامساً", TEXT),
        "/passed": article("فوز الفريق الأخضر", OFF_TOPIC),
        "/gone": article(f"{TITLE} سابعاً", TEXT),
    }
    bodies = {percent_encode(path): body.encode() for path, body in pages.items()}
    for path, body in bodies.items():
        site.page(path, body)
    site.page("/packed", gzip.compress(bodies["/packed"]), content_encoding="gzip")
    site.page("/deflated", zlib.compress(bodies["/deflated"]), content_encoding="deflate")
    site.route("/chunked", lambda visit: visit.chunks(bodies["/chunked"], 1))
    site.feed("/feed", [site.url + path for path in bodies])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    kept = dict(desk.rows("SELECT url, id FROM articles"))
    assert len(kept) == len(bodies)
    desk.writer.submit(lambda tx: redact(tx, kept[f"{site.url}/gone"], "قاصر")).result()
    desk.db.close()
    desk.close()
    Writer(desk.config.archive, policy(desk.config)).close()
    files = sorted((desk.directory / "captures").glob("*.warc.gz"))
    assert subprocess.run([Path(sys.executable).parent / "warcio", "check", *files]).returncode == 0
    subprocess.run([PYWB / "wb-manager", "init", "kept"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([PYWB / "wb-manager", "add", "kept", *files], cwd=tmp_path, check=True, capture_output=True)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    replay = subprocess.Popen([PYWB / "wayback", "-b", "127.0.0.1", "-p", str(port)], cwd=tmp_path)
    try:
        for path, body in bodies.items():
            address = f"http://127.0.0.1:{port}/kept/2099id_/{quote(site.url + path, safe=':/?=%')}"
            if path == "/gone":
                with pytest.raises(URLError, match="404"):
                    fetched(address)
            else:
                again = fetched(address)
                again = gzip.decompress(again) if again[:2] == b"\x1f\x8b" else again
                again = zlib.decompress(again) if path == "/deflated" and again[:1] == b"x" else again
                assert again == body, path
    finally:
        replay.terminate()
        replay.wait(20)
