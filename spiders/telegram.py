"""Telegram: the previews of public channels."""

from collections.abc import Mapping

from archive.frontier import Source
from crawler.listings import Listing
from crawler.listings.telegram import links_from_channel
from spiders.base import ListingSpider


class TelegramSpider(ListingSpider):
    """Reads what an outlet's channels posted."""

    name = "telegram"
    to_the_end = True  # of what was posted since the visit before

    def read(self, source: Source, body: bytes, headers: Mapping[str, str], url: str) -> Listing:
        """One page of a channel's preview."""
        return links_from_channel(body, url, source.mark)
