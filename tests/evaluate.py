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
    """Print every score beside its bound; 1 when one is worse."""
    if not MATERIAL.is_dir():
        print(f"no labelled material at {MATERIAL}: nothing was measured")
        return 0
    parts = {
        "topics": evaluate_topics.evaluate(MATERIAL / "topics-dev.jsonl"),
        "pages": evaluate_pages.evaluate(MATERIAL / "pages"),
    }
    scores = {f"{part}.{name}": score for part, found in parts.items() for name, score in found.items()}
    bounds = tomllib.loads(FLOORS.read_text(encoding="utf-8"))
    print(f"\n{'score':36}{'measured':>10}   bound")
    worse = []
    for name, bound in bounds["at_least"].items():
        worse += [name] if scores[name] < bound else []
        print(f"{name:36}{scores[name]:>10.3f}   at least {bound:.3f}{'   WORSE' if name in worse else ''}")
    for name, bound in bounds["at_most"].items():
        worse += [name] if scores[name] > bound else []
        print(f"{name:36}{scores[name]:>10.3f}   at most  {bound:.3f}{'   WORSE' if name in worse else ''}")
    if worse:
        print(f"\nworse than what was reached before: {', '.join(worse)}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
