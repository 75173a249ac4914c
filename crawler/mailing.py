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

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is no port; 587 and 465 are usual")
        if not re.fullmatch(r"[\w.-]+|[\w.:]*:[\w.:]*:[\w.:]*", self.host):
            raise ValueError(f"host: {self.host!r} is no host; its port goes into smtp.port")
        if self.user and not (self.password_env or self.password_file):
            raise ValueError("has a user and no password; add password_env or password_file")
        if self.most_per_hour < 1:
            raise ValueError(f"most_per_hour: {self.most_per_hour} is out of range; write 1 or more")

    def settings(self, password: str | None = None) -> SmtpSettings:
        """How mail leaves. Raises ConfigError where it would go out unprotected."""
        return SmtpSettings(self.host, self.port, self.security, self.user, password, self.sender, float(self.timeout))


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
