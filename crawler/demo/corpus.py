"""What the demo's outlets publish: the bundled documents among ordinary news, read from the `.toml` files here.

The ordinary articles were written for this; people, numbers and events in them are invented. They are dated by hours
before the demo's first start, so that nothing reads as old or as not yet happened.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

ORDER = ("masar", "nashra", "sahat", "dar", "minbar", "sahel")


@dataclass(frozen=True, slots=True)
class Story:
    """One article of an outlet, with what its page and its listing say of it."""

    path: str  # percent-encoded
    title: str
    section: str
    lines: tuple[str, ...]  # paragraphs
    views: int
    author: str = ""
    above: tuple[str, ...] = ()  # lines over the headline
    at: datetime | None = None  # printed on the page; None where the text itself carries its date, or none is known
    feed_at: datetime | None = None  # said by the listing
    bundled: str = ""  # file name of the document in `seeds`


@dataclass(frozen=True, slots=True)
class Paper:
    """An outlet: its registry entry, its stories, newest first, and what it will do to the bundled one."""

    id: str
    name_ar: str
    name_en: str
    kind: str
    country: str
    timezone: str
    zone_known: bool  # whether the configuration names the zone
    listing: str  # rss, atom, rdf, section
    stories: tuple[Story, ...]
    change: Mapping[str, Any]

    @property
    def listing_path(self) -> str:
        """Where its feed or its page of headlines lies."""
        return "/latest" if self.listing == "section" else f"/{self.listing}.xml"

    @property
    def bundled(self) -> Story | None:
        """Its one bundled document, if it publishes one."""
        return next((story for story in self.stories if story.bundled), None)

    def changed(self) -> Paper:
        """The outlet after its change: the document reworded, its view counter moved on, or the document withdrawn."""
        return replace(self, stories=tuple(s for story in self.stories for s in _changed(story, self.change)))


def load(started: datetime) -> tuple[Paper, ...]:
    """All six outlets, their ordinary articles dated before `started` (aware)."""
    here = files("crawler.demo")
    return tuple(_paper(tomllib.loads((here / f"{name}.toml").read_text("utf-8")), started) for name in ORDER)


def _paper(data: dict[str, Any], started: datetime) -> Paper:
    zone = ZoneInfo(data["timezone"])
    number = 4100 + 700 * ORDER.index(data["id"])
    stories = []
    for step, entry in enumerate(sorted(data["article"], key=lambda a: float(a["hours"]))):
        at = (started - timedelta(hours=entry["hours"])).astimezone(zone).replace(second=0, microsecond=0)
        path, views = _path(data["path"], number - 3 * step, entry["slug"]), 100 + number * (step + 3) % 900
        lines = tuple(entry["text"].strip().split("\n"))
        said = Story(path, entry["title"], entry["section"], lines, views, author=entry["author"], at=at, feed_at=at)
        stories.append(said)
    if "seed" in data:
        stories.insert(2, _document(data["seed"], data["path"], number + 11))
    return Paper(
        **{name: data[name] for name in ("id", "name_ar", "name_en", "kind", "country", "timezone", "listing")},
        zone_known=data.get("zone_known", True), stories=tuple(stories), change=data.get("seed", {}).get("change", {}),
    )  # fmt: skip


def _document(data: dict[str, Any], path: str, number: int) -> Story:
    """A bundled document as a page: its lines as they stand, furniture included, the headline among them lifted out."""
    lines = (files("seeds") / data["file"]).read_text("utf-8").split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    title = data["title_line"]
    return Story(
        path=_path(path, number, data["slug"]), title=lines[title], section=data["section"],
        above=tuple(lines[:title]), lines=tuple(lines[title + 1 :]), views=2380 + number % 100,
        feed_at=datetime.fromisoformat(data["feed_date"]) if "feed_date" in data else None, bundled=data["file"],
    )  # fmt: skip


def _path(pattern: str, number: int, slug: str) -> str:
    return quote(pattern.format(id=number, slug=slug))


def _changed(story: Story, change: Mapping[str, Any]) -> tuple[Story, ...]:
    if not story.bundled or not change:
        return (story,)
    if change.get("withdrawn"):
        return ()
    if "views" in change:
        return (replace(story, views=change["views"]),)
    reworded = tuple(line.replace(change["old"], change["new"]) for line in story.lines)
    if reworded == story.lines:
        raise ValueError(f"{story.bundled} does not say {change['old']!r}")
    return (replace(story, lines=reworded),)
