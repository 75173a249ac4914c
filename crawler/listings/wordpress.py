"""WordPress: its REST API lists posts by when they were modified, and so finds edits cheaply.               [pure]"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from archive.models import Link
from archive.times import later, stamp
from crawler.listings import Listing, once, plain, read_date, read_json
from crawler.urls import resolved

OVERLAP_S = 60  # read again: what was saved in the second of the mark, or is shown a little after it was saved
_FIELDS = "_fields=id,link,date_gmt,modified_gmt,title"


def rest_root(site: str) -> str:
    """The root of a site's REST API; one that is given as such stays, however it is spelled.

    >>> rest_root("https://example.org"), rest_root("https://example.org/?rest_route=/")
    ('https://example.org/wp-json/', 'https://example.org/?rest_route=/')
    """
    parts = urlsplit(site)
    if "rest_route=" in parts.query or "wp-json" in parts.path:
        return site
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/wp-json/"


def posts_address(root: str, mark: str | None) -> str:
    """The posts modified since `mark` (a stamp), the latest first; without one all posts, the newest first."""
    if mark is None:
        return _address(root, "per_page=100&orderby=date")
    return _address(root, f"per_page=100&orderby=modified&order=desc&modified_after={later(mark, -OVERLAP_S)}")


def links_from_posts(body: bytes, headers: Mapping[str, str], url: str, root: str, mark: str | None) -> Listing:
    """One page of posts, which `url` answered. `more` leads to the next, and from the first one modified to the newest
    by date, since a post that was scheduled appears without being modified."""
    try:
        posts = read_json(body)
    except ValueError as error:
        return Listing(problem=f"is no JSON: {error}"[:300])
    if not isinstance(posts, list):
        return Listing(problem=f"is no list of posts: {plain(str(posts)[:200])}")
    asked = dict(parse_qsl(urlsplit(url).query))
    page = _number(asked.get("page", ""))
    since = asked.get("modified_after", "")
    links = [link for post in posts if isinstance(post, dict) and (link := _link(post, url))]
    # WordPress before 5.7 knows no modified_after, and lists all posts there are.
    fresh = [link for link in links if not since or (link.modified_at or "9") >= since[:19]]
    more = []
    if page < _number(headers.get("x-wp-totalpages", "")) and len(fresh) == len(links) and bool(since) == bool(mark):
        more.append(f"{posts_address(root, mark)}&page={page + 1}")
    if since and page == 1:
        more.append(_address(root, "per_page=20&orderby=date"))
    newest = max((link.modified_at[:19] + "Z" for link in links if link.modified_at), default=mark)
    return Listing(once(fresh), more=tuple(more), mark=_no_later(newest, headers.get("date", "")))


def _address(root: str, query: str) -> str:
    return f"{root.rstrip('/')}/wp/v2/posts{'&' if '?' in root else '?'}{query}&{_FIELDS}"


def _link(post: dict[str, Any], url: str) -> Link | None:
    said = post.get("link")
    if not isinstance(said, str) or (address := resolved(said.strip(), url)) is None:
        return None
    title = post.get("title")
    words = plain(str(title.get("rendered") or "")) if isinstance(title, dict) else None
    return Link(address, words, _utc(post.get("date_gmt")), modified_at=_utc(post.get("modified_gmt")))


def _number(text: str) -> int:
    return int(text[:9]) if text[:9].isdecimal() else 1


def _utc(text: object) -> str | None:
    """A date of WordPress's in UTC, which it writes without a zone."""
    said = read_date(text) if isinstance(text, str) else None
    return f"{said}+00:00" if said and len(said) == 19 else None


def _no_later(mark: str | None, served: str) -> str | None:
    """A mark, but never later than the server's own time: a post dated next year must not hide this year's."""
    with suppress(ValueError, TypeError):
        return min(mark, stamp(parsedate_to_datetime(served))) if mark else None
    return mark
