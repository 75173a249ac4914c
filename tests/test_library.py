"""What an analyst imports: it works without Scrapy and trafilatura, as the reference shows it, at any size."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from archive import open_archive
from archive.models import Article
from archive.times import later
from tests.archive_kit import NOW, ON_TOPIC, Kit

ROOT = Path(__file__).parent.parent
EXAMPLE = re.search(r"```python\n(.+?)```", (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), re.S)[1]
# Modules of the crawler: for an analyst they are not there.
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"scrapy", "trafilatura", "twisted", "lxml", "apscheduler", "crawler", "spiders"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def kit(tmp_path):
    kit = Kit(tmp_path)
    kit.save(at=NOW, url="https://sana.example/copy")
    kit.save(at=NOW)
    more = f"{ON_TOPIC.text}\nوارتفع عدد المنقولين إلى ٤٠ معتقلاً."
    kit.save(Article(ON_TOPIC.title, more, extractor="test 1"), later(NOW, 3600))
    yield kit
    kit.writer.close()


def test_the_examples_of_the_reference_run_without_scrapy_and_trafilatura(kit, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT + f"sys.path.insert(0, {str(ROOT)!r})\n" + EXAMPLE],
        cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "[معتقلين]" in said
    assert "material" in said
    assert "2 copy 1.0" in said
    assert said.splitlines()[-1] == "[{'outlet_id': 'sana', 'n': 2}]"


def test_everything_is_read_in_batches_once_and_in_order(kit, monkeypatch):
    monkeypatch.setattr("archive.reading.BATCH", 2)
    for number in range(5):
        kit.save(at=later(NOW, 86400 * (number + 1)), url=f"https://sana.example/{number + 10}")
    with open_archive(kit.path) as archive:
        articles = archive.each_article()
        first = next(articles)
        kit.save(at=later(NOW, 86400 * 9), url="https://sana.example/meanwhile")
        assert [first.id, *(article.id for article in articles)] == [1, 2, 3, 4, 5, 6, 7, 8]
        versions = list(archive.each_version())
        assert [version.id for version in versions] == list(range(1, 10))
        assert [version.number for version in versions if version.article_id == 2] == [1, 2]
        assert [version for version in versions if version.article_id == 2] == archive.versions(2)


def test_what_is_excluded_stays_out_wherever_it_stands_and_titles_come_first(kit):
    kit.save(
        Article("قسد في الرقة", "عاد الأهالي إلى المدينة.", extractor="test 1"), NOW, url="https://sana.example/raqqa"
    )
    kit.save(
        Article("عودة الأهالي", "قالت قسد إن المدينة آمنة.", extractor="test 1"), NOW, url="https://sana.example/back"
    )
    with open_archive(kit.path) as archive:
        assert [hit.url[-5:] for hit in archive.search("قسد -الأهالي")] == ["/copy", "ple/1"]
        assert [hit.url[-5:] for hit in archive.search("قسد المدينة")] == ["raqqa", "/back"]
