"""What lists an outlet's articles, a spider for each kind of source: feeds, sitemaps, section pages, WordPress,
Telegram."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.feeds import links_from_feed
from crawler.listings.sections import links_from_section
from crawler.listings.sitemaps import links_from_sitemap
from crawler.listings.wordpress import links_from_posts, posts_address
from crawler.telegram import links_from_channel
from spiders.base import ListingSpider


class FeedSpider(ListingSpider):
    """Reads the feeds of an outlet: RSS, Atom, RDF, JSON."""

    name = "feed"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One feed, or one page of it."""
        return links_from_feed(body, headers.get("content-type", ""), url)


class SitemapSpider(ListingSpider):
    """Reads the sitemaps of an outlet."""

    name = "sitemap"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One sitemap, or an index of them."""
        return links_from_sitemap(body, headers.get("content-type", ""), url, source.mark, self.scope)


class SectionSpider(ListingSpider):
    """Reads the section pages of an outlet: HTML that lists articles."""

    name = "section"

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One section page."""
        return links_from_section(body, headers.get("content-type", ""), url, self.scope)


class TelegramSpider(ListingSpider):
    """Reads what an outlet's channels posted, in their public previews."""

    name = "telegram"
    to_the_end = True  # of what was posted since the visit before

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One page of a channel's preview."""
        return links_from_channel(body, url, source.mark)


class WordPressSpider(ListingSpider):
    """Asks a WordPress site, by its REST API, for what was published or modified since the visit before."""

    name = "wordpress"
    to_the_end = True

    def address(self, source: Source) -> str:
        """What was modified since the mark."""
        return posts_address(source.url, source.mark)

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One page of posts."""
        return links_from_posts(body, headers, url, source.url, source.mark)
