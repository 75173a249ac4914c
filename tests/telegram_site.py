"""A Telegram channel as its preview and its embedded posts show it on the web, served from loopback.

with Site() as site:
    channel = Channel(site, "sawt_furat", "صوت الفرات")
    channel.post("أعلنت قسد ...", forwarded="وكالة البادية")
    channel.url                                   # its preview, for an outlet's `telegram`
    channel.posts[1].text = "..."; del channel.posts[1]; channel.shown = False
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader

from tests.servers import ANY, Site, Visit

PER_PAGE = 20  # posts that a preview shows at a time
_counter = count(1500)  # views, voters and subscribers are never the same twice
_markup = Environment(loader=FileSystemLoader(Path(__file__).parent / "telegram"))  # noqa: S701  # texts are HTML
_markup.globals["counter"] = lambda: next(_counter)


@dataclass
class Post:
    """One post. `text` is HTML as Telegram prints it; None: there is none."""

    text: str | None
    at: datetime
    forwarded: str | None = None  # from which channel
    signed: str | None = None  # by whom
    reply: str | None = None  # the words it replies to
    photos: int = 0
    poll: tuple[str, ...] = ()  # a question and its answers
    service: bool = False  # "Channel photo updated"
    edited: bool = False
    unshown: bool = False  # in part, or whole, for the application alone


@dataclass
class Channel:
    """Answers for every address of a site: /s/NAME, /NAME, /NAME/ID."""

    site: Site
    name: str
    title: str
    shown: bool = True  # False: it has no preview
    refusal: str = ""  # what Telegram says in place of every post
    posts: dict[int, Post] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.route(ANY, self.answer)
        self.url = f"{self.site.url}/s/{self.name}"

    def post(self, text: str | None, **more: Any) -> str:
        """Publish; an album takes a number for each of its photos. Returns the address of the post."""
        number = max((n + max(post.photos - 1, 0) for n, post in self.posts.items()), default=0) + 1
        at = datetime(2026, 1, 21, 7, 0, 5, tzinfo=UTC) + timedelta(minutes=number)
        self.posts[number] = Post(text, at, **more)
        return f"{self.site.url}/{self.name}/{number}"

    def answer(self, visit: Visit) -> None:
        """As t.me does: what it has not is no 404."""
        parts = urlsplit(visit.path)
        asked, path = parse_qs(parts.query), parts.path.strip("/").split("/")
        if path == ["robots.txt"]:
            visit.answer("", 404)
        elif path == ["s", self.name] and not self.shown:
            visit.redirect(f"/{self.name}")
        elif path == ["s", self.name]:
            before = int(asked.get("before", ["999999"])[0])
            numbers = sorted(number for number in self.posts if number < before)
            older = len(numbers) > PER_PAGE
            visit.answer(self._page("preview.html", numbers=numbers[-PER_PAGE:], older=older))
        elif len(path) == 2 and path[0] == self.name and asked.get("embed") == ["1"] and asked.get("mode") == ["tme"]:
            visit.answer(self._page("embedded.html", number=int(path[1])))
        else:
            visit.answer(self._page("contact.html"))

    def _page(self, template: str, **values: Any) -> str:
        return _markup.get_template(template).render(vars(self) | values)
