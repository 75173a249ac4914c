"""WordPress: its REST API lists posts by when they were modified, and so finds edits cheaply.               [pure]"""

from __future__ import annotations

from urllib.parse import urlsplit


def rest_root(site: str) -> str:
    """The root of a site's REST API; one that is given as such stays, however it is spelled.

    >>> rest_root("https://example.org"), rest_root("https://example.org/?rest_route=/")
    ('https://example.org/wp-json/', 'https://example.org/?rest_route=/')
    """
    parts = urlsplit(site)
    if "rest_route=" in parts.query or "wp-json" in parts.path:
        return site
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/wp-json/"
