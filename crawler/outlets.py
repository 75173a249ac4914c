"""One entry of the registry, and what can be wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import msgspec

from archive.errors import ConfigError
from archive.frontier import OutletRow
from crawler.listings import Scope
from crawler.listings.wordpress import rest_root
from crawler.schedule import Schedule
from crawler.units import Duration
from crawler.urls import canonical


class Text(str):
    """A text of a configuration that stands for something, and is kept as it was written."""

    check: ClassVar[staticmethod[[str], object]]  # raises where it does not
    wrong: ClassVar[str]  # what is said then

    @classmethod
    def read(cls, text: str) -> Self:
        """Read one; raises ValueError with the mend."""
        try:
            cls.check(text)
        except (ValueError, LookupError, OSError, re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{text!r} is no {cls.wrong}: {error}") from error
        return cls(text)


def _asked_for(url: str) -> None:
    canonical(url)
    if re.search(r"[\x00-\x20]", url):  # a parser may drop them, a header may not hold them
        raise ValueError("there is a space or a line break in it")


class Address(Text):
    """A web address."""

    check, wrong = staticmethod(_asked_for), "web address"


class Every(Text):
    """How often something is done."""

    check, wrong = staticmethod(Schedule.read), "schedule"


class Zone(Text):
    """The name of a time zone."""

    check, wrong = staticmethod(ZoneInfo), 'time zone, such as "Asia/Damascus"'


class Pattern(Text):
    """A regular expression."""

    check, wrong = staticmethod(re.compile), "pattern"


def _preview(channel: str) -> str:
    from crawler.telegram import preview  # slow to import, and only needed here

    return preview(channel)


class ChannelName(Text):
    """A public channel of Telegram, by name or address."""

    check, wrong = staticmethod(_preview), "channel"


class Outlet(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of the registry."""

    id: str
    name_ar: str
    name_en: str
    homepage: Address
    kind: Literal["agency", "tv", "radio", "newspaper", "website", "aggregator", "ngo", "official", "other"] = "website"
    country: str | None = None
    timezone: Zone | None = None
    feeds: tuple[Address, ...] = ()
    wordpress: Address | None = None  # the site, or the root of its REST API
    sitemaps: tuple[Address, ...] = ()
    sections: tuple[Address, ...] = ()
    telegram: tuple[ChannelName, ...] = ()  # names of public channels, or their addresses
    include: tuple[Pattern, ...] = ()  # patterns on the decoded path of what sections and sitemaps name
    exclude: tuple[Pattern, ...] = ()
    browser: bool = False  # its pages hold their text only once their scripts ran
    every: Every | None = None
    fastest: Duration | None = None  # how short and how long `every` may become, as the outlet publishes
    slowest: Duration | None = None
    delay: Duration | None = None
    enabled: bool = True
    allow_private: bool = False

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """(kind, url) of everything that lists this outlet's articles, in the order in which they lead."""
        kinds = {
            "feed": self.feeds,
            "wordpress": (rest_root(self.wordpress),) if self.wordpress else (),
            "sitemap": self.sitemaps,
            "section": self.sections,
            "telegram": tuple(map(_preview, self.telegram)),
        }
        return tuple((kind, url) for kind, urls in kinds.items() for url in urls)

    @property
    def scope(self) -> Scope:
        """What of a page's links is an article, where the operator says so."""
        return Scope(self.include, self.exclude)

    @property
    def row(self) -> OutletRow:
        """What the archive stores of this entry."""
        return OutletRow(
            self.id, self.name_ar, self.name_en, self.kind, self.country, self.homepage, self.timezone,
            self.sources if self.enabled else (),
        )  # fmt: skip


def check_outlets(file: Path, outlets: tuple[Outlet, ...]) -> None:
    """Raise ConfigError for the first thing that cannot be meant."""
    seen: set[str] = set()
    for number, outlet in enumerate(outlets, 1):
        key = f"outlet {outlet.id}"
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", outlet.id):
            raise ConfigError(file, f"outlet {number}.id", f"{outlet.id!r}: use lower-case letters, digits, - and _")
        if outlet.id in seen:
            raise ConfigError(file, f"{key}.id", "stands twice; give each outlet its own id")
        seen.add(outlet.id)
        if outlet.enabled and not outlet.sources:
            mend = "names no feed and nothing else that lists articles; add one or set enabled = false"
            raise ConfigError(file, key, mend)
        if outlet.fastest and outlet.slowest and outlet.fastest > outlet.slowest:
            raise ConfigError(file, f"{key}.fastest", "is longer than slowest; swap them")
