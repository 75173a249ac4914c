"""The Datasette plugin: Arabic in SQL, safe cells, the article page, the headers that fence hostile content in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from datasette import NotFound, Response, hookimpl
from datasette.database import QueryInterrupted
from markupsafe import Markup

from archive.arabic.normalise import normalise
from archive.coverage import OutletCoverage, gaps
from archive.desk import pages
from archive.edits import read_edit
from archive.search import ar_query, highlight, in_title, relevance
from archive.sqlite import statement
from archive.stories import fold, read_story
from archive.times import later, stamp, utc_now
from archive.titles import heading
from archive.topics import read_matches

DATABASE = "archive"  # so that addresses stay the same whatever the file is called
LARGEST = 32_000_000  # characters one statement may answer with
LONGEST = 4_000_000  # characters of a text our functions read: SQLite cannot interrupt them
_F = TypeVar("_F", bound=Callable[..., Any])
_hook: Callable[[_F], _F] = hookimpl
_last: Callable[[_F], _F] = hookimpl(trylast=True)

_FENCE = (
    "default-src 'none'; img-src 'self' data:; font-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src "
)
_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


@_last  # after Datasette's own escape_fts, so that every search box of Datasette's understands Arabic, too
def prepare_connection(conn: Any, database: str) -> None:
    """SQL functions of the desk. NULL stays NULL; a query with nothing to search for finds nothing."""

    def function(name: str, arity: int, python: Callable[..., str | float]) -> None:
        def call(*values: object) -> str | float | None:
            texts = [str(value) for value in values if value is not None]
            if any(len(text) > LONGEST for text in texts):
                raise MemoryError
            return python(*texts) if len(texts) == arity else None

        conn.create_function(name, arity, call, deterministic=True)

    def match(text: str) -> str:
        return ar_query(text) or '""'  # an empty MATCH is a syntax error

    make, spent = conn.row_factory, WeakKeyDictionary[Any, int]()

    def row(cursor: Any, values: tuple[object, ...]) -> Any:
        spent[cursor] = spent.get(cursor, 0) + sum(len(value) for value in values if isinstance(value, str | bytes))
        if spent[cursor] > LARGEST:
            raise MemoryError
        return make(cursor, values)

    conn.row_factory = row
    # Where the file lies is nobody's business: SQLITE_PRAGMA (19) database_list is ignored (2), all else allowed (0).
    conn.set_authorizer(lambda action, name, *_: 2 if (action, name) == (19, "database_list") else 0)
    function("ar_norm", 1, normalise)
    function("ar_query", 1, match)
    function("escape_fts", 1, match)
    function("ar_snippet", 2, lambda text, query: highlight(text, query, 160))
    function("ar_changed", 2, pages.changed)
    function("ar_heading", 2, heading)
    function("ar_score", 3, relevance)
    function("ar_title_query", 1, lambda text: in_title(match(text)))


@_hook
def render_cell(row: Any, value: object, column: str, database: str, datasette: Any) -> Markup | None:
    """Titles lead to their article, addresses out of the house, brackets become marks; the rest is Datasette's."""
    if database != DATABASE or value is None:
        return None
    if column in ("article_id", "title") and "article_id" in row.keys():  # noqa: SIM118 (a row iterates over values)
        path = datasette.urls.path(f"/-/article/{row['article_id']}")
        label = value or heading("", row["text"] if "text" in row.keys() else "") or "(no title)"  # noqa: SIM118
        return Markup('<a href="{}">{}</a>').format(path, label)
    if column == "copies" and "article_id" in row.keys():  # noqa: SIM118
        return Markup('<a href="{}#story">{}</a>').format(datasette.urls.path(f"/-/article/{row['article_id']}"), value)
    if not isinstance(value, str):
        return None
    if column in ("snippet", "before", "after"):
        return pages.marked(value)
    return pages.web_link(value, value if len(value) <= 60 else value[:59] + "…")


@_hook
def extra_template_vars(
    view_name: str, request: Any, datasette: Any
) -> Callable[[], Awaitable[dict[str, Any]]] | dict[str, Any]:
    """On a search, which outlets could not be read in its time."""
    if view_name != "table" or request.url_vars.get("table") != "search":  # so Datasette calls a canned query
        return {}
    since = request.args.get("since") or later(stamp(utc_now()), -86400)

    async def search() -> dict[str, Any]:
        found = await rows(datasette, statement("reading.coverage"), {"since": since, "until": "9999"})
        return {"unread": gaps((OutletCoverage(*row) for row in found), since)}

    return search


@_hook
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Response]]]]:
    """The front page and the address mails point to; of Datasette's pages about itself only styles and scripts."""
    return [
        (r"^/$", home),
        (r"^/-/article/(?P<id>\d{1,18})$", article),
        (r"^/-/feed/(?P<topic>\w{1,80})\.atom$", topic_feed),
        (r"^/-/(?!static/)", nothing),
    ]


async def home(request: Any, datasette: Any) -> Response:
    """The front page. Datasette's own asks for every table who may see it, which takes most of a tenth of a second."""
    await datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
    queries = pages.canned_queries()
    newest = await rows(datasette, queries["newest"]["sql"], dict.fromkeys(queries["newest"]["params"], ""))
    ids = {row["article_id"]: row for row in newest}
    roots = await rows(datasette, statement("stories.roots"), {"ids": json.dumps(list(ids))})
    folded = fold(list(ids), {row["article_id"]: row["root"] for row in roots})
    context = {
        "plain": True,
        "counts": (await rows(datasette, statement("desk.home"), {}) or [None])[0],
        "topics": await rows(datasette, statement("desk.topics"), {}),
        "newest": [(ids[article_id], copies) for article_id, copies in folded[:12]],
        "queries": queries,
    }
    return Response.html(await datasette.render_template("index.html", context, request=request))


async def topic_feed(request: Any, datasette: Any) -> Response:
    """The newest articles on a topic, as Atom."""
    await datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
    topic = request.url_vars["topic"]
    found = await rows(datasette, statement("desk.feed"), {"topic": topic})
    rules = await rows(datasette, "SELECT toml FROM rule_sets ORDER BY id DESC LIMIT 1", {})
    title = pages.topic_title(rules[0]["toml"] if rules else None, topic)
    if not found and title is None:
        raise NotFound(f"No topic {topic} in this archive")
    own, desk = (datasette.absolute_url(request, path) for path in (request.path, datasette.urls.instance()))
    context = pages.feed(own, desk, title or topic, found)
    text = await datasette.render_template("feed.atom", context, request=request)
    return Response(text, content_type="application/atom+xml; charset=utf-8")


async def nothing() -> Response:
    """Settings, paths, threads and versions are not shown."""
    raise NotFound("No such page")


async def article(request: Any, datasette: Any) -> Response:
    """One article: the asked-for version (`?version=2`, else the latest), why it was kept, and its whole record."""
    await datasette.ensure_permissions(request.actor, [("view-database", DATABASE), "view-instance"])
    key = {"id": int(request.url_vars["id"])}
    found = await rows(datasette, statement("desk.article"), key)
    if not found:
        raise NotFound(f"No article {key['id']} in this archive")
    versions = await rows(datasette, statement("desk.versions"), key)
    latest, asked = found[0]["latest_version_id"], request.args.get("version")
    version = next((v for v in versions if (str(v["number"]) == asked if asked else v["version_id"] == latest)), None)
    shown = {"version": version["version_id"]} if version else {}
    if asked and not version:
        raise NotFound(f"Article {key['id']} has no version {asked}")
    matches = read_matches(await rows(datasette, statement("reading.matches"), shown)) if version else []
    older = next((v for v in versions if version and v["number"] == version["number"] - 1), None)
    story = read_story(await rows(datasette, statement("stories.story"), key))
    me = next((member for member in story.articles if member.article_id == key["id"]), None) if story else None
    based = await rows(datasette, statement("desk.base"), key) if version else []
    lacking = me is not None and len(based) > 1 and shown.get("version") == latest
    pair = shown | {"older": older["version_id"]} if older else {}
    changed = [read_edit(tuple(row)) for row in await rows(datasette, statement("edits.stored"), pair)] if pair else []
    hits = [(passage, match.topic) for match in matches for passage in match.passages]
    places = {f: [(p.start, p.end, topic) for p, topic in hits if p.field == f] for f in ("title", "text")}
    context = {
        "plain": True,
        "article": found[0],
        "source": pages.web_link(found[0]["url"]),
        "version": version,
        "heading": heading,
        "fields": {f: pages.segments(version[f], where) for f, where in places.items()} if version else {},
        "edits": pages.edits(changed[:60], version or {}),
        "silent": bool(older and version and version["modified_at"] in (None, older["modified_at"])),
        "story": story,
        "me": me,
        "members": {row["article_id"]: row for row in await rows(datasette, statement("desk.members"), key)},
        "otherwise": pages.edits(pages.otherwise(based[0], version)[:2], version) if version and based else [],
        "lacking": lacking,
        "missed": pages.edits(pages.missed(version, *based)[:4], based[1]) if version and lacking else [],
        "matches": matches,
        "told": await rows(datasette, statement("desk.told"), shown) if version else [],
        "versions": versions,
        "captures": await rows(datasette, statement("desk.captures"), key),
        "events": await rows(datasette, statement("desk.events"), key),
    }
    return Response.html(await datasette.render_template("article.html", context, request=request))


@_hook
def asgi_wrapper() -> Callable[[Any], Any]:
    """Every answer carries a content policy; our own pages, which need no script, forbid it altogether.

    What asks for more than reading is turned away before Datasette sees it.
    """

    def wrap(app: Any) -> Any:
        async def fenced(scope: Any, receive: Any, send: Any) -> None:
            path = str(scope.get("path", ""))
            scripts = "'none'" if path == "/" or path.startswith("/-/article/") else "'self' 'unsafe-inline'"

            async def answer(message: Any) -> None:
                if message["type"] == "http.response.start":
                    policy = (b"content-security-policy", (_FENCE + scripts).encode())
                    message = {**message, "headers": [*message.get("headers", ()), *_HEADERS, policy]}
                await send(message)

            if scope.get("method", "GET") in ("GET", "HEAD"):
                await app(scope, receive, answer)
            else:
                await Response.text("The desk only reads the archive", status=405).asgi_send(answer)

        return fenced

    return wrap


async def rows(datasette: Any, sql: str, params: dict[str, Any]) -> list[Any]:
    """Rows of one statement; none when it outlasts the limit, so that a page still comes."""
    try:
        return list((await datasette.get_database(DATABASE).execute(sql, params)).rows)
    except QueryInterrupted:
        return []
