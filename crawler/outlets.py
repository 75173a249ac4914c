"""One entry of the registry, and what can be wrong with it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from archive.errors import ConfigError
from archive.frontier import OutletRow
from crawler.listings import Scope
from crawler.listings.wordpress import rest_root
from crawler.schedule import Schedule
from crawler.units import Duration
from crawler.urls import canonical


class Address(str):
    """A web address."""

    @classmethod
    def read(cls, text: str) -> Address:
        """Read one, as it stands; raises ValueError with the mend."""
        try:
            canonical(text)
            if re.search(r"[\x00-\x20]", text):  # a parser may drop them, a header may not hold them
                raise ValueError("there is a space or a line break in it")
        except ValueError as error:
            raise ValueError(f"{text!r} is no web address: {error}") from error
        return cls(text)


class Every(str):
    """An interval, or five cron fields."""

    @classmethod
    def read(cls, text: str) -> Every:
        """Read one; raises ValueError with the mend."""
        Schedule.read(text)
        return cls(text)


class Zone(str):
    """The name of a time zone."""

    @classmethod
    def read(cls, text: str) -> Zone:
        """Read one; raises ValueError with the mend."""
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f'{text!r} is no time zone; write one such as "Asia/Damascus"') from error
        return cls(text)


class Pattern(str):
    """A regular expression."""

    @classmethod
    def read(cls, text: str) -> Pattern:
        """Read one; raises ValueError with the mend."""
        try:
            re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{text!r} is no pattern: {error}") from error
        return cls(text)


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
    telegram: tuple[str, ...] = ()  # names of public channels, or their addresses
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
        for channel in outlet.telegram:
            try:
                _preview(channel)
            except ValueError as error:
                raise ConfigError(file, f"{key}.telegram", f"{channel!r}: {error}") from error
        if outlet.enabled and not outlet.sources:
            mend = "names no feed and nothing else that lists articles; add one or set enabled = false"
            raise ConfigError(file, key, mend)
        if outlet.fastest and outlet.slowest and outlet.fastest > outlet.slowest:
            raise ConfigError(file, f"{key}.fastest", "is longer than slowest; swap them")


def _preview(channel: str) -> str:
    from crawler.telegram import preview  # slow to import, and only needed here

    return preview(channel)
