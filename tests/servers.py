"""A small real web server on loopback that misbehaves on demand, for tests.

with Site() as site:
    site.page("/a", "<html>...")                     # plain answers
    site.route("/slow", lambda visit: visit.hang())  # or anything at all
    site.hits("/a"), site.times("/a")                # what was asked for, and when
"""

from __future__ import annotations

import datetime
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANY = "*"


@dataclass
class Hit:
    """One request as it arrived."""

    path: str
    at: float  # monotonic seconds
    headers: dict[str, str]


class Visit:
    """One request being answered."""

    def __init__(self, handler: BaseHTTPRequestHandler, site: Site) -> None:
        self.handler, self.site = handler, site
        self.path = handler.path
        self.headers = {name.lower(): value for name, value in handler.headers.items()}

    def answer(self, body: bytes | str = b"", status: int = 200, **headers: str) -> None:
        """A whole answer; header names are given with underscores."""
        raw = body.encode() if isinstance(body, str) else body
        self.start(status, content_length=str(len(raw)), **headers)
        self.handler.wfile.write(raw)

    def start(self, status: int = 200, **headers: str) -> None:
        """Status line and headers only."""
        self.handler.send_response(status)
        for name, value in ({"content_type": "text/html; charset=utf-8"} | headers).items():
            self.handler.send_header(name.replace("_", "-").title(), value)
        self.handler.end_headers()

    def redirect(self, to: str, status: int = 302) -> None:
        self.answer(status=status, location=to)

    def hang(self, seconds: float = 30) -> None:
        """Say nothing, until the site closes."""
        self.site.closing.wait(seconds)

    def drip(self, every: float = 0.2, seconds: float = 30) -> None:
        """One byte at a time, for ever."""
        self.start(content_length="1000000")
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.site.closing.wait(every):
            self.handler.wfile.write(b"<")
            self.handler.wfile.flush()

    def chunks(self, chunk: bytes, count: int) -> None:
        """Chunked encoding without a length."""
        self.start(transfer_encoding="chunked")
        for _ in range(count):
            self.handler.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        self.handler.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Promise more than is sent."""
        self.start(content_length="1000")
        self.handler.wfile.write(b"<html>")
        self.handler.wfile.flush()
        self.handler.connection.shutdown(socket.SHUT_RDWR)


def bomb(megabytes: int) -> bytes:
    """A gzip of zeros; a thousandth of its size on the wire."""
    return gzip.compress(bytes(1 << 20) * megabytes, 9) if megabytes < 64 else _big_bomb(megabytes)


def _big_bomb(megabytes: int) -> bytes:
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(megabytes)) + packer.flush()


@dataclass
class Site:
    """Serves until closed; `robots` is the text of its robots.txt (404 when None)."""

    robots: str | None = None
    host: str = "127.0.0.1"
    tls: Path | None = None  # a directory for key and certificate: serve https with a chain nobody trusts
    routes: dict[str, Callable[[Visit], Any]] = field(default_factory=dict)
    log: list[Hit] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                visit = Visit(self, site)
                site.log.append(Hit(self.path, time.monotonic(), visit.headers))
                route = site.routes.get(self.path) or site.routes.get(ANY)
                try:
                    if route is not None:
                        route(visit)
                    elif self.path == "/robots.txt" and site.robots is not None:
                        visit.answer(site.robots, content_type="text/plain")
                    else:
                        visit.answer("لا توجد صفحة هنا", 404)
                except OSError:
                    self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((self.host, 0), Handler)
        self.server.daemon_threads = True
        if self.tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self_signed(self.tls, self.host))
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def route(self, path: str, answer: Callable[[Visit], Any]) -> str:
        """Answer a path (with its query; ANY: all others) by a function; returns the address."""
        self.routes[path] = answer
        return self.url + path

    def page(self, path: str, body: bytes | str, **headers: str) -> str:
        """Answer a path with a fixed body."""
        return self.route(path, lambda visit: visit.answer(body, **headers))

    def article(self, path: str, title: str, text: str) -> str:
        """An ordinary news page."""
        return self.page(path, article(title, text))

    def feed(self, path: str, links: list[str], **headers: str) -> str:
        """An RSS feed of these addresses."""
        return self.page(path, rss(links), content_type="application/rss+xml; charset=utf-8", **headers)

    def hits(self, path: str) -> int:
        return sum(hit.path == path for hit in self.log)

    def times(self) -> list[float]:
        """When requests arrived, robots.txt included."""
        return sorted(hit.at for hit in self.log)


def rss(links: list[str]) -> str:
    items = "".join(
        f"<item><title>خبر رقم {number}</title><link>{link}</link><pubDate>{formatdate()}</pubDate></item>"
        for number, link in enumerate(links)
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>أخبار</title>{items}</channel></rss>'
    )


def article(title: str, text: str) -> str:
    paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines())
    return (
        f'<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta property="og:type" content="article"><meta name="author" content="ليلى حداد"></head>'
        f'<body><nav><a href="/">الرئيسية</a></nav>'
        f"<article><h1>{title}</h1>{paragraphs}</article><footer>جميع الحقوق محفوظة</footer></body></html>"
    )


def self_signed(directory: Path, host: str) -> Path:
    """Key and certificate of `host` in one PEM file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = directory / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
