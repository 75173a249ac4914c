"""Who is told, and through which server or channel: those tables of the configuration, and what can be wrong there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from archive.alerts.delivery import Security, SmtpSettings
from archive.alerts.rules import AlertRule
from archive.errors import ConfigError, meant
from crawler.units import Duration


class Smtp(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The mail server alerts go through. The password comes from the environment or from a file."""

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    user: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    timeout: Duration = Duration(30)
    most_per_hour: int = 60  # instant mails to one reader; what is more goes into a digest


class Channel(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Another way than mail: where the environment, or a file, holds its address as apprise writes it."""

    url_env: str | None = None
    url_file: str | None = None


def check_alerts(
    file: Path, alerts: tuple[AlertRule, ...], smtp: Smtp | None, known: Mapping[str, Collection[str]]
) -> None:
    """Refuse alerts that could tell nobody, or name topics, outlets and channels not `known`. Raises ConfigError."""
    names: set[str] = set()
    for alert in alerts:
        key = f"alert {alert.name}"
        if alert.name in names:
            raise ConfigError(file, f"{key}.name", "stands twice; give each alert its own name")
        names.add(alert.name)
        for field, those in known.items():
            for name in getattr(alert, field):
                if name not in those:
                    mend = f"no {field[:-1]} {name!r}{meant(name, those)}; known: {', '.join(those) or 'none'}"
                    raise ConfigError(file, f"{key}.{field}", mend)
        if alert.to and smtp is None:
            raise ConfigError(file, "smtp", f"is missing, so the {key} could tell nobody; add a [smtp] table")


def smtp_settings(file: Path, smtp: Smtp | None, password: str | None = None) -> SmtpSettings | None:
    """How mail leaves. Raises ConfigError."""
    if smtp is None:
        return None
    if not 1 <= smtp.port <= 65535:
        raise ConfigError(file, "smtp.port", f"{smtp.port} is no port; 587 and 465 are usual")
    if not re.fullmatch(r"[\w.-]+|[\w.:]*:[\w.:]*:[\w.:]*", smtp.host):
        raise ConfigError(file, "smtp.host", f"{smtp.host!r} is no host; its port goes into smtp.port")
    if smtp.user and not (smtp.password_env or smtp.password_file):
        raise ConfigError(file, "smtp", "has a user and no password; add password_env or password_file")
    if smtp.most_per_hour < 1:
        raise ConfigError(file, "smtp.most_per_hour", f"{smtp.most_per_hour} is out of range; write 1 or more")
    try:
        return SmtpSettings(
            host=smtp.host, port=smtp.port, security=smtp.security, user=smtp.user,
            password=password, sender=smtp.sender, timeout=float(smtp.timeout),
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(file, "smtp", str(error)) from error
