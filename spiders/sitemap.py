"""Sitemaps."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.sitemaps import links_from_sitemap
from spiders.base import ListingSpider


class SitemapSpider(ListingSpider):
    """Reads the sitemaps of an outlet."""

    name = "sitemap"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One sitemap, or an index of them."""
        return links_from_sitemap(body, headers.get("content-type", ""), url, source.mark, self.scope)
