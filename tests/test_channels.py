"""Other channels than mail: by the same outbox, with addresses that stand nowhere; none of them holds up another."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from archive.alerts import channels
from archive.alerts.delivery import DeliveryReport
from archive.alerts.rules import AlertRule
from archive.errors import ConfigError
from archive.times import later
from crawler.config import load_config
from tests.archive_kit import NOW, Kit, unlike
from tests.delivery_kit import Sink, deliver

RULE = AlertRule("desk", ("isis_detainees",), to=("desk@example.org",), channels=("newsroom",))
SERVICE = """
contact = "desk@example.org"
[channel.newsroom]
url_env = "RASID_TEST_NEWSROOM"
[[alert]]
name = "detainees"
topics = ["isis_detainees"]
channels = ["newsroom"]
"""


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def kit(tmp_path):
    """An article that a channel is to be told of, and a reader of mails."""
    kit = Kit(tmp_path, alerts=(RULE,))
    kit.save(unlike(1))
    yield kit
    kit.writer.close()


@pytest.mark.skipif(channels.installed(), reason="the package for other channels is installed")
def test_without_its_package_a_channel_says_what_to_install_and_its_mails_wait(kit):
    report = deliver(kit, None, channel="apprise", channels={"newsroom": "json://x"})
    assert (report.put_off, report.error) == (1, f"channel newsroom: {channels.MISSING}")


@pytest.mark.skipif(not channels.installed(), reason="needs pip install 'rasid[channels]'")
def test_a_channel_goes_the_way_of_mail_and_its_address_is_written_nowhere(kit, sink, caplog):
    got = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(503 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sink.up() as smtp:
            there = {"newsroom": f"json://127.0.0.1:{server.server_port}/s3cret"}
            assert deliver(kit, smtp) == DeliveryReport(sent=1)
            report = deliver(kit, smtp, channel="apprise", channels=there)
            assert (report.sent, report.put_off) == (0, 1)
            kit.clock.at = later(NOW, 60)
            assert deliver(kit, smtp, channel="apprise", channels=there).sent == 1
            assert deliver(kit, smtp, channel="apprise", channels=there) == DeliveryReport()
    finally:
        server.shutdown()
        server.server_close()
    path, message = got[-1]
    assert path == "/s3cret"
    assert message["title"].startswith("خبر جديد: قسد تنقل معتقلي داعش")
    assert "/-/article/1" in message["message"]
    assert "s3cret" not in f"{report} {caplog.text} {kit.rows('SELECT * FROM mails')}"


@pytest.mark.parametrize(
    "hung",
    [
        "email",
        pytest.param(
            "apprise", marks=pytest.mark.skipif(not channels.installed(), reason="needs pip install 'rasid[channels]'")
        ),
    ],
)
def test_what_hangs_delays_what_goes_by_it_alone(kit, sink, hung):
    with socket.create_server(("127.0.0.1", 0)) as silent, sink.up() as smtp:
        port = silent.getsockname()[1]
        there = {"channel": hung, "channels": {"newsroom": f"json://127.0.0.1:{port}"}}
        hanging = threading.Thread(target=deliver, args=(kit, replace(smtp, port=port, timeout=30)), kwargs=there)
        hanging.start()
        connection, _ = silent.accept()
        if hung == "email":
            assert deliver(kit, smtp, channel="apprise").put_off == 1  # it was tried: that channel has no address here
        else:
            assert deliver(kit, smtp) == DeliveryReport(sent=1)
        assert hanging.is_alive()
        connection.close()
        silent.close()
        hanging.join(20)
    assert kit.one("SELECT state FROM mails WHERE channel = ?", hung) == "queued"


def test_a_channel_whose_address_is_missing_is_told_by_its_name(tmp_path, monkeypatch):
    monkeypatch.delenv("RASID_TEST_NEWSROOM", raising=False)
    (tmp_path / "rasid.toml").write_text(SERVICE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"channel\.newsroom"):
        load_config(tmp_path).channel_addresses()
