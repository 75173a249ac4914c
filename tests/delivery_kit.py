"""What tests of delivery share: a mail server that answers as told, and the outbox of an archive."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from archive.alerts.delivery import DeliveryReport, SmtpSettings, deliver_due
from archive.alerts.render import MailContext, envelope, write
from archive.alerts.rules import AlertRule
from archive.times import later
from tests.archive_kit import Kit, unlike

RULE = AlertRule("desk", ("isis_detainees",), ("desk@example.org",))
PASSWORD = "pa55-Word"
LOCAL = SmtpSettings("127.0.0.1", 0, "none", None, None, "rasid@example.org", timeout=5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sink:
    """A mail server that answers RCPT and DATA as told: one answer a mail, then 250 for ever."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[Any] = []
        self.rcpt: list[str] = []
        self.data: list[str] = []
        self.logins = 0

    @contextmanager
    def up(self, **options: Any):
        controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        controller.start()
        try:
            yield replace(LOCAL, port=self.port)
        finally:
            controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = self.rcpt.pop(0) if self.rcpt else "250 ok"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = self.data.pop(0) if self.data else "250 taken"
        if answer.startswith(("250", "take")):
            self.mails.append(message_from_bytes(envelope.content, policy=SMTP))
        if answer == "take and hang up":
            server.transport.abort()
        return answer

    def login(self, server, session, envelope, mechanism, data) -> AuthResult:
        good = (data.login, data.password) == (b"rasid", PASSWORD.encode())
        self.logins += good
        return AuthResult(success=good, handled=False)

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]


def deliver(kit: Kit, smtp: SmtpSettings, **more: Any) -> DeliveryReport:
    return deliver_due(
        kit.writer, smtp, contact="editor@example.org", desk_url="http://127.0.0.1:8001",
        **{"chance": lambda: 0.5} | more,
    )  # fmt: skip


def outbox(kit: Kit) -> list[tuple[Any, ...]]:
    return kit.rows("SELECT state, attempts, next_attempt_at, sent_at FROM mails ORDER BY id")


def error(kit: Kit) -> str:
    return str(kit.one("SELECT error FROM mails WHERE id = 1"))


def wait(kit: Kit, seconds: float) -> str:
    kit.clock.at = later(kit.clock.at, seconds)
    return kit.clock.at


def several(kit: Kit, count: int) -> None:
    for number in range(count):
        kit.save(unlike(number), url=f"https://sana.example/{number}")


def render(mail: MailContext, *, sender: str, contact: str, desk_url: str) -> EmailMessage:
    """The whole message, as it is handed over."""
    return envelope(mail, write(mail, contact=contact, desk_url=desk_url), sender, contact)
