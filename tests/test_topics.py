import pickle
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ConfigError
from archive.models import Judgement
from archive.topics import explain, judge, load_rules, shipped_rules

HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "hard_cases.toml").read_text("utf-8"))["case"]


def strengths(title: str, text: str) -> dict[str, str]:
    return {match.topic: match.strength for match in judge(shipped_rules(), title, text).matches}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_hard_case(case):
    got = strengths(case["title"], case["text"])
    said = explain(shipped_rules(), case["title"], case["text"]).as_text()
    open_question = set(case.get("either", []))
    found = {topic for topic, strength in got.items() if strength == "substantive"}
    assert found - open_question == set(case["substantive"]) - open_question, said
    assert not set(got) & set(case.get("absent", [])), said
