"""The five documents yield what seeds/expected.toml says: by the rules every page is read by."""

import tomllib
from pathlib import Path

import pytest

from archive.models import Page
from archive.topics import shipped_rules
from crawler.process import process

SEEDS = Path(__file__).parent.parent / "seeds"
DOCUMENTS = tomllib.loads((SEEDS / "expected.toml").read_text("utf-8"))["document"]


@pytest.fixture(scope="module", params=DOCUMENTS, ids=lambda document: document["file"][:3])
def read(request):
    expected = request.param
    body = (SEEDS / expected["file"]).read_bytes()
    page = Page("urn:sha256:0", "urn:sha256:0", "2026-02-10T08:00:00Z", 200, (("Content-Type", "text/plain"),), body)
    return expected, *process(page, shipped_rules())


def test_title(read):
    expected, article, _ = read
    assert article.title.startswith(expected["title"])
    assert article.is_article


def test_date_is_the_printed_one_or_none(read):
    expected, article, _ = read
    assert (article.published_at, article.published_source) == (
        expected.get("published"),
        expected.get("published_source"),
    )


def test_credit(read):
    expected, article, _ = read
    assert article.credit == expected.get("credit")


def test_topics(read):
    expected, _, judgement = read
    found = {match.topic: match.strength for match in judgement.matches}
    either = {topic: found.pop(topic, None) for topic in expected.get("either", [])}
    assert found == dict.fromkeys(expected["substantive"], "substantive") | dict.fromkeys(
        expected.get("passing", []), "passing"
    )
    assert None not in either.values()


def test_furniture_left_and_the_article_stayed(read):
    expected, article, _ = read
    assert not [line for line in expected["lacks"] if line in f"\n{article.text}\n"]
    assert not [line for line in expected.get("holds", []) if line not in article.text]
    everything = (SEEDS / expected["file"]).read_text("utf-8").split("إقرأ أيضاً:")[0]
    prose = [" ".join(line.split()) for line in everything.splitlines() if len(line) > 250]
    assert not [line for line in prose if line not in article.text and "بالضرورة" not in line]


def test_an_appended_article_is_kept_apart(read):
    expected, article, _ = read
    assert [text.split("\n")[0] for text in article.related] == expected.get("related", [])


def test_every_removed_line_names_its_rule(read):
    expected, article, _ = read
    original = " ".join((SEEDS / expected["file"]).read_text("utf-8").split())
    assert all(rule and line in original for rule, line in article.removed)


def test_every_document_is_in_the_table():
    assert sorted(document["file"] for document in DOCUMENTS) == sorted(path.name for path in SEEDS.glob("*.txt"))
