"""What we tell Scrapy: every departure from its defaults, and why."""

from __future__ import annotations

from typing import Any

from crawler.config import Config

SPIDER_MODULES = ["spiders"]  # also read by `python -m scrapy list`


def crawl_settings(config: Config, agent: str) -> dict[str, Any]:
    """Settings of every crawl; `agent` is the one identifying user agent."""
    crawl = config.crawl
    return {
        "SPIDER_MODULES": SPIDER_MODULES,
        "USER_AGENT": agent,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "ar,en;q=0.5",  # default: English first
            "Accept-Encoding": "gzip, deflate",  # what every WARC reader decodes; default: brotli and zstd, too
        },
        # Safety: off or strict where the default is open.
        "REMOTE_CONTROL_ENABLED": False,  # default: runs Python sent to a local port
        "TELNETCONSOLE_ENABLED": False,  # default: likewise
        "DOWNLOAD_VERIFY_CERTIFICATES": True,  # default: any certificate will do
        "DOWNLOAD_HANDLERS": {  # default also reads file:, data:, ftp: and s3: addresses
            "http": "crawler.middlewares.PoliteHandler",
            "https": "crawler.middlewares.PoliteHandler",
            "data": None, "file": None, "ftp": None, "s3": None,
        },
        "DOWNLOAD_MAXSIZE": int(crawl.max_bytes),  # default: 1 GiB; bounds decompressed bytes, too
        "DOWNLOAD_WARNSIZE": 0,  # the limit itself says enough
        "DOWNLOAD_TIMEOUT": float(crawl.timeout),  # default: 180 s; of a whole answer, so a slow drip ends
        "COOKIES_ENABLED": False,  # we are nobody's session
        "HTTPPROXY_ENABLED": crawl.proxy is not None,  # default: proxies of the environment
        "REDIRECT_MAX_TIMES": 5,  # default: 20; each hop passes GuestMiddleware again
        "METAREFRESH_ENABLED": False,  # news pages reload themselves, which would look like a redirect loop
        "REFERRER_POLICY": "no-referrer",  # no outlet learns where we were before
        # Politeness: ours is shared by all crawls of the process, Scrapy's ends at the crawl.
        # ROBOTSTXT_OBEY stays off: its middleware lets waiting requests slip through; GuestMiddleware obeys.
        "DOWNLOADER_MIDDLEWARES": {
            "crawler.middlewares.RenderMiddleware": 50,
            "crawler.middlewares.GuestMiddleware": 100,
        },
        "DOWNLOAD_DELAY": 0.01,  # never 0: then its concurrency limits are ignored; the real delay is the guest's
        "CONCURRENT_REQUESTS_PER_DOMAIN": crawl.concurrency,
        "CONCURRENT_REQUESTS": crawl.concurrency + 1,
        "RETRY_ENABLED": False,  # the frontier tries again at a later crawl
        # HTTPCACHE_ENABLED stays off: it shows a 304 as a 200; validators are kept with our sources.
        # What is due, and what was seen, is in our own tables.
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",  # default: drops redirects to a seen address silently
        "URLLENGTH_LIMIT": 0,  # default: drops longer ones silently; percent-encoded Arabic is long, and we bound it
        "HTTPERROR_ALLOW_ALL": True,  # every status is an outcome that we record
        # Lean: many short crawls in one process.
        "CONCURRENT_ITEMS": 1,  # default: 100 tasks for each response; our spiders yield no items
        "WARN_ON_GENERATOR_RETURN_VALUE": False,  # default: parses the source of every callback
        "MEMUSAGE_ENABLED": False,  # of the whole process, not of one crawl
        "LOGSTATS_INTERVAL": 0,  # crawls report through their summary
        "STATS_DUMP": False,
    }  # fmt: skip
