"""What tells the teaser of another story from a paragraph of this one, by words alone.                        [pure]"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from archive.arabic.normalise import normalise


def _stems(text: str) -> set[str]:
    words = (re.sub(r"^[وفبلك]?(?:ال|لل)?", "", word) for word in re.findall(r"[^\W\d_]{4,}", normalise(text)))
    return {word[:5] for word in words if len(word) >= 4}


def is_cut(text: str, plain: str, plains: Sequence[str]) -> bool:
    """Whether a line is the beginning of another, broken off with dots. `plain` is the line folded, `plains` are all
    lines folded and sorted."""
    at = bisect_right(plains, plain)
    return text.endswith(("...", "…")) and len(plain) >= 30 and "".join(plains[at : at + 1]).startswith(plain)


def is_foreign(rest: Sequence[str], before: Sequence[str], shared: int = 0) -> bool:
    """Whether the paragraph or two left after a bare "read also", or one after a link, share nothing with the article,
    or no more than `shared` words: a teaser."""
    stems, told = _stems(" ".join(rest)), _stems(" ".join(before))
    chance = min(0.08 + 0.0003 * max(0, len(told) - 100), 0.15)  # a long text shares words with any other
    common = len(stems & told)
    return len(rest) <= 2 and len(stems) >= 8 and (common < chance * len(stems) or common <= shared)
