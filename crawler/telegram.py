"""Telegram channels as the web shows them: where posts are listed and shown, and what one post says.       [pure]

A post is an article of its own, https://t.me/CHANNEL/ID. Its words are read from the page made for embedding it,
which shows that post alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from urllib.parse import urljoin, urlsplit

from lxml import etree, html
from lxml.html import HtmlElement

from archive.furniture import fold
from archive.models import Article, Link, Outcome
from crawler.clean import read_credit
from crawler.listings import Listing, once, read_date
from crawler.urls import canonical

POST = "telegram"  # the `extractor` of a post
_CHANNEL = re.compile(r"(?:@|(?:https?://)?(?:t|telegram)\.me/(?:s/)?)?([a-z]\w{3,31})/?", re.ASCII | re.I)
_POST = re.compile(r"/\w{4,32}/\d{1,12}", re.ASCII)
_ERROR = re.compile(r"""class=["'][^"'<>]*\btgme_widget_message_error\b[^>]*>(.{0,2000}?)</div>""", re.S)
_EMBEDDED = "?embed=1&mode=tme"


def _is(*names: str) -> str:
    return " or ".join(f"contains(concat(' ', @class, ' '), ' tgme_widget_message{name} ')" for name in names)


_POSTS = etree.XPath(f"//*[@data-post][{_is('')}]")
_SAID = _is("_text", "_poll_question", "_poll_option_text")
_OTHERS = "contains(@class, 'service_message') or " + _is("_text", "_reply")  # Telegram's own words, those replied to
_WORDS = etree.XPath(f".//*[{_SAID}][not(ancestor::*[{_OTHERS}])]")
_UNSHOWN = etree.XPath(".//*[contains(@class, 'not_supported')]")  # "Please open Telegram to view this post"
_SOURCE = etree.XPath(f"normalize-space(.//*[{_is('_forwarded_from_name')}])")
_SIGNED = etree.XPath(f"normalize-space(.//*[{_is('_from_author')}])")
_TIME = etree.XPath(f"string(.//*[{_is('_date')}]//time/@datetime)")
_SHOWN_CHANNEL = etree.XPath(
    "boolean(//*[contains(@class, 'tgme_channel_info') or contains(@class, 'tgme_channel_history')])"
)


def preview(channel: str) -> str:
    """The address that lists a channel's posts, from its name or any address of it. Raises ValueError.

    >>> preview("@syria_news"), preview("https://t.me/syria_news")
    ('https://t.me/s/syria_news', 'https://t.me/s/syria_news')
    """
    if found := _CHANNEL.fullmatch(channel.strip()):
        return f"https://t.me/s/{found[1]}"
    if "://" in channel and re.fullmatch(r"/s/\w+", urlsplit(address := canonical(channel)).path, re.ASCII):
        return address
    raise ValueError("it names no public channel; write its name, as in https://t.me/NAME")


def embedded(url: str, previews: Iterable[str] = ()) -> str | None:
    """The address under which the post `url` is shown alone, None if it is no post; `previews` name further hosts.

    >>> embedded("https://t.me/syria_news/7"), embedded("https://example.org/news/7")
    ('https://t.me/syria_news/7?embed=1&mode=tme', None)
    """
    parts = urlsplit(url)
    hosts = {"t.me", *(urlsplit(preview).netloc for preview in previews)}
    return url + _EMBEDDED if parts.netloc in hosts and _POST.fullmatch(parts.path) and not parts.query else None


def withheld(body: bytes, url: str) -> tuple[Outcome, str] | None:
    """Why the embedded page of the post `url` does not show it, None if it does. Gone is only what Telegram says is."""
    text = body.decode("utf-8", "replace")
    if found := _ERROR.search(text):
        said = " ".join(unescape(re.sub(r"<[^>]*>", " ", found[1])).split())[:200]
        return "gone" if "post not found" in said.lower() else "blocked", f"Telegram says: {said or 'nothing'}"
    shown = re.search(rf"data-post\s?=\s?[\"']{re.escape(urlsplit(url).path[1:])}[\"']", text, re.I)
    return None if shown else ("unreadable", "is no page of this post")


def posts_on(tree: HtmlElement) -> dict[str, HtmlElement]:
    """The posts of a page by CHANNEL/ID, in lower case: a channel may be written either way."""
    return {path: post for post in _POSTS(tree) if _POST.fullmatch(f"/{(path := post.get('data-post').lower())}")}


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
    if not mine and not (_SHOWN_CHANNEL(tree) and urlsplit(url).path.startswith("/s/")):
        why = "the channel is private, gone, or has its preview on the web switched off"
        return Listing(problem=f"shows no posts: {why}")
    links = []
    for number in sorted(mine, reverse=True):
        told = read_post(posts[mine[number]])
        if told.text:
            links.append(Link(urljoin(url, f"/{mine[number]}"), published_at=told.published_at))
    oldest, known = min(mine, default=0), int(mark) if mark and mark.isdecimal() else 0
    older = (urljoin(url, f"?before={oldest}"),) if oldest > known + 1 else ()
    return Listing(once(links), more=older, mark=str(max(mine, default=known)))


def read_post(post: HtmlElement, outlet: str | None = None) -> Article:
    """What one post says. It has no title; a channel it was forwarded from is its credit, unless that is `outlet`."""
    text = "\n".join(line for words in _WORDS(post) for line in _lines(words))
    source = _SOURCE(post)
    date = read_date(_TIME(post))
    return Article(
        title="",
        text=text,
        author=_SIGNED(post) or None,
        published_at=date,
        published_source=date and "time-tag",
        credit=source if source and fold(source) != fold(outlet or "") else read_credit(text, outlet),
        extractor=POST,
        is_article=True,
    )


def _lines(words: HtmlElement) -> list[str]:
    for label in _UNSHOWN(words):
        label.drop_tree()
    for tag in words.iter("br", "blockquote", "pre"):
        tag.text, tag.tail = f"\n{tag.text or ''}", f"\n{tag.tail or ''}"
    return [line for row in words.text_content().split("\n") if (line := " ".join(row.split()))]
