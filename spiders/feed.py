"""Feeds: RSS, Atom, RDF."""

from crawler.discover import links_from_feed
from spiders.base import ListingSpider


class FeedSpider(ListingSpider):
    """Reads the feeds of an outlet."""

    name = "feed"
    read = staticmethod(links_from_feed)
