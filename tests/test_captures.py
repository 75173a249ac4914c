"""Captures: standard WARC that any tool reads, the same page back, tails mended."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from archive.captures import CaptureFiles, percent_encode
from archive.errors import ArchiveError
from archive.store import save
from archive.writer import Writer
from tests.archive_kit import Kit, StandingClock, page, policy, shot, whole

BODY = "<html><p>نص الخبر كاملاً</p></html>".encode() * 400


def stored(tmp_path: Path, *pages, series="kept", **options) -> tuple[CaptureFiles, list]:
    files = CaptureFiles(tmp_path / "captures", StandingClock(), **options)
    refs = [files.append(one, series) for one in pages]
    files.sync()
    files.settle()
    return files, refs


def records(path: Path) -> list:
    with path.open("rb") as source:
        return [
            (
                r.rec_type,
                dict(r.rec_headers.headers),
                r.http_headers and r.http_headers.headers,
                r.content_stream().read(),
            )
            for r in ArchiveIterator(source, check_digests="raise")
        ]


def warcio_check(*paths: Path) -> int:
    return subprocess.run([Path(sys.executable).parent / "warcio", "check", *paths], check=False).returncode


def test_a_page_is_a_request_and_its_response_in_a_standard_file(tmp_path):
    asked = (("User-Agent", "Rasid/1 (+desk@example.org)"), ("Accept", "text/html"))
    files, (ref,) = stored(tmp_path, page("https://sana.example/أخبار?p=1", body=BODY, request_headers=asked))
    path = files.directory / ref.file
    assert ref.file == "kept-2026-01-21-00.warc.gz"
    info, request, response = records(path)
    assert (info[0], request[0], response[0]) == ("warcinfo", "request", "response")
    address = "https://sana.example/%D8%A3%D8%AE%D8%A8%D8%A7%D8%B1?p=1"
    assert request[1]["WARC-Target-URI"] == response[1]["WARC-Target-URI"] == address
    assert request[1]["WARC-Concurrent-To"] == response[1]["WARC-Record-ID"]
    assert response[1]["WARC-Date"] == "2026-01-21T10:00:00Z"
    assert ("User-Agent", "Rasid/1 (+desk@example.org)") in request[2]
    assert response[3] == BODY
    raw = path.read_bytes()
    assert raw.startswith(b"\x1f\x8b")
    assert gzip.decompress(raw).startswith(b"WARC/1.1\r\n")
    assert warcio_check(path) == 0


def test_offset_and_length_are_those_of_the_response_alone_and_hashes_cover_what_is_stored(tmp_path):
    files, refs = stored(tmp_path, page(body=BODY), page("https://sana.example/2", body=b"second"))
    whole_file = (files.directory / refs[0].file).read_bytes()
    for ref, body in zip(refs, (BODY, b"second"), strict=True):
        record = whole_file[ref.offset : ref.offset + ref.length]
        assert hashlib.sha256(record).hexdigest() == ref.record_sha256
        assert hashlib.sha256(body).hexdigest() == ref.payload_sha256
        only = next(iter(ArchiveIterator(BytesIO(record))))
        assert only.rec_type == "response"
        assert only.content_stream().read() == body
    assert refs[1].offset + refs[1].length == len(whole_file)


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda b: zlib.compress(b)[2:-4]),
     ("gzip", lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:])), ("gzip", lambda b: b), ("identity", lambda b: b)],
)  # fmt: skip
def test_content_encoding_is_kept_in_the_file_and_undone_when_read(tmp_path, encoding, encode):
    raw = encode(BODY)
    headers = (("Content-Encoding", encoding), ("Content-Length", str(len(raw))), ("Content-Type", "text/html"))
    files, (ref,) = stored(tmp_path, page(body=BODY, raw=raw, headers=headers))
    again = files.read(ref.file, ref.offset, ref.length)
    assert again.body == BODY
    assert again.headers == headers
    assert ref.payload_sha256 == hashlib.sha256(raw).hexdigest()
    assert warcio_check(files.directory / ref.file) == 0


def test_an_encoding_that_warc_readers_trip_over_is_undone_before_storing(tmp_path):
    headers = (("Content-Encoding", "br"), ("Content-Type", "text/html"))
    files, (ref,) = stored(tmp_path, page(body=BODY, raw=brotli.compress(BODY), headers=headers))
    again = files.read(ref.file, ref.offset, ref.length)
    assert (again.body, again.raw, again.headers) == (BODY, None, headers)
    assert warcio_check(files.directory / ref.file) == 0


def test_headers_untrue_of_the_stored_bytes_are_renamed_so_that_every_reader_decodes_them(tmp_path):
    headers = (("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip"), ("Content-Length", "7"), ("X-A", "قسد"))
    files, (ref,) = stored(tmp_path, page(body=b"5\r\nhello\r\n0\r\n\r\n", headers=headers))
    response = records(files.directory / ref.file)[-1]
    assert [name for name, _ in response[2]] == [
        "X-Archive-Orig-Transfer-Encoding", "X-Archive-Orig-Content-Encoding", "X-Archive-Orig-Content-Length", "X-A",
    ]  # fmt: skip
    assert response[3] == b"5\r\nhello\r\n0\r\n\r\n"
    assert files.read(ref.file, ref.offset, ref.length).headers == headers
    assert warcio_check(files.directory / ref.file) == 0


def test_an_imported_file_is_a_resource(tmp_path):
    urn = f"urn:sha256:{'a' * 64}"
    imported = page(urn, body=BODY, headers=(("Content-Type", "text/plain; charset=utf-8"),))
    files, (ref,) = stored(tmp_path, imported)
    assert [record[0] for record in records(files.directory / ref.file)] == ["warcinfo", "resource"]
    assert files.read(ref.file, ref.offset, ref.length) == imported
    assert warcio_check(files.directory / ref.file) == 0


HEADER = st.tuples(
    st.from_regex(r"[A-Za-z][A-Za-z-]{0,20}", fullmatch=True),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40).map(str.strip),
)


@given(
    body=st.binary(max_size=3000),
    status=st.sampled_from([200, 203, 404, 410, 500]),
    headers=st.lists(HEADER, max_size=6),
    path=st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), max_size=20),
)
def test_what_is_read_is_what_was_appended(tmp_path_factory, body, status, headers, path):
    headers = tuple((n, v) for n, v in headers if n.lower() not in ("content-encoding", "transfer-encoding"))
    given_page = page(f"https://sana.example/{path}", body=body, status=status, headers=headers)
    files, (ref,) = stored(tmp_path_factory.mktemp("w"), given_page)
    address = percent_encode(given_page.url)
    assert files.read(ref.file, ref.offset, ref.length) == replace(given_page, url=address, final_url=address)


def test_headers_cannot_break_out_of_their_line(tmp_path):
    files, (ref,) = stored(
        tmp_path, page(headers=(("X-A", "one\r\nX-B: two\r\n\r\nbody"), ("Bad Name", "x"), ("", "y")))
    )
    again = files.read(ref.file, ref.offset, ref.length)
    assert [name for name, _ in again.headers] == ["X-A"]
    assert again.body == "<p>نص</p>".encode()


def test_a_new_file_every_day_and_when_one_is_full(tmp_path):
    files, refs = stored(tmp_path, *[page(f"https://sana.example/{n}", body=BODY) for n in range(4)], max_file=1200)
    assert [ref.file[-10:] for ref in refs] == ["00.warc.gz", "00.warc.gz", "01.warc.gz", "01.warc.gz"]
    files._clock.at = "2026-01-22T00:00:00Z"
    assert files.append(page(), "kept").file == "kept-2026-01-22-00.warc.gz"
    assert files.append(page(), "passed").file == "passed-2026-01-22-00.warc.gz"
    assert warcio_check(*sorted(files.directory.iterdir())) == 0


def test_undo_takes_back_what_was_appended_since_a_mark(tmp_path):
    files, (ref,) = stored(tmp_path, page())
    size = (files.directory / ref.file).stat().st_size
    files.append(page(), "kept")
    mark, middle = files.mark(), (files.directory / ref.file).stat().st_size
    files.append(page(), "kept")
    files.append(page(), "passed")
    files.undo(mark)
    assert [p.name for p in files.directory.iterdir()] == [ref.file]
    assert (files.directory / ref.file).stat().st_size == middle
    files.undo()
    assert (files.directory / ref.file).stat().st_size == size


def test_what_a_crash_left_is_mended_at_the_next_start(tmp_path):
    kit = Kit(tmp_path)
    kit.save()
    kit.writer.close()
    (file,) = (tmp_path / "captures").iterdir()
    committed = file.read_bytes()
    file.write_bytes(committed + b"\x1f\x8b half a record")
    (tmp_path / "captures" / "passed-2026-01-21-00.warc.gz").write_bytes(b"\x1f\x8b nothing of this is committed")
    with Writer(kit.path, policy(), clock=kit.clock) as writer:
        assert whole(writer) == []
        assert file.read_bytes() == committed
        writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/2")))).result()
        assert whole(writer) == []
    assert warcio_check(file) == 0
    assert (tmp_path / "captures" / "passed-2026-01-21-00.warc.gz.unclaimed").exists()


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(file.read_bytes()[:-5]), lambda file: file.unlink()])
def test_nothing_is_appended_to_a_file_that_lost_its_end_or_is_missing_and_may_be_put_back(tmp_path, harm):
    kit = Kit(tmp_path)
    kit.save()
    kit.writer.close()
    (file,) = (tmp_path / "captures").iterdir()
    harm(file)
    with Writer(kit.path, policy(), clock=kit.clock) as writer:
        writer.submit(lambda tx: save(tx, shot(page=page("https://sana.example/2")))).result()
        files = writer.submit(lambda tx: [row[0] for row in tx.db.execute("SELECT file FROM captures")]).result()
    assert files == ["kept-2026-01-21-00.warc.gz", "kept-2026-01-21-01.warc.gz"]


def test_a_body_whose_checksum_is_wrong_can_be_read_again(tmp_path):
    packed = gzip.compress(BODY)[:-8] + b"12345678"  # forgiven by browsers, and by Scrapy
    files, (ref,) = stored(tmp_path, page(body=BODY, raw=packed, headers=(("Content-Encoding", "gzip"),)))
    assert files.read(ref.file, ref.offset, ref.length).body == BODY


def test_a_damaged_record_is_told_in_a_sentence(tmp_path):
    files, (ref,) = stored(tmp_path, page(body=BODY))
    path = files.directory / ref.file
    data = bytearray(path.read_bytes())
    data[ref.offset + ref.length // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=rf"{ref.file} at byte {ref.offset} cannot be read"):
        files.read(ref.file, ref.offset, ref.length)
    with pytest.raises(ArchiveError, match="cannot be read"):
        files.read("kept-2020-01-01-00.warc.gz", 0, 10)
