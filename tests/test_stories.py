"""Stories: who tells the same happening, in whose words, and what is only alike."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from archive import open_archive
from archive.desk.server import open_desk
from archive.stories import copies_of, work_off
from archive.upkeep import catch_up
from crawler.report import hits_text, shown_text, shown_values
from tests.archive_kit import Kit
from tests.evaluate_stories import Labelled, keep, labelled, pairs, seeds

ARTICLES = {one.id: one for one in labelled()}


@pytest.fixture
def kit(tmp_path: Path):
    kit = Kit(tmp_path)
    yield kit
    kit.writer.close()


def kept(kit: Kit, *ids: str | Labelled) -> dict[str, int]:
    """Save labelled articles in this order; their numbers."""
    articles = [ARTICLES[one] if isinstance(one, str) else one for one in ids]
    return {one.id: number for number, one in keep(kit, articles).items()}


def told(kit: Kit) -> dict[str, tuple[str, str | None]]:
    """What each member is, and the number of the version its words are from."""
    sql = "SELECT a.url, s.kind, s.based_on_version_id FROM story_articles s JOIN articles a ON a.id = s.article_id"
    return {url.rpartition("/")[2]: (kind, base) for url, kind, base in kit.rows(sql)}


# Links on labelled articles


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory):
    articles = [*labelled(), *seeds()]
    random.Random(4).shuffle(articles)
    kit = Kit(tmp_path_factory.mktemp("stories"))
    ids = keep(kit, articles)
    yield kit, ids
    kit.writer.close()


@pytest.mark.parametrize(
    ("half", "recall"), [("tune", 0.95), ("held", 0.95), ("fresh", 0.95), ("seeds", 1), ("", 0.95)]
)
def test_labelled_articles_are_linked_as_labelled(everything, half: str, recall: float) -> None:
    kit, ids = everything
    found, true = pairs(kit, {number: one for number, one in ids.items() if half in ("", one.half)})
    assert len(found & true) >= 0.97 * len(found)
    assert len(found & true) >= recall * len(true)


def test_no_two_bulletins_of_one_form_are_linked(everything) -> None:
    kit, ids = everything
    found, true = pairs(kit, ids)
    assert found - true <= {frozenset(("clash7", "toll2"))}  # a day's toll, which names that killing first


def test_the_five_documents(everything) -> None:
    kit, ids = everything
    found, _ = pairs(kit, {number: one for number, one in ids.items() if one.half == "seeds"})
    assert found == {frozenset(("seed0", "seed1"))}
    assert {told(kit)[name][0] for name in ("seed0", "seed1")} == {"original", "same_event"}  # alerts tell both


def test_the_order_of_saving_makes_no_difference(kit: Kit, everything) -> None:
    articles = labelled("tune")
    kept(kit, *articles)
    other, _ = everything
    here = {one.id for one in articles}

    def members(of: Kit) -> dict[str, str]:
        return {name: kind for name, (kind, _) in told(of).items() if name in here}

    assert members(kit) == members(other)
    assert all(kind == "original" for name, kind in members(kit).items() if name in ("hol1", "france1", "fx1"))


# What a story knows


def test_a_copy_lacks_a_correction_until_it_is_corrected_too(kit: Kit) -> None:
    ids = kept(kit, "raqqa1", "raqqa2")
    first, copy = ARTICLES["raqqa1"], ARTICLES["raqqa2"]
    kept(kit, replace(first, at="2026-03-01T12:00:00Z", text=first.text.replace("ثلاثة", "أربعة")))
    with open_archive(kit.path) as archive:
        original, follower = archive.story(ids["raqqa2"]).articles
    assert (original.article_id, original.kind, original.lacks_correction) == (ids["raqqa1"], "original", False)
    assert (follower.kind, follower.based_on_article_id, follower.lacks_correction) == ("copy", ids["raqqa1"], True)
    kept(kit, replace(copy, at="2026-03-01T13:00:00Z", text=copy.text.replace("ثلاثة", "أربعة")))
    with open_archive(kit.path) as archive:
        assert [member.lacks_correction for member in archive.story(ids["raqqa2"]).articles] == [False, False]


def test_an_import_may_put_an_older_article_in_front(kit: Kit) -> None:
    kept(kit, "flood2", "flood3")
    assert told(kit)["flood2"] == ("original", None)
    kept(kit, "flood1")
    found = told(kit)
    assert [found[name][0] for name in ("flood1", "flood2", "flood3")] == ["original", "copy", "same_event"]
    assert kit.one("SELECT a.url FROM stories s JOIN articles a ON a.id = s.first_article_id").endswith("flood1")


@pytest.mark.parametrize(
    ("seen", "printed", "first"),
    [
        (("10:00:05", "10:20:00"), ("T07:00+03:00", "T06:00+03:00"), "flood2"),  # of one backlog: as they print
        (("10:20:00", "10:00:05"), ("T06:00+03:00", "T04:00Z"), "flood1"),
        (("10:00:05", "12:20:00"), ("T07:00+03:00", "T06:00+03:00"), "flood1"),  # seen clearly earlier
        (("10:00:05", "10:20:00"), ("T07:00+03:00", ""), "flood1"),  # a day says nothing
        (("10:00:05", "10:20:00"), ("", "T11:00Z"), "flood1"),
        (("10:00:05", "10:20:00"), ("T07:00", "T06:00"), "flood1"),  # nor an hour without a zone
        (("10:00:05", "10:20:00"), ("T14:00Z", "T11:00Z"), "flood1"),  # nor what was seen before it was printed
    ],
)
def test_of_what_was_seen_together_the_printed_time_tells_the_original(
    kit: Kit, tmp_path, seen, printed, first
) -> None:
    both = [
        replace(ARTICLES[name], at=f"2026-03-09T{at}Z", published_at=f"2026-03-09{said}")
        for name, at, said in zip(("flood1", "flood2"), seen, printed, strict=True)
    ]
    copy = ({"flood1", "flood2"} - {first}).pop()
    kept(kit, *both)
    other = Kit(tmp_path / "turned")
    kept(other, *reversed(both))
    assert {name: kind for name, (kind, _) in told(kit).items()} == {first: "original", copy: "copy"}
    assert {name: kind for name, (kind, _) in told(other).items()} == {first: "original", copy: "copy"}
    other.writer.close()


def test_a_telling_that_bridges_two_stories_merges_them(kit: Kit) -> None:
    apart = [replace(ARTICLES["hol4"], outlet="jisr", id="a"), replace(ARTICLES["hol4"], outlet="ajel", id="b")]
    body = ARTICLES["hol1"].text.split("\n")
    early = [
        replace(ARTICLES["hol1"], id=f"c{n}", outlet=f"o{n}", text="\n".join(body[2:]), title="") for n in (1, 2, 3)
    ]
    kept(kit, *apart, *early)
    assert kit.one("SELECT count(*) FROM stories WHERE merged_into IS NULL") == 2
    kept(kit, *(replace(ARTICLES["hol1"], id=f"d{n}", outlet=f"p{n}") for n in (1, 2)))
    assert kit.rows("SELECT id, merged_into FROM stories ORDER BY id") == [(1, 2), (2, None)]  # it had more of them
    assert kit.rows("SELECT DISTINCT story_id FROM story_articles") == [(2,)]
    assert [kind for kind, _ in told(kit).values()].count("original") == 1


@pytest.mark.parametrize(("compared", "left"), [(2, {"un1", "un2", "un4"}), (6, {"un1", "un2"})])
def test_a_copy_stays_with_what_it_copies_however_few_of_a_story_are_compared(kit: Kit, monkeypatch, compared, left):
    ids = kept(kit, "un1", "un2", "un4")
    monkeypatch.setattr("archive.stories.MEMBERS", compared)
    kept(kit, replace(ARTICLES["flood1"], id="un4", at="2026-03-09T12:00:00Z", outlet=ARTICLES["un4"].outlet))
    assert set(told(kit)) == left
    assert kit.do(lambda tx: copies_of(tx.db, ids["un1"])) == [ids["un2"]]


def test_only_copies_and_rewrites_share_words(kit: Kit) -> None:
    ids = kept(kit, "un1", "un2", "un3", "un4", "un5")
    assert kit.do(lambda tx: copies_of(tx.db, ids["un2"])) == [ids["un1"], ids["un3"]]
    assert kit.do(lambda tx: copies_of(tx.db, ids["un4"])) == []
    stories = dict(kit.rows("SELECT article_id, story_id FROM story_articles"))
    assert stories[ids["un4"]] == stories[ids["un1"]]
    assert ids["un5"] not in stories


def test_who_credits_whom_is_kept(kit: Kit) -> None:
    ids = kept(kit, "ferry1", replace(ARTICLES["ferry2"], credit="furat"), "ferry3")
    with open_archive(kit.path) as archive:
        credits = {member.article_id: member.credited_outlet_id for member in archive.story(ids["ferry1"]).articles}
    assert credits == {ids["ferry1"]: None, ids["ferry2"]: "furat", ids["ferry3"]: None}


def test_what_was_kept_before_there_were_stories_is_linked(kit: Kit, tmp_path: Path) -> None:
    kept(kit, *labelled("held"))
    before = told(kit)

    def undo(tx) -> None:
        for table in ("story_articles", "stories", "story_bands", "story_terms"):
            tx.db.execute(f"DELETE FROM {table}")
        tx.db.execute("INSERT INTO story_backlog SELECT id FROM articles")

    kit.do(undo)
    kept(kit, "hol1")  # a save takes a few along
    assert told(kit)
    catch_up(kit.writer, work_off)
    assert told(kit) == before
    assert kit.one("SELECT count(*) FROM story_backlog") == 0


def test_search_folds_copies_and_stories_are_listed(kit: Kit) -> None:
    ids = kept(kit, "envoy1", "envoy2", "envoy3", "envoy4", "water1", "water2")
    with open_archive(kit.path) as archive:
        hits = {hit.article_id: hit.copies for hit in archive.search("باراك", fold=True)}
        assert hits == {ids["envoy1"]: 2, ids["envoy4"]: 0}
        assert len(archive.search("باراك")) == 4
        stories = archive.stories()
        assert [story.articles[0].article_id for story in stories] == [ids["water1"], ids["envoy1"]]
        assert [member.kind for member in stories[1].articles] == ["original", "copy", "copy", "same_event"]
        assert archive.stories(since="2026-03-06T00:00:00Z") == stories[:1]
        assert archive.story(10**9) is None


def test_the_desk_shows_a_story_once_and_who_else_tells_it(kit: Kit) -> None:
    ids = kept(kit, "envoy1", "envoy2", "envoy3", "envoy4", "water1")
    desk = open_desk(kit.path)

    def ask(path: str) -> str:
        return asyncio.run(desk.client.get(path)).text

    home = ask("/")
    assert "+2 copies" in home
    assert f"/-/article/{ids['envoy2']}" not in home
    page = ask(f"/-/article/{ids['envoy2']}")
    assert "Worded otherwise" in page
    for name in ("envoy1", "envoy3", "envoy4"):
        assert f"/-/article/{ids[name]}" in page.partition("Also told by")[2]
    assert "Also told by" not in ask(f"/-/article/{ids['water1']}")
    hits = json.loads(ask("/archive/search.json?_shape=array&q=باراك"))
    assert {row["article_id"]: row["copies"] for row in hits} == {ids["envoy1"]: 2, ids["envoy4"]: None}
    assert f'<a href="/-/article/{ids["envoy1"]}#story">2</a>' in ask("/archive/search?q=باراك")
    assert len(json.loads(ask("/archive/search.json?_shape=array&q=باراك&copies=all"))) == 4
    (row,) = json.loads(ask("/archive/stories.json?_shape=array&q=باراك"))
    assert (row["article_id"], row["articles"], row["copies"], row["in_other_words"]) == (ids["envoy1"], 4, 2, 1)


def test_the_desk_says_which_edit_a_copy_lacks(kit: Kit) -> None:
    first = replace(ARTICLES["raqqa1"], published_at="2026-03-01T07:15:00+00:00")
    edited = replace(first, at="2026-03-01T12:00:00Z", text=first.text.replace("ثلاثة", "أربعة"))
    ids = kept(kit, first, "raqqa2", edited)
    desk = open_desk(kit.path)
    kit.do(lambda tx: tx.db.execute("UPDATE outlets SET name_ar = 'صحيفة ' || id"))
    copy, original = (
        asyncio.run(desk.client.get(f"/-/article/{ids[name]}")).text.partition("Also told by")[2]
        for name in ("raqqa2", "raqqa1")
    )
    edit = f'<a href="/-/article/{ids["raqqa1"]}?version=2#edits">'
    assert f"This copy lacks {edit}a later edit</a>" in copy
    assert copy.index("<mark>ثلاثة</mark>") < copy.index("<mark>أربعة</mark>") < copy.index("<table>")
    assert f"<bdi>صحيفة {first.outlet}</bdi>" in copy
    assert "<td>2026-03-01 07:15" in re.sub("</?time[^>]*>", "", copy)
    assert f", {edit}lacks a later edit</a>" in original
    assert "This copy lacks" not in original


def test_show_names_who_else_tells_it(kit: Kit) -> None:
    ids = kept(kit, "envoy1", replace(ARTICLES["envoy2"], published_at="2026-03-05T19:10:00+03:00"), "envoy4")
    with open_archive(kit.path) as archive:
        shown = shown_text(shown_values(archive, ids["envoy4"]))
        hits = hits_text(archive.search("باراك", fold=True))
    assert re.search(rf"copy of {ids['envoy1']} .*, printed 2026-03-05T19:10:00\+03:00  ", shown)
    assert "same event" in shown
    assert "+1 copy" in hits
