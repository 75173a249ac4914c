"""Section pages: HTML that lists articles."""

from crawler.discover import links_from_section
from spiders.base import ListingSpider


class SectionSpider(ListingSpider):
    """Reads the section pages of an outlet."""

    name = "section"
    read = staticmethod(links_from_section)
