"""The values that travel from a fetched page to an announced event.                                      [pure]

Data goes one way: Link -> Page -> Article -> Judgement -> Snapshot -> Saved -> Event.
Everything here is frozen and can be sent to another process. System times are stamps (see `archive.times`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Strength = Literal["substantive", "passing"]
Series = Literal["kept", "passed"]
EventKind = Literal["new", "edited", "withdrawn", "restored"]
Outcome = Literal[
    "ok",  # an article was read and stored, or a listing was read
    "unchanged",  # a look that found no change, or 304
    "moved",  # it led to the article's new address
    "gone",  # 404 or 410, a page that says so in words, a redirect to the home page or a section
    "blocked",  # 401, 403, 429, 451; a challenge, a consent wall or a login in its place
    "outage",  # 5xx, DNS, refused connection, broken answer
    "tls",  # the certificate chain does not verify
    "timeout",
    "too_large",
    "refused",  # by us: robots.txt, private address, scheme
    "not_article",  # a home, section, login or error page
    "unreadable",  # the reader failed, or was stopped at its limit
]
# What is gone, or is no article, is an answer like any other; every other outcome counts against the outlet.
ANSWERED: tuple[Outcome, ...] = ("ok", "unchanged", "moved", "gone", "not_article")

RENDERED = "X-Archive-Rendered-By"  # a header of pages whose body is what a browser made of what was sent


@dataclass(frozen=True, slots=True)
class Link:
    """What a listing (feed, section page) says of one article. Unknown stays None."""

    url: str
    title: str | None = None
    published_at: str | None = None  # as precise as the listing says, see Article.published_at
    author: str | None = None
    modified_at: str | None = None  # a hint to look again, never proof of an edit
    content: str | None = None  # HTML of the whole article, where the listing carries it


@dataclass(frozen=True, slots=True)
class Page:
    """What a server answered for an address, or a file that was imported."""

    url: str  # the address asked for; `urn:sha256:...` for an imported file
    final_url: str  # after redirects
    at: str  # system time of the answer
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes  # content-decoded
    raw: bytes | None = None  # as transferred, content-encoding kept; None: the same as `body`
    request_headers: tuple[tuple[str, str], ...] = ()
    timezone: str | None = None  # the outlet's, for dates printed without one
    outlet_name: str | None = None  # so that a site's own name is no credit and no part of a title
    link: Link | None = None  # what the listing said, used only where the page is silent
    furniture: tuple[str, ...] = ()  # lines learned of the outlet, see `archive.learned`
    view: str | None = None  # the address the body came from, where that shows `final_url` in another form


@dataclass(frozen=True, slots=True)
class Article:
    """The clean text of a page and what it says of itself. None means unknown, never a guess."""

    title: str
    text: str  # paragraphs separated by one newline
    author: str | None = None
    published_at: str | None = None  # `2026-01-21`, `2019-11-14T01:27`, `2026-01-21T10:00:00+03:00`
    published_source: str | None = None  # json-ld, meta, time-tag, text, notice, feed; relative: "منذ 3 ساعات"
    modified_at: str | None = None
    section: str | None = None
    credit: str | None = None  # the source the page names: "المصدر: ..."
    language: str | None = None
    extractor: str = ""  # which way was taken, with its version
    is_article: bool | None = None  # three-valued: None is "cannot tell"
    related: tuple[str, ...] = ()  # other articles appended to this one, whole
    removed: tuple[tuple[str, str], ...] = ()  # (rule, line) of every furniture line taken out
    addresses: tuple[tuple[str, str], ...] = ()  # (kind, url) the page names as its own, see `crawler.addresses`


@dataclass(frozen=True, slots=True)
class Passage:
    """One place where a term of a topic stands. Offsets are half-open code points into the stored field."""

    field: Literal["title", "text"]
    start: int
    end: int
    term: str  # id of the term in the rules
    surface: str  # the word as written


@dataclass(frozen=True, slots=True)
class Match:
    """An article is on a topic: how strongly, and why."""

    topic: str
    strength: Strength
    score: float
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule set says of one article. No match is an answer, too."""

    rule_set_sha256: str
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the archive needs to keep one look at one article; made by `crawler.process`."""

    page: Page
    article: Article
    judgement: Judgement
    outlet_id: str | None = None
    crawl_id: int | None = None
    article_id: int | None = None  # known when an article is revisited
    backlog: bool = False  # listed on first contact with its outlet, or published over 48 hours ago
    keep: bool = False  # keep whatever its topic (`rasid save`)
    ms: int | None = None  # how long the fetch took
    reread: tuple[int, Article] | None = None  # a version, and what today's reader makes of its capture


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a Snapshot."""

    kind: Literal["new", "changed", "unchanged", "passed", "redacted"]
    article_id: int
    version_id: int | None = None
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A look at an address that gave no article: one row in `fetches`, and what follows for the article."""

    url: str
    at: str
    outcome: Outcome
    outlet_id: str | None = None
    crawl_id: int | None = None
    article_id: int | None = None
    status: int | None = None
    bytes: int | None = None
    ms: int | None = None
    error: str | None = None
    retry_at: str | None = None  # not before this moment (Retry-After)


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth telling, stored in the same transaction as what it tells of."""

    id: int
    at: str
    kind: EventKind
    article_id: int
    version_id: int
    backlog: bool
