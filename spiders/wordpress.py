"""WordPress: posts by its REST API."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.wordpress import links_from_posts, posts_address
from spiders.base import ListingSpider


class WordPressSpider(ListingSpider):
    """Asks a WordPress site for what was published or modified since the visit before."""

    name = "wordpress"
    to_the_end = True

    def address(self, source: Source) -> str:
        """What was modified since the mark."""
        return posts_address(source.url, source.mark)

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One page of posts."""
        return links_from_posts(body, headers, url, source.url, source.mark)
