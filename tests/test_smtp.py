"""How mail leaves: encrypted and verified before anything is said, or not at all."""

from __future__ import annotations

from dataclasses import replace
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest

from archive.errors import ConfigError
from tests.archive_kit import Kit
from tests.delivery_kit import LOCAL, PASSWORD, RULE, Sink, deliver, error, wait
from tests.servers import self_signed


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path, alerts=(RULE,))
    yield kit
    kit.writer.close()


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate of 127.0.0.1 that this machine trusts."""
    file = self_signed(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def guarded(sink: Sink, certificate: SSLContext) -> dict[str, Any]:
    return {
        "tls_context": certificate, "require_starttls": True, "auth_required": True, "authenticator": sink.login,
    }  # fmt: skip


def test_starttls_and_login(kit, sink, certificate):
    kit.save()
    with sink.up(**guarded(sink, certificate)) as smtp:
        assert deliver(kit, replace(smtp, security="starttls", user="rasid", password=PASSWORD)).sent == 1
    assert (sink.logins, len(sink.mails)) == (1, 1)


def test_tls_from_the_first_byte(kit, sink, certificate):
    kit.save()
    with sink.up(ssl_context=certificate) as smtp:
        assert deliver(kit, replace(smtp, security="tls")).sent == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_gets_neither_password_nor_mail(kit, sink, certificate, monkeypatch, security):
    monkeypatch.delenv("SSL_CERT_FILE")
    kit.save()
    options = {"ssl_context": certificate} if security == "tls" else guarded(sink, certificate)
    with sink.up(**options) as smtp:
        report = deliver(kit, replace(smtp, security=security, user="rasid", password=PASSWORD))
    assert report.put_off == 1
    assert "certificate does not verify" in error(kit)
    assert (sink.logins, sink.mails) == (0, [])


def test_a_server_without_starttls_gets_nothing_in_the_clear(kit, sink):
    kit.save()
    with sink.up() as smtp:
        assert deliver(kit, replace(smtp, security="starttls", user="rasid", password=PASSWORD)).put_off == 1
    assert "STARTTLS" in error(kit)
    assert (sink.logins, sink.mails) == (0, [])


def test_a_wrong_password_waits_for_the_mend_and_is_written_nowhere(kit, sink, certificate, caplog):
    kit.save()
    with sink.up(**guarded(sink, certificate)) as smtp:
        wrong = replace(smtp, security="starttls", user="rasid", password="wrong-Secret")
        report = deliver(kit, wrong)
        assert report.put_off == 1
        assert "refuses smtp.user or its password (code 535)" in error(kit)
        wait(kit, 300)
        assert deliver(kit, replace(wrong, password=PASSWORD)).sent == 1
    assert "wrong-Secret" not in f"{report} {wrong!r} {wrong} {caplog.text}"
    kit.writer.close()
    assert b"wrong-Secret" not in kit.path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"host": "mail.example.org", "security": "none"}, "smtp.security"),
        ({"host": "192.0.2.1", "security": "none"}, "smtp.security"),
        ({"sender": "راصد@example.org"}, "smtp.sender"),
        ({"sender": "Rasid <rasid@example.org>\n"}, "smtp.sender"),
        ({"user": "rasid", "password": "كلمة"}, "smtp.user"),
    ],
)
def test_settings_that_would_send_wrongly_are_refused(changes, key):
    with pytest.raises(ConfigError, match=key) as refused:
        replace(LOCAL, **changes)
    assert "كلمة" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_mail_in_the_clear_stays_on_this_machine(host):
    assert replace(LOCAL, host=host).host == host


def test_a_host_nobody_can_have_is_an_error_in_a_sentence(kit):
    kit.save()
    report = deliver(kit, replace(LOCAL, host=f"{'a' * 70}.invalid", security="starttls", port=1))
    assert report.put_off == 1
    assert "sending is tried again later" in error(kit)
