"""Section pages: HTML that lists articles."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.sections import links_from_section
from spiders.base import ListingSpider


class SectionSpider(ListingSpider):
    """Reads the section pages of an outlet."""

    name = "section"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One section page."""
        return links_from_section(body, headers.get("content-type", ""), url, self.scope)
