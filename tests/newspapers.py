"""A scripted world of newspapers, served on loopback by one process: the truth that simulations are held to.

What a paper shows at a moment follows from its script alone: stories are published, edited, withdrawn in every way
sites withdraw, moved and restored; the paper breaks, is maintained, shows challenges, is rebuilt. Times are seconds of
the simulation.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = 3600.0, 86400.0
_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
BANNER = _WORDS["banner"]
SLUGS = ("naql", "sijn", "qadiyya", "khabar", "taqrir", "mutabaa", "ajil", "milaff")
GONE = ("404", "410", "soft", "home", "other")


def line(chance: random.Random, *patterns: str, places: str = "places") -> str:
    """A sentence by one of these patterns; hardly ever the same one twice."""
    a, b = chance.sample(_WORDS[places], 2)
    return chance.choice(patterns).format(a=a, b=b, w=chance.choice(_WORDS["who"]), n=chance.randint(11, 9900))


@dataclass
class Telling:
    """How a story reads from `at` on; `told`: listings say that it was modified."""

    at: float
    title: str
    lines: tuple[str, ...]
    told: bool = True


@dataclass
class Story:
    """One article with its whole fate."""

    number: int
    at: float
    topic: bool
    tellings: list[Telling]
    gone: list[tuple[float, float, str]] = field(default_factory=list)  # from, until, how
    moves: list[tuple[float, str]] = field(default_factory=list)  # 301, refresh, or lost: 404 at the old address
    lost: float = float("inf")  # from then on a redesign has forgotten it

    @classmethod
    def written(cls, chance: random.Random, number: int, at: float, topic: bool) -> Story:
        where = "places" if topic else "elsewhere"
        patterns = chance.sample(_WORDS["lines"], chance.randint(4, 7))
        lines = [line(chance, pattern, places=where) for pattern in patterns]
        lead = line(chance, *_WORDS["leads" if topic else "off_leads"], places=where)
        title = line(chance, *_WORDS["titles"], places=where)
        return cls(number, at, topic, [Telling(at, title, (lead, *lines))])

    def edit(self, chance: random.Random, at: float, told: bool) -> None:
        """From `at` on it says something else."""
        last = self.tellings[-1]
        title, lines, how = last.title, list(last.lines), chance.randrange(4)
        if how == 0:
            title = line(chance, *_WORDS["titles"])
        elif how == 1:
            lines.append(line(chance, *_WORDS["lines"]))
        elif how == 2:
            lines[chance.randrange(1, len(lines))] = line(chance, *_WORDS["lines"])
        else:
            lines[1:] = [line(chance, *_WORDS["lines"]), *lines[2:]]
        self.tellings.append(Telling(at, title, tuple(lines), told))

    def index(self, t: float) -> int:
        """Which of its tellings is shown at `t`."""
        return sum(telling.at <= t for telling in self.tellings) - 1

    def title(self, t: float) -> str:
        return self.tellings[self.index(t)].title

    def how_gone(self, t: float) -> str | None:
        return next((how for since, until, how in self.gone if since <= t < until), None)

    def modified(self, t: float) -> float:
        """What listings tell of its last modification."""
        return max(telling.at for telling in self.tellings[: self.index(t) + 1] if telling.told)


@dataclass
class Paper:
    """An outlet: what it publishes, how, and what befalls its site."""

    name: str
    ways: tuple[str, ...]  # feed, atom, rest, sitemap, section
    stories: list[Story] = field(default_factory=list)  # the oldest first
    faults: list[tuple[float, float, str]] = field(default_factory=list)
    redesigns: list[float] = field(default_factory=list)  # since when all addresses are others; the old ones lead there
    templates: list[float] = field(default_factory=list)  # since when pages are built otherwise
    banner: float = float("inf")  # since when every article bears the same line
    items: int = 20
    lying: bool = False  # its feed keeps one ETag, and answers 304 to it
    crawl_delay: float = 0.0
    padding: int = 0  # bytes of scripts and styles in every page
    dated: bool = True
    keys: dict[str, str] = field(default_factory=dict)  # more of its entry, as TOML values
    url: str = ""

    def fault(self, t: float) -> str | None:
        return next((kind for since, until, kind in self.faults if since <= t < until), None)

    def path(self, story: Story, t: float) -> str:
        """Where a story is at `t`."""
        moves, epoch = sum(at <= t for at, _ in story.moves), sum(at <= t for at in self.redesigns)
        slug = SLUGS[(story.number + 3 * moves) % len(SLUGS)]
        return f"/{('news', 'akhbar', 'ar')[epoch]}/{story.number}/{slug}-{moves}"

    def former(self, story: Story, t: float) -> dict[str, str]:
        """Every path a story had before `t`, and what it answers now: 301, refresh or lost."""
        found: dict[str, str] = {}
        for at, how in sorted([*story.moves, *((at, "301") for at in self.redesigns)]):
            if story.at < at <= t:
                found[self.path(story, at - 1)] = how
        return found

    def shown(self, t: float, most: int) -> list[Story]:
        """What its listings show, the newest first."""
        shown = (s for s in reversed(self.stories) if s.at <= t < s.lost and not s.how_gone(t))
        return list(islice(shown, most))

    def story(self, number: int) -> Story | None:
        at = number - self.stories[0].number if self.stories else -1
        return self.stories[at] if 0 <= at < len(self.stories) else None

    def outlet(self) -> dict[str, str]:
        """Its sources, as TOML values."""
        kinds = {"feed": ("feeds", "/feed"), "atom": ("feeds", "/atom.xml"), "sitemap": ("sitemaps", "/sitemap.xml"),
                 "section": ("sections", "/section/all")}  # fmt: skip
        keys = self.keys | {kinds[way][0]: f'["{self.url}{kinds[way][1]}"]' for way in self.ways if way in kinds}
        return keys | ({"wordpress": f'"{self.url}/wp-json/"'} if "rest" in self.ways else {})


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "other"  # of what was asked for
    number: int = 0  # of the story
    said: str = ""  # what was shown of it: # and the number of its telling, or how it is missing


def answer(paper: Paper, target: str, headers: dict[str, str], t: float) -> Answer | str:
    """What a paper answers at `t`; "hang" or "refuse" where it does not."""
    parts = urlsplit(target)
    path, query = unquote(parts.path), {name: values[-1] for name, values in parse_qs(parts.query).items()}
    fault = paper.fault(t)
    if fault in ("hang", "refuse"):
        return fault
    if fault == "500":
        return Answer(500, b"error", kind="fault")
    if fault == "maintenance":
        return Answer(503, page("الموقع تحت الصيانة", "<h1>الموقع تحت الصيانة</h1>"), kind="fault")
    if path == "/robots.txt":
        rules = "User-agent: *\nDisallow:\n" + (f"Crawl-delay: {paper.crawl_delay:g}\n" if paper.crawl_delay else "")
        return Answer(200, rules.encode(), {"Content-Type": "text/plain"}, "robots")
    if fault in ("challenge", "challenge 200"):
        body = page("Just a moment...", "<script>window._cf_chl_opt={}</script>")
        return Answer(403 if fault == "challenge" else 200, body, kind="fault")
    if path == "/" and not query:
        return Answer(200, page("الرئيسية", front(paper, t)), kind="home")
    if path not in LISTINGS:
        return article(paper, path, query, t)
    if fault == "rest off" and path.startswith("/wp-json"):
        return Answer(401, b'{"code":"rest_disabled"}', {"Content-Type": "application/json"}, "fault")
    given = LISTINGS[path](paper, query, t)
    given.kind = "listing"
    if paper.lying:
        given.headers["ETag"] = '"5f3a"'
        if headers.get("if-none-match"):
            given.status, given.body, given.kind = 304, b"", "unchanged"
    return given


def article(paper: Paper, path: str, query: dict[str, str], t: float) -> Answer:
    found = re.fullmatch(r"/\w+/(\d+)/[\w-]+", path)
    number = int(found[1]) if found else int(query["p"]) if path == "/" and query.get("p", "").isdigit() else -1
    story, fault = paper.story(number), paper.fault(t)
    missing = page("404", "<h1>الصفحة غير موجودة</h1>")
    if story is None or story.at > t:
        return Answer(404, missing, kind="page")

    def said(what: str, status: int = 404, body: bytes = missing, to: str = "") -> Answer:
        return Answer(status, body, {"Location": to} if to else {}, "page", number, what)

    if fault == "all home":
        return said("rebuilt", 302, b"", "/")
    if fault == "all 404" or t >= story.lost:
        return said("rebuilt")
    here, how = paper.path(story, t), story.how_gone(t)
    led = "301" if path == "/" else paper.former(story, t).get(path) if path != here else None
    if led == "301" and not (how and path == "/"):
        return said("led", 301, b"", here)
    if led == "refresh":
        return said("led", 200, page("انتقل", "", f'<meta http-equiv="refresh" content="0;url={here}">'))
    if led or path not in (here, "/"):
        return said("moved away")
    title = story.title(t)
    match how:
        case None:
            return said(f"#{story.index(t)}", 200, story_page(paper, story, t))
        case "404" | "410":
            return said(how, int(how))
        case "soft":
            words = "عذراً، الصفحة غير موجودة"
            return said(how, 200, page(words, f"<h1>{words}</h1><p>ربما حذفت، جرب البحث.</p>"))
        case "home":
            return said(how, 302, b"", "/")
        case "other":
            other = next(s for s in paper.shown(t, 99) if s.number != number)
            return said(how, 302, b"", paper.path(other, t))
        case _:
            form = '<form class="post-password-form" method="post"><input name="post_password"></form>'
            return said(how, 200, page(f"محمي: {title}", f"<h1>محمي: {title}</h1>{form}"))


def page(title: str, body: str, head: str = "") -> bytes:
    return (f'<!doctype html><html lang="ar" dir="rtl"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
            f"<body>{body}</body></html>").encode()  # fmt: skip


def story_page(paper: Paper, story: Story, t: float) -> bytes:
    """A story amid what changes from visit to visit: counters, what is read most, what is related."""
    telling, here = story.tellings[story.index(t)], paper.url + paper.path(story, t)
    variant = sum(at <= t for at in paper.templates) % 3
    banner = f"<p>{BANNER}</p>" if t >= paper.banner else ""
    text = banner + "".join(f"<p>{escape(said)}</p>" for said in telling.lines)
    others = [s for s in paper.shown(t, 9) if s is not story]
    links = "".join(f'<li><a href="{paper.path(s, t)}">{s.title(t)}</a></li>' for s in others)
    views = int(t - story.at) // 7 + 3
    meta = f"<span>المشاهدات: {views}</span> <span>التعليقات: {views // 90}</span>"
    h1 = f"<h1>{telling.title}</h1>"
    body = (
        f"<article>{h1}<div class='meta'>{meta}</div>{text}</article>"
        f"<aside><h3>الأكثر قراءة</h3><ul>{links}</ul></aside>",
        f"<main><header>{h1}</header><div class='entry-content'>{text}</div><div class='post-meta'>{meta}</div></main>"
        f"<div class='sidebar'><h4>آخر الأخبار</h4><ul>{links}</ul></div>",
        f"<div class='container'><div class='col'>{h1}<div class='article-body'>{text}</div>"
        f"<div class='related'><h4>اقرأ أيضاً</h4><ul>{links}</ul></div></div></div><div class='stats'>{meta}</div>",
    )[variant]
    date = f'<meta property="article:published_time" content="{iso(story.at)}">' if paper.dated else ""
    head = (f'<meta property="og:type" content="article"><link rel="canonical" href="{here}">'
            f'<link rel="shortlink" href="{paper.url}/?p={story.number}">{date}')  # fmt: skip
    pad = f"<script>var data='{'x7' * (paper.padding // 2)}'</script>" if paper.padding else ""
    nav = "<nav><a href='/'>الرئيسية</a> <a href='/section/all'>أخبار</a></nav>"
    return page(f"{telling.title} - {paper.name}", f"{nav}{body}{pad}<footer>جميع الحقوق محفوظة</footer>", head)


def front(paper: Paper, t: float) -> str:
    shown = paper.shown(t, paper.items)
    cards = "".join(f"<div><h2><a href='{paper.path(s, t)}'>{s.title(t)}</a></h2></div>" for s in shown)
    return f"<nav><a href='/about'>من نحن</a></nav><h1>{paper.name}</h1>{cards}"


def iso(t: float) -> str:
    return (START + timedelta(seconds=int(t))).isoformat()


def rss(paper: Paper, query: dict[str, str], t: float) -> Answer:
    """Its guids are others at each visit."""
    items = "".join(
        f"<item><title>{s.title(t)}</title><link>{paper.url}{paper.path(s, t)}</link>"
        f'<guid isPermaLink="false">{s.number}-{t:.0f}</guid>'
        f"<pubDate>{format_datetime(START + timedelta(seconds=int(s.at)))}</pubDate>"
        f"<description>{s.tellings[s.index(t)].lines[0]}</description></item>"
        for s in paper.shown(t, paper.items)
    )
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>أخبار</title>{items}</channel></rss>'
    )
    return Answer(200, text.encode(), {"Content-Type": "application/rss+xml; charset=utf-8"})


def atom(paper: Paper, query: dict[str, str], t: float) -> Answer:
    entries = "".join(
        f"<entry><title>{s.title(t)}</title><id>tag:{s.number},{t:.0f}</id>"
        f'<link href="{paper.url}{paper.path(s, t)}"/><published>{iso(s.at)}</published>'
        f"<updated>{iso(s.modified(t))}</updated></entry>"
        for s in paper.shown(t, paper.items)
    )
    text = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>أخبار</title>{entries}</feed>'
    return Answer(200, text.encode(), {"Content-Type": "application/atom+xml"})


def posts(paper: Paper, query: dict[str, str], t: float) -> Answer:
    found = paper.shown(t, 10_000)
    if query.get("orderby") == "modified":
        since = query.get("modified_after", "")[:19]
        found = sorted(found, key=lambda s: s.modified(t), reverse=True)
        found = [s for s in found if iso(s.modified(t))[:19] > since]
    size, number = int(query["per_page"]), int(query.get("page", 1))
    rows = [
        {"id": s.number, "link": paper.url + paper.path(s, t), "date_gmt": iso(s.at)[:19],
         "modified_gmt": iso(s.modified(t))[:19], "title": {"rendered": s.title(t)}}
        for s in found[(number - 1) * size : number * size]
    ]  # fmt: skip
    told = {"Content-Type": "application/json", "X-WP-TotalPages": str(-(-len(found) // size))}
    return Answer(200, json.dumps(rows).encode(), told)


def sitemap(paper: Paper, query: dict[str, str], t: float) -> Answer:
    """Its lastmod is stuck."""
    rows = "".join(
        f"<url><loc>{paper.url}{paper.path(s, t)}</loc><lastmod>{iso(s.at)}</lastmod></url>"
        for s in paper.shown(t, 500)
    )
    return Answer(200, f"<urlset>{rows}</urlset>".encode(), {"Content-Type": "application/xml"})


def section(paper: Paper, query: dict[str, str], t: float) -> Answer:
    return Answer(200, page("أخبار", front(paper, t)))


LISTINGS = {
    "/feed": rss,
    "/atom.xml": atom,
    "/wp-json/wp/v2/posts": posts,
    "/sitemap.xml": sitemap,
    "/section/all": section,
}
