"""From an article to knowledge: judge, keep, compare, search, announce. Knows no Scrapy.

>>> from archive import open_archive
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archive.reading import open_archive

__all__ = ["open_archive"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then, so that `archive.errors` and the like stay light."""
    if name == "open_archive":
        from archive.reading import open_archive

        return open_archive
    raise AttributeError(f"module 'archive' has no attribute {name!r}")
