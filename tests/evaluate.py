"""`make eval`: quality on the labelled development material, held to floors that only rise.

Reads ../shared/eval, which a user's clone does not have; then it says so and stops.
"""

import sys
import tomllib
from pathlib import Path

from tests import evaluate_pages, evaluate_topics

ROOT = Path(__file__).parent.parent
MATERIAL = ROOT.parent / "shared" / "eval"
FLOORS = ROOT / "tests" / "floors.toml"


def main() -> int:
    """Print every score beside its floor; 1 when one is under."""
    if not MATERIAL.is_dir():
        print(f"no labelled material at {MATERIAL}: nothing was measured")
        return 0
    floors = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    scores = {
        "topics": evaluate_topics.evaluate(MATERIAL / "topics-dev.jsonl"),
        "pages": evaluate_pages.evaluate(MATERIAL / "pages"),
    }
    under = []
    print(f"\n{'score':34}{'measured':>10}{'bound':>10}")
    for part, bounds in floors.items():
        for name, bound in bounds.items():
            measured = scores[part][name]
            # What counts faults has a ceiling, what counts successes a floor.
            fails = measured > bound if name.endswith(("_most",)) or name in CEILINGS else measured < bound
            print(f"{part + '.' + name:34}{measured:>10.3f}{bound:>10.3f}{'   UNDER' if fails else ''}")
            if fails:
                under.append(f"{part}.{name}")
    if under:
        print(f"\nworse than what was reached before: {', '.join(under)}")
    return 1 if under else 0


CEILINGS = {"leak", "accepted", "refused", "false_per_100", "invented"}

if __name__ == "__main__":
    sys.exit(main())
