"""The outbox goes out: what is due, mails over one SMTP connection, each recorded before and after it is sent.

`sending` is committed before a mail is handed over and `sent` after, so that whatever dies in between, the mail is
sent again with the same Message-ID rather than lost. Other channels go by the same steps, in runs of their own: what
hangs there holds up no mail, nor a mail server them. Mails wait for a server that cannot be reached, or that does not
let us in, however long that lasts. One that the server puts off is tried for three days; one that it refuses for good
(5xx) fails.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from random import random
from threading import Lock
from typing import Any, Literal, TypeVar, get_args

from archive.alerts import channels as other
from archive.alerts.excerpts import clean
from archive.alerts.outbox import claim, due, fail, put_off, sent, wait_for_server
from archive.alerts.render import MailContext, Written, envelope, write
from archive.alerts.rules import Channel, check_address
from archive.errors import ConfigError, DeliveryError
from archive.writer import Writer

T = TypeVar("T")
Security = Literal["starttls", "tls", "none"]
# So that a mail in state `sending` at the start of a run is one a crash left behind.
_one_run: dict[Channel, Lock] = {channel: Lock() for channel in get_args(Channel)}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How mail leaves. Raises ConfigError when it would go out unprotected. The repr holds no password."""

    host: str
    port: int
    security: Security
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Refuse plain text to another machine, and what the mail library would send wrongly."""
        if self.security == "none" and not _is_loopback(self.host):
            mend = f'"none" would send mail in the clear to {self.host}; write starttls or tls'
            raise ConfigError("rasid.toml", "smtp.security", mend)
        if not (self.user or "").isascii() or not (self.password or "").isascii():
            raise ConfigError("rasid.toml", "smtp.user", "user and password must be plain ASCII")
        try:
            check_address(self.sender)
        except ValueError as error:
            raise ConfigError("rasid.toml", "smtp.sender", str(error)) from None


@dataclass(slots=True)
class DeliveryReport:
    """What one run did; `error` is the last fault met, in a sentence."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    error: str | None = None


def deliver_due(
    writer: Writer, smtp: SmtpSettings | None, *, contact: str, desk_url: str,
    channel: Channel = "email", channels: Mapping[str, str] | None = None, limit: int = 50,
    chance: Callable[[], float] = random, stop: Callable[[], bool] = lambda: False,
) -> DeliveryReport:  # fmt: skip
    """Send at most `limit` mails that are due by `channel`; blocking, for a thread of its own. Never raises for a
    server.

    `channels` are addresses by name. `chance` gives 0 to 1 and spreads the next attempts; `stop` is asked between
    mails. A run ends when the connection is lost: the mail it was lost on waits, the others stay due.
    """

    def record(operation: Callable[..., T], *args: Any) -> T:
        return writer.submit(lambda tx: operation(tx, *args)).result()

    report, client = DeliveryReport(), None
    with _one_run[channel], ExitStack() as stack:
        for mail_id in record(due, channel, limit):
            if stop():
                break
            if channel == "email" and client is None and smtp is not None:
                try:
                    client = _connect(smtp)
                except DeliveryError as error:
                    report.error = str(error)
                    report.put_off += record(wait_for_server, report.error, chance)
                    break
                stack.callback(_leave, client)
            if channel == "email" and (client is None or client.sock is None):
                break
            if (mail := record(claim, mail_id)) is None:
                continue
            try:
                words = _written(mail, contact, desk_url)
                if client is None or smtp is None:  # another channel's turn
                    other.send(mail.recipient, (channels or {}).get(mail.recipient), words.subject, words.text)
                else:
                    _send(client, smtp, mail.recipient, envelope(mail, words, smtp.sender, contact).as_bytes())
            except DeliveryError as error:
                report.error = str(error)
                if error.permanent:
                    report.failed += 1
                    record(fail, mail_id, report.error)
                else:
                    report.put_off += 1
                    record(put_off, mail_id, report.error, chance)
            else:
                report.sent += 1
                record(sent, mail_id)
    return report


def _written(mail: MailContext, contact: str, desk_url: str) -> Written:
    """The mail in words. Whatever goes wrong fails this one mail: it must not hold up all others."""
    try:
        return write(mail, contact=contact, desk_url=desk_url)
    except Exception as error:
        raise DeliveryError(f"mail {mail.id} cannot be written: {error!r}", permanent=True) from error


def _connect(smtp: SmtpSettings) -> smtplib.SMTP:
    """A connection that is encrypted, verified and logged in. Raises DeliveryError, always worth another attempt."""
    where = f"{smtp.host}:{smtp.port}"
    name = smtp.sender.rpartition("@")[2]  # asking the resolver for our own name may take long
    context = ssl.create_default_context()
    client: smtplib.SMTP | None = None
    try:
        if smtp.security == "tls":
            client = smtplib.SMTP_SSL(smtp.host, smtp.port, name, timeout=smtp.timeout, context=context)
        else:
            client = smtplib.SMTP(smtp.host, smtp.port, name, timeout=smtp.timeout)
        if smtp.security == "starttls":
            client.starttls(context=context)
        if smtp.user:
            client.login(smtp.user, smtp.password or "")
        return client
    except smtplib.SMTPAuthenticationError as error:  # the server's words are left out: they may quote the password
        problem = f"{where}: refuses smtp.user or its password (code {error.smtp_code}); mend them in the configuration"
    except ssl.SSLCertVerificationError as error:
        problem = f"{where}: its certificate does not verify ({error.verify_message}); nothing was sent"
    except (OSError, UnicodeError) as error:  # the latter: no host can have such a name
        problem = f"{where}: {_words(error)}; sending is tried again later"
    if client is not None:
        client.close()
    raise DeliveryError(problem)


def _send(client: smtplib.SMTP, smtp: SmtpSettings, recipient: str, message: bytes) -> None:
    """Hand one mail over; returns once the server took it. Raises DeliveryError."""
    try:
        client.sendmail(smtp.sender, [recipient], message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(recipient, *error.recipients[recipient]) from None
    except smtplib.SMTPDataError as error:
        with suppress(OSError):
            client.rset()  # refused before the first byte, the mail is still open, and the next would be refused for it
        raise _refused(recipient, error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPSenderRefused as error:  # our account's fault, not this mail's: it waits for the mend
        problem = f"{smtp.host}:{smtp.port}: refuses smtp.sender {smtp.sender}: {_words(error)}"
        raise DeliveryError(problem) from None
    except OSError as error:
        client.close()
        raise DeliveryError(f"{smtp.host}:{smtp.port}: the connection was lost: {_words(error)}") from None


def _refused(recipient: str, code: int, words: bytes | str) -> DeliveryError:
    return DeliveryError(f"{recipient}: refused: {code} {_said(words)}", permanent=500 <= code < 600)


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye where somebody still listens."""
    with suppress(OSError):
        if client.sock is not None:
            client.quit()
    client.close()


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_said(error.smtp_error)}"
    return clean(str(error) or type(error).__name__, 200)


def _said(words: bytes | str) -> str:
    return clean(words if isinstance(words, str) else words.decode("utf-8", "replace"), 200)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
