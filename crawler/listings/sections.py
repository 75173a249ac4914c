"""Section and tag pages: HTML that lists articles among much else.                                       [pure]"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree, html

from archive.models import Link
from crawler.charset import charset_in, decode
from crawler.listings import HEADLINE_WORDS, Listing, Scope, is_article, once, plain
from crawler.urls import canonical, resolved, same_site

# A form with headlines in it is no search box: some sites (ASP.NET) put one around the whole page.
_FORM = "ancestor::form[not(.//h1 or .//h2 or .//h3)]"
_FURNITURE = f"ancestor::nav or ancestor::footer or ancestor::aside or {_FORM} or ancestor::*[@role='navigation']"
_LINKS = etree.XPath(f"//a[@href][not(starts-with(@href, '#'))][not({_FURNITURE})]")


def links_from_section(body: bytes, content_type: str, url: str, scope: Scope = Scope()) -> Listing:  # noqa: B008
    """Articles that a section page links to: same site, not furniture, and in scope or named like an article."""
    try:
        tree = html.document_fromstring(decode(body, charset_in(content_type)))
        base = canonical(tree.xpath("string(//base/@href)") or url, url)
        home = canonical(url)
    except (etree.LxmlError, ValueError) as error:
        return Listing(problem=f"is no page with links: {error}"[:300])
    return Listing(once(_articles(tree, base, home, scope)))


def _articles(tree: Any, base: str, home: str, scope: Scope) -> Iterator[Link]:
    for anchor in _LINKS(tree):
        link = resolved(anchor.get("href"), base)
        title = plain(anchor.text_content()) or plain(anchor.get("title"))
        if link is None or link == home or not same_site(link, home):
            continue
        admitted = scope.admits(link)
        if is_article(link, title or "") if admitted is None else admitted:
            yield Link(link, title if title and len(title.split()) >= HEADLINE_WORDS else None)
