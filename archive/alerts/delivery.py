"""The outbox goes out: mails that are due, over one SMTP connection, each recorded before and after it is sent.

`sending` is committed before a mail is handed over and `sent` after, so that whatever dies in between, the mail is
sent again with the same Message-ID rather than lost. Faults of the server or of our account put mails off;
only a server that refuses this very mail for good (5xx) fails it.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from random import random
from threading import Lock
from typing import TYPE_CHECKING, Literal

from archive.alerts.excerpts import clean
from archive.alerts.outbox import claim, due, fail, put_off, sent
from archive.alerts.render import render
from archive.alerts.rules import check_address
from archive.errors import ConfigError, DeliveryError

if TYPE_CHECKING:
    from archive.writer import Writer

_one_run = Lock()  # so that a mail in state `sending` at the start of a run is one a crash left behind


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How mail leaves. Raises ConfigError when it would go out unprotected. The repr holds no password."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None
    password: str | None = field(repr=False)
    sender: str
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Refuse plain text to another machine, and what the mail library would send wrongly."""
        if self.security not in ("starttls", "tls", "none"):
            raise ConfigError("rasid.toml", "smtp.security", "is unknown; write starttls, tls or none")
        if self.security == "none" and not _is_loopback(self.host):
            mend = (
                f'"none" would send mail in the clear to {self.host}; write starttls or tls (none is for this machine)'
            )
            raise ConfigError("rasid.toml", "smtp.security", mend)
        if not (self.user or "").isascii() or not (self.password or "").isascii():
            raise ConfigError("rasid.toml", "smtp.user", "user and password must be plain ASCII")
        try:
            check_address(self.sender)
        except ValueError as error:
            raise ConfigError("rasid.toml", "smtp.sender", str(error)) from None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one run did; `error` is the last fault met, in a sentence."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    error: str | None = None


def deliver_due(
    writer: Writer,
    smtp: SmtpSettings,
    *,
    contact: str,
    desk_url: str,
    limit: int = 50,
    chance: Callable[[], float] = random,
    stop: Callable[[], bool] = lambda: False,
) -> DeliveryReport:
    """Send at most `limit` mails that are due; blocking, for a thread of its own. Never raises for a mail server.

    `chance` gives 0 to 1 and spreads the next attempts; `stop` is asked between mails. A run ends when the
    connection is lost: the mail it was lost on waits, the others stay due.
    """
    with _one_run:
        waiting = writer.submit(lambda tx: due(tx, limit)).result()
        if not waiting:
            return DeliveryReport()
        try:
            client = _connect(smtp)
        except DeliveryError as error:
            said = str(error)
            writer.submit(lambda tx: put_off(tx, waiting, said, chance, tried=True)).result()
            return DeliveryReport(put_off=len(waiting), error=said)
        try:
            return _deliver(writer, client, smtp, waiting, contact, desk_url, chance, stop)
        finally:
            with suppress(OSError):
                if client.sock is not None:
                    client.quit()
            client.close()


def _deliver(
    writer: Writer,
    client: smtplib.SMTP,
    smtp: SmtpSettings,
    waiting: Sequence[int],
    contact: str,
    desk_url: str,
    chance: Callable[[], float],
    stop: Callable[[], bool],
) -> DeliveryReport:
    done = {"sent": 0, "put_off": 0, "failed": 0}
    last: str | None = None
    for mail_id in waiting:
        if stop() or client.sock is None:
            break
        mail = writer.submit(partial(claim, mail_id=mail_id)).result()
        if mail is None:
            continue
        try:
            try:
                message = render(mail, sender=smtp.sender, contact=contact, desk_url=desk_url).as_bytes()
            except Exception as error:  # one mail that cannot be written must not hold up all others
                raise DeliveryError(f"the mail cannot be written: {error!r}", permanent=True) from error
            _send(client, smtp, mail.recipient, message)
        except DeliveryError as error:
            last = str(error)
            if error.permanent:
                done["failed"] += 1
                writer.submit(partial(fail, mail_id=mail_id, error=last)).result()
            else:
                done["put_off"] += 1
                writer.submit(partial(put_off, mails=[mail_id], error=last, chance=chance)).result()
        else:
            done["sent"] += 1
            writer.submit(partial(sent, mail_id=mail_id)).result()
    return DeliveryReport(**done, error=last)


def _connect(smtp: SmtpSettings) -> smtplib.SMTP:
    """A connection that is encrypted, verified and logged in. Raises DeliveryError, always worth another attempt."""
    where = f"{smtp.host}:{smtp.port}"
    name = smtp.sender.rpartition("@")[2]  # asking the resolver for our own name may take long
    client: smtplib.SMTP | None = None
    try:
        if smtp.security == "tls":
            context = ssl.create_default_context()
            client = smtplib.SMTP_SSL(smtp.host, smtp.port, name, timeout=smtp.timeout, context=context)
        else:
            client = smtplib.SMTP(smtp.host, smtp.port, name, timeout=smtp.timeout)
        if smtp.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        if smtp.user:
            client.login(smtp.user, smtp.password or "")
        return client
    except smtplib.SMTPAuthenticationError as error:  # the server's words are left out: they may quote the password
        problem = f"{where}: refuses smtp.user or its password (code {error.smtp_code}); mend them in the configuration"
    except ssl.SSLCertVerificationError as error:
        problem = f"{where}: its certificate does not verify ({error.verify_message}); nothing was sent"
    except OSError as error:
        problem = f"{where}: {_words(error)}; sending is tried again later"
    if client is not None:
        client.close()
    raise DeliveryError(problem)


def _send(client: smtplib.SMTP, smtp: SmtpSettings, recipient: str, message: bytes) -> None:
    """Hand one mail over; returns once the server took it. Raises DeliveryError."""
    try:
        client.sendmail(smtp.sender, [recipient], message)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = error.recipients[recipient]
        raise DeliveryError(f"{recipient}: refused, {code} {_said(words)}", permanent=code >= 500) from None
    except smtplib.SMTPDataError as error:
        permanent = error.smtp_code >= 500
        raise DeliveryError(f"{recipient}: {error.smtp_code} {_said(error.smtp_error)}", permanent=permanent) from None
    except smtplib.SMTPSenderRefused as error:  # our account's fault, not this mail's: it waits for the mend
        problem = f"{smtp.sender}: refused as sender, {error.smtp_code} {_said(error.smtp_error)}"
        raise DeliveryError(problem) from None
    except OSError as error:
        client.close()
        raise DeliveryError(f"{smtp.host}:{smtp.port}: the connection was lost: {_words(error)}") from None


def _words(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_said(error.smtp_error)}"
    return clean(str(error) or type(error).__name__, 200)


def _said(words: bytes | str) -> str:
    return clean(words.decode("utf-8", "replace") if isinstance(words, bytes) else words, 200)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
