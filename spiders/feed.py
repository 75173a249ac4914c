"""Feeds: RSS, Atom, RDF."""

from __future__ import annotations

from crawler.discover import Listing, links_from_feed
from spiders.base import ListingSpider


class FeedSpider(ListingSpider):
    """Reads the feeds of an outlet."""

    name = kind = "feed"

    def links(self, body: bytes, content_type: str, url: str) -> Listing:
        """See ListingSpider."""
        return links_from_feed(body, content_type, url)
