"""Telegram channels: the preview of a public one lists its latest posts, older ones page by page.         [pure]"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from lxml import etree, html

from archive.models import Link
from crawler.listings import Listing, once
from crawler.telegram import posts_on, read_post

_CHANNEL = etree.XPath(
    "boolean(//*[contains(@class, 'tgme_channel_info') or contains(@class, 'tgme_channel_history')])"
)


def links_from_channel(body: bytes, url: str, mark: str | None) -> Listing:
    """Posts with words, the newest first. Never raises. `mark`: the newest number of the visit before, None on first
    contact; `more` leads back as far as it, or without end."""
    try:
        tree = html.document_fromstring(body.decode("utf-8", "replace"))
        posts = posts_on(tree)
    except (etree.LxmlError, ValueError) as error:
        return Listing(problem=f"is no channel's preview: {error}"[:300])
    name = urlsplit(url).path.removeprefix("/s/").lower()
    mine = {int(path.split("/")[1]): path for path in posts if path.startswith(f"{name}/")}
    if not mine and not (_CHANNEL(tree) and urlsplit(url).path.startswith("/s/")):
        return Listing(
            problem="shows no posts: the channel is private, gone, or has its preview on the web switched off"
        )
    links = []
    for number in sorted(mine, reverse=True):
        told = read_post(posts[mine[number]])
        if told.text:
            links.append(Link(urljoin(url, f"/{mine[number]}"), published_at=told.published_at))
    oldest, known = min(mine, default=0), int(mark) if mark and mark.isdecimal() else 0
    older = (urljoin(url, f"?before={oldest}"),) if oldest > known + 1 else ()
    return Listing(once(links), more=older, mark=str(max(mine, default=known)))
