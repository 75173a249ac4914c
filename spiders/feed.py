"""Feeds: RSS, Atom, RDF."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.feeds import links_from_feed
from spiders.base import ListingSpider


class FeedSpider(ListingSpider):
    """Reads the feeds of an outlet."""

    name = "feed"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One feed, or one page of it."""
        return links_from_feed(body, headers.get("content-type", ""), url)
