"""Configuration: the only reader of TOML files and of the environment; gives typed, validated values.

Three files in one directory: `rasid.toml` (the service), `outlets.toml` (the registry), `topics.toml` (the rules;
the shipped ones when it is absent). Everything is checked at load: a `ConfigError` names file, key and the mend.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from archive.alerts.delivery import SmtpSettings
from archive.alerts.rules import AlertRule
from archive.errors import ConfigError
from archive.rules import RuleSet, load_rules
from archive.topics import shipped_rules
from crawler.mistakes import friendly, meant
from crawler.outlets import Outlet as Outlet  # for whoever asks the configuration for one
from crawler.outlets import check_every, check_outlets, check_url
from crawler.schedule import Schedule
from crawler.units import Duration, Size

SERVICE, OUTLETS, TOPICS = "rasid.toml", "outlets.toml", "topics.toml"
_T = TypeVar("_T")


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class Crawl(_Strict, frozen=True):
    """How outlets are visited, unless an outlet's entry says otherwise."""

    every: str = "15m"  # an interval, or five cron fields
    delay: Duration = Duration(2)  # between two requests to one host
    concurrency: int = 1  # requests to one host at a time
    timeout: Duration = Duration(30)  # for one answer, whole
    max_bytes: Size = Size(10_000_000)  # of one answer, decompressed
    proxy: str | None = None  # the environment's proxies are not read
    outlets_at_once: int = 8


class Revisit(_Strict, frozen=True):
    """When kept articles are looked at again, counted from when they were first seen, or last edited."""

    ladder: tuple[Duration, ...] = tuple(Duration.read(t) for t in ("1h", "3h", "12h", "1d", "3d", "7d", "30d", "90d"))
    confirm_after: Duration = Duration(3600)
    which: Literal["matched", "all"] = "matched"
    per_hour: int = 120  # at one outlet; what is new comes first and is not counted


class Keep(_Strict, frozen=True):
    """What stays on disk."""

    passed_days: int = 30
    free_space: Size = Size(2_000_000_000)


class Smtp(_Strict, frozen=True):
    """The mail server alerts go through. The password comes from the environment or from a file."""

    host: str
    sender: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    timeout: Duration = Duration(30)


class Alert(_Strict, frozen=True):
    """Who is told of what. Checked further by `archive.alerts.rules.AlertRule`."""

    name: str
    topics: tuple[str, ...]
    to: tuple[str, ...]
    strength: Literal["substantive", "passing"] = "substantive"
    on: tuple[Literal["new", "edited", "withdrawn", "restored"], ...] = ("new", "edited", "withdrawn")
    when: Literal["instant"] = "instant"
    language: Literal["ar", "en"] = "ar"
    backlog: Literal["digest", "each", "none"] = "digest"


class Desk(_Strict, frozen=True):
    """Where `rasid serve` is reached; links in mails point there."""

    url: str = "http://127.0.0.1:8001"


class Stamp(_Strict, frozen=True):
    """The authority that signs the ledger's head once a day (RFC 3161)."""

    url: str | None = None


class _Service(_Strict, frozen=True):
    contact: str = ""
    archive: str = "archive.db"
    crawl: Crawl = Crawl()
    revisit: Revisit = Revisit()
    keep: Keep = Keep()
    smtp: Smtp | None = None
    alert: tuple[Alert, ...] = ()
    desk: Desk = Desk()
    stamp: Stamp = Stamp()


class _Registry(_Strict, frozen=True):
    outlet: tuple[Outlet, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, ready for use. `dir` is None when nothing was configured and shipped rules are used."""

    dir: Path | None
    archive: Path
    contact: str
    crawl: Crawl
    revisit: Revisit
    keep: Keep
    smtp: Smtp | None
    alerts: tuple[AlertRule, ...]
    desk: Desk
    stamp: Stamp
    outlets: tuple[Outlet, ...]
    rules: RuleSet

    def enabled(self, ids: tuple[str, ...] = ()) -> tuple[Outlet, ...]:
        """The named outlets (enabled or not), or all enabled ones. An unknown id raises ConfigError."""
        known = {o.id: o for o in self.outlets}
        for outlet in ids:
            if outlet not in known:
                raise ConfigError(self.file(OUTLETS), "outlet", f"no outlet {outlet!r}{meant(outlet, known)}")
        return tuple(known[i] for i in dict.fromkeys(ids)) if ids else tuple(o for o in self.outlets if o.enabled)

    def outlet_of(self, url: str) -> Outlet | None:
        """The outlet an address belongs to: by its host; where several share one, by where their home pages lie."""
        host, path = _place(url)
        if host == "t.me":  # the host of all channels
            channel = re.sub(r"^(?:/s)?/(\w*).*", r"/s/\1/", path).lower()
            return next((o for o in self.outlets for _, u in o.sources if _place(u.lower()) == (host, channel)), None)
        there = [o for o in self.outlets if _place(o.homepage)[0] == host]
        under = [o for o in there if path.startswith(_place(o.homepage)[1])]
        return max(under, key=lambda o: len(o.homepage), default=there[0] if len(there) == 1 else None)

    def require_contact(self) -> str:
        """The address outlets can write to. Without one nothing is fetched."""
        if not self.contact:
            raise ConfigError(
                self.file(SERVICE), "contact",
                'no contact address, no crawl: add contact = "you@example.org", so that outlets can reach you',
            )  # fmt: skip
        return self.contact

    def mail_server(self) -> SmtpSettings | None:
        """Where mail goes, with the password, which only whoever sends must have. Raises ConfigError without it."""
        file = self.file(SERVICE)
        return _smtp(file, self.smtp, _password(file, self.smtp)) if self.smtp else None

    def file(self, name: str) -> Path:
        """Where a configuration file lies, for messages."""
        return (self.dir or Path()) / name


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc.removeprefix("www."), f"{parts.path.rstrip('/')}/"


def find_dir(given: str | Path | None) -> Path | None:
    """The directory to read: the given one, else the current one, else the user's. None: none holds a file."""
    if given is not None:
        return Path(given)
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "rasid"
    return next((d for d in (Path(), user) if any((d / n).is_file() for n in (SERVICE, TOPICS))), None)


def load_config(given: str | Path | None = None) -> Config:
    """Read and check the whole configuration. Raises ConfigError; never touches the network or the archive."""
    directory = find_dir(given)
    if directory is None or not (directory / SERVICE).is_file():
        where = directory or Path()
        raise ConfigError(where / SERVICE, "", f"there is no such file; `rasid init {where}` writes one")
    service = _read(directory / SERVICE, _Service)
    outlets = read_outlets(directory / OUTLETS) if (directory / OUTLETS).is_file() else ()
    rules = load_topics(directory)
    _check_service(directory / SERVICE, service)
    _smtp(directory / SERVICE, service.smtp)
    return Config(
        dir=directory,
        archive=directory / Path(service.archive).expanduser(),
        contact=service.contact,
        crawl=service.crawl,
        revisit=service.revisit,
        keep=service.keep,
        smtp=service.smtp,
        alerts=tuple(_alerts(directory / SERVICE, service, rules)),
        desk=service.desk,
        stamp=service.stamp,
        outlets=outlets,
        rules=rules,
    )


def read_outlets(file: Path, text: str | None = None) -> tuple[Outlet, ...]:
    """The registry in a file, or what it would be if this `text` stood there. Raises ConfigError."""
    outlets = _read(file, _Registry, text).outlet
    check_outlets(file, outlets)
    return outlets


def load_topics(directory: Path | None) -> RuleSet:
    """The rules of `topics.toml` in a directory, or the shipped ones when it holds none."""
    if directory is None or not (file := directory / TOPICS).is_file():
        return shipped_rules()
    return load_rules(_text(file), str(file))


def schedule(config: Config, outlet: Outlet) -> Schedule:
    """When an outlet's listings are read."""
    return Schedule.read(outlet.every or config.crawl.every, outlet.fastest, outlet.slowest)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(file, "", f"is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(file, "", f"cannot be read: {error.strerror}") from error


def _read(file: Path, kind: type[_T], text: str | None = None) -> _T:
    try:
        raw = tomllib.loads(_text(file) if text is None else text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:  # TOML errors, and numbers and nesting without end
        raise ConfigError(file, "", f"is not valid TOML: {error}") from error
    try:
        return msgspec.convert(raw, kind, dec_hook=_decode, str_keys=True)
    except msgspec.ValidationError as error:
        raise friendly(file, kind, str(error)) from error


def _decode(kind: type, value: object) -> object:
    if kind in (Duration, Size):
        return kind.read(value)
    raise NotImplementedError(kind)


def _check_service(file: Path, service: _Service) -> None:
    contact = service.contact
    if contact.startswith(("http://", "https://")) and contact.isascii():
        check_url(file, "contact", contact)
    elif contact and not (contact.isascii() and re.fullmatch(r"[^@\s<>()]+@[^@\s<>()]+\.[^@\s<>()]+", contact)):
        raise ConfigError(file, "contact", f"{contact!r}: write an e-mail address or a web page with one, in ASCII")
    if not service.archive.strip() or (file.parent / service.archive).is_dir():
        raise ConfigError(file, "archive", f'{service.archive!r} is no file; write one such as "archive.db"')
    check_every(file, "crawl.every", service.crawl.every)
    for key, number in (
        ("crawl.concurrency", service.crawl.concurrency),
        ("crawl.outlets_at_once", service.crawl.outlets_at_once),
        ("keep.passed_days", service.keep.passed_days),
        ("revisit.per_hour", service.revisit.per_hour),
    ):
        if not 1 <= number <= 10_000:
            raise ConfigError(file, key, f"{number} is out of range; write 1 or more, up to 10000")
    ladder = service.revisit.ladder
    if not ladder or list(ladder) != sorted(set(ladder)):
        raise ConfigError(file, "revisit.ladder", 'must rise from step to step, such as ["1h", "3h", "1d"]')
    for key, url in (
        ("desk.url", service.desk.url),
        ("crawl.proxy", service.crawl.proxy),
        ("stamp.url", service.stamp.url),
    ):
        if url is not None:
            check_url(file, key, re.sub("//[^/@]*@", "//", url) if key == "crawl.proxy" else url)


def _alerts(file: Path, service: _Service, rules: RuleSet) -> Iterator[AlertRule]:
    names: set[str] = set()
    for alert in service.alert:
        key = f"alert {alert.name}"
        if alert.name in names:
            raise ConfigError(file, f"{key}.name", "stands twice; give each alert its own name")
        names.add(alert.name)
        for topic in alert.topics:
            if topic not in rules.topics:
                mend = f"no topic {topic!r}{meant(topic, rules.topics)}; known: {', '.join(rules.topics)}"
                raise ConfigError(file, f"{key}.topics", mend)
        if service.smtp is None:
            raise ConfigError(file, "smtp", f"is missing, so the {key} could tell nobody; add a [smtp] table")
        try:
            yield AlertRule(**msgspec.structs.asdict(alert))
        except ValueError as error:
            raise ConfigError(file, key, str(error)) from error


def _smtp(file: Path, smtp: Smtp | None, password: str | None = None) -> SmtpSettings | None:
    if smtp is None:
        return None
    if not 1 <= smtp.port <= 65535:
        raise ConfigError(file, "smtp.port", f"{smtp.port} is no port; 587 and 465 are usual")
    if not re.fullmatch(r"[\w.-]+|[\w.:]*:[\w.:]*:[\w.:]*", smtp.host):
        raise ConfigError(file, "smtp.host", f"{smtp.host!r} is no host; its port goes into smtp.port")
    if smtp.user and not (smtp.password_env or smtp.password_file):
        raise ConfigError(file, "smtp", "has a user and no password; add password_env or password_file")
    try:
        return SmtpSettings(
            host=smtp.host, port=smtp.port, security=smtp.security, user=smtp.user,
            password=password, sender=smtp.sender, timeout=float(smtp.timeout),
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(file, "smtp", str(error)) from error


def _password(file: Path, smtp: Smtp) -> str | None:
    """The secret itself; no message ever carries it, nor what may be the secret in the place of a name."""
    if name := smtp.password_env:
        if not (secret := os.environ.get(name)) and smtp.user:
            named = name if re.fullmatch("[A-Z_][A-Z0-9_]*", name) else "variable of this name"
            raise ConfigError(file, "smtp.password_env", f"the environment holds no {named}; set it")
        return secret
    if smtp.password_file:
        path = file.parent / Path(smtp.password_file).expanduser()
        try:
            return path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(file, "smtp.password_file", f"{path} cannot be read") from error
    return None
