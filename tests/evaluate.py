"""`make eval`: quality on the labelled development material, held to floors that only rise.

Reads ../shared/eval, which a user's clone does not have; then it says so and stops. `make eval ARCHIVE=DIR` also
counts the labels that editors gave in the archive of a configuration.
"""

import sys
import tomllib
from pathlib import Path

from archive.errors import RasidError
from archive.labels import labelled
from archive.reading import open_archive
from crawler.config import load_config
from tests import evaluate_edits, evaluate_pages, evaluate_stories, evaluate_topics

ROOT = Path(__file__).parent.parent
MATERIAL = ROOT.parent / "shared" / "eval"
FLOORS = ROOT / "tests" / "floors.toml"


def editors(directory: str) -> None:
    """Print how often the rules and the editors of an archive agree."""
    config = load_config(directory)
    with open_archive(config.archive) as archive:
        found = list(labelled(archive, config.rules))
    for topic in sorted({one.topic for one in found}):
        mine = [one for one in found if one.topic == topic]
        print(f"{topic}: {len(mine)} labels, the rules agree with {sum(one.agrees for one in mine)}")
    print(f"{len(found)} labels in {config.archive}; `rasid topics test --labels` names each that differs")


def main() -> int:
    """Print every score beside its bound; 1 when one is worse."""
    if len(sys.argv) > 1:
        try:
            editors(sys.argv[1])
        except RasidError as error:
            print(error)
            return error.exit_code
    if not MATERIAL.is_dir():
        print(f"no labelled material at {MATERIAL}: nothing was measured")
        return 0
    parts = {
        "topics": evaluate_topics.evaluate(MATERIAL / "topics-dev.jsonl"),
        "pages": evaluate_pages.evaluate(MATERIAL / "pages"),
        "edits": evaluate_edits.evaluate(),
        "stories": evaluate_stories.evaluate(),
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
