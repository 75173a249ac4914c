"""Whether this machine's clock is right, by the time that hosts say it is when they answer.               [pure]"""

from __future__ import annotations

from statistics import median

HOSTS_MAX = 50  # the last to answer count
ENOUGH = 5  # hosts that are asked for their opinion before there is one
WRONG_S = 300.0


class HostClocks:
    """What hosts say: each the last it said, and no clock is ever set by it."""

    def __init__(self) -> None:
        """Nobody has said anything."""
        self._ahead: dict[str, float] = {}

    def heard(self, host: str, ahead: float) -> None:
        """A host's clock is `ahead` seconds before ours."""
        self._ahead.pop(host, None)
        self._ahead[host] = ahead
        if len(self._ahead) > HOSTS_MAX:
            del self._ahead[next(iter(self._ahead))]

    def wrong(self) -> str | None:
        """By how much our clock is wrong, in a sentence; None where it is not by minutes, or too few say so.

        >>> clocks = HostClocks()
        >>> for host, ahead in zip("abcde", (420, 419, 421, 0, 9e9)):
        ...     clocks.heard(host, ahead)
        >>> clocks.wrong()
        "this machine's clock is about 7 minutes behind, by what 5 hosts say the time is; set it right (NTP)"
        """
        if len(self._ahead) < ENOUGH or abs(ahead := median(self._ahead.values())) < WRONG_S:
            return None
        how, by = "behind" if ahead > 0 else "ahead", f"by what {len(self._ahead)} hosts say the time is"
        return f"this machine's clock is about {abs(ahead) / 60:.0f} minutes {how}, {by}; set it right (NTP)"
