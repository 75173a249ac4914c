"""An authority signs the ledger's head: a local one, made with openssl; what it signed is checked with openssl."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from archive import stamps
from archive.alerts.rules import AlertRule
from archive.alerts.telling import read_mail
from archive.errors import WorkError
from archive.export import bundle
from archive.ledger import head
from archive.reading import open_archive
from archive.verify import verify
from tests.archive_kit import RULES, Kit
from tests.delivery_kit import render

pytestmark = pytest.mark.skipif(
    bool(stamps.missing()) or not shutil.which("openssl"),
    reason="needs the extra rasid[stamp] and openssl: pip install 'rasid[stamp]'",
)
CONF = """
[tsa]
default_tsa = t
[t]
serial = {0}/serial
crypto_device = builtin
signer_cert = {0}/tsa.pem
signer_key = {0}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
[dn]
CN = A clock of our own
[ext]
extendedKeyUsage = critical,timeStamping
"""


class Authority(BaseHTTPRequestHandler):
    """Signs what it is asked to, unless told to answer otherwise."""

    def __init__(self, place: Path, *args: object) -> None:
        self.place = place
        super().__init__(*args)

    def do_POST(self) -> None:
        query, answer = self.place / "query", self.place / "answer"
        query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/busy":
            self.send_error(503)
            return
        if self.path != "/stale":  # that one answers as it did before
            openssl("ts", "-reply", "-config", self.place / "conf", "-queryfile", query, "-out", answer)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"no stamp" if self.path == "/words" else answer.read_bytes())

    def log_message(self, *args: object) -> None:
        """Quietly."""


def openssl(*words: object) -> str:
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("tsa")
    (place / "conf").write_text(CONF.format(place))
    (place / "serial").write_text("01\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-keyout", place / "tsa.key",
            "-out", place / "tsa.pem", "-config", place / "conf")  # fmt: skip
    return place


@pytest.fixture
def authority(place) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Authority, place))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    kit.save()
    yield kit
    kit.writer.close()


def test_the_head_is_stamped_once_a_day_where_it_moved_and_openssl_says_by_whom(kit, authority, place, tmp_path):
    first = kit.do(lambda tx: head(tx.db))
    assert stamps.stamp_head(kit.writer, authority) == first
    kit.save(url="https://sana.example/2")
    assert stamps.stamp_head(kit.writer, authority) is None
    kit.clock.at = "2026-01-22T10:00:00Z"
    second = stamps.stamp_head(kit.writer, authority)
    assert second == kit.do(lambda tx: head(tx.db)) != first
    kit.clock.at = "2026-01-23T10:00:00Z"
    assert stamps.stamp_head(kit.writer, authority) is None  # nothing was kept since
    assert verify(kit.path, again_s=0).findings == []
    with open_archive(kit.path) as archive:
        out = bundle(archive, 1, tmp_path / "evidence")
    steps = [line.strip() for line in (out / "VERIFY.txt").read_text("utf-8").splitlines() if "openssl ts" in line]
    assert len(steps) == 2
    for step in steps:
        done = subprocess.run(["bash", "-c", step.replace("tsa.pem", str(place / "tsa.pem"))], cwd=out,
                              capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Verification: OK" in done.stdout + done.stderr


def test_a_stamp_that_does_not_fit_the_ledger_is_named(kit, authority):
    stamps.stamp_head(kit.writer, authority)
    kit.do(lambda tx: tx.db.execute("UPDATE stamps SET head = ?", ("0" * 64,)))
    (finding,) = verify(kit.path, again_s=0).findings
    assert "the head it stamped is not the ledger's after row 1" in str(finding)
    now = kit.do(lambda tx: head(tx.db))
    kit.do(lambda tx: tx.db.execute("UPDATE stamps SET head = ?, token = x'00'", (now,)))
    assert "its token is not of that head" in str(verify(kit.path, again_s=0).findings[0])


@pytest.mark.parametrize("path", ["/busy", "/words", "/stale"])
def test_an_authority_that_gives_no_stamp_costs_nothing_and_is_asked_again(kit, authority, path):
    assert stamps.stamp_head(kit.writer, authority)
    kit.clock.at = "2026-01-22T10:00:00Z"
    kit.save(url="https://sana.example/2", at="2026-01-22T10:00:00Z")
    with pytest.raises(WorkError, match=f"127.0.0.1.*{path} gave no stamp"):
        stamps.stamp_head(kit.writer, authority + path)
    assert kit.one("SELECT count(*) FROM stamps") == 1
    assert stamps.stamp_head(kit.writer, authority)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    assert stamps.missing() is None
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert "pip install 'rasid[stamp]'" in (stamps.missing() or "")


def test_a_digest_carries_the_head(kit):
    rule = AlertRule("القاعدة", ("sdf",), ("desk@example.org",))
    kit.do(lambda tx: tx.db.execute(
        "INSERT INTO mails (rule, channel, recipient, kind, message_id, created_at) "
        "VALUES ('القاعدة', 'email', 'desk@example.org', 'digest', '<1@x>', ?)", (kit.clock.at,)))  # fmt: skip

    mail = kit.do(lambda tx: read_mail(tx.db, 1, [rule], RULES, kit.clock.at))
    message = render(mail, sender="rasid@example.org", contact="desk@example.org", desk_url="http://desk.example")
    now = kit.do(lambda tx: head(tx.db))
    assert all(now in part.get_content() for part in message.walk() if part.get_content_maintype() == "text")
