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


class Outlet(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One entry of the registry."""

    id: str
    name_ar: str
    name_en: str
    homepage: str
    kind: Literal["agency", "tv", "radio", "newspaper", "website", "aggregator", "ngo", "official", "other"] = "website"
    country: str | None = None
    timezone: str | None = None
    feeds: tuple[str, ...] = ()
    wordpress: str | None = None  # the site, or the root of its REST API
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    telegram: tuple[str, ...] = ()  # names of public channels, or their addresses
    include: tuple[str, ...] = ()  # patterns on the decoded path of what sections and sitemaps name
    exclude: tuple[str, ...] = ()
    browser: bool = False  # its pages hold their text only once their scripts ran
    every: str | None = None
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
        _check_sources(file, key, outlet)
        if outlet.timezone is not None:
            try:
                ZoneInfo(outlet.timezone)
            except (KeyError, ValueError, OSError) as error:
                mend = f'{outlet.timezone!r} is no time zone; write one such as "Asia/Damascus"'
                raise ConfigError(file, f"{key}.timezone", mend) from error
        if outlet.every is not None:
            check_every(file, f"{key}.every", outlet.every)
        if outlet.fastest and outlet.slowest and outlet.fastest > outlet.slowest:
            raise ConfigError(file, f"{key}.fastest", "is longer than slowest; swap them")


def _check_sources(file: Path, key: str, outlet: Outlet) -> None:
    wordpress = () if outlet.wordpress is None else (outlet.wordpress,)
    for name, urls in {"homepage": (outlet.homepage,), "feeds": outlet.feeds, "wordpress": wordpress,
                       "sitemaps": outlet.sitemaps, "sections": outlet.sections}.items():  # fmt: skip
        for url in urls:
            check_url(file, f"{key}.{name}", url)
    for channel in outlet.telegram:
        try:
            _preview(channel)
        except ValueError as error:
            raise ConfigError(file, f"{key}.telegram", f"{channel!r}: {error}") from error
    for name, patterns in (("include", outlet.include), ("exclude", outlet.exclude)):
        for pattern in patterns:
            try:
                re.compile(pattern)
            except (re.error, RecursionError, OverflowError) as error:
                raise ConfigError(file, f"{key}.{name}", f"{pattern!r} is no pattern: {error}") from error
    if outlet.enabled and not outlet.sources:
        mend = "names no feed and nothing else that lists articles; add one or set enabled = false"
        raise ConfigError(file, key, mend)


def _preview(channel: str) -> str:
    from crawler.telegram import preview  # slow to import, and only needed here

    return preview(channel)


def check_url(file: Path, key: str, url: str) -> None:
    """Raise ConfigError for what is no web address."""
    try:
        canonical(url)
        if re.search(r"[\x00-\x20]", url):  # a parser may drop them, a header may not hold them
            raise ValueError("there is a space or a line break in it")
    except ValueError as error:
        raise ConfigError(file, key, f"{url!r} is no web address: {error}") from error


def check_every(file: Path, key: str, every: str) -> None:
    """Raise ConfigError for what is neither an interval nor a cron line."""
    try:
        Schedule.read(every)
    except ValueError as error:
        raise ConfigError(file, key, str(error)) from error
