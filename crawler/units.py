"""Numbers, lengths of time and sizes, as people write them in a configuration.                           [pure]"""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4}


class Duration(float):
    """Seconds, written as `"15m"`, `"2s"`, `"1h"`, `"500ms"`.

    >>> Duration.read("1h")
    3600.0
    """

    @classmethod
    def read(cls, text: object) -> Duration:
        """Read one; raises ValueError with the mend."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)", text.strip()) if isinstance(text, str) else None
        seconds = float(found[1]) * _UNITS[found[2]] if found else 0
        if not 0 < seconds < 3660 * _UNITS["d"]:  # ten years: beyond, the calendar ends some day
            raise ValueError(f'{text!r} is no length of time; write a number and a unit, such as "15m", "2s" or "1h"')
        return cls(seconds)


class Size(int):
    """Bytes, written as `"2GB"`, `"10MB"`.

    >>> Size.read("10MB")
    10000000
    """

    @classmethod
    def read(cls, text: object) -> Size:
        """Read one; raises ValueError with the mend."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B)", text.strip()) if isinstance(text, str) else None
        if not found:
            raise ValueError(f'{text!r} is no size; write a number and a unit, such as "2GB" or "10MB"')
        return cls(float(found[1]) * _SIZES[found[2]])


class Count(int):
    """From 1 to 10,000."""

    @classmethod
    def read(cls, number: object) -> Count:
        """Read one; raises ValueError with the mend."""
        if not isinstance(number, int) or isinstance(number, bool):
            raise ValueError(f"must be a whole number, not {number!r}")
        if not 1 <= number <= 10_000:
            raise ValueError(f"{number} is out of range; write 1 or more, up to 10000")
        return cls(number)
