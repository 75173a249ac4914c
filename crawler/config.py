"""Configuration: the only reader of TOML files and of the environment; gives typed, validated values.

Three files in one directory: `rasid.toml` (the service), `outlets.toml` (the registry), `topics.toml` (the rules;
the shipped ones when it is absent). Everything is checked at load: a `ConfigError` names file, key and the mend.
"""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

import msgspec

from archive.alerts.channels import MISSING, installed, readable
from archive.alerts.delivery import SmtpSettings
from archive.alerts.rules import AlertRule
from archive.errors import ConfigError, meant
from archive.mistakes import friendly
from archive.rules import RuleSet, load_rules
from archive.topics import shipped_rules
from crawler.logs import Style
from crawler.mailing import Channel, Smtp, check_alerts
from crawler.outlets import Address, Every, Text, check_outlets
from crawler.outlets import Outlet as Outlet  # for whoever asks the configuration for one
from crawler.supervisor import Supervisor
from crawler.units import Count, Duration, Size

SERVICE, OUTLETS, TOPICS = "rasid.toml", "outlets.toml", "topics.toml"
_T = TypeVar("_T")


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


def _reach(contact: str) -> None:
    if contact.startswith(("http://", "https://")):
        Address.read(contact)
    if not contact.isascii() or not re.fullmatch(r"https?://.*|[^@\s<>()]+@[^@\s<>()]+\.[^@\s<>()]+|", contact):
        raise ValueError("write an e-mail address or a web page with one, in ASCII")


class Contact(Text):
    """Where outlets can write to: an e-mail address, or a web page that names one, in ASCII; none: no crawl."""

    check, wrong = staticmethod(_reach), "contact"


class Proxy(Address):
    """The web address of a proxy, which may carry a user name and a password."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one; raises ValueError with the mend, and without the password."""
        Address.read(re.sub("//[^/@]*@", "//", text))
        return cls(text)


class Crawl(_Strict, frozen=True):
    """How outlets are visited, unless an outlet's entry says otherwise."""

    every: Every = Every("15m")  # an interval, or five cron fields
    delay: Duration = Duration(2)  # between two requests to one host
    concurrency: Count = Count(1)  # requests to one host at a time
    timeout: Duration = Duration(30)  # for one answer, whole
    max_bytes: Size = Size(10_000_000)  # of one answer, decompressed
    proxy: Proxy | None = None  # the environment's proxies are not read
    outlets_at_once: Count = Count(8)


class Revisit(_Strict, frozen=True):
    """When kept articles are looked at again, counted from when they were first seen, or last edited."""

    ladder: tuple[Duration, ...] = tuple(Duration.read(t) for t in ("1h", "3h", "12h", "1d", "3d", "7d", "30d", "90d"))
    confirm_after: Duration = Duration(3600)
    which: Literal["matched", "all"] = "matched"
    per_hour: Count = Count(120)  # on one host; what is new comes first and is not counted

    def __post_init__(self) -> None:
        """Refuse steps that do not follow one another."""
        if not self.ladder or list(self.ladder) != sorted(set(self.ladder)):
            raise ValueError('ladder: must rise from step to step, such as ["1h", "3h", "1d"]')


class Keep(_Strict, frozen=True):
    """What stays on disk."""

    passed_days: Count = Count(30)
    free_space: Size = Size(2_000_000_000)


class Desk(_Strict, frozen=True):
    """Where `rasid serve` is reached; links in mails point there."""

    url: Address = Address("http://127.0.0.1:8001")


class Watch(_Strict, frozen=True):
    """How the running service is watched: its pages for monitoring, and its log."""

    listen: str = "127.0.0.1:9464"  # none: off
    log: Style = "text"

    def __post_init__(self) -> None:
        """Refuse a place that others could reach."""
        found = re.fullmatch(r"(?:localhost|127\.[\d.]+|\[::1\]):\d+", self.listen)
        if self.listen and not (found and self.address):
            raise ValueError(f'listen: {self.listen!r} is no place on loopback; write "127.0.0.1:9464", or "" for none')

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port."""
        parts = urlsplit(f"//{self.listen}")
        return (str(parts.hostname), parts.port) if parts.port else None


class Backup(_Strict, frozen=True):
    """Where the service keeps a copy of the archive."""

    dir: str = ""  # none: off
    every: Duration = Duration(86400)


class Stamp(_Strict, frozen=True):
    """The authority that signs the ledger's head once a day (RFC 3161)."""

    url: Address | None = None


class _Service(_Strict, frozen=True):
    contact: Contact = Contact()
    archive: Path = Path("archive.db")
    crawl: Crawl = Crawl()
    revisit: Revisit = Revisit()
    keep: Keep = Keep()
    smtp: Smtp | None = None
    alerts: tuple[AlertRule, ...] = msgspec.field(name="alert", default=())
    channels: dict[str, Channel] = msgspec.field(name="channel", default_factory=dict)
    desk: Desk = Desk()
    watch: Watch = msgspec.field(name="service", default=Watch())
    backup: Backup = Backup()
    stamp: Stamp = Stamp()


class _Registry(_Strict, frozen=True):
    outlet: tuple[Outlet, ...] = ()


class _Both(_Service, frozen=True):
    outlet: tuple[Outlet, ...] = ()


class Config(_Service, frozen=True, kw_only=True):
    """All of it, ready for use; paths are those of files."""

    dir: Path
    outlets: tuple[Outlet, ...]
    rules: RuleSet
    mistake: ConfigError | None = None  # what it is about is left out, see `load_in_part`

    def watches(self, outlet_id: str) -> bool:
        """Whether an outlet is switched on; one that a configuration with a mistake does not tell of may well be."""
        return {outlet.id: outlet.enabled for outlet in self.outlets}.get(outlet_id, self.mistake is not None)

    def enabled(self, ids: tuple[str, ...] = ()) -> tuple[Outlet, ...]:
        """The named outlets (enabled or not), or all enabled ones. An unknown id raises ConfigError."""
        known = {o.id: o for o in self.outlets}
        for outlet in ids:
            if outlet not in known:
                mend = f"{meant(outlet, known)}; `rasid outlets list` shows all"
                raise ConfigError(self.file(OUTLETS), "outlet", f"no outlet {outlet!r}{mend}")
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

    def mail_server(self) -> SmtpSettings | None:
        """Where mail goes, with the password, which only whoever sends must have. Raises ConfigError without it."""
        return self.smtp.settings(self._password()) if self.smtp else None

    def channel_addresses(self) -> dict[str, str]:
        """The addresses of the channels that alerts name: secrets, which only whoever sends must have. Raises
        ConfigError for one that is missing, or that nothing can be sent to."""
        found, file = {}, self.file(SERVICE)
        for name in dict.fromkeys(name for rule in self.alerts for name in rule.channels):
            key, channel = f"channel.{name}", self.channels[name]
            if not installed():
                raise ConfigError(file, key, MISSING)
            address = _secret(file, f"{key}.url", channel.url_env, channel.url_file)
            if not address or not readable(address):
                mend = "name in url_env or url_file where an address stands, written as apprise writes it"
                raise ConfigError(file, key, mend)
            found[name] = address
        return found

    def secrets(self) -> tuple[str, ...]:
        """What must be seen in no log, as far as it can be read."""
        proxy = urlsplit(self.crawl.proxy or "")
        found = [proxy.password]
        with suppress(ConfigError):
            found.append(self._password())
        with suppress(ConfigError):
            found += self.channel_addresses().values()
        return tuple(filter(None, found))

    def _password(self) -> str | None:
        if self.smtp is None or self.smtp.user is None:
            return None
        return _secret(self.file(SERVICE), "smtp.password", self.smtp.password_env, self.smtp.password_file)

    def file(self, name: str) -> Path:
        """Where a configuration file lies, for messages."""
        return self.dir / name


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc.removeprefix("www."), f"{parts.path.rstrip('/')}/"


def supervisor() -> Supervisor:
    """Whoever started us and wants to hear how we are: systemd, or nobody."""
    ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    limit = os.environ.get("WATCHDOG_USEC", "") if ours else ""
    return Supervisor(os.environ.get("NOTIFY_SOCKET"), int(limit) / 1e6 if limit.isdigit() else None)


def find_dir(given: str | Path | None) -> Path | None:
    """The directory to read: the given one, else the current one, else the user's. None: none holds a file."""
    if given is not None:
        return Path(given)
    user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "rasid"
    return next((d for d in (Path(), user) if any((d / n).is_file() for n in (SERVICE, TOPICS))), None)


def load_config(given: str | Path | None = None) -> Config:
    """Read and check the whole configuration. Raises ConfigError; never touches the network or the archive."""
    directory = find_dir(given)
    if directory is None or not (directory / SERVICE).exists():
        where = directory or Path()
        raise ConfigError(where / SERVICE, "", f"there is no such file; `rasid init {where}` writes one")
    file = directory / SERVICE
    service = _read(file, _Service)
    outlets = read_outlets(directory / OUTLETS) if (directory / OUTLETS).exists() else ()
    rules = load_topics(directory)
    archive = directory / service.archive.expanduser()
    if archive.is_dir():
        raise ConfigError(file, "archive", f'{str(service.archive)!r} is no file; write one such as "archive.db"')
    if service.smtp:
        service.smtp.settings()
    known = {"topics": rules.topics, "outlets": [outlet.id for outlet in outlets], "channels": service.channels}
    check_alerts(file, service.alerts, service.smtp, known)
    backup = msgspec.structs.replace(service.backup, dir=_place_of_backup(file, archive, service.backup.dir))
    own = {"archive": archive, "backup": backup, "dir": directory, "outlets": outlets, "rules": rules}
    return Config(**msgspec.structs.asdict(service) | own)


def load_in_part(given: str | Path | None = None) -> Config:
    """The configuration, for what needs little of it: of one with a mistake what is right, and the first mistake.

    Raises ConfigError where not even the archive's place can be read.
    """
    try:
        return load_config(given)
    except ConfigError as error:
        directory, rules = find_dir(given), shipped_rules()
        if directory is None or not (directory / SERVICE).exists():
            raise
        text = "\n".join(_text(file) for name in (SERVICE, OUTLETS) if (file := directory / name).exists())
        found = _right(text)
        if error.key == "archive" or ("archive" not in found and re.search(r"(?m)^\s*archive\b", text)):
            raise
        with suppress(ConfigError):
            rules = load_topics(directory)
        whole = msgspec.structs.asdict(msgspec.convert(found, _Both, dec_hook=_decode, str_keys=True))
        own = {"archive": directory / whole["archive"].expanduser(), "outlets": whole.pop("outlet")}
        return Config(**whole | own, dir=directory, rules=rules, mistake=error)


def _right(text: str) -> dict[str, Any]:
    """Of the keys and tables of both files, one after the other, those that can be read by themselves."""
    found: dict[str, Any] = {}
    for part in re.split(r"(?m)^(?=[ \t]*\[)", text):
        with suppress(ValueError, RecursionError):
            for key, value in tomllib.loads(part).items():
                with suppress(msgspec.ValidationError):
                    msgspec.convert({key: value}, _Both, dec_hook=_decode, str_keys=True)
                    found[key] = [*found.get(key, []), *value] if isinstance(value, list) else value
    return found


def read_outlets(file: Path, text: str | None = None) -> tuple[Outlet, ...]:
    """The registry in a file, or what it would be if this `text` stood there. Raises ConfigError."""
    outlets = _read(file, _Registry, text).outlet
    check_outlets(file, outlets)
    return outlets


def load_topics(directory: Path | None) -> RuleSet:
    """The rules of `topics.toml` in a directory, or the shipped ones when it holds none."""
    if directory is None or not (file := directory / TOPICS).exists():
        return shipped_rules()
    return load_rules(_text(file), str(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(file, "", f"is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        mend = "; is this the account that Rasid runs as?" if isinstance(error, PermissionError) else ""
        raise ConfigError(file, "", f"cannot be read: {error.strerror}{mend}") from error


def _read(file: Path, kind: type[_T], text: str | None = None) -> _T:
    try:
        raw = tomllib.loads(_text(file) if text is None else text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:  # TOML errors, and numbers and nesting without end
        raise ConfigError(file, "", f"is not valid TOML: {error}") from error
    try:
        return msgspec.convert(raw, kind, dec_hook=_decode, str_keys=True)
    except msgspec.ValidationError as error:
        raise friendly(file, kind, str(error), names=raw if error.__cause__ else {}) from error


def _decode(kind: Any, value: object) -> object:
    if issubclass(kind, str | Path) and not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return kind.read(value) if hasattr(kind, "read") else kind(value)


def _place_of_backup(file: Path, archive: Path, said: str) -> str:
    if not said:
        return ""
    place, home = file.parent / Path(said).expanduser(), archive.parent
    if home.resolve() in (place.resolve(), *place.resolve().parents):
        mend = f"{place} lies inside the archive's own directory; name a place that does not go with it"
        raise ConfigError(file, "backup.dir", mend)
    return str(place)


def _secret(file: Path, key: str, env: str | None, named: str | None) -> str | None:
    """What a variable of the environment, or else a file, holds; None where neither is asked for. No message ever
    carries it, nor what may be the secret in the place of a name."""
    if env:
        if secret := os.environ.get(env):
            return secret
        known = env if re.fullmatch("[A-Z_][A-Z0-9_]*", env) else "variable of this name"
        raise ConfigError(file, f"{key}_env", f"the environment holds no {known}; set it")
    if named:
        path = file.parent / Path(named).expanduser()
        try:
            return path.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(file, f"{key}_file", f"{path} cannot be read") from error
    return None
