"""Section pages: HTML that lists articles."""

from __future__ import annotations

from crawler.discover import Listing, links_from_section
from spiders.base import ListingSpider


class SectionSpider(ListingSpider):
    """Reads the section pages of an outlet."""

    name = kind = "section"

    def links(self, body: bytes, content_type: str, url: str) -> Listing:
        """See ListingSpider."""
        return links_from_section(body, content_type, url)
