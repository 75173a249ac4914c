"""Captures: pages as WARC 1.1 records, one gzip member each, appended to a file per series and day.

A page is a `request` record followed by its `response` (a `resource` for an imported file); a capture's offset and
length are those of the second. Bodies are stored without transfer-encoding and with their content-encoding (gzip and
deflate; others are undone). A header that would no longer be true of the stored bytes keeps its value under the name
`X-Archive-Orig-...`, so that any reader decodes them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import responses
from io import BytesIO, FileIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from archive.errors import ArchiveError
from archive.models import Page, Series
from archive.times import Clock, stamp

MAX_FILE = 1 << 30  # bytes; a new file after it, and every UTC day
ORIGINAL = "X-Archive-Orig-"
READABLE = {"gzip", "x-gzip", "deflate", "identity", ""}


@dataclass(frozen=True, slots=True)
class CaptureRef:
    """Where a record lies: `file` inside the captures directory, bytes [offset, offset + length)."""

    file: str
    offset: int
    length: int
    record_sha256: str  # of the stored bytes, compressed as they are
    payload_sha256: str  # of the body as it was transferred
    request_sha256: str  # of the stored bytes before the record: its request, and what a new file begins with


class CaptureFiles:
    """The captures directory. Appending is the writer's alone; `read` may be called by anyone, on any thread."""

    def __init__(self, directory: Path, clock: Clock, *, max_file: int = MAX_FILE) -> None:
        """`directory` is made when the first capture is appended; `clock` gives the day in file names."""
        self.directory, self._clock, self._max_file = directory, clock, max_file
        self._open: dict[Series, str] = {}  # the file each series is at
        self._left: set[str] = set()  # nothing is appended to these: they are closed, or shorter than they were
        self._undo: list[tuple[str, int]] = []  # (file, length before) of every append not yet settled

    def append(self, page: Page, series: Series) -> CaptureRef:
        """Write a page at the end of the file its series is at; it is on disk only after `sync`. Raises OSError."""
        page = _decodable(page)
        self.directory.mkdir(exist_ok=True)
        path = self.directory / (file := self._file(series))
        start = path.stat().st_size if path.exists() else 0
        block = BytesIO()
        writer = WARCWriter(block, gzip=True, warc_version="WARC/1.1")
        if not start:
            about = {"software": "Rasid", "format": "WARC File Format 1.1", "isPartOf": f"captures-{series}"}
            writer.write_record(writer.create_warcinfo_record(file, about))
        skip = _write_page(writer, block, page)
        stored = block.getvalue()
        self._undo.append((file, start))
        with path.open("ab", buffering=0) as out:
            view = memoryview(stored)
            while view:
                view = view[out.write(view) :]
        record = stored[skip:]
        hashes = _sha256(record), _sha256(_payload(page)), _sha256(stored[:skip])
        return CaptureRef(file, start + skip, len(record), *hashes)

    def mark(self) -> int:
        """A point to `undo` to."""
        return len(self._undo)

    def undo(self, mark: int = 0) -> None:
        """Cut away everything appended since `mark` (by default, since the last `settle`)."""
        while len(self._undo) > mark:
            file, length = self._undo.pop()
            with suppress(FileNotFoundError):
                if length:
                    os.truncate(self.directory / file, length)
                else:
                    (self.directory / file).unlink()

    def sync(self) -> None:
        """Return when everything appended is on disk, file names included. Raises OSError."""
        for file in {file for file, _ in self._undo}:
            fsync(self.directory / file)
        if any(length == 0 for _, length in self._undo):
            fsync(self.directory)
            fsync(self.directory.parent)

    def settle(self) -> None:
        """What was appended so far is committed and stays."""
        self._undo.clear()

    def in_use(self, file: str) -> bool:
        """Whether more may still be appended to `file`."""
        return file in self._open.values()

    def leave(self, file: str) -> None:
        """Append nothing to `file` from now on."""
        self._left.add(file)
        self._open = {series: name for series, name in self._open.items() if name != file}

    def repair(self, committed_end: Callable[[str], int]) -> list[str]:
        """Mend what a crash left: cut tails past `committed_end(file)`, set files aside of which nothing is committed.

        Returns a sentence for each file mended or found too short. To be called before the first append.
        """
        notes = []
        for path in sorted(self.directory.glob("*.warc.gz")):
            end, size = committed_end(path.name), path.stat().st_size if path.is_file() else 0
            if end == 0:
                path.rename(path.with_name(path.name + ".unclaimed"))
                notes.append(f"{path} holds no capture the archive knows; it was renamed to {path.name}.unclaimed")
            elif size > end:
                os.truncate(path, end)
                notes.append(f"{path} had {size - end} bytes that were never acknowledged; they were cut")
            elif size < end:
                self.leave(path.name)
                notes.append(f"{path} is {end - size} bytes shorter than the archive knows; restore it from a backup")
        return notes

    def read(self, file: str, offset: int, length: int) -> Page:
        """The page stored there, body content-decoded. Raises ArchiveError when it cannot be read.

        `url` and `final_url` both are the address that answered, percent-encoded; request headers are not read back.
        """
        try:
            return _parse(self.read_bytes(file, offset, length))
        except Exception as error:  # whatever a damaged record makes the parser, or a decompressor, raise
            raise ArchiveError(f"{self.directory / file} at byte {offset} cannot be read: {error}") from error

    def read_bytes(self, file: str, offset: int, length: int) -> bytes:
        """The stored bytes of a record. Raises OSError."""
        with open_file(self.directory / file) as source:
            source.seek(offset)
            return source.read(length)

    def _file(self, series: Series) -> str:
        """The file to append to: the first of the day that has room and that was not left."""
        day = stamp(self._clock())[:10]
        number = 0
        while True:
            file = f"{series}-{day}-{number:02}.warc.gz"
            path = self.directory / file
            if file not in self._left and (not path.exists() or path.stat().st_size < self._max_file):
                self._open[series] = file
                return file
            number += 1


class _Verbatim(StatusAndHeaders):  # type: ignore[misc]
    """Headers written as they were reported; warcio would percent-encode what is not ASCII."""

    def to_ascii_bytes(self, filter_func: object = None) -> bytes:
        try:
            return bytes(self.to_bytes(filter_func, "latin-1"))
        except UnicodeEncodeError:
            return bytes(self.to_bytes(filter_func, "utf-8"))


def _write_page(writer: WARCWriter, block: BytesIO, page: Page) -> int:
    """Write the records of a page; returns where in `block` the one that holds its payload begins."""
    address, date, payload = percent_encode(page.view or page.final_url), {"WARC-Date": page.at}, _payload(page)
    about = {"payload": BytesIO(payload), "length": len(payload), "warc_headers_dict": date}
    if page.final_url.startswith("urn:"):
        media = next((value for name, value in page.headers if name.lower() == "content-type"), "text/plain")
        record = writer.create_warc_record(address, "resource", warc_content_type=media, **about)
    else:
        reason = f"{page.status} {responses.get(page.status, '')}".strip()
        headers = _Verbatim(reason, _clean(_truthful(page)), "HTTP/1.1")
        record = writer.create_warc_record(address, "response", http_headers=headers, **about)
        parts = urlsplit(address)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        sent = _clean(page.request_headers)
        if not any(name.lower() == "host" for name, _ in sent):
            sent.insert(0, ("Host", parts.netloc))
        asked = _Verbatim(f"GET {target} HTTP/1.1", sent, is_http_request=True)
        pair = {**date, "WARC-Concurrent-To": record.rec_headers.get_header("WARC-Record-ID")}
        writer.write_record(writer.create_warc_record(address, "request", http_headers=asked, warc_headers_dict=pair))
    start = block.tell()
    writer.write_record(record)
    return start


def _truthful(page: Page) -> list[tuple[str, str]]:
    """The headers as reported, those renamed that do not hold for the payload as stored."""
    payload = _payload(page)

    def untrue(name: str, value: str) -> bool:
        if name == "content-length":
            return value.strip() != str(len(payload))
        return name == "transfer-encoding" or (name == "content-encoding" and payload is not page.raw)

    return [(ORIGINAL + name if untrue(name.lower(), value) else name, value) for name, value in page.headers]


def _clean(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers that keep to their own line."""
    lines = ((name.strip(), " ".join(value.split("\n"))) for name, value in headers)
    return [(name, value.replace("\r", " ").strip()) for name, value in lines if re.fullmatch(r"[!-9;-~]+", name)]


def read_record(stored: bytes) -> Any:
    """The first record in whole gzip members, as warcio gives it; its stream raises when a digest does not hold.

    Unpacked beforehand, since warcio takes a damaged member for a short one. Raises whatever damage makes zlib raise.
    """
    return next(iter(ArchiveIterator(BytesIO(gzip.decompress(stored)), check_digests="raise")))


def _parse(stored: bytes) -> Page:
    record = read_record(stored)
    address, at = record.rec_headers.get_header("WARC-Target-URI"), record.rec_headers.get_header("WARC-Date")
    raw = record.raw_stream.read()
    if record.http_headers is None:
        return Page(address, address, at, 200, (("Content-Type", record.content_type),), raw)
    http = record.http_headers
    headers = tuple((name.removeprefix(ORIGINAL), value) for name, value in http.headers)
    body = _decode(raw, http.get_header("Content-Encoding", "").strip().lower())
    return Page(address, address, at, int(http.get_statuscode()), headers, body, raw=None if body is raw else raw)


def _decode(raw: bytes, encoding: str) -> bytes:
    """Undo a content-encoding. Servers that announce one and send plain text are believed by their bytes."""
    if encoding in ("gzip", "x-gzip") and raw[:2] == b"\x1f\x8b":
        body, rest = b"", raw
        while rest[:2] == b"\x1f\x8b":  # members may follow one another
            member = zlib.decompressobj(31)
            body += member.decompress(rest)
            rest = member.unused_data
        return body
    if encoding == "deflate":
        with suppress(zlib.error):
            return zlib.decompress(raw)
        return zlib.decompress(raw, -15)
    return raw


def percent_encode(url: str) -> str:
    """`url` as it travels: what is not ASCII percent-encoded, what already is left alone.

    >>> percent_encode("https://example.org/أخبار?q=%D9%82")
    'https://example.org/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1?q=%D9%82'
    """
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~|")


def open_file(path: Path, mode: str = "rb") -> FileIO:
    """Open a WARC file. Raises OSError, also where something else stands there: a pipe would be waited for for ever."""
    if path.exists() and not path.is_file():
        raise OSError(0, "it is no file", str(path))
    return FileIO(path, mode)


def hash_file(path: Path) -> tuple[int, str]:
    """Length and SHA-256 of a whole file. Raises OSError."""
    with open_file(path) as source:
        return os.fstat(source.fileno()).st_size, hashlib.file_digest(source, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Return when the bytes of a file, or the names in a directory, are on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _payload(page: Page) -> bytes:
    """The bytes to store: as transferred, if they can be decoded again."""
    return page.body if page.raw is None else page.raw


def _decodable(page: Page) -> Page:
    """Without its bytes as transferred where not any WARC reader decodes them to the body that was read: warcio fails
    on brotli 1.2, and Scrapy forgives a broken checksum or a second compression."""
    encodings = [value.strip().lower() for name, value in page.headers if name.lower() == "content-encoding"]
    with suppress(zlib.error):
        if page.raw is None or (
            READABLE.issuperset(encodings) and _decode(page.raw, "".join(encodings[-1:])) == page.body
        ):
            return page
    return replace(page, raw=None)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
